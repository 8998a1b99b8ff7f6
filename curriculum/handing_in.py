"""Handing in, on the learner's side: the notebook and the answers, as plain files, under the learner's own name.

nbgrader's own way follows links, copies whatever lies in the folder, hands in
for anybody who is named, and leaves half a folder where it fails. Here nothing
stands under the name that is collected before all of it is there.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from pathlib import Path

from nbgrader.exchange.default import ExchangeSubmit
from nbgrader.utils import get_username
from traitlets import Unicode

from curriculum.copying import MAX_NAME, Allowance, RefusedError, copy_file, opened_folder
from curriculum.log import MAX_BYTES

CHAPTER = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
RESPONSES = "responses"
# A name that starts with a dot is not looked at by collecting.
HALF = ".handing-in"


class SafeSubmit(ExchangeSubmit):
    """nbgrader's handing in, with another way to name and to copy."""

    stands_for = Unicode("", help="Another name that this account hands in under, such as a guest's.").tag(config=True)

    def init_src(self) -> None:
        chapter = self.coursedir.assignment_id
        if not CHAPTER.fullmatch(chapter):
            self.fail(f"{chapter[:MAX_NAME]!a} is no chapter's name; name it as its folder is called, such as ch3")
        super().init_src()

    def init_dest(self) -> None:
        named, own = self.coursedir.student_id, get_username()
        if named not in ("*", own, self.stands_for or own):
            self.fail(f"{own} can't hand in for {named[:MAX_NAME]!a}; leave the name out")
        super().init_dest()

    def copy_files(self) -> None:
        target = Path(self.inbound_path) / self.assignment_filename
        kept = Path(self.cache_path) / "+".join(self.assignment_filename.split("+")[:3])
        notebook = f"{self.coursedir.assignment_id}.ipynb"
        if not os.path.lexists(Path(self.src_path) / notebook):
            # It bears on no grade; the answers do.
            (self.fail if self.strict else self.log.warning)(f"{notebook} is missing in {self.src_path}")
        self.init_release()
        try:
            secret = secrets.token_hex(64)
            self.hand_over(target, secret)
            kept.parent.mkdir(parents=True, exist_ok=True)
            self.hand_over(kept, secret)
        except (RefusedError, OSError) as error:
            self.fail(f"{self.coursedir.assignment_id} was not handed in: {error}")
        self.log.info("Handed in %s at %s", self.coursedir.assignment_id, self.timestamp)

    def hand_over(self, target: Path, secret: str) -> None:
        """Copy notebook and answers and let them appear at `target` at once. Raises RefusedError, OSError."""
        half = target.parent / f"{HALF}-{secrets.token_hex(8)}"
        half.mkdir()
        try:
            with opened_folder(self.src_path) as folder:
                copy_answers(folder, half, self.coursedir.assignment_id)
            (half / "timestamp.txt").write_text(self.timestamp)
            (half / "submission_secret.txt").write_text(secret)
            for path in half.rglob("*"):
                path.chmod(0o755 if path.is_dir() else 0o644)
            # As nbgrader has it, so that the instructor's account can clear it away; its name is a secret.
            half.chmod(0o777)
            half.rename(target)
        finally:
            shutil.rmtree(half, ignore_errors=True)


def copy_answers(folder: int, target: Path, chapter: str) -> None:
    """Copy what belongs to a chapter, as far as it is there, out of an open folder. Raises RefusedError, OSError."""
    copy_if_there(f"{chapter}.ipynb", folder, target)
    if RESPONSES in os.listdir(folder):
        (target / RESPONSES).mkdir()
        with opened_folder(RESPONSES, folder) as responses:
            copy_if_there(f"{chapter}.jsonl", responses, target / RESPONSES)


def copy_if_there(name: str, folder: int, target: Path) -> None:
    if name in os.listdir(folder):
        copy_file(name, folder, target / name, Allowance(bytes=MAX_BYTES))
