-- Schema 1: the set, what stands beside it, and the relay's ledger.

create table meta (
    key text primary key,
    value blob not null
) without rowid;

-- The set. Headers are never changed and never deleted.
create table action (
    sequence integer primary key autoincrement, -- arrival here; never reused
    id blob not null unique,
    created integer not null,                   -- the author's claim: sort key of reconciliation, nothing more
    kind text not null,
    author blob not null,
    header blob not null,                       -- canonical CBOR [statement, signature]
    digest blob not null                        -- first 8 bytes of the header's sha256: bit rot shows
);
create index action_by_item on action (created, id);
create index action_by_kind on action (kind, sequence);

-- Content can be erased without touching the set.
create table content (
    id blob primary key,
    body blob not null
) without rowid;

-- Who asked to erase what. Counts when the eraser is the author, whichever arrived first.
create table erasure (
    id blob not null,
    author blob not null,
    primary key (id, author)
) without rowid;

-- Signed transactions, written before they are sent.
create table ledger (
    txid blob primary key,
    account_nonce integer not null,
    fee_ustx integer not null,
    raw blob not null,
    function text not null,
    state text not null,
    signed_at_s integer not null
) without rowid;
create index ledger_by_account_nonce on ledger (account_nonce);
create index ledger_by_state on ledger (state, account_nonce);

create table ledger_item (
    txid blob not null references ledger (txid),
    position integer not null,
    id blob not null,
    primary key (txid, position)
) without rowid;
