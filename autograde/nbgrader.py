"""Where Counterside meets nbgrader: the only file that names nbgrader's hooks.

`nbgrader autograde` reads each notebook through an exporter class and passes it
through preprocessors. Here the exporter hands over the released notebook in the
place of the submitted one, and a preprocessor puts the engine's verdict where
nbgrader looks for a kernel's output. `nbgrader generate_feedback` gets an
exporter that writes our page. Nothing of nbgrader is patched.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import Exporter, NotebookExporter
from nbformat.v4 import new_output
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor

from autograde import engine, feedback, tampering
from autograde.engine import Note
from autograde.marks import read_marks
from curriculum.build import criterion_cells, note_id

PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")


class ReleasedNotebookExporter(NotebookExporter):
    """Reads the released notebook when asked for the submitted one.

    A submitted notebook may be broken, duplicated, of another schema or hostile.
    It is compared, and that is all that ever happens to it.
    """

    def from_filename(self, filename: str, resources: Any = None, **kw: Any) -> Any:
        coursedir = self.parent.coursedir
        names = resources["nbgrader"]
        if Path(filename).resolve().is_relative_to(Path(coursedir.autograded_directory).resolve()):
            return super().from_filename(filename, resources=resources, **kw)
        submitted = Path(filename)
        released = Path(coursedir.format_path(coursedir.release_directory, ".", names["assignment"])) / submitted.name
        notebook = nbformat.read(released, as_version=4)
        chapter = engine.course().chapter(names["assignment"])
        verdict = engine.assess(chapter, submitted.parent / "responses" / f"{chapter.id}.jsonl")
        changed = [Note(about="notebook", text=words) for words in tampering.differences(released, submitted)]
        verdict = verdict.model_copy(update={"notes": (*verdict.notes, *changed)})
        notebook.metadata.counterside[engine.VERDICT] = verdict.model_dump()
        for words in verdict.remarks:
            self.log.warning("%s, %s: %s", names["student"], names["assignment"], words)
        return self.from_notebook_node(notebook, resources=resources, **kw)


class RecordVerdict(NbGraderPreprocessor):
    """Stands in the place of running the notebook: writes the engine's verdict as output."""

    def preprocess(self, nb: Any, resources: Any) -> Any:
        verdict, items = engine.read_verdict(nb), engine.course().items
        # A person who marks needs the answers, not the lesson.
        nb.cells = [cell for cell in nb.cells if "nbgrader" in cell.metadata]
        outcomes = {outcome.item: outcome for outcome in verdict.outcomes}
        notes = {note_id(outcome.item): outcome.note for outcome in verdict.outcomes}
        to_mark = {
            cell.id: cell
            for outcome in verdict.outcomes
            for cell in criterion_cells(items[outcome.item], outcome.points)
            if outcome.is_for_a_person
        }
        for cell in nb.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            if name in outcomes:
                outcome = outcomes[name]
                cell.outputs = [
                    new_output(
                        "display_data",
                        {"text/html": feedback.fragment(items[name].head.title, outcome, verdict.language)},
                    ),
                    new_output("execute_result", {"text/plain": repr(float(outcome.earned))}),
                ]
            if notes.get(name):
                cell.source = as_markdown(notes[name])
            # nbgrader asks for a mark where the cell is no longer as it was released.
            if name in to_mark:
                cell.source = feedback.criterion(to_mark[name], verdict.language)
        return nb, resources


class FeedbackExporter(Exporter):
    """Writes the feedback page from the verdict and the gradebook."""

    file_extension = ".html"

    def from_filename(self, filename: str, resources: Any = None, **_kw: Any) -> Any:
        names = resources["nbgrader"]
        verdict = engine.read_verdict(nbformat.read(filename, as_version=4))
        course = engine.course()
        with Gradebook(names["db_url"]) as gradebook:
            submission = gradebook.find_submission_notebook(names["notebook"], names["assignment"], names["student"])
            marks = read_marks(course.items, verdict, submission.grades)
            comments = {comment.name: comment.manual_comment for comment in submission.comments}
            penalty = submission.late_submission_penalty or 0.0
        page = feedback.page(course, course.chapter(names["assignment"]), verdict, marks, comments, penalty)
        resources["output_extension"] = self.file_extension
        return page, resources


def as_markdown(text: str) -> str:
    """Return Markdown that shows `text` as it is, whatever markup it holds."""
    lines = (PUNCTUATION.sub(lambda match: f"&#{ord(match[0])};", line.strip()) for line in text.splitlines())
    return "  \n".join(line or "&nbsp;" for line in lines)
