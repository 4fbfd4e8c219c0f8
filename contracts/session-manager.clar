;; session-manager: lessons, from booking over confirmation and attendance to completion.
;;
;; A lesson's id is the id of the action that booked it. The contract compares what a confirmation repeats, counts
;; attendance of both sides, and tells the vault when to lock and release. It has no clock of its own opinion: the
;; agreed start is stored and compared, never judged, since a village may book and hold a lesson long before a relay
;; brings either here.

(define-constant ERR-LESSON-EXISTS (err u600))
(define-constant ERR-LESSON-UNKNOWN (err u601))
(define-constant ERR-NOT-PARTY (err u602))
(define-constant ERR-SAME-PERSON (err u603))
(define-constant ERR-NOT-BOOKED (err u604))
(define-constant ERR-NOT-CONFIRMED (err u605))
(define-constant ERR-OVER (err u606))
(define-constant ERR-NOT-ATTENDED (err u607))
(define-constant ERR-TERMS (err u608))
(define-constant ERR-BITS (err u609))
(define-constant ERR-ATTENDED (err u610))
(define-constant ERR-TUTOR-UNKNOWN (err u611))
(define-constant ERR-RANGE (err u612))

;; Largest integer of the protocol (2^63-1).
(define-constant INT-MAX u9223372036854775807)
;; Scopes: area lesson, and area money where the act spends.
(define-constant SCOPE-LESSON u4)
(define-constant SCOPE-LESSON-MONEY u12)

;; Bits of a booking: minutes in bits 0-11, lock the price now in bit 12. Bits 13 (a guardian must confirm), 14 (draws
;; on an earmark) and 15 (a pool pays) are refused until guardians, earmarks and pools are here.
(define-constant BOOK-MINUTES u4095)
(define-constant BOOK-LOCKS u4096)
(define-constant BOOK-BITS-MAX u8191)

;; Bits of a confirmation, and of the masks `confirmed` and `needs`: u1 the tutor; u2 is kept for a guardian.
(define-constant CONFIRM-TUTOR u1)

;; Bits of `attended`.
(define-constant ATTENDED-TUTOR u1)
(define-constant ATTENDED-STUDENT u2)
(define-constant ATTENDED-BOTH u3)

;; States. u4 and above are kept for declined, cancelled, disputed and their settlement.
(define-constant STATE-BOOKED u1)
(define-constant STATE-CONFIRMED u2)
(define-constant STATE-COMPLETED u3)

;; Where the price is: nowhere yet, or in a lock of the student's own money. u2 and u3 are kept for earmark and pool.
(define-constant FUNDING-NONE u0)
(define-constant FUNDING-LOCK u1)

;; Lesson id -> its parties (persons), price, agreed start (Unix seconds) and minutes; the match offer it came from
;; (zeros where none); state; masks of confirmations given and needed and of attendance; where the price is;
;; id of the statement that fixed the current time (the booking, later the last agreed move); chain time of the
;; last change. Says nothing about place or content.
(define-map lessons (buff 32)
  {
    student: principal, tutor: principal,
    asset: (optional principal), amount: uint,
    start: uint, minutes: uint, offer: (buff 32),
    state: uint, confirmed: uint, needs: uint, attended: uint, funding: uint,
    version: (buff 32), changed-at: uint
  })

;; Id of an attendance -> its lesson, so that one person may attend by scanning the other's attendance.
(define-map attendances (buff 32) (buff 32))

;; Lessons completed and their minutes. Never fall.
(define-data-var completed { lessons: uint, minutes: uint } { lessons: u0, minutes: u0 })

;; ---- questions

;; The record of a lesson, if it was booked.
(define-read-only (get-lesson (id (buff 32)))
  (map-get? lessons id))

;; The lesson that an attendance belongs to, if there is one.
(define-read-only (get-attendance (id (buff 32)))
  (map-get? attendances id))

;; Counters for analytics.
(define-read-only (get-counts)
  (var-get completed))

;; ---- cores: `key` acts, and is resolved to its person first

(define-private (lesson-book (key principal) (id (buff 32)) (offer (buff 32)) (tutor principal)
    (asset (optional principal)) (amount uint) (start uint) (bits uint))
  (let ((locks (is-eq (bit-and bits BOOK-LOCKS) BOOK-LOCKS))
        (minutes (bit-and bits BOOK-MINUTES))
        (student (try! (contract-call? .user-registry resolve key
          (if locks SCOPE-LESSON-MONEY SCOPE-LESSON) (if locks amount u0) asset))))
    (asserts! (and (<= bits BOOK-BITS-MAX) (> minutes u0)) ERR-BITS)
    (asserts! (and (<= amount INT-MAX) (<= start INT-MAX)) ERR-RANGE)
    (asserts! (not (is-eq student tutor)) ERR-SAME-PERSON)
    (asserts! (is-some (contract-call? .user-registry get-person tutor)) ERR-TUTOR-UNKNOWN)
    (asserts!
      (map-insert lessons id
        {
          student: student, tutor: tutor, asset: asset, amount: amount, start: start, minutes: minutes, offer: offer,
          state: STATE-BOOKED, confirmed: u0, needs: CONFIRM-TUTOR, attended: u0,
          funding: (if locks FUNDING-LOCK FUNDING-NONE), version: id, changed-at: stacks-block-time
        })
      ERR-LESSON-EXISTS)
    (and locks (try! (contract-call? .payment-escrow lock id student asset amount)))
    (print { event: "lesson-booked", id: id, student: student, tutor: tutor, asset: asset, amount: amount,
      start: start, minutes: minutes, locked: locks })
    (ok true)))

(define-private (lesson-confirm (key principal) (id (buff 32)) (student principal) (asset (optional principal))
    (amount uint) (start uint) (bits uint))
  (let ((person (try! (contract-call? .user-registry resolve key SCOPE-LESSON u0 none)))
        (lesson (unwrap! (map-get? lessons id) ERR-LESSON-UNKNOWN)))
    (asserts! (is-eq bits CONFIRM-TUTOR) ERR-BITS)
    (asserts! (is-eq person (get tutor lesson)) ERR-NOT-PARTY)
    (asserts! (is-eq (get state lesson) STATE-BOOKED) ERR-NOT-BOOKED)
    (asserts!
      (and (is-eq student (get student lesson)) (is-eq asset (get asset lesson))
        (is-eq amount (get amount lesson)) (is-eq start (get start lesson)))
      ERR-TERMS)
    (let ((confirmed (bit-or (get confirmed lesson) bits)))
      (map-set lessons id (merge lesson
        {
          confirmed: confirmed, changed-at: stacks-block-time,
          state: (if (is-eq confirmed (get needs lesson)) STATE-CONFIRMED STATE-BOOKED)
        }))
      (print { event: "lesson-confirmed", id: id, person: person, confirmed: confirmed })
      (ok true))))

;; Whether a lesson is confirmed and still open, as a response.
(define-private (check-open (state uint))
  (begin
    (asserts! (not (is-eq state STATE-BOOKED)) ERR-NOT-CONFIRMED)
    (ok (asserts! (is-eq state STATE-CONFIRMED) ERR-OVER))))

(define-private (lesson-attend (key principal) (id (buff 32)) (subject (buff 32)) (other principal) (moment uint))
  (let ((person (try! (contract-call? .user-registry resolve key SCOPE-LESSON u0 none)))
        (lesson-id (default-to subject (map-get? attendances subject)))
        (lesson (unwrap! (map-get? lessons lesson-id) ERR-LESSON-UNKNOWN))
        (as-tutor (is-eq person (get tutor lesson)))
        (side (if as-tutor ATTENDED-TUTOR ATTENDED-STUDENT))
        (attended (bit-or (get attended lesson) side)))
    (asserts! (or as-tutor (is-eq person (get student lesson))) ERR-NOT-PARTY)
    (asserts! (is-eq other (if as-tutor (get student lesson) (get tutor lesson))) ERR-TERMS)
    (try! (check-open (get state lesson)))
    (asserts! (not (is-eq attended (get attended lesson))) ERR-ATTENDED)
    (map-set attendances id lesson-id)
    (map-set lessons lesson-id (merge lesson { attended: attended, changed-at: stacks-block-time }))
    (print { event: "lesson-attended", id: lesson-id, person: person, attended: attended, moment: moment })
    (ok true)))

(define-private (lesson-complete (key principal) (id (buff 32)))
  (let ((lesson (unwrap! (map-get? lessons id) ERR-LESSON-UNKNOWN))
        (amount (get amount lesson))
        (pays-now (and (is-eq (get funding lesson) FUNDING-NONE) (> amount u0)))
        (person (try! (contract-call? .user-registry resolve key
          (if pays-now SCOPE-LESSON-MONEY SCOPE-LESSON) (if pays-now amount u0) (get asset lesson))))
        (counts (var-get completed)))
    (asserts! (is-eq person (get student lesson)) ERR-NOT-PARTY)
    (try! (check-open (get state lesson)))
    (asserts! (is-eq (get attended lesson) ATTENDED-BOTH) ERR-NOT-ATTENDED)
    (map-set lessons id (merge lesson
      { state: STATE-COMPLETED, changed-at: stacks-block-time,
        funding: (if pays-now FUNDING-LOCK (get funding lesson)) }))
    (var-set completed
      { lessons: (+ (get lessons counts) u1), minutes: (+ (get minutes counts) (get minutes lesson)) })
    (and pays-now (try! (contract-call? .payment-escrow lock id person (get asset lesson) amount)))
    (and (> amount u0) (try! (contract-call? .payment-escrow release id (get tutor lesson))))
    (print { event: "lesson-completed", id: id, student: person, tutor: (get tutor lesson), asset: (get asset lesson),
      amount: amount, minutes: (get minutes lesson) })
    (ok true)))

;; ---- public forms: from a wallet (the caller acts; ids are derived from a salt), and `-for` the gateway

;; Id of an operation made from a wallet: bound to who made it, so that nobody can book it first at another price.
(define-private (direct-id (actor principal) (op (string-ascii 24)) (salt (buff 32)))
  (sha256 (default-to 0x (to-consensus-buff? { actor: actor, op: op, salt: salt }))))

(define-private (check-gateway)
  (contract-call? .access is-protocol-caller contract-caller "gateway"))

;; Book a lesson with a registered tutor, and lock its price when bit 12 of `bits` is set; (ok true). The price may be
;; zero. Binds the tutor to nothing: that is `confirm`.
(define-public (book (salt (buff 32)) (offer (buff 32)) (tutor principal) (asset (optional principal)) (amount uint)
    (start uint) (bits uint))
  (lesson-book contract-caller (direct-id contract-caller "lesson-book" salt) offer tutor asset amount start bits))

;; The same for a signed `lesson-book` (`id` is the action's). Gateway only.
(define-public (book-for (actor principal) (id (buff 32)) (offer (buff 32)) (tutor principal)
    (asset (optional principal)) (amount uint) (start uint) (bits uint))
  (begin
    (try! (check-gateway))
    (lesson-book actor id offer tutor asset amount start bits)))

;; The tutor agrees to a booking and repeats its terms; any difference refuses. Moves no money.
(define-public (confirm (lesson (buff 32)) (student principal) (asset (optional principal)) (amount uint) (start uint)
    (bits uint))
  (lesson-confirm contract-caller lesson student asset amount start bits))

;; The same for a signed `lesson-confirm`. Gateway only.
(define-public (confirm-for (actor principal) (lesson (buff 32)) (student principal) (asset (optional principal))
    (amount uint) (start uint) (bits uint))
  (begin
    (try! (check-gateway))
    (lesson-confirm actor lesson student asset amount start bits)))

;; One side says that the lesson took place with the other. `subject` is the lesson or the other side's attendance.
;; Proves nothing alone: completion and rating need both sides.
(define-public (attend (salt (buff 32)) (subject (buff 32)) (other principal) (moment uint))
  (lesson-attend contract-caller (direct-id contract-caller "lesson-attend" salt) subject other moment))

;; The same for a signed `lesson-attend` (`id` is the action's). Gateway only.
(define-public (attend-for (actor principal) (id (buff 32)) (subject (buff 32)) (other principal) (moment uint))
  (begin
    (try! (check-gateway))
    (lesson-attend actor id subject other moment)))

;; The student ends a lesson that both attended, and the tutor is paid: from the lock, or from the student's free
;; balance where nothing was locked. Does not rate.
(define-public (complete (lesson (buff 32)))
  (lesson-complete contract-caller lesson))

;; The same for a signed `lesson-complete`. Gateway only.
(define-public (complete-for (actor principal) (lesson (buff 32)))
  (begin
    (try! (check-gateway))
    (lesson-complete actor lesson)))
