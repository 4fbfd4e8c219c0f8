;; matching-engine: tutors' offers for requests, their acceptance, and how well a tutor fits a request.
;;
;; A match is an agreement on a price and a time, not yet a lesson: the student books that, naming the match. The score
;; is advice for screens; nothing on the chain depends on it. Hubs compute the same score without a chain.

(define-constant ERR-MATCH-EXISTS (err u500))
(define-constant ERR-MATCH-UNKNOWN (err u501))
(define-constant ERR-NOT-STUDENT (err u502))
(define-constant ERR-SAME-PERSON (err u503))
(define-constant ERR-TERMS (err u504))
(define-constant ERR-CEILING (err u505))
(define-constant ERR-MINUTES (err u506))
(define-constant ERR-RANGE (err u507))
(define-constant ERR-ACCEPTED (err u508))

;; Largest integer of the protocol (2^63-1).
(define-constant INT-MAX u9223372036854775807)
;; Scope that the market needs (area market).
(define-constant SCOPE-MARKET u2)
;; Longest lesson, as in a booking, and the minutes that a rate is for.
(define-constant MINUTES-MAX u4095)
(define-constant HOUR u60)

;; Masks: the week as 7 days x 8 two-hour slots; in `bits` subjects 0-31, level 32-39, language 40-55.
(define-constant WEEK u72057594037927935)
(define-constant SUBJECTS u4294967295)
(define-constant LEVELS u1095216660480)
(define-constant LANGUAGES u72056494526300160)

;; Shares of a score of 10,000: subjects, time, price, stars; and what a tutor counts whom nobody rated yet.
(define-constant SHARE-SUBJECTS u3000)
(define-constant SHARE-TIME u3000)
(define-constant SHARE-PRICE u2000)
(define-constant SHARE-STARS u2000)
(define-constant SHARE-UNRATED u1000)
;; Stars above the one that every rating has.
(define-constant STARS-ABOVE u4)

;; Match id -> the request, its two persons, the whole price and its asset, agreed start and minutes, and whether the
;; student accepted. A tutor may offer for one request several times; one is accepted at most.
(define-map matches (buff 32)
  {
    request: (buff 32), tutor: principal, student: principal, price: uint, asset: (optional principal), start: uint,
    minutes: uint, accepted: bool
  })

;; Matches offered, and accepted. Never fall.
(define-data-var counts { offered: uint, accepted: uint } { offered: u0, accepted: u0 })

;; ---- questions

;; The record of a match, accepted or not.
(define-read-only (get-match (id (buff 32)))
  (map-get? matches id))

;; Counters for analytics.
(define-read-only (get-counts)
  (var-get counts))

;; ---- the score

;; Bits set in a mask of up to 64 bits: sums of neighbours, then of nibbles, then of bytes.
(define-private (ones (mask uint))
  (let ((pairs (- mask (bit-and (bit-shift-right mask u1) u6148914691236517205)))
        (nibbles (+ (bit-and pairs u3689348814741910323)
          (bit-and (bit-shift-right pairs u2) u3689348814741910323)))
        (bytes (bit-and (+ nibbles (bit-shift-right nibbles u4)) u1085102592571150095)))
    (bit-and (bit-shift-right (* bytes u72340172838076673) u56) u255)))

;; Whether two masks agree where both say something: no bits = any.
(define-private (agree (one uint) (other uint))
  (or (is-eq one u0) (is-eq other u0) (> (bit-and one other) u0)))

;; `share` in the part of `asked` that `offered` covers; all of it where either says "any".
(define-private (covered (share uint) (asked uint) (offered uint))
  (if (or (is-eq asked u0) (is-eq offered u0))
    share
    (/ (* share (ones (bit-and asked offered))) (ones asked))))

;; How well an offer fits a request, 0 to 10,000. 0: another asset, no subject, level, language or hour in common, above
;; the ceiling, or numbers that no rating and no amount can have. `stars` is the sum of `ratings` ratings of 1 to 5.
(define-read-only (score-of
    (request { ceiling: uint, asset: (optional principal), week: uint, bits: uint })
    (offer { rate: uint, asset: (optional principal), week: uint, bits: uint })
    (stars uint) (ratings uint))
  (let ((ceiling (get ceiling request))
        (rate (get rate offer))
        (asked (get bits request))
        (offered (get bits offer))
        (subjects (bit-and asked SUBJECTS))
        (hours-asked (bit-and (get week request) WEEK))
        (hours-offered (bit-and (get week offer) WEEK)))
    (if (and (is-eq (get asset request) (get asset offer))
          (<= (bit-or ceiling rate stars ratings) INT-MAX)
          (or (is-eq ceiling u0) (<= rate ceiling))
          (and (>= stars ratings) (<= (- stars ratings) (* STARS-ABOVE ratings)))
          (> (bit-and subjects offered) u0)
          (agree (bit-and asked LEVELS) (bit-and offered LEVELS))
          (agree (bit-and asked LANGUAGES) (bit-and offered LANGUAGES))
          (agree hours-asked hours-offered))
      (+ (covered SHARE-SUBJECTS subjects (bit-and offered SUBJECTS))
        (covered SHARE-TIME hours-asked hours-offered)
        (if (is-eq ceiling u0) SHARE-PRICE (/ (* SHARE-PRICE (- ceiling rate)) ceiling))
        (if (is-eq ratings u0) SHARE-UNRATED (/ (* SHARE-STARS (- stars ratings)) (* STARS-ABOVE ratings))))
      u0)))

;; The score of a tutor for an open request, from the offer and the ratings on the chain. 0 also where the request is
;; not open or the tutor offers nothing in its asset.
(define-read-only (get-score (request (buff 32)) (tutor principal))
  (match (contract-call? .student-request check-open request)
    asked (match (contract-call? .tutor-profile get-offer tutor (get asset asked))
      offer (let ((totals (contract-call? .reputation-tracker get-totals tutor)))
        (if (get active offer)
          (score-of
            { ceiling: (get ceiling asked), asset: (get asset asked), week: (get week asked), bits: (get bits asked) }
            { rate: (get rate offer), asset: (get asset asked), week: (get week offer), bits: (get bits offer) }
            (get tutor-stars totals) (get tutor-count totals))
          u0))
      u0)
    refused u0))

;; ---- cores: `key` acts, and is resolved to its person first

(define-private (offer-match (key principal) (id (buff 32)) (request-id (buff 32)) (student principal) (price uint)
    (asset (optional principal)) (start uint) (minutes uint))
  (let ((tutor (try! (contract-call? .user-registry resolve key SCOPE-MARKET u0 none)))
        (request (try! (contract-call? .student-request check-open request-id)))
        (ceiling (get ceiling request))
        (sums (var-get counts)))
    (asserts! (<= (bit-or price start) INT-MAX) ERR-RANGE)
    (asserts! (and (> minutes u0) (<= minutes MINUTES-MAX)) ERR-MINUTES)
    (asserts! (and (is-eq student (get student request)) (is-eq asset (get asset request))) ERR-TERMS)
    (asserts! (not (is-eq tutor student)) ERR-SAME-PERSON)
    (asserts! (or (is-eq ceiling u0) (<= (* price HOUR) (* ceiling minutes))) ERR-CEILING)
    (asserts!
      (map-insert matches id
        { request: request-id, tutor: tutor, student: student, price: price, asset: asset, start: start,
          minutes: minutes, accepted: false })
      ERR-MATCH-EXISTS)
    (var-set counts (merge sums { offered: (+ (get offered sums) u1) }))
    (print { event: "match-offered", id: id, request: request-id, tutor: tutor, student: student, asset: asset,
      price: price, start: start, minutes: minutes })
    (ok true)))

(define-private (accept-match (key principal) (id (buff 32)) (tutor (optional principal)) (price uint)
    (asset (optional principal)) (start uint) (minutes uint))
  (let ((person (try! (contract-call? .user-registry resolve key SCOPE-MARKET u0 none)))
        (offer (unwrap! (map-get? matches id) ERR-MATCH-UNKNOWN))
        (sums (var-get counts)))
    (asserts! (is-eq person (get student offer)) ERR-NOT-STUDENT)
    (asserts!
      (and (is-eq (default-to (get tutor offer) tutor) (get tutor offer)) (is-eq price (get price offer))
        (is-eq asset (get asset offer)) (is-eq start (get start offer)) (is-eq minutes (get minutes offer)))
      ERR-TERMS)
    (asserts! (not (get accepted offer)) ERR-ACCEPTED)
    (try! (contract-call? .student-request mark-matched (get request offer)))
    (map-set matches id (merge offer { accepted: true }))
    (var-set counts (merge sums { accepted: (+ (get accepted sums) u1) }))
    (print { event: "match-accepted", id: id, request: (get request offer), tutor: (get tutor offer),
      student: person })
    (ok true)))

;; ---- public forms: from a wallet (the caller acts; ids are derived from a salt), and `-for` the gateway

;; Id of an operation made from a wallet: bound to who made it, so that nobody can take it first.
(define-private (direct-id (actor principal) (op (string-ascii 24)) (salt (buff 32)))
  (sha256 (default-to 0x (to-consensus-buff? { actor: actor, op: op, salt: salt }))))

(define-private (check-gateway)
  (contract-call? .access is-protocol-caller contract-caller "gateway"))

;; Offer a lesson for an open request, repeating its student and asset; the price must keep to its ceiling per hour.
;; Books nothing.
(define-public (match-offer (salt (buff 32)) (request (buff 32)) (student principal) (price uint)
    (asset (optional principal)) (start uint) (minutes uint))
  (offer-match contract-caller (direct-id contract-caller "match-offer" salt) request student price asset start
    minutes))

;; The same for a signed `match-offer` (`id` is the action's). Gateway only.
(define-public (match-offer-for (actor principal) (id (buff 32)) (request (buff 32)) (student principal) (price uint)
    (asset (optional principal)) (start uint) (minutes uint))
  (begin
    (try! (check-gateway))
    (offer-match actor id request student price asset start minutes)))

;; The student takes a tutor's offer, repeating its terms; its request is matched by that. Books and locks nothing.
(define-public (match-accept (offer (buff 32)) (tutor (optional principal)) (price uint) (asset (optional principal))
    (start uint) (minutes uint))
  (accept-match contract-caller offer tutor price asset start minutes))

;; The same for a signed `match-accept`. Gateway only.
(define-public (match-accept-for (actor principal) (offer (buff 32)) (tutor (optional principal)) (price uint)
    (asset (optional principal)) (start uint) (minutes uint))
  (begin
    (try! (check-gateway))
    (accept-match actor offer tutor price asset start minutes)))
