-- Schema 5: less beside each row. The highest sequence is looked up, not kept with every insert; and of the kinds, only
-- those have an index that anybody asks for by their kind.

-- What money people have stays at home (hubd/action/audience.py); an index from before that rule shows it to guests.
delete from audience where name = 1 and sequence in (select sequence from action where kind = 'relay-balance');

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
-- A row that rotted comes along as it is, as far as it can: the scrub puts it right. `or ignore`: but for an id that is
-- there twice, for which the scrub counts again.
insert or ignore into new_action
    select
        sequence,
        coalesce(cast(id as blob), randomblob(32)),
        coalesce(cast(created as integer), 0),
        coalesce(cast(kind as text), ''),
        coalesce(cast(author as blob), x''),
        coalesce(cast(header as blob), x''),
        coalesce(cast(digest as blob), x''),
        (select number from peer where number = source)
    from action not indexed order by sequence;
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
    insert into meta (key, value) values ('left', old.sequence)
        on conflict (key) do update set value = max(cast(value as integer), excluded.value);
end;
