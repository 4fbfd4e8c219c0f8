-- Schema 3: who may see an action (hubd/action/audience.py), so that a narrow view of a large set costs what it shows.

create table audience (
    name integer not null,     -- anybody, guests, or one key
    sequence integer not null, -- of the action; one that rotted leaves its rows behind
    primary key (name, sequence)
) without rowid;
