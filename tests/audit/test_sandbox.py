"""What an auditor's place is started in can read everything and write nowhere but in its own folder, even as root."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from autograde.audit import sandbox
from autograde.place import ROOT

pytestmark = pytest.mark.skipif(not sandbox.is_available(), reason="this system has no Landlock that can hold files")

ATTEMPTS = """
import os, shutil, sqlite3, subprocess, sys
from pathlib import Path
own, course = map(Path, sys.argv[1:])
book = course / "gradebook.db"
assert sqlite3.connect(f"file:{book}?mode=ro", uri=True).execute("SELECT points FROM marks").fetchall() == [(7,)]
def by_sql():
    with sqlite3.connect(book) as database:
        database.execute("UPDATE marks SET points = 9")
attempts = [
    by_sql,
    lambda: book.write_bytes(b""),
    lambda: os.truncate(book, 0),
    lambda: book.open("r+b"),
    lambda: book.unlink(),
    lambda: book.rename(course / "other.db"),
    lambda: book.rename(own / "other.db"),
    lambda: (own / "forged.db").rename(book),
    lambda: os.link(own / "forged.db", course / "link.db"),
    lambda: os.symlink(own / "forged.db", course / "link.db"),
    lambda: (course / "eve").mkdir(),
    lambda: (course / "submitted").rmdir(),
    lambda: (course / "eve.txt").write_text("x"),
    lambda: os.mkfifo(course / "eve"),
    lambda: shutil.rmtree(course),
    lambda: subprocess.run(["sh", "-c", f"echo x >> {book}"], check=True, stderr=subprocess.DEVNULL),
]
(own / "forged.db").write_bytes(b"forged")
done = []
for number, attempt in enumerate(attempts):
    try:
        attempt()
    except (OSError, sqlite3.OperationalError, subprocess.CalledProcessError):
        continue
    done.append(number)
print(done, len(attempts))
"""


def test_nothing_started_in_it_can_write_elsewhere_whatever_its_account(tmp_path: Path) -> None:
    own, course = tmp_path / "own", tmp_path / "course"
    own.mkdir()
    (course / "submitted").mkdir(parents=True)
    book = course / "gradebook.db"
    with sqlite3.connect(book) as database:
        database.execute("CREATE TABLE marks (points INTEGER)")
        database.execute("INSERT INTO marks VALUES (7)")
    database.close()
    before = (book.read_bytes(), sorted(path.name for path in course.iterdir()))
    done = subprocess.run(
        [sys.executable, "-m", "autograde.audit.sandbox", str(own), sys.executable, "-c", ATTEMPTS, own, course],
        cwd=ROOT, capture_output=True, text=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[] 16"
    assert (book.read_bytes(), sorted(path.name for path in course.iterdir())) == before
    assert (own / "forged.db").read_bytes() == b"forged"
