"""What a value, an action and a statement may be: docs/protocol.md."""

INTEGER_MAX = 2**63 - 1  # fits CBOR, JavaScript BigInt, SQLite and Clarity alike
ENVELOPE_BYTES_MAX = 16 * 1024  # one action, content included; a photo does not belong in it
CBOR_DEPTH_MAX = 6  # an envelope needs 3
CBOR_ITEMS_MAX = 512  # a receipt for 100 actions needs about 320
KIND_CHARS_MAX = 24  # (string-ascii 24) in the statement
AUTHORS_REMEMBERED_MAX = 2_048  # keys whose principal is not computed again: 0.4 MB, a village or two
CONTRACT_NAME_CHARS_MAX = 40  # the reference library refuses longer ones, and would spoil a whole transaction
ANCHORED_CONTENT_BYTES_MAX = 4 * 1024  # hub-*, steward-*, relay-*: never erased, so they stay small
CLARITY_DEPTH_MAX = 16  # nesting of a value a node may hand us; our own need 4
CLARITY_BYTES_MAX = 1024 * 1024  # the VM's own limit on a value
STATEMENT_LIFE_S = 400 * 86_400  # default `expires` - `created`: a village may be offline for a school year
