;; Submits a batch and takes everything back: what it came to is the error of a call that changed nothing.
(define-public (dry-run (batch (list 200
    { signature: (buff 65), statement: { action: (string-ascii 24), amount: uint, asset: (optional principal),
      author: principal, bits: uint, content: (buff 32), created: uint, expires: uint, moment: uint, salt: (buff 8),
      subject: (buff 32), who: (optional principal) } })))
  (err (unwrap-panic (contract-call? .action-gateway submit-batch batch))))

;; The same, answering where it ended: codes, balances, and every contract's counters.
(define-public (ending (batch (list 200
    { signature: (buff 65), statement: { action: (string-ascii 24), amount: uint, asset: (optional principal),
      author: principal, bits: uint, content: (buff 32), created: uint, expires: uint, moment: uint, salt: (buff 8),
      subject: (buff 32), who: (optional principal) } }))
    (of (list 50 { person: principal, asset: (optional principal) })))
  (let ((items (unwrap-panic (contract-call? .action-gateway submit-batch batch))))
    (err {
      items: items,
      balances: (contract-call? .payment-escrow get-balances of),
      held: (contract-call? .payment-escrow get-held none),
      volume: (contract-call? .payment-escrow get-volume none),
      persons: (contract-call? .user-registry get-counts),
      offers: (contract-call? .tutor-profile get-counts),
      requests: (contract-call? .student-request get-counts),
      matches: (contract-call? .matching-engine get-counts),
      lessons: (contract-call? .session-manager get-counts),
      classes: (contract-call? .class-manager get-counts),
      pools: (contract-call? .sponsor-pool get-counts),
      ratings: (contract-call? .reputation-tracker get-counts)
    })))
