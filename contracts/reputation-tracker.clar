;; reputation-tracker: blind ratings of lessons that both sides attended, and their totals.
;;
;; Each side first seals its rating (a hash), then opens it. An opening counts once the other side has sealed, or has
;; been silent for the grace period and thereby lost its turn, so neither can answer the other's stars. What counts is
;; that both attended, however the lesson's price was settled. Keeps counts and sums, never an average alone, and says
;; how many persons they came from; holds no text, and weighs no rating by who gave it: whoever reads it may.

(define-constant ERR-LESSON-UNKNOWN (err u800))
(define-constant ERR-NOT-ATTENDED (err u801))
(define-constant ERR-NOT-PARTY (err u802))
(define-constant ERR-OTHER (err u803))
(define-constant ERR-SEALED (err u804))
(define-constant ERR-NOT-SEALED (err u805))
(define-constant ERR-STARS (err u806))
(define-constant ERR-SEAL-DIFFERS (err u807))
(define-constant ERR-OPENED (err u808))
(define-constant ERR-OTHER-NOT-SEALED (err u809))
(define-constant ERR-OTHER-OPENED (err u810))

;; Scope that rating needs (area reputation).
(define-constant SCOPE-REPUTATION u16)
;; `attended` of a lesson that both sides attended.
(define-constant ATTENDED-BOTH u3)
(define-constant STARS-MIN u1)
(define-constant STARS-MAX u5)

;; (lesson, rater) -> whom it rates, and whether as the tutor; the seal and the chain time it came; stars (0 while
;; sealed) and tags (mask).
(define-map ratings { lesson: (buff 32), rater: principal }
  { rated: principal, of-tutor: bool, seal: (buff 32), sealed-at: uint, stars: uint, tags: uint })

;; Person -> number and sum of stars, and how many persons gave them, as a tutor and as a student apart. An average is
;; stars / count; few raters of many ratings are a sign of friends who rate each other.
(define-map totals principal
  { tutor-count: uint, tutor-stars: uint, tutor-raters: uint,
    student-count: uint, student-stars: uint, student-raters: uint })

;; (who rated, whom, whether as the tutor) -> number and sum of stars that one person gave another.
(define-map pairs { rater: principal, rated: principal, of-tutor: bool } { count: uint, stars: uint })

;; Ratings opened. Never falls.
(define-data-var opened-count uint u0)

;; ---- questions

;; The rating of a lesson by one person, sealed or opened.
(define-read-only (get-rating (lesson (buff 32)) (rater principal))
  (map-get? ratings { lesson: lesson, rater: rater }))

;; What a person was given, in counts and sums. Zeros for whom nobody rated.
(define-read-only (get-totals (person principal))
  (default-to
    { tutor-count: u0, tutor-stars: u0, tutor-raters: u0, student-count: u0, student-stars: u0, student-raters: u0 }
    (map-get? totals person)))

;; What one person gave another, as the tutor or as the student, in all their lessons.
(define-read-only (get-pair (rater principal) (rated principal) (of-tutor bool))
  (default-to { count: u0, stars: u0 } (map-get? pairs { rater: rater, rated: rated, of-tutor: of-tutor })))

;; Counters for analytics.
(define-read-only (get-counts)
  { opened: (var-get opened-count) })

;; The seal of a rating: the sha256 that `rating-seal` must carry for a `rating-open` with these fields.
(define-read-only (seal-of (subject (buff 32)) (stars uint) (tags uint) (content (buff 32)))
  (sha256 (default-to 0x (to-consensus-buff? { amount: stars, bits: tags, content: content, subject: subject }))))

;; ---- cores

(define-private (seal-rating (key principal) (lesson-id (buff 32)) (other principal) (seal (buff 32)))
  (let ((person (try! (contract-call? .user-registry resolve key SCOPE-REPUTATION u0 none)))
        (lesson (unwrap! (contract-call? .session-manager get-lesson lesson-id) ERR-LESSON-UNKNOWN))
        (by-student (is-eq person (get student lesson))))
    (asserts! (or by-student (is-eq person (get tutor lesson))) ERR-NOT-PARTY)
    (asserts! (is-eq other (if by-student (get tutor lesson) (get student lesson))) ERR-OTHER)
    (asserts! (is-eq (get attended lesson) ATTENDED-BOTH) ERR-NOT-ATTENDED)
    (asserts! (not (is-open lesson-id other)) ERR-OTHER-OPENED)
    (asserts!
      (map-insert ratings { lesson: lesson-id, rater: person }
        { rated: other, of-tutor: by-student, seal: seal, sealed-at: stacks-block-time, stars: u0, tags: u0 })
      ERR-SEALED)
    (print { event: "rating-sealed", lesson: lesson-id, rater: person, rated: other, seal: seal })
    (ok true)))

;; Whether a person's rating of a lesson can be read already.
(define-private (is-open (lesson-id (buff 32)) (rater principal))
  (> (default-to u0 (get stars (map-get? ratings { lesson: lesson-id, rater: rater }))) u0))

;; Whether an opening may count now: the other side sealed, or was silent for the grace period.
(define-private (check-blind (lesson-id (buff 32)) (other principal) (sealed-at uint))
  (ok (asserts!
    (or (is-some (map-get? ratings { lesson: lesson-id, rater: other }))
      (> stacks-block-time (+ sealed-at (contract-call? .access get-grace-seconds))))
    ERR-OTHER-NOT-SEALED)))

(define-private (open-rating (key principal) (lesson-id (buff 32)) (other principal) (stars uint) (tags uint)
    (content (buff 32)))
  (let ((person (try! (contract-call? .user-registry resolve key SCOPE-REPUTATION u0 none)))
        (rating (unwrap! (map-get? ratings { lesson: lesson-id, rater: person }) ERR-NOT-SEALED)))
    (asserts! (is-eq other (get rated rating)) ERR-OTHER)
    (asserts! (is-eq (get stars rating) u0) ERR-OPENED)
    (asserts! (and (>= stars STARS-MIN) (<= stars STARS-MAX)) ERR-STARS)
    (asserts! (is-eq (seal-of lesson-id stars tags content) (get seal rating)) ERR-SEAL-DIFFERS)
    (try! (check-blind lesson-id other (get sealed-at rating)))
    (map-set ratings { lesson: lesson-id, rater: person } (merge rating { stars: stars, tags: tags }))
    (add-stars person other (get of-tutor rating) stars)
    (var-set opened-count (+ (var-get opened-count) u1))
    (print { event: "rating-opened", lesson: lesson-id, rater: person, rated: other, stars: stars, tags: tags,
      content: content })
    (ok true)))

(define-private (add-stars (rater principal) (rated principal) (of-tutor bool) (stars uint))
  (let ((sums (get-totals rated))
        (pair (get-pair rater rated of-tutor))
        (new (if (is-eq (get count pair) u0) u1 u0)))
    (map-set pairs { rater: rater, rated: rated, of-tutor: of-tutor }
      { count: (+ (get count pair) u1), stars: (+ (get stars pair) stars) })
    (map-set totals rated
      (if of-tutor
        (merge sums { tutor-count: (+ (get tutor-count sums) u1), tutor-stars: (+ (get tutor-stars sums) stars),
          tutor-raters: (+ (get tutor-raters sums) new) })
        (merge sums { student-count: (+ (get student-count sums) u1), student-stars: (+ (get student-stars sums) stars),
          student-raters: (+ (get student-raters sums) new) })))))

;; ---- public forms

;; Seal a rating of the other side of a lesson that both attended. Once per lesson and rater; it cannot be changed.
(define-public (rating-seal (lesson (buff 32)) (other principal) (seal (buff 32)))
  (seal-rating contract-caller lesson other seal))

;; The same for a signed `rating-seal`. Gateway only.
(define-public (rating-seal-for (actor principal) (lesson (buff 32)) (other principal) (seal (buff 32)))
  (begin
    (try! (contract-call? .access is-protocol-caller contract-caller "gateway"))
    (seal-rating actor lesson other seal)))

;; Open one's sealed rating: 1 to 5 stars, tags (mask), hash of the review text. It must match the seal.
(define-public (rating-open (lesson (buff 32)) (other principal) (stars uint) (tags uint) (content (buff 32)))
  (open-rating contract-caller lesson other stars tags content))

;; The same for a signed `rating-open`. Gateway only.
(define-public (rating-open-for (actor principal) (lesson (buff 32)) (other principal) (stars uint) (tags uint)
    (content (buff 32)))
  (begin
    (try! (contract-call? .access is-protocol-caller contract-caller "gateway"))
    (open-rating actor lesson other stars tags content)))
