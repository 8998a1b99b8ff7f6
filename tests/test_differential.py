"""nbgrader as it comes beside ours, sixty learners of graded ability in every chapter.

Each submission gets a kernel of its own in a copy of the course, so this takes minutes:
`make test-slow` runs it.
"""

from __future__ import annotations

import os
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from autograde.bench_grading import LEARNERS, grading
from curriculum.load import Course


@pytest.mark.slow
def test_sixty_learners_have_the_same_grades(monkeypatch: pytest.MonkeyPatch, whole_course: Course) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
    monkeypatch.setenv("COUNTERSIDE_COURSE", "put back afterwards")
    out = StringIO()
    # `grading` fails when one grade, comment, time, penalty or line of the CSV differs.
    grading(
        Console(file=out, width=120), learners=LEARNERS, by_stock=LEARNERS, many=0, side_by_side=os.cpu_count() or 1
    )
    count = LEARNERS * len(whole_course.chapters)
    assert LEARNERS >= 60
    assert f"and the exported CSV of {count} submissions are the same in both." in out.getvalue()
