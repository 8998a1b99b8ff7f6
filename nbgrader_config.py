"""nbgrader's settings for this course: ids, paths, plug-in lists.

The data of the course (exchange, submissions, grades) lies in `.course/`, or
where the environment variable COUNTERSIDE_COURSE says. The gradebook is the
database that COUNTERSIDE_DB names, or a file of SQLite among those data.
"""

import os
from pathlib import Path

from autograde.audit.who import name_writers

ROOT = Path(__file__).parent.resolve() if "__file__" in globals() else Path.cwd()
COURSE = Path(os.environ.get("COUNTERSIDE_COURSE", ROOT / ".course")).resolve()

# nbgrader gives up half-way when these are missing; the exchange must be open to every learner's account.
# Whoever may only read here must not be asked to make it.
if not (COURSE / "exchange").is_dir():
    (COURSE / "exchange").mkdir(parents=True)
    (COURSE / "exchange").chmod(0o777)

c = get_config()  # noqa: F821

# Whoever writes into the gradebook with nbgrader's tools is named in its trail.
name_writers()

c.CourseDirectory.course_id = "counterside"
c.CourseDirectory.root = str(ROOT)
c.CourseDirectory.submitted_directory = str(COURSE / "submitted")
c.CourseDirectory.autograded_directory = str(COURSE / "autograded")
c.CourseDirectory.feedback_directory = str(COURSE / "feedback")
c.CourseDirectory.db_url = os.environ.get("COUNTERSIDE_DB") or f"sqlite:///{COURSE / 'gradebook.db'}"
c.Exchange.root = str(COURSE / "exchange")
c.NbGrader.logfile = str(COURSE / "nbgrader.log")

# nbgrader's own steps but ClearSolutions: no solution stands in the source, and what a trainer's cell
# says until it is used is released as it is.
c.GenerateAssignment.preprocessors = [
    f"nbgrader.preprocessors.{step}"
    for step in (
        "IncludeHeaderFooter",
        "InstantiateTests",
        "LockCells",
        "ClearOutput",
        "CheckCellMetadata",
        "ComputeChecksums",
        "SaveCells",
        "ClearHiddenTests",
        "ClearMarkScheme",
        "ComputeChecksums",
        "CheckCellMetadata",
    )
]

# What learners hand in is taken file by file: no links, no more than there should be.
c.ExchangeFactory.collect = "autograde.exchange.SafeCollect"

# What is given back to learners is recorded, so that later changes show as such.
c.ExchangeFactory.release_feedback = "autograde.release.RecordedRelease"

# Answers are judged by the engine; no code of a learner is ever run.
c.Autograde.exporter_class = "autograde.nbgrader.ReleasedNotebookExporter"
c.Autograde.sanitize_preprocessors = []
c.Autograde.autograde_preprocessors = ["autograde.nbgrader.SaveVerdict"]
c.GenerateFeedback.exporter_class = "autograde.nbgrader.FeedbackExporter"
c.GenerateFeedback.preprocessors = []
