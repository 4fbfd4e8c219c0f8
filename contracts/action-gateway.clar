;; action-gateway: signed actions, many in one transaction, each with its own result.
;;
;; Anybody may submit: what an action may do follows from its signature alone, never from who carried it. For each
;; item: compute the id, recover the signer, compare it with the author, check range, replay and expiry, then call the
;; one contract that knows the kind. An action is spent only when it succeeded; a refusal is a code, costs nobody
;; else, and the same action may come again. Holds no money and no rule of any kind. Does not ask for low-S signatures:
;; an id does not cover the signature, so a second signature of an action is only its replay.

(use-trait sip-010 .sip-010-trait.sip-010-trait)

;; Codes of an item. Codes from u100 up are the error of the contract that refused.
(define-constant CODE-DONE u0)
(define-constant CODE-SIGNATURE u1)
(define-constant CODE-AUTHOR u2)
(define-constant CODE-RANGE u3)
(define-constant CODE-SPENT u4)
(define-constant CODE-EXPIRED u5)
(define-constant CODE-UNKNOWN-KIND u6)
(define-constant CODE-WHO u7)
(define-constant CODE-TOKEN-BATCH u8)
(define-constant CODE-OTHER-TOKEN u9)
(define-constant CODE-LENGTH u10)

;; Largest integer of the protocol (2^63-1): no field of a statement may exceed it.
(define-constant INT-MAX u9223372036854775807)

;; sha256 of the domain: this network, and the mesh by its access contract. Not this contract: a successor serves the
;; same signatures.
(define-constant DOMAIN (sha256 (unwrap-panic (to-consensus-buff?
  { chain-id: chain-id, mesh: .access, name: "hubd", version: "1" }))))

;; What an id is the hash of, before the statement: "SIP018" and the domain (SIP-018, section "Signing").
(define-constant HEADER (concat 0x534950303138 DOMAIN))

;; Id of a spent action -> Stacks height at which it was. A successor asks `is-spent` here before it acts.
(define-map spent (buff 32) uint)

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

;; Whether an action was done through this gateway. A refused one is not spent.
(define-read-only (is-spent (id (buff 32)))
  (is-some (map-get? spent id)))

;; The same for up to 200 at once, in the order asked.
(define-read-only (are-spent (ids (list 200 (buff 32))))
  (map is-spent ids))

;; The Stacks height at which an action was done, if it was.
(define-read-only (get-spent-height (id (buff 32)))
  (map-get? spent id))

;; Counters for analytics.
(define-read-only (get-counts)
  (var-get counts))

;; ---- one item: what must hold whatever the kind. Lengths are asked for although the types bound them: some VMs let an
;; over-long element of a list in, and then abort the whole batch where a function takes it by itself (measured). For
;; the same reason items are handed on whole.

;; (ok true) when the item may be dispatched. The author comes first: nothing else is said about an action that nobody
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
    (asserts! (is-none (map-get? spent id)) (err CODE-SPENT))
    (ok (asserts! (>= (get expires s) stacks-block-time) (err CODE-EXPIRED)))))

;; ---- dispatch in two levels, by the word before the hyphen and then by kind. At most 16 branches a level: a chain of
;; 44 deploys, and then aborts every batch. Only public functions are called: their writes vanish with their error.

(define-private (dispatch (id (buff 32)) (s
    { action: (string-ascii 24), amount: uint, asset: (optional principal), author: principal, bits: uint,
      content: (buff 32), created: uint, expires: uint, moment: uint, salt: (buff 8), subject: (buff 32),
      who: (optional principal) }))
  (let ((word (slice? (get action s) u0 (default-to u0 (index-of? (get action s) "-")))))
    (if (is-eq word (some "lesson")) (dispatch-lesson id s)
    (if (is-eq word (some "rating")) (dispatch-rating s)
    (if (is-eq word (some "user")) (dispatch-user id s)
    (if (is-eq word (some "escrow")) (dispatch-escrow s)
      (err CODE-UNKNOWN-KIND)))))))

(define-private (dispatch-user (id (buff 32)) (s
    { action: (string-ascii 24), amount: uint, asset: (optional principal), author: principal, bits: uint,
      content: (buff 32), created: uint, expires: uint, moment: uint, salt: (buff 8), subject: (buff 32),
      who: (optional principal) }))
  (if (is-eq (get action s) "user-register")
    (contract-call? .user-registry register-for (get author s) id (get bits s) (get who s))
    (err CODE-UNKNOWN-KIND)))

(define-private (dispatch-lesson (id (buff 32)) (s
    { action: (string-ascii 24), amount: uint, asset: (optional principal), author: principal, bits: uint,
      content: (buff 32), created: uint, expires: uint, moment: uint, salt: (buff 8), subject: (buff 32),
      who: (optional principal) }))
  (if (is-eq (get action s) "lesson-book")
    (contract-call? .session-manager book-for (get author s) id (get subject s)
      (unwrap! (get who s) (err CODE-WHO)) (get asset s) (get amount s) (get moment s) (get bits s))
  (if (is-eq (get action s) "lesson-confirm")
    (contract-call? .session-manager confirm-for (get author s) (get subject s)
      (unwrap! (get who s) (err CODE-WHO)) (get asset s) (get amount s) (get moment s) (get bits s))
  (if (is-eq (get action s) "lesson-attend")
    (contract-call? .session-manager attend-for (get author s) id (get subject s)
      (unwrap! (get who s) (err CODE-WHO)) (get moment s))
  (if (is-eq (get action s) "lesson-complete")
    (contract-call? .session-manager complete-for (get author s) (get subject s))
    (err CODE-UNKNOWN-KIND))))))

(define-private (dispatch-rating (s
    { action: (string-ascii 24), amount: uint, asset: (optional principal), author: principal, bits: uint,
      content: (buff 32), created: uint, expires: uint, moment: uint, salt: (buff 8), subject: (buff 32),
      who: (optional principal) }))
  (let ((who (unwrap! (get who s) (err CODE-WHO))))
    (if (is-eq (get action s) "rating-seal")
      (contract-call? .reputation-tracker rating-seal-for (get author s) (get subject s) who (get content s))
    (if (is-eq (get action s) "rating-open")
      (contract-call? .reputation-tracker rating-open-for (get author s) (get subject s) who (get amount s)
        (get bits s) (get content s))
      (err CODE-UNKNOWN-KIND)))))

;; A token can only leave with its own contract at hand: `submit-token-batch`.
(define-private (dispatch-escrow (s
    { action: (string-ascii 24), amount: uint, asset: (optional principal), author: principal, bits: uint,
      content: (buff 32), created: uint, expires: uint, moment: uint, salt: (buff 8), subject: (buff 32),
      who: (optional principal) }))
  (begin
    (asserts! (is-eq (get action s) "escrow-withdraw") (err CODE-UNKNOWN-KIND))
    (asserts! (is-none (get asset s)) (err CODE-TOKEN-BATCH))
    (contract-call? .payment-escrow withdraw-for (get author s) (get amount s) (get who s))))

;; ---- batches

(define-private (act (id (buff 32)) (item
    { signature: (buff 65), statement: { action: (string-ascii 24), amount: uint, asset: (optional principal),
      author: principal, bits: uint, content: (buff 32), created: uint, expires: uint, moment: uint, salt: (buff 8),
      subject: (buff 32), who: (optional principal) } }))
  (begin
    (try! (check id item))
    (try! (dispatch id (get statement item)))
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
