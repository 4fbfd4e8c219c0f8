"""Every bound of the program, with its unit (last word of the name) and its reason.

What a coordinator may choose stands in `hubd.config`, within these. Nothing else in the code holds a bound.
"""

# --- values (docs/protocol.md) ------------------------------------------------------------------------------------
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

# --- gossip -------------------------------------------------------------------------------------------------------
LINK_MESSAGE_BYTES_MAX = 256 * 1024  # ZeroMQ MAXMSGSIZE, set before bind: default let a stranger raise RSS by 300 MB
RECONCILE_FRAME_BYTES_MAX = 64 * 1024  # one Negentropy message; also what fits a phone's WebSocket frame
RECONCILE_LINK_BYTES_MAX = 248 * 1024  # the same between hubs, which bear more: scattered differences take rounds
RECONCILE_FRAME_S = 4  # what a message may take there and back, for the next one to be larger than that of a phone
RECONCILE_FRAME_BYTES_MIN = 4096  # the protocol's own: one parted range and what closes a frame must always fit
RECONCILE_RANGES_AT_ONCE = 64  # ranges of a message looked up together: what follows a full answer is not looked up
RECONCILE_BLOCK_ITEMS_MAX = 128  # items in memory: half a block (3 us) is summed at either end of a fingerprint
RECONCILE_ROUNDS_MAX = 64  # of a phone, whose sets are small: a million items need 3 where frames are large enough
RECONCILE_LINK_ROUNDS_MAX = 256  # of two hubs: 65,536 scattered differences cost 1.6 kB each, so 220 of their frames
SKETCH_SYMBOLS_MAX = 1_024  # kept of a set, 42 bytes each: they tell about 700 differences
SKETCH_DIFFERENCES_MAX = 600  # estimated, give or take an eighth; 1,024 symbols tell about 700
SKETCH_ASKS_MAX = 24  # in one session: from one symbol to all in steps of a quarter
LINK_VERSION = 1  # the highest version of the frames of docs/wire.md that we speak
LINK_CODE_CHARS_MAX = 40  # an error code in a fault frame
LINK_CHUNK_BYTES_MAX = 64 * 1024  # envelopes in one frame: a slow link shows progress, a stall costs little memory
LINK_CHUNK_ACTIONS_MAX = 512  # also one transaction of the store
LINK_WINDOW_CHUNKS = 4  # chunks a session may have on the way: covers a 0.3 s round trip at 800 kB/s
LINK_PUSH_WINDOW_CHUNKS = 4  # live chunks a peer may not yet have acknowledged
LINK_PUSH_OPEN_CHUNKS_MAX = 8  # of a peer's live chunks that wait for our card: its window, and as many that it gave up
LINK_PUSH_LOST_S = 10.0  # a chunk that is open for so long, with both sets proven equal before and after, was lost
LINK_PUSH_QUEUE_ACTIONS_MAX = 256  # waiting for one slow peer; beyond it reconciliation is cheaper
LINK_PUSH_QUEUE_BYTES_MAX = 1024 * 1024  # of these: a stalled peer costs no more, whatever the size of actions
HAVE_GATHER_S = 0.2  # ids for one lazy link travel together; the tree brings the actions meanwhile
HAVE_IDS_MAX = 256  # ids in one Have or Ask: 9 kB
HAVE_QUEUE_IDS_MAX = 1_024  # ids to tell one peer, told to it, or asked for by it; beyond it a session is cheaper
HAVE_TOLD_IDS_MAX = 1_024  # ids that one peer told of and that are not here: 0.3 MB
ASK_AFTER_S = 1.0  # from hearing of an action to asking for it: a few hops of the tree on a village's Wi-Fi
ASK_ANSWER_S = 5.0  # from asking for it to asking somebody else
ASKS_UNKEPT_MAX = 3  # asks in a row that bring nothing; then the peer's announcements are passed over ...
HAVE_REST_S = 60.0  # ... for so long: it costs nothing but speed if it was honest
CONTENT_IDS_MAX = 256  # ids whose content is asked for in one frame: 9 kB
CONTENT_READ_MAX = 32  # of them read at once for an answer of 64 KiB: 0.5 MB at most
CONTENT_VAIN_MAX = 4  # answers in a row that bring nothing, before the next proof: 36 kB
CONTENT_ANSWER_S = 60  # for 64 KiB on the slowest link; then the question was lost, and the next may take twice as long
CONTENT_REST_S = 20  # from one proof after which a peer is asked for content to the next: below SESSION_INTERVAL_S
CONTENT_AGAIN_S_MIN = 60  # until it is asked again for what it did not have; doubles while nothing comes of it ...
CONTENT_AGAIN_S_MAX = 6 * 3600  # ... up to this: what everybody lost is asked for four times a day
CONTENT_CLAIMS_MAX = 4_096  # contents asked for at once because a peer told of them, 100 bytes each: a page of 16 links
SPREAD_RECENT_IDS_MAX = 4_096  # new actions whose way here is remembered, 150 bytes each: a minute of a busy mesh
LINK_TASKS_MAX = 32  # requests to our own store that one link may have open: both windows, loads, and some for luck
LINK_PEERS_MAX = 16  # links to other hubs at once
WANT_IDS_MAX = 1_024  # ids asked for in one frame: 34 kB
SESSION_IDS_MAX = 65_536  # differences one session works on: 6 MB of ids; what is left over is the next session's
SESSION_KNOWN_SPARE = 4_096  # actions one may send again, beside each once: what came from others meanwhile, and a push
STREAM_ANYWAY_ACTIONS = 8  # beyond a cursor: sent though they may be known, which costs no more than a sketch
STREAM_SAMPLED_ACTIONS_MIN = 64  # beyond a cursor, for a sample of 8 to be worth it: of fewer a sketch costs as much
FILL_ACTIONS_MIN = 512  # by which a hub is far ahead of ours; one at a time brings so many, and pushes carry fewer on
FILL_GREETING_S = 5  # for a hub that has the floor to say what it has: a round trip on the slowest link, and a tick
FILL_QUIET_S = 10  # ... and to bring a chunk: 64 KiB on a link of 6 kB/s
FILL_BYTES_PER_S_MIN = 3_000  # of new envelopes, so that this never ends: a tenth of what a radio carries
FILL_SLOW_S = 300  # for which one may be slower than FILL_BYTES_PER_S_GOOD: 10,000 actions at 10 kB/s
FILL_BYTES_PER_S_GOOD = 30_000  # a hub that brings so much keeps the floor as long as it has more
FILL_BARRED_S = 60  # after which a hub that lost it so doesn't wait for the others any more
FILL_FACTOR_MIN = 8  # a side with an eighth of the other's count is sent everything: at most an eighth for nothing
SESSION_WANTED_MAX = 80_000  # ids asked for in one session: SESSION_IDS_MAX, and what the last message told beyond it
SESSION_REFUSED_MAX = 64  # invalid actions in one session: a rotten row is one, more is a rogue
SESSION_SILENCE_S = 30  # a peer that says nothing for so long, in a session, is gone or stuck
SESSION_INTERVAL_S = 30  # default: 160 bytes a time and peer where nothing is new
SESSION_AGAIN_S = 1  # until the next one, where the last moved something and proved nothing
SESSION_STALLED_S_MAX = 600  # ... with a peer whose set doesn't grow by what it takes: doubles, up to ten minutes
GIVEN_SETS_MAX = 2  # a hub is sent our whole set twice, a restored backup once more than before ...
GIVEN_SPARE_ACTIONS = 4_096  # ... and so many actions beside, before its sessions rest: what was refused goes again
GIVEN_SETS_S = 600  # in which one set and that spare are forgotten: SESSION_STALLED_S_MAX, so both rules allow as much
DIAL_WAIT_S_MIN = 1  # first pause after a failure; doubles
DIAL_WAIT_S_MAX = 300  # a hub that was off for a week is found again in five minutes
DIAL_ROUND_MAX = 24  # addresses of one hub tried one after the other before a pause: 8 announced, 8 hinted, 8 of yours
DIAL_GIVE_UP_S = 15  # from dialling to the end of the handshake
NAME_ADDRESSES_MAX = 4  # of one name, tried one after the other: two networks, each with IPv6 and IPv4
NAMES_ABREAST_MAX = 4  # look-ups of names at a time: where nobody answers, each holds a thread for half a minute
HINT_DIAL_GAP_S = 30  # between two dials of an address that only mDNS told: it may be anybody's
HINTS_MAX = 256  # addresses heard of by mDNS at once, 32 hubs with eight each; the oldest gives way
HINTS_PER_KEY_MAX = 8  # of them, for one key: nobody's claims crowd out those for another hub
HINT_LIFE_S = 300  # an address that mDNS has not told again for so long is dialled no more
PEER_FAULTS_MAX = 8  # within PEER_FAULTS_S, then the peer is left alone for PEER_BAN_S
PEER_FAULTS_S = 600  # faults longer ago than this are forgiven
PEER_BAN_S = 600  # an admitted hub of another make is more likely than a rogue: it gets another chance
SESSIONS_BURST_MAX = 120  # of one peer that dialled us, at once ...
SESSIONS_PER_S_MAX = 2  # ... and in the long run: twice as many as a hub begins that is told something all the time
COMPANY_HUBS_MIN = 2  # linked hubs, below which one that withholds goes unnoticed
COMPANY_SHORT_S = 120  # for so long, before a person is told: longer than a neighbour's restart
HANDSHAKE_MS = 3_000  # ZeroMQ HANDSHAKE_IVL: idle strangers hold a descriptor no longer
LINK_RECEIVE_FRAMES_MAX = 16  # ZeroMQ RCVHWM a peer: the default of 1000 was 63 MB
LINK_UNREAD_BYTES_MAX = 16 * 1024 * 1024  # received from one address and not handed over: its windows are 1 MB a link
LINK_SOCKETS_PER_ADDRESS_MAX = 32  # connections of one address at the hubs' door: a whole mesh behind one router
DESCRIPTORS_MAX = 4_096  # files and sockets open at once: both doors, and a burst of knocks until it is counted
HEAPS_MAX = 1  # of glibc's malloc, for all threads: each thread's own would keep what it freed, 5 MB in all
LINK_SOCKETS_MAX = 400  # connections at that door in all: 1,024 descriptors are what a program has by itself
LINK_KNOCKS_BURST_MAX = 120  # links that one hub may open at once: a network that comes and goes for two minutes ...
LINK_KNOCKS_PER_S_MAX = 0.5  # ... in the long run: one of libzmq's 2**32 numbers is met again after years then
LINK_BYTES_PER_S_IDLE = 64  # below the frames, where hubs of another make may let ZeroMQ beat; never handed over
TURNSTILE_S = 0.2  # between two looks at them: 13 MB pass in it where CURVE is the limit
LINK_SEND_FRAMES_MAX = 64  # ZeroMQ SNDHWM a peer
LISTEN_TRIES_MAX = 200  # every 50 ms: libzmq gives a port back a moment after its socket was closed, a busy Pi later
DISCOVERED_HUBS_MAX = 256  # instances followed at once with an admitted hub's key tag: 64 hubs by all four names
DISCOVERED_PHONES_MAX = 64  # phones followed at once; where there are more, they take turns by lot
DISCOVERED_ADDRESSES_MAX = 8  # of one instance: two networks, each with IPv4 and two of IPv6, and some for luck
DISCOVERED_PORT_MIN = 1024  # lower ones belong to other services of whoever a stranger names
DISCOVERY_ABREAST_MAX = 8  # look-ups at a time, of hubs and of phones each: neither waits for a flood of the other
DISCOVERY_LOOK_UP_MS = 3_000  # one look-up: an instance that is there answers within one second
DISCOVERY_AGAIN_S = 60  # between two looks at an instance that is there
DISCOVERY_RETRY_S = 10  # between two looks at one whose records make no sense: somebody may lie about a hub
DISCOVERY_ASK_S_MAX = 3_600  # between two questions who is there, from one second on; an answer holds for 75 minutes
DISCOVERY_RECORDS_MAX = 5_000  # records of the whole network, of 250 chatty machines; more is a flood, and forgotten
INTERFACES_S = 15  # between two looks at this machine's own addresses, where the system tells no news
INTERFACES_SETTLE_S = 0.3  # after such news: a new IPv6 address is on trial for a second, then there is news again
LINK_PROBE_S = 60  # between two tests that a stranger is still refused
LINK_PING_S = 15  # of hearing nothing, until a dialler asks for a sign of life: on an idle link once between sessions
PROBES_SILENT_MAX = 3  # tests in a row that nothing answered, before a person is told: one may fall into a cut
LINK_SILENCE_S = 25  # a link without any frame is gone: ten seconds for the answer to a Ping; 64 KiB pass at 2.6 kB/s
LINK_IDLE_BYTES_PER_HOUR_MAX = 64 * 1024  # both ways, with CURVE and without TCP's headers: mobile data is paid for
LINK_KEEPALIVE_S = 60  # until the kernel asks after a connection that nothing passes: no link in use is so quiet
LINK_KEEPALIVE_AGAIN_S = 15  # between such questions; a connection that leaves three unanswered is closed
CHARTER_BYTES_MAX = 256 * 1024  # twenty hubs' founding actions are 20 kB
CHARTER_STEWARDS_MIN = 3  # one may be ill, one may be lost, and no one rules alone

# --- fold (docs/views.md) -----------------------------------------------------------------------------------------
HUB_NAME_CHARS_MAX = 64  # what a status page shows on one line
HUB_ADDRESSES_MAX = 8  # a hub's networks, twice: IPv4 and IPv6
HUB_ANNOUNCES_MAX = 64  # of a hub that stewards admitted, looked at beside those they named; later ones say nothing
HUB_ANNOUNCES_UNNAMED_MAX = 16  # the same of others: keys cost nothing, and who is admitted is never folded late
HUB_ADDRESS_CHARS_MAX = 255  # a DNS name is at most 253
KEY_CHAIN_MAX = 32  # key-adds from one back to its registration: a person who changed phones thirty times
GUARDIANS_MAX = 5  # slots of a person, and the highest threshold; as in `user-registry`
GUARDIANS_UNANIMOUS = 3  # so many, none missing, overrule an objection; as in `recovery`
GUARDIAN_DELAY_S_MIN = 7 * 86_400  # a week to object in; as in `user-registry`
GUARDIAN_DELAY_S_MAX = 365 * 86_400  # as in `user-registry`
LESSON_MOVES_MAX = 32  # of one lesson, one after the other: beyond it a lesson is where it was moved last
DISPUTE_OFFERS_MAX = 8  # of one person, shown at once: the chain takes one of those that replace the same
PERSON_KEY_ADDS_MAX = 64  # of one person, looked at; beyond it new keys have no effect
FOLD_ACTIONS_AT_ONCE = 16  # new actions folded as they come; more wait for steps, so that nobody waits for them
FOLD_ACTIONS_PER_STEP = 16  # actions filed before others get a turn: about 1 ms here
FOLD_EVALUATIONS_PER_STEP = 64  # rules asked before others get a turn: about 4 ms here, 20 ms on a Pi 4
FOLD_KEEP_ACTIONS = 512  # folded between two commits while catching up: a larger one holds up the others for too long
FOLD_KEEP_S = 0.25  # between two commits otherwise

# --- store --------------------------------------------------------------------------------------------------------
DATABASE_BUSY_MS = 5_000  # a backup or `hubd status` may read meanwhile
MIGRATION_TOLD_S = 2.0  # between two words on how far a conversion is: one of a small set says nothing
MIGRATION_ROOM_PERCENT = 200  # of the database, free before its rows are written anew: to the file and to its log
RESCUE_ROOM_PERCENT = 120  # of the database, free before what can be read of it is written anew
RESCUE_STEP_ROWS = 1_024  # read at once from a damaged database, as long as all of them can be
RESCUE_KEPT_S = 7 * 86_400  # a damaged database lies beside the new one: time to look, and no longer for erased words
RESCUE_BLIND_MAX = 1 << 20  # places tried one by one where rows can't be read: as many as a million actions have
DATABASE_SHARE_PERCENT = 60  # of the partition: logs, bundles and a copy of the database need the rest
DISK_LOW_PERCENT = 90  # of the partition used: `hubd status` says so
DISK_SHORT_PERCENT = 95  # ... and what people bring whom nobody vouched for stays on their phones
DISK_FULL_PERCENT = 98  # the set grows no more: logs, the login and the relay's ledger need the rest
DISK_PLENTY_BYTES = 2 * 1024**3  # with so much free, no percentage counts: ten million actions' room
BALLAST_BYTES = 16 * 1024 * 1024  # thrown off on a full card, so that what must be written still is
DISK_FULL_BYTES = 256 * 1024  # less than this free, and an input/output error is a full card
DATABASE_CACHE_KIB = 1_024  # of the connection that writes: half of it makes an append 5 % dearer
DATABASE_READ_CACHE_KIB = 512  # of each of the two that read: what they read again lies in the system's own cache
BUCKET_ITEMS_MAX = (
    512  # items with one stored sum: half of one is summed up in 60 us, and a million items have 2,700 of them
)
BUCKET_LOAD_QUESTIONS = 4  # about one bucket, from which on it is loaded: 0.2 ms, as four sums of half of it
BUCKETS_LOADED_MAX = 32  # of one comparison, the newest: 2 MB
SKETCH_STEP_IDS = 8_192  # added to the kept sketch between two looks at other work of its thread: 40 ms
SKETCH_KEEP_IDS = 256  # new ones, from which on the kept sketch is written anew: 43 kB to a card, for 1 ms saved
SCRUB_STEP_ROWS = 256  # read and hashed in one step: 10 ms here, 50 ms on a Pi 4
SCRUB_STEP_BUCKETS = 16  # counted again in one step: 4 ms
SCRUB_STEP_IDS = 8_192  # counted in one step: 40 ms
SCRUB_STEP_AUDIENCES = 1_024  # actions whose readers are indexed anew in one transaction: 15 ms
SCRUB_STRAYS_MAX = (
    16  # contents that lost their key, given back in one scrub: each takes a third of a second of a million
)
SCRUB_COUNTS_MAX = 3  # tries to count what is not taken out meanwhile; then writers wait for one
SCRUB_IDLE_TIMES = 20  # as long as a step takes, then rest: 5 % of a core, a Pi's million actions in two hours
SCRUB_INTERVAL_S = 7 * 86_400  # from the end of one scrub to the next, where nothing hints at rot
SCRUB_ROT_S = 600  # ... after a read met rot: no peer can cause that, and a worn card is read again and again
SCRUB_DOUBT_S = 6 * 3_600  # ... where a neighbour's comparison hints at rot: one that lies costs a Pi 5 % of a core
CURSOR_WAIT_S = 1.0  # until a peer's place is written by itself, if no actions are: they bring it along
APPEND_ACTIONS_MAX = 512  # actions in one transaction: larger ones gain nothing and hold a Pi's card for too long
LOCK_WAIT_S = 3.0  # for the data folder: `hubd status` of a stopped hub holds it for a second on a Pi
LOCK_POLL_S = 0.1  # between two tries
QUERY_IDS_MAX = 500  # ids in one SQL statement, below SQLite's 999 variables of old builds
HEADERS_CACHE_KIB = (
    256  # of the set's file, for headers that the fold reads again: most of them are still at hand as values
)
VIEWS_LOG_BYTES_MAX = 8 * 1024 * 1024  # SQLite's log of the views' file, before it is brought into the file
VIEWS_CACHE_KIB = 512  # of the views' file; the entries in use are kept besides, as values; no more is written for it
VIEWS_CELLS_CACHED = 512  # entries, reads, names and places kept at hand, twice at most: about 2 MB together
VIEWS_ACTIONS_CACHED = 512  # headers that rules asked for last, twice at most: 1 kB each
VIEWS_WAITING_MAX = 500  # changed entries in memory before the database gets them: about 4 ms here
VIEWS_NAMES_YOUNG = 512  # numbered last, twice at most, of which is known what is on disk: 350 actions; 0.5 MB
VIEWS_READERS_PAGE = 1_000  # of one entry's readers told at once; every receipt reads the membership
VIEWS_SHELF_ROWS_MAX = 64  # of one place kept at hand; a longer one is asked author by author

# --- relay (docs/relay.md) ----------------------------------------------------------------------------------------
TRANSACTION_MEMO_BYTES = 34  # SIP-005: a transfer's memo, padded with zeros
RELAY_BATCH_ACTIONS = 50  # measured: a batch of 50 takes a few per cent of a tenure's budget
RELAY_BATCH_ACTIONS_MAX = 100  # one receipt holds the results of all, in 4 KiB; the list type of `submit-batch` is 200
RELAY_BATCH_BYTES_MAX = 64 * 1024  # 50 actions are about 20 kB; a node's mempool takes 2 MB
RELAY_WAITING_MAX = 1_000  # actions in the queue, 3 kB each: twenty full transactions; the rest waits in the set
RELAY_LEFT_MAX = (
    10_000  # ids of what was left there, so that nothing goes before what it is about, and the past of as many: 2 MB
)
RELAY_ROUND_S = (
    21_600  # between two walks through the whole set for what was left: a minute's work of a Pi for a million
)
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
RELAY_STRUCK_MAX = (
    2_048  # authors with such, 150 bytes each: a day's usual fees pay for 1,666 transactions, aborted ones, too
)
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

# --- intake, services, post ---------------------------------------------------------------------------------------
VERIFY_ACTIONS_PER_STEP = 64  # signatures checked before others get a turn: about 3 ms here, 20 ms on a Pi 4
TURNS_FIRST_MAX = 4  # turns in a row of what people bring, before hubs and bundles get one: four fifths of the time
SERVICE_RESTART_S_MIN = 0.5  # a service that fails once is back before a person notices
SERVICE_RESTART_S_MAX = 60  # one that keeps failing must not fill the log or heat the Pi
SERVICE_STEADY_S = 120  # after so long without a failure, back-off starts anew
BUNDLE_CHUNK_BYTES = 64 * 1024  # what one flipped bit on a stick can cost
BUNDLE_CHUNK_ENVELOPES_MAX = 500  # in one chunk: one transaction of the store
BUNDLE_BODY_BYTES_MAX = 128 * 1024  # of one block: a chunk with its frame, or the keys of 1,024 hubs
BUNDLE_BLOCKS_MAX = 32_768  # looked at in one file: a gigabyte of full chunks with their keys
BUNDLE_OVERLAPS_MAX = 16  # heads over the same bytes that are hashed in vain: a file made to waste time wastes little
BUNDLE_VAIN_MAX = (
    65_536  # marks in one file that are no block of this mesh: a second of a Pi; behind them, all counts as damaged
)
BUNDLE_VAIN_OF_SIGNATURE = (
    16  # of these that a block counts as whose signature is wrong: 4,096 damaged chunks are 256 MB
)
BUNDLE_CHUNKS_PER_KEYS = 16  # 1 MiB; the keys come again so often, and 20 hubs' are 2 kB
BUNDLE_KEYS_MAX = 64  # bundles in one file: a stick of a whole district copied into one
BUNDLE_RECIPIENTS_MAX = 1_024  # admitted hubs a bundle is sealed to: 90 bytes each
BUNDLE_BYTES_MAX = 1024 * 1024 * 1024  # one file; it is read in pieces, so time alone bounds it
BUNDLE_PIECE_BYTES = 256 * 1024  # read from a file at once
STICK_ENTRIES_MAX = 4_096  # names looked at in our folder on a stick, whatever else lies there
STICK_FILES_MAX = 256  # bundles and receipts of them: a district of a hundred hubs
STICK_ROOT_ENTRIES_MAX = 64  # names looked at to tell an empty stick
STICK_RESERVE_BYTES = 1024 * 1024  # left free on a stick: a full one is trouble for its owner
STICK_STEP_S = 60  # one step of a stick (a read, a write, a sync); slower ones are left alone
STICK_VISIT_S = 3_600  # a whole visit: a stick of 64 MB at 20 kB a second; the next visit goes on where it was
STICK_THREADS_MAX = 16  # threads of visits, those included that a stick which was pulled out blocks for ever
STICKS_ABREAST_MAX = 4  # visited at once: the ports of a Pi
STICK_LOOK_S = 2.0  # between two looks at what is plugged in: before a person has sat down
STICK_AGAIN_S = 60.0  # between two visits to a stick that stays
CARRY_PARCEL_BYTES_MIN = 16 * 1024  # what asking for a parcel costs at least: the keys are sealed anew for each
CARRY_PARCEL_BYTES_MAX = (
    192 * 1024
)  # one bundle for a pocket: it must fit a request at the other hub, with its receipts
CARRY_BRING_BYTES_MAX = 240 * 1024  # receipts and bundles in one request, below PHONE_POST_BYTES_MAX
CARRY_BUNDLES_MAX = 64  # of these; parcels of the smallest size fill a request with fewer
CARRY_PIECE_BYTES = 16 * 1024  # of a bundle looked at before others have their turn: 130 signatures at the worst, 9 ms
CARRY_GATHERED_MAX = 24  # bodies that come in parts over sockets at a time: 7.5 MB, and 256 KiB/s of quota fill fewer
CARRY_GATHERED_PER_PERSON_MAX = 2  # of these: a phone that lost its connection begins again at once
CARRY_GATHERED_PER_ADDRESS_MAX = 8  # of these: as many connections as one address has
CARRY_RECEIPTS_MAX = 16  # hubs that one phone goes to and fro between
CARRY_FILES_MAX = 4_096  # in a pocket: 64 MB in parcels of 16 KiB
CARRY_S = 120  # post after one sync: people stand and wait
CARRY_BYTES_PER_S = 32 * 1024  # of one person, in and out: a village's week in a minute
CARRY_BYTES_BURST = 16 * 1024 * 1024  # at once: a term of a village
CARRY_HUB_BYTES_PER_S = 256 * 1024  # all carriers together: a Pi 3 verifies five times as much
CARRY_HUB_BYTES_BURST = 64 * 1024 * 1024  # at once: a market day
STICK_SENDERS_TOLD_MAX = (
    32  # writers of bundles that RECEIPT.txt names, so that a person reads it; the others are added up
)
RECEIPT_ROWS_MAX = 512  # hubs that one receipt speaks of: what it has of more is told by theirs
RECEIPT_BYTES_MAX = 32 * 1024  # 512 rows of 55 bytes, and what stands around them
RECEIPT_EPOCHS_MAX = 16  # databases that one hub had before, remembered so that their receipts are known as old
POST_MEMORY_BYTES_MAX = 64 * 1024 * 1024  # receipts of all hubs in a file of this hub's own; twenty hubs' are 20 kB
POST_AHEAD_CHUNKS_MAX = 4_096  # chunks remembered behind a gap: a file of 256 MB with its first chunk gone

# --- phone API (docs/phone-api.md) --------------------------------------------------------------------------------
PHONE_MESSAGE_BYTES_MAX = 64 * 1024  # one WebSocket message: what a browser's tab and a hub bear 256 times over
PHONE_POST_BYTES_MAX = 256 * 1024  # one HTTP body: as a hub's link, so that both doors take the same batches
PHONE_ENVELOPES_MAX = 256  # in one PUT or one page: 256 signatures take a Pi 3 about 0.2 s
PHONE_IDS_MAX = 1_024  # in one GET: 32 KiB, and the answer is streamed in pages
PHONE_CBOR_DEPTH_MAX = 6  # a frame needs 3
PHONE_CBOR_ITEMS_MAX = 1_100  # a GET of 1,024 ids with its frame around it
PHONE_LACKING_IDS_MAX = 128  # texts that a phone asks for at once after a sync: 4.4 kB of its radio
PHONE_LACKING_PAGES_MAX = 8  # of these after one sync, while something comes of it
PHONE_LACKING_S_MIN = 600  # until a phone asks the same hub again for what it did not have; doubles ...
PHONE_LACKING_S_MAX = 86_400  # ... up to this
PHONE_LATE_TEXTS_MAX = 512  # headers of texts that came late, kept for all connected phones together: 0.5 MB
PHONE_PAGE_BYTES_MAX = 60 * 1024  # envelopes in one ACTIONS frame or page: leaves room for the frame itself
PHONE_RETURNED_MAX = 128  # of what others said of a person, and of its money, to a hub that lost it: one phone's burst
PHONE_ASSETS_MAX = 64  # balances in one answer: the charter's tokens and STX; such an answer is 6 kB
PHONE_PERSON_ITEMS_MAX = 20_000  # actions of one person compared at a foreign hub: 2 MB, a busy tutor's ten years
PHONE_SOCKETS_MAX = 256  # open connections of phones; a Pi 3 stays below 40 MB for them
PHONE_SOCKETS_PER_ADDRESS_MAX = 8  # a browser opens up to 6 to one origin
PHONE_SOCKETS_PER_PERSON_MAX = 8  # kept for one person while nobody waits outside: a few phones and a desk, not a crowd
PHONE_SOCKETS_UNVOUCHED_MAX = 192  # kept for persons nobody vouched for: a quarter of the door is never theirs
PHONE_SILENT_S = 30  # such a person may say nothing for so long while others wait outside
PHONE_SPARE_S = 10  # until the next of two places of one person is given up: 60 of 256 in ten minutes at most
PHONE_STRANGER_S = 5  # a stranger's place is his for so long, even when all are taken; a whole sync takes two seconds
PHONE_OPEN_S = 5  # from connecting to a whole request head: a stalled stranger costs a descriptor no longer
PHONE_REQUEST_S = 30  # from a request's head to the last byte of its answer, on the worst link that is of use
PHONE_SEND_S = 20  # one WebSocket message to a slow phone, before it is let go (its cursor brings it back)
PHONE_PART_S = 2  # for the other side's goodbye, before the connection is cut
PHONE_IDLE_S = 60  # between requests of one kept-alive connection
PHONE_MESSAGES_PER_S = 20  # of one socket; beyond it the hub reads more slowly
PHONE_MESSAGES_BURST = 40  # after which that rate holds: a sync of two seconds is not slowed
PHONE_MESSAGES_WAITING_MAX = 256  # of one socket, come and not looked at; more only comes of messages of a few bytes
PHONE_MESSAGES_ADDRESS_PER_S = 60  # of all sockets of one address; beyond it they wait: eight phones behind one router
PHONE_MESSAGES_ADDRESS_BURST = 320  # eight syncs at once
PHONE_IDS_PER_MESSAGE = 64  # looking up so many counts as a message: 0.3 ms
PHONE_PAGE_MESSAGES = 3  # as so many counts a full page of actions, so that sockets bring 20 a second, as requests do
PHONE_NEG_MESSAGES = 10  # as so many counts comparing: 40 ms here at the worst
PHONE_SMALL_FRAMES_PER_S = 20  # pings, pongs and parts of messages: a browser sends a pong in 20 seconds
PHONE_SMALL_FRAMES_BURST = 256  # a message of 64 KiB through a proxy that cuts it small
PHONE_READ_BYTES = 4_096  # handled at once of what came: 680 frames of no bytes, 20 ms of a Pi's time
PHONE_KNOCKS_PER_S = 20  # connections of one address: a handshake of TLS takes a Pi 10 ms
PHONE_KNOCKS_BURST = 64  # eight phones behind one router, eight times
PHONE_ANSWERS_PER_S = 40  # requests of one address that are answered at all, refusals included; the others wait
PHONE_ANSWERS_BURST = 200  # twice what is granted
PHONE_REQUESTS_PER_S = 20  # HTTP requests of one address; a first fill takes 60 KiB in each
PHONE_REQUESTS_BURST = 100  # 6 MB at once: a small village's whole set
PHONE_OFFERS_PER_S = 100  # envelopes of one address looked at, valid or not: a Pi 3 verifies about 1,000
PHONE_OFFERS_BURST = 1_024  # four full messages
PHONE_NEWS_S = 0.05  # between two live pages to one phone: news of a moment travel together
PHONE_RECONCILE_ABREAST_MAX = 8  # answered at once: each may hold a sorted set in memory
CHALLENGE_LIFE_S = 120  # one challenge serves the requests of one sync, on a slow phone
CHALLENGE_RANDOM_BYTES = 16  # what makes two challenges of one moment different
QUOTA_PHONE_PER_S = 20  # actions of one address; a person makes a handful a day
QUOTA_PHONE_BURST = 300  # a phone that was away for weeks brings them all at once
QUOTA_HUB_PER_S = 200  # all phones together: a Pi 3 verifies about 1,000 a second, gossip needs the rest
QUOTA_HUB_BURST = 1_000  # a school day's end
QUOTA_UNVOUCHED_ACTIONS = 50  # of one person whom nobody vouched for: enough for a first month
QUOTA_VOUCHED_PER_HOUR = 60  # a tutor with a class of thirty, twice over
QUOTA_VOUCHED_PER_DAY = 300  # a desk that enrols a village
QUOTA_NEWCOMERS_PER_HOUR = 200  # first actions of unknown keys, all phones together: an enrolment day
QUOTA_NEWCOMERS_PER_ADDRESS_PER_HOUR = (
    50  # of these, from one address: a desk that enrols; nobody uses up the village's
)
QUOTA_HELP_PER_ADDRESS_PER_HOUR = 6  # calls for help from one address, whoever signs them: generous for people
QUOTA_HELP_PER_DAY = 200  # calls for help, all phones together: a bad day of a large village, and 1 MB
QUOTA_HELP_CONTENT_BYTES_MAX = 4 * 1024  # what a call for help may carry: a page of text
QUOTA_REMEMBERED_MAX = 10_000  # authors and addresses remembered, 200 bytes each; the longest unseen is forgotten
QUARANTINE_BYTES_MAX = 1024 * 1024  # actions of unknown authors kept in memory; the oldest author's go first
QUARANTINE_PER_AUTHOR_MAX = 8  # of one unknown author
QUARANTINE_AUTHOR_BYTES_MAX = 32 * 1024  # of one unknown author: two actions of the largest size
SYNC_S = 600  # one sync of a phone, on the worst link; what has come is kept, the next one goes on from there
VISIT_PAUSE_S = 30  # between two visits to one phone; doubled by each failure
VISIT_FAILURES_MAX = 5  # in a row, after which a place is forgotten until a phone is seen there again: 15 minutes
VISITS_ABREAST_MAX = 4  # visits at once, of one hub
VISITS_UNPROVEN_MAX = 3  # of these, to places where nobody has proven a key yet: fakes never hold up a known phone
VISIT_PROOF_S = 8  # from dialling to a proven key, its registration brought before: a stalling fake costs no more
PHONE_TRUST_S = 20  # from connecting to knowing that the other side is an admitted hub, its membership fetched
VISITS_REMEMBERED_MAX = 64  # places where phones were seen; an mDNS flood fills no more
PHONE_VISITS_ABREAST_MAX = 4  # connections that a phone waiting to be found accepts
VISIT_S = 120  # one visit to a phone that the hub discovered, from dialling to parting
MESH_PAGES_MAX = 64  # pages of a newcomer's membership actions that `admit --from` reads: 4 MB, 8,000 hubs
CONTROL_BYTES_MAX = 16 * 1024 * 1024  # one request of the local command, an import's portion at most
PAGE_WINDOW_ROWS = 16_384  # looked at in one step for what a peer did not bring itself: 2 ms, 10 ms on a Pi 4
PAGE_ACTIONS = 256  # actions read from the store in one step: 100 kB
UPLINK_AGAIN_S = 60.0  # before an uplink that a person must mend is tried again
