"""One item alone in the browser, in both languages side by side, with the score of what was just answered.

The item is read again on every reload of the page, so that an author sees what
was saved in the editor. Answers go to a log in a temporary folder, by the same
player that learners have.
"""

from __future__ import annotations

import json
import secrets
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

from rich.console import Console

from autograde.engine import assess_item
from autograde.feedback import WORDS, templates
from autograde.place import CourseError
from curriculum.build import public_item, to_json
from curriculum.load import CONTENT, Course, Loader
from curriculum.log import Log
from curriculum.model import LANGUAGES, Item, Language, PointId, find
from curriculum.player import Chapter, Player, script, styles
from curriculum.source import Problem

POINTS = 100
MAX_MESSAGE = 2**18
# An author looks at an item before finding its place.
PLACING = {"graded-without-points", "not-placed-once"}
SCRIPT = Path(__file__).parent / "templates" / "preview.js"


class Recorder(Player):
    """A player without a kernel: what it would send to the browser is kept in `replies`."""

    def __init__(self, chapter: Chapter, item_id: str) -> None:
        self.replies: list[Any] = []
        super().__init__(chapter, item_id)

    def send(self, content: Any, buffers: Any = None) -> None:
        self.replies.append(content)


class Preview:
    """An item as its files are now, and the answers given to it since the preview began."""

    def __init__(self, item_id: str, folder: Path, content: Path = CONTENT) -> None:
        self.item_id, self.folder, self.content = item_id, folder, content
        self.lock = Lock()
        if not list(content.glob(f"chapters/*/items/{item_id}.yml")):
            raise CourseError(f"there is no item “{item_id}”; counterside new writes one")
        self.refresh()

    def refresh(self) -> None:
        """Read the item again; answers to another item of this name are forgotten."""
        loader = Loader(self.content)
        self.course: Course | None = loader.read()
        self.item: Item | None = loader.items.get(self.item_id)
        found = {p for p in loader.problems if Path(p.file).stem == self.item_id and p.rule not in PLACING}
        self.faults: list[Problem] = sorted(found)
        if self.item is None:
            return
        data = public_item(self.item)
        log = self.folder / "responses" / "preview.jsonl"
        if data["hash"] != getattr(self, "hash", data["hash"]):
            log.unlink(missing_ok=True)
        self.hash = data["hash"]
        named = {found for _path, found in find(PointId, self.item.key)}
        known = loader.teaching_points
        titles = {point: known[point].model_dump() for point in named if point in known}
        chapter = {"course": "preview", "chapter": "preview", "items": [data], "points": titles}
        (self.folder / "items.json").write_bytes(to_json(chapter))
        self.player = Recorder(Chapter(self.folder), self.item_id)

    def card(self, language: Language) -> str:
        """Return the page with the item, its score and its picture in one language."""
        with self.lock:
            self.refresh()
            item, picture = self.item, None
            if item and item.kind.picture and not self.faults:
                picture = item.kind.picture(item.public, item.key, language)
            return templates().get_template("preview_card.html").render(
                lang=language, faults=self.faults, picture=picture, styles=styles(), found=item is not None,
            )  # fmt: skip

    def traits(self, language: Language) -> dict[str, Any]:
        """Return what the widget starts from."""
        with self.lock:
            names = ("item", "view", "state")
            return {**{name: getattr(self.player, name) for name in names}, "log_id": f"preview-{self.hash}-{language}"}

    def receive(self, message: Any) -> Any:
        """Hand a message of the widget to the player and return its reply."""
        with self.lock:
            self.player.replies.clear()
            self.player.receive(message)
            return self.player.replies[-1]

    def score(self, language: Language) -> str:
        """Return the verdict on the answer so far as HTML."""
        with self.lock:
            if self.item is None or self.faults:
                return ""
            log = Log(self.folder / "responses" / "preview.jsonl")
            log.refresh()
            last = max((i for i, record in enumerate(log.records) if record.kind == "restart"), default=-1)
            outcome, notes = assess_item(self.item, POINTS, log.records[last + 1 :])
            return templates().get_template("preview_score.html").render(
                outcome=outcome, notes=notes, lang=language, words=WORDS, course=self.course, mark=None, compact=False,
            )  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    """Serves one preview below a path that nobody can guess."""

    def __init__(self, preview: Preview, base: str, *rest: Any) -> None:
        self.preview, self.base = preview, base
        super().__init__(*rest)

    def do_GET(self) -> None:
        preview, languages = self.preview, LANGUAGES
        pages: dict[str, tuple[str, Callable[[], str]]] = {
            "": ("text/html", lambda: templates().get_template("preview.html").render(item=preview.item_id)),
            "player.js": ("text/javascript", lambda: script("player.js")),
            "preview.js": ("text/javascript", lambda: SCRIPT.read_text("utf-8")),
        }
        for lang in languages:
            pages[f"{lang}/"] = ("text/html", partial(preview.card, lang))
            pages[f"{lang}/traits"] = ("application/json", partial(lambda lang: json.dumps(preview.traits(lang)), lang))
            pages[f"{lang}/score"] = ("text/html", partial(preview.score, lang))
        name = self.path.removeprefix(self.base)
        if not self.path.startswith(self.base) or name not in pages:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        kind, make = pages[name]
        self.reply(kind, make().encode())

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        if self.path != f"{self.base}message" or size > MAX_MESSAGE:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.reply("application/json", json.dumps(self.preview.receive(json.loads(self.rfile.read(size)))).encode())

    def reply(self, kind: str, data: bytes) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_args: Any) -> None:
        """Say nothing: the author's terminal is for faults."""


class PreviewServer(ThreadingHTTPServer):
    """A server on this machine only; `address` is the page of its preview."""

    def __init__(self, preview: Preview) -> None:
        base = f"/{secrets.token_urlsafe(16)}/"
        super().__init__(("127.0.0.1", 0), partial(Handler, preview, base))
        self.address = f"http://127.0.0.1:{self.server_port}{base}"


@contextmanager
def preview_server(item_id: str, content: Path = CONTENT) -> Iterator[PreviewServer]:
    """Make the server of an item's preview. Raises CourseError when there is no such item."""
    with TemporaryDirectory() as folder, PreviewServer(Preview(item_id, Path(folder), content)) as server:
        yield server


def preview(console: Console, item_id: str, browser: bool) -> None:
    """Serve the preview of an item until it is interrupted. Raises CourseError when there is no such item."""
    with preview_server(item_id) as server:
        console.print(f"{item_id}: {server.address}\nReload the page after editing; Ctrl+C ends it.", markup=False)
        if browser:
            webbrowser.open(server.address)
        server.serve_forever()
