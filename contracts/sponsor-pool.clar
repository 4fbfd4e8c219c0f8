;; sponsor-pool: a sponsor's money for the lessons of others, paid within weekly caps after both sides attended.
;;
;; A pool's money is one HELD lock in the vault, under the pool's id; what is kept here are its rules. It pays only
;; tutors whom its sponsor admitted, or two strangers could drain it by teaching each other nothing; and never for the
;; sponsor's own lessons. Caps bind the week that a lesson was held in, not the week that it reached the chain: a
;; village that was offline for six weeks settles six weeks at once. Learners need no money and no leave: what a tutor
;; could take with invented ones, the tutor's cap bounds. Who attended, the contracts with the role "pool-payer" know.

(define-constant ERR-POOL-EXISTS (err u1100))
(define-constant ERR-POOL-UNKNOWN (err u1101))
(define-constant ERR-POOL-CLOSED (err u1102))
(define-constant ERR-TERM (err u1103))
(define-constant ERR-CAP (err u1104))
(define-constant ERR-NOT-SPONSOR (err u1105))
(define-constant ERR-OTHER-POOL (err u1106))
(define-constant ERR-RUNNING (err u1107))
(define-constant ERR-SAME-PERSON (err u1108))
(define-constant ERR-NOT-ADMITTED (err u1109))
(define-constant ERR-OUTSIDE-TERM (err u1110))
(define-constant ERR-AHEAD (err u1111))
(define-constant ERR-LEARNER-CAP (err u1112))
(define-constant ERR-TUTOR-CAP (err u1113))
(define-constant ERR-TUTOR-UNKNOWN (err u1114))
(define-constant ERR-TOO-LATE (err u1115))

;; Largest integer of the protocol (2^63-1).
(define-constant INT-MAX u9223372036854775807)
;; Scope that spending needs (area money).
(define-constant SCOPE-MONEY u8)
;; Longest that a pool runs from the moment it is opened or changed: two years, in seconds.
(define-constant TERM-SECONDS-MAX u63072000)
;; A week of the caps, in seconds. Weeks are counted from the Unix epoch, so each begins on a Thursday.
(define-constant WEEK-SECONDS u604800)
;; How long after its start a lesson is paid: 180 days, for a village that was long offline and a claim after that.
;; Without it, invented learners could fill every past week of the term up to its caps at one sitting.
(define-constant LATE-SECONDS u15552000)
;; What a pool waits for besides grace periods before it may close: 14 days, to bring a claim that is due here.
(define-constant CLOSE-SECONDS u1209600)

;; Pool id -> who gave it; what a learner may cost and a tutor may earn in a week; the term that a lesson's start must
;; lie in; whether it may still pay. What is left is the lock's amount, in the vault.
(define-map pools (buff 32)
  {
    sponsor: principal, asset: (optional principal), learner-cap: uint, tutor-cap: uint, from: uint, until: uint,
    open: bool
  })

;; (pool, tutor) -> may be paid from it. Says nothing about how good a tutor is.
(define-map tutors { pool: (buff 32), tutor: principal } bool)

;; (pool, person, week, side) -> base units paid for that person's lessons of that week. Never falls.
(define-map paid { pool: (buff 32), person: principal, week: uint, as-tutor: bool } uint)

;; Pools opened and closed, and lessons paid. Never fall.
(define-data-var counts { opened: uint, closed: uint, payments: uint } { opened: u0, closed: u0, payments: u0 })

;; ---- questions

;; The rules of a pool, if it was opened. What is left in it is `payment-escrow.get-lock` of the same id.
(define-read-only (get-pool (id (buff 32)))
  (map-get? pools id))

;; Whether a pool pays this tutor's lessons.
(define-read-only (is-tutor (pool (buff 32)) (tutor principal))
  (default-to false (map-get? tutors { pool: pool, tutor: tutor })))

;; What a pool paid for a person's lessons of one week (start / 604,800), as tutor or as learner.
(define-read-only (get-paid (pool (buff 32)) (person principal) (week uint) (as-tutor bool))
  (default-to u0 (map-get? paid { pool: pool, person: person, week: week, as-tutor: as-tutor })))

;; Counters for analytics. What was paid, per asset, is part of `payment-escrow.get-volume`.
(define-read-only (get-counts)
  (var-get counts))

;; ---- checks

(define-private (check-caps (learner-cap uint) (tutor-cap uint))
  (ok (asserts!
    (and (> learner-cap u0) (<= learner-cap INT-MAX) (> tutor-cap u0) (<= tutor-cap INT-MAX))
    ERR-CAP)))

(define-private (get-open (id (buff 32)))
  (let ((pool (unwrap! (map-get? pools id) ERR-POOL-UNKNOWN)))
    (asserts! (get open pool) ERR-POOL-CLOSED)
    (ok pool)))

;; (ok pool) when the key that calls is the sponsor's, and the pool is open.
(define-private (get-own (id (buff 32)))
  (let ((person (try! (contract-call? .user-registry resolve contract-caller SCOPE-MONEY u0 none)))
        (pool (try! (get-open id))))
    (asserts! (is-eq person (get sponsor pool)) ERR-NOT-SPONSOR)
    (ok pool)))

;; ---- the sponsor, from a wallet

;; Id of an operation made from a wallet: bound to who made it, so that nobody can take it first.
(define-private (direct-id (actor principal) (op (string-ascii 24)) (salt (buff 32)))
  (sha256 (default-to 0x (to-consensus-buff? { actor: actor, op: op, salt: salt }))))

;; Open a pool with `amount` of the caller's free balance: for lessons that start within `from` and `until` (Unix
;; seconds; may lie in the past), of tutors to be admitted. Nobody gets it back before `pool-close`, the sponsor
;; neither.
(define-public (pool-open (salt (buff 32)) (asset (optional principal)) (amount uint) (learner-cap uint)
    (tutor-cap uint) (from uint) (until uint))
  (let ((sponsor (try! (contract-call? .user-registry resolve contract-caller SCOPE-MONEY amount asset)))
        (id (direct-id contract-caller "pool-open" salt))
        (sums (var-get counts)))
    (try! (check-caps learner-cap tutor-cap))
    (asserts! (and (<= from until) (<= until (+ stacks-block-time TERM-SECONDS-MAX))) ERR-TERM)
    (asserts!
      (map-insert pools id
        {
          sponsor: sponsor, asset: asset, learner-cap: learner-cap, tutor-cap: tutor-cap, from: from, until: until,
          open: true
        })
      ERR-POOL-EXISTS)
    (try! (contract-call? .payment-escrow lock id sponsor asset amount))
    (var-set counts (merge sums { opened: (+ (get opened sums) u1) }))
    (print { event: "pool-opened", id: id, sponsor: sponsor, asset: asset, amount: amount, learner-cap: learner-cap,
      tutor-cap: tutor-cap, from: from, until: until })
    (ok true)))

;; Change the caps, and let the pool run longer. The sponsor only. Takes effect at once, for lessons not paid yet, too;
;; `until` never moves back, since lessons were promised under it.
(define-public (pool-change (pool (buff 32)) (learner-cap uint) (tutor-cap uint) (until uint))
  (let ((entry (try! (get-own pool)))
        (before (get until entry)))
    (try! (check-caps learner-cap tutor-cap))
    (asserts!
      (or (is-eq until before) (and (> until before) (<= until (+ stacks-block-time TERM-SECONDS-MAX))))
      ERR-TERM)
    (map-set pools pool (merge entry { learner-cap: learner-cap, tutor-cap: tutor-cap, until: until }))
    (print { event: "pool-changed", id: pool, learner-cap: learner-cap, tutor-cap: tutor-cap, until: until })
    (ok true)))

;; Admit a tutor, or dismiss one. The sponsor only. The tutor is named by any key of a registered person: one that is
;; nobody's yet may become somebody's second, and its admission would reach nobody. Dismissal takes effect at once, for
;; lessons not paid yet, too: it is what stops a fraud.
(define-public (pool-tutor-set (pool (buff 32)) (tutor principal) (on bool))
  (let ((person (contract-call? .user-registry person-of tutor)))
    (try! (get-own pool))
    (asserts! (is-some (contract-call? .user-registry get-person person)) ERR-TUTOR-UNKNOWN)
    (map-set tutors { pool: pool, tutor: person } on)
    (print { event: "pool-tutor-set", id: pool, tutor: person, on: on })
    (ok true)))

;; ---- anybody

(define-private (fund-pool (key principal) (id (buff 32)) (sponsor principal) (asset (optional principal))
    (amount uint))
  (let ((person (try! (contract-call? .user-registry resolve key SCOPE-MONEY amount asset)))
        (pool (try! (get-open id))))
    (asserts! (and (is-eq sponsor (get sponsor pool)) (is-eq asset (get asset pool))) ERR-OTHER-POOL)
    (try! (contract-call? .payment-escrow add id person amount))
    (print { event: "pool-funded", id: id, person: person, asset: asset, amount: amount })
    (ok true)))

;; Put own free money into an open pool, naming its sponsor and asset. Gives no claim: what is not paid out is the
;; sponsor's in the end.
(define-public (pool-fund (pool (buff 32)) (sponsor principal) (asset (optional principal)) (amount uint))
  (fund-pool contract-caller pool sponsor asset amount))

;; The same for a signed `escrow-lock` with bits 1. Gateway only.
(define-public (pool-fund-for (actor principal) (pool (buff 32)) (sponsor principal) (asset (optional principal))
    (amount uint))
  (begin
    (try! (contract-call? .access is-protocol-caller contract-caller "gateway"))
    (fund-pool actor pool sponsor asset amount)))

;; End a pool after `until` and the time in which its last lessons may come: a grace period to reach the chain, another
;; until they can be claimed, and CLOSE-SECONDS to do so. What is left is the sponsor's again. Anybody may, so that no
;; money stays behind a lost key.
(define-public (pool-close (pool (buff 32)))
  (let ((entry (try! (get-open pool)))
        (sums (var-get counts)))
    (asserts!
      (> stacks-block-time
        (+ (get until entry) (* u2 (contract-call? .access get-grace-seconds)) CLOSE-SECONDS))
      ERR-RUNNING)
    (map-set pools pool (merge entry { open: false }))
    (var-set counts (merge sums { closed: (+ (get closed sums) u1) }))
    (try! (contract-call? .payment-escrow refund pool))
    (print { event: "pool-closed", id: pool, sponsor: (get sponsor entry) })
    (ok true)))

;; ---- paying

;; Add to what a person's lessons of a week cost the pool, as far as the cap goes; whether it did. Subtracts, since a
;; sum with a hostile amount could overflow, and asks first, since a cap may have been lowered below what was paid.
(define-private (count-towards (key { pool: (buff 32), person: principal, week: uint, as-tutor: bool }) (amount uint)
    (cap uint))
  (let ((sum (default-to u0 (map-get? paid key))))
    (and (<= sum cap) (<= amount (- cap sum)) (map-set paid key (+ sum amount)))))

;; Pay a lesson or an attendance from a pool, once under `id`. Role "pool-payer", which knows that both sides attended.
;; `start` is the lesson's, and must lie in the pool's term, not ahead of the chain's time and not too long ago.
(define-public (pay (pool (buff 32)) (id (buff 32)) (learner principal) (tutor principal) (asset (optional principal))
    (amount uint) (start uint))
  (begin
    (try! (contract-call? .access is-protocol-caller contract-caller "pool-payer"))
    (let ((entry (try! (get-open pool)))
          (sponsor (get sponsor entry))
          (week (/ start WEEK-SECONDS))
          (sums (var-get counts)))
      (asserts! (is-eq asset (get asset entry)) ERR-OTHER-POOL)
      (asserts! (not (or (is-eq learner tutor) (is-eq learner sponsor) (is-eq tutor sponsor))) ERR-SAME-PERSON)
      (asserts! (is-tutor pool tutor) ERR-NOT-ADMITTED)
      (asserts! (and (>= start (get from entry)) (<= start (get until entry))) ERR-OUTSIDE-TERM)
      (asserts! (<= start stacks-block-time) ERR-AHEAD)
      (asserts! (<= (- stacks-block-time start) LATE-SECONDS) ERR-TOO-LATE)
      (asserts!
        (count-towards { pool: pool, person: learner, week: week, as-tutor: false } amount (get learner-cap entry))
        ERR-LEARNER-CAP)
      (asserts!
        (count-towards { pool: pool, person: tutor, week: week, as-tutor: true } amount (get tutor-cap entry))
        ERR-TUTOR-CAP)
      (try! (contract-call? .payment-escrow draw pool id amount))
      (try! (contract-call? .payment-escrow release id tutor))
      (var-set counts (merge sums { payments: (+ (get payments sums) u1) }))
      (print { event: "pool-paid", pool: pool, id: id, learner: learner, tutor: tutor, asset: asset, amount: amount,
        week: week })
      (ok true))))
