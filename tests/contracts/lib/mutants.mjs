// Faults that somebody could make in a contract, and the test that must notice each.

/** The text of a contract with one place of it changed. */
export function planted(text, { name, from, to }) {
  const places = text.split(from).length - 1;
  if (places !== 1) throw new Error(`a fault belongs in one place, and has ${places}: ${name}`);
  return text.replace(from, () => to);
}

/** Rows of [name, title of the test, from, to]. */
const faults = (contract, suite, rows) =>
  rows.map(([name, test, from, to]) => ({ contract, suite, name, test, from, to }));

const ACCESS = [
  ...faults("access", "access", [
    ["a stranger opens and closes assets", "every change is refused to a stranger",
      `(name (string-ascii 128)) (open bool))
  (begin
    (try! (check-owner))`, `(name (string-ascii 128)) (open bool))
  (begin`],
    ["a passed role stays with the predecessor", "a role that passes on is the successor's",
      "(match (get from proposal) old (map-delete roles { role: role, who: old }) true)", ""],
    ["a sealed mesh gives roles at once", "a sealed mesh gives no role at once",
      "(not (and on (var-get sealed)))", "true"],
    ["a role is given one block early", "a proposed role is given when its grace period",
      "(>= stacks-block-time (get due proposal))", "(>= (+ stacks-block-time u10) (get due proposal))"],
    ["a proposal lies ready for ever", "a proposed role is given when its grace period",
      "(asserts! (<= stacks-block-time (get until proposal)) ERR-NOT-PROPOSED)", ""],
    ["a role that was taken away comes back as proposed", "taking a role away also takes back",
      `on)
    (map-delete role-proposals { role: role, who: who })`, "on)"],
    ["a relay's fee goes to a program", "the grace period stays between",
      "(is-key to)", "true"],
    ["an asset is renamed while the vault holds it", "an asset keeps the name",
      `    (asserts! (is-eq name (default-to name (get name (map-get? assets asset)))) ERR-ASSET-NAME)\n`, ""],
    ["the owner is a proposed one already", "ownership passes only to the principal",
      "(var-set proposed-owner who)", `(var-set proposed-owner who)
    (var-set owner (default-to (var-get owner) who))`],
  ]),
  ...faults("access", "escrow", [
    ["a pause stops withdrawals", "a pause stops every deposit and",
      "(ok (get name (unwrap! (map-get? assets asset) ERR-ASSET-UNKNOWN))))", `(begin
    (asserts! (not (var-get deposits-paused)) ERR-DEPOSITS-PAUSED)
    (ok (get name (unwrap! (map-get? assets asset) ERR-ASSET-UNKNOWN)))))`],
  ]),
];

const REGISTRY = [
  ...faults("user-registry", "registry", [
    ["one bit of a scope is enough for all", "a key needs every bit of the scope",
      "(asserts! (is-eq (bit-and (get scopes entry) scope) scope) ERR-KEY-SCOPE)",
      "(asserts! (> (bit-and (get scopes entry) scope) u0) ERR-KEY-SCOPE)"],
    ["a key ends one second early", "a key acts until the second at",
      "(<= stacks-block-time end)", "(< stacks-block-time end)"],
    ["a cap is not drawn on", "a cap is drawn on until it is used",
      "{ drawn: (+ (get drawn entry) amount) }", "{ drawn: (get drawn entry) }"],
    ["a revoked key acts", "a revoked key resolves to nobody",
      "(and (not (get revoked entry)) (is-eq (get epoch entry) (get epoch person)))",
      "(is-eq (get epoch entry) (get epoch person))"],
  ]),
  ...faults("user-registry", "keys", [
    ["a key-add need not name the newest", "key-adds form one chain",
      "    (asserts! (is-eq previous (get keys-head record)) ERR-VERSION)\n", ""],
    ["anybody accepts for a key", "only a key with the scope identity adds",
      "    (asserts! (is-eq actor (get key add)) ERR-OTHER-KEY)\n", ""],
    ["a key gives more than it has", "a key gives at most its own scopes",
      "(and (is-eq (bit-and scopes (get scopes own)) scopes) (is-none", "(and (is-none"],
    ["the last key that does everything can be revoked", "the last key that does everything stays",
      "        (asserts! (or (> lasting u1) (get guarded record)) ERR-LAST-KEY)\n", ""],
    ["a lesser key ends a wider one", "a lesser key ends no wider one",
      "(or (is-eq actor key) (covers actor scopes (default-to u0 until)))", "true"],
  ]),
  ...faults("user-registry", "recovery", [
    ["a key kept for a recovery is the person's already", "a key kept for a recovery stands for itself",
      "    entry (if (has-begun (get person entry) (get epoch entry)) (get person entry) key)\n",
      "    entry (get person entry)\n"],
    ["keys outlive a recovery", "guardians bring a person to a new key",
      "(asserts! (and (not (get revoked entry)) (is-eq (get epoch entry) (get epoch person))) ERR-KEY-REVOKED)",
      "(asserts! (not (get revoked entry)) ERR-KEY-REVOKED)"],
    ["a frozen person spends", "while a recovery runs, keys and money stay",
      "(asserts! (or (is-none (get recovery (get person found))) (is-eq (bit-and scope SCOPES-FROZEN) u0)) ERR-FROZEN)",
      ""],
  ]),
  ...faults("recovery", "recovery", [
    ["a guardian counts twice", "only guardians approve, each once",
      "    (asserts! (is-none (index-of? (get approvals recovery) guardian)) ERR-APPROVED)\n", ""],
    ["a recovery is finished before its day", "guardians bring a person to a new key",
      "(and (get runs found) (>= stacks-block-time (get due recovery)))", "(get runs found)"],
    ["a stranger objects", "the owner stops guardians who conspire",
      "(is-eq person (try! (contract-call? .user-registry speaks-for actor SCOPE-IDENTITY)))", "true"],
    ["an objection to all guardians holds", "nobody objects to all guardians together",
      "(not (and runs (is-unanimous (get approvals recovery) (default-to NOBODY (get circle recovery)))))", "true"],
    ["two guardians can't be stopped", "one or two guardians can always be",
      "(define-constant UNANIMOUS-MIN u3)", "(define-constant UNANIMOUS-MIN u2)"],
    ["a change of guardians stops a recovery", "no change of guardians stops a recovery",
      "(circle (default-to (get-guardians person) (get circle recovery)))", "(circle (get-guardians person))"],
    ["any key objects", "the owner stops guardians who conspire",
      `    (asserts! (contract-call? .user-registry is-lasting actor) ERR-NOT-LASTING)
    (asserts! (or runs`, "    (asserts! (or runs"],
  ]),
  ...faults("recovery", "guardians", [
    ["a thief's guardians count at once", "a change counts after the delay of the guardians",
      "(if (is-usable current) (seconds-of (get delay current)) u0)", "u0"],
  ]),
];

const MONEY = [
  ...faults("payment-escrow", "vault-locks", [
    ["anybody releases a lock", "only a contract with the role moves",
      `(define-public (release (id (buff 32)) (to principal))
  (begin
    (try! (check-locker))`, `(define-public (release (id (buff 32)) (to principal))
  (begin`],
    ["a lock ends twice", "a lock ends once, in whichever",
      `    (asserts! (is-eq (get state entry) LOCK-HELD) ERR-LOCK-SETTLED)
    (map-set locks id (merge entry { state: state }))`, "    (map-set locks id (merge entry { state: state }))"],
    ["an ended lock is not marked", "a refund frees the payer's money",
      "    (map-set locks id (merge entry { state: state }))\n", ""],
    ["a split rounds up", "a split pays its share rounded",
      "(paid (/ (* amount bps) BPS))", "(paid (/ (+ (* amount bps) (- BPS u1)) BPS))"],
    ["money returns into a lock that has ended", "what was drawn from a lock that",
      "entry (and (is-eq (get state entry) LOCK-HELD)", "entry (and true"],
    ["a drawn lock leaves its origin full", "a draw moves money between locks",
      "(map-set locks from (merge source { amount: (- (get amount source) amount) }))",
      "(map-set locks from (merge source { amount: (get amount source) }))"],
  ]),
  ...faults("payment-escrow", "escrow", [
    ["the transaction's sender withdraws, not the caller", "a contract that a person calls",
      "(pay-out contract-caller amount to NO-FEE)", "(pay-out tx-sender amount to NO-FEE)"],
    ["the asked-for amount is credited, not what arrived", "what a token keeps for itself is",
      "asset (- after before))))", "asset amount)))"],
    ["a token's withdrawal is allowed everything", "a token that fails, takes more",
      "(unwrap! (as-contract? ((with-ft (contract-of ft) name paid))",
      "(unwrap! (as-contract? ((with-all-assets-unsafe))"],
    ["the relay's fee leaves the vault's total", "a relay keeps its fee inside the",
      "(map-set held asset (- (get-held asset) (- amount kept)))", "(map-set held asset (- (get-held asset) amount))"],
  ]),
  ...faults("payment-escrow", "money-keys", [
    ["what is swept stays where it was as well", "money paid to a key before it became",
      "    (set-balance key asset u0 (get locked balance))\n", ""],
  ]),
  ...faults("payment-escrow", "earmark", [
    ["anybody gives an earmark back at any time", "the tutor gives an earmark back",
      "(or (> stacks-block-time (get until terms))", "(or true"],
    ["an earmark pays any tutor", "only lessons of this payer with",
      "(is-eq tutor (get tutor terms)) (is-eq asset", "(is-eq asset"],
  ]),
  ...faults("sponsor-pool", "pool", [
    ["what a pool paid is not counted", "what a learner costs and a tutor",
      "(map-set paid key (+ sum amount))", "true"],
    ["weeks are the chain's, not the lesson's", "six weeks offline settle at once",
      "(week (/ start WEEK-SECONDS))", "(week (/ stacks-block-time WEEK-SECONDS))"],
    ["a sponsor may teach and learn on the own pool", "two strangers, a sponsor who teaches",
      "(asserts! (not (or (is-eq learner tutor) (is-eq learner sponsor) (is-eq tutor sponsor))) ERR-SAME-PERSON)", ""],
    ["any tutor is paid", "a tutor of one pool is none of",
      "(asserts! (is-tutor pool tutor) ERR-NOT-ADMITTED)", ""],
    ["a pool closes while lessons are claimed", "a pool ends when its last lessons could",
      "(* u2 (contract-call? .access get-grace-seconds))", "(contract-call? .access get-grace-seconds)"],
    ["a pool fills up past weeks", "a lesson that began more than 180",
      "(asserts! (<= (- stacks-block-time start) LATE-SECONDS) ERR-TOO-LATE)", ""],
    ["anybody makes a pool pay", "nobody but the contracts that know",
      `    (try! (contract-call? .access is-protocol-caller contract-caller "pool-payer"))\n`, ""],
  ]),
  ...faults("class-manager", "class", [
    ["a learner attends a class twice", "each learner of a class earns the",
      "    (asserts! (not (is-eq attended before)) ERR-ATTENDED)\n", ""],
    ["a learner's word alone pays", "strangers who say that they were there",
      "(amount (if (is-eq attended BOTH) (get amount class) u0))",
      "(amount (if (is-eq attended TUTOR) u0 (get amount class)))"],
    ["a tutor learns in the own class", "the tutor learns nothing in the",
      "    (asserts! (not (is-eq learner tutor)) ERR-SAME-PERSON)\n", ""],
  ]),
  ...faults("hour-credit", "hour-credit", [
    ["an opened token follows the transaction's sender", "an opened token moves by its holder's",
      "(asserts! (is-eq sender contract-caller) ERR-NOT-SENDER)", "(asserts! (is-eq sender tx-sender) ERR-NOT-SENDER)"],
    ["a minter's cap is not used up", "a minter mints within its cap, which",
      "(map-set minters contract-caller (- cap amount))", "true"],
  ]),
];

const MARKET = [
  ...faults("tutor-profile", "market", [
    ["an offer replaces whatever stands", "of two versions that replace the",
      "(or (is-eq (some previous) (get id before)) (and (not stands) (is-eq previous NO-OFFER)))", "true"],
    ["a wallet chooses the id of its offer", "from a wallet an offer has an id",
      `(direct-id contract-caller "offer-set" salt)`, "salt"],
  ]),
  ...faults("student-request", "market", [
    ["a request outlives its last second", "a request past its end can be closed",
      "(asserts! (<= stacks-block-time (get expires request)) ERR-EXPIRED)", ""],
  ]),
  ...faults("matching-engine", "matching", [
    ["a price may not reach its ceiling", "a price keeps to the ceiling per",
      "(<= (* price HOUR) (* ceiling minutes))", "(< (* price HOUR) (* ceiling minutes))"],
    ["an acceptance may name another price", "an acceptance repeats the terms",
      " (is-eq price (get price offer))", ""],
    ["anybody accepts for the student", "only the student of the request",
      "(asserts! (is-eq person (get student offer)) ERR-NOT-STUDENT)", ""],
  ]),
];

const LESSONS = [
  ...faults("session-manager", "session", [
    ["a tutor books oneself", "nobody books with a tutor who is",
      "    (asserts! (not (is-eq student tutor)) ERR-SAME-PERSON)\n", ""],
    ["one attendance completes a lesson", "only the student completes, and",
      "(asserts! (is-eq (get attended lesson) BOTH) ERR-NOT-ATTENDED)",
      "(asserts! (> (get attended lesson) u0) ERR-NOT-ATTENDED)"],
    ["a confirmation may name another price", "a confirmation that repeats anything else",
      "\n      (is-eq amount (get amount lesson))) ERR-TERMS)\n    (asserts! (is-eq start",
      ") ERR-TERMS)\n    (asserts! (is-eq start"],
    ["anybody holds a lesson as disputed", "only the gateway acts for somebody else",
      `(define-public (dispute-hold (id (buff 32)))
  (let ((checked (try! (contract-call? .access is-protocol-caller contract-caller "dispute")))
        (lesson`, `(define-public (dispute-hold (id (buff 32)))
  (let ((lesson`],
    ["a wallet chooses the id of its lesson", "wallets hold a lesson by themselves",
      `(direct-id contract-caller "lesson-book" salt)`, "salt"],
  ]),
  ...faults("session-manager", "claim", [
    ["a claim comes one second early", "a claim waits for the grace period",
      "(> stacks-block-time (+ (if (> start changed-at)", "(>= stacks-block-time (+ (if (> start changed-at)"],
    ["a dispute takes what is anybody's to claim", "a dispute comes before its lesson may",
      "    (asserts! (not (is-due (get start lesson) (get changed-at lesson))) ERR-TOO-LATE)\n", ""],
    ["a claim pays for one attendance", "without both attendances all of the",
      "(held (is-eq (get attended lesson) BOTH))", "(held (> (get attended lesson) u0))"],
  ]),
  ...faults("session-manager", "move", [
    ["an overtaken proposal is agreed to", "of two proposals one is agreed to",
      "    (asserts! (or (is-eq subject version) (is-eq (get version proposal) version)) ERR-VERSION)\n", ""],
    ["one side moves a lesson alone", "one's own proposal is replaced",
      "(or (is-eq subject version) (is-eq person (get by proposal)))", "(is-eq subject version)"],
    ["a replaced proposal is agreed to", "one's own proposal is replaced",
      "(merge proposal { version: 0x })", "proposal"],
  ]),
  ...faults("session-manager", "decline-cancel", [
    ["a cancellation is late one second early", "a cancellation is late from the second on",
      "(<= (+ stacks-block-time (get seconds (get notice lesson))) (get start lesson))",
      "(< (+ stacks-block-time (get seconds (get notice lesson))) (get start lesson))"],
    ["what a late cancellation costs changes after the booking", "what a late cancellation costs is what",
      "(get late-bps (get notice lesson))", "(get late-bps (contract-call? .access get-notice))"],
    ["a student takes back what was held", "a student can't take back what was said",
      "(or (is-eq attended u0) (and in-time (is-eq attended TUTOR)))", "true"],
  ]),
  ...faults("session-manager", "funding", [
    ["a lesson is funded with another sum", "neither the tutor funds a lesson",
      "(is-eq asset (get asset lesson))\n      (is-eq amount (get amount lesson))) ERR-TERMS)\n    (try!",
      "(is-eq asset (get asset lesson))) ERR-TERMS)\n    (try!"],
  ]),
  ...faults("session-manager", "guardian-booking", [
    ["a guardian's early word is refused for good", "a guardian's word for a move's time",
      `    (asserts! (is-eq start (get start lesson)) ERR-VERSION)
    (asserts! (and (is-eq (get state lesson) STATE-BOOKED) (> confirmed (get confirmed lesson))) ERR-NOT-BOOKED)
`, `    (asserts! (and (is-eq (get state lesson) STATE-BOOKED) (> confirmed (get confirmed lesson))) ERR-NOT-BOOKED)
    (asserts! (is-eq start (get start lesson)) ERR-VERSION)
`],
    ["anybody confirms as a guardian", "nobody but the student's own guardian",
      "(or by-tutor (contract-call? .recovery is-guardian (get student lesson) person))", "true"],
  ]),
  ...faults("reputation-tracker", "reputation", [
    ["a rating is sealed twice", "a rating is sealed once, opened",
      "(map-insert ratings {", "(map-set ratings {"],
    ["nobody waits for the other's seal", "an opening waits for the other's",
      "    (try! (check-blind lesson-id other (get sealed-at rating)))\n", ""],
  ]),
];

const DISPUTES = [
  ...faults("dispute-resolution", "dispute", [
    ["a stranger opens a dispute", "only a side of the lesson opens",
      "    (asserts! (or (is-eq person student) (is-eq person tutor)) ERR-NOT-PARTY)\n", ""],
    ["a side takes its own offer", "nobody takes an offer of their",
      `    (asserts! (not (is-eq person (get by terms))) ERR-OWN-OFFER)
    (asserts!
      (or mediated (is-eq (some id) (if as-tutor (get student-offer dispute) (get tutor-offer dispute))))
      ERR-OFFER-REPLACED)`, `    (asserts!
      (or mediated (is-eq (some id) (get student-offer dispute)) (is-eq (some id) (get tutor-offer dispute)))
      ERR-OFFER-REPLACED)`],
    ["a replaced offer is taken", "nobody takes an offer of their",
      `    (asserts!
      (or mediated (is-eq (some id) (if as-tutor (get student-offer dispute) (get tutor-offer dispute))))
      ERR-OFFER-REPLACED)
`, ""],
  ]),
  ...faults("dispute-resolution", "dispute", [
    ["an offer stands again that another replaced", "signed offers stand in the order",
      `    (asserts!
      (is-eq subject
        (default-to lesson
          (if as-tutor (get tutor-offer dispute)
          (if as-student (get student-offer dispute) (get mediator-offer dispute)))))
      ERR-VERSION)
`, ""],
    ["who has too little can't complain", "who has less than the bond opens",
      "(if (< free asked) free asked)", "asked"],
  ]),
  ...faults("dispute-resolution", "mediation", [
    ["one side's word for the mediator is enough", "the first member of the panel mediates",
      "(if (is-eq accepted BOTH) (finish", "(if (> accepted u0) (finish"],
    ["a new offer of the mediator keeps old acceptances", "the first member of the panel mediates",
      "mediator-offer: (some id), accepted: u0 }", "mediator-offer: (some id) }"],
    ["a mediator appears while votes are cast", "nobody becomes the mediator once",
      "(< stacks-block-time (+ (get opened-at dispute) (get grace dispute)))", "true"],
  ]),
  ...faults("panel", "mediation", [
    ["a neighbour of a side mediates", "a neighbour of either side never",
      "(not (is-near (default-to none (get home (map-get? seats (get seat member)))) homes))", "true"],
  ]),
  ...faults("dispute-resolution", "dispute-keys", [
    ["a frozen side makes offers", "a frozen person gives nothing away",
      "(is-eq person (try! (contract-call? .user-registry resolve key SCOPE-MONEY BEYOND-CAPS none)))", "true"],
    ["a key with a cap gives locked money away", "a key with a cap neither makes nor",
      "(define-constant BEYOND-CAPS u9223372036854775808)", "(define-constant BEYOND-CAPS u0)"],
  ]),
  ...faults("dispute-resolution", "panel", [
    ["the panel of today is drawn from, not that of the opening", "who enrols, leaves or comes back",
      "(get seats dispute) (get opened-at dispute)", "(get seats dispute) stacks-block-time"],
    ["whoever paid judges", "whoever paid the price",
      "(get tutor dispute) (get payer dispute)\n", "(get tutor dispute) (get tutor dispute)\n"],
    ["a neighbour of the tutor judges", "a side, the mediator and the neighbours",
      "(list (home-of student) (home-of tutor))", "(list (home-of student))"],
    ["the header of the opening draws", "nobody knows the arbiters before",
      "(define-constant DRAW-DELAY u6)", "(define-constant DRAW-DELAY u0)"],
  ]),
  ...faults("panel", "panel", [
    ["anybody enrols arbiters", "the owner and stewards enrol and",
      "(contract-call? .access is-owner contract-caller))\n", "true)\n"],
    ["people without a home are neighbours", "who named no home hub is nobody",
      "(and (is-some home) (is-some (index-of? homes home)))", "(is-some (index-of? homes home))"],
    ["a dismissed arbiter is replaced", "a dismissed arbiter votes on what",
      "(<= time (get at state))", "(<= time stacks-block-time)"],
    ["a seat is given again while its holder may still vote", "a seat goes to somebody else only",
      "kept: (var-get last-vote) }))", "kept: u0 }))"],
    ["seats that were left stay empty", "a panel that many joined and left",
      "(if (is-some (turns-on oldest person)) oldest new)", "new"],
    ["who returns is drawn for what was opened meanwhile", "an opening while somebody is away",
      "(as-max-len? (append (get turns entry) stacks-block-time) u8) none)))", "(some (list u0)) none)))"],
    ["anybody keeps seats for ever", "only dispute-resolution says how long",
      `(try! (contract-call? .access is-protocol-caller contract-caller "dispute"))`, "(asserts! true (err u0))"],
  ]),
  ...faults("dispute-resolution", "verdict", [
    ["an arbiter votes twice", "only the drawn vote, once each",
      "(asserts! (map-insert votes { lesson: lesson, arbiter: person } share) ERR-VOTED)",
      "(map-set votes { lesson: lesson, arbiter: person } share)"],
    ["votes begin one second late", "votes count from one grace period",
      "(>= stacks-block-time start)", "(> stacks-block-time start)"],
    ["votes end one second early", "votes count from one grace period",
      "(<= stacks-block-time (+ start (get grace dispute)))", "(< stacks-block-time (+ start (get grace dispute)))"],
    ["a dispute is settled while votes may come", "a dispute is settled by time only",
      "(> stacks-block-time (+ (get opened-at dispute) (* u2 (get grace dispute))))",
      "(>= stacks-block-time (+ (get opened-at dispute) (* u2 (get grace dispute))))"],
    ["the median is the larger of two", "the median is the middle one, of",
      "(if (< c low) low (if (> c high) high c))", "high"],
    ["the bond depends on who opened alone", "from wallets, every path",
      "(if by-tutor (>= share HALF) (<= share HALF))", "(>= share HALF)"],
    ["half of the price is too little for the bond", "from wallets, every path",
      "(>= share HALF) (<= share HALF)", "(> share HALF) (< share HALF)"],
    ["silence pays a lesson that nobody attended", "from wallets, every path",
      "(missing (if (is-eq attended BOTH) BPS u0))", "(missing BPS)"],
    ["the bond always comes back", "from wallets, every path",
      "(try! (if bond-back (contract", "(try! (if true (contract"],
  ]),
];

const GATEWAY = [
  ...faults("action-gateway", "gateway", [
    ["the signer need not be the author", "a signature that names nobody",
      "(is-eq (get author s)\n", `(is-eq
        (unwrap! (principal-of? (unwrap! (secp256k1-recover? id signature) (err CODE-SIGNATURE))) (err CODE-SIGNATURE))
`],
    ["a refused action is spent", "a refused action is not spent",
      `    (try! (dispatch (try! (check id item)) id (get statement item)))
    (ok (map-set spent id stacks-block-height))))`, `    (let ((area (try! (check id item))))
      (map-set spent id stacks-block-height)
      (try! (dispatch area id (get statement item)))
      (ok true))))`],
    ["an action is done twice", "an action is done once, also by",
      "    (asserts! (not (is-spent id)) (err CODE-SPENT))\n", ""],
    ["an action expires one second early", "an action may come until the second",
      "(>= (get expires s) stacks-block-time)", "(> (get expires s) stacks-block-time)"],
    ["a column that a kind has not passes", "a kind lacks no column that it",
      "(is-eq (bit-or used (get may row)) (get may row)) ", ""],
  ]),
  ...faults("action-gateway", "void", [
    ["anybody withdraws anybody's action", "nobody withdraws another person's",
      `  (and (is-some (map-get? voids id))
    (or (is-some (map-get? voided { id: id, by: author }))`,
      `  (and (is-some (map-get? voids id))
    (or true`],
    ["a lesser key withdraws everything of its person", "a lesser key withdraws what it signed",
      "(if (contract-call? .user-registry is-lasting key) person key)", "person"],
  ]),
];

/** { name, contract, suite, test, from, to }: each must make its test fail, and only by an assertion. */
export const MUTANTS = [...ACCESS, ...REGISTRY, ...MONEY, ...MARKET, ...LESSONS, ...DISPUTES, ...GATEWAY];
