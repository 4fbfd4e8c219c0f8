"""What the relay sends to a chain, pays and remembers: docs/relay.md."""

TRANSACTION_MEMO_BYTES = 34  # SIP-005: a transfer's memo, padded with zeros
RELAY_BATCH_ACTIONS = 50  # measured: a batch of 50 takes a few per cent of a tenure's budget
RELAY_BATCH_ACTIONS_MAX = 100  # one receipt holds the results of all, in 4 KiB; the list type of `submit-batch` is 200
RELAY_BATCH_BYTES_MAX = 64 * 1024  # 50 actions are about 20 kB; a node's mempool takes 2 MB
RELAY_WAITING_MAX = 1_000  # actions in the queue, 3 kB each: twenty full transactions; the rest waits in the set
RELAY_LEFT_MAX = (
    10_000  # ids of what was left there, so that nothing goes before what it is about, and the past of as many: 2 MB
)
RELAY_ROUND_S = 21_600  # between two walks through the whole set for what was left: a Pi's minute for a million
RELAY_VOID_MAX = 1_000  # actions without effect, asked about each turn whether that changed: 10 ms; others once a round
RELAY_FINISHED_MAX = 4_096  # ids of what is done, so that a fork or a late receipt brings none of it twice: 0.5 MB
RELAY_SAID_MAX = (
    4_096  # words on what time alone decides: a village's open lessons; our own on what waits stay beyond it; 1 MB
)
RELAY_CLAIMS_PAGE = 500  # claims of other hubs looked at in a turn, and as many of those that came before: 10 ms
RELAY_CLAIMS_MAX = 10_000  # claims that were looked up, remembered so that they are not asked for again: 1 MB
RELAY_CANDIDATES_MAX = 1_000  # waiting actions sorted for one batch: ten full ones, and 10 ms of a Pi's time
RELAY_IN_FLIGHT_MAX = 4  # account nonces with an open transaction: what one failure can hold up
RELAY_CHAINED_MAX = 20  # account nonces ahead of the chain's; a node refuses beyond 25
RELAY_REPLACEMENTS_MAX = 8  # fee raises of one account nonce: 1.25^8 is six times the first fee
RELAY_TRIES_MAX = 6  # of one action, before it waits for something about it to change
RELAY_STRIKES_MAX = 3  # actions of one author that aborted a whole batch, before that author pauses a day
RELAY_STRUCK_MAX = 2_048  # authors with such, 150 bytes each: a day's usual fees pay for 1,666 transactions
RELAY_FEE_USTX_MIN = 3_000  # the floor that production relays pay, whatever the size
RELAY_FEE_USTX_MAX = 1_000_000  # one transaction, replacements included: 1 STX
RELAY_FEES_DAY_USTX_MAX = 5_000_000  # a runaway loop spends 5 STX and no more before somebody looks
RELAY_NEWCOMERS_PERCENT_MAX = 20  # of the day's fees, for people nobody vouches for: 300 transactions
RELAY_NEWCOMER_TRIES_MAX = 1  # of an action of theirs, before it waits for something about it to change
RELAY_NEWCOMER_ACTIONS_MAX = 5  # of one of them in one transaction: twenty make a full one
RELAY_WATCHED_MAX = 256  # transactions that are not final yet; 6 Bitcoin blocks pass in an hour
RELAY_CLAIMS_HUB_MAX = 32  # unconfirmed transactions of one other hub watched at once: eight such hubs fill the table
RELAY_LOOKS_MAX = 4  # of them looked up in one tick: public nodes allow 25 requests a minute
RELAY_PARTNERS_MAX = 256  # of one person, looked at for one who is vouched for; a tutor's whole year
RELAY_ENDS_MAX = 20  # said at once of what time alone decides: less than half a transaction, so people's words fit
RELAY_PAGE_ACTIONS = 500  # read from the set at once: 10 ms of a Pi's time between two other services
RELAY_BALANCES_MAX = 50  # balances asked for in one call: the list type of `get-balances`
RELAY_BALANCE_ROWS_MAX = 27  # [person, asset, free, locked] in one statement of 4 KiB: up to 145 bytes each
NODE_RESPONSE_BYTES_MAX = 4 * 1024 * 1024  # a transaction's view with a thousand events is 1 MB
NODE_TIMEOUT_S = 20  # a village's link is slow; a dead node must not hold the relay for minutes
NODE_RETRY_AFTER_S_MAX = 3_600  # the longest pause a node's `retry-after` may impose
