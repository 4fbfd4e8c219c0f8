;; hour-credit: a community's hours, as a SIP-010 token. Base unit: a hundredth of an hour.
;;
;; Minted by an NGO within a cap, not sold, not redeemable for cash. It moves only through the vault (deposits,
;; withdrawals) unless the mesh's owner opens it: a token that passes from hand to hand outside would be money.

(impl-trait .sip-010-trait.sip-010-trait)

(define-constant ERR-NOT-OWNER (err u1000))
(define-constant ERR-NOT-MINTER (err u1001))
(define-constant ERR-CAP (err u1002))
(define-constant ERR-NOT-SENDER (err u1003))
(define-constant ERR-CLOSED (err u1004))
(define-constant ERR-AMOUNT (err u1005))

(define-fungible-token hour-credit)

;; Minter -> base units it may still mint.
(define-map minters principal uint)

;; Whether holders may move the token outside the vault.
(define-data-var open bool false)

;; ---- SIP-010

;; Move hours. Closed: only the vault asks for it, and only for the principal that signed the transaction or for
;; itself. Open: also the holder itself. Never follows `tx-sender` alone, so a lure contract moves nothing.
(define-public (transfer (amount uint) (sender principal) (recipient principal) (memo (optional (buff 34))))
  (begin
    (if (is-ok (contract-call? .access is-protocol-caller contract-caller "vault"))
      (asserts! (is-eq sender tx-sender) ERR-NOT-SENDER)
      (begin
        (asserts! (var-get open) ERR-CLOSED)
        (asserts! (is-eq sender contract-caller) ERR-NOT-SENDER)))
    (unwrap! (ft-transfer? hour-credit amount sender recipient) ERR-AMOUNT)
    (match memo text (print text) 0x)
    (ok true)))

;; Name for people.
(define-read-only (get-name)
  (ok "Hour credit"))

;; Ticker.
(define-read-only (get-symbol)
  (ok "HOUR"))

;; Two places: 100 base units are one hour.
(define-read-only (get-decimals)
  (ok u2))

;; Base units that a principal holds itself. What a person has in the vault is in `payment-escrow`.
(define-read-only (get-balance (who principal))
  (ok (ft-get-balance hour-credit who)))

;; Base units that exist.
(define-read-only (get-total-supply)
  (ok (ft-get-supply hour-credit)))

;; None: the token describes itself here.
(define-read-only (get-token-uri)
  (ok none))

;; ---- minting

;; Base units that a minter may still mint; zero for everybody else.
(define-read-only (get-mint-cap (who principal))
  (default-to u0 (map-get? minters who)))

;; Whether holders may move the token outside the vault.
(define-read-only (is-open)
  (var-get open))

(define-private (check-owner)
  (ok (asserts! (contract-call? .access is-owner contract-caller) ERR-NOT-OWNER)))

;; Set how much a minter may still mint, in base units; u0 takes the right away. The mesh's owner only.
(define-public (set-minter (who principal) (cap uint))
  (begin
    (try! (check-owner))
    (map-set minters who cap)
    (print { event: "minter-set", who: who, cap: cap })
    (ok true)))

;; Let holders move the token outside the vault, or stop it. The mesh's owner only.
(define-public (set-open (on bool))
  (begin
    (try! (check-owner))
    (var-set open on)
    (print { event: "token-opened", on: on })
    (ok true)))

;; Make new hours, within the caller's cap.
(define-public (mint (amount uint) (to principal))
  (let ((cap (unwrap! (map-get? minters contract-caller) ERR-NOT-MINTER)))
    (asserts! (<= amount cap) ERR-CAP)
    (unwrap! (ft-mint? hour-credit amount to) ERR-AMOUNT)
    (map-set minters contract-caller (- cap amount))
    (print { event: "minted", minter: contract-caller, to: to, amount: amount })
    (ok true)))

;; Destroy hours that the minter itself holds: hours that came back. Touches nobody else's, and renews no cap.
(define-public (burn (amount uint))
  (begin
    (asserts! (is-some (map-get? minters contract-caller)) ERR-NOT-MINTER)
    (unwrap! (ft-burn? hour-credit amount contract-caller) ERR-AMOUNT)
    (print { event: "burned", minter: contract-caller, amount: amount })
    (ok true)))
