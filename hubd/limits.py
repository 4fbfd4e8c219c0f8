"""Every bound of the program, with its unit (last word of the name) and its reason.

A configuration may lower most of them; raising one is allowed with a warning. Nothing else in the code holds a bound.
"""

# --- values (docs/protocol.md) ------------------------------------------------------------------------------------
INTEGER_MAX = 2**63 - 1  # fits CBOR, JavaScript BigInt, SQLite and Clarity alike
ENVELOPE_BYTES_MAX = 16 * 1024  # one action, content included; a photo does not belong in it
CBOR_DEPTH_MAX = 6  # an envelope needs 3
CBOR_ITEMS_MAX = 512  # a receipt for 100 actions needs about 320
KIND_CHARS_MAX = 24  # (string-ascii 24) in the statement
CONTRACT_NAME_CHARS_MAX = 40  # the reference library refuses longer ones, and would spoil a whole transaction
ANCHORED_CONTENT_BYTES_MAX = 4 * 1024  # hub-*, steward-*, relay-*: never erased, so they stay small
CLARITY_DEPTH_MAX = 16  # nesting of a value a node may hand us; our own need 4
CLARITY_BYTES_MAX = 1024 * 1024  # the VM's own limit on a value
STATEMENT_LIFE_S = 400 * 86_400  # default `expires` - `created`: a village may be offline for a school year

# --- gossip -------------------------------------------------------------------------------------------------------
LINK_MESSAGE_BYTES_MAX = 256 * 1024  # ZeroMQ MAXMSGSIZE, set before bind: default let a stranger raise RSS by 300 MB
RECONCILE_FRAME_BYTES_MAX = 64 * 1024  # one Negentropy message; also what fits a phone's WebSocket frame
RECONCILE_FRAME_BYTES_MIN = 4096  # the protocol's own: one parted range and what closes a frame must always fit
RECONCILE_BLOCK_ITEMS_MAX = 128  # items in memory: half a block (3 us) is summed at either end of a fingerprint
RECONCILE_ROUNDS_MAX = 64  # a million items with a hundred thousand differences need 3
CHARTER_BYTES_MAX = 256 * 1024  # twenty hubs' founding actions are 20 kB
CHARTER_STEWARDS_MIN = 3  # one may be ill, one may be lost, and no one rules alone

# --- store --------------------------------------------------------------------------------------------------------
DATABASE_BUSY_MS = 5_000  # a backup or `hubd status` may read meanwhile
DATABASE_CACHE_KIB = 4_096  # a Pi 3 has 1 GB for everything
APPEND_ACTIONS_MAX = 512  # actions in one transaction: larger ones gain nothing and hold a Pi's card for too long
QUERY_IDS_MAX = 500  # ids in one SQL statement, below SQLite's 999 variables of old builds

# --- relay (docs/relay.md) ----------------------------------------------------------------------------------------
TRANSACTION_MEMO_BYTES = 34  # SIP-005: a transfer's memo, padded with zeros
RELAY_BATCH_ACTIONS = 50  # measured: a batch of 50 takes a few per cent of a tenure's budget
RELAY_BATCH_ACTIONS_MAX = 200  # the list type of `submit-batch`
RELAY_BATCH_BYTES_MAX = 64 * 1024  # 50 actions are about 20 kB; a node's mempool takes 2 MB
RELAY_IN_FLIGHT_MAX = 4  # account nonces with an open transaction: what one failure can hold up
RELAY_CHAINED_MAX = 20  # account nonces ahead of the chain's; a node refuses beyond 25
RELAY_REPLACEMENTS_MAX = 8  # fee raises of one account nonce: 1.25^8 is six times the first fee
RELAY_TRIES_MAX = 6  # of one action, before it waits for something about it to change
RELAY_STRIKES_MAX = 3  # actions of one author that aborted a whole batch, before that author pauses a day
RELAY_FEE_USTX_MIN = 3_000  # the floor that production relays pay, whatever the size
RELAY_FEE_USTX_MAX = 1_000_000  # one transaction, replacements included: 1 STX
RELAY_FEES_DAY_USTX_MAX = 5_000_000  # a runaway loop spends 5 STX and no more before somebody looks
RELAY_WATCHED_MAX = 256  # transactions that are not final yet; 6 Bitcoin blocks pass in an hour
RELAY_CLAIMS_MAX = 16  # other hubs' claims looked up in one tick: a node allows 25 requests a minute
RELAY_RECEIPT_ITEMS_MAX = 90  # [id, code] pairs in one receipt: 40 bytes each, content is at most 4 KiB
RELAY_BALANCES_ITEMS_MAX = 36  # [person, asset, free, locked] in one statement: up to 105 bytes each
NODE_RESPONSE_BYTES_MAX = 4 * 1024 * 1024  # a transaction's view with a thousand events is 1 MB
NODE_TIMEOUT_S = 20  # a village's link is slow; a dead node must not hold the relay for minutes
NODE_RETRY_AFTER_S_MAX = 3_600  # the longest pause a node's `retry-after` may impose
