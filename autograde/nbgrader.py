"""Where Counterside meets nbgrader: the only file that names nbgrader's hooks.

`nbgrader autograde` reads each notebook through an exporter class and passes it
through preprocessors. Here the exporter hands over the released notebook with the
engine's verdict in the place of the submitted one, and a preprocessor writes what
it says into the gradebook, as `counterside grade` does. `nbgrader generate_feedback` gets an
exporter that writes our page. Nothing of nbgrader is patched.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nbconvert.exporters import Exporter
from nbformat.v4 import new_notebook
from nbgrader.api import Gradebook
from nbgrader.preprocessors import AssignLatePenalties, NbGraderPreprocessor

from autograde import engine, feedback, submission
from autograde.gradewriter import GradeWriter
from autograde.marks import read_marks
from autograde.tables import gradebook, writing


class ReleasedNotebookExporter(Exporter):
    """Hands over the released notebook, with the verdict, when asked for the submitted one.

    A submitted notebook may be broken, duplicated, of another schema or hostile.
    It is compared, and that is all that ever happens to it.

    nbgrader asks a second time, for the notebook just written, to grade it. That one is ours and stays
    as it is: preprocessors get no more of it than the verdict, as JSON, since each copies all that it gets.
    """

    file_extension = ".ipynb"

    def from_filename(self, filename: str, resources: Any = None, **_kw: Any) -> Any:
        coursedir = self.parent.coursedir
        names = resources["nbgrader"]
        resources["output_extension"] = self.file_extension
        if Path(filename).resolve().is_relative_to(Path(coursedir.autograded_directory).resolve()):
            text = Path(filename).read_text("utf-8")
            about = json.loads(text)["metadata"]["counterside"]
            about[engine.VERDICT] = json.dumps(about[engine.VERDICT])
            _notebook, resources = self._preprocess(new_notebook(metadata={"counterside": about}), resources)
            return text, resources
        submitted, course = Path(filename).parent, engine.course()
        chapter = course.chapter(names["assignment"])
        folder = Path(coursedir.format_path(coursedir.release_directory, ".", chapter.id))
        released = folder / f"{chapter.id}.ipynb"
        files = submission.handed_in(chapter, submitted)
        verdict, _at = submission.read(chapter, released, submitted, files)
        for words in verdict.remarks:
            self.log.warning("%s, %s: %s", names["student"], chapter.id, words)
        digest = submission.content_digest(chapter, released, files)
        notebook = submission.graded(course, released, digest, verdict)
        return submission.as_file(notebook, verdict).decode("utf-8"), resources


class SaveVerdict(NbGraderPreprocessor):
    """Stands in the place of running the notebook and saving its grades: writes the verdict into the gradebook."""

    def preprocess(self, nb: Any, resources: Any) -> Any:
        names, course = resources["nbgrader"], engine.course()
        late = AssignLatePenalties(parent=self)
        late.init_plugin()
        with gradebook(names["db_url"]) as database, writing(database) as connection:
            GradeWriter(database, course, late.plugin_inst.late_submission_penalty).write(
                connection,
                names["student"],
                names["assignment"],
                engine.Verdict.model_validate_json(nb.metadata.counterside[engine.VERDICT]),
                None,
                nb.metadata.counterside[submission.DIGEST],
            )
        return nb, resources


class FeedbackExporter(Exporter):
    """Writes the feedback page from the verdict and the gradebook."""

    file_extension = ".html"

    def from_filename(self, filename: str, resources: Any = None, **_kw: Any) -> Any:
        names = resources["nbgrader"]
        verdict = engine.read_verdict(json.loads(Path(filename).read_bytes()))
        course = engine.course()
        with Gradebook(names["db_url"]) as gradebook:
            submission = gradebook.find_submission_notebook(names["notebook"], names["assignment"], names["student"])
            marks = read_marks(course.items, verdict, submission.grades)
            comments = {comment.name: comment.manual_comment for comment in submission.comments}
            penalty = submission.late_submission_penalty or 0.0
        page = feedback.page(course, course.chapter(names["assignment"]), verdict, marks, comments, penalty)
        resources["output_extension"] = self.file_extension
        return page, resources
