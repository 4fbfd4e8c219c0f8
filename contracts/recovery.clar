;; recovery: guardians, who help a person whose every key is lost or stolen to a new one.
;;
;; A new key asks; guardians approve; from their threshold on the recovery runs, the person is frozen, and after a delay
;; anybody may finish it. Whoever still holds a lasting key of the person may object until then: the owner stops
;; guardians who conspire, and a thief with the phone is stopped by all of three guardians or more, to whom nobody can
;; object. Guardians change slowly, so that a thief can't replace them before they act. Holds no key: those are
;; `user-registry`'s. Being a guardian gives no other right over a person, and nothing here moves money.

(define-constant ERR-TERMS (err u1300))
(define-constant ERR-NOT-LASTING (err u1301))
(define-constant ERR-VERSION (err u1302))
(define-constant ERR-PERSON-UNKNOWN (err u1303))
(define-constant ERR-GUARDIAN (err u1304))
(define-constant ERR-ID-USED (err u1305))
(define-constant ERR-RECOVERY-UNKNOWN (err u1306))
(define-constant ERR-PERSON (err u1307))
(define-constant ERR-OVER (err u1308))
(define-constant ERR-NOT-GUARDIAN (err u1309))
(define-constant ERR-APPROVED (err u1310))
(define-constant ERR-CANCELLED (err u1311))
(define-constant ERR-UNANIMOUS (err u1312))
(define-constant ERR-NOT-DUE (err u1313))

(define-constant SCOPE-IDENTITY u1)
(define-constant NO-ID 0x0000000000000000000000000000000000000000000000000000000000000000)
(define-constant SLOTS (list u0 u1 u2 u3 u4))
;; How many guardians, all agreeing, nobody can object to. Fewer could take a person over at will.
(define-constant UNANIMOUS-MIN u3)
;; Bounds of the delay of a recovery, in seconds: a week, and a year.
(define-constant DELAY-SECONDS-MIN u604800)
(define-constant DELAY-SECONDS-MAX u31536000)
;; The circle of somebody who named no guardian: it can recover nobody.
(define-constant NOBODY { guardians: (list none none none none none), threshold: u1, delay: u0 })

;; Person -> id of the newest change of its circle of guardians (after a recovery, that recovery's); the circle after
;; that change and before it; chain time from which `now` counts. Guardians are persons, by slot; `threshold` of them
;; start a recovery; `delay` is its length in seconds, u0 for the mesh's grace period.
(define-map circles principal
  { head: (buff 32), from: uint,
    now: { guardians: (list 5 (optional principal)), threshold: uint, delay: uint },
    before: { guardians: (list 5 (optional principal)), threshold: uint, delay: uint } })

;; Id of a recovery -> the person, the new key, the person's epoch when it was opened (in a later one it is over), the
;; guardians who approved, whether the person objected; the circle as it was when as many had approved as it takes,
;; which no later change of guardians overtakes; from when it runs, chain time at which it may finish. It runs while
;; the person's record names it.
(define-map recoveries (buff 32)
  { person: principal, key: principal, epoch: uint, approvals: (list 5 principal), cancelled: bool, due: uint,
    circle: (optional { guardians: (list 5 (optional principal)), threshold: uint, delay: uint }) })

;; ---- questions

;; The circle of guardians of a person that counts now, not one that still waits: { guardians, threshold, delay }.
(define-read-only (get-guardians (person principal))
  (match (map-get? circles person)
    record (if (>= stacks-block-time (get from record)) (get now record) (get before record))
    NOBODY))

;; The newest change of a person's circle, whether it counts yet or not; its head is what the next must name.
(define-read-only (get-guardian-change (person principal))
  (map-get? circles person))

;; Whether `guardian` (a person, no key) is a guardian of a person that counts now.
(define-read-only (is-guardian (person principal) (guardian principal))
  (is-some (index-of? (get guardians (get-guardians person)) (some guardian))))

;; A recovery by its id, whatever became of it.
(define-read-only (get-recovery (recovery (buff 32)))
  (map-get? recoveries recovery))

;; ---- circles

(define-private (is-filled (slot (optional principal)))
  (is-some slot))

(define-private (size (circle { guardians: (list 5 (optional principal)), threshold: uint, delay: uint }))
  (len (filter is-filled (get guardians circle))))

;; Whether there are as many guardians as it takes.
(define-private (is-usable (circle { guardians: (list 5 (optional principal)), threshold: uint, delay: uint }))
  (>= (size circle) (get threshold circle)))

;; One place of a circle after the other, and `guardian` in the one that changes. (`replace-at?` aborts on a list of
;; nones: measured.)
(define-private (place (at uint) (sum { before: (list 5 (optional principal)), slot: uint,
    guardian: (optional principal), now: (list 5 (optional principal)) }))
  (let ((who (if (is-eq at (get slot sum)) (get guardian sum) (default-to none (element-at? (get before sum) at)))))
    (merge sum { now: (default-to (get now sum) (as-max-len? (append (get now sum) who) u5)) })))

(define-private (seconds-of (delay uint))
  (if (is-eq delay u0) (contract-call? .access get-grace-seconds) delay))

(define-private (set-guardian (actor principal) (id (buff 32)) (previous (buff 32)) (guardian (optional principal))
    (threshold uint) (delay uint) (slot uint))
  (let ((person (try! (contract-call? .user-registry resolve actor SCOPE-IDENTITY u0 none)))
        (change (default-to { head: NO-ID, from: u0, now: NOBODY, before: NOBODY } (map-get? circles person)))
        (current (get-guardians person))
        (guardians (get guardians (get now change)))
        (circle { threshold: threshold, delay: delay,
          guardians: (get now (fold place SLOTS { before: guardians, slot: slot, guardian: guardian, now: (list) })) })
        ;; At once where nobody could have helped; else so late that those who can are able to act before.
        (from (+ stacks-block-time (if (is-usable current) (seconds-of (get delay current)) u0))))
    (asserts!
      (and (< slot (len SLOTS)) (> threshold u0) (<= threshold (len SLOTS))
        (or (is-eq delay u0) (and (>= delay DELAY-SECONDS-MIN) (<= delay DELAY-SECONDS-MAX))))
      ERR-TERMS)
    ;; Guardians can bring a key that does everything: only a key that does everything may choose them.
    (asserts! (contract-call? .user-registry is-lasting actor) ERR-NOT-LASTING)
    (asserts! (is-eq previous (get head change)) ERR-VERSION)
    (match guardian who
      (begin
        (asserts! (is-some (contract-call? .user-registry get-person who)) ERR-PERSON-UNKNOWN)
        (asserts!
          (and (not (is-eq who person)) (is-eq slot (default-to slot (index-of? guardians guardian))))
          ERR-GUARDIAN))
      true)
    (map-set circles person { head: id, from: from, now: circle, before: current })
    (try! (contract-call? .user-registry set-guarded person (is-usable circle)))
    (print { event: "guardian-set", id: id, person: person, guardian: guardian, threshold: threshold, delay: delay,
      slot: slot, from: from })
    (ok true)))

;; ---- recoveries

(define-private (open-recovery (actor principal) (id (buff 32)) (person principal))
  (let ((record (unwrap! (contract-call? .user-registry get-person person) ERR-PERSON-UNKNOWN)))
    (try! (contract-call? .user-registry check-new actor))
    (asserts!
      (map-insert recoveries id { person: person, key: actor, epoch: (get epoch record), approvals: (list),
        cancelled: false, due: u0, circle: none })
      ERR-ID-USED)
    (print { event: "recovery-opened", id: id, person: person, key: actor })
    (ok true)))

;; (ok { recovery, runs }) of a recovery of `person` that is not over.
(define-private (check-live (id (buff 32)) (person principal))
  (let ((recovery (unwrap! (map-get? recoveries id) ERR-RECOVERY-UNKNOWN))
        (record (unwrap! (contract-call? .user-registry get-person (get person recovery)) ERR-PERSON-UNKNOWN)))
    (asserts! (is-eq person (get person recovery)) ERR-PERSON)
    (asserts! (is-eq (get epoch recovery) (get epoch record)) ERR-OVER)
    (ok { recovery: recovery, runs: (is-eq (get recovery record) (some id)) })))

;; Those of a circle who approved, in the order of their slots: who left it counts no more.
(define-private (keep-approved (slot (optional principal)) (sum { said: (list 6 principal), kept: (list 5 principal) }))
  (match slot guardian
    (if (is-some (index-of? (get said sum) guardian))
      (merge sum { kept: (default-to (get kept sum) (as-max-len? (append (get kept sum) guardian) u5)) })
      sum)
    sum))

;; Whether enough guardians to be trusted blindly approved, and none is missing.
(define-private (is-unanimous (approvals (list 5 principal))
    (circle { guardians: (list 5 (optional principal)), threshold: uint, delay: uint }))
  (and (>= (len approvals) UNANIMOUS-MIN) (is-eq (len approvals) (size circle))))

(define-private (approve (actor principal) (id (buff 32)) (person principal))
  (let ((guardian (try! (contract-call? .user-registry resolve actor SCOPE-IDENTITY u0 none)))
        (found (try! (check-live id person)))
        (recovery (get recovery found))
        (circle (default-to (get-guardians person) (get circle recovery)))
        (approvals (get kept (fold keep-approved (get guardians circle)
          { said: (append (get approvals recovery) guardian), kept: (list) })))
        ;; An objection stands against a threshold and falls when the last guardian joins, whoever came first: the
        ;; thief, who holds a phone and not a village, would win every race.
        (enough (>= (len approvals) (get threshold circle)))
        (starts (and enough (not (get runs found))
          (or (not (get cancelled recovery)) (is-unanimous approvals circle))))
        (due (if starts (+ stacks-block-time (seconds-of (get delay circle))) (get due recovery))))
    (asserts! (is-some (index-of? (get guardians circle) (some guardian))) ERR-NOT-GUARDIAN)
    (asserts! (is-none (index-of? (get approvals recovery) guardian)) ERR-APPROVED)
    (and starts (try! (contract-call? .user-registry freeze person id (get key recovery))))
    (map-set recoveries id
      (merge recovery { approvals: approvals, due: due, circle: (if enough (some circle) none) }))
    (print { event: "recovery-approved", id: id, person: person, guardian: guardian, approvals: (len approvals),
      runs: (or starts (get runs found)), due: due })
    (ok true)))

(define-private (cancel (actor principal) (id (buff 32)) (person principal))
  (let ((found (try! (check-live id person)))
        (recovery (get recovery found))
        (runs (get runs found)))
    (asserts! (is-eq person (try! (contract-call? .user-registry speaks-for actor SCOPE-IDENTITY))) ERR-PERSON)
    ;; Recovery is the help against thieves: a lesser key that they got hold of must not stop it.
    (asserts! (contract-call? .user-registry is-lasting actor) ERR-NOT-LASTING)
    (asserts! (or runs (not (get cancelled recovery))) ERR-CANCELLED)
    (asserts! (not (and runs (is-unanimous (get approvals recovery) (default-to NOBODY (get circle recovery)))))
      ERR-UNANIMOUS)
    (and runs (try! (contract-call? .user-registry unfreeze person (get key recovery))))
    (map-set recoveries id (merge recovery { cancelled: true }))
    (print { event: "recovery-cancelled", id: id, person: person, by: actor })
    (ok true)))

(define-private (finish (id (buff 32)) (person principal))
  (let ((found (try! (check-live id person)))
        (recovery (get recovery found))
        (circle (default-to NOBODY (get circle recovery))))
    (asserts! (and (get runs found) (>= stacks-block-time (get due recovery))) ERR-NOT-DUE)
    ;; Changes that a thief began are dropped: the circle is the one that recovered the person.
    (map-set circles person { head: id, from: u0, now: circle, before: circle })
    (try! (contract-call? .user-registry renew person id))
    (print { event: "recovery-finished", id: id, person: person, key: (get key recovery) })
    (ok true)))

;; ---- public forms: from a wallet (the caller acts; ids are derived from a salt), and `-for` the gateway

;; Id of an operation made from a wallet: bound to who made it, so that nobody can take it first.
(define-private (direct-id (actor principal) (op (string-ascii 24)) (salt (buff 32)))
  (sha256 (default-to 0x (to-consensus-buff? { actor: actor, op: op, salt: salt }))))

(define-private (check-gateway)
  (contract-call? .access is-protocol-caller contract-caller "gateway"))

;; Put a guardian (or none) into one of the slots u0 to u4, and say how many guardians start a recovery and how long it
;; takes; a change says all three anew. `previous` is the newest such change (zeros at first, or the last recovery).
;; Counts at once where the circle before could recover nobody, else after that circle's delay. Needs a key with every
;; scope, no cap and no end. Asks nobody's consent: a guardian who doesn't want to, just never approves.
(define-public (guardian-set (salt (buff 32)) (previous (buff 32)) (guardian (optional principal)) (threshold uint)
    (delay uint) (slot uint))
  (set-guardian contract-caller (direct-id contract-caller "guardian-set" salt) previous guardian threshold delay
    slot))

;; The same for a signed `guardian-set` (`id` is the action's). Gateway only.
(define-public (guardian-set-for (actor principal) (id (buff 32)) (previous (buff 32)) (guardian (optional principal))
    (threshold uint) (delay uint) (slot uint))
  (begin
    (try! (check-gateway))
    (set-guardian actor id previous guardian threshold delay slot)))

;; Ask that the key that calls, which nobody has, should become a person's. Does nothing by itself.
(define-public (recovery-open (salt (buff 32)) (person principal))
  (open-recovery contract-caller (direct-id contract-caller "recovery-open" salt) person))

;; The same for a signed `recovery-open` (`id` is the action's). Gateway only.
(define-public (recovery-open-for (actor principal) (id (buff 32)) (person principal))
  (begin
    (try! (check-gateway))
    (open-recovery actor id person)))

;; A guardian agrees, once. From the threshold on the recovery runs; guardians who agree while it runs still count, for
;; what all of them agree to can't be cancelled.
(define-public (recovery-approve (recovery (buff 32)) (person principal))
  (approve contract-caller recovery person))

;; The same for a signed `recovery-approve`. Gateway only.
(define-public (recovery-approve-for (actor principal) (recovery (buff 32)) (person principal))
  (begin
    (try! (check-gateway))
    (approve actor recovery person)))

;; The person objects, by any live lasting key, frozen or not. The recovery stops, and starts again only when every
;; guardian (three or more) approved it; to that nobody can object.
(define-public (recovery-cancel (recovery (buff 32)) (person principal))
  (cancel contract-caller recovery person))

;; The same for a signed `recovery-cancel`. Gateway only.
(define-public (recovery-cancel-for (actor principal) (recovery (buff 32)) (person principal))
  (begin
    (try! (check-gateway))
    (cancel actor recovery person)))

;; End a recovery whose delay is over, whoever calls: every older key is void, the new one does all, nothing is frozen.
;; Moves no money, which is the person's as before.
(define-public (recovery-finish (recovery (buff 32)) (person principal))
  (finish recovery person))

;; The same for a signed `recovery-finish`. Gateway only.
(define-public (recovery-finish-for (recovery (buff 32)) (person principal))
  (begin
    (try! (check-gateway))
    (finish recovery person)))
