"""The triggers of the trail on SQLite, as SQL made from the tables as they stand in the database.

Numbers stand in the trail as SQLite's JSON writes them, with 15 digits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from autograde.audit.schema import WATCHED, Watched

NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
SALT = "lower(hex(randomblob(16)))"
COLUMNS = (
    "seq, at, db_user, actor, run_id, reason, tbl, op, row_id, old, new, salt, person_old, person_new, person_salt"
)
PERSON = ("person_old", "person_new", "person_salt")
GUARDED = ("counterside_trail", "counterside_head")
PREFIX = "counterside_"


def triggers(connection: Connection) -> dict[str, str]:
    """Return by name the SQL of each trigger that has to be there."""
    found: dict[str, str] = {}
    for sql in (*trail_guards(), *head_guards()):
        found[sql.split()[2]] = sql
    for table, watched in WATCHED.items():
        columns = columns_of(connection, table)
        if columns:
            for sql in (*records(table, watched, columns), *guards(connection, table, watched, columns)):
                found[sql.split()[2]] = sql
    return found


def columns_of(connection: Connection, table: str) -> list[str]:
    return [row[1] for row in connection.exec_driver_sql(f'PRAGMA table_info("{table}")')]


def as_json(row: str, columns: Sequence[str]) -> str:
    """Return the SQL of a row as JSON; `row` is NEW, OLD or a table's name."""
    return "json_object(" + ", ".join(f"'{name}', {row}.\"{name}\"" for name in columns) + ")"


def halves(table: str, row: str, columns: Sequence[str]) -> tuple[str, str]:
    """Return the SQL of the two halves of a row: without the person, and the person or NULL."""
    person = WATCHED[table].person
    main = as_json(row, [name for name in columns if name not in person])
    return main, as_json(row, [name for name in columns if name in person]) if person else "NULL"


def row_id(watched: Watched, row: str) -> str:
    return " || '|' || ".join(f'CAST({row}."{name}" AS TEXT)' for name in watched.key)


def records(table: str, watched: Watched, columns: Sequence[str]) -> Iterator[str]:
    """Yield the triggers that write the trail of one table."""
    new, new_person = halves(table, "NEW", columns)
    old, old_person = halves(table, "OLD", columns)
    salt = SALT if watched.person else "NULL"
    changed = " OR ".join(f'OLD."{name}" IS NOT NEW."{name}"' for name in columns)
    moved = " OR ".join(f'OLD."{name}" IS NOT NEW."{name}"' for name in watched.key)

    def row(op: str, source: str, values: str) -> str:
        return (
            f"INSERT INTO counterside_trail ({COLUMNS}) "
            f"SELECT coalesce((SELECT max(seq) FROM counterside_trail), 0) + 1, {NOW}, '', "
            f"coalesce(who.actor, 'unknown'), who.run_id, who.reason, "
            f"'{table}', '{op}', {row_id(watched, source)}, {values} "
            f"FROM (SELECT 1) LEFT JOIN counterside_context AS who ON who.id = 1;"
        )

    came = row("insert", "NEW", f"NULL, {new}, {SALT}, NULL, {new_person}, {salt}")
    went = row("delete", "OLD", f"{old}, NULL, {SALT}, {old_person}, NULL, {salt}")
    stayed = row("update", "NEW", f"{old}, {new}, {SALT}, {old_person}, {new_person}, {salt}")
    head = f"CREATE TRIGGER {PREFIX}"
    yield f"{head}insert_{table} AFTER INSERT ON {table} BEGIN {came} END"
    yield f"{head}delete_{table} AFTER DELETE ON {table} BEGIN {went} END"
    yield f"{head}update_{table} AFTER UPDATE ON {table} WHEN ({changed}) AND NOT ({moved}) BEGIN {stayed} END"
    yield f"{head}rekey_{table} AFTER UPDATE ON {table} WHEN {moved} BEGIN {went} {came} END"


def guards(connection: Connection, table: str, watched: Watched, columns: Sequence[str]) -> Iterator[str]:
    """Yield the triggers that refuse what would get past the others: REPLACE deletes rows without a trace."""
    keys = unique_keys(connection, table, watched)
    same = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE {equal(key)})" for key in keys)
    refuse = f"SELECT RAISE(ABORT, '{table} has this row already, and REPLACE is refused where a trail is kept')"
    yield f"CREATE TRIGGER {PREFIX}replace_{table} BEFORE INSERT ON {table} WHEN {same} BEGIN {refuse}; END"
    other = " OR ".join(
        f"EXISTS (SELECT 1 FROM {table} WHERE {equal(key)} AND {table}.rowid IS NOT OLD.rowid)" for key in keys
    )
    named = ", ".join(dict.fromkeys(f'"{name}"' for key in keys for name in key))
    head = f"CREATE TRIGGER {PREFIX}displace_{table} BEFORE UPDATE OF {named} ON {table}"
    yield f"{head} WHEN {other} BEGIN {refuse}; END"
    if watched.only_added:
        kept = ", ".join(f'"{name}"' for name in columns if name not in watched.person)
        refuse = f"SELECT RAISE(ABORT, 'rows of {table} are only ever added')"
        yield f"CREATE TRIGGER {PREFIX}keep_{table} BEFORE UPDATE OF {kept} ON {table} BEGIN {refuse}; END"
        yield f"CREATE TRIGGER {PREFIX}hold_{table} BEFORE DELETE ON {table} BEGIN {refuse}; END"


def equal(key: Sequence[str]) -> str:
    return " AND ".join(f'"{name}" = NEW."{name}"' for name in key)


def unique_keys(connection: Connection, table: str, watched: Watched) -> list[tuple[str, ...]]:
    """Return the columns of each key that no two rows share."""
    found = {watched.key}
    for _seq, name, unique, *_more in connection.exec_driver_sql(f'PRAGMA index_list("{table}")').all():
        if unique:
            found.add(tuple(row[2] for row in connection.exec_driver_sql(f'PRAGMA index_info("{name}")')))
    return sorted(found)


def trail_guards() -> Iterator[str]:
    """Yield the triggers that let the trail only grow. A person's half may be dropped, its hash staying."""
    kept = [name for name in COLUMNS.split(", ") if name not in (*PERSON, "row_id")]
    same = " AND ".join(f"OLD.{name} IS NEW.{name}" for name in kept)
    erased = f"OLD.person_salt IS NOT NULL AND NEW.person_salt IS NULL AND NEW.person_hash IS NOT NULL AND {same}"
    refuse = "SELECT RAISE(ABORT, 'the trail only grows')"
    head = "CREATE TRIGGER counterside_trail"
    yield f"{head}_update BEFORE UPDATE ON counterside_trail WHEN NOT ({erased}) BEGIN {refuse}; END"
    yield f"{head}_delete BEFORE DELETE ON counterside_trail BEGIN {refuse}; END"
    grows = "NEW.seq IS NOT coalesce((SELECT max(seq) FROM counterside_trail), 0) + 1"
    yield f"{head}_insert BEFORE INSERT ON counterside_trail WHEN {grows} BEGIN {refuse}; END"


def head_guards() -> Iterator[str]:
    refuse = "SELECT RAISE(ABORT, 'copies of seals are only ever added')"
    there = "EXISTS (SELECT 1 FROM counterside_head WHERE number = NEW.number)"
    head = "CREATE TRIGGER counterside_head"
    yield f"{head}_update BEFORE UPDATE ON counterside_head BEGIN {refuse}; END"
    yield f"{head}_delete BEFORE DELETE ON counterside_head BEGIN {refuse}; END"
    yield f"{head}_insert BEFORE INSERT ON counterside_head WHEN {there} BEGIN {refuse}; END"


def present(connection: Connection) -> dict[str, str]:
    """Return by name the SQL of each trigger that is there."""
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
    return dict(tuple(row) for row in connection.exec_driver_sql(query))


def same(wanted: str, there: str) -> bool:
    """Return whether a trigger is what it should be."""
    return wanted == there


def drop(connection: Connection) -> None:
    """Take away every trigger of ours, to put them in place anew."""
    for name in present(connection):
        if name.startswith(PREFIX):
            connection.exec_driver_sql(f'DROP TRIGGER "{name}"')


def put(connection: Connection, wanted: dict[str, str]) -> None:
    for sql in wanted.values():
        connection.exec_driver_sql(sql)


def live(connection: Connection, table: str) -> str:
    """Return a query of a table's rows as the trail would write them: row_id, main half, person's half."""
    main, person = halves(table, table, columns_of(connection, table))
    return f"SELECT {row_id(WATCHED[table], table)}, {main}, {person} FROM {table}"


def hold(_connection: Connection, _tables: list[str]) -> None:
    """Keep others from writing: on SQLite there is only one writer anyway."""


def schema(connection: Connection) -> dict[str, str]:
    """Return by kind and name the SQL of all that makes up the database."""
    query = "SELECT type, name, coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
    return {f"{kind} {name}": " ".join(sql.split()) for kind, name, sql in connection.exec_driver_sql(query)}
