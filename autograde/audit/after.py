"""What follows a run that changed the gradebook: its seal."""

from __future__ import annotations

from sqlalchemy import Engine

from autograde.audit.heads import seal
from autograde.audit.trail import kept
from autograde.audit.words import counted
from autograde.config import CourseConfig
from autograde.place import CourseError


def seal_run(config: CourseConfig, engine: Engine) -> str:
    """Seal what a run has written, and return a sentence about it. What was graded stays, sealed or not."""
    with engine.connect() as connection:
        if not kept(connection):
            return "No trail is kept of this gradebook; “counterside audit install” begins one."
    try:
        head = seal(engine, config.seals, config.seal_key)
    except CourseError as error:
        return f"Not sealed: {str(error).removeprefix('nothing is sealed: ')}"
    except OSError as error:
        return f"Not sealed: {error.filename or config.seals}: {error.strerror or error}"
    return (
        f"Sealed: {counted(head.size, 'row')} of the trail, seal {head.number}."
        if head
        else "Nothing was to be sealed."
    )
