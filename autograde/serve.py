"""Opening a role's place on this machine: JupyterLab for learner and instructor, pages for the auditor.

Every server binds to 127.0.0.1 only and ends with this process.
"""

from __future__ import annotations

import functools
import http.server
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
from typing import Any

from autograde.course_data import CourseData
from autograde.engine import course
from autograde.place import ROOT, CourseError
from autograde.report import write_pages

GUEST = "guest"
LOCAL = "127.0.0.1"
LEARNER_LAB = ROOT / "curriculum" / "lab" / "learner"
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
        serve_pages(write_pages(data.folder / "audit").parent, browser)
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


@dataclass(frozen=True, slots=True)
class Lab:
    """A JupyterLab of its own for one folder; `port` and `token` stay the same when it is started again."""

    folder: Path
    variables: dict[str, str]
    log: Path
    port: int = field(default_factory=lambda: free_port())
    token: str = field(default_factory=secrets.token_hex)

    def address(self, page: str) -> str:
        return f"http://{LOCAL}:{self.port}/{page}?token={self.token}"

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        """Start the server, wait until it answers, and end it in the end. Raises CourseError."""
        command = [
            sys.executable, "-m", "jupyterlab", "--no-browser", f"--ServerApp.ip={LOCAL}",
            f"--ServerApp.port={self.port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={self.folder}",
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


def serve_pages(folder: Path, browser: bool) -> None:
    secret = secrets.token_hex()

    class Pages(http.server.SimpleHTTPRequestHandler):
        """Serves files below an address that other accounts on this machine can't guess."""

        def send_head(self) -> Any:
            head, _, rest = self.path.lstrip("/").partition("/")
            if not secrets.compare_digest(head.encode(), secret.encode()):
                self.send_error(http.HTTPStatus.NOT_FOUND)
                return None
            self.path = f"/{rest}"
            return super().send_head()

        def log_message(self, *_words: object) -> None:
            pass

    handler = functools.partial(Pages, directory=str(folder))
    with http.server.ThreadingHTTPServer((LOCAL, 0), handler) as server:
        announce(f"http://{LOCAL}:{server.server_port}/{secret}/index.html", browser)
        server.serve_forever()


def announce(address: str, browser: bool) -> None:
    print(f"Open {address}\nEnd it with Ctrl+C.", flush=True)
    if browser:
        webbrowser.open(address)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOCAL, 0))
        return int(probe.getsockname()[1])
