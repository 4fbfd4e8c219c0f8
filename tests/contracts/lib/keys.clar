
;; ---- appended by tests only: `key-add` comes later, and `resolve` must be right for its keys already
(define-public (put-key (key principal) (entry
    { person: principal, scopes: uint, cap: (optional { amount: uint, asset: (optional principal) }), drawn: uint,
      until: (optional uint), revoked: bool, added-by: (buff 32) }))
  (ok (map-set keys key entry)))
