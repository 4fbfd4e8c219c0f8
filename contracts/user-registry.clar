;; user-registry: persons, and the keys that act for them.
;;
;; A person's id is the principal that registered first, for ever; keys come and go around it. Every operation of the
;; other contracts begins with `resolve`, which turns the key that acts into the person it acts for, or refuses.
;; Holds no name, contact or age: whoever registers is a principal and a few bits. Roles are what people say of
;; themselves; no right follows from them. No key gives another more than it has itself, and none ends a key that has
;; more. What guardians decide about somebody who lost every key comes from `recovery`, the only contract with the role
;; of that name.

(define-constant ERR-KEY-TAKEN (err u200))
(define-constant ERR-KEY-UNKNOWN (err u201))
(define-constant ERR-KEY-REVOKED (err u202))
(define-constant ERR-KEY-ENDED (err u203))
(define-constant ERR-KEY-SCOPE (err u204))
(define-constant ERR-KEY-CAP (err u205))
(define-constant ERR-ROLES (err u206))
(define-constant ERR-PROGRAM (err u207))
(define-constant ERR-FROZEN (err u208))
(define-constant ERR-VERSION (err u209))
(define-constant ERR-ID-USED (err u210))
(define-constant ERR-KEY-TERMS (err u211))
(define-constant ERR-KEY-WIDER (err u212))
(define-constant ERR-ADD-UNKNOWN (err u213))
(define-constant ERR-ADD-LAPSED (err u214))
(define-constant ERR-OTHER-KEY (err u215))
(define-constant ERR-REVOKED-BEFORE (err u216))
(define-constant ERR-LAST-KEY (err u217))
(define-constant ERR-KEY-NARROWER (err u218))
(define-constant ERR-KEY-KEPT (err u219))

;; Largest integer of the protocol (2^63-1).
(define-constant INT-MAX u9223372036854775807)
;; Scopes, one bit an area of the catalogue of kinds: identity 1, market 2, lesson 4, money 8, reputation 16,
;; dispute 32; the rest is for areas to come. The first key of a person has them all.
(define-constant SCOPES-ALL u65535)
(define-constant SCOPE-IDENTITY u1)
;; What nobody may do for a person while a recovery runs: identity and money.
(define-constant SCOPES-FROZEN u9)
;; Roles are a mask of at most 16 bits; u2 is a tutor.
(define-constant ROLES-MAX u65535)
(define-constant ROLE-TUTOR u2)

;; Person -> roles (mask), home hub, chain time of the registration; id of the newest statement in the chain of
;; key-adds (the registration at first, a finished recovery after it: the next key-add must name it); how many
;; recoveries finished, which a key must be current with; the recovery that runs, and freezes; how many live keys are
;; lasting; whether guardians could recover the person.
(define-map persons principal
  { roles: uint, home: (optional principal), registered-at: uint, keys-head: (buff 32), epoch: uint,
    recovery: (optional (buff 32)), lasting: uint, guarded: bool })

;; Key -> whom it acts for and how far: scopes (mask); cap on the sum of what it spends, in one asset (none = no cap);
;; what it drew of that cap; chain time after which it is void; revoked; id of the statement that brought it; the
;; person's epoch that it counts in: void in later ones, not yet in force before.
(define-map keys principal
  { person: principal, scopes: uint, cap: (optional { amount: uint, asset: (optional principal) }), drawn: uint,
    until: (optional uint), revoked: bool, added-by: (buff 32), epoch: uint })

;; Id of a key-add -> the new key, the key that added it, whether that was taken back, and the entry that the new key
;; gets by accepting. Gives nothing by itself. Never deleted: an id adds once.
(define-map key-adds (buff 32)
  { key: principal, by: principal, withdrawn: bool,
    entry: { person: principal, scopes: uint, cap: (optional { amount: uint, asset: (optional principal) }),
      drawn: uint, until: (optional uint), revoked: bool, added-by: (buff 32), epoch: uint } })

;; Persons, those of them who registered as tutors, keys that ever came into force, recoveries finished. Never fall.
(define-data-var counts { persons: uint, tutors: uint, keys: uint, recoveries: uint }
  { persons: u0, tutors: u0, keys: u0, recoveries: u0 })

;; ---- questions

;; Whether a person came to an epoch: before, the key that counts from it on is only kept.
(define-private (has-begun (person principal) (epoch uint))
  (match (map-get? persons person) record (<= epoch (get epoch record)) false))

;; The record of a person, if registered. Takes the person, not one of the keys. Frozen while it names a recovery.
(define-read-only (get-person (person principal))
  (map-get? persons person))

;; The record of a key that is, was, or by a running recovery may become a person's. Says nothing about whether it may
;; act: that is `resolve`.
(define-read-only (get-key (key principal))
  (map-get? keys key))

;; The person that a key belongs to, revoked or not, of whatever epoch; a key that is nobody's yet stands for itself,
;; also while a recovery that runs keeps it: it may still become a person. For crediting, never for authority.
(define-read-only (person-of (key principal))
  (match (map-get? keys key)
    entry (if (has-begun (get person entry) (get epoch entry)) (get person entry) key)
    key))

;; A key-add by its id, accepted or not.
(define-read-only (get-pending-key (add (buff 32)))
  (map-get? key-adds add))

;; Counters for analytics.
(define-read-only (get-counts)
  (var-get counts))

;; (ok true) when nobody has this key, no recovery keeps it, and it is one, not a contract. Contracts are refused since
;; they sign nothing, and since whoever may call one would be the person.
(define-read-only (check-new (key principal))
  (begin
    (asserts! (match (principal-destruct? key) parts (is-none (get name parts)) foreign false) ERR-PROGRAM)
    (match (map-get? keys key)
      entry (if (has-begun (get person entry) (get epoch entry)) ERR-KEY-TAKEN ERR-KEY-KEPT)
      (ok true))))

;; Whether a key was ever given all that its person may do, without cap or end. Does not ask whether it may act now.
(define-read-only (is-lasting (key principal))
  (match (map-get? keys key) entry (lasts entry) false))

;; (ok person) that a key may act for within `scope` now, even while a recovery runs. For objecting to one; never for
;; spending, since it knows no cap.
(define-read-only (speaks-for (key principal) (scope uint))
  (ok (get person (get key (try! (check-key key scope))))))

;; ---- resolution

;; (ok { key, person }): the two records behind a key that may act within `scope`, were its person not frozen.
(define-private (check-key (key principal) (scope uint))
  (let ((entry (unwrap! (map-get? keys key) ERR-KEY-UNKNOWN))
        (person (unwrap! (map-get? persons (get person entry)) ERR-KEY-UNKNOWN)))
    (asserts! (<= (get epoch entry) (get epoch person)) ERR-KEY-UNKNOWN)
    (asserts! (and (not (get revoked entry)) (is-eq (get epoch entry) (get epoch person))) ERR-KEY-REVOKED)
    (asserts! (match (get until entry) end (<= stacks-block-time end) true) ERR-KEY-ENDED)
    (asserts! (is-eq (bit-and (get scopes entry) scope) scope) ERR-KEY-SCOPE)
    (ok { key: entry, person: person })))

;; The same, and the person is not frozen for that scope.
(define-private (check-free (key principal) (scope uint))
  (let ((found (try! (check-key key scope))))
    (asserts! (or (is-none (get recovery (get person found))) (is-eq (bit-and scope SCOPES-FROZEN) u0)) ERR-FROZEN)
    (ok found)))

;; (ok person) that `key` acts for, when it holds every bit of `scope` and may still spend `amount` of `asset`
;; (u0 where nothing is spent). Draws on the key's cap where it has one, and for that the caller must have the role
;; "spender", or a stranger could use up a cap. While a recovery runs, identity and money are refused. Does not look at
;; balances, and for an uncapped key writes nothing.
(define-public (resolve (key principal) (scope uint) (amount uint) (asset (optional principal)))
  (let ((entry (get key (try! (check-free key scope)))))
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

;; Whether a key can do whatever its person can, for ever.
(define-private (lasts (entry { person: principal, scopes: uint,
    cap: (optional { amount: uint, asset: (optional principal) }), drawn: uint, until: (optional uint), revoked: bool,
    added-by: (buff 32), epoch: uint }))
  (and (is-eq (get scopes entry) SCOPES-ALL) (is-none (get cap entry)) (is-none (get until entry))))

;; Whether a key may give these terms to another, and end a key that has them: they are no wider than its own. `until`
;; u0 is no end. A key with a cap may neither.
(define-private (covers (key principal) (scopes uint) (until uint))
  (match (map-get? keys key)
    own (and (is-eq (bit-and scopes (get scopes own)) scopes) (is-none (get cap own))
      (match (get until own) end (and (> until u0) (<= until end)) true))
    false))

;; ---- cores: `actor` is the key that acts

(define-private (count (more { persons: uint, tutors: uint, keys: uint, recoveries: uint }))
  (let ((sums (var-get counts)))
    (var-set counts
      { persons: (+ (get persons sums) (get persons more)), tutors: (+ (get tutors sums) (get tutors more)),
        keys: (+ (get keys sums) (get keys more)), recoveries: (+ (get recoveries sums) (get recoveries more)) })))

(define-private (user-register (key principal) (id (buff 32)) (roles uint) (home (optional principal)))
  (begin
    (asserts! (<= roles ROLES-MAX) ERR-ROLES)
    (try! (check-new key))
    (map-set keys key
      { person: key, scopes: SCOPES-ALL, cap: none, drawn: u0, until: none, revoked: false, added-by: id, epoch: u0 })
    (map-set persons key
      { roles: roles, home: home, registered-at: stacks-block-time, keys-head: id, epoch: u0, recovery: none,
        lasting: u1, guarded: false })
    (count { persons: u1, tutors: (if (is-eq (bit-and roles ROLE-TUTOR) u0) u0 u1), keys: u1, recoveries: u0 })
    (print { event: "user-registered", person: key, roles: roles, home: home, id: id })
    (ok true)))

(define-private (add-key (actor principal) (id (buff 32)) (previous (buff 32)) (key principal) (scopes uint)
    (amount uint) (asset (optional principal)) (until uint))
  (let ((found (try! (check-free actor SCOPE-IDENTITY)))
        (own (get key found))
        (record (get person found))
        (person (get person own)))
    ;; Without a sum, an asset would read as a cap where there is none.
    (asserts! (and (> scopes u0) (<= amount INT-MAX) (<= until INT-MAX) (or (> amount u0) (is-none asset)))
      ERR-KEY-TERMS)
    (asserts! (covers actor scopes until) ERR-KEY-WIDER)
    (try! (check-new key))
    (asserts! (is-eq previous (get keys-head record)) ERR-VERSION)
    (asserts!
      (map-insert key-adds id
        { key: key, by: actor, withdrawn: false,
          entry: { person: person, scopes: scopes,
            cap: (if (is-eq amount u0) none (some { amount: amount, asset: asset })), drawn: u0,
            until: (if (is-eq until u0) none (some until)), revoked: false, added-by: id, epoch: (get epoch own) } })
      ERR-ID-USED)
    (map-set persons person (merge record { keys-head: id }))
    (print { event: "key-added", id: id, person: person, by: actor, key: key, scopes: scopes, amount: amount,
      asset: asset, until: until })
    (ok true)))

(define-private (accept-key (actor principal) (id (buff 32)))
  (let ((add (unwrap! (map-get? key-adds id) ERR-ADD-UNKNOWN))
        (entry (get entry add)))
    (asserts! (is-eq actor (get key add)) ERR-OTHER-KEY)
    (try! (check-new actor))
    (asserts! (not (get withdrawn add)) ERR-ADD-LAPSED)
    ;; Who added it must still be able to: what a stolen key began ends with that key.
    (let ((record (get person (unwrap! (check-key (get by add) SCOPE-IDENTITY) ERR-ADD-LAPSED))))
      (asserts! (is-none (get recovery record)) ERR-FROZEN)
      (map-set keys actor entry)
      (and (lasts entry)
        (map-set persons (get person entry) (merge record { lasting: (+ (get lasting record) u1) })))
      (count { persons: u0, tutors: u0, keys: u1, recoveries: u0 })
      (print { event: "key-accepted", id: id, person: (get person entry), key: actor })
      (ok true))))

;; Any key ends itself, and else those that it covers: a lesser one that is stolen must not lock its person out.
(define-private (check-covers (actor principal) (key principal) (scopes uint) (until (optional uint)))
  (ok (asserts! (or (is-eq actor key) (covers actor scopes (default-to u0 until))) ERR-KEY-NARROWER)))

;; Ends a key in force. The last lasting one stays unless guardians could bring another: nothing else would ever.
(define-private (end-key (actor principal) (person principal) (added-by (buff 32)) (key principal))
  (let ((entry (unwrap! (map-get? keys key) ERR-KEY-UNKNOWN))
        (record (unwrap! (map-get? persons (get person entry)) ERR-KEY-UNKNOWN))
        (lasting (get lasting record)))
    (asserts! (and (is-eq person (get person entry)) (is-eq added-by (get added-by entry))) ERR-OTHER-KEY)
    (asserts! (and (not (get revoked entry)) (is-eq (get epoch entry) (get epoch record))) ERR-REVOKED-BEFORE)
    (try! (check-covers actor key (get scopes entry) (get until entry)))
    (and (lasts entry)
      (begin
        (asserts! (or (> lasting u1) (get guarded record)) ERR-LAST-KEY)
        (map-set persons person (merge record { lasting: (- lasting u1) }))))
    (ok (map-set keys key (merge entry { revoked: true })))))

;; Takes back a key-add that was not accepted yet. Leaves the key alone: it may be on its way to be a person.
(define-private (withdraw-add (actor principal) (person principal) (id (buff 32)) (key principal))
  (let ((add (unwrap! (map-get? key-adds id) ERR-ADD-UNKNOWN))
        (entry (get entry add)))
    (asserts! (and (is-eq person (get person entry)) (is-eq key (get key add))) ERR-OTHER-KEY)
    (asserts! (not (get withdrawn add)) ERR-REVOKED-BEFORE)
    (try! (check-covers actor key (get scopes entry) (get until entry)))
    (ok (map-set key-adds id (merge add { withdrawn: true })))))

(define-private (revoke-key (actor principal) (added-by (buff 32)) (key principal))
  (let ((person (get person (get key (try! (check-free actor SCOPE-IDENTITY)))))
        (is-in-force (match (map-get? keys key) entry (has-begun (get person entry) (get epoch entry)) false)))
    (try! (if is-in-force (end-key actor person added-by key) (withdraw-add actor person added-by key)))
    (print { event: "key-revoked", added-by: added-by, person: person, by: actor, key: key })
    (ok true)))

;; ---- public forms: from a wallet (the caller acts; ids are derived from a salt), and `-for` the gateway

;; Id of an operation made from a wallet: bound to who made it, so that nobody can take it first.
(define-private (direct-id (actor principal) (op (string-ascii 24)) (salt (buff 32)))
  (sha256 (default-to 0x (to-consensus-buff? { actor: actor, op: op, salt: salt }))))

(define-private (check-gateway)
  (contract-call? .access is-protocol-caller contract-caller "gateway"))

;; Become a person: the caller's principal is its id for ever and its first key. A key that acts, or ever acted, for a
;; person is refused, and so is a contract. Proves nothing about who holds the key.
(define-public (register (salt (buff 32)) (roles uint) (home (optional principal)))
  (user-register contract-caller (direct-id contract-caller "user-register" salt) roles home))

;; The same for a signed `user-register` (`id` is the action's). Gateway only.
(define-public (register-for (actor principal) (id (buff 32)) (roles uint) (home (optional principal)))
  (begin
    (try! (check-gateway))
    (user-register actor id roles home)))

;; Name a further key of one's own: scopes (at most those of the key that acts), cap (u0 = none) in one asset, chain
;; time at which it ends (u0 = never; at most that of the key that acts). A key with a cap adds none. `previous` is the
;; newest key-add, the registration or the last recovery. Gives nothing until the new key accepts.
(define-public (key-add (salt (buff 32)) (previous (buff 32)) (key principal) (scopes uint) (amount uint)
    (asset (optional principal)) (until uint))
  (add-key contract-caller (direct-id contract-caller "key-add" salt) previous key scopes amount asset until))

;; The same for a signed `key-add` (`id` is the action's). Gateway only.
(define-public (key-add-for (actor principal) (id (buff 32)) (previous (buff 32)) (key principal) (scopes uint)
    (amount uint) (asset (optional principal)) (until uint))
  (begin
    (try! (check-gateway))
    (add-key actor id previous key scopes amount asset until)))

;; The new key agrees to a key-add, and is in force from now on. Nobody else can agree for it, so nobody can make a
;; stranger's key their own. Refused once the key that added it can't add any more.
(define-public (key-accept (add (buff 32)))
  (accept-key contract-caller add))

;; The same for a signed `key-accept`. Gateway only.
(define-public (key-accept-for (actor principal) (add (buff 32)))
  (begin
    (try! (check-gateway))
    (accept-key actor add)))

;; End a key of one's own for ever, at once: `added-by` is the statement that brought it. A key that has not accepted
;; yet can't any more. Needs a key that is no narrower: only a lasting key ends a lasting key. Takes back nothing that
;; the key did, and not the keys that it added.
(define-public (key-revoke (added-by (buff 32)) (key principal))
  (revoke-key contract-caller added-by key))

;; The same for a signed `key-revoke`. Gateway only.
(define-public (key-revoke-for (actor principal) (added-by (buff 32)) (key principal))
  (begin
    (try! (check-gateway))
    (revoke-key actor added-by key)))

;; ---- for `recovery` alone, which answers for guardians, delays and objections

;; (ok the record of a person), for the role "recovery" only.
(define-private (check-recovery (person principal))
  (begin
    (try! (contract-call? .access is-protocol-caller contract-caller "recovery"))
    (ok (unwrap! (map-get? persons person) ERR-KEY-UNKNOWN))))

;; Note whether guardians could recover a person, for the day on which the last key is revoked.
(define-public (set-guarded (person principal) (on bool))
  (let ((record (try! (check-recovery person))))
    (map-set persons person (merge record { guarded: on }))
    (print { event: "person-guarded", person: person, on: on })
    (ok true)))

;; A recovery begins to run: identity and money of the person are frozen, and the new key is kept for the person, not
;; in force yet. Refused while another runs, and when the key became somebody's meanwhile.
(define-public (freeze (person principal) (recovery (buff 32)) (key principal))
  (let ((record (try! (check-recovery person))))
    (asserts! (is-none (get recovery record)) ERR-FROZEN)
    (try! (check-new key))
    (map-set keys key
      { person: person, scopes: SCOPES-ALL, cap: none, drawn: u0, until: none, revoked: false, added-by: recovery,
        epoch: (+ (get epoch record) u1) })
    (map-set persons person (merge record { recovery: (some recovery) }))
    (print { event: "person-frozen", person: person, recovery: recovery, key: key })
    (ok true)))

;; The person objected: everything is as before the recovery, and its key (the one that `freeze` named) is nobody's.
(define-public (unfreeze (person principal) (key principal))
  (let ((record (try! (check-recovery person))))
    (map-delete keys key)
    (map-set persons person (merge record { recovery: none }))
    (print { event: "person-unfrozen", person: person, key: key })
    (ok true)))

;; The recovery that runs is finished: a new epoch, in which the new key is in force and every older one void. The
;; guardians who decided it are there for the next.
(define-public (renew (person principal) (recovery (buff 32)))
  (let ((record (try! (check-recovery person)))
        (epoch (+ (get epoch record) u1)))
    (map-set persons person
      (merge record { epoch: epoch, keys-head: recovery, recovery: none, lasting: u1, guarded: true }))
    (count { persons: u0, tutors: u0, keys: u1, recoveries: u1 })
    (print { event: "person-renewed", person: person, recovery: recovery, epoch: epoch })
    (ok true)))
