"""Three roles on PostgreSQL: one that owns the trail, one that grades, one that only reads.

Whoever owns a table can take its triggers away. So nobody grades as the owner:
the role that grades may change what it has to, and reaches the trail through
triggers only.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, inspect, text

from autograde.audit.schema import AUDIT, CONTEXT, EVENT, HEAD, REASON
from autograde.audit.trail import NO_TRAIL, kept
from autograde.place import CourseError
from autograde.tables import writing

ADDED = (REASON.name, EVENT.name, HEAD.name)
OWNER = """
SELECT rolsuper, pg_has_role(oid, (SELECT relowner FROM pg_class WHERE oid = 'counterside_trail'::regclass), 'member')
FROM pg_roles WHERE rolname = :role"""
ONLY_THERE = "roles are PostgreSQL's; on SQLite whoever can write the file can write all that is in it"


def grant(engine: Engine, grader: str, auditor: str) -> None:
    """Give two roles that exist what they need, and take all else from them. Run it as the owner; it can be repeated.

    Raises CourseError.
    """
    if engine.dialect.name != "postgresql":
        raise CourseError(ONLY_THERE)
    with writing(engine) as connection:
        if not kept(connection):
            raise CourseError(NO_TRAIL)
        for role in (grader, auditor):
            check_role(connection, role)
        quote = engine.dialect.identifier_preparer.quote
        for sql in statements_for(connection, quote(grader), quote(auditor)):
            connection.execute(text(sql))


def check_role(connection: Connection, role: str) -> None:
    """Refuse a role that the database would not hold to what it was given. Raises CourseError."""
    found = connection.execute(text(OWNER), {"role": role}).first()
    if found is None:
        raise CourseError(f"there is no role “{role}”; make it with CREATE ROLE … LOGIN")
    if any(found):
        raise CourseError(f"“{role}” owns the trail or is a superuser, and could take it away; name another role")


def statements_for(connection: Connection, grader: str, auditor: str) -> list[str]:
    """Return what PostgreSQL is to be told; the names of the roles are quoted already."""
    schema = connection.execute(text("SELECT quote_ident(current_schema())")).scalar_one()
    tables = inspect(connection).get_table_names()
    audit = {table.name for table in AUDIT.sorted_tables}
    found = [f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC"]
    for role in (grader, auditor):
        found += [
            f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}",
            f"REVOKE CREATE ON SCHEMA {schema} FROM {role}",
            f"GRANT USAGE ON SCHEMA {schema} TO {role}",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}",
        ]
    found += [f"GRANT INSERT, UPDATE, DELETE ON {name} TO {grader}" for name in tables if name not in audit]
    found += [f"GRANT INSERT ON {name} TO {grader}" for name in ADDED]
    found.append(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {grader}")
    found.append(f"REVOKE ALL ON {CONTEXT.name} FROM PUBLIC")
    return found
