"""Changes of marks after the learner had been given feedback: each of them needs a reason."""

from __future__ import annotations

import json

from sqlalchemy import Connection, text

RELEASED = """
SELECT seq, new, person_new FROM counterside_trail WHERE tbl = 'counterside_event' AND op = 'insert' ORDER BY seq"""
CHANGED = """
SELECT t.seq, s.student_id, a.name FROM counterside_trail t JOIN {table} g ON g.id = t.row_id
JOIN submitted_notebook n ON n.id = g.notebook_id JOIN submitted_assignment s ON s.id = n.assignment_id
JOIN assignment a ON a.id = s.assignment_id
WHERE t.tbl = '{table}' AND t.op <> 'insert' AND t.seq > :first AND coalesce(t.reason, '') = ''
AND t.seq NOT IN (SELECT seq FROM counterside_reason)"""


def unexplained(connection: Connection) -> list[int]:
    """Return the rows of the trail that changed a mark or a comment after its release, and that nobody explained."""
    released: dict[tuple[str, str], int] = {}
    for seq, new, person in connection.execute(text(RELEASED)):
        event = json.loads(new)
        if event["kind"] == "feedback":
            released.setdefault((json.loads(person)["learner"], event["chapter"]), seq)
    if not released:
        return []
    first = {"first": min(released.values())}
    return sorted(
        seq
        for table in ("grade", "comment")
        for seq, learner, chapter in connection.execute(text(CHANGED.format(table=table)), first)
        if seq > released.get((learner, chapter), seq)
    )
