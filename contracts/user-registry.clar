;; user-registry: persons, and the keys that act for them.
;;
;; A person's id is the principal that registered first, for ever; keys come and go around it. Every operation of the
;; other contracts begins with `resolve`, which turns the key that acts into the person it acts for, or refuses.
;; Holds no name, contact or age: whoever registers is a principal and a few bits. Roles are what people say of
;; themselves; no right follows from them.

(define-constant ERR-KEY-TAKEN (err u200))
(define-constant ERR-KEY-UNKNOWN (err u201))
(define-constant ERR-KEY-REVOKED (err u202))
(define-constant ERR-KEY-ENDED (err u203))
(define-constant ERR-KEY-SCOPE (err u204))
(define-constant ERR-KEY-CAP (err u205))
(define-constant ERR-ROLES (err u206))

;; Scopes, one bit an area of the catalogue of kinds: identity 1, market 2, lesson 4, money 8, reputation 16,
;; dispute 32; the rest is for areas to come. The first key of a person has them all.
(define-constant SCOPES-ALL u65535)
;; Roles are a mask of at most 16 bits.
(define-constant ROLES-MAX u65535)

;; Person -> roles (mask), home hub, chain time of the registration, id of the newest statement in the chain of
;; key-adds (the registration at first; the next key-add must name it).
(define-map persons principal
  { roles: uint, home: (optional principal), registered-at: uint, keys-head: (buff 32) })

;; Key -> whom it acts for and how far: scopes (mask); cap on the sum of what it spends, in one asset (none = no cap);
;; what it drew of that cap; chain time after which it is void; revoked; id of the statement that brought it.
(define-map keys principal
  {
    person: principal,
    scopes: uint,
    cap: (optional { amount: uint, asset: (optional principal) }),
    drawn: uint,
    until: (optional uint),
    revoked: bool,
    added-by: (buff 32)
  })

;; How many persons registered. Never falls.
(define-data-var person-count uint u0)

;; ---- questions

;; The record of a person, if registered. Takes the person, not one of the keys.
(define-read-only (get-person (person principal))
  (map-get? persons person))

;; The record of a key, if it was ever a person's.
(define-read-only (get-key (key principal))
  (map-get? keys key))

;; The person that a key belongs to, revoked or not; a key that is nobody's yet stands for itself, since it becomes
;; that person by registering. For crediting, never for authority: that is `resolve`.
(define-read-only (person-of (key principal))
  (match (map-get? keys key) entry (get person entry) key))

;; Counters for analytics.
(define-read-only (get-counts)
  { persons: (var-get person-count) })

;; ---- resolution

;; (ok person) that `key` acts for, when it holds every bit of `scope` and may still spend `amount` of `asset`
;; (u0 where nothing is spent). Draws on the key's cap where it has one, and for that the caller must have the role
;; "spender", or a stranger could use up a cap. Does not look at balances, and for an uncapped key writes nothing.
(define-public (resolve (key principal) (scope uint) (amount uint) (asset (optional principal)))
  (let ((entry (unwrap! (map-get? keys key) ERR-KEY-UNKNOWN)))
    (asserts! (not (get revoked entry)) ERR-KEY-REVOKED)
    (asserts! (match (get until entry) end (<= stacks-block-time end) true) ERR-KEY-ENDED)
    (asserts! (is-eq (bit-and (get scopes entry) scope) scope) ERR-KEY-SCOPE)
    (match (get cap entry)
      cap (if (is-eq amount u0)
        true
        (begin
          ;; Subtracts rather than adds: `drawn` never exceeds the cap, while a sum with a hostile amount could
          ;; overflow and abort a whole batch.
          (asserts! (and (is-eq asset (get asset cap)) (<= amount (- (get amount cap) (get drawn entry)))) ERR-KEY-CAP)
          (try! (contract-call? .access is-protocol-caller contract-caller "spender"))
          (map-set keys key (merge entry { drawn: (+ (get drawn entry) amount) }))))
      true)
    (ok (get person entry))))

;; ---- registration

(define-private (user-register (key principal) (id (buff 32)) (roles uint) (home (optional principal)))
  (begin
    (asserts! (<= roles ROLES-MAX) ERR-ROLES)
    (asserts!
      (map-insert keys key
        { person: key, scopes: SCOPES-ALL, cap: none, drawn: u0, until: none, revoked: false, added-by: id })
      ERR-KEY-TAKEN)
    (map-set persons key { roles: roles, home: home, registered-at: stacks-block-time, keys-head: id })
    (var-set person-count (+ (var-get person-count) u1))
    (print { event: "user-registered", person: key, roles: roles, home: home, id: id })
    (ok true)))

;; Become a person: the caller's principal is its id for ever and its first key. A key that acts, or ever acted, for a
;; person is refused. Proves nothing about who holds the key.
(define-public (register (salt (buff 32)) (roles uint) (home (optional principal)))
  (user-register contract-caller (direct-id contract-caller "user-register" salt) roles home))

;; The same for a signed `user-register` (`id` is the action's). Gateway only.
(define-public (register-for (actor principal) (id (buff 32)) (roles uint) (home (optional principal)))
  (begin
    (try! (contract-call? .access is-protocol-caller contract-caller "gateway"))
    (user-register actor id roles home)))

;; Id of an operation made from a wallet: bound to who made it, so that nobody can take it first.
(define-private (direct-id (actor principal) (op (string-ascii 24)) (salt (buff 32)))
  (sha256 (default-to 0x (to-consensus-buff? { actor: actor, op: op, salt: salt }))))
