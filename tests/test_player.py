"""The widgets in the learner's kernel, driven as the browser drives them, without one."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autograde.place import ROOT
from curriculum.load import Course
from curriculum.model import Item
from curriculum.player import HandIn, Player, hand_in, open_chapter, play
from curriculum.verdict import judge

Send = Callable[..., dict[str, Any]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A fetched chapter, and the kernel's current folder."""
    shutil.copytree(ROOT / "release" / "ch3", tmp_path / "ch3")
    monkeypatch.chdir(tmp_path / "ch3")
    open_chapter.cache_clear()
    yield tmp_path / "ch3"
    open_chapter.cache_clear()


def send(player: Player | HandIn, monkeypatch: pytest.MonkeyPatch, **content: Any) -> dict[str, Any]:
    replies: list[dict[str, Any]] = []
    monkeypatch.setattr(type(player), "send", lambda _self, reply, buffers=None: replies.append(reply))
    player.receive(content)
    (reply,) = replies
    return reply


def answer(response: Any, base: int = 0, name: str = "message-1", kind: str = "answer") -> dict[str, Any]:
    return {"id": name, "kind": kind, "base": base, "response": response, "lang": "en", "ms": 5}


def test_an_answer_is_on_disk_when_it_is_acknowledged(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reply = send(play("e3-1-3"), monkeypatch, **answer({"marked": ["smiles-on"]}))
    assert (reply["status"], reply["message"]) == ("ok", None)
    (line,) = (folder / "responses" / "ch3.jsonl").read_text("utf-8").splitlines()
    assert json.loads(line)["response"] == {"marked": ["smiles-on"]}
    # A new widget, as after a kernel restart, shows the same.
    open_chapter.cache_clear()
    assert play("e3-1-3").state["response"] == {"marked": ["smiles-on"]}


@pytest.mark.parametrize(
    "content",
    [
        answer({"marked": ["no-such-span"]}),
        answer({"marked": 7}),
        answer({"order": []}),
        answer(None),
        answer({"marked": []}, base=-1),
        answer({"marked": []}, kind="erase"),
        {},
    ],
)
def test_what_the_exercise_cannot_produce_is_refused_and_never_replaces_a_good_answer(
    folder: Path, monkeypatch: pytest.MonkeyPatch, content: dict[str, Any]
) -> None:
    player = play("e3-1-3")
    send(player, monkeypatch, **answer({"marked": ["smiles-on"]}, name="good-answer"))
    reply = send(player, monkeypatch, **{**content, **({"base": 1} if content.get("base") == 0 else {})})
    assert reply["status"] == "error"
    assert reply["message"]["zh"]
    assert reply["message"]["en"]
    assert player.state["response"] == {"marked": ["smiles-on"]}
    assert len((folder / "responses" / "ch3.jsonl").read_text("utf-8").splitlines()) == 1


def test_two_windows(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = play("e3-1-3"), play("e3-1-3")
    assert send(here, monkeypatch, **answer({"marked": ["smiles-on"]}, name="message-a"))["status"] == "ok"
    late = send(there, monkeypatch, **answer({"marked": ["drop-by"]}, name="message-b"))
    assert late["status"] == "stale"
    assert late["state"]["response"] == {"marked": ["smiles-on"]}
    again = send(there, monkeypatch, **answer({"marked": ["drop-by"]}, base=1, name="message-b"))
    assert again["status"] == "ok"
    assert send(there, monkeypatch, **answer({"marked": ["drop-by"]}, base=1, name="message-b"))["status"] == "dup"


def test_practice_gives_reasons_and_graded_items_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    practice = send(play("p3-1-1"), monkeypatch, **answer({"path": ["soft-pause"]}))
    # The best of one turn: 3 of 3.
    assert practice["state"]["feedback"]["share"] == 1
    assert practice["state"]["feedback"]["rows"][0]["why"]["zh"]
    graded = send(play("e3-1-3"), monkeypatch, **answer({"marked": ["smiles-on"]}))
    assert graded["state"]["feedback"] is None


def test_only_a_view_of_this_package_is_ever_shown(folder: Path) -> None:
    (folder / "evil").mkdir()
    (folder / "evil" / "view.js").write_text("window.owned = 1")
    data = json.loads((folder / "items.json").read_text("utf-8"))
    for item in data["items"]:
        item["type"] = "../../../../proc/self/cwd/evil"
    (folder / "items.json").write_text(json.dumps(data), "utf-8")
    with pytest.raises(KeyError):
        play("e3-1-1")


def test_handing_in_sums_up_and_the_receipt_waits_for_the_exchange(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(play("e3-1-3"), monkeypatch, **answer({"marked": ["smiles-on"]}))
    card = hand_in()
    left = {item["id"]: item["missing"] for item in card.summary}
    assert list(left)[:4] == ["e3-1-1", "e3-1-2", "e3-1-3", "e3-1-4"]
    assert left["e3-1-1"]["en"] == "Not answered yet."
    assert "7" in left["e3-1-3"]["zh"]  # one of eight is marked
    reply = send(card, monkeypatch, id="hand-in-1", kind="submit", lang="zh")
    assert reply["status"] == "ok"
    assert card.last is None  # nothing was taken yet
    send(card, monkeypatch, id="hand-in-2", kind="received", lang="zh", at=reply["at"], receipt=reply["receipt"])
    assert hand_in().last == {"at": reply["at"], "receipt": reply["receipt"]}
    assert not hand_in().changed
    # An answer after that is not handed in yet, and the card says so.
    send(play("e3-1-3"), monkeypatch, **answer({"marked": ["drop-by"]}, base=1, name="message-2"))
    assert hand_in().changed


def test_released_feedback_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert hand_in().feedback == ""
    for time in ("2026-11-22 10:00:00 UTC", "2026-11-23 10:00:00 UTC"):
        (folder / "feedback" / time).mkdir(parents=True)
        (folder / "feedback" / time / "ch3.html").write_text("…")
    monkeypatch.setenv("JPY_SESSION_NAME", "courses/ch3/ch3.ipynb")
    assert hand_in().feedback == "courses/ch3/feedback/2026-11-23 10:00:00 UTC/ch3.html"


def test_player_and_grader_judge_alike(course: Course) -> None:
    """What is released is sorted by id; no answer may be worth another score for that."""
    dice = random.Random(3)
    for item in course.items.values():
        released = Item(item.head, item.kind, item.kind.release(item.public), item.key)
        for _answer in range(200):
            response = some_response(item, dice)
            here, there = judge(released, response)[0], judge(item, response)[0]
            assert (here.earned, here.flags) == (there.earned, there.flags), (item.id, response)
            assert set(here.evidence) == set(there.evidence), (item.id, response)


def some_response(item: Item, dice: random.Random) -> dict[str, Any]:
    public = item.public.model_dump()
    if item.kind.name == "ordering":
        steps = [step["id"] for step in public["steps"]]
        return {"order": dice.sample(steps, dice.randint(0, len(steps)))}
    if item.kind.name == "violations":
        return {"marked": [s["id"] for line in public["lines"] for s in line["spans"] if dice.random() < 0.4]}
    if item.kind.name == "dialogue":
        nodes, at, path = {node["id"]: node for node in public["nodes"]}, public["start"], []
        while nodes[at]["choices"] and dice.random() < 0.9:
            choice = dice.choice(nodes[at]["choices"])
            path.append(choice["id"])
            at = choice["to"]
        return {"path": path}
    return {"entries": [{field["id"]: "word " * dice.randint(0, 9) for field in public["fields"]}], "note": ""}
