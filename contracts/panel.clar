;; panel: who may mediate in disputes and decide them, and who is drawn for which.
;;
;; Stewards enrol registered persons. A draw asks for seats by their number, and a seat knows when its holder sat, so
;; the panel of any opening can be told as long as votes may come: who enrols or leaves later changes no draw, and who
;; may dismiss members chooses no arbiters. A seat that no vote needs any more is given again, or draws would fall on
;; empty seats more and more. Knows no lesson and no dispute: `dispute-resolution` asks, and says until when it will.

(define-constant ERR-NOT-STEWARD (err u1400))
(define-constant ERR-PERSON-UNKNOWN (err u1401))
(define-constant ERR-ENROLLED (err u1402))
(define-constant ERR-NOT-ENROLLED (err u1403))

;; Tries to find three arbiters, each at one seat. A small or related panel yields fewer.
(define-constant DRAWS (list u0 u1 u2 u3 u4 u5 u6 u7 u8 u9 u10 u11 u12 u13 u14 u15 u16 u17 u18 u19 u20 u21 u22 u23))
(define-constant ARBITERS u3)

;; Seat -> its last holder, that person's home hub, the chain times at which the person took it, left it, took it again
;; and so on, and until when it is kept for the person after leaving: the last moment at which a dispute opened before
;; may hear a vote.
(define-map seats uint { who: principal, home: (optional principal), turns: (list 8 uint), kept: uint })
;; Person -> its seat, or the one it had last; and whether it is enrolled.
(define-map members principal { seat: uint, on: bool })
;; Number in the order of leaving -> the seat that was left. It may have been taken again since.
(define-map left-seats uint uint)

;; Seats there are, taken or left.
(define-data-var seat-count uint u0)
;; The oldest entry of `left-seats` that was not used up, and the number of entries ever.
(define-data-var left-queue { first: uint, next: uint } { first: u0, next: u0 })
;; Latest chain time at which any dispute that was opened so far may hear a vote.
(define-data-var last-vote uint u0)

;; ---- questions

;; A seat, taken or left.
(define-read-only (get-seat (seat uint))
  (map-get? seats seat))

;; Whether a person is enrolled now. Takes persons, not keys.
(define-read-only (is-enrolled (person principal))
  (default-to false (get on (map-get? members person))))

;; Whether a person may mediate between people with these home hubs now: enrolled, and of neither's.
(define-read-only (may-mediate (person principal) (homes (list 2 (optional principal))))
  (match (map-get? members person)
    member (and (get on member) (not (is-near (default-to none (get home (map-get? seats (get seat member)))) homes)))
    false))

;; Number of seats, those that were left included.
(define-read-only (get-seat-count)
  (var-get seat-count))

;; Whether a home hub is one of these. Nobody is near who named none.
(define-private (is-near (home (optional principal)) (homes (list 2 (optional principal))))
  (and (is-some home) (is-some (index-of? homes home))))

;; ---- the draw

;; At most three arbiters: what a hash of `seed` and the number of the try falls on, among the first `size` seats as
;; they were at chain time `at`, without these persons and whoever has one of these home hubs. A pure function while
;; `at` belongs to a dispute that may still hear votes; later, seats may be other people's.
(define-read-only (draw-from (seed (buff 64)) (size uint) (at uint) (barred (list 4 principal))
    (homes (list 2 (optional principal))))
  (if (> size u0)
    (get drawn (fold draw DRAWS
      { seed: seed, size: size, at: at, barred: barred, homes: homes, drawn: (list) }))
    (list)))

;; One try. Of homes it knows only what people registered.
(define-private (draw (try uint) (state { seed: (buff 64), size: uint, at: uint, barred: (list 4 principal),
    homes: (list 2 (optional principal)), drawn: (list 3 principal) }))
  (let ((drawn (get drawn state))
        (hash (sha256 (concat (get seed state) (default-to 0x (to-consensus-buff? try)))))
        (seat (map-get? seats (mod (number-of hash) (get size state)))))
    (match seat entry
      (if (or (is-eq (len drawn) ARBITERS)
          (not (sat-at (get turns entry) (get at state)))
          (is-some (index-of? (get barred state) (get who entry)))
          (is-some (index-of? drawn (get who entry)))
          (is-near (get home entry) (get homes state)))
        state
        (merge state { drawn: (default-to drawn (as-max-len? (append drawn (get who entry)) u3)) }))
      state)))

;; The first half of a hash as a number.
(define-private (number-of (hash (buff 32)))
  (buff-to-uint-be (default-to 0x (as-max-len? (default-to 0x (slice? hash u0 u16)) u16))))

(define-private (sat-at (turns (list 8 uint)) (at uint))
  (get sat (fold turn turns { at: at, sat: false })))

(define-private (turn (time uint) (state { at: uint, sat: bool }))
  (if (<= time (get at state)) (merge state { sat: (not (get sat state)) }) state))

;; ---- enrolment: by stewards, from a wallet

;; Enrol a registered person as mediator and arbiter, or dismiss one: a steward or the owner. Changes no draw of
;; disputes that are open: a dismissed arbiter votes on those that were opened before.
(define-public (panel-set (person principal) (on bool))
  (begin
    (asserts!
      (or (contract-call? .access is-steward contract-caller) (contract-call? .access is-owner contract-caller))
      ERR-NOT-STEWARD)
    (if on (try! (enrol person)) (try! (dismiss person)))
    (print { event: "panel-set", person: person, on: on, by: contract-caller })
    (ok true)))

;; On the person's old seat, or on the one that was left first; where neither can be had, on a new one.
(define-private (enrol (person principal))
  (let ((record (unwrap! (contract-call? .user-registry get-person person) ERR-PERSON-UNKNOWN))
        (queue (var-get left-queue))
        (new (var-get seat-count))
        (own (default-to new (get seat (map-get? members person))))
        (oldest (default-to new (map-get? left-seats (get first queue))))
        (seat (if (is-some (turns-on own person)) own (if (is-some (turns-on oldest person)) oldest new))))
    (asserts! (not (is-enrolled person)) ERR-ENROLLED)
    (map-set seats seat
      { who: person, home: (get home record), kept: u0,
        turns: (default-to (list stacks-block-time) (turns-on seat person)) })
    (map-set members person { seat: seat, on: true })
    (and (is-eq seat new) (var-set seat-count (+ new u1)))
    (ok (and (< (get first queue) (get next queue)) (is-taken oldest)
      (var-set left-queue (merge queue { first: (+ (get first queue) u1) }))))))

(define-private (is-taken (seat uint))
  (match (map-get? seats seat) entry (is-eq (mod (len (get turns entry)) u2) u1) false))

;; The turns of a seat after this person takes it now; none where that can't be. While the seat is kept, only the last
;; holder may return to it, and eight turns are all that it remembers.
(define-private (turns-on (seat uint) (person principal))
  (match (map-get? seats seat)
    entry (if (is-taken seat) none
      (if (> stacks-block-time (get kept entry)) (some (list stacks-block-time))
        (if (is-eq person (get who entry)) (as-max-len? (append (get turns entry) stacks-block-time) u8) none)))
    none))

(define-private (dismiss (person principal))
  (let ((seat (get seat (unwrap! (map-get? members person) ERR-NOT-ENROLLED)))
        (entry (unwrap! (map-get? seats seat) ERR-NOT-ENROLLED))
        (queue (var-get left-queue)))
    (asserts! (is-enrolled person) ERR-NOT-ENROLLED)
    (map-set seats seat
      (merge entry
        { turns: (unwrap! (as-max-len? (append (get turns entry) stacks-block-time) u8) ERR-NOT-ENROLLED),
          kept: (var-get last-vote) }))
    (map-set members person { seat: seat, on: false })
    (map-set left-seats (get next queue) seat)
    (ok (var-set left-queue (merge queue { next: (+ (get next queue) u1) })))))

;; ---- for `dispute-resolution`

;; A dispute is opened whose last vote may come at chain time `until`: seats that are left from now on are kept until
;; then. (ok the number of seats to draw from). Role "dispute".
(define-public (bind (until uint))
  (begin
    (try! (contract-call? .access is-protocol-caller contract-caller "dispute"))
    (var-set last-vote (if (> until (var-get last-vote)) until (var-get last-vote)))
    (print { event: "panel-bound", until: until, seats: (var-get seat-count) })
    (ok (var-get seat-count))))
