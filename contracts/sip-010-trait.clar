;; sip-010-trait: the standard interface of a fungible token (SIP-010, section "Trait").
;;
;; A copy, so that the set deploys on any network without a foreign contract. Traits are compared by their shape:
;; a token that implements the copy published on mainnet fits here as well.

(define-trait sip-010-trait
  (
    ;; Move `amount` from `sender` to `recipient`; the token prints the memo where there is one.
    (transfer (uint principal principal (optional (buff 34))) (response bool uint))
    ;; Name for people.
    (get-name () (response (string-ascii 32) uint))
    ;; Ticker.
    (get-symbol () (response (string-ascii 32) uint))
    ;; Decimal places between the base unit and what people read.
    (get-decimals () (response uint uint))
    ;; Base units that a principal holds.
    (get-balance (principal) (response uint uint))
    ;; Base units that exist.
    (get-total-supply () (response uint uint))
    ;; Where the token describes itself, if anywhere.
    (get-token-uri () (response (optional (string-utf8 256)) uint))))
