"""Whether the scores of the gradebook are those of the evidence, and the answers those that the evidence names."""

from __future__ import annotations

from hashlib import sha256
from itertools import groupby
from pathlib import Path

from sqlalchemy import Connection, text

from autograde.audit.schema import ERASED
from curriculum.copying import plain_file
from curriculum.log import MAX_BYTES

SHOWN = 3
NEWEST = """
FROM counterside_evidence e JOIN counterside_submission s
ON s.student_id = e.student_id AND s.assignment = e.assignment AND s.run_id = e.run_id"""
SCORES = f"""
SELECT e.student_id, e.assignment, e.item, e.earned, g.auto_score {NEWEST}
JOIN assignment a ON a.name = e.assignment
JOIN submitted_assignment sa ON sa.assignment_id = a.id AND sa.student_id = e.student_id
JOIN submitted_notebook n ON n.assignment_id = sa.id
JOIN grade g ON g.notebook_id = n.id JOIN base_cell b ON b.id = g.cell_id AND b.name = e.item
WHERE g.auto_score IS NULL OR abs(g.auto_score - e.earned) > 1e-9
ORDER BY e.student_id, e.assignment, e.item"""
LINES = f"""
SELECT e.student_id, e.assignment, e.item, e.line {NEWEST}
WHERE e.line IS NOT NULL ORDER BY e.student_id, e.assignment, e.item"""


def check_scores(faults: list[str], connection: Connection) -> None:
    """Say which automatic scores are not what the evidence of their grading run says."""
    wrong = connection.execute(text(SCORES)).all()
    for learner, chapter, item, earned, score in wrong[:SHOWN]:
        faults.append(
            f"the automatic score of {learner} for {item} in {chapter} is {score}, its evidence says {earned}"
        )
    if len(wrong) > SHOWN:
        faults.append(f"… and {len(wrong) - SHOWN} more automatic scores that are not those of their evidence")


def check_responses(faults: list[str], connection: Connection, submitted: Path) -> None:
    """Say whose response log no longer has a line that a score rests on."""
    wrong = []
    rows = connection.execute(text(LINES), execution_options={"yield_per": 5000})
    for (learner, chapter), mine in groupby(rows, key=lambda row: (row[0], row[1])):
        data = plain_file(submitted / learner / chapter / "responses" / f"{chapter}.jsonl", MAX_BYTES)
        if data is None and learner.startswith(ERASED):
            continue  # the time for which answers are kept may be over
        if data is None:
            wrong.append(f"the response log of {learner} for {chapter}, on which scores rest, is gone")
            continue
        lines = {sha256(line).hexdigest() for line in data.split(b"\n")}
        items = [row.item for row in mine if row.line not in lines]
        if items:
            words = f"the response log of {learner} for {chapter} is not the one that was graded"
            wrong.append(f"{words}: the answer to {items[0]} is no longer in it")
    faults += wrong[:SHOWN]
    if len(wrong) > SHOWN:
        faults.append(f"… and {len(wrong) - SHOWN} more response logs that are gone or changed")
