;; dispute-resolution: what happens to the price of a lesson when its two sides disagree.
;;
;; The two sides may settle at any time: each keeps one last offer, and taking the other's ends it; or one member of
;; the panel mediates, and both take that offer. Else, a grace period after the opening, three arbiters from other
;; villages vote for a second one, drawn by a burn header that nobody knew at the opening. When that is over the
;; median decides, a missing vote counting as the default: pay what both attended, refund what not both attended.
;; So every dispute ends, also when everybody disappears, and anybody may say that it did. Holds no money: the vault
;; keeps the price under the lesson's id, and the opener's bond beside it, which the other side gets where the opener
;; comes off with less than half of the price. Hears no story, only shares of the price.

(define-constant ERR-LESSON-UNKNOWN (err u900))
(define-constant ERR-NOT-PARTY (err u901))
(define-constant ERR-OTHER (err u902))
(define-constant ERR-OPENED (err u903))
(define-constant ERR-DISPUTE-UNKNOWN (err u904))
(define-constant ERR-SETTLED (err u905))
(define-constant ERR-SHARE (err u906))
(define-constant ERR-OFFER-EXISTS (err u907))
(define-constant ERR-OFFER-UNKNOWN (err u908))
(define-constant ERR-OFFER-REPLACED (err u909))
(define-constant ERR-OWN-OFFER (err u910))
(define-constant ERR-ACCEPTED (err u911))
(define-constant ERR-NOT-MEDIATOR (err u912))
(define-constant ERR-NOT-ARBITER (err u913))
(define-constant ERR-VOTED (err u914))
(define-constant ERR-TOO-EARLY (err u915))
(define-constant ERR-TOO-LATE (err u916))
(define-constant ERR-VERSION (err u917))

;; Scopes: area dispute, and area money where the act disposes of one's own.
(define-constant SCOPE-DISPUTE u32)
(define-constant SCOPE-MONEY u8)
(define-constant SCOPE-DISPUTE-MONEY u40)
;; More than the cap of any key: a side's word gives away what is locked, which no cap has counted.
(define-constant BEYOND-CAPS u9223372036854775808)

;; Basis points in a whole. Shares are the tutor's: u0 refunds all, BPS pays all.
(define-constant BPS u10000)
(define-constant HALF u5000)
;; Bits of attendance in `session-manager`, and of `accepted` here: u1 the tutor, u2 the student.
(define-constant TUTOR u1)
(define-constant STUDENT u2)
(define-constant BOTH u3)

;; Burn blocks between an opening and the header that draws its arbiters: nobody can choose a moment to open at.
(define-constant DRAW-DELAY u6)
(define-constant ARBITERS u3)

;; How a dispute ended.
(define-constant BY-AGREEMENT u1)
(define-constant BY-VOTE u2)
(define-constant BY-DEFAULT u3)

;; Lesson id -> its parties and their home hubs; who paid, mostly the student; who opened and with which bond; when, and
;; the grace period then; burn height and number of seats at that moment; each side's last offer, the mediator and its
;; last offer, which sides took that (mask); votes so far; and, once over, how (u0 while open) and the tutor's share.
;; Never deleted: a lesson is disputed once.
(define-map disputes (buff 32)
  {
    student: principal, tutor: principal, homes: (list 2 (optional principal)),
    payer: principal, opener: principal, bond: uint, opened-at: uint, grace: uint, burn: uint, seats: uint,
    student-offer: (optional (buff 32)), tutor-offer: (optional (buff 32)),
    mediator: (optional principal), mediator-offer: (optional (buff 32)), accepted: uint,
    votes: (list 3 uint), ended: uint, share: uint
  })

;; Offer id -> the lesson, who made it, and the tutor's share in basis points. Binds nobody by itself.
(define-map offers (buff 32) { lesson: (buff 32), by: principal, share: uint })

;; (lesson, arbiter) -> the vote.
(define-map votes { lesson: (buff 32), arbiter: principal } uint)

;; Disputes opened, and ended in each of the three ways. Never fall.
(define-data-var counts { opened: uint, by-agreement: uint, by-vote: uint, by-default: uint }
  { opened: u0, by-agreement: u0, by-vote: u0, by-default: u0 })

;; ---- questions

;; The record of a dispute, by the lesson's id.
(define-read-only (get-dispute (lesson (buff 32)))
  (map-get? disputes lesson))

;; An offer, whether it still stands or not.
(define-read-only (get-offer (id (buff 32)))
  (map-get? offers id))

;; What an arbiter voted, in basis points to the tutor.
(define-read-only (get-vote (lesson (buff 32)) (arbiter principal))
  (map-get? votes { lesson: lesson, arbiter: arbiter }))

;; Counters for analytics.
(define-read-only (get-counts)
  (let ((sums (var-get counts)))
    (merge sums { settled: (+ (get by-agreement sums) (get by-vote sums) (get by-default sums)) })))

;; Id of the vault's lock that holds the bond of a lesson's dispute.
(define-read-only (bond-id (lesson (buff 32)))
  (sha256 (concat lesson 0x626f6e64)))

;; The arbiters of a dispute, at most three; nobody before its header is known. A pure function of what was true at
;; the opening, and of who mediates; people who left the panel since decide, too. Can be told while votes may come.
(define-read-only (get-arbiters (lesson (buff 32)))
  (match (map-get? disputes lesson)
    dispute (match (get-burn-block-info? header-hash (+ (get burn dispute) DRAW-DELAY))
      header (contract-call? .panel draw-from (concat header lesson) (get seats dispute) (get opened-at dispute)
        (list (get student dispute) (get tutor dispute) (get payer dispute)
          (default-to (get student dispute) (get mediator dispute)))
        (get homes dispute))
      (list))
    (list)))

;; ---- cores: `key` acts, and is resolved to its person first

(define-private (home-of (person principal))
  (match (contract-call? .user-registry get-person person) record (get home record) none))

;; The bond that the mesh asks, or what the person has free where that is less: who has nothing may complain, too.
(define-private (bond-of (person principal) (asset (optional principal)) (price uint))
  (let ((asked (/ (* price (contract-call? .access get-dispute-bond)) BPS))
        (free (get free (contract-call? .payment-escrow get-balance { person: person, asset: asset }))))
    (if (< free asked) free asked)))

(define-private (dispute-open (key principal) (lesson-id (buff 32)) (who (optional principal)) (reason uint))
  (let ((lesson (unwrap! (contract-call? .session-manager get-lesson lesson-id) ERR-LESSON-UNKNOWN))
        (asset (get asset lesson))
        (student (get student lesson))
        (tutor (get tutor lesson))
        (person (try! (contract-call? .user-registry resolve key SCOPE-DISPUTE u0 none)))
        (bond (bond-of person asset (get amount lesson)))
        (grace (contract-call? .access get-grace-seconds))
        (sums (var-get counts)))
    (asserts! (or (is-eq person student) (is-eq person tutor)) ERR-NOT-PARTY)
    (asserts! (match who other (is-eq other (if (is-eq person tutor) student tutor)) true) ERR-OTHER)
    (asserts!
      (map-insert disputes lesson-id
        {
          student: student, tutor: tutor, homes: (list (home-of student) (home-of tutor)),
          payer: (default-to student (get payer (contract-call? .payment-escrow get-lock lesson-id))),
          opener: person, bond: bond, opened-at: stacks-block-time, grace: grace, burn: burn-block-height,
          seats: (try! (contract-call? .panel bind (+ stacks-block-time (* u2 grace)))),
          student-offer: none, tutor-offer: none, mediator: none, mediator-offer: none, accepted: u0,
          votes: (list), ended: u0, share: u0
        })
      ERR-OPENED)
    (var-set counts (merge sums { opened: (+ (get opened sums) u1) }))
    (try! (contract-call? .session-manager dispute-hold lesson-id))
    (and (> bond u0)
      (is-eq person (try! (contract-call? .user-registry resolve key SCOPE-MONEY bond asset)))
      (try! (contract-call? .payment-escrow lock (bond-id lesson-id) person asset bond)))
    (print { event: "dispute-opened", lesson: lesson-id, person: person, reason: reason, bond: bond })
    (ok true)))

;; (ok the record) of a dispute that is not over.
(define-private (get-open (lesson (buff 32)))
  (let ((dispute (unwrap! (map-get? disputes lesson) ERR-DISPUTE-UNKNOWN)))
    (asserts! (is-eq (get ended dispute) u0) ERR-SETTLED)
    (ok dispute)))

;; A side's offer is half of an agreement about money: a frozen person's key makes none, and no key with a cap.
;; Nobody becomes the mediator once voting may have begun, or the arbiters would change under the votes.
(define-private (dispute-offer (key principal) (id (buff 32)) (subject (buff 32)) (share uint))
  (let ((person (try! (contract-call? .user-registry resolve key SCOPE-DISPUTE u0 none)))
        (lesson (match (map-get? offers subject) earlier (get lesson earlier) subject))
        (dispute (try! (get-open lesson)))
        (as-tutor (is-eq person (get tutor dispute)))
        (as-student (is-eq person (get student dispute))))
    (asserts! (<= share BPS) ERR-SHARE)
    (asserts!
      (if (or as-tutor as-student)
        (is-eq person (try! (contract-call? .user-registry resolve key SCOPE-MONEY BEYOND-CAPS none)))
        (and (contract-call? .panel may-mediate person (get homes dispute))
          (match (get mediator dispute)
            mediator (is-eq mediator person)
            (< stacks-block-time (+ (get opened-at dispute) (get grace dispute))))))
      ERR-NOT-MEDIATOR)
    (asserts!
      (is-eq subject
        (default-to lesson
          (if as-tutor (get tutor-offer dispute)
          (if as-student (get student-offer dispute) (get mediator-offer dispute)))))
      ERR-VERSION)
    (asserts! (map-insert offers id { lesson: lesson, by: person, share: share }) ERR-OFFER-EXISTS)
    (map-set disputes lesson
      (if as-tutor (merge dispute { tutor-offer: (some id) })
      (if as-student (merge dispute { student-offer: (some id) })
        (merge dispute { mediator: (some person), mediator-offer: (some id), accepted: u0 }))))
    (print { event: "dispute-offered", lesson: lesson, id: id, person: person, share: share })
    (ok true)))

(define-private (dispute-accept (key principal) (id (buff 32)))
  (let ((person (try! (contract-call? .user-registry resolve key SCOPE-DISPUTE-MONEY BEYOND-CAPS none)))
        (terms (unwrap! (map-get? offers id) ERR-OFFER-UNKNOWN))
        (lesson (get lesson terms))
        (dispute (try! (get-open lesson)))
        (as-tutor (is-eq person (get tutor dispute)))
        (mediated (is-eq (some id) (get mediator-offer dispute)))
        (accepted (if mediated (bit-or (get accepted dispute) (if as-tutor TUTOR STUDENT)) BOTH)))
    (asserts! (or as-tutor (is-eq person (get student dispute))) ERR-NOT-PARTY)
    (asserts! (not (is-eq person (get by terms))) ERR-OWN-OFFER)
    (asserts!
      (or mediated (is-eq (some id) (if as-tutor (get student-offer dispute) (get tutor-offer dispute))))
      ERR-OFFER-REPLACED)
    (asserts! (not (is-eq accepted (get accepted dispute))) ERR-ACCEPTED)
    (map-set disputes lesson (merge dispute { accepted: accepted }))
    (print { event: "dispute-accepted", lesson: lesson, id: id, person: person })
    (if (is-eq accepted BOTH) (finish lesson BY-AGREEMENT (get share terms)) (ok true))))

(define-private (dispute-vote (key principal) (lesson (buff 32)) (share uint) (reason uint))
  (let ((person (try! (contract-call? .user-registry resolve key SCOPE-DISPUTE u0 none)))
        (dispute (try! (get-open lesson)))
        (start (+ (get opened-at dispute) (get grace dispute)))
        (cast (default-to (get votes dispute) (as-max-len? (append (get votes dispute) share) u3))))
    (asserts! (<= share BPS) ERR-SHARE)
    (asserts! (>= stacks-block-time start) ERR-TOO-EARLY)
    (asserts! (<= stacks-block-time (+ start (get grace dispute))) ERR-TOO-LATE)
    (asserts! (is-some (index-of? (get-arbiters lesson) person)) ERR-NOT-ARBITER)
    (asserts! (map-insert votes { lesson: lesson, arbiter: person } share) ERR-VOTED)
    (map-set disputes lesson (merge dispute { votes: cast }))
    (print { event: "dispute-voted", lesson: lesson, person: person, share: share, reason: reason })
    (if (is-decided cast) (decide lesson) (ok true))))

;; ---- the end

;; The middle of three votes, those not cast counting as `missing`.
(define-read-only (median-of (cast (list 3 uint)) (missing uint))
  (let ((a (default-to missing (element-at? cast u0)))
        (b (default-to missing (element-at? cast u1)))
        (c (default-to missing (element-at? cast u2)))
        (low (if (< a b) a b))
        (high (if (< a b) b a)))
    (if (< c low) low (if (> c high) high c))))

;; Whether no further vote can change the median.
(define-private (is-decided (cast (list 3 uint)))
  (or (is-eq (len cast) ARBITERS)
    (and (is-eq (len cast) u2) (is-eq (element-at? cast u0) (element-at? cast u1)))))

;; End with the median. One vote can't outweigh two that are missing, so that this is the default, too.
(define-private (decide (lesson (buff 32)))
  (let ((cast (get votes (try! (get-open lesson))))
        (attended (get attended (unwrap! (contract-call? .session-manager get-lesson lesson) ERR-LESSON-UNKNOWN)))
        (missing (if (is-eq attended BOTH) BPS u0)))
    (finish lesson (if (< (len cast) u2) BY-DEFAULT BY-VOTE) (median-of cast missing))))

;; The bond returns after an agreement, and where the opener's side got at least half of the price: attendances come in
;; late, so what silence would have brought is no measure of who was right to open.
(define-private (finish (lesson (buff 32)) (how uint) (share uint))
  (let ((dispute (try! (get-open lesson)))
        (tutor (get tutor dispute))
        (by-tutor (is-eq (get opener dispute) tutor))
        (bond-back (or (is-eq how BY-AGREEMENT) (if by-tutor (>= share HALF) (<= share HALF)))))
    (map-set disputes lesson (merge dispute { ended: how, share: share }))
    (count-end how)
    (try! (contract-call? .payment-escrow split lesson tutor share))
    (try! (contract-call? .session-manager dispute-end lesson))
    (and (> (get bond dispute) u0)
      (try! (if bond-back (contract-call? .payment-escrow refund (bond-id lesson))
        (contract-call? .payment-escrow release (bond-id lesson) (if by-tutor (get student dispute) tutor)))))
    (print { event: "dispute-settled", lesson: lesson, how: how, share: share, bond-back: bond-back })
    (ok true)))

(define-private (count-end (how uint))
  (let ((sums (var-get counts)))
    (var-set counts
      (if (is-eq how BY-AGREEMENT) (merge sums { by-agreement: (+ (get by-agreement sums) u1) })
      (if (is-eq how BY-VOTE) (merge sums { by-vote: (+ (get by-vote sums) u1) })
        (merge sums { by-default: (+ (get by-default sums) u1) }))))))

(define-private (dispute-settle (lesson (buff 32)))
  (let ((dispute (try! (get-open lesson))))
    (asserts! (> stacks-block-time (+ (get opened-at dispute) (* u2 (get grace dispute)))) ERR-TOO-EARLY)
    (decide lesson)))

;; ---- public forms: from a wallet (the caller acts; ids are derived from a salt), and `-for` the gateway

;; Id of an operation made from a wallet: bound to who made it, so that nobody can take it first.
(define-private (direct-id (actor principal) (op (string-ascii 24)) (salt (buff 32)))
  (sha256 (default-to 0x (to-consensus-buff? { actor: actor, op: op, salt: salt }))))

(define-private (check-gateway)
  (contract-call? .access is-protocol-caller contract-caller "gateway"))

;; A side of a confirmed lesson with a locked price disputes it, once: the price stays where it is until the end, and
;; a bond from the opener's free balance, as far as that goes, beside it. `who`, if named, must be the other side.
;; `reason` is only printed.
(define-public (open (lesson (buff 32)) (who (optional principal)) (reason uint))
  (dispute-open contract-caller lesson who reason))

;; The same for a signed `dispute-open`. Gateway only.
(define-public (open-for (actor principal) (lesson (buff 32)) (who (optional principal)) (reason uint))
  (begin
    (try! (check-gateway))
    (dispute-open actor lesson who reason)))

;; Propose the tutor's share: a side, or a member of the panel from elsewhere, who thereby mediates, first come, and
;; whose next offer must be taken by both sides anew. `subject` is the lesson, or one's own last offer, which this one
;; replaces. Moves nothing.
(define-public (offer (salt (buff 32)) (subject (buff 32)) (share uint))
  (dispute-offer contract-caller (direct-id contract-caller "dispute-offer" salt) subject share))

;; The same for a signed `dispute-offer` (`id` is the action's). Gateway only.
(define-public (offer-for (actor principal) (id (buff 32)) (subject (buff 32)) (share uint))
  (begin
    (try! (check-gateway))
    (dispute-offer actor id subject share)))

;; Take the other side's last offer, which ends the dispute; or the mediator's last, which ends it once both sides
;; did. Can't be taken back.
(define-public (accept (id (buff 32)))
  (dispute-accept contract-caller id))

;; The same for a signed `dispute-accept`. Gateway only.
(define-public (accept-for (actor principal) (id (buff 32)))
  (begin
    (try! (check-gateway))
    (dispute-accept actor id)))

;; An arbiter votes for the tutor's share, once, between one and two grace periods after the opening. Two equal votes
;; or three end the dispute. `reason` is only printed.
(define-public (vote (lesson (buff 32)) (share uint) (reason uint))
  (dispute-vote contract-caller lesson share reason))

;; The same for a signed `dispute-vote`. Gateway only.
(define-public (vote-for (actor principal) (lesson (buff 32)) (share uint) (reason uint))
  (begin
    (try! (check-gateway))
    (dispute-vote actor lesson share reason)))

;; Say that the time to vote is over: anybody, also who is nobody. The votes that came decide, or the default.
(define-public (settle (lesson (buff 32)))
  (dispute-settle lesson))

;; The same for a signed `dispute-settle`, whoever signed it. Gateway only.
(define-public (settle-for (lesson (buff 32)))
  (begin
    (try! (check-gateway))
    (dispute-settle lesson)))
