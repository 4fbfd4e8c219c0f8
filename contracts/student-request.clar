;; student-request: what students ask help with, up to which price an hour, until when.
;;
;; A request is open until its student closes it, a tutor's offer for it is accepted, or chain time passes its end.
;; Holds no money and promises none; holds no text, only the hash of a note.

(define-constant ERR-REQUEST-EXISTS (err u400))
(define-constant ERR-REQUEST-UNKNOWN (err u401))
(define-constant ERR-NOT-STUDENT (err u402))
(define-constant ERR-NOT-OPEN (err u403))
(define-constant ERR-EXPIRED (err u404))
(define-constant ERR-SUBJECTS (err u405))
(define-constant ERR-RANGE (err u406))

;; Largest integer of the protocol (2^63-1).
(define-constant INT-MAX u9223372036854775807)
;; Scope that the market needs (area market).
(define-constant SCOPE-MARKET u2)
;; Masks of 56 bits: the week as 7 days x 8 two-hour slots; subjects 0-31, level 32-39, language 40-55.
(define-constant MASK-MAX u72057594037927935)
(define-constant SUBJECTS u4294967295)

;; States. An open request may have passed its end: ask `check-open`.
(define-constant STATE-OPEN u1)
(define-constant STATE-MATCHED u2)
(define-constant STATE-CLOSED u3)

;; Request id -> student (a person); most per hour in base units (u0 = any) and the asset (none = STX); week and masks;
;; hash of the note; last second of chain time at which it may be matched; state; chain time of the last change.
(define-map requests (buff 32)
  {
    student: principal, ceiling: uint, asset: (optional principal), week: uint, bits: uint, content: (buff 32),
    expires: uint, state: uint, changed-at: uint
  })

;; Requests opened, and of those matched and closed. Never fall. The rest is open or past its end.
(define-data-var counts { opened: uint, matched: uint, closed: uint } { opened: u0, matched: u0, closed: u0 })

;; ---- questions

;; The record of a request, whatever its state.
(define-read-only (get-request (id (buff 32)))
  (map-get? requests id))

;; (ok the record) of a request that may be matched now, else why not.
(define-read-only (check-open (id (buff 32)))
  (let ((request (unwrap! (map-get? requests id) ERR-REQUEST-UNKNOWN)))
    (asserts! (is-eq (get state request) STATE-OPEN) ERR-NOT-OPEN)
    (asserts! (<= stacks-block-time (get expires request)) ERR-EXPIRED)
    (ok request)))

;; Counters for analytics.
(define-read-only (get-counts)
  (var-get counts))

;; ---- cores: `key` acts, and is resolved to its person first

(define-private (open-request (key principal) (id (buff 32)) (ceiling uint) (asset (optional principal)) (week uint)
    (bits uint) (content (buff 32)) (expires uint))
  (let ((student (try! (contract-call? .user-registry resolve key SCOPE-MARKET u0 none)))
        (sums (var-get counts)))
    (asserts!
      (and (<= (bit-or ceiling expires) INT-MAX) (<= (bit-or week bits) MASK-MAX))
      ERR-RANGE)
    (asserts! (> (bit-and bits SUBJECTS) u0) ERR-SUBJECTS)
    (asserts! (>= expires stacks-block-time) ERR-EXPIRED)
    (asserts!
      (map-insert requests id
        { student: student, ceiling: ceiling, asset: asset, week: week, bits: bits, content: content,
          expires: expires, state: STATE-OPEN, changed-at: stacks-block-time })
      ERR-REQUEST-EXISTS)
    (var-set counts (merge sums { opened: (+ (get opened sums) u1) }))
    (print { event: "request-opened", id: id, student: student, asset: asset, ceiling: ceiling, week: week, bits: bits,
      content: content, expires: expires })
    (ok true)))

(define-private (close-request (key principal) (id (buff 32)))
  (let ((person (try! (contract-call? .user-registry resolve key SCOPE-MARKET u0 none)))
        (request (unwrap! (map-get? requests id) ERR-REQUEST-UNKNOWN))
        (sums (var-get counts)))
    (asserts! (is-eq person (get student request)) ERR-NOT-STUDENT)
    (asserts! (is-eq (get state request) STATE-OPEN) ERR-NOT-OPEN)
    (map-set requests id (merge request { state: STATE-CLOSED, changed-at: stacks-block-time }))
    (var-set counts (merge sums { closed: (+ (get closed sums) u1) }))
    (print { event: "request-closed", id: id, student: person })
    (ok true)))

;; ---- public forms: from a wallet (the caller acts; ids are derived from a salt), and `-for` the gateway

;; Id of an operation made from a wallet: bound to who made it, so that nobody can take it first.
(define-private (direct-id (actor principal) (op (string-ascii 24)) (salt (buff 32)))
  (sha256 (default-to 0x (to-consensus-buff? { actor: actor, op: op, salt: salt }))))

(define-private (check-gateway)
  (contract-call? .access is-protocol-caller contract-caller "gateway"))

;; Ask for help until `expires`. `week` u0 = any time, level and language 0 = any, `ceiling` u0 = any price.
;; Locks nothing and obliges nobody.
(define-public (request-open (salt (buff 32)) (ceiling uint) (asset (optional principal)) (week uint) (bits uint)
    (content (buff 32)) (expires uint))
  (open-request contract-caller (direct-id contract-caller "request-open" salt) ceiling asset week bits content
    expires))

;; The same for a signed `request-open` (`id` is the action's). Gateway only.
(define-public (request-open-for (actor principal) (id (buff 32)) (ceiling uint) (asset (optional principal))
    (week uint) (bits uint) (content (buff 32)) (expires uint))
  (begin
    (try! (check-gateway))
    (open-request actor id ceiling asset week bits content expires)))

;; End one's own open request, also after its end. What was matched stays matched.
(define-public (request-close (request (buff 32)))
  (close-request contract-caller request))

;; The same for a signed `request-close`. Gateway only.
(define-public (request-close-for (actor principal) (request (buff 32)))
  (begin
    (try! (check-gateway))
    (close-request actor request)))

;; Note that a tutor's offer for an open request was accepted. Role "matching" only; trusts it to have asked the
;; student.
(define-public (mark-matched (id (buff 32)))
  (begin
    (try! (contract-call? .access is-protocol-caller contract-caller "matching"))
    (let ((request (try! (check-open id)))
          (sums (var-get counts)))
      (map-set requests id (merge request { state: STATE-MATCHED, changed-at: stacks-block-time }))
      (var-set counts (merge sums { matched: (+ (get matched sums) u1) }))
      (print { event: "request-matched", id: id, student: (get student request) })
      (ok true))))
