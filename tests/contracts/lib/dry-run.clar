;; Submits a batch and takes everything back: the codes come out as the error of a call that changed nothing.
(define-public (dry-run (batch (list 200
    { signature: (buff 65), statement: { action: (string-ascii 24), amount: uint, asset: (optional principal),
      author: principal, bits: uint, content: (buff 32), created: uint, expires: uint, moment: uint, salt: (buff 8),
      subject: (buff 32), who: (optional principal) } })))
  (err (unwrap-panic (contract-call? .action-gateway submit-batch batch))))
