"""What travels on sticks and in pockets: docs/post.md."""

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
