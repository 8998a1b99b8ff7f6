"""The triggers of the trail on PostgreSQL.

The functions run with the rights of whoever installed them, so that an
application's role can write the trail only by changing a table.
"""

from __future__ import annotations

import re

from sqlalchemy import Connection, inspect

from autograde.audit.schema import WATCHED

PREFIX = "counterside_"
LOCK = 0x436F756E  # of transactions that write the trail, so that its order is the order of commits
RECORD = """
CREATE FUNCTION counterside_record() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = {schema}, pg_catalog, pg_temp AS $$
DECLARE
  keys text[] := string_to_array(TG_ARGV[0], ',');
  person text[] := string_to_array(TG_ARGV[1], ',');
  was jsonb; is_now jsonb; o jsonb; n jsonb; step text; steps text[]; k text; p_old text; p_new text; p_salt text;
BEGIN
  IF TG_OP <> 'INSERT' THEN was := to_jsonb(OLD); END IF;
  IF TG_OP <> 'DELETE' THEN is_now := to_jsonb(NEW); END IF;
  IF was = is_now THEN RETURN NULL; END IF;
  steps := ARRAY[lower(TG_OP)];
  IF TG_OP = 'UPDATE' AND counterside_person(was, keys) <> counterside_person(is_now, keys) THEN
    steps := '{{delete,insert}}';
  END IF;
  PERFORM pg_advisory_xact_lock({lock});
  FOREACH step IN ARRAY steps LOOP
    o := CASE WHEN step <> 'insert' THEN was END;
    n := CASE WHEN step <> 'delete' THEN is_now END;
    SELECT string_agg(coalesce(n, o) ->> name, '|' ORDER BY place) INTO k
      FROM unnest(keys) WITH ORDINALITY AS t(name, place);
    IF person <> '{{}}' THEN
      p_old := counterside_person(o, person)::text;
      p_new := counterside_person(n, person)::text;
      p_salt := replace(gen_random_uuid()::text, '-', '');
    END IF;
    INSERT INTO counterside_trail (seq, at, db_user, actor, run_id, reason, tbl, op, row_id, old, new, salt,
      person_old, person_new, person_salt)
    VALUES ((SELECT coalesce(max(seq), 0) + 1 FROM counterside_trail),
      to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), session_user,
      coalesce(nullif(current_setting('counterside.actor', true), ''), 'unknown'),
      nullif(current_setting('counterside.run_id', true), ''), nullif(current_setting('counterside.reason', true), ''),
      TG_TABLE_NAME, step, k, (o - person)::text, (n - person)::text,
      replace(gen_random_uuid()::text, '-', ''), p_old, p_new, p_salt);
  END LOOP;
  RETURN NULL;
END $$"""
PERSON = """
CREATE FUNCTION counterside_person(r jsonb, person text[]) RETURNS jsonb LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN r IS NOT NULL THEN (SELECT jsonb_object_agg(key, value) FROM jsonb_each(r) WHERE key = ANY (person))
  END $$"""
REFUSE = """
CREATE FUNCTION counterside_refuse() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation'; END $$"""
KEEP = """
CREATE FUNCTION counterside_keep() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE person text[] := string_to_array(TG_ARGV[0], ',');
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF to_jsonb(OLD) - person = to_jsonb(NEW) - person THEN RETURN NEW; END IF;
  END IF;
  RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$"""
GROW = """
CREATE FUNCTION counterside_grow() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE half text[] := '{person_old,person_new,person_salt,person_hash,row_id}';
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF OLD.person_salt IS NOT NULL AND NEW.person_salt IS NULL AND NEW.person_hash IS NOT NULL
      AND to_jsonb(OLD) - half = to_jsonb(NEW) - half THEN RETURN NEW; END IF;
  END IF;
  RAISE EXCEPTION 'the trail only grows' USING ERRCODE = 'integrity_constraint_violation';
END $$"""
FUNCTIONS = ("record", "person", "refuse", "keep", "grow")


def triggers(connection: Connection) -> dict[str, str]:
    """Return by name the SQL of each function and trigger that has to be there."""
    schema = connection.exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    record = RECORD.format(schema=schema, lock=LOCK)
    bodies = dict(zip(FUNCTIONS, (record, PERSON, REFUSE, KEEP, GROW), strict=True))
    found = {f"counterside_{name}()": sql.strip() for name, sql in bodies.items()}

    def add(name: str, table: str, when: str, call: str, each: str = "ROW") -> None:
        sql = f"CREATE TRIGGER {name} {when} ON {table} FOR EACH {each} EXECUTE FUNCTION counterside_{call}"
        found[name] = sql

    add("counterside_trail_grow", "counterside_trail", "BEFORE DELETE OR UPDATE", "grow()")
    add("counterside_head_keep", "counterside_head", "BEFORE DELETE OR UPDATE", "keep('')")
    for table in ("counterside_trail", "counterside_head"):
        name = f"{table}_truncate"
        add(name, table, "BEFORE TRUNCATE", f"refuse('{table} only grows')", "STATEMENT")
    there = set(inspect(connection).get_table_names())
    for table, watched in WATCHED.items():
        if table in there:
            arguments = f"record('{','.join(watched.key)}', '{','.join(watched.person)}')"
            add(f"counterside_record_{table}", table, "AFTER INSERT OR DELETE OR UPDATE", arguments)
            refusal = f"refuse('{table} is under a trail and can not be truncated')"
            add(f"counterside_truncate_{table}", table, "BEFORE TRUNCATE", refusal, "STATEMENT")
            if watched.only_added:
                keep = f"keep('{','.join(watched.person)}')"
                add(f"counterside_keep_{table}", table, "BEFORE DELETE OR UPDATE", keep)
    return found


TRIGGERS = """
SELECT t.tgname, c.relname, pg_get_triggerdef(t.oid), t.tgenabled
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace"""
BODIES = """
SELECT p.proname, pg_get_functiondef(p.oid), pg_get_userbyid(p.proowner)
FROM pg_proc p WHERE p.pronamespace = current_schema()::regnamespace AND p.prokind = 'f'"""


def present(connection: Connection) -> dict[str, str]:
    """Return by name what PostgreSQL says of each function and trigger that is there, and whether it is on."""
    rows = connection.exec_driver_sql(TRIGGERS).all()
    found = {name: f"{sql} {enabled}" for name, _table, sql, enabled in rows}
    for name, sql, owner in connection.exec_driver_sql(BODIES):
        found[f"{name}()"] = f"{sql} {owner}"
    return found


def same(wanted: str, there: str) -> bool:
    """Return whether a function or trigger is what it should be, and on. PostgreSQL tells it in words of its own."""
    if wanted.startswith("CREATE TRIGGER"):
        return re.sub(r" ON (\w+|\"[^\"]+\")\.", " ON ", there) == f"{wanted} A"
    definer = "SECURITY DEFINER" in there.split("$")[0]
    return wanted.split("$$")[1] == there.split("$function$")[1] and definer == ("SECURITY DEFINER" in wanted)


def drop(connection: Connection) -> None:
    """Take away every function and trigger of ours, to put them in place anew."""
    for name, table, *_more in connection.exec_driver_sql(TRIGGERS).all():
        if name.startswith(PREFIX):
            connection.exec_driver_sql(f'DROP TRIGGER "{name}" ON "{table}"')
    for name in FUNCTIONS:
        connection.exec_driver_sql(f"DROP FUNCTION IF EXISTS counterside_{name}")


def put(connection: Connection, wanted: dict[str, str]) -> None:
    for name, sql in wanted.items():
        connection.exec_driver_sql(sql.replace("%", "%%"))
        if not name.endswith("()"):
            table = sql.split(" ON ")[1].split()[0]
            connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")


def live(connection: Connection, table: str) -> str:
    """Return a query of a table's rows as the trail would write them: row_id, main half, person's half."""
    watched = WATCHED[table]
    key = " || '|' || ".join(f't."{name}"::text' for name in watched.key)
    names = "'{" + ",".join(watched.person) + "}'::text[]"
    half = f"(SELECT jsonb_object_agg(key, value) FROM jsonb_each(to_jsonb(t)) WHERE key = ANY ({names}))::text"
    return f"SELECT {key}, (to_jsonb(t) - {names})::text, {half if watched.person else 'NULL'} FROM {table} AS t"


def hold(connection: Connection, tables: list[str]) -> None:
    """Keep others from writing these tables until the transaction ends."""
    connection.exec_driver_sql(f"LOCK TABLE {', '.join(tables)} IN SHARE ROW EXCLUSIVE MODE")


SCHEMA = """
SELECT 'column ' || c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull::text
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relkind IN ('r', 'p', 'v') AND a.attnum > 0 AND NOT a.attisdropped
  AND c.relnamespace = current_schema()::regnamespace
UNION ALL SELECT 'index ' || indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()
UNION ALL SELECT 'constraint ' || conname || ' of ' || conrelid::regclass::text, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
UNION ALL SELECT 'rule ' || rulename || ' of ' || tablename, definition
FROM pg_rules WHERE schemaname = current_schema()
UNION ALL SELECT 'view ' || viewname, definition FROM pg_views WHERE schemaname = current_schema()"""


def schema(connection: Connection) -> dict[str, str]:
    """Return by kind and name the definition of all that makes up the database."""
    found = {f"trigger {name}": sql for name, sql in present(connection).items()}
    found |= dict(tuple(row) for row in connection.exec_driver_sql(SCHEMA))
    return {name: " ".join(sql.split()) for name, sql in found.items()}
