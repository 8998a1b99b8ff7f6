"""The demo: content, release, eight learners, grading, marks by hand, feedback, gradebook.

The learners answer through the same response log that the widgets write, and
hand in through nbgrader's exchange. Their answers stand in `cohort.yml`, and so
do the marks that an instructor would give in formgrader.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from uuid import NAMESPACE_URL, uuid5

from annotated_types import Ge, Interval
from nbgrader.api import Gradebook
from pydantic import Field, TypeAdapter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from autograde.audit.after import seal_run
from autograde.audit.trail import install
from autograde.batch import grade
from autograde.course_data import CourseData
from autograde.handback import write_feedback
from autograde.place import ROOT, CourseError
from autograde.report import print_gradebook
from autograde.serve import GUEST
from autograde.simulate import response
from autograde.tables import gradebook
from curriculum.build import build, criterion_cells
from curriculum.load import Chapter, Course, load_course
from curriculum.log import Kind
from curriculum.model import Item, Language, Model
from curriculum.player import Chapter as Notebook
from curriculum.source import YamlSource

COHORT = Path(__file__).parent / "cohort.yml"
MARKER = "made-by-the-demo.txt"


class Answer(Model):
    """What a learner answered, and by criterion the level that an instructor gives it, if one does."""

    item: str
    response: Any
    marks: Mapping[str, Annotated[int, Ge(0)]] = Field(default_factory=dict)


class Learner(Model):
    """One simulated learner; `tampers` edits the notebook and forges a grade before handing in.

    With an `ability`, 0 to 1, exercises that `answers` don't name are played as `autograde.simulate` has it,
    and the instructor gives `level` to each criterion of such texts, if it is given. An answer takes `seconds`.
    """

    name: str
    lang: Language
    ability: Annotated[float, Interval(ge=0, le=1)] | None = None
    level: Annotated[int, Ge(0)] | None = None
    seconds: Annotated[int, Ge(0)] = 120
    tampers: bool = False
    answers: tuple[Answer, ...] = ()

    def work(self, items: Iterable[Item]) -> list[Answer]:
        """Return the answers to the graded ones among `items`, and to practice that `answers` names."""
        given = {answer.item: answer for answer in self.answers}
        here = [item for item in items if item.id in given or not (item.head.practice or self.ability is None)]
        return [given.get(item.id) or self.simulated(item) for item in here]

    def simulated(self, item: Item) -> Answer:
        rubric = item.kind.rubric if self.level is not None else None
        marks = {criterion.id: self.level for criterion in rubric.criteria} if rubric else {}
        return Answer(item=item.id, response=response(item, self.name, self.ability or 0), marks=marks)


def read_cohort(path: Path = COHORT) -> list[Learner]:
    """Return the simulated learners. Raises ValidationError when the file is wrong."""
    return TypeAdapter(list[Learner]).validate_python(YamlSource(path, path.name).data)


def run(console: Console) -> None:
    """Run the demo from the content to the gradebook. Raises CourseError or ContentError."""
    course, data, cohort = load_course(), CourseData(), read_cohort()
    start_afresh(data)
    build(course, ROOT)
    columns = (TextColumn("{task.description:<24}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:

        def each(words: str, things: Iterable[Any], total: int | None = None) -> Any:
            return progress.track(things, description=words, total=total)

        chapters = [chapter.id for chapter in course.chapters]
        total = len(chapters) * len(cohort)
        for chapter in each("Release", chapters):
            data.instructor("generate_assignment", chapter, force=True)
            data.instructor("release_assignment", chapter)
        for learner in each("Learn and hand in", cohort):
            for chapter in chapters:
                attend(data, learner, course.chapter(chapter))
        with gradebook(data.db_url) as engine:
            install(engine)
        for chapter in each("Collect", chapters):
            data.instructor("collect", chapter, update=True)
        with gradebook(data.db_url) as engine:
            for _result in each("Grade", grade(data, engine, chapters), total):
                pass
            seal_run(data, engine)
        with Gradebook(data.db_url) as marks:
            for learner in each("Mark by hand", cohort):
                for chapter in chapters:
                    mark(marks, learner, course, chapter)
        with gradebook(data.db_url) as engine:
            for _result in each("Write feedback", write_feedback(data, engine, chapters), total):
                pass
        for chapter in each("Release feedback", chapters):
            data.instructor("release_feedback", chapter)
    print_gradebook(console)
    console.print(
        "\nNow open a role on this machine:\n"
        "  make learner     the chapter, as a learner plays it\n"
        "  make instructor  formgrader, with the cohort's work\n"
        "  make auditor     every score, from answer to rule, read-only"
    )


def start_afresh(data: CourseData) -> None:
    """Remove what an earlier demo made, but never anybody's real work. Raises CourseError."""
    if os.environ.get("COUNTERSIDE_DB"):
        raise CourseError("the demo keeps a gradebook of its own; unset COUNTERSIDE_DB, which names another")
    marker = data.folder / MARKER
    if any(path.is_file() for path in data.folder.rglob("*")) and not marker.exists():
        raise CourseError(f"{data.folder} holds data that are not the demo's; set COUNTERSIDE_COURSE to another folder")
    marker.write_text("The demo made this folder and may empty it, but for learners/guest.\n")
    guest = data.folder / "learners" / GUEST
    for path in data.folder.iterdir():
        if path == guest.parent:
            for learner in path.iterdir():
                if learner != guest:
                    remove(learner)
        elif path != marker and path != Path(data.config.Exchange.root):
            remove(path)
    shutil.rmtree(Path(data.config.Exchange.root) / data.config.CourseDirectory.course_id, ignore_errors=True)


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def attend(data: CourseData, learner: Learner, plan: Chapter) -> None:
    """Fetch a chapter, answer it and hand it in as one learner."""
    chapter_id = plan.id
    home = data.folder / "learners" / learner.name
    home.mkdir(parents=True, exist_ok=True)
    data.learner("FetchAssignment", chapter_id, learner.name, home)
    folder = home / chapter_id
    chapter, answers = Notebook(folder), learner.work(plan.items)
    begun = datetime.now(UTC) - timedelta(seconds=learner.seconds * (len(answers) + 1))
    for number, answer in enumerate(answers):
        write(chapter, learner, number, begun, answer.item, "answer", answer.response)
    write(chapter, learner, len(answers), begun, "", "submit", None)
    if learner.tampers:
        tamper(folder / f"{chapter_id}.ipynb")
    data.learner("Submit", chapter_id, learner.name, home)


def write(
    chapter: Notebook, learner: Learner, number: int, begun: datetime, item: str, kind: Kind, response: Any
) -> None:
    chapter.log.append(
        id=str(uuid5(NAMESPACE_URL, f"{learner.name}/{chapter.id}/{number}")),
        item=item,
        hash=chapter.items[item]["hash"] if item else "",
        lang=learner.lang,
        kind=kind,
        response=response,
        ms=1000 * learner.seconds,
        base=None,
        at=begun + timedelta(seconds=learner.seconds * (number + 1)),
    )


def mark(gradebook: Gradebook, learner: Learner, course: Course, chapter: str) -> None:
    """Give a learner the instructor's marks for one chapter, as formgrader does. Raises CourseError."""
    points = course.chapter(chapter).points
    for answer in learner.work(course.chapter(chapter).items):
        if not answer.marks or answer.item not in points:
            continue
        cells = {cell.criterion.id: cell for cell in criterion_cells(course.items[answer.item], points[answer.item])}
        best = {name: len(cell.criterion.levels) - 1 for name, cell in cells.items()}
        if answer.marks.keys() != best.keys() or any(level > best[name] for name, level in answer.marks.items()):
            raise CourseError(f"the marks of {learner.name} for {answer.item} don't fit its rubric; mend {COHORT.name}")
        for name, level in answer.marks.items():
            grade = gradebook.find_grade(cells[name].id, chapter, chapter, learner.name)
            grade.manual_score = cells[name].points * level / best[name]
            grade.needs_manual_grade = False
    gradebook.db.commit()


def tamper(path: Path) -> None:
    """Do to a notebook what somebody might who wants full marks without answering."""
    notebook = json.loads(path.read_text("utf-8"))
    graded = [cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("grade")]
    first, last = graded[0], graded[-1]
    second = graded[1 % len(graded)]
    first["source"] = ["1000\n"]
    first["metadata"]["nbgrader"]["points"] = 1000
    second["metadata"]["nbgrader"]["solution"] = True
    notebook["cells"].remove(last)
    notebook["cells"].append(json.loads(json.dumps(first)))
    attack = "import sqlite3\nsqlite3.connect('../../../gradebook.db').execute('update grade set auto_score = 99')"
    notebook["cells"].insert(0, {
        "cell_type": "code", "id": "attack", "metadata": {}, "source": [attack], "outputs": [], "execution_count": None,
    })  # fmt: skip
    path.chmod(0o644)
    path.write_text(json.dumps(notebook), "utf-8")
