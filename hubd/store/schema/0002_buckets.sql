-- Schema 2: what reconciliation compares, kept with every insert; where actions came from; what rotted.

-- Neighbouring items in key order (created, id), at most 512 in each: a bucket holds the keys from `low`, included, to
-- the next bucket's `low`. The first one's is empty, below every key.
create table bucket (
    low blob primary key,       -- created as 8 big-endian bytes, then the id
    count integer not null,
    sum blob not null           -- of the ids as little-endian numbers, modulo 2^256
) without rowid;

-- Neighbours, and how far we have what they have.
create table peer (
    number integer primary key,
    principal blob not null unique,
    sequence integer not null default 0,    -- a place in their arrival order
    mark blob not null default x''          -- and its name
);

alter table action add column source integer references peer (number);  -- null: our own people, or a bundle

-- Actions whose stored bytes changed on the card: no longer in the set, until a neighbour gives them again.
create table rotten (
    id blob primary key,
    header blob not null        -- as it was found
) without rowid;
