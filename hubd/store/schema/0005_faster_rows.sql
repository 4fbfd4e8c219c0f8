-- Schema 5: less beside each row. The highest sequence is looked up, not kept with every insert; and of the kinds, only
-- those have an index that anybody asks for by their kind.

create table new_action (
    sequence integer primary key,               -- arrival here; never reused
    id blob not null unique,
    created integer not null,                   -- the author's claim: sort key of reconciliation, nothing more
    kind text not null,
    author blob not null,
    header blob not null,                       -- canonical CBOR [statement, signature]
    digest blob not null,                       -- first 8 bytes of the header's sha256: bit rot shows
    source integer references peer (number)     -- null: our own people, or a bundle
);
insert into new_action select sequence, id, created, kind, author, header, digest, source from action order by sequence;
insert into meta select 'left', coalesce(max(seq), 0) from sqlite_sequence where name = 'action';
drop table action;
alter table new_action rename to action;

create index action_by_item on action (created, id);
-- Word for word as `writing.BY_KIND`: SQLite compares the two.
create index action_by_kind on action (kind, sequence) where (
    kind glob 'hub-*' or kind glob 'steward-*' or kind glob 'relay-*' or kind glob 'desk-witness'
    or kind glob 'safety-post' or kind glob 'lesson-claim' or kind glob 'dispute-settle' or kind glob 'recovery-finish'
);

-- The highest sequence that left the set, so that it is not given again.
create trigger action_leaves after delete on action begin
    update meta set value = max(value, old.sequence) where key = 'left';
end;
