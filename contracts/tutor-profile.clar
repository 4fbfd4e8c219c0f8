;; tutor-profile: what tutors teach, when, and for how much an hour; one offer per tutor and asset.
;;
;; An offer is replaced by naming the one that stands (compare-and-set), so of two phones of one person the second is
;; refused instead of silently undoing the first. Binds nobody: a lesson has the price that its booking says. Holds no
;; name and no text, only the hash of a note.

(define-constant ERR-OFFER-EXISTS (err u300))
(define-constant ERR-OFFER-UNKNOWN (err u301))
(define-constant ERR-NOT-TUTOR (err u302))
(define-constant ERR-NOT-CURRENT (err u303))
(define-constant ERR-WITHDRAWN (err u304))
(define-constant ERR-SUBJECTS (err u305))
(define-constant ERR-RANGE (err u306))

;; Largest integer of the protocol (2^63-1).
(define-constant INT-MAX u9223372036854775807)
;; Scope that the market needs (area market).
(define-constant SCOPE-MARKET u2)
;; Masks of 56 bits: the week as 7 days x 8 two-hour slots; subjects 0-31, level 32-39, language 40-55.
(define-constant MASK-MAX u72057594037927935)
(define-constant SUBJECTS u4294967295)
;; What a first offer names as the one before.
(define-constant NO-OFFER 0x0000000000000000000000000000000000000000000000000000000000000000)

;; (tutor, asset; none = STX) -> the newest offer: its id, rate per hour in base units, week and masks, hash of the
;; note, whether it stands, chain time of the last change. A withdrawn offer stays, so that an id names it for ever.
(define-map offers { tutor: principal, asset: (optional principal) }
  { id: (buff 32), rate: uint, week: uint, bits: uint, content: (buff 32), active: bool, changed-at: uint })

;; Id of every offer there ever was -> whose, and in which asset. Not whether it stands.
(define-map offer-keys (buff 32) { tutor: principal, asset: (optional principal) })

;; Tutor -> offers that stand, in any asset.
(define-map standing principal uint)

;; Offers that stand, and tutors with at least one.
(define-data-var counts { offers: uint, tutors: uint } { offers: u0, tutors: u0 })

;; ---- questions

;; The newest offer of a tutor in an asset, withdrawn or not. Takes the person, not one of the keys.
(define-read-only (get-offer (tutor principal) (asset (optional principal)))
  (map-get? offers { tutor: tutor, asset: asset }))

;; Whose offer an id is, and in which asset; replaced and withdrawn ones included.
(define-read-only (get-offer-key (id (buff 32)))
  (map-get? offer-keys id))

;; Counters for analytics.
(define-read-only (get-counts)
  (var-get counts))

;; ---- cores: `key` acts, and is resolved to its person first

;; One offer more or less of a tutor; the counters follow.
(define-private (count (tutor principal) (up bool))
  (let ((before (default-to u0 (map-get? standing tutor)))
        (after (if up (+ before u1) (- before u1)))
        (sums (var-get counts)))
    (map-set standing tutor after)
    (var-set counts
      {
        offers: (if up (+ (get offers sums) u1) (- (get offers sums) u1)),
        tutors: (- (+ (get tutors sums) (one-at-most after)) (one-at-most before))
      })))

(define-private (one-at-most (number uint))
  (if (> number u0) u1 u0))

(define-private (set-offer (key principal) (id (buff 32)) (previous (buff 32)) (rate uint) (asset (optional principal))
    (week uint) (bits uint) (content (buff 32)))
  (let ((tutor (try! (contract-call? .user-registry resolve key SCOPE-MARKET u0 none)))
        (before (get-offer tutor asset))
        (stands (match before offer (get active offer) false)))
    (asserts! (and (<= rate INT-MAX) (<= week MASK-MAX) (<= bits MASK-MAX)) ERR-RANGE)
    (asserts! (> (bit-and bits SUBJECTS) u0) ERR-SUBJECTS)
    ;; After a withdrawal zeros are as good as the withdrawn id: either says that no offer stands.
    (asserts!
      (or (is-eq (some previous) (get id before)) (and (not stands) (is-eq previous NO-OFFER)))
      ERR-NOT-CURRENT)
    (asserts! (map-insert offer-keys id { tutor: tutor, asset: asset }) ERR-OFFER-EXISTS)
    (map-set offers { tutor: tutor, asset: asset }
      { id: id, rate: rate, week: week, bits: bits, content: content, active: true, changed-at: stacks-block-time })
    (and (not stands) (count tutor true))
    (print { event: "offer-set", id: id, tutor: tutor, asset: asset, rate: rate, week: week, bits: bits,
      content: content, previous: previous })
    (ok true)))

(define-private (withdraw-offer (key principal) (id (buff 32)))
  (let ((person (try! (contract-call? .user-registry resolve key SCOPE-MARKET u0 none)))
        (at (unwrap! (get-offer-key id) ERR-OFFER-UNKNOWN))
        (offer (unwrap! (map-get? offers at) ERR-OFFER-UNKNOWN)))
    (asserts! (is-eq person (get tutor at)) ERR-NOT-TUTOR)
    (asserts! (is-eq id (get id offer)) ERR-NOT-CURRENT)
    (asserts! (get active offer) ERR-WITHDRAWN)
    (map-set offers at (merge offer { active: false, changed-at: stacks-block-time }))
    (count person false)
    (print { event: "offer-withdrawn", id: id, tutor: person, asset: (get asset at) })
    (ok true)))

;; ---- public forms: from a wallet (the caller acts; ids are derived from a salt), and `-for` the gateway

;; Id of an operation made from a wallet: bound to who made it, so that nobody can take it first.
(define-private (direct-id (actor principal) (op (string-ascii 24)) (salt (buff 32)))
  (sha256 (default-to 0x (to-consensus-buff? { actor: actor, op: op, salt: salt }))))

(define-private (check-gateway)
  (contract-call? .access is-protocol-caller contract-caller "gateway"))

;; Offer lessons at a rate per hour, in place of the caller's offer `previous` in that asset (zeros where none stands).
;; `week` u0 = any time, level and language 0 = any. Does not ask for the role of a tutor: that is only a word.
(define-public (offer-set (salt (buff 32)) (previous (buff 32)) (rate uint) (asset (optional principal)) (week uint)
    (bits uint) (content (buff 32)))
  (set-offer contract-caller (direct-id contract-caller "offer-set" salt) previous rate asset week bits content))

;; The same for a signed `offer-set` (`id` is the action's). Gateway only.
(define-public (offer-set-for (actor principal) (id (buff 32)) (previous (buff 32)) (rate uint)
    (asset (optional principal)) (week uint) (bits uint) (content (buff 32)))
  (begin
    (try! (check-gateway))
    (set-offer actor id previous rate asset week bits content)))

;; End the caller's offer that stands. Touches no lesson and no match.
(define-public (offer-withdraw (offer (buff 32)))
  (withdraw-offer contract-caller offer))

;; The same for a signed `offer-withdraw`. Gateway only.
(define-public (offer-withdraw-for (actor principal) (offer (buff 32)))
  (begin
    (try! (check-gateway))
    (withdraw-offer actor offer)))
