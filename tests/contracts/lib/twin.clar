;; Does operations on one lesson in a given order and takes everything back: codes and outcome come out as the error of a
;; call that changed nothing. Has the role "gateway", so that it may act for both sides.
(define-data-var case
  { lesson: (buff 32), student: principal, tutor: principal, donor: principal, amount: uint,
    student-offer: (buff 32), tutor-offer: (buff 32) }
  { lesson: 0x, student: tx-sender, tutor: tx-sender, donor: tx-sender, amount: u0, student-offer: 0x, tutor-offer: 0x })

(define-private (done (op uint) (at uint))
  (let ((c (var-get case)) (lesson (get lesson c)) (student (get student c)) (tutor (get tutor c))
        (id (sha256 at)))
    (if (is-eq op u0) (contract-call? .session-manager attend-for student id lesson tutor u1)
    (if (is-eq op u1) (contract-call? .session-manager attend-for tutor id lesson student u1)
    (if (is-eq op u2) (contract-call? .session-manager cancel-for student lesson none)
    (if (is-eq op u3) (contract-call? .session-manager cancel-for tutor lesson none)
    (if (is-eq op u4) (contract-call? .session-manager decline-for tutor lesson none)
    (if (is-eq op u5) (contract-call? .session-manager complete-for student lesson none)
    (if (is-eq op u6) (contract-call? .session-manager claim-for lesson)
    (if (is-eq op u7) (contract-call? .session-manager fund-for (get donor c) lesson none none (get amount c))
    (if (is-eq op u8) (contract-call? .dispute-resolution open-for student lesson none u1)
    (if (is-eq op u9) (contract-call? .dispute-resolution accept-for student (get tutor-offer c))
    (if (is-eq op u10) (contract-call? .dispute-resolution accept-for tutor (get student-offer c))
      (contract-call? .dispute-resolution settle-for lesson))))))))))))))

(define-private (step (op uint) (codes (list 14 uint)))
  (unwrap-panic (as-max-len?
    (append codes (match (done op (len codes)) yes u0 code code)) u14)))

(define-private (balance (person principal))
  (contract-call? .payment-escrow get-balance { person: person, asset: none }))

(define-public (set-case (to
    { lesson: (buff 32), student: principal, tutor: principal, donor: principal, amount: uint,
      student-offer: (buff 32), tutor-offer: (buff 32) }))
  (ok (var-set case to)))

(define-public (try (ops (list 14 uint)))
  (let ((codes (fold step ops (list))) (c (var-get case)))
    (err
      {
        codes: codes, student: (balance (get student c)), tutor: (balance (get tutor c)), donor: (balance (get donor c)),
        lesson: (contract-call? .session-manager get-lesson (get lesson c)),
        lock: (contract-call? .payment-escrow get-lock (get lesson c))
      })))
