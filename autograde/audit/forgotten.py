"""Knowing an erased learner's id again when it comes back, without keeping it.

Of each id the gradebook has a slow hash (scrypt, RFC 7914) with a salt. Ids can be
guessed, so whoever reads the table can still try a list of names on it, at some
50 ms each: it is no proof that somebody is not known, only that the name stands nowhere.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from hashlib import scrypt

from sqlalchemy import Connection, insert, inspect, select

from autograde.audit.schema import FORGOTTEN
from autograde.place import CourseError
from autograde.tables import NO_GRADEBOOK, open_to_read


@dataclass(frozen=True, slots=True)
class Forgotten:
    """The hashes of the ids that were erased from a gradebook, and the salt that they share."""

    salt: str = ""
    hashes: frozenset[str] = frozenset()

    def has(self, learner: str) -> bool:
        """Return whether this is the id of somebody who was erased. Takes time only where somebody was."""
        return bool(self.hashes) and slow_hash(learner, self.salt) in self.hashes


def slow_hash(learner: str, salt: str) -> str:
    return scrypt(learner.encode(), salt=bytes.fromhex(salt), n=1 << 14, r=8, p=1, dklen=32).hex()


def remember(connection: Connection, learner: str) -> None:
    """Let the gradebook know an erased id again."""
    known = all_of(connection)
    salt = known.salt or secrets.token_hex(16)
    digest = slow_hash(learner, salt)
    if digest not in known.hashes:
        connection.execute(insert(FORGOTTEN), {"hash": digest, "salt": salt})


def all_of(connection: Connection) -> Forgotten:
    rows = connection.execute(select(FORGOTTEN.c.hash, FORGOTTEN.c.salt)).all()
    return Forgotten(rows[0].salt, frozenset(row.hash for row in rows)) if rows else Forgotten()


def read_forgotten(db_url: str) -> Forgotten:
    """Return who was erased from a gradebook, nobody where there is none. Raises CourseError when it can't be read."""
    try:
        engine = open_to_read(db_url)
    except CourseError as error:
        if str(error) == NO_GRADEBOOK:
            return Forgotten()
        raise
    try:
        with engine.connect() as connection:
            return all_of(connection) if inspect(connection).has_table(FORGOTTEN.name) else Forgotten()
    finally:
        engine.dispose()
