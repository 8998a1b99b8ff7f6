"""Opening a role's place on this machine: a JupyterLab for each of them.

Every server binds to 127.0.0.1 only and ends with this process.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from autograde.audit import sandbox
from autograde.audit.book import reading
from autograde.course_data import CourseData
from autograde.engine import course
from autograde.place import ROOT, CourseError
from curriculum.build import code_cell, to_json
from curriculum.model import Text

GUEST = "guest"
LOCAL = "127.0.0.1"
LEARNER_LAB = ROOT / "curriculum" / "lab" / "learner"
DESK = "auditor.ipynb"
DESK_TITLE = Text(zh="审计台", en="Auditor's desk")
DESK_CELL = "from autograde.audit.desk import desk\ndesk()"
LEARNER_CONFIG = """\
c = get_config()
c.CourseDirectory.course_id = {course!r}
c.CourseDirectory.student_id = {learner!r}
c.SafeSubmit.stands_for = {learner!r}
c.Exchange.root = {exchange!r}
c.Exchange.cache = {cache!r}
"""


def serve(role: str, browser: bool) -> None:
    """Serve a role's place until interrupted. Raises CourseError when there is nothing to show."""
    for sign in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, lambda *_: sys.exit(0))
    data = CourseData()
    if not any(Path(data.config.Exchange.root).iterdir()):
        raise CourseError("there is no course data yet; run “make demo” first")
    log = data.folder / "jupyterlab.log"
    if role == "auditor":
        with reading(data.db_url):
            pass  # no gradebook is said here in a sentence, rather than in a notebook
        with auditors_place() as lab:
            serve_lab(lab, f"doc/tree/{DESK}", browser)
    elif role == "instructor":
        serve_lab(Lab(ROOT, {}, log), "formgrader", browser)
    else:
        home = prepare_learner(data, GUEST)
        first = course().chapters[0].id
        serve_lab(Lab(home, learner_environment(home), log), f"doc/tree/{first}/{first}.ipynb", browser)


def prepare_learner(data: CourseData, name: str) -> Path:
    """Make a learner's folder with all released chapters in it and return it."""
    home = data.folder / "learners" / name
    home.mkdir(parents=True, exist_ok=True)
    for chapter in course().chapters:
        released = Path(data.config.Exchange.root) / data.config.CourseDirectory.course_id / "outbound" / chapter.id
        if (home / chapter.id).exists():
            # A newer release brings new wording; it holds no answers, so none is touched.
            shutil.copytree(released, home / chapter.id, dirs_exist_ok=True)
        else:
            data.learner("FetchAssignment", chapter.id, name, home)
    settings = home / ".nbgrader"
    settings.mkdir(exist_ok=True)
    (settings / "nbgrader_config.py").write_text(
        LEARNER_CONFIG.format(
            course=data.config.CourseDirectory.course_id,
            learner=name,
            exchange=data.config.Exchange.root,
            cache=str(home / ".handed-in"),
        )
    )
    return home


def learner_environment(home: Path) -> dict[str, str]:
    """Return the variables that make JupyterLab a learner's: no tools of the instructor."""
    return {"JUPYTER_CONFIG_PATH": os.pathsep.join((str(home / ".nbgrader"), str(LEARNER_LAB)))}


@contextmanager
def auditors_place() -> Iterator[Lab]:
    """A JupyterLab in a folder of its own that holds the desk and nothing else, and can write nowhere else.

    The instructor's tools, terminals and saving are switched off. Where the machine can bind a process, the server
    and its kernels have given up writing outside of that folder before they start.
    """
    with TemporaryDirectory(prefix="counterside-auditor-") as folder:
        place = Path(folder)
        (place / "desk").mkdir()
        (place / "desk" / DESK).write_bytes(desk_notebook())
        own = ("HOME", "TMPDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
        for name in own:
            (place / name.lower()).mkdir()
        variables = {name: str(place / name.lower()) for name in own}
        if sandbox.is_available():
            launcher: tuple[str, ...] = (sys.executable, "-m", "autograde.audit.sandbox", folder)
        else:
            launcher = ()
            print("This system can't take the right to write from a process, so here it is up to the account:")
            print("let auditors work from one that can only read (see docs/auditor.md).", flush=True)
        options = ("--ServerApp.contents_manager_class=autograde.audit.contents.ReadOnlyContents",)
        settings = {"JUPYTER_CONFIG_PATH": str(LEARNER_LAB), "PYTHONDONTWRITEBYTECODE": "1"}
        yield Lab(place / "desk", variables | settings, place / "jupyterlab.log", options, launcher)


def desk_notebook() -> bytes:
    """Return the notebook that opens with the desk."""
    return to_json(
        {
            "cells": [code_cell("desk", DESK_CELL, {})],
            "metadata": {
                "counterside": {"title": DESK_TITLE.model_dump(), "desk": True},
                "kernelspec": {"display_name": "Counterside", "language": "python", "name": "counterside"},
                "language_info": {"name": "python"},
            },
            "nbformat": 4,
            "nbformat_minor": 5,
        },
        indent=1,
    )


@dataclass(frozen=True, slots=True)
class Lab:
    """A JupyterLab of its own for one folder; `port` and `token` stay the same when it is started again.

    `launcher` is what it is started by, if anything.
    """

    folder: Path
    variables: dict[str, str]
    log: Path
    options: tuple[str, ...] = ()
    launcher: tuple[str, ...] = ()
    port: int = field(default_factory=lambda: free_port())
    token: str = field(default_factory=secrets.token_hex)

    def address(self, page: str) -> str:
        return f"http://{LOCAL}:{self.port}/{page}?token={self.token}"

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        """Start the server, wait until it answers, and end it in the end. Raises CourseError."""
        command = [
            *self.launcher, sys.executable, "-m", "jupyterlab", "--no-browser", f"--ServerApp.ip={LOCAL}",
            f"--ServerApp.port={self.port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={self.folder}",
            *self.options,
        ]  # fmt: skip
        if os.geteuid() == 0:
            command.append("--allow-root")
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
        environment = {**os.environ, "PATH": path, "JUPYTER_TOKEN": self.token, **self.variables}
        with self.log.open("a") as file:
            process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=file, stderr=file)
        try:
            wait_until_open(process, self.port, self.log)
            yield process
        finally:
            process.terminate()
            process.wait()


def serve_lab(lab: Lab, page: str, browser: bool) -> None:
    with lab.running() as process:
        announce(lab.address(page), browser)
        process.wait()


def wait_until_open(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait until the server answers. Raises CourseError when it ends instead."""
    while process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((LOCAL, port)) == 0:
                return
        time.sleep(0.1)
    raise CourseError(f"JupyterLab did not start; {log} says why")


def announce(address: str, browser: bool) -> None:
    print(f"Open {address}\nEnd it with Ctrl+C.", flush=True)
    if browser:
        webbrowser.open(address)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOCAL, 0))
        return int(probe.getsockname()[1])
