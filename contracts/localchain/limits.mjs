/**
 * Every bound and fixed number of the local chain, with its unit and its reason.
 *
 * Numbers that stand for mainnet cite stacks-core; the others bound this process only.
 */

/** Chain id of Stacks testnet, the only network the Clarity VM simulates. */
export const CHAIN_ID = 0x80000000;
/** First byte of every testnet transaction (SIP-005). */
export const TRANSACTION_VERSION = 0x80;
/** c32 version bytes of testnet addresses: single signature and multi signature (SIP-005). */
export const ADDRESS_VERSIONS = [26, 21];
/** Where fees go. An address without a known key: the account of the miner that does not exist. */
export const MINER = "ST000000000000000000002AMW42H";

/** Body of one request. Twice the largest transaction, because JSON carries it as hexadecimal, and some room. */
export const BODY_BYTES_MAX = 5 * 1024 * 1024;
/** One transaction: stacks-core's MAX_BLOCK_LEN, since a transaction must fit a block. */
export const TRANSACTION_BYTES_MAX = 2 * 1024 * 1024;
/** Source of one contract. The reference library reads no more. */
export const SOURCE_BYTES_MAX = 100_000;
/** A request that takes longer is cut off: nothing here waits for anything but injected delays. */
export const REQUEST_MS_MAX = 120_000;
/** Open connections: a relay, a test runner and some to spare. */
export const CONNECTIONS_MAX = 256;

/** stacks-core MINIMUM_TX_FEE_RATE_PER_BYTE. */
export const FEE_USTX_PER_BYTE_MIN = 1n;
/** stacks-core MAXIMUM_MEMPOOL_TX_CHAINING: an account nonce may be ahead by one and this many. */
export const CHAINING_MAX = 25n;
/** stacks-core MEMPOOL_MAX_TRANSACTION_AGE: burn blocks after which a waiting transaction is collected. */
export const MEMPOOL_AGE_BURN_BLOCKS_MAX = 256;
/** Waiting transactions. Selection is quadratic in their number, and no test needs more. */
export const MEMPOOL_TRANSACTIONS_MAX = 1_000;
/** Transactions of one block: keeps one block well under a second of execution. */
export const BLOCK_TRANSACTIONS_MAX = 100;
/** Transactions a chain keeps for replay and look-ups, at up to 60 kB each: a chain that is full is started anew. */
export const CHAIN_TRANSACTIONS_MAX = 20_000;
/** Blocks that one test request may make or drop. A jump of two years of burn blocks takes 0.3 s. */
export const BLOCKS_PER_REQUEST_MAX = 110_000;
/** Fault rules that may wait at once. */
export const FAULTS_MAX = 100;
/** Longest injected delay: beyond it every client has given up. */
export const FAULT_DELAY_MS_MAX = 60_000;

/**
 * Budget of one block, and so of one transaction: a quarter of mainnet's budget for a tenure (30,000 reads, 15,000
 * writes, 100 MB read, 15 MB written, 5e9 runtime), which is what a default miner gives one block.
 */
export const BLOCK_BUDGET = {
  read_count: 7_500,
  write_count: 3_750,
  read_length: 25_000_000,
  write_length: 3_750_000,
  runtime: 1_250_000_000,
};

/** Largest amount the VM takes exactly, as it reads JSON numbers: 9,007 million STX, above the supply. */
export const AMOUNT_USTX_MAX = BigInt(Number.MAX_SAFE_INTEGER);
/** Accounts of the genesis block. */
export const GENESIS_ACCOUNTS_MAX = 1_000;

/** Seconds between Stacks blocks, as the VM has it. */
export const BLOCK_SECONDS = 10;
/** Seconds between burn blocks, as the VM has it. */
export const BURN_BLOCK_SECONDS = 600;
/** Blocks of one tenure: burn blocks keep their real pace of ten minutes while blocks keep theirs of ten seconds. */
export const TENURE_BLOCKS_MAX = BURN_BLOCK_SECONDS / BLOCK_SECONDS;
/** Fee estimates as multiples of the byte floor: low, middle, high. */
export const FEE_ESTIMATE_MULTIPLES = [1, 2, 4];
