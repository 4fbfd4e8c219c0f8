-- Schema 4: whose content is missing here though nobody erased it: what neighbours are asked for.

create table lacking (
    sequence integer primary key -- of the action
);
