;; payment-escrow: the vault. Balances of persons, per asset, and the locks that lessons hold on them.
;;
;; Tokens move in deposits and withdrawals only, and out of the vault only under an exact allowance. Everything else
;; moves numbers. For every asset, after every call:
;;     sum of all free + sum of all locked = get-held = what this contract holds (plus what strangers gave it outright)
;; Decides nothing about lessons: the contract with the role "session" says when to lock and to whom to release.

(use-trait sip-010 .sip-010-trait.sip-010-trait)

(define-constant ERR-AMOUNT (err u700))
(define-constant ERR-FUNDS (err u701))
(define-constant ERR-LOCK-EXISTS (err u702))
(define-constant ERR-LOCK-UNKNOWN (err u703))
(define-constant ERR-LOCK-SETTLED (err u704))
(define-constant ERR-TRANSFER (err u705))
(define-constant ERR-RECIPIENT (err u706))

;; Largest amount in one operation, as in the protocol (2^63-1): sums of such amounts cannot overflow.
(define-constant AMOUNT-MAX u9223372036854775807)
;; Scope that spending needs (area money).
(define-constant SCOPE-MONEY u8)
;; Basis points in a whole.
(define-constant BPS u10000)

;; States of a lock. u2 refunded and u3 split are kept for the operations that settle quarrels.
(define-constant LOCK-HELD u0)
(define-constant LOCK-RELEASED u1)

;; Where locked money came from. u1 a sponsor's pool and u2 an earmark are kept for later operations.
(define-constant SOURCE-OWN u0)

;; (person, asset; none = STX) -> base units that the person may use, and those that locks hold.
(define-map balances { person: principal, asset: (optional principal) } { free: uint, locked: uint })

;; Lock id (a lesson's id) -> who pays, what, in which state; source and origin say where the money returns to if
;; it is not earned (origin: id of the pool or earmark, zeros for own money). Never deleted: an id locks once.
(define-map locks (buff 32)
  { payer: principal, asset: (optional principal), amount: uint, state: uint, source: uint, origin: (buff 32) })

;; Asset -> base units in the vault: all that was deposited less all that was withdrawn.
(define-map held (optional principal) uint)

;; Asset -> base units ever released to tutors. Never falls.
(define-map volumes (optional principal) uint)

;; ---- questions

;; What a person has in one asset: free to use, and locked for lessons. Takes persons, not keys.
(define-read-only (get-balance (of { person: principal, asset: (optional principal) }))
  (default-to { free: u0, locked: u0 } (map-get? balances of)))

;; The same for up to 50 at once, in the order asked.
(define-read-only (get-balances (of (list 50 { person: principal, asset: (optional principal) })))
  (map get-balance of))

;; The lock under an id, whatever its state.
(define-read-only (get-lock (id (buff 32)))
  (map-get? locks id))

;; Base units of an asset that the vault owes to persons.
(define-read-only (get-held (asset (optional principal)))
  (default-to u0 (map-get? held asset)))

;; Base units of an asset ever released to tutors, for analytics.
(define-read-only (get-volume (asset (optional principal)))
  (default-to u0 (map-get? volumes asset)))

;; ---- numbers

(define-private (set-balance (person principal) (asset (optional principal)) (free uint) (locked uint))
  (map-set balances { person: person, asset: asset } { free: free, locked: locked }))

(define-private (credit (person principal) (asset (optional principal)) (amount uint))
  (let ((balance (get-balance { person: person, asset: asset })))
    (set-balance person asset (+ (get free balance) amount) (get locked balance))))

(define-private (check-amount (amount uint))
  (ok (asserts! (and (> amount u0) (<= amount AMOUNT-MAX)) ERR-AMOUNT)))

;; Money for the vault itself, or for an address of another network, could never be used.
(define-private (check-recipient (who principal))
  (ok (asserts! (and (is-standard who) (not (is-eq who current-contract))) ERR-RECIPIENT)))

;; ---- deposits

(define-private (record-deposit (payer principal) (person principal) (asset (optional principal)) (amount uint))
  (begin
    (credit person asset amount)
    (map-set held asset (+ (get-held asset) amount))
    (print { event: "deposited", person: person, payer: payer, asset: asset, amount: amount })
    (ok true)))

;; Pay STX from the caller's wallet to a person. The person is named by any of its keys, registered or not yet.
;; Gives the payer no claim on what was paid.
(define-public (deposit-for (person principal) (amount uint))
  (begin
    (try! (check-amount amount))
    (try! (check-recipient person))
    (try! (contract-call? .access check-deposit none))
    (unwrap! (stx-transfer? amount contract-caller current-contract) ERR-TRANSFER)
    (record-deposit contract-caller (contract-call? .user-registry person-of person) none amount)))

;; Pay STX from the caller's wallet to the caller's own balance.
(define-public (deposit (amount uint))
  (deposit-for contract-caller amount))

;; Pay a token from the caller's wallet to a person. Credits what arrived, which is less than `amount` if the token
;; charges for transfers. The asset name is enforced already here: under a wrong one, money could enter but not leave.
(define-public (deposit-for-ft (ft <sip-010>) (person principal) (amount uint))
  (let ((asset (some (contract-of ft)))
        (name (try! (contract-call? .access check-deposit asset)))
        (before (unwrap! (contract-call? ft get-balance current-contract) ERR-TRANSFER)))
    (try! (check-amount amount))
    (try! (check-recipient person))
    (unwrap! (restrict-assets? contract-caller ((with-ft (contract-of ft) name amount))
      (unwrap! (contract-call? ft transfer amount contract-caller current-contract none) ERR-TRANSFER)) ERR-TRANSFER)
    (let ((after (unwrap! (contract-call? ft get-balance current-contract) ERR-TRANSFER)))
      (asserts! (> after before) ERR-TRANSFER)
      (try! (check-amount (- after before)))
      (record-deposit contract-caller (contract-call? .user-registry person-of person) asset (- after before)))))

;; Pay a token from the caller's wallet to the caller's own balance.
(define-public (deposit-ft (ft <sip-010>) (amount uint))
  (deposit-for-ft ft contract-caller amount))

;; ---- withdrawals

;; Take `amount` from the free balance of the person whose key acts; (ok what goes to the recipient), which is
;; `amount` less the relay's fee. The fee stays in the vault, as the relay's balance.
(define-private (record-withdrawal (key principal) (asset (optional principal)) (amount uint) (to principal)
    (fee { bps: uint, to: principal }))
  (begin
    (try! (check-amount amount))
    (try! (check-recipient to))
    (let ((person (try! (contract-call? .user-registry resolve key SCOPE-MONEY amount asset)))
          (balance (get-balance { person: person, asset: asset }))
          (kept (/ (* amount (get bps fee)) BPS)))
      (asserts! (>= (get free balance) amount) ERR-FUNDS)
      (set-balance person asset (- (get free balance) amount) (get locked balance))
      (and (> kept u0) (credit (contract-call? .user-registry person-of (get to fee)) asset kept))
      (map-set held asset (- (get-held asset) (- amount kept)))
      (print { event: "withdrawn", person: person, key: key, to: to, asset: asset, amount: amount, fee: kept })
      (ok (- amount kept)))))

(define-private (pay-out (key principal) (amount uint) (to (optional principal)) (fee { bps: uint, to: principal }))
  (let ((recipient (default-to key to))
        (paid (try! (record-withdrawal key none amount recipient fee))))
    (unwrap! (as-contract? ((with-stx paid))
      (unwrap! (stx-transfer? paid tx-sender recipient) ERR-TRANSFER)) ERR-TRANSFER)
    (ok true)))

;; A token's own error is never passed on: it could read as success or as another contract's code.
(define-private (pay-out-ft (ft <sip-010>) (key principal) (amount uint) (to (optional principal))
    (fee { bps: uint, to: principal }))
  (let ((recipient (default-to key to))
        (asset (some (contract-of ft)))
        (name (try! (contract-call? .access check-withdrawal asset)))
        (paid (try! (record-withdrawal key asset amount recipient fee))))
    (unwrap! (as-contract? ((with-ft (contract-of ft) name paid))
      (unwrap! (contract-call? ft transfer paid tx-sender recipient none) ERR-TRANSFER)) ERR-TRANSFER)
    (ok true)))

(define-constant NO-FEE { bps: u0, to: current-contract })

;; Take STX out, to `to` or else to the key that acts, which must be a registered person's. Never pauses, and never
;; touches what a lock holds.
(define-public (withdraw (amount uint) (to (optional principal)))
  (pay-out contract-caller amount to NO-FEE))

;; The same for a signed `escrow-withdraw`, less the relay's fee. Gateway only.
(define-public (withdraw-for (actor principal) (amount uint) (to (optional principal)))
  (begin
    (try! (contract-call? .access is-protocol-caller contract-caller "gateway"))
    (pay-out actor amount to (contract-call? .access get-relay-fee))))

;; Take a token out, to `to` or else to the key that acts. Works for assets closed to deposits, too.
(define-public (withdraw-ft (ft <sip-010>) (amount uint) (to (optional principal)))
  (pay-out-ft ft contract-caller amount to NO-FEE))

;; The same for a signed `escrow-withdraw` of that token, less the relay's fee. Gateway only.
(define-public (withdraw-ft-for (ft <sip-010>) (actor principal) (amount uint) (to (optional principal)))
  (begin
    (try! (contract-call? .access is-protocol-caller contract-caller "gateway"))
    (pay-out-ft ft actor amount to (contract-call? .access get-relay-fee))))

;; ---- locks

;; Move `amount` of a person's free balance into the lock `id`. Role "session" only; trusts it to have resolved the
;; payer's key with the scope for money.
(define-public (lock (id (buff 32)) (payer principal) (asset (optional principal)) (amount uint))
  (begin
    (try! (contract-call? .access is-protocol-caller contract-caller "session"))
    (try! (check-amount amount))
    (let ((balance (get-balance { person: payer, asset: asset })))
      (asserts!
        (map-insert locks id
          { payer: payer, asset: asset, amount: amount, state: LOCK-HELD, source: SOURCE-OWN,
            origin: 0x0000000000000000000000000000000000000000000000000000000000000000 })
        ERR-LOCK-EXISTS)
      (asserts! (>= (get free balance) amount) ERR-FUNDS)
      (set-balance payer asset (- (get free balance) amount) (+ (get locked balance) amount))
      (print { event: "locked", id: id, person: payer, asset: asset, amount: amount })
      (ok true))))

;; Give what the lock `id` holds to a person, once. Role "session" only. Pays nothing out of the vault.
(define-public (release (id (buff 32)) (to principal))
  (let ((entry (unwrap! (map-get? locks id) ERR-LOCK-UNKNOWN))
        (payer (get payer entry))
        (asset (get asset entry))
        (amount (get amount entry))
        (balance (get-balance { person: payer, asset: asset })))
    (try! (contract-call? .access is-protocol-caller contract-caller "session"))
    (asserts! (is-eq (get state entry) LOCK-HELD) ERR-LOCK-SETTLED)
    (map-set locks id (merge entry { state: LOCK-RELEASED }))
    (set-balance payer asset (get free balance) (- (get locked balance) amount))
    (credit to asset amount)
    (map-set volumes asset (+ (get-volume asset) amount))
    (print { event: "released", id: id, payer: payer, person: to, asset: asset, amount: amount })
    (ok true)))
