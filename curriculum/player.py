"""What runs in a learner's kernel: the widgets, and the response log behind them.

A released notebook calls `play("<item id>")` and `hand_in()`. Both read
`items.json` beside the notebook, which holds public data only, and keep the
answers in `responses/<chapter>.jsonl`. Nothing else is read, and the notebook
itself need never be saved.
"""

from __future__ import annotations

import hashlib
import json
import os
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal
from uuid import uuid4

import anywidget
import traitlets
from pydantic import Field

from curriculum.items import TYPES
from curriculum.log import Kind, Log, LogError, Record, Replay
from curriculum.model import LANGUAGES, Head, Item, ItemType, Language, Model, Public, Text
from curriculum.verdict import BROKEN, InvalidResponseError, explain, follower, judge, parse

HERE: Final = Path(__file__).parent
CHANGED_ELSEWHERE = Text(
    zh="这道题刚刚在另一个窗口里改过，现在显示的是最新的答案。",
    en="This exercise was changed in another window; you now see the newest answer.",
)
NOT_KEPT = Text(zh="答案没有保存下来：{reason}", en="The answer was not saved: {reason}")
NOT_ANSWERED = Text(zh="还没有作答。", en="Not answered yet.")


class Message(Model):
    """What a widget sends to be kept: the whole answer, and the view it was given on."""

    id: str = Field(min_length=8, max_length=80)
    kind: Literal["answer", "restart"]
    base: int = Field(ge=0)
    response: Any = None
    lang: Language
    ms: int = Field(ge=0)


class Chapter:
    """The public items of the chapter in a folder, and the log of the answers to them."""

    def __init__(self, folder: Path) -> None:
        data = json.loads((folder / "items.json").read_text("utf-8"))
        self.id: str = data["chapter"]
        self.course: str = data["course"]
        self.points: dict[str, Any] = data["points"]
        self.items: dict[str, dict[str, Any]] = {item["id"]: item for item in data["items"]}
        self.log = Log(folder / "responses" / f"{self.id}.jsonl")
        self._replays: dict[str, tuple[list[Record], int, Replay]] = {}

    @property
    def log_id(self) -> str:
        """Return what tells this learner's log from any other that the same browser may have seen."""
        folder = self.log.path.parent.parent
        who = (os.environ.get("JUPYTERHUB_USER", ""), os.getuid(), folder.stat().st_ino, folder.resolve())
        return hashlib.sha256(repr(who).encode()).hexdigest()[:12]

    def newest_feedback(self) -> str:
        """Return the newest feedback page below the server's root folder, or nothing."""
        folder = self.log.path.parent.parent
        pages = sorted(folder.glob(f"feedback/*/{self.id}.html"))
        # Jupyter's server tells a kernel which notebook it was started for.
        notebook = Path(os.environ.get("JPY_SESSION_NAME", f"{self.id}/{self.id}.ipynb"))
        return (notebook.parent / pages[-1].relative_to(folder)).as_posix() if pages else ""

    def replay(self, item_id: str) -> Replay:
        """Return what the log adds up to for an item; only what is new since the last time is read."""
        records = self.log.records
        read, count, replay = self._replays.get(item_id, (None, 0, Replay()))
        if read is not records:
            count, replay = 0, Replay(follows=follower(*typed(self.items[item_id])))
        for record in records[count:]:
            if record.item == item_id:
                replay.add(record)
        self._replays[item_id] = (records, len(records), replay)
        return replay

    def missing(self, item_id: str) -> Text | None:
        """Return what is still to do in the attempt that counts, or None."""
        item, scored = self.items[item_id], self.replay(item_id).scored
        if scored is None:
            return NOT_ANSWERED
        return missing(item, scored.response)


def typed(item: dict[str, Any]) -> tuple[ItemType[Any, Any, Any], Public]:
    """Return the type and the public part of an item of items.json."""
    kind = TYPES[item["type"]]
    return kind, kind.public.model_validate(item["public"])


def missing(item: dict[str, Any], response: Any) -> Text | None:
    kind, public = typed(item)
    try:
        return kind.missing(public, parse(kind, public, response))
    except InvalidResponseError:
        return BROKEN


@cache
def open_chapter(folder: Path) -> Chapter:
    """Open the chapter in `folder` once per kernel. Raises FileNotFoundError."""
    return Chapter(folder)


@cache
def asset(name: str) -> str:
    """Return a JavaScript or CSS file of this package."""
    return (HERE / name).read_text("utf-8")


@cache
def script(name: str) -> str:
    """Return a widget's script with the shared parts before it: one text, however many widgets hold it."""
    return asset("parts.js") + asset(name)


@cache
def styles() -> str:
    """Return the style sheet of all widgets: anywidget keeps one for each class, not for each widget.

    What a type says of `.cs-card` is held to cards of that type, so that no type can spoil another.
    """
    views = (asset(f"items/{t}/view.css").replace(".cs-card", f'.cs-card[data-type="{t}"]') for t in TYPES)
    return "\n".join((asset("player.css"), asset("hand_in.css"), *views))


class Player(anywidget.AnyWidget):
    """One exercise. `state` is the replay of the log, never an answer held here."""

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    item = traitlets.Dict().tag(sync=True)
    view = traitlets.Unicode().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    log_id = traitlets.Unicode().tag(sync=True)

    def __init__(self, chapter: Chapter, item_id: str) -> None:
        item = chapter.items[item_id]
        # Whatever a folder's items.json says, only a view of this package is ever shown.
        kind = TYPES[item["type"]]
        self._chapter, self._item = chapter, item
        chapter.log.refresh()
        super().__init__(
            _esm=script("player.js"),
            _css=styles(),
            item={name: item[name] for name in ("id", "type", "practice", "title", "public")},
            view=asset(f"items/{kind.name}/view.js"),
            state=self.current(),
            log_id=chapter.log_id,
        )
        self.on_msg(lambda _widget, content, _buffers: self.receive(content))

    def current(self) -> dict[str, Any]:
        """Return the state that the log adds up to."""
        replay = self._chapter.replay(self._item["id"])
        response = replay.shown.response if replay.shown else None
        left = missing(self._item, response) if replay.shown else NOT_ANSWERED
        return {
            "count": replay.count,
            "response": response,
            "missing": left.model_dump() if left else None,
            "attempt": replay.attempt,
            "feedback": self.feedback(response) if self._item["practice"] and left is None else None,
        }

    def feedback(self, response: Any) -> dict[str, Any]:
        """Return the elaborated feedback of a practice item."""
        item = practice_item(self._item)
        score, _missing = judge(item, response)
        points = self._chapter.points
        rows = [{**row.model_dump(), "point_title": points.get(row.point or "")} for row in explain(item, score)]
        return {"share": score.share, "rows": rows}

    def receive(self, content: Any) -> None:
        """Keep an answer and acknowledge it; say so when it can't be kept."""
        message_id = content.get("id") if isinstance(content, dict) else None
        status, words = "error", None
        try:
            message = Message.model_validate(content)
            if message.kind == "answer":
                self.check(message)
            status = self._chapter.log.append(
                id=message.id,
                item=self._item["id"],
                hash=self._item["hash"],
                lang=message.lang,
                kind=message.kind,
                response=message.response,
                ms=message.ms,
                base=message.base,
            )
            words = CHANGED_ELSEWHERE if status == "stale" else None
        except (LogError, ValueError) as error:
            reason = str(error) if isinstance(error, LogError) else type(error).__name__
            words = Text(zh=NOT_KEPT.zh.format(reason=reason), en=NOT_KEPT.en.format(reason=reason))
        self.state = self.current()
        reply = {"id": message_id, "status": status, "state": self.state}
        self.send({**reply, "message": words.model_dump() if words else None})

    def check(self, message: Message) -> None:
        """Raise InvalidResponseError for a response that this exercise can't produce now."""
        kind, public = typed(self._item)
        parse(kind, public, message.response)
        replay, follows = self._chapter.replay(self._item["id"]), follower(kind, public)
        # An answer to an outdated view is the log's to refuse.
        current = replay.shown if message.base == replay.count else None
        if current and follows and not follows(current.response, message.response):
            raise InvalidResponseError("what was answered before can't be taken back")


class HandIn(anywidget.AnyWidget):
    """The card that sums up what is answered and hands the chapter in."""

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    course = traitlets.Unicode().tag(sync=True)
    assignment = traitlets.Unicode().tag(sync=True)
    log_id = traitlets.Unicode().tag(sync=True)
    summary = traitlets.List().tag(sync=True)
    last = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    changed = traitlets.Bool().tag(sync=True)
    feedback = traitlets.Unicode().tag(sync=True)

    def __init__(self, chapter: Chapter) -> None:
        self._chapter = chapter
        super().__init__(
            _esm=script("hand_in.js"),
            _css=styles(),
            course=chapter.course,
            assignment=chapter.id,
            log_id=chapter.log_id,
        )
        self.refresh()
        self.on_msg(lambda _widget, content, _buffers: self.receive(content))

    def refresh(self) -> None:
        log = self._chapter.log
        log.refresh()
        left = {name: self._chapter.missing(name) for name, item in self._chapter.items.items() if not item["practice"]}
        self.summary = [
            {
                "id": name,
                "title": self._chapter.items[name]["title"],
                "missing": words.model_dump() if words else None,
            }
            for name, words in left.items()
        ]
        received = [(record.seq, record.response) for record in log.records if record.kind == "received"]
        self.last = received[-1][1] if received else None
        scored = [self._chapter.replay(item["id"]).scored for item in self.summary]
        self.changed = bool(received) and any(record and record.seq > received[-1][0] for record in scored)
        self.feedback = self._chapter.newest_feedback()

    def receive(self, content: Any) -> None:
        """Answer "refresh", "submit" with the receipt of what is handed in, or "received"."""
        name, language = content.get("id"), content.get("lang")
        reply: dict[str, Any] = {"id": name, "status": "ok"}
        log = self._chapter.log
        try:
            match content.get("kind"):
                case "submit":
                    self.write("submit", language, None)
                    at, number = log.receipt() or ("", "")
                    reply |= {"at": at, "receipt": number}
                case "received":
                    self.write("received", language, {part: str(content.get(part)) for part in ("at", "receipt")})
            self.refresh()
        except LogError as error:
            reply |= {"status": "error", "message": {language: str(error) for language in LANGUAGES}}
        self.send(reply)

    def write(self, kind: Kind, language: Any, response: Any) -> None:
        self._chapter.log.append(
            id=str(uuid4()),
            item="",
            hash="",
            lang=language if language in LANGUAGES else "zh",
            kind=kind,
            response=response,
            ms=0,
            base=None,
        )


def practice_item(data: dict[str, Any]) -> Item:
    """Return a practice item, whose key learners may have."""
    kind, public = typed(data)
    head = Head(id=data["id"], type=data["type"], practice=True, sector="all", title=Text(**data["title"]), covers=())
    return Item(head, kind, public, kind.key.model_validate(data["key"]))


def play(item_id: str) -> Player:
    """Return the widget of an exercise of the chapter in the current folder."""
    return Player(open_chapter(Path.cwd()), item_id)


def hand_in() -> HandIn:
    """Return the card that hands in the chapter in the current folder."""
    return HandIn(open_chapter(Path.cwd()))
