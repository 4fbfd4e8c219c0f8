;; action-gateway: signed actions, many in one transaction, each with its own result.
;;
;; Anybody may submit: what an action may do follows from its signature alone, never from who carried it. For each
;; item: compute the id, recover the signer, compare it with the author, check range, replay, withdrawal, expiry and
;; columns, then call the one contract that knows the kind. An action is spent only when it succeeded; a refusal is a
;; code, costs nobody else, and the same action may come again. Holds no money and no rule of any kind. Does not ask for
;; low-S signatures: an id does not cover the signature, so a second signature of an action is only its replay.

(use-trait sip-010 .sip-010-trait.sip-010-trait)

;; Codes of an item. Codes from u100 up are the error of the contract that refused.
(define-constant CODE-DONE u0)
(define-constant CODE-SIGNATURE u1)
(define-constant CODE-AUTHOR u2)
(define-constant CODE-RANGE u3)
(define-constant CODE-SPENT u4)
(define-constant CODE-EXPIRED u5)
(define-constant CODE-UNKNOWN-KIND u6)
(define-constant CODE-TOKEN-BATCH u8)
(define-constant CODE-OTHER-TOKEN u9)
(define-constant CODE-LENGTH u10)
(define-constant CODE-VOIDED u11)
(define-constant CODE-COLUMNS u12)
(define-constant CODE-DONE-BEFORE u13)

;; Largest integer of the protocol (2^63-1): no field of a statement may exceed it.
(define-constant INT-MAX u9223372036854775807)

;; A subject that names nothing, and a content that is none.
(define-constant ZEROS 0x0000000000000000000000000000000000000000000000000000000000000000)

;; Areas of the catalogue of kinds; each is also the bit of its scope in `user-registry`.
(define-constant IDENTITY u1)
(define-constant MARKET u2)
(define-constant LESSON u4)
(define-constant MONEY u8)
(define-constant REPUTATION u16)
(define-constant DISPUTE u32)

;; Bits of an `escrow-lock`: what the sum is set aside for.
(define-constant FOR-LESSON u0)
(define-constant FOR-POOL u1)
(define-constant FOR-TUTOR u2)

;; sha256 of the domain: this network, and the mesh by its access contract. Not this contract: a successor serves the
;; same signatures.
(define-constant DOMAIN (sha256 (unwrap-panic (to-consensus-buff?
  { chain-id: chain-id, mesh: .access, name: "hubd", version: "1" }))))

;; What an id is the hash of, before the statement: "SIP018" and the domain (SIP-018, section "Signing").
(define-constant HEADER (concat 0x534950303138 DOMAIN))

;; Id of a spent action -> Stacks height at which it was. A successor asks `is-spent` here before it acts.
(define-map spent (buff 32) uint)

;; Ids that anybody withdrew. Says nothing by itself: it spares the common action the question whose.
(define-map voids (buff 32) bool)

;; (id, who withdrew it) -> true: a person, by a key that does all that its person may and lasts, against an action of
;; any of its keys; else the lesser key that did, against its own actions alone.
(define-map voided { id: (buff 32), by: principal } bool)

;; Kind -> its area, and the columns that must and may be set (masks: subject 1, who 2, amount 4, asset 8, moment 16,
;; bits 32, content 64). Filled once, below, and equal to the hub's catalogue; what is not here is an unknown kind.
(define-map columns (string-ascii 24) { area: uint, must: uint, may: uint })

;; Batches submitted, and actions done in them. Never fall.
(define-data-var counts { batches: uint, actions: uint } { batches: u0, actions: u0 })

;; ---- questions

;; sha256 of the consensus bytes of the domain.
(define-read-only (get-domain)
  DOMAIN)

;; Id of a statement in this mesh. Says nothing about its signature.
(define-read-only (get-id (statement
    { action: (string-ascii 24), amount: uint, asset: (optional principal), author: principal, bits: uint,
      content: (buff 32), created: uint, expires: uint, moment: uint, salt: (buff 8), subject: (buff 32),
      who: (optional principal) }))
  (sha256 (concat HEADER (sha256 (default-to 0x (to-consensus-buff? statement))))))

;; Whether an action was done through this gateway. A refused one is not spent. A successor adds to this, and to
;; `is-voided`, the same question to its predecessor: nothing else is asked of the past.
(define-read-only (is-spent (id (buff 32)))
  (is-some (map-get? spent id)))

;; Whether the key `author`, or a lasting key of its person, withdrew the action `id`.
(define-read-only (is-voided (id (buff 32)) (author principal))
  (and (is-some (map-get? voids id))
    (or (is-some (map-get? voided { id: id, by: author }))
      (is-some (map-get? voided { id: id, by: (contract-call? .user-registry person-of author) })))))

;; The same for up to 200 at once, in the order asked.
(define-read-only (are-spent (ids (list 200 (buff 32))))
  (map is-spent ids))

;; The Stacks height at which an action was done, if it was.
(define-read-only (get-spent-height (id (buff 32)))
  (map-get? spent id))

;; Area and columns of a kind, if the contracts know it.
(define-read-only (get-columns (kind (string-ascii 24)))
  (map-get? columns kind))

;; Counters for analytics.
(define-read-only (get-counts)
  (var-get counts))

;; ---- kinds

(map-set columns "user-register" { area: IDENTITY, must: u0, may: u98 })
(map-set columns "key-add" { area: IDENTITY, must: u35, may: u127 })
(map-set columns "key-accept" { area: IDENTITY, must: u1, may: u1 })
(map-set columns "key-revoke" { area: IDENTITY, must: u3, may: u3 })
(map-set columns "guardian-set" { area: IDENTITY, must: u4, may: u55 })
(map-set columns "recovery-open" { area: IDENTITY, must: u2, may: u66 })
(map-set columns "recovery-approve" { area: IDENTITY, must: u3, may: u3 })
(map-set columns "recovery-cancel" { area: IDENTITY, must: u3, may: u3 })
(map-set columns "recovery-finish" { area: IDENTITY, must: u3, may: u3 })
(map-set columns "action-void" { area: IDENTITY, must: u1, may: u1 })
(map-set columns "offer-set" { area: MARKET, must: u32, may: u125 })
(map-set columns "offer-withdraw" { area: MARKET, must: u1, may: u1 })
(map-set columns "request-open" { area: MARKET, must: u32, may: u124 })
(map-set columns "request-close" { area: MARKET, must: u1, may: u1 })
(map-set columns "match-offer" { area: MARKET, must: u51, may: u127 })
(map-set columns "match-accept" { area: MARKET, must: u49, may: u63 })
(map-set columns "lesson-book" { area: LESSON, must: u50, may: u127 })
(map-set columns "lesson-confirm" { area: LESSON, must: u51, may: u127 })
(map-set columns "lesson-decline" { area: LESSON, must: u1, may: u99 })
(map-set columns "lesson-move" { area: LESSON, must: u17, may: u115 })
(map-set columns "lesson-cancel" { area: LESSON, must: u1, may: u99 })
(map-set columns "lesson-attend" { area: LESSON, must: u19, may: u19 })
(map-set columns "lesson-complete" { area: LESSON, must: u1, may: u3 })
(map-set columns "lesson-claim" { area: LESSON, must: u1, may: u1 })
(map-set columns "class-open" { area: LESSON, must: u48, may: u125 })
(map-set columns "class-attend" { area: LESSON, must: u19, may: u19 })
(map-set columns "escrow-lock" { area: MONEY, must: u4, may: u63 })
(map-set columns "escrow-return" { area: MONEY, must: u1, may: u1 })
(map-set columns "escrow-withdraw" { area: MONEY, must: u4, may: u14 })
(map-set columns "rating-seal" { area: REPUTATION, must: u67, may: u67 })
(map-set columns "rating-open" { area: REPUTATION, must: u7, may: u103 })
(map-set columns "dispute-open" { area: DISPUTE, must: u33, may: u99 })
(map-set columns "dispute-offer" { area: DISPUTE, must: u1, may: u5 })
(map-set columns "dispute-accept" { area: DISPUTE, must: u1, may: u1 })
(map-set columns "dispute-vote" { area: DISPUTE, must: u1, may: u37 })
(map-set columns "dispute-settle" { area: DISPUTE, must: u1, may: u1 })

;; ---- one item: what must hold whatever the kind. Lengths are asked for although the types bound them: some VMs let an
;; over-long element of a list in, and then abort the whole batch where a function takes it by itself (measured). For
;; the same reason items are handed on whole until their lengths were looked at.

;; (ok area) when the item may be dispatched. The author comes first: nothing else is said about an action that nobody
;; signed. Replay comes before expiry: an action that was done stays "done" for whoever asks again later.
(define-private (check (id (buff 32)) (item
    { signature: (buff 65), statement: { action: (string-ascii 24), amount: uint, asset: (optional principal),
      author: principal, bits: uint, content: (buff 32), created: uint, expires: uint, moment: uint, salt: (buff 8),
      subject: (buff 32), who: (optional principal) } }))
  (let ((s (get statement item))
        (signature (get signature item)))
    (asserts! (is-eq (len signature) u65) (err CODE-LENGTH))
    (asserts!
      (is-eq (get author s)
        (unwrap! (principal-of? (unwrap! (secp256k1-recover? id signature) (err CODE-SIGNATURE))) (err CODE-SIGNATURE)))
      (err CODE-AUTHOR))
    (asserts!
      (and (<= (len (get action s)) u24) (is-eq (len (get content s)) u32) (is-eq (len (get salt s)) u8)
        (is-eq (len (get subject s)) u32))
      (err CODE-LENGTH))
    (asserts!
      (<= (bit-or (get amount s) (get bits s) (get created s) (get expires s) (get moment s)) INT-MAX)
      (err CODE-RANGE))
    (asserts! (not (is-spent id)) (err CODE-SPENT))
    (asserts! (not (is-voided id (get author s))) (err CODE-VOIDED))
    (asserts! (>= (get expires s) stacks-block-time) (err CODE-EXPIRED))
    (let ((row (unwrap! (map-get? columns (get action s)) (err CODE-UNKNOWN-KIND)))
          (used (+ (if (is-eq (get subject s) ZEROS) u0 u1) (if (is-some (get who s)) u2 u0)
            (if (> (get amount s) u0) u4 u0) (if (is-some (get asset s)) u8 u0) (if (> (get moment s) u0) u16 u0)
            (if (> (get bits s) u0) u32 u0) (if (is-eq (get content s) ZEROS) u0 u64))))
      (asserts!
        (and (is-eq (bit-or used (get may row)) (get may row)) (is-eq (bit-and used (get must row)) (get must row)))
        (err CODE-COLUMNS))
      (ok (get area row)))))

;; ---- withdrawing an action before it settles

(define-private (void-action (key principal) (id (buff 32)))
  (let ((person (try! (contract-call? .user-registry resolve key IDENTITY u0 none))))
    (asserts! (not (is-spent id)) (err CODE-DONE-BEFORE))
    (map-set voids id true)
    (map-set voided { id: id, by: (if (contract-call? .user-registry is-lasting key) person key) } true)
    (print { event: "action-voided", id: id, person: person, by: key })
    (ok true)))

;; The caller's own action `id` will never be done; where the caller's key does all that its person may and lasts, by
;; whichever of the person's keys it is signed. Changes nothing that was done, and nothing of other people's actions.
;; Twice is as good as once.
(define-public (void (id (buff 32)))
  (void-action contract-caller id))

;; ---- dispatch in two levels, by area and then by kind. At most 16 branches a level: a chain of 44 deploys, and then
;; aborts every batch. Only public functions are called: their writes vanish with their error. `void-action` may be
;; private because it writes last.

(define-private (dispatch (area uint) (id (buff 32)) (s
    { action: (string-ascii 24), amount: uint, asset: (optional principal), author: principal, bits: uint,
      content: (buff 32), created: uint, expires: uint, moment: uint, salt: (buff 8), subject: (buff 32),
      who: (optional principal) }))
  (let ((kind (get action s)) (by (get author s)) (subject (get subject s)) (who (get who s)) (asset (get asset s))
        (amount (get amount s)) (moment (get moment s)) (bits (get bits s)) (content (get content s)))
    (if (is-eq area IDENTITY) (dispatch-identity kind by id subject who amount asset moment bits)
    (if (is-eq area MARKET) (dispatch-market kind by id subject who amount asset moment bits content (get expires s))
    (if (is-eq area LESSON) (dispatch-lesson kind by id subject who amount asset moment bits)
    (if (is-eq area MONEY) (dispatch-money kind by id subject who amount asset moment bits)
    (if (is-eq area REPUTATION) (dispatch-reputation kind by subject who amount bits content)
    (if (is-eq area DISPUTE) (dispatch-dispute kind by id subject who amount bits)
      (err CODE-UNKNOWN-KIND)))))))))

;; The second person of a kind that has one: the columns promise it.
(define-private (named (who (optional principal)))
  (ok (unwrap! who (err CODE-COLUMNS))))

(define-private (dispatch-identity (kind (string-ascii 24)) (by principal) (id (buff 32)) (subject (buff 32))
    (who (optional principal)) (amount uint) (asset (optional principal)) (moment uint) (bits uint))
  (if (is-eq kind "user-register") (contract-call? .user-registry register-for by id bits who)
  (if (is-eq kind "key-add")
    (contract-call? .user-registry key-add-for by id subject (try! (named who)) bits amount asset moment)
  (if (is-eq kind "key-accept") (contract-call? .user-registry key-accept-for by subject)
  (if (is-eq kind "key-revoke") (contract-call? .user-registry key-revoke-for by subject (try! (named who)))
  (if (is-eq kind "guardian-set") (contract-call? .recovery guardian-set-for by id subject who amount moment bits)
  (if (is-eq kind "recovery-open") (contract-call? .recovery recovery-open-for by id (try! (named who)))
  (if (is-eq kind "recovery-approve") (contract-call? .recovery recovery-approve-for by subject (try! (named who)))
  (if (is-eq kind "recovery-cancel") (contract-call? .recovery recovery-cancel-for by subject (try! (named who)))
  (if (is-eq kind "recovery-finish") (contract-call? .recovery recovery-finish-for subject (try! (named who)))
  (if (is-eq kind "action-void") (void-action by subject)
    (err CODE-UNKNOWN-KIND))))))))))))

(define-private (dispatch-market (kind (string-ascii 24)) (by principal) (id (buff 32)) (subject (buff 32))
    (who (optional principal)) (amount uint) (asset (optional principal)) (moment uint) (bits uint)
    (content (buff 32)) (expires uint))
  (if (is-eq kind "offer-set")
    (contract-call? .tutor-profile offer-set-for by id subject amount asset moment bits content)
  (if (is-eq kind "offer-withdraw") (contract-call? .tutor-profile offer-withdraw-for by subject)
  (if (is-eq kind "request-open")
    (contract-call? .student-request request-open-for by id amount asset moment bits content expires)
  (if (is-eq kind "request-close") (contract-call? .student-request request-close-for by subject)
  (if (is-eq kind "match-offer")
    (contract-call? .matching-engine match-offer-for by id subject (try! (named who)) amount asset moment bits)
  (if (is-eq kind "match-accept")
    (contract-call? .matching-engine match-accept-for by subject who amount asset moment bits)
    (err CODE-UNKNOWN-KIND))))))))

(define-private (dispatch-lesson (kind (string-ascii 24)) (by principal) (id (buff 32)) (subject (buff 32))
    (who (optional principal)) (amount uint) (asset (optional principal)) (moment uint) (bits uint))
  (if (is-eq kind "lesson-book")
    (contract-call? .session-manager book-for by id subject (try! (named who)) asset amount moment bits)
  (if (is-eq kind "lesson-confirm")
    (contract-call? .session-manager confirm-for by subject (try! (named who)) asset amount moment bits)
  (if (is-eq kind "lesson-decline") (contract-call? .session-manager decline-for by subject who)
  (if (is-eq kind "lesson-move") (contract-call? .session-manager move-for by id subject who moment bits)
  (if (is-eq kind "lesson-cancel") (contract-call? .session-manager cancel-for by subject who)
  (if (is-eq kind "lesson-attend") (contract-call? .session-manager attend-for by id subject (try! (named who)) moment)
  (if (is-eq kind "lesson-complete") (contract-call? .session-manager complete-for by subject who)
  (if (is-eq kind "lesson-claim") (contract-call? .session-manager claim-for subject)
  (if (is-eq kind "class-open") (contract-call? .class-manager class-open-for by id subject asset amount moment bits)
  (if (is-eq kind "class-attend")
    (contract-call? .class-manager class-attend-for by id subject (try! (named who)) moment)
    (err CODE-UNKNOWN-KIND))))))))))))

;; An `escrow-lock` is for a lesson, a pool or a tutor, as its bits say. A token can only leave with its own contract at
;; hand: `submit-token-batch`.
(define-private (dispatch-money (kind (string-ascii 24)) (by principal) (id (buff 32)) (subject (buff 32))
    (who (optional principal)) (amount uint) (asset (optional principal)) (moment uint) (bits uint))
  (if (is-eq kind "escrow-withdraw")
    (begin
      (asserts! (is-none asset) (err CODE-TOKEN-BATCH))
      (contract-call? .payment-escrow withdraw-for by amount who))
  (if (is-eq kind "escrow-return") (contract-call? .payment-escrow earmark-return-for by subject)
  (if (not (is-eq kind "escrow-lock")) (err CODE-UNKNOWN-KIND)
  (if (is-eq bits FOR-LESSON) (contract-call? .session-manager fund-for by subject who asset amount)
  (if (is-eq bits FOR-POOL)
    (contract-call? .sponsor-pool pool-fund-for by subject (try! (named who)) asset amount)
  (if (is-eq bits FOR-TUTOR)
    (contract-call? .payment-escrow earmark-for by id (try! (named who)) asset amount moment)
    (err CODE-COLUMNS))))))))

(define-private (dispatch-reputation (kind (string-ascii 24)) (by principal) (subject (buff 32))
    (who (optional principal)) (amount uint) (bits uint) (content (buff 32)))
  (if (is-eq kind "rating-seal")
    (contract-call? .reputation-tracker rating-seal-for by subject (try! (named who)) content)
  (if (is-eq kind "rating-open")
    (contract-call? .reputation-tracker rating-open-for by subject (try! (named who)) amount bits content)
    (err CODE-UNKNOWN-KIND))))

(define-private (dispatch-dispute (kind (string-ascii 24)) (by principal) (id (buff 32)) (subject (buff 32))
    (who (optional principal)) (amount uint) (bits uint))
  (if (is-eq kind "dispute-open") (contract-call? .dispute-resolution open-for by subject who bits)
  (if (is-eq kind "dispute-offer") (contract-call? .dispute-resolution offer-for by id subject amount)
  (if (is-eq kind "dispute-accept") (contract-call? .dispute-resolution accept-for by subject)
  (if (is-eq kind "dispute-vote") (contract-call? .dispute-resolution vote-for by subject amount bits)
  (if (is-eq kind "dispute-settle") (contract-call? .dispute-resolution settle-for subject)
    (err CODE-UNKNOWN-KIND)))))))

;; ---- batches

(define-private (act (id (buff 32)) (item
    { signature: (buff 65), statement: { action: (string-ascii 24), amount: uint, asset: (optional principal),
      author: principal, bits: uint, content: (buff 32), created: uint, expires: uint, moment: uint, salt: (buff 8),
      subject: (buff 32), who: (optional principal) } }))
  (begin
    (try! (dispatch (try! (check id item)) id (get statement item)))
    (ok (map-set spent id stacks-block-height))))

(define-private (step (item
    { signature: (buff 65), statement: { action: (string-ascii 24), amount: uint, asset: (optional principal),
      author: principal, bits: uint, content: (buff 32), created: uint, expires: uint, moment: uint, salt: (buff 8),
      subject: (buff 32), who: (optional principal) } }))
  (let ((id (get-id (get statement item))))
    { code: (match (act id item) done CODE-DONE code code), id: id }))

(define-private (is-done (item { code: uint, id: (buff 32) }))
  (is-eq (get code item) CODE-DONE))

(define-private (record (items (list 200 { code: uint, id: (buff 32) })))
  (begin
    (var-set counts
      { batches: (+ (get batches (var-get counts)) u1),
        actions: (+ (get actions (var-get counts)) (len (filter is-done items))) })
    (print { event: "batch", items: items })
    (ok items)))

;; Submit up to 200 signed actions of any kind but token withdrawals; (ok one { code, id } an item, in order), u0 where
;; it was done. Never fails for what an item holds.
(define-public (submit-batch (batch (list 200
    { signature: (buff 65), statement: { action: (string-ascii 24), amount: uint, asset: (optional principal),
      author: principal, bits: uint, content: (buff 32), created: uint, expires: uint, moment: uint, salt: (buff 8),
      subject: (buff 32), who: (optional principal) } })))
  (record (map step batch)))

(define-private (act-token (ft <sip-010>) (id (buff 32)) (item
    { signature: (buff 65), statement: { action: (string-ascii 24), amount: uint, asset: (optional principal),
      author: principal, bits: uint, content: (buff 32), created: uint, expires: uint, moment: uint, salt: (buff 8),
      subject: (buff 32), who: (optional principal) } }))
  (let ((s (get statement item)))
    (try! (check id item))
    (asserts!
      (and (is-eq (get action s) "escrow-withdraw") (is-eq (get asset s) (some (contract-of ft))))
      (err CODE-OTHER-TOKEN))
    (try! (contract-call? .payment-escrow withdraw-ft-for ft (get author s) (get amount s) (get who s)))
    (ok (map-set spent id stacks-block-height))))

(define-private (step-token (item
    { signature: (buff 65), statement: { action: (string-ascii 24), amount: uint, asset: (optional principal),
      author: principal, bits: uint, content: (buff 32), created: uint, expires: uint, moment: uint, salt: (buff 8),
      subject: (buff 32), who: (optional principal) } })
    (sum { ft: <sip-010>, items: (list 200 { code: uint, id: (buff 32) }) }))
  (let ((id (get-id (get statement item)))
        (ft (get ft sum))
        (code (match (act-token ft id item) done CODE-DONE code code)))
    { ft: ft, items: (default-to (get items sum) (as-max-len? (append (get items sum) { code: code, id: id }) u200)) }))

;; Submit up to 200 signed `escrow-withdraw` of one token, whose contract is `ft`; results as in `submit-batch`. Any
;; other item is refused with a code. A token that aborts, aborts its own batch only.
(define-public (submit-token-batch (ft <sip-010>) (batch (list 200
    { signature: (buff 65), statement: { action: (string-ascii 24), amount: uint, asset: (optional principal),
      author: principal, bits: uint, content: (buff 32), created: uint, expires: uint, moment: uint, salt: (buff 8),
      subject: (buff 32), who: (optional principal) } })))
  (record (get items (fold step-token batch { ft: ft, items: (list) }))))
