"""Releasing feedback through nbgrader's exchange, with a row in the gradebook's trail for each page that is new."""

from __future__ import annotations

from glob import glob
from hashlib import sha256
from pathlib import Path

from nbgrader.exchange.default import ExchangeReleaseFeedback

from autograde.audit.after import seal_run
from autograde.audit.trail import record_release
from autograde.config import CourseConfig
from autograde.place import CourseError
from autograde.tables import gradebook


class RecordedRelease(ExchangeReleaseFeedback):
    """nbgrader's release of feedback. What changes after it stands in the trail as changed after it."""

    def copy_files(self) -> None:
        super().copy_files()
        left_out = set(filter(None, self.coursedir.student_id_exclude.split(",")))
        pages = {}
        for path in map(Path, glob(f"{self.src_path}/*.html")):  # noqa: PTH207  nbgrader gives a pattern
            learner = path.parent.parent.name
            if learner not in left_out:
                pages[learner] = sha256(path.read_bytes()).hexdigest()
        try:
            with gradebook(self.coursedir.db_url) as engine:
                if record_release(engine, self.coursedir.assignment_id, pages):
                    self.log.info(seal_run(CourseConfig(), engine))
        except CourseError as error:
            self.log.error("the release of %s is not in the trail: %s", self.coursedir.assignment_id, error)
