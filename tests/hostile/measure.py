"""What judging a hostile submission takes, beside honest ones: `python -m tests.hostile.measure`.

Time of the processor, the least of five, from the files handed in to the
autograded notebook on disk; the gradebook takes as long for each. Beside it
stand an honest submission of the same chapter, with the notebook saved in
JupyterLab, and that of somebody who sent every answer of the largest chapter
many times (`honest-busy`).
"""

from __future__ import annotations

import gc
import os
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from autograde.cohort import hand_in
from autograde.config import CourseConfig
from autograde.submission import Job, judge
from autograde.workers import course_of_run
from tests.hostile.corpus import KINDS, honest

CHAPTERS = ("ch1", "ch2", "ch3", "ch4", "ch5")
REPEATS = 5
SHOWN = 15


def seconds(folder: Path) -> dict[str, tuple[str, float]]:
    """Return chapter and seconds of each kind that is judged at all."""
    config, course = CourseConfig(), course_of_run()
    hand_in(config, [course.chapter(name) for name in CHAPTERS], 2)
    found = {}
    gc.freeze()
    for name, (chapter, spoil) in KINDS.items():
        one = honest(config, course, f"k-{name}", chapter, "learner-00001", folder)
        spoil(one)
        if one.folder.is_symlink() or not one.folder.is_dir():
            continue
        released = config.released / chapter / f"{chapter}.ipynb"
        job = Job(one.learner, chapter, one.folder, released, folder / "autograded")
        least = float("inf")
        for number in range(REPEATS):
            began = time.process_time()
            judge(course, job, folder / f"staged-{number}")
            least = min(least, time.process_time() - began)
        found[name] = (chapter, least)
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        os.environ["COUNTERSIDE_COURSE"] = str(Path(name) / "course")
        found = seconds(Path(name))
    ordinary = {
        chapter: found["honest-saved" if chapter == "ch1" else f"honest-saved-{chapter[2]}"][1] for chapter in CHAPTERS
    }
    busy = found["honest-busy"][1]
    table = Table(title=f"Judging {len(found)} kinds, the {SHOWN} that take longest")
    for heading in ("kind", "chapter", "ms", "honest ones", "busy ones"):
        table.add_column(heading, justify="left" if heading in ("kind", "chapter") else "right")
    for kind, (chapter, took) in sorted(found.items(), key=lambda pair: -pair[1][1])[:SHOWN]:
        table.add_row(kind, chapter, f"{took * 1e3:.1f}", f"{took / ordinary[chapter]:.1f}", f"{took / busy:.2f}")
    console = Console()
    console.print(table)
    honest_ones = ", ".join(f"{chapter} {took * 1e3:.1f}" for chapter, took in ordinary.items())
    console.print(f"Honest ones, in ms: {honest_ones}.")
    within = sum(took <= 2 * ordinary[chapter] for chapter, took in found.values())
    as_busy = sum(took <= 2 * busy for _chapter, took in found.values())
    console.print(
        f"Within twice an honest one of its chapter: {within} of {len(found)}; within twice a busy one: {as_busy}."
    )


if __name__ == "__main__":
    main()
