"""What databases and key files hold, and how long their steps take."""

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
VIEWS_CHECK_AT_ONCE_BYTES = 4 * 1024 * 1024  # of a file that is looked through before it is used: 0.1 s
VIEWS_READERS_PAGE = 1_000  # of one entry's readers told at once; every receipt reads the membership
VIEWS_SHELF_ROWS_MAX = 64  # of one place kept at hand; a longer one is asked author by author
