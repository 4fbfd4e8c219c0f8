;; access: the permanent anchor of a mesh. Its principal is `mesh` in the domain that every action is signed under.
;;
;; Holds who may do what: the owner, the stewards, which contract plays which role, which assets the vault takes,
;; and the numbers that the other contracts read. Holds no money, no person and no lesson, and decides nothing by
;; itself. Every check looks at `contract-caller`, so a lure contract that a person calls gains nothing here.
;; The owner sets it up freely until `seal`; from then on a role is given only after everybody had a grace period to see
;; it coming.

(define-constant ERR-NOT-OWNER (err u100))
(define-constant ERR-NOT-ROLE (err u101))
(define-constant ERR-NOT-PROPOSED (err u102))
(define-constant ERR-NOT-STEWARD (err u103))
(define-constant ERR-PARAMETER (err u104))
(define-constant ERR-DEPOSITS-PAUSED (err u105))
(define-constant ERR-ASSET-CLOSED (err u106))
(define-constant ERR-ASSET-UNKNOWN (err u107))
(define-constant ERR-SEALED (err u108))
(define-constant ERR-TOO-EARLY (err u109))
(define-constant ERR-ASSET-NAME (err u110))

;; Bounds of the grace period, in seconds: longer than a village stays offline (30 days), and at most a year.
(define-constant GRACE-SECONDS-MIN u2592000)
(define-constant GRACE-SECONDS-MAX u31536000)
;; Most that a relay may keep of a withdrawal, in basis points (1/10,000): 5 %.
(define-constant RELAY-FEE-BPS-MAX u500)
;; Longest notice that a cancellation may be asked to give, in seconds: 30 days.
(define-constant NOTICE-SECONDS-MAX u2592000)
;; Most that a late cancellation may cost, in basis points of the price: half of it.
(define-constant LATE-BPS-MAX u5000)
;; Highest bond of a dispute, in basis points of the price: 20 %, or the poor could not dispute.
(define-constant DISPUTE-BOND-BPS-MAX u2000)

;; Who may change what is kept here. The deployer at first; handed over in two steps.
(define-data-var owner principal tx-sender)
;; Who was proposed as the next owner and has not accepted yet.
(define-data-var proposed-owner (optional principal) none)
;; Whether the mesh is set up: roles are given in two steps from then on. Never false again.
(define-data-var sealed bool false)
;; Seconds of chain time that a party may stay silent before a default takes effect: 45 days at first.
(define-data-var grace-seconds uint u3888000)
;; What a relay keeps of a withdrawal that it carried, in basis points, and whose vault balance receives it.
(define-data-var relay-fee { bps: uint, to: principal } { bps: u0, to: tx-sender })
;; How long before the start a student may cancel for nothing, in seconds of chain time, and what the tutor keeps of a
;; later cancellation, in basis points of the price: a day and nothing at first, since the word of a village comes late.
(define-data-var notice { seconds: uint, late-bps: uint } { seconds: u86400, late-bps: u0 })
;; What whoever opens a dispute puts up, in basis points of the price: 5 % at first.
(define-data-var dispute-bond-bps uint u500)
;; While true nobody can pay into the vault. Withdrawals do not look at it.
(define-data-var deposits-paused bool false)
;; Number of stewards.
(define-data-var steward-count uint u0)

;; (role, contract) -> may act in it. Grants say nothing about people: their rights are keys in `user-registry`.
(define-map roles { role: (string-ascii 16), who: principal } bool)
;; (role, contract proposed for it) -> who loses the role in the same step, and from when to when it may be applied.
(define-map role-proposals { role: (string-ascii 16), who: principal }
  { from: (optional principal), due: uint, until: uint })
;; Steward -> true. A steward may pause deposits; nothing else on the chain follows from it yet.
(define-map stewards principal bool)
;; Asset (none = STX, else the token's contract) -> the token's asset name, and whether deposits are open.
;; Closing an asset stops deposits only. An entry is never deleted or renamed, or what is in the vault could not leave.
(define-map assets (optional principal) { name: (string-ascii 128), open: bool })

;; ---- questions

;; (ok true) when `who` plays `role`, else ERR-NOT-ROLE. Callers pass their own `contract-caller`.
(define-read-only (is-protocol-caller (who principal) (role (string-ascii 16)))
  (ok (asserts! (default-to false (map-get? roles { role: role, who: who })) ERR-NOT-ROLE)))

;; Whether `who` is the owner now. A proposed owner is not.
(define-read-only (is-owner (who principal))
  (is-eq who (var-get owner)))

;; Whether giving a role takes two steps now.
(define-read-only (is-sealed)
  (var-get sealed))

;; The standing proposal that `who` plays `role`, if there is one. It may have lapsed.
(define-read-only (get-role-proposal (role (string-ascii 16)) (who principal))
  (map-get? role-proposals { role: role, who: who }))

;; Whether `who` is a steward now.
(define-read-only (is-steward (who principal))
  (default-to false (map-get? stewards who)))

;; The parameters and the people in charge, in one tuple for screens.
(define-read-only (get-settings)
  {
    deposits-paused: (var-get deposits-paused),
    dispute-bond-bps: (var-get dispute-bond-bps),
    grace-seconds: (var-get grace-seconds),
    notice-late-bps: (get late-bps (var-get notice)),
    notice-seconds: (get seconds (var-get notice)),
    owner: (var-get owner),
    proposed-owner: (var-get proposed-owner),
    relay-fee-bps: (get bps (var-get relay-fee)),
    relay-fee-to: (get to (var-get relay-fee)),
    sealed: (var-get sealed),
    steward-count: (var-get steward-count)
  })

;; Seconds of silence after which a default takes effect.
(define-read-only (get-grace-seconds)
  (var-get grace-seconds))

;; What a relay keeps of a withdrawal: basis points, and whose vault balance receives them.
(define-read-only (get-relay-fee)
  (var-get relay-fee))

;; How long before the start a student may cancel for nothing, and what part of the price a later cancellation costs.
(define-read-only (get-notice)
  (var-get notice))

;; What whoever opens a dispute puts up, in basis points of the price.
(define-read-only (get-dispute-bond)
  (var-get dispute-bond-bps))

;; The entry of an asset, if there is one.
(define-read-only (get-asset (asset (optional principal)))
  (map-get? assets asset))

;; (ok asset name) when the vault may take this asset now. Does not look at balances.
(define-read-only (check-deposit (asset (optional principal)))
  (let ((entry (unwrap! (map-get? assets asset) ERR-ASSET-CLOSED)))
    (asserts! (not (var-get deposits-paused)) ERR-DEPOSITS-PAUSED)
    (asserts! (get open entry) ERR-ASSET-CLOSED)
    (ok (get name entry))))

;; (ok asset name) of an asset that the vault may pay out, open or closed, paused or not.
(define-read-only (check-withdrawal (asset (optional principal)))
  (ok (get name (unwrap! (map-get? assets asset) ERR-ASSET-UNKNOWN))))

;; ---- the owner

(define-private (check-owner)
  (ok (asserts! (is-owner contract-caller) ERR-NOT-OWNER)))

;; Propose the next owner, or none to take a proposal back. Changes nothing else until that principal accepts.
(define-public (propose-owner (who (optional principal)))
  (begin
    (try! (check-owner))
    (var-set proposed-owner who)
    (print { event: "owner-proposed", who: who })
    (ok true)))

;; Become the owner. Only the proposed principal can, so a mistyped address never owns a mesh.
(define-public (accept-owner)
  (begin
    (asserts! (is-eq (some contract-caller) (var-get proposed-owner)) ERR-NOT-PROPOSED)
    (var-set owner contract-caller)
    (var-set proposed-owner none)
    (print { event: "owner-accepted", who: contract-caller })
    (ok true)))

;; End the setting up, for good: the last call of a deployment. Whoever plays a role keeps it.
(define-public (seal)
  (begin
    (try! (check-owner))
    (asserts! (not (var-get sealed)) ERR-SEALED)
    (var-set sealed true)
    (print { event: "sealed" })
    (ok true)))

;; Give a role, before the seal, or take one away, at any time and at once; what is taken away is no longer proposed
;; either. Does not check that `who` is a contract or behaves: the owner answers for it.
(define-public (set-role (role (string-ascii 16)) (who principal) (on bool))
  (begin
    (try! (check-owner))
    (asserts! (not (and on (var-get sealed))) ERR-SEALED)
    (map-set roles { role: role, who: who } on)
    (map-delete role-proposals { role: role, who: who })
    (print { event: "role-set", role: role, who: who, on: on })
    (ok true)))

;; Propose that `who` plays a role a grace period from now, and that `from` loses it then. Gives and takes nothing yet.
;; Proposed again, the wait begins anew.
(define-public (propose-role (role (string-ascii 16)) (who principal) (from (optional principal)))
  (let ((due (+ stacks-block-time (var-get grace-seconds)))
        (until (+ due (var-get grace-seconds))))
    (try! (check-owner))
    (match from old (try! (is-protocol-caller old role)) true)
    (map-set role-proposals { role: role, who: who } { from: from, due: due, until: until })
    (print { event: "role-proposed", role: role, who: who, from: from, due: due, until: until })
    (ok true)))

;; Give the role as proposed, and take it from its predecessor in the same step, so that never both and never neither
;; may act. A proposal lapses a grace period after it was due, so that none lies ready for ever, forgotten by everybody.
(define-public (apply-role (role (string-ascii 16)) (who principal))
  (begin
    (try! (check-owner))
    (let ((proposal (unwrap! (get-role-proposal role who) ERR-NOT-PROPOSED)))
      (asserts! (>= stacks-block-time (get due proposal)) ERR-TOO-EARLY)
      (asserts! (<= stacks-block-time (get until proposal)) ERR-NOT-PROPOSED)
      (match (get from proposal) old (map-delete roles { role: role, who: old }) true)
      (map-set roles { role: role, who: who } true)
      (map-delete role-proposals { role: role, who: who })
      (print { event: "role-applied", role: role, who: who, from: (get from proposal) })
      (ok true))))

;; Name a steward. Naming one twice changes nothing.
(define-public (steward-add (who principal))
  (begin
    (try! (check-owner))
    (and (map-insert stewards who true) (var-set steward-count (+ (var-get steward-count) u1)))
    (print { event: "steward-added", who: who })
    (ok true)))

;; Dismiss a steward. What the steward did before stays done.
(define-public (steward-remove (who principal))
  (begin
    (try! (check-owner))
    (asserts! (map-delete stewards who) ERR-NOT-STEWARD)
    (var-set steward-count (- (var-get steward-count) u1))
    (print { event: "steward-removed", who: who })
    (ok true)))

;; ---- parameters

(define-private (is-key (who principal))
  (match (principal-destruct? who) parts (is-none (get name parts)) foreign false))

;; Set the grace period, in seconds of chain time. Counts for periods that still run, too.
(define-public (set-grace (seconds uint))
  (begin
    (try! (check-owner))
    (asserts! (and (>= seconds GRACE-SECONDS-MIN) (<= seconds GRACE-SECONDS-MAX)) ERR-PARAMETER)
    (var-set grace-seconds seconds)
    (print { event: "grace-set", seconds: seconds })
    (ok true)))

;; Set what a relay keeps of the withdrawals it carries. A person's own wallet never pays it. No contract receives it:
;; none could take it out of the vault again.
(define-public (set-relay-fee (bps uint) (to principal))
  (begin
    (try! (check-owner))
    (asserts! (and (<= bps RELAY-FEE-BPS-MAX) (is-key to)) ERR-PARAMETER)
    (var-set relay-fee { bps: bps, to: to })
    (print { event: "relay-fee-set", bps: bps, to: to })
    (ok true)))

;; Set the notice of a cancellation and what a later one costs, for lessons booked from now on: others keep theirs.
(define-public (set-notice (seconds uint) (late-bps uint))
  (begin
    (try! (check-owner))
    (asserts! (and (<= seconds NOTICE-SECONDS-MAX) (<= late-bps LATE-BPS-MAX)) ERR-PARAMETER)
    (var-set notice { seconds: seconds, late-bps: late-bps })
    (print { event: "notice-set", seconds: seconds, late-bps: late-bps })
    (ok true)))

;; Set the bond of disputes to come. A dispute that is open keeps the bond it began with.
(define-public (set-dispute-bond (bps uint))
  (begin
    (try! (check-owner))
    (asserts! (<= bps DISPUTE-BOND-BPS-MAX) ERR-PARAMETER)
    (var-set dispute-bond-bps bps)
    (print { event: "dispute-bond-set", bps: bps })
    (ok true)))

;; Admit an asset to the vault (none = STX), or open or close its deposits. `name` is the asset name inside the
;; token's contract ("" for STX): the vault allows exactly that asset to leave it. The first name stays, or whoever
;; renames an asset stops its withdrawals.
(define-public (set-asset (asset (optional principal)) (name (string-ascii 128)) (open bool))
  (begin
    (try! (check-owner))
    (asserts! (is-eq name (default-to name (get name (map-get? assets asset)))) ERR-ASSET-NAME)
    (map-set assets asset { name: name, open: open })
    (print { event: "asset-set", asset: asset, name: name, open: open })
    (ok true)))

;; Stop deposits: the owner or any one steward. Never stops a withdrawal.
(define-public (pause-deposits)
  (begin
    (asserts! (or (is-owner contract-caller) (is-steward contract-caller)) ERR-NOT-STEWARD)
    (var-set deposits-paused true)
    (print { event: "deposits-paused", who: contract-caller })
    (ok true)))

;; Let deposits run again: the owner alone.
(define-public (resume-deposits)
  (begin
    (try! (check-owner))
    (var-set deposits-paused false)
    (print { event: "deposits-resumed", who: contract-caller })
    (ok true)))
