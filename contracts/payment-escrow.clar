;; payment-escrow: the vault. Balances of persons, per asset, and the locks on them: of lessons, pools and earmarks.
;;
;; Tokens move in deposits and withdrawals only, and out of the vault only under an exact allowance. Everything else
;; moves numbers. For every asset, after every call:
;;     sum of all free + sum of all locked = get-held = what this contract holds (plus what strangers gave it outright)
;; and a person's locked = the sum of the HELD locks that the person pays. Decides nothing about lessons, pools or
;; quarrels: contracts with the role "locker" say when to lock, and to whom what was locked goes.

(use-trait sip-010 .sip-010-trait.sip-010-trait)

(define-constant ERR-AMOUNT (err u700))
(define-constant ERR-FUNDS (err u701))
(define-constant ERR-LOCK-EXISTS (err u702))
(define-constant ERR-LOCK-UNKNOWN (err u703))
(define-constant ERR-LOCK-SETTLED (err u704))
(define-constant ERR-TRANSFER (err u705))
(define-constant ERR-RECIPIENT (err u706))
(define-constant ERR-BPS (err u707))
(define-constant ERR-UNTIL (err u708))
(define-constant ERR-SAME-PERSON (err u709))
(define-constant ERR-TUTOR-UNKNOWN (err u710))
(define-constant ERR-EARMARK-UNKNOWN (err u711))
(define-constant ERR-EARMARK (err u712))
(define-constant ERR-NOT-TUTOR (err u713))

;; Largest amount in one operation, as in the protocol (2^63-1): sums of such amounts cannot overflow.
(define-constant AMOUNT-MAX u9223372036854775807)
;; Scope that spending needs (area money).
(define-constant SCOPE-MONEY u8)
;; Basis points in a whole.
(define-constant BPS u10000)
;; Longest that an earmark binds: two years, in seconds.
(define-constant EARMARK-SECONDS-MAX u63072000)

;; States of a lock. Only a HELD one holds money.
(define-constant LOCK-HELD u0)
(define-constant LOCK-RELEASED u1)
(define-constant LOCK-REFUNDED u2)
(define-constant LOCK-SPLIT u3)

;; (person, asset; none = STX) -> base units that the person may use, and those that locks hold.
(define-map balances { person: principal, asset: (optional principal) } { free: uint, locked: uint })

;; Lock id (of a lesson, pool, earmark or bond) -> who pays, what, in which state; and the lock that the money was drawn
;; from, where it returns to if it is not earned (none: own free money). Never deleted: an id locks once.
(define-map locks (buff 32)
  { payer: principal, asset: (optional principal), amount: uint, state: uint, origin: (optional (buff 32)) })

;; Id of an earmark, which is its lock's -> the one tutor it is for, and the chain time until which only that tutor may
;; give it back. Says nothing about lessons.
(define-map earmarks (buff 32) { tutor: principal, until: uint })

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

;; For whom a lock is an earmark, and until when, if it is one.
(define-read-only (get-earmark (id (buff 32)))
  (map-get? earmarks id))

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

;; Money sent to the vault itself, or to an address of another network, could never be used.
(define-private (check-recipient (who principal))
  (ok (asserts! (and (is-standard who) (not (is-eq who current-contract))) ERR-RECIPIENT)))

;; A balance can be used by a person only, and a contract is never one.
(define-private (check-person (who principal))
  (ok (asserts! (match (principal-destruct? who) parts (is-none (get name parts)) other false) ERR-RECIPIENT)))

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
    (try! (check-person person))
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
    (try! (check-person person))
    (unwrap! (restrict-assets? contract-caller ((with-ft (contract-of ft) name amount))
      (unwrap! (contract-call? ft transfer amount contract-caller current-contract none) ERR-TRANSFER)) ERR-TRANSFER)
    (let ((after (unwrap! (contract-call? ft get-balance current-contract) ERR-TRANSFER)))
      (asserts! (> after before) ERR-TRANSFER)
      (try! (check-amount (- after before)))
      (record-deposit contract-caller (contract-call? .user-registry person-of person) asset (- after before)))))

;; Pay a token from the caller's wallet to the caller's own balance.
(define-public (deposit-ft (ft <sip-010>) (amount uint))
  (deposit-for-ft ft contract-caller amount))

;; Move what is free at a key to the person whose key it became after somebody paid, whoever calls; (ok how much).
;; Moves nothing of a person, nor of a key that is nobody's.
(define-public (sweep (key principal) (asset (optional principal)))
  (let ((person (contract-call? .user-registry person-of key))
        (balance (get-balance { person: key, asset: asset }))
        (amount (get free balance)))
    (asserts! (and (> amount u0) (not (is-eq person key))) ERR-FUNDS)
    (set-balance key asset u0 (get locked balance))
    (credit person asset amount)
    (print { event: "swept", key: key, person: person, asset: asset, amount: amount })
    (ok amount)))

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

;; ---- locks: cores

(define-private (check-locker)
  (contract-call? .access is-protocol-caller contract-caller "locker"))

(define-private (lock-free (id (buff 32)) (payer principal) (asset (optional principal)) (amount uint))
  (let ((balance (get-balance { person: payer, asset: asset })))
    (try! (check-amount amount))
    (asserts! (map-insert locks id { payer: payer, asset: asset, amount: amount, state: LOCK-HELD, origin: none })
      ERR-LOCK-EXISTS)
    (asserts! (>= (get free balance) amount) ERR-FUNDS)
    (set-balance payer asset (- (get free balance) amount) (+ (get locked balance) amount))
    (print { event: "locked", id: id, person: payer, asset: asset, amount: amount })
    (ok true)))

(define-private (draw-lock (from (buff 32)) (id (buff 32)) (amount uint))
  (let ((source (unwrap! (map-get? locks from) ERR-LOCK-UNKNOWN)))
    (try! (check-amount amount))
    (asserts! (is-eq (get state source) LOCK-HELD) ERR-LOCK-SETTLED)
    (asserts! (>= (get amount source) amount) ERR-FUNDS)
    (asserts! (map-insert locks id (merge source { amount: amount, origin: (some from) })) ERR-LOCK-EXISTS)
    (map-set locks from (merge source { amount: (- (get amount source) amount) }))
    (print { event: "drawn", id: id, from: from, person: (get payer source), asset: (get asset source),
      amount: amount })
    (ok true)))

;; Put `amount` back into the lock that it was drawn from, if that is HELD; whether it was. Both have the same payer, so
;; no balance changes.
(define-private (put-back (origin (optional (buff 32))) (amount uint))
  (match origin
    from (match (map-get? locks from)
      entry (and (is-eq (get state entry) LOCK-HELD)
        (map-set locks from (merge entry { amount: (+ (get amount entry) amount) })))
      false)
    false))

;; End a HELD lock, once: `bps` basis points (at most BPS) to the person `to`, rounded down, and the rest where it came
;; from: into its origin while that is HELD, else to the payer's free balance. (ok where what went).
(define-private (settle (id (buff 32)) (state uint) (to (optional principal)) (bps uint))
  (let ((entry (unwrap! (map-get? locks id) ERR-LOCK-UNKNOWN))
        (payer (get payer entry))
        (asset (get asset entry))
        (amount (get amount entry))
        (paid (/ (* amount bps) BPS))
        (rest (- amount paid)))
    (asserts! (is-eq (get state entry) LOCK-HELD) ERR-LOCK-SETTLED)
    (map-set locks id (merge entry { state: state }))
    (let ((into-origin (and (> rest u0) (put-back (get origin entry) rest)))
          (freed (if into-origin u0 rest))
          (balance (get-balance { person: payer, asset: asset })))
      (set-balance payer asset (+ (get free balance) freed) (- (get locked balance) paid freed))
      (match to
        person (and (credit person asset paid) (map-set volumes asset (+ (get-volume asset) paid)))
        true)
      (ok { payer: payer, asset: asset, paid: paid, rest: rest, into: (if into-origin (get origin entry) none) }))))

(define-private (refund-lock (id (buff 32)))
  (let ((done (try! (settle id LOCK-REFUNDED none u0))))
    (print { event: "refunded", id: id, person: (get payer done), asset: (get asset done), amount: (get rest done),
      into: (get into done) })
    (ok true)))

;; ---- locks: for contracts with the role "locker", which are trusted to have asked whoever must agree

;; Move `amount` of a person's free balance into the lock `id`. Resolves no key: the caller did, for money.
(define-public (lock (id (buff 32)) (payer principal) (asset (optional principal)) (amount uint))
  (begin
    (try! (check-locker))
    (lock-free id payer asset amount)))

;; Give all that the lock `id` holds to a person, once. Pays nothing out of the vault.
(define-public (release (id (buff 32)) (to principal))
  (begin
    (try! (check-locker))
    (let ((done (try! (settle id LOCK-RELEASED (some to) BPS))))
      (print { event: "released", id: id, payer: (get payer done), person: to, asset: (get asset done),
        amount: (get paid done) })
      (ok true))))

;; Give all that the lock `id` holds back, once: into the lock it was drawn from while that is HELD, else to its payer.
(define-public (refund (id (buff 32)))
  (begin
    (try! (check-locker))
    (refund-lock id)))

;; Give `bps` basis points of what the lock `id` holds to a person, rounded down, and the rest back as `refund` does.
(define-public (split (id (buff 32)) (to principal) (bps uint))
  (begin
    (try! (check-locker))
    (asserts! (<= bps BPS) ERR-BPS)
    (let ((done (try! (settle id LOCK-SPLIT (some to) bps))))
      (print { event: "split", id: id, payer: (get payer done), person: to, asset: (get asset done),
        amount: (get paid done), returned: (get rest done), into: (get into done) })
      (ok true))))

;; Make part of the HELD lock `from` a lock of its own, `id`, of the same payer. `from` stays HELD, even when empty.
(define-public (draw (from (buff 32)) (id (buff 32)) (amount uint))
  (begin
    (try! (check-locker))
    (draw-lock from id amount)))

;; Put more into the HELD lock `id`, from the free balance of any person. From then on it is the lock's payer's: the
;; giver keeps no claim.
(define-public (add (id (buff 32)) (from principal) (amount uint))
  (begin
    (try! (check-locker))
    (try! (check-amount amount))
    (let ((entry (unwrap! (map-get? locks id) ERR-LOCK-UNKNOWN))
          (payer (get payer entry))
          (asset (get asset entry))
          (giver (get-balance { person: from, asset: asset })))
      (asserts! (is-eq (get state entry) LOCK-HELD) ERR-LOCK-SETTLED)
      (asserts! (>= (get free giver) amount) ERR-FUNDS)
      (map-set locks id (merge entry { amount: (+ (get amount entry) amount) }))
      (set-balance from asset (- (get free giver) amount) (get locked giver))
      ;; Read only now: the giver may be the payer.
      (let ((balance (get-balance { person: payer, asset: asset })))
        (set-balance payer asset (get free balance) (+ (get locked balance) amount)))
      (print { event: "added", id: id, person: payer, giver: from, asset: asset, amount: amount })
      (ok true))))

;; ---- earmarks: own money promised to one tutor. What a screen may call safe.

(define-private (earmark-lock (key principal) (id (buff 32)) (tutor principal) (asset (optional principal))
    (amount uint) (until uint))
  (let ((payer (try! (contract-call? .user-registry resolve key SCOPE-MONEY amount asset))))
    (asserts! (and (> until stacks-block-time) (<= until (+ stacks-block-time EARMARK-SECONDS-MAX))) ERR-UNTIL)
    (asserts! (not (is-eq payer tutor)) ERR-SAME-PERSON)
    (asserts! (is-some (contract-call? .user-registry get-person tutor)) ERR-TUTOR-UNKNOWN)
    (try! (lock-free id payer asset amount))
    (map-set earmarks id { tutor: tutor, until: until })
    (print { event: "earmarked", id: id, person: payer, tutor: tutor, asset: asset, amount: amount, until: until })
    (ok true)))

(define-private (earmark-give-back (key principal) (id (buff 32)))
  (let ((terms (unwrap! (map-get? earmarks id) ERR-EARMARK-UNKNOWN)))
    (asserts!
      (or (> stacks-block-time (get until terms))
        (is-eq (try! (contract-call? .user-registry resolve key SCOPE-MONEY u0 none)) (get tutor terms)))
      ERR-NOT-TUTOR)
    (refund-lock id)))

;; Id of an operation made from a wallet: bound to who made it, so that nobody can take it first.
(define-private (direct-id (actor principal) (op (string-ascii 24)) (salt (buff 32)))
  (sha256 (default-to 0x (to-consensus-buff? { actor: actor, op: op, salt: salt }))))

;; Bind own free money to one registered tutor: until chain time passes `until`, at most two years ahead, only lessons
;; with that tutor draw on it, and only the tutor gives it back. Pays nothing yet.
(define-public (earmark (salt (buff 32)) (tutor principal) (asset (optional principal)) (amount uint) (until uint))
  (earmark-lock contract-caller (direct-id contract-caller "escrow-lock" salt) tutor asset amount until))

;; The same for a signed `escrow-lock` with bits 2 (`id` is the action's). Gateway only.
(define-public (earmark-for (actor principal) (id (buff 32)) (tutor principal) (asset (optional principal))
    (amount uint) (until uint))
  (begin
    (try! (contract-call? .access is-protocol-caller contract-caller "gateway"))
    (earmark-lock actor id tutor asset amount until)))

;; Make part of an earmark the lock `id` of a lesson, when payer, tutor and asset are the earmark's. Role "locker".
;; Works after `until`, too, while nobody gave the earmark back: the payer's signature is what draws.
(define-public (draw-earmark (from (buff 32)) (id (buff 32)) (payer principal) (tutor principal)
    (asset (optional principal)) (amount uint))
  (begin
    (try! (check-locker))
    (let ((terms (unwrap! (map-get? earmarks from) ERR-EARMARK-UNKNOWN))
          (source (unwrap! (map-get? locks from) ERR-EARMARK-UNKNOWN)))
      (asserts!
        (and (is-eq payer (get payer source)) (is-eq tutor (get tutor terms)) (is-eq asset (get asset source)))
        ERR-EARMARK)
      (draw-lock from id amount))))

;; Give what is left of an earmark back to its payer: the tutor at any time, anybody after `until`. What lessons drew
;; stays with them.
(define-public (earmark-return (id (buff 32)))
  (earmark-give-back contract-caller id))

;; The same for a signed `escrow-return`. Gateway only.
(define-public (earmark-return-for (actor principal) (id (buff 32)))
  (begin
    (try! (contract-call? .access is-protocol-caller contract-caller "gateway"))
    (earmark-give-back actor id)))
