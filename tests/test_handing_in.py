"""Handing in: the notebook and the answers, under the learner's own name, all of it or nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeError, ExchangeFactory
from nbgrader.server_extensions.assignment_list.handlers import AssignmentList
from nbgrader.utils import get_username
from traitlets.config import Config, JSONFileConfigLoader

from autograde.serve import LEARNER_CONFIG, LEARNER_LAB, learner_environment
from curriculum import copying, handing_in
from curriculum.handing_in import SafeSubmit

LOG = b'{"v":1}\n'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A learner's folder with a chapter that was worked on, beside an exchange that is empty."""
    chapter = tmp_path / "home" / "ch1"
    (chapter / "responses").mkdir(parents=True)
    (chapter / "responses" / "ch1.jsonl").write_bytes(LOG)
    (chapter / "ch1.ipynb").write_text("{}")
    (chapter / "img").mkdir()
    (chapter / "img" / "visit.svg").write_text("<svg/>")
    (chapter / "diary.txt").write_text("nobody else's business")
    for name in ("inbound", "outbound/ch1"):
        (tmp_path / "exchange" / "counterside" / name).mkdir(parents=True)
    return tmp_path / "home"


def hand_in(home: Path, chapter: str = "ch1", *, named: str = "*", stands_for: str = "") -> None:
    """Hand in as nbgrader's command and server extension do, with the settings that learners get."""
    config = Config(JSONFileConfigLoader("nbgrader_config.json", str(LEARNER_LAB)).load_config())
    config.CourseDirectory.course_id = "counterside"
    config.CourseDirectory.assignment_id = chapter
    config.CourseDirectory.student_id = named
    config.SafeSubmit.stands_for = stands_for
    config.Exchange.root = str(home.parent / "exchange")
    config.Exchange.assignment_dir = str(home)
    config.Exchange.cache = str(home / ".handed-in")
    action = ExchangeFactory(config=config).Submit(
        coursedir=CourseDirectory(config=config), authenticator=Authenticator(config=config), config=config
    )
    assert isinstance(action, SafeSubmit)
    action.start()


def inbound(home: Path) -> list[Path]:
    return sorted((home.parent / "exchange" / "counterside" / "inbound").iterdir())


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


EXPECTED = {"ch1.ipynb", "responses/ch1.jsonl", "timestamp.txt", "submission_secret.txt"}


def test_notebook_and_answers_are_handed_in_and_nothing_else(home: Path) -> None:
    hand_in(home)
    (there,) = inbound(home)
    learner, chapter, at, _random = there.name.split("+")
    assert (learner, chapter) == (get_username(), "ch1")
    assert files(there) == EXPECTED
    assert (there / "responses" / "ch1.jsonl").read_bytes() == LOG
    assert (there / "timestamp.txt").read_text() == at
    # Everybody can read it, as the collecting account must.
    assert {path.stat().st_mode & 0o777 for path in there.rglob("*") if path.is_file()} == {0o644}
    # The learner's side remembers it, with the secret that feedback is fetched by.
    (kept,) = (home / ".handed-in" / "counterside").iterdir()
    assert kept.name == f"{learner}+ch1+{at}"
    assert files(kept) == EXPECTED
    assert (kept / "submission_secret.txt").read_text() == (there / "submission_secret.txt").read_text()


def test_a_chapter_without_answers_or_notebook_is_handed_in(home: Path) -> None:
    shutil.rmtree(home / "ch1" / "responses")
    (home / "ch1" / "ch1.ipynb").unlink()
    hand_in(home)
    (there,) = inbound(home)
    assert files(there) == {"timestamp.txt", "submission_secret.txt"}


def link_log(chapter: Path) -> None:
    (chapter / "responses" / "ch1.jsonl").unlink()
    (chapter / "responses" / "ch1.jsonl").symlink_to("/etc/passwd")


def link_folder(chapter: Path) -> None:
    shutil.rmtree(chapter / "responses")
    (chapter / "responses").symlink_to("/etc")


def pipe(chapter: Path) -> None:
    (chapter / "ch1.ipynb").unlink()
    os.mkfifo(chapter / "ch1.ipynb")


def sparse(chapter: Path) -> None:
    with (chapter / "responses" / "ch1.jsonl").open("wb") as file:
        file.truncate(2**30)


def folder_for_file(chapter: Path) -> None:
    (chapter / "ch1.ipynb").unlink()
    (chapter / "ch1.ipynb").mkdir()


@pytest.mark.parametrize("spoil", [link_log, link_folder, pipe, sparse, folder_for_file])
def test_what_is_no_plain_file_is_not_handed_in_and_leaves_nothing(home: Path, spoil: Callable[[Path], None]) -> None:
    spoil(home / "ch1")
    with pytest.raises(ExchangeError, match=r"^ch1 was not handed in: "):
        hand_in(home)
    assert inbound(home) == []
    assert not (home / ".handed-in").exists()


@pytest.mark.parametrize("name", ["../elsewhere", "/etc", "ch1/../../x", ".", "..", "", "ch1\x1b", "x" * 99])
def test_a_chapter_has_a_plain_name(home: Path, name: str) -> None:
    with pytest.raises(ExchangeError, match="is no chapter's name"):
        hand_in(home, name)
    assert inbound(home) == []


@pytest.mark.parametrize("named", ["somebody-else", "../../x", "a+b", ""])
def test_nobody_hands_in_for_anybody_else(home: Path, named: str) -> None:
    with pytest.raises(ExchangeError, match="can't hand in for"):
        hand_in(home, named=named)
    assert inbound(home) == []


def test_a_guest_of_this_account_is_named_in_the_settings(home: Path) -> None:
    hand_in(home, named="guest", stands_for="guest")
    (there,) = inbound(home)
    assert there.name.startswith("guest+ch1+")


def test_ended_in_the_middle_nothing_stands_there_that_collecting_takes(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []
    real = copying.copy_file

    def watched(*words: object) -> object:
        seen.append([path.name for path in inbound(home)])
        return real(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(handing_in, "copy_file", watched)
    hand_in(home)
    # While files were copied into the exchange there was one folder with a name that nbgrader's pattern never meets.
    assert [len(names) for names in seen] == [1, 1, 1, 1]
    assert all(name.startswith(".") for names in seen[:2] for name in names)


def test_the_button_in_jupyterlab_hands_in_in_the_same_way(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What the server does on POST assignments/submit, with a learner's settings.
    settings = home / ".nbgrader"
    settings.mkdir()
    words = LEARNER_CONFIG.format(
        course="counterside", learner="guest", exchange=str(home.parent / "exchange"), cache=str(home / ".handed-in")
    )
    (settings / "nbgrader_config.py").write_text(words)
    for name, value in learner_environment(home).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(home)
    server = AssignmentList()
    server.root_dir = str(home)
    assert server.submit_assignment("counterside", "ch1") == {"success": True}
    (there,) = inbound(home)
    assert there.name.startswith("guest+ch1+")
    assert files(there) == EXPECTED  # nbgrader's own way would have taken the diary, too
    (home / "ch1" / "ch1.ipynb").unlink()
    (home / "ch1" / "ch1.ipynb").symlink_to("/etc/passwd")
    assert not server.submit_assignment("counterside", "ch1")["success"]
    assert len(inbound(home)) == 1
