;; class-manager: classes, which a tutor opens and any registered learner attends.
;;
;; A tutor opens a class. That somebody was there, the learner says naming the tutor, and the tutor naming the learner;
;; with the second word, whoever's it is, the pool that the class names pays the tutor for this learner. So no stranger
;; uses up what a tutor may earn. Nobody books, nobody confirms, and no learner needs money. Whether learning happened
;; is known in the room and not here.

(define-constant ERR-CLASS-EXISTS (err u1200))
(define-constant ERR-CLASS-UNKNOWN (err u1201))
(define-constant ERR-POOL-UNKNOWN (err u1202))
(define-constant ERR-ASSET (err u1203))
(define-constant ERR-RANGE (err u1204))
(define-constant ERR-SAME-PERSON (err u1205))
(define-constant ERR-OTHER-TUTOR (err u1206))
(define-constant ERR-ATTENDED (err u1207))
(define-constant ERR-LEARNER-UNKNOWN (err u1208))

;; Largest integer of the protocol (2^63-1).
(define-constant INT-MAX u9223372036854775807)
;; Longest class, in minutes: as long as a lesson can be.
(define-constant MINUTES-MAX u4095)
;; Scope of lessons.
(define-constant SCOPE-LESSON u4)
;; Bits of an attendance: whose word for it is there.
(define-constant TUTOR u1)
(define-constant LEARNER u2)
(define-constant BOTH u3)

;; Class id -> its tutor (a person), the pool that pays and what an attendance brings (u0: nobody pays), start (Unix
;; seconds) and minutes. Never changes.
(define-map classes (buff 32)
  {
    tutor: principal, pool: (buff 32), asset: (optional principal), amount: uint, start: uint, minutes: uint
  })

;; (class, learner) -> whose words for this attendance are there. Never deleted: a learner attends a class once.
(define-map attendances { class: (buff 32), person: principal } uint)

;; Classes opened, attendances that both sides said, and the sum of the minutes of each. Never fall.
(define-data-var counts { classes: uint, attendances: uint, minutes: uint }
  { classes: u0, attendances: u0, minutes: u0 })

;; ---- questions

;; The record of a class, if it was opened.
(define-read-only (get-class (id (buff 32)))
  (map-get? classes id))

;; Who says that this person learned in a class: u1 the tutor, u2 the learner, u3 both, so that it counts.
(define-read-only (get-attended (class (buff 32)) (person principal))
  (default-to u0 (map-get? attendances { class: class, person: person })))

;; Counters for analytics. `minutes` are learners' minutes: an hour with ten learners is 600.
(define-read-only (get-counts)
  (var-get counts))

;; ---- cores: `key` acts, and is resolved to its person first

(define-private (open-class (key principal) (id (buff 32)) (pool (buff 32)) (asset (optional principal)) (amount uint)
    (start uint) (minutes uint))
  (let ((tutor (try! (contract-call? .user-registry resolve key SCOPE-LESSON u0 none)))
        (sums (var-get counts)))
    (asserts!
      (and (<= amount INT-MAX) (<= start INT-MAX) (> minutes u0) (<= minutes MINUTES-MAX))
      ERR-RANGE)
    (and (> amount u0)
      (asserts!
        (is-eq asset (get asset (unwrap! (contract-call? .sponsor-pool get-pool pool) ERR-POOL-UNKNOWN)))
        ERR-ASSET))
    (asserts!
      (map-insert classes id
        { tutor: tutor, pool: pool, asset: asset, amount: amount, start: start, minutes: minutes })
      ERR-CLASS-EXISTS)
    (var-set counts (merge sums { classes: (+ (get classes sums) u1) }))
    (print { event: "class-opened", id: id, tutor: tutor, pool: pool, asset: asset, amount: amount, start: start,
      minutes: minutes })
    (ok true)))

(define-private (attend-class (key principal) (id (buff 32)) (class-id (buff 32)) (who principal) (moment uint))
  (let ((person (try! (contract-call? .user-registry resolve key SCOPE-LESSON u0 none)))
        (class (unwrap! (map-get? classes class-id) ERR-CLASS-UNKNOWN))
        (tutor (get tutor class))
        (by-tutor (is-eq person tutor))
        (learner (if by-tutor who person))
        (before (get-attended class-id learner))
        (attended (bit-or before (if by-tutor TUTOR LEARNER)))
        (amount (if (is-eq attended BOTH) (get amount class) u0))
        (sums (var-get counts)))
    (asserts! (<= moment INT-MAX) ERR-RANGE)
    (asserts! (or by-tutor (is-eq who tutor)) ERR-OTHER-TUTOR)
    (asserts! (not (is-eq learner tutor)) ERR-SAME-PERSON)
    (asserts! (or (not by-tutor) (is-some (contract-call? .user-registry get-person learner))) ERR-LEARNER-UNKNOWN)
    (asserts! (not (is-eq attended before)) ERR-ATTENDED)
    (map-set attendances { class: class-id, person: learner } attended)
    (and (is-eq attended BOTH)
      (var-set counts
        (merge sums
          { attendances: (+ (get attendances sums) u1), minutes: (+ (get minutes sums) (get minutes class)) })))
    (and (> amount u0)
      (try! (contract-call? .sponsor-pool pay (get pool class) id learner tutor (get asset class) amount
        (get start class))))
    (print { event: "class-attended", id: id, class: class-id, person: learner, tutor: tutor, attended: attended,
      asset: (get asset class), amount: amount, minutes: (get minutes class), moment: moment })
    (ok true)))

;; ---- public forms: from a wallet (the caller acts; ids are derived from a salt), and `-for` the gateway

;; Id of an operation made from a wallet: bound to who made it, so that nobody can take it first.
(define-private (direct-id (actor principal) (op (string-ascii 24)) (salt (buff 32)))
  (sha256 (default-to 0x (to-consensus-buff? { actor: actor, op: op, salt: salt }))))

(define-private (check-gateway)
  (contract-call? .access is-protocol-caller contract-caller "gateway"))

;; Open a class as its tutor. `amount` is what the pool pays for each learner who attends; where it is zero, pool and
;; asset mean nothing. Does not ask whether the pool's sponsor admitted the tutor, or whether the money will last: that
;; is asked when it pays.
(define-public (class-open (salt (buff 32)) (pool (buff 32)) (asset (optional principal)) (amount uint) (start uint)
    (minutes uint))
  (open-class contract-caller (direct-id contract-caller "class-open" salt) pool asset amount start minutes))

;; The same for a signed `class-open` (`id` is the action's). Gateway only.
(define-public (class-open-for (actor principal) (id (buff 32)) (pool (buff 32)) (asset (optional principal))
    (amount uint) (start uint) (minutes uint))
  (begin
    (try! (check-gateway))
    (open-class actor id pool asset amount start minutes)))

;; Say that somebody learned in a class, once: the learner naming the tutor (`who`), or the tutor naming the learner, a
;; registered person. The second of the two counts, and pays the tutor from the class's pool; where that refuses, the
;; second word isn't taken and may come again. One word alone changes nothing but who is asked for the other.
(define-public (class-attend (salt (buff 32)) (class (buff 32)) (who principal) (moment uint))
  (attend-class contract-caller (direct-id contract-caller "class-attend" salt) class who moment))

;; The same for a signed `class-attend` (`id` is the action's). Gateway only.
(define-public (class-attend-for (actor principal) (id (buff 32)) (class (buff 32)) (who principal) (moment uint))
  (begin
    (try! (check-gateway))
    (attend-class actor id class who moment)))
