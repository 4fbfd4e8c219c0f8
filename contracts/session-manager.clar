;; session-manager: lessons, from booking to the last word on their price.
;;
;; A lesson's id is its booking's. What a statement repeats is compared, both sides' attendance counted, and vault and
;; pools told when to lock, pay and give back. A village may hold a lesson long before a relay brings it here: the start
;; bounds notice and grace, never attendance. `claim` ends whatever people leave undone.

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
(define-constant ERR-START (err u613))
(define-constant ERR-POOL (err u614))
(define-constant ERR-NOT-GUARDIAN (err u615))
(define-constant ERR-DISPUTED (err u616))
(define-constant ERR-FUNDED (err u617))
(define-constant ERR-NOT-FUNDED (err u618))
(define-constant ERR-VERSION (err u619))
(define-constant ERR-TOO-LATE (err u620))
(define-constant ERR-TOO-EARLY (err u621))
(define-constant ERR-ID-USED (err u622))

;; Largest integer of the protocol (2^63-1).
(define-constant INT-MAX u9223372036854775807)
;; A lesson starts within two years of chain time, or its money could be locked for ever.
(define-constant START-AHEAD-MAX u63072000)
(define-constant BPS u10000)
;; Scopes: area lesson, area money, and both.
(define-constant SCOPE-LESSON u4)
(define-constant SCOPE-MONEY u8)
(define-constant SCOPE-LESSON-MONEY u12)
;; Bits of a booking: minutes in 0-11; 13: a guardian must confirm, too; and at most one of 12: lock the price now,
;; 14: draw it from the earmark `offer`, 15: the pool `offer` pays when the lesson was held.
(define-constant BOOK-MINUTES u4095)
(define-constant BOOK-LOCKS u4096)
(define-constant BOOK-GUARDIAN u8192)
(define-constant BOOK-EARMARK u16384)
(define-constant BOOK-POOL u32768)
(define-constant BOOK-PAYS u53248)
(define-constant BOOK-BITS-MAX u65535)
;; Bits of a confirmation and of `confirmed` and `needs`: tutor, guardian. Bits of `attended`: tutor, student.
(define-constant TUTOR u1)
(define-constant GUARDIAN u2)
(define-constant STUDENT u2)
(define-constant BOTH u3)
;; States. A dispute brings u6 to u7; lapsed is ended by time; u3, u4, u5, u7 and u8 are final.
(define-constant STATE-BOOKED u1)
(define-constant STATE-CONFIRMED u2)
(define-constant STATE-COMPLETED u3)
(define-constant STATE-DECLINED u4)
(define-constant STATE-CANCELLED u5)
(define-constant STATE-DISPUTED u6)
(define-constant STATE-SETTLED u7)
(define-constant STATE-LAPSED u8)
;; Where the price is: nowhere yet, in the vault's lock under the lesson's id, or in the pool `offer`.
(define-constant FUNDING-NONE u0)
(define-constant FUNDING-LOCK u1)
(define-constant FUNDING-POOL u3)

;; Lesson id -> its parties (persons), price, agreed start (Unix seconds) and minutes; the match offer it came from, or
;; the earmark or pool that pays (zeros where none); state; masks of confirmations given and needed and of attendance;
;; where the price is; the notice as it was at booking; id of the statement that fixed the current time (the booking,
;; later the last agreed move); chain time of the last change. Says nothing about place or content.
(define-map lessons (buff 32)
  { student: principal, tutor: principal, asset: (optional principal), amount: uint, start: uint, minutes: uint,
    offer: (buff 32), state: uint, confirmed: uint, needs: uint, attended: uint, funding: uint, version: (buff 32),
    notice: { seconds: uint, late-bps: uint }, changed-at: uint })

;; Id of an attendance -> its lesson, so that one person may attend by scanning the other's attendance.
(define-map attendances (buff 32) (buff 32))

;; Id of a proposal to move a lesson -> the lesson, who proposed, the new time (minutes u0 = as they are), and the
;; version it is to replace (0x once its author proposed anew). Counts only while that version is current.
(define-map moves (buff 32) { lesson: (buff 32), by: principal, start: uint, minutes: uint, version: (buff 32) })

;; Lessons booked; completed, and their minutes; declined or cancelled; lapsed. Never fall.
(define-data-var counts { booked: uint, lessons: uint, minutes: uint, cancelled: uint, lapsed: uint }
  { booked: u0, lessons: u0, minutes: u0, cancelled: u0, lapsed: u0 })

;; ---- questions

;; The record of a lesson, if it was booked.
(define-read-only (get-lesson (id (buff 32)))
  (map-get? lessons id))

;; The lesson that an attendance belongs to, if there is one.
(define-read-only (get-attendance (id (buff 32)))
  (map-get? attendances id))

;; A proposal to move a lesson, agreed or not.
(define-read-only (get-move (id (buff 32)))
  (map-get? moves id))

;; Counters for analytics. Lessons that a dispute settled are in none but `booked`.
(define-read-only (get-counts)
  (var-get counts))

;; ---- what the cores share

;; Whether a lesson is at least in state `from`, and not over.
(define-private (check-state (state uint) (from uint))
  (begin
    (asserts! (>= state from) ERR-NOT-CONFIRMED)
    (asserts! (not (is-eq state STATE-DISPUTED)) ERR-DISPUTED)
    (ok (asserts! (<= state STATE-CONFIRMED) ERR-OVER))))

;; (ok whether `person` is the tutor) of one of the two sides, and where `who` is given, it must be the other.
(define-private (check-side (person principal) (who (optional principal)) (student principal) (tutor principal))
  (let ((by-tutor (is-eq person tutor))
        (other (if by-tutor student tutor)))
    (asserts! (or by-tutor (is-eq person student)) ERR-NOT-PARTY)
    (asserts! (is-eq (default-to other who) other) ERR-TERMS)
    (ok by-tutor)))

;; Whether time may end a lesson: it was left alone for the grace period after its start and its last change.
(define-private (is-due (start uint) (changed-at uint))
  (> stacks-block-time (+ (if (> start changed-at) start changed-at) (contract-call? .access get-grace-seconds))))

;; End a lesson. What is locked goes to the tutor by `bps`, the rest back where it came from; a pool pays what was held.
(define-private (end (id (buff 32)) (state uint) (bps uint))
  (let ((lesson (unwrap! (map-get? lessons id) ERR-LESSON-UNKNOWN))
        (tutor (get tutor lesson))
        (sums (var-get counts)))
    (map-set lessons id (merge lesson { state: state, changed-at: stacks-block-time }))
    (var-set counts
      (if (is-eq state STATE-COMPLETED)
        (merge sums { lessons: (+ (get lessons sums) u1), minutes: (+ (get minutes sums) (get minutes lesson)) })
      (if (is-eq state STATE-LAPSED) (merge sums { lapsed: (+ (get lapsed sums) u1) })
        (merge sums { cancelled: (+ (get cancelled sums) u1) }))))
    (print { event: "lesson-ended", id: id, state: state, minutes: (get minutes lesson), bps: bps })
    (if (is-eq (get funding lesson) FUNDING-LOCK)
      (if (is-eq bps u0) (contract-call? .payment-escrow refund id)
      (if (is-eq bps BPS) (contract-call? .payment-escrow release id tutor)
        (contract-call? .payment-escrow split id tutor bps)))
    (if (and (is-eq (get funding lesson) FUNDING-POOL) (is-eq state STATE-COMPLETED))
      (contract-call? .sponsor-pool pay (get offer lesson) id (get student lesson) tutor (get asset lesson)
        (get amount lesson) (get start lesson))
      (ok true)))))

;; ---- cores: `key` acts, and is resolved to its person first

(define-private (lesson-book (key principal) (id (buff 32)) (offer (buff 32)) (tutor principal)
    (asset (optional principal)) (amount uint) (start uint) (bits uint))
  (let ((pays (bit-and bits BOOK-PAYS))
        (pooled (is-eq pays BOOK-POOL))
        (locks (or (is-eq pays BOOK-LOCKS) (is-eq pays BOOK-EARMARK)))
        (minutes (bit-and bits BOOK-MINUTES))
        (student (try! (contract-call? .user-registry resolve key
          (if locks SCOPE-LESSON-MONEY SCOPE-LESSON) (if locks amount u0) asset))))
    (asserts! (and (<= bits BOOK-BITS-MAX) (> minutes u0)
      (or locks (is-eq pays u0) (and pooled (> amount u0)))) ERR-BITS)
    (asserts! (<= amount INT-MAX) ERR-RANGE)
    (asserts! (<= start (+ stacks-block-time START-AHEAD-MAX)) ERR-START)
    (asserts! (not (is-eq student tutor)) ERR-SAME-PERSON)
    (asserts! (is-some (contract-call? .user-registry get-person tutor)) ERR-TUTOR-UNKNOWN)
    (asserts! (or (not pooled) (is-eq (get asset (contract-call? .sponsor-pool get-pool offer)) (some asset))) ERR-POOL)
    (asserts! (map-insert lessons id
      { student: student, tutor: tutor, asset: asset, amount: amount, start: start, minutes: minutes, offer: offer,
        state: STATE-BOOKED, confirmed: u0, attended: u0, version: id, changed-at: stacks-block-time,
        needs: (if (is-eq (bit-and bits BOOK-GUARDIAN) u0) TUTOR BOTH), notice: (contract-call? .access get-notice),
        funding: (if locks FUNDING-LOCK (if pooled FUNDING-POOL FUNDING-NONE)) }) ERR-LESSON-EXISTS)
    (var-set counts (merge (var-get counts) { booked: (+ (get booked (var-get counts)) u1) }))
    (print { event: "lesson-booked", id: id, student: student, tutor: tutor, asset: asset, amount: amount,
      start: start, minutes: minutes, offer: offer, bits: bits })
    (if (is-eq pays BOOK-LOCKS)
      (contract-call? .payment-escrow lock id student asset amount)
      (if locks (contract-call? .payment-escrow draw-earmark offer id student tutor asset amount) (ok true)))))

(define-private (lesson-confirm (key principal) (id (buff 32)) (student principal) (asset (optional principal))
    (amount uint) (start uint) (bits uint))
  (let ((person (try! (contract-call? .user-registry resolve key SCOPE-LESSON u0 none)))
        (lesson (unwrap! (map-get? lessons id) ERR-LESSON-UNKNOWN))
        (by-tutor (is-eq person (get tutor lesson)))
        (confirmed (bit-or (get confirmed lesson) bits)))
    (asserts! (or (is-eq bits TUTOR) (is-eq bits GUARDIAN)) ERR-BITS)
    (asserts! (is-eq by-tutor (is-eq bits TUTOR)) ERR-NOT-PARTY)
    (asserts! (or by-tutor (contract-call? .recovery is-guardian (get student lesson) person)) ERR-NOT-GUARDIAN)
    (asserts! (and (is-eq student (get student lesson)) (is-eq asset (get asset lesson))
      (is-eq amount (get amount lesson))) ERR-TERMS)
    (asserts! (is-eq start (get start lesson)) ERR-VERSION)
    (asserts! (and (is-eq (get state lesson) STATE-BOOKED) (> confirmed (get confirmed lesson))) ERR-NOT-BOOKED)
    (map-set lessons id (merge lesson
      { confirmed: confirmed, changed-at: stacks-block-time,
        state: (if (is-eq (bit-and confirmed (get needs lesson)) (get needs lesson)) STATE-CONFIRMED STATE-BOOKED) }))
    (print { event: "lesson-confirmed", id: id, person: person, confirmed: confirmed })
    (ok true)))

(define-private (lesson-fund (key principal) (id (buff 32)) (who (optional principal)) (asset (optional principal))
    (amount uint))
  (let ((person (try! (contract-call? .user-registry resolve key SCOPE-MONEY amount asset)))
        (lesson (unwrap! (map-get? lessons id) ERR-LESSON-UNKNOWN)))
    (asserts! (not (is-eq person (get tutor lesson))) ERR-NOT-PARTY)
    (asserts! (and (is-eq (default-to (get tutor lesson) who) (get tutor lesson)) (is-eq asset (get asset lesson))
      (is-eq amount (get amount lesson))) ERR-TERMS)
    (try! (check-state (get state lesson) STATE-BOOKED))
    (asserts! (not (is-eq (get funding lesson) FUNDING-LOCK)) ERR-FUNDED)
    (map-set lessons id (merge lesson { funding: FUNDING-LOCK, changed-at: stacks-block-time }))
    (print { event: "lesson-funded", id: id, person: person, asset: asset, amount: amount })
    (contract-call? .payment-escrow lock id person asset amount)))

;; The tutor may give back what both say was held, by cancelling. The student may not take back what either says was:
;; not after one's own word, and not after the tutor's once the notice is past.
(define-private (lesson-cancel (key principal) (id (buff 32)) (who (optional principal)) (declines bool))
  (let ((person (try! (contract-call? .user-registry resolve key SCOPE-LESSON u0 none)))
        (lesson (unwrap! (map-get? lessons id) ERR-LESSON-UNKNOWN))
        (by-tutor (try! (check-side person who (get student lesson) (get tutor lesson))))
        (attended (get attended lesson))
        (in-time (or by-tutor (is-eq (get state lesson) STATE-BOOKED)
          (<= (+ stacks-block-time (get seconds (get notice lesson))) (get start lesson)))))
    (asserts! (or by-tutor (not declines)) ERR-NOT-PARTY)
    (try! (check-state (get state lesson) STATE-BOOKED))
    (asserts! (if by-tutor (not (and declines (is-eq attended BOTH)))
      (or (is-eq attended u0) (and in-time (is-eq attended TUTOR)))) ERR-ATTENDED)
    (end id (if declines STATE-DECLINED STATE-CANCELLED) (if in-time u0 (get late-bps (get notice lesson))))))

;; A statement about the current version proposes, one about one's own proposal replaces that, and one about the other's
;; agrees to it. A guardian agreed to the old time and is asked again; minutes, which a guardian doesn't repeat, stay.
(define-private (lesson-move (key principal) (id (buff 32)) (subject (buff 32)) (who (optional principal)) (start uint)
    (minutes uint))
  (let ((person (try! (contract-call? .user-registry resolve key SCOPE-LESSON u0 none)))
        (proposal (default-to { lesson: subject, by: person, start: start, minutes: minutes, version: subject }
          (map-get? moves subject)))
        (lesson-id (get lesson proposal))
        (lesson (unwrap! (map-get? lessons lesson-id) ERR-LESSON-UNKNOWN))
        (version (get version lesson))
        (agrees (not (or (is-eq subject version) (is-eq person (get by proposal)))))
        (confirmed (bit-and (get confirmed lesson) TUTOR)))
    (try! (check-side person who (get student lesson) (get tutor lesson)))
    (try! (check-state (get state lesson) STATE-BOOKED))
    (asserts! (is-eq (get attended lesson) u0) ERR-ATTENDED)
    (asserts! (<= minutes (if (is-eq (get needs lesson) TUTOR) BOOK-MINUTES u0)) ERR-BITS)
    (asserts! (<= start (+ stacks-block-time START-AHEAD-MAX)) ERR-START)
    (asserts! (or (is-eq subject version) (is-eq (get version proposal) version)) ERR-VERSION)
    (if agrees
      (begin
        (asserts! (and (is-eq start (get start proposal)) (is-eq minutes (get minutes proposal))) ERR-VERSION)
        (map-set lessons lesson-id (merge lesson
          { start: start, minutes: (if (is-eq minutes u0) (get minutes lesson) minutes), confirmed: confirmed,
            state: (if (is-eq confirmed (get needs lesson)) STATE-CONFIRMED STATE-BOOKED),
            version: subject, changed-at: stacks-block-time })))
      (begin
        (asserts! (map-insert moves id
          { lesson: lesson-id, by: person, start: start, minutes: minutes, version: version }) ERR-ID-USED)
        (or (is-eq subject version) (map-set moves subject (merge proposal { version: 0x })))))
    (print { event: "lesson-moved", id: lesson-id, move: id, subject: subject, person: person, start: start,
      minutes: minutes, agreed: agrees })
    (ok true)))

;; Counts during a dispute, too: else opening one could keep the other side's word out.
(define-private (lesson-attend (key principal) (id (buff 32)) (subject (buff 32)) (other principal) (moment uint))
  (let ((person (try! (contract-call? .user-registry resolve key SCOPE-LESSON u0 none)))
        (lesson-id (default-to subject (map-get? attendances subject)))
        (lesson (unwrap! (map-get? lessons lesson-id) ERR-LESSON-UNKNOWN))
        (by-tutor (try! (check-side person (some other) (get student lesson) (get tutor lesson))))
        (attended (bit-or (get attended lesson) (if by-tutor TUTOR STUDENT))))
    (and (not (is-eq (get state lesson) STATE-DISPUTED)) (try! (check-state (get state lesson) STATE-CONFIRMED)))
    (asserts! (not (is-eq attended (get attended lesson))) ERR-ATTENDED)
    (asserts! (map-insert attendances id lesson-id) ERR-ID-USED)
    (map-set lessons lesson-id (merge lesson { attended: attended, changed-at: stacks-block-time }))
    (print { event: "lesson-attended", id: lesson-id, person: person, attended: attended, moment: moment })
    (ok true)))

(define-private (lesson-complete (key principal) (id (buff 32)) (who (optional principal)))
  (let ((person (try! (contract-call? .user-registry resolve key SCOPE-LESSON u0 none)))
        (lesson (unwrap! (map-get? lessons id) ERR-LESSON-UNKNOWN)))
    (asserts! (not (try! (check-side person who (get student lesson) (get tutor lesson)))) ERR-NOT-PARTY)
    (try! (check-state (get state lesson) STATE-CONFIRMED))
    (asserts! (is-eq (get attended lesson) BOTH) ERR-NOT-ATTENDED)
    (and (is-eq (get funding lesson) FUNDING-NONE) (> (get amount lesson) u0)
      (try! (lesson-fund key id none (get asset lesson) (get amount lesson))))
    (end id STATE-COMPLETED BPS)))

;; ---- public forms: from a wallet (the caller acts; ids are derived from a salt), and `-for` the gateway

;; Id of an operation made from a wallet: bound to who made it, so that nobody can book it first at another price.
(define-private (direct-id (actor principal) (op (string-ascii 24)) (salt (buff 32)))
  (sha256 (default-to 0x (to-consensus-buff? { actor: actor, op: op, salt: salt }))))

(define-private (check-gateway)
  (contract-call? .access is-protocol-caller contract-caller "gateway"))

;; Book a lesson with a registered tutor; `bits` say who pays, and when. Binds the tutor to nothing: that is `confirm`.
(define-public (book (salt (buff 32)) (offer (buff 32)) (tutor principal) (asset (optional principal)) (amount uint)
    (start uint) (bits uint))
  (lesson-book contract-caller (direct-id contract-caller "lesson-book" salt) offer tutor asset amount start bits))
;; The same, signed (`id` is the action's). Gateway only.
(define-public (book-for (actor principal) (id (buff 32)) (offer (buff 32)) (tutor principal)
    (asset (optional principal)) (amount uint) (start uint) (bits uint))
  (begin
    (try! (check-gateway))
    (lesson-book actor id offer tutor asset amount start bits)))

;; The tutor (bits u1) or a guardian of the student (u2) agrees, repeating the terms. Any difference refuses.
(define-public (confirm (lesson (buff 32)) (student principal) (asset (optional principal)) (amount uint) (start uint)
    (bits uint))
  (lesson-confirm contract-caller lesson student asset amount start bits))
;; The same, signed. Gateway only.
(define-public (confirm-for (actor principal) (lesson (buff 32)) (student principal) (asset (optional principal))
    (amount uint) (start uint) (bits uint))
  (begin
    (try! (check-gateway))
    (lesson-confirm actor lesson student asset amount start bits)))

;; Anybody but the tutor locks the price of a lesson, exactly and once. What isn't earned returns to whoever paid.
(define-public (fund (lesson (buff 32)) (asset (optional principal)) (amount uint))
  (lesson-fund contract-caller lesson none asset amount))
;; The same for a signed `escrow-lock` of a lesson; `who`, where given, must be its tutor. Gateway only.
(define-public (fund-for (actor principal) (lesson (buff 32)) (who (optional principal)) (asset (optional principal))
    (amount uint))
  (begin
    (try! (check-gateway))
    (lesson-fund actor lesson who asset amount)))

;; The tutor can't. All that is locked returns. Not for a lesson that both attended.
(define-public (decline (lesson (buff 32)) (who (optional principal)))
  (lesson-cancel contract-caller lesson who true))
;; The same, signed. Gateway only.
(define-public (decline-for (actor principal) (lesson (buff 32)) (who (optional principal)))
  (begin
    (try! (check-gateway))
    (lesson-cancel actor lesson who true)))

;; One side cancels. What is locked returns, but for what a student's late cancellation costs (the booking's notice).
(define-public (cancel (lesson (buff 32)) (who (optional principal)))
  (lesson-cancel contract-caller lesson who false))
;; The same, signed. Gateway only.
(define-public (cancel-for (actor principal) (lesson (buff 32)) (who (optional principal)))
  (begin
    (try! (check-gateway))
    (lesson-cancel actor lesson who false)))

;; One side proposes another time (`subject`: the lesson, its last agreed move, or one's own proposal, which nobody can
;; agree to after that), the other agrees (`subject`: the proposal, repeating its start and minutes). Minutes u0: as is.
(define-public (move (salt (buff 32)) (subject (buff 32)) (who (optional principal)) (start uint) (minutes uint))
  (lesson-move contract-caller (direct-id contract-caller "lesson-move" salt) subject who start minutes))
;; The same, signed (`id` is the action's). Gateway only.
(define-public (move-for (actor principal) (id (buff 32)) (subject (buff 32)) (who (optional principal)) (start uint)
    (minutes uint))
  (begin
    (try! (check-gateway))
    (lesson-move actor id subject who start minutes)))

;; One side says that the lesson (`subject`, or the other's attendance) took place. Alone it pays nothing.
(define-public (attend (salt (buff 32)) (subject (buff 32)) (other principal) (moment uint))
  (lesson-attend contract-caller (direct-id contract-caller "lesson-attend" salt) subject other moment))
;; The same, signed (`id` is the action's). Gateway only.
(define-public (attend-for (actor principal) (id (buff 32)) (subject (buff 32)) (other principal) (moment uint))
  (begin
    (try! (check-gateway))
    (lesson-attend actor id subject other moment)))

;; The student ends a lesson that both attended. The lock, the pool or else the student's free money pays the tutor.
(define-public (complete (lesson (buff 32)) (who (optional principal)))
  (lesson-complete contract-caller lesson who))
;; The same, signed. Gateway only.
(define-public (complete-for (actor principal) (lesson (buff 32)) (who (optional principal)))
  (begin
    (try! (check-gateway))
    (lesson-complete actor lesson who)))

;; Anybody ends a lesson left alone for the grace period: both attended, the tutor is paid; else the lock returns.
(define-public (claim (id (buff 32)))
  (let ((lesson (unwrap! (map-get? lessons id) ERR-LESSON-UNKNOWN))
        (held (is-eq (get attended lesson) BOTH)))
    (try! (check-state (get state lesson) STATE-BOOKED))
    (asserts! (is-due (get start lesson) (get changed-at lesson)) ERR-TOO-EARLY)
    (asserts! (not (and held (is-eq (get funding lesson) FUNDING-NONE) (> (get amount lesson) u0))) ERR-NOT-FUNDED)
    (end id (if held STATE-COMPLETED STATE-LAPSED) (if held BPS u0))))
;; The same, signed. Gateway only.
(define-public (claim-for (id (buff 32)))
  (begin
    (try! (check-gateway))
    (claim id)))

;; Withdraw a confirmed lesson with a locked price from all but attendance, until `claim` is due. Role "dispute" only.
(define-public (dispute-hold (id (buff 32)))
  (let ((checked (try! (contract-call? .access is-protocol-caller contract-caller "dispute")))
        (lesson (unwrap! (map-get? lessons id) ERR-LESSON-UNKNOWN)))
    (try! (check-state (get state lesson) STATE-CONFIRMED))
    (asserts! (is-eq (get funding lesson) FUNDING-LOCK) ERR-NOT-FUNDED)
    (asserts! (not (is-due (get start lesson) (get changed-at lesson))) ERR-TOO-LATE)
    (print { event: "lesson-disputed", id: id })
    (ok (map-set lessons id (merge lesson { state: STATE-DISPUTED, changed-at: stacks-block-time })))))

;; End a disputed lesson, whose price `dispute-resolution` divided. Role "dispute" only. Moves no money.
(define-public (dispute-end (id (buff 32)))
  (let ((checked (try! (contract-call? .access is-protocol-caller contract-caller "dispute")))
        (lesson (unwrap! (map-get? lessons id) ERR-LESSON-UNKNOWN)))
    (asserts! (is-eq (get state lesson) STATE-DISPUTED) ERR-OVER)
    (print { event: "lesson-settled", id: id })
    (ok (map-set lessons id (merge lesson { state: STATE-SETTLED, changed-at: stacks-block-time })))))
