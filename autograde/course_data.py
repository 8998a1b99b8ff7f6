"""The data of a course on disk: nbgrader's settings, and running its steps in this process."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

from nbgrader.apps import NbGraderAPI
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeFactory
from sqlalchemy.exc import SAWarning

from autograde.config import CourseConfig
from autograde.place import CourseError


class CourseData(CourseConfig):
    """A course as `nbgrader_config.py` describes it, with nbgrader at hand."""

    def instructor(self, step: str, assignment: str, **options: Any) -> None:
        """Do one of nbgrader's steps for the instructor. Raises CourseError."""
        with quiet() as log:
            result = getattr(NbGraderAPI(config=self.config), step)(assignment, **options)
        if not result["success"]:
            raise CourseError(f"nbgrader {step} {assignment} failed: {reason(result, log)}")

    def learner(self, step: str, assignment: str, name: str, folder: Path) -> None:
        """Fetch or hand in as the learner `name`, whose work lies in `folder`. Raises CourseError."""
        config = deepcopy(self.config)
        config.CourseDirectory.student_id = name
        config.CourseDirectory.assignment_id = assignment
        config.Exchange.assignment_dir = str(folder)
        config.Exchange.cache = str(folder / ".handed-in")
        action: Callable[..., Any] = getattr(ExchangeFactory(config=config), step)
        with quiet() as log:
            try:
                action(
                    coursedir=CourseDirectory(config=config), authenticator=Authenticator(config=config), config=config
                ).start()
            except Exception as error:
                raise CourseError(f"{step} of {assignment} by {name} failed: {log[-1] if log else error}") from error


def reason(result: dict[str, Any], log: list[str]) -> str:
    """Return why nbgrader gave up: the last error it named, without its traceback."""
    lines = [line.strip() for line in (result.get("log") or result.get("error") or "").splitlines()] + log
    named = [line for line in lines if re.match(r"[\w.]+(Error|Exception): ", line)]
    said = named or [line for line in lines if line]
    return said[-1] if said else "it gave no reason"


@contextmanager
def quiet() -> Iterator[list[str]]:
    """Gather what nbgrader would print, so that one sentence can be made of it."""
    said: list[str] = []

    class Gather(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    logger, handler = logging.getLogger("traitlets"), Gather(logging.WARNING)
    propagate = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        with warnings.catch_warnings():
            # nbgrader builds its rows in an order that SQLAlchemy 2 comments on, misspells an argument
            # and leaves closing a file to Python.
            warnings.simplefilter("ignore", SAWarning)
            warnings.filterwarnings("ignore", "Passing unrecognized arguments", DeprecationWarning)
            warnings.filterwarnings("ignore", "unclosed file", ResourceWarning)
            yield said
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagate
