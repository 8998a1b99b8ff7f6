"""Hostile submissions of every kind, made from an honest one. `expected.tsv` says what must become of each.

Nothing made here is kept: the kinds are functions that spoil a submission in a
folder for tests. Where code stands in one, running it would leave a canary.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import pickle
import random
import shutil
import socket
import stat
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograde.cohort import submit
from autograde.config import CourseConfig
from autograde.simulate import response
from curriculum.load import Course

MARK = "counterside-canary"
"""Stands in each piece of hostile code, so that running it can be told from reading it."""

Record = dict[str, Any]
Spoil = Callable[["Submission"], None]


@dataclass(frozen=True)
class Submission:
    """A learner's submission of one chapter; honest until it is spoiled. `neighbour` is an honest learner."""

    config: CourseConfig
    course: Course
    learner: str
    chapter: str
    neighbour: str
    canary: Path

    @property
    def folder(self) -> Path:
        return self.config.submitted / self.learner / self.chapter

    @property
    def log(self) -> Path:
        return self.folder / "responses" / f"{self.chapter}.jsonl"

    @property
    def notebook(self) -> Path:
        return self.folder / f"{self.chapter}.ipynb"

    @property
    def neighbours_log(self) -> Path:
        return self.config.submitted / self.neighbour / self.chapter / "responses" / self.log.name

    def lines(self) -> list[bytes]:
        return self.log.read_bytes().splitlines()

    def records(self) -> list[Record]:
        return [json.loads(line) for line in self.lines()]

    def write(self, lines: Iterable[bytes]) -> None:
        self.log.write_bytes(b"".join(line + b"\n" for line in lines))

    def forge(self, records: Iterable[Record], **more: Any) -> None:
        """Write records as a log in which every number and every hash is right."""
        self.write(chained(records, **more))

    def code(self) -> str:
        """Return a cell that would do all that must never be done, if anything ran it."""
        return CODE.format(mark=MARK, canary=str(self.canary), gradebook=str(self.config.folder / "gradebook.db"))

    def edit(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Change the notebook."""
        found = json.loads(self.notebook.read_bytes())
        change(found)
        self.put(json.dumps(found).encode())

    def put(self, data: bytes) -> None:
        """Write other bytes as the notebook, which is a link to one that many share."""
        self.notebook.unlink()
        self.notebook.write_bytes(data)


CODE = """\
# {mark}
import os, pathlib, sqlite3, subprocess, sys, time
os.environ["COUNTERSIDE_CANARY"] = "{mark}"
pathlib.Path("{canary}", "ran").write_text("{mark}")
pathlib.Path("{canary}", "keys").write_text(str([p.read_text() for p in pathlib.Path("curriculum").rglob("*.yml")]))
sqlite3.connect("{gradebook}").execute("update grade set auto_score = 99, manual_score = 99").connection.commit()
os.fork() or time.sleep(600)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", "{mark}"])
time.sleep(600)
"""


def chained(records: Iterable[Record], ascii: bool = False) -> list[bytes]:
    """Return records as lines, each with its number and the hash of the one before."""
    lines: list[bytes] = []
    for number, record in enumerate(records, 1):
        before = hashlib.sha256(lines[-1]).hexdigest() if lines else ""
        whole = {**record, "seq": number, "prev": before}
        lines.append(json.dumps(whole, ensure_ascii=ascii, separators=(",", ":")).encode("utf-8", "surrogatepass"))
    return lines


GIVEN: dict[str, list[tuple[str, str, Any]]] = {}


def honest(
    config: CourseConfig, course: Course, learner: str, chapter: str, neighbour: str, canary: Path
) -> Submission:
    """Write an honest submission; everybody's of a chapter has the same answers."""
    known = course.chapter(chapter)
    if chapter not in GIVEN:
        graded_ones = (item for item in known.items if item.id in known.points)
        GIVEN[chapter] = [(item.id, item.hash, response(item, "anybody", 0.7)) for item in graded_ones]
    submit(config, known, learner, GIVEN[chapter])
    return Submission(config, course, learner, chapter, neighbour, canary)


KINDS: dict[str, tuple[str, Spoil]] = {}


def kind(name: str, chapter: str = "ch1") -> Callable[[Spoil], Spoil]:
    def add(spoil: Spoil) -> Spoil:
        assert name not in KINDS
        KINDS[name] = (chapter, spoil)
        return spoil

    return add


@kind("honest")
@kind("honest-2", "ch2")
@kind("honest-3", "ch3")
@kind("honest-4", "ch4")
@kind("honest-5", "ch5")
def nothing(_one: Submission) -> None:
    pass


# How often an answer may be sent by somebody who takes every exercise as seriously as can be, by type.
SENT = {
    "best_worst": 6, "classification": 20, "data_analysis": 60, "dialogue": 12, "free_text": 300, "multi_select": 10,
    "numeric": 25, "ordering": 20, "plan": 30, "rating": 10, "reflection": 400, "triage": 200, "violations": 15,
}  # fmt: skip


@kind("honest-busy", "ch3")
def busy(one: Submission) -> None:
    kinds = {item.id: item.kind.name for item in one.course.chapter(one.chapter).items}
    one.forge(
        {**record, "id": f"{record['item']}-{number}"}
        for record in one.records()
        for number in range(SENT[kinds[record["item"]]] if record["item"] else 1)
    )


@kind("honest-saved")
@kind("honest-saved-2", "ch2")
@kind("honest-saved-3", "ch3")
@kind("honest-saved-4", "ch4")
@kind("honest-saved-5", "ch5")
def saved_by_jupyterlab(one: Submission) -> None:
    def save(notebook: dict[str, Any]) -> None:
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                view = {"model_id": "0" * 32, "version_major": 2, "version_minor": 0}
                data = {"application/vnd.jupyter.widget-view+json": view, "text/plain": "<player>"}
                output = {"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": 1}
                cell |= {"execution_count": 1, "outputs": [output]}

    one.edit(save)


# ---- notebooks ------------------------------------------------------------------------------


def graded(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("grade")]


def notebook_kind(name: str, change: Callable[[dict[str, Any]], object]) -> None:
    kind(name)(lambda one: one.edit(change))


def in_nbgrader(**values: Any) -> Callable[[dict[str, Any]], object]:
    return lambda notebook: [cell["metadata"]["nbgrader"].update(values) for cell in graded(notebook)]


def in_first(**values: Any) -> Callable[[dict[str, Any]], object]:
    return lambda notebook: graded(notebook)[0].update(values)


def repoint(notebook: dict[str, Any]) -> None:
    one, other = (cell["metadata"]["nbgrader"] for cell in graded(notebook)[:2])
    one["grade_id"], other["grade_id"] = other["grade_id"], one["grade_id"]


def nest(value: Any, depth: int) -> Any:
    for _ in range(depth):
        value = [value]
    return value


notebook_kind("cell-twice", lambda n: n["cells"].append(graded(n)[0]))
notebook_kind("cell-deleted", lambda n: n["cells"].remove(graded(n)[0]))
notebook_kind("cells-all-deleted", lambda n: n["cells"].clear())
notebook_kind("cell-retyped-markdown", in_first(cell_type="markdown"))
notebook_kind("cell-retyped-raw", in_first(cell_type="raw"))
notebook_kind("cell-type-unknown", in_first(cell_type={"x": 1}))
notebook_kind("cell-repointed", repoint)
notebook_kind("cell-unlocked", in_nbgrader(locked=False))
notebook_kind("cell-solution-false", in_nbgrader(solution=False, grade=True, task=True))
notebook_kind("cell-not-graded", in_nbgrader(grade=False))
notebook_kind("cell-points-9999", in_nbgrader(points=9999))
notebook_kind("cell-points-nan", in_nbgrader(points=float("nan")))
notebook_kind("cell-checksum-forged", in_nbgrader(checksum="0" * 32))
notebook_kind("cell-grade-id-path", in_nbgrader(grade_id="../../../etc/passwd"))
notebook_kind("schema-version-1", in_nbgrader(schema_version=1))
notebook_kind("schema-version-99", in_nbgrader(schema_version=99))
notebook_kind("schema-version-text", in_nbgrader(schema_version="3; drop table grade"))
notebook_kind("nbgrader-null", lambda n: [cell["metadata"].update(nbgrader=None) for cell in graded(n)])
notebook_kind("metadata-list", in_first(metadata=["nbgrader"]))
notebook_kind("cell-ids-alike", lambda n: [cell.update(id="same") for cell in n["cells"]])
notebook_kind("cell-id-nested", in_first(id=nest(1, 400)))
notebook_kind("cell-id-number", in_first(id=7))
notebook_kind("cell-id-long", in_first(id="x" * 500_000))
notebook_kind("source-nested", in_first(source=nest("x", 400)))
notebook_kind("source-number", in_first(source=7))
notebook_kind("source-objects", in_first(source=[{"x": 1}] * 10))
notebook_kind("source-long", in_first(source="x" * 10**6))
notebook_kind("nbformat-3", lambda n: n.update(nbformat=3, worksheets=[{"cells": n.pop("cells")}]))
notebook_kind("nbformat-99", lambda n: n.update(nbformat=99, nbformat_minor=10**30))
notebook_kind("cells-an-object", lambda n: n.update(cells={"0": n["cells"]}))
notebook_kind("cells-of-numbers", lambda n: n.update(cells=[1, None, "x", []]))
notebook_kind("cells-without-fields", lambda n: n.update(cells=[{}] * 50))
notebook_kind("cells-100000", lambda n: n["cells"].extend([{"cell_type": "raw"}] * 100_000))
notebook_kind("theory-rewritten", lambda n: [c.update(source="x") for c in n["cells"] if "lang" in str(c["metadata"])])
notebook_kind("kernel-forged", lambda n: n["metadata"].update(kernelspec={"name": "../../bin/sh", "argv": ["rm"]}))
notebook_kind("verdict-forged", lambda n: n["metadata"]["counterside"].update(verdict={"state": "graded"}, digest="0"))
notebook_kind("outputs-with-script", in_first(outputs=[{"data": {"text/html": f"<script>{MARK}()</script>"}}]))
notebook_kind(
    "outputs-huge",
    lambda n: graded(n)[0].update(outputs=[{"output_type": "stream", "name": "stderr", "text": "x" * 8 * 2**20}]),
)
notebook_kind(
    "widget-state",
    lambda n: n["metadata"].update(widgets={"application/vnd.jupyter.widget-state+json": {"state": {"x": MARK}}}),
)


@kind("notebook-runs-code")
def code_in_cells(one: Submission) -> None:
    one.edit(lambda n: [c.update(source=one.code()) for c in n["cells"] if c["cell_type"] == "code"])


@kind("notebook-runs-code-added")
def code_added(one: Submission) -> None:
    cell = {"cell_type": "code", "id": "\x1b[2J", "metadata": {}, "outputs": [], "execution_count": None}
    one.edit(lambda n: n["cells"].insert(0, {**cell, "source": one.code()}))


@kind("notebook-magics")
def magics(one: Submission) -> None:
    words = f"!touch {one.canary}/ran # {MARK}\n%load_ext {MARK}\n%%bash\ntouch {one.canary}/ran\n"
    one.edit(lambda n: [c.update(source=words) for c in n["cells"] if c["cell_type"] == "code"])


def bytes_kind(name: str, made: Callable[[bytes], bytes]) -> None:
    kind(name)(lambda one: one.put(made(one.notebook.read_bytes())))


bytes_kind("notebook-empty", lambda _data: b"")
bytes_kind("notebook-no-json", lambda _data: b"hello")
bytes_kind("notebook-cut", lambda data: data[: len(data) // 2])
bytes_kind("notebook-a-list", lambda data: b"[" + data + b"]")
bytes_kind("notebook-null", lambda _data: b"null")
bytes_kind("notebook-bom", lambda data: b"\xef\xbb\xbf" + data)
bytes_kind("notebook-utf-16", lambda data: data.decode().encode("utf-16"))
bytes_kind("notebook-invalid-utf-8", lambda data: data.replace(b"cells", b"c\xff\xfells", 1))
bytes_kind("notebook-nan", lambda data: data.replace(b'"points": 18.0', b'"points": NaN', 1))
bytes_kind("notebook-infinity", lambda data: data.replace(b'"points": 18.0', b'"points": 1e999', 1))
bytes_kind("notebook-huge-int", lambda data: data.replace(b'"points": 18.0', b'"points": 1' + b"0" * 100_000, 1))
bytes_kind("notebook-deep", lambda _data: b"[" * 500_000 + b"]" * 500_000)
bytes_kind("notebook-deep-objects", lambda _data: b'{"cells":' * 100_000)
bytes_kind("notebook-packed", lambda _data: b'{"cells": [' + b"[]," * 600_000 + b"[]]}")
bytes_kind("notebook-keys-twice", lambda data: data.rstrip()[:-1] + b', "cells": []}')
bytes_kind("notebook-gzip", gzip.compress)
bytes_kind("notebook-pickle", lambda _data: pickled())
bytes_kind("notebook-nul", lambda data: b"\0" * 1000 + data)
bytes_kind("notebook-surrogates", lambda data: data.replace(b'"id": "e1-1-1"', b'"id": "\\ud800e1-1-1"', 1))


class Bomb:
    """Runs a command where it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch /tmp/{MARK}",)


def pickled() -> bytes:
    return pickle.dumps(Bomb())


def special(name: str, where: Callable[[Submission], Path], make: Callable[[Path, Submission], object]) -> None:
    def spoil(one: Submission) -> None:
        path = where(one)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
        make(path, one)

    kind(name)(spoil)


def sparse(path: Path, _one: Submission) -> None:
    with path.open("wb") as file:
        file.truncate(2**30)


def listening(path: Path, _one: Submission) -> None:
    before = Path.cwd()
    os.chdir(path.parent)  # a socket's name may be short only
    try:
        with socket.socket(socket.AF_UNIX) as it:
            it.bind(path.name)
    finally:
        os.chdir(before)


def zipped(path: Path, _one: Submission) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("../../../ran", MARK)
    path.write_bytes(held.getvalue())


SPECIAL: dict[str, Callable[[Path, Submission], object]] = {
    "missing": lambda _path, _one: None,
    "folder": lambda path, _one: path.mkdir(),
    "link": lambda path, _one: path.symlink_to("/etc/passwd"),
    "link-dangling": lambda path, _one: path.symlink_to("nowhere"),
    "link-to-itself": lambda path, _one: path.symlink_to(path.name),
    "link-zero": lambda path, _one: path.symlink_to("/dev/zero"),
    "link-keys": lambda path, one: path.symlink_to(one.config.root / "curriculum" / "course.yml"),
    "pipe": lambda path, _one: os.mkfifo(path),
    "socket": listening,
    "sparse": sparse,
    "archive": zipped,
}
for how, make in SPECIAL.items():
    special(f"notebook-{how}", lambda one: one.notebook, make)
    special(f"log-{how}", lambda one: one.log, make)
special("log-link-neighbour", lambda one: one.log, lambda path, one: path.symlink_to(one.neighbours_log))
special("log-hard-link", lambda one: one.log, lambda path, one: os.link(one.neighbours_log, path))
special("responses-link", lambda one: one.log.parent, lambda path, one: path.symlink_to(one.neighbours_log.parent))
special("responses-file", lambda one: one.log.parent, lambda path, _one: path.write_text("no folder"))
special("responses-missing", lambda one: one.log.parent, lambda _path, _one: None)
special("chapter-link", lambda one: one.folder, lambda path, one: path.symlink_to(one.neighbours_log.parents[1]))
special("chapter-file", lambda one: one.folder, lambda path, _one: path.write_text("no folder"))
special("chapter-archive", lambda one: one.folder, zipped)
if os.geteuid() == 0:
    zero = stat.S_IFCHR | 0o666
    special("log-device", lambda one: one.log, lambda path, _one: os.mknod(path, zero, os.makedev(1, 5)))
if os.geteuid() != 0:
    kind("log-unreadable")(lambda one: one.log.chmod(0))


# ---- logs -----------------------------------------------------------------------------------


def lines_kind(name: str, change: Callable[[list[bytes]], Iterable[bytes]], chapter: str = "ch1") -> None:
    kind(name, chapter)(lambda one: one.write(change(one.lines())))


def forged_kind(name: str, change: Callable[[list[Record]], Iterable[Record]], chapter: str = "ch1") -> None:
    """A log made anew with right numbers and hashes: only what it says can be wrong."""
    kind(name, chapter)(lambda one: one.forge(change(one.records())))


def first(**values: Any) -> Callable[[list[Record]], Iterable[Record]]:
    return lambda records: [{**records[0], **values}, *records[1:]]


def without(name: str) -> Callable[[list[Record]], Iterable[Record]]:
    return lambda records: [{k: v for k, v in records[0].items() if k != name}, *records[1:]]


def extra(**values: Any) -> Callable[[list[Record]], Iterable[Record]]:
    return lambda records: [*records, {**records[0], "id": "extra", **values}]


def every(**values: Any) -> Callable[[list[Record]], Iterable[Record]]:
    return lambda records: [{**record, **values} for record in records]


def swap(lines: list[bytes], number: int, old: bytes, new: bytes) -> list[bytes]:
    assert old in lines[number]
    return [*lines[:number], lines[number].replace(old, new, 1), *lines[number + 1 :]]


lines_kind("hash-forged", lambda ls: swap(ls, 2, b'"prev":"', b'"prev":"0'))
lines_kind("hashes-empty", lambda ls: [line[: line.rindex(b'"prev"')] + b'"prev":""}' for line in ls])
lines_kind("answer-edited", lambda ls: swap(ls, 0, b'"ms":60000', b'"ms":59999'))
lines_kind("line-cut-out", lambda ls: ls[1:])
lines_kind("lines-reversed", lambda ls: ls[::-1])
lines_kind("lines-shuffled", lambda ls: random.Random(1).sample(ls, len(ls)))
lines_kind("lines-twice", lambda ls: [line for line in ls for _ in range(2)])
lines_kind("log-twice", lambda ls: [*ls, *ls])
lines_kind("crlf", lambda ls: [line + b"\r" for line in ls])
lines_kind("bom", lambda ls: [b"\xef\xbb\xbf" + ls[0], *ls[1:]])
lines_kind("utf-16", lambda ls: [line.decode().encode("utf-16") for line in ls])
lines_kind("torn-marks", lambda ls: [line + b"~" for line in ls])
lines_kind("blank-lines", lambda ls: [part for line in ls for part in (line, b"", b"  \t")])
lines_kind("nul-bytes", lambda ls: [*ls[:2], b"\0" * 5000, *ls[2:]])
lines_kind("nul-inside", lambda ls: swap(ls, 0, b'"lang"', b'\0"lang"'))
lines_kind("binary", lambda ls: [*ls, bytes(range(256)) * 40])
lines_kind("surrogate-raw", lambda ls: swap(ls, 0, b'"id":"', b'"id":"\xed\xa0\x80'))
lines_kind("invalid-utf-8", lambda ls: swap(ls, 0, b'"id":"', b'"id":"\xff'))
lines_kind("overlong-utf-8", lambda ls: swap(ls, 0, b'"id":"', b'"id":"\xc0\xaf'))
lines_kind("million-lines-after", lambda ls: [*ls, *[b"{}"] * 10**6])
lines_kind("million-lines-before", lambda ls: [*[b"{}"] * 10**6, *ls])
lines_kind("million-blank-lines", lambda ls: [*[b""] * 10**6, *ls])
lines_kind("one-long-line", lambda ls: [*ls, b"x" * 7 * 2**20])
lines_kind("one-packed-line", lambda ls: [*ls, b"[" + b"[]," * 80_000 + b"[]]"])
lines_kind("packed-lines", lambda ls: [*ls, *[b'{"response":[' + b"[]," * 80_000 + b"[]]}"] * 30])
lines_kind("deep-line", lambda ls: [*ls, b"[" * 200_000])
lines_kind("deep-object-line", lambda ls: [*ls, b'{"v":' * 40_000])
lines_kind("huge-int-line", lambda ls: swap(ls, 0, b'"v":1', b'"v":1' + b"0" * 200_000))
lines_kind("keys-twice", lambda ls: swap(ls, 0, b'"v":1', b'"v":2,"v":1'))
lines_kind("nan", lambda ls: swap(ls, 0, b'"response":', b'"response":NaN,"r":'))
lines_kind("numbers-as-text", lambda ls: swap(ls, 0, b'"seq":1', b'"seq":"1"'))
lines_kind("float-seq", lambda ls: swap(ls, 0, b'"seq":1', b'"seq":1.0'))
lines_kind("negative-seq", lambda ls: swap(ls, 0, b'"seq":1', b'"seq":-1'))
lines_kind("huge-seq", lambda ls: swap(ls, 0, b'"seq":1', b'"seq":9999999999999999999999'))
lines_kind("seq-zero", lambda ls: swap(ls, 0, b'"seq":1', b'"seq":0'))
lines_kind("pickle-line", lambda ls: [*ls, pickled().replace(b"\n", b" ")])
lines_kind("python-line", lambda ls: [*ls, f"__import__('os').system('touch /tmp/{MARK}')".encode()])
lines_kind("yaml-line", lambda ls: [*ls, f"!!python/object/apply:os.system ['touch /tmp/{MARK}']".encode()])
lines_kind("terminal-line", lambda ls: [*ls, b"\x1b[2J\x1b]0;owned\x07\x1b[31m"])
lines_kind("only-blank", lambda _ls: [b"   ", b"\t"])
lines_kind("log-empty", lambda _ls: [])

forged_kind("time-in-the-future", every(at="2999-01-01T00:00:00.000Z"))
forged_kind("time-long-past", every(at="1970-01-01T00:00:00.000Z"))
forged_kind("time-terminal", every(at="\x1b[2J\u202e"))
forged_kind("message-ids-alike", every(id="same"))
forged_kind("restarted-first", lambda rs: [{**r, "kind": k} for r in rs[:-1] for k in ("restart", "answer")])
forged_kind("nothing-but-submit", lambda rs: rs[-1:] * 3)
forged_kind("submit-missing", lambda rs: rs[:-1])
forged_kind("received-forged", extra(item="", hash="", kind="received", response={"at": "now", "receipt": "FULL"}))
forged_kind("practice-item", extra(item="p1-1-1", hash="", response={"x": 1}))
forged_kind("other-chapters-item", extra(item="e3-1-1", hash="", response={"order": []}))
forged_kind("unknown-item", extra(item="e9-9-9"))
forged_kind("unknown-item-terminal", extra(item="\x1b[2J\u202e\n\r<b>"))
forged_kind("unknown-items-many", lambda rs: [*rs, *({**rs[0], "item": f"x{n}"} for n in range(3000))])
forged_kind("item-class", extra(item="__class__"))
forged_kind("item-hash-forged", first(hash="0" * 64))
forged_kind("practice-flood", lambda rs: [*rs, *({**rs[0], "item": "p1-1-1", "id": str(n)} for n in range(4_500))])
forged_kind("graded-flood", lambda rs: [*[rs[0]] * 4_500, *rs])
forged_kind("more-fields", first(earned=100, score=18))
forged_kind("version-2", first(v=2))
forged_kind("version-true", first(v=True))
for field in ("at", "id", "item", "hash", "lang", "kind", "ms", "v", "response"):
    forged_kind(f"{field}-missing", without(field))
    forged_kind(f"{field}-a-list", first(**{field: [1, [2]]}))
    forged_kind(f"{field}-an-object", first(**{field: {"a": None}}))
for field in ("at", "id", "item", "hash", "lang", "kind"):
    forged_kind(f"{field}-a-number", first(**{field: 10**30}))
    forged_kind(f"{field}-long", first(**{field: "x" * 100_000}))
forged_kind("ms-negative", first(ms=-1))
forged_kind("ms-huge", first(ms=10**400))
forged_kind("ms-true", first(ms=True))
forged_kind("response-null", first(response=None))
forged_kind("response-huge-int", first(response=10**4000))
forged_kind("response-long-text", first(response="x" * 200_000))
forged_kind("response-many-keys", first(response={f"k{n}": n for n in range(10_000)}))
forged_kind("response-deep", first(response=nest(1, 150)))
forged_kind("response-too-deep", first(response=nest(1, 900)))
forged_kind("response-format-words", first(response={"placed": {"{0.__class__}": "{item.key}", "%s": "%n"}}))
forged_kind("response-template", first(response={"placed": {"{{ 7 * 7 }}": "{% include 'keys' %}"}}))
forged_kind("response-key", first(response={"key": {}, "placed": {}, "__init__": {}, "earned": 18}))
kind("response-code")(lambda one: one.forge(first(response=one.code())(one.records())))
SURROGATES = {"surrogate-escaped": {"id": "\ud800"}, "surrogate-in-response": {"response": {"placed": {"\udcff": "x"}}}}
for named, lone in SURROGATES.items():
    kind(named)(lambda one, lone=lone: one.forge(first(**lone)(one.records()), ascii=True))  # type: ignore[misc]
kind("neighbours-log")(lambda one: shutil.copy(one.neighbours_log, one.log))


@kind("neighbours-lines")
def neighbours_lines(one: Submission) -> None:
    one.write([*one.lines(), *one.neighbours_log.read_bytes().splitlines()])


@kind("log-named-otherwise")
def named_otherwise(one: Submission) -> None:
    one.log.rename(one.log.with_name("CH1.JSONL"))


def answered(item: str, response: Any) -> Callable[[list[Record]], Iterable[Record]]:
    return lambda rs: [{**r, "response": response} if r["item"] == item else r for r in rs]


# An answer that the exercise can't produce, of every type: item and answer.
INVALID: dict[str, tuple[str, Any]] = {
    "best_worst": ("e2-1-3", {"best": "nobody", "worst": "nobody"}),
    "classification": ("e2-3-2", {"placed": {"no-card": "no-box"}}),
    "data_analysis": ("e3-4-2", {"values": {"no-field": "1"}, "chart": None, "choice": "no-choice", "view": {}}),
    "dialogue": ("e2-1-1", {"path": ["no-choice"] * 500}),
    "free_text": ("e2-2-3", {"text": "字" * 2001}),
    "multi_select": ("e2-2-5", {"chosen": ["everything"] * 50}),
    "numeric": ("e2-2-4", {"values": {"no-field": "1"}, "choice": None}),
    "ordering": ("e3-1-1", {"order": ["no-step"]}),
    "plan": ("e2-4-2", {"plan": {"no-row": {"no-field": "no-option"}}}),
    "rating": ("e2-2-1", {"ratings": {"no-reply": 4}}),
    "reflection": ("e3-1-4", {"entries": "all of them", "note": ""}),
    "triage": ("e3-3-1", {"mode": "timed", "clock": -1e308, "events": [{}], "marks": {}, "finished": True}),
    "violations": ("e2-1-2", {"marked": ["nowhere"]}),
}
for type_name, (item_id, given) in INVALID.items():
    forged_kind(f"invalid-{type_name}", answered(item_id, given), f"ch{item_id[1]}")
TEXTS = {
    "script": f"<script>{MARK}()</script><img src=x onerror={MARK}()>",
    "controls": "\x1b[2J\x00\x07\u202e\u2028" * 20,
    "commands": "=cmd|' /C calc'!A0 @SUM(1) +1 -1 {{ 7*7 }} %s {0.key}",
}
for named, words in TEXTS.items():
    forged_kind(f"text-with-{named}", answered("e2-2-3", {"text": words}), "ch2")
forged_kind("numbers-forged", answered("e2-2-4", {"values": {}, "choice": None, "earned": 6}), "ch2")
forged_kind(
    "talk-taken-back",
    lambda rs: [*rs[:-1], *({**r, "response": {"path": []}} for r in rs if r["item"] == "e2-1-1"), rs[-1]],
    "ch2",
)


def flood(item: str, number: int, **values: Any) -> Callable[[list[Record]], Iterable[Record]]:
    return lambda rs: [*[{**r, **values} for r in rs if r["item"] == item] * number, *rs]


forged_kind("talk-flood", flood("e2-1-1", 12_000), "ch2")
forged_kind("text-flood", flood("e2-2-3", 1000, response={"text": "字" * 1900}), "ch2")
forged_kind("triage-flood", flood("e3-3-1", 3000), "ch3")


# ---- what lies beside -----------------------------------------------------------------------


def beside(name: str, file: str, data: bytes) -> None:
    def spoil(one: Submission) -> None:
        (one.folder / file).parent.mkdir(parents=True, exist_ok=True)
        (one.folder / file).unlink(missing_ok=True)
        (one.folder / file).write_bytes(data)

    kind(name)(spoil)


BESIDE = f"open('/tmp/{MARK}', 'w')\n".encode()
for module in ("autograde/__init__", "curriculum/__init__", "json", "sitecustomize", "conftest", "nbgrader_config"):
    beside(f"beside-{module.partition('/')[0]}", f"{module}.py", BESIDE)
beside("beside-course-yml", "course.yml", b"!!python/object/apply:os.system ['touch x']")
beside("beside-gradebook", "gradebook.db", b"SQLite format 3\0")
beside("beside-another-log", "responses/ch2.jsonl", b"{}\n")
beside("beside-terminal", "\x1b[2J\n\u202e.txt", b"")
beside("time-is-garbage", "timestamp.txt", b"\xff tomorrow")
beside("time-is-empty", "timestamp.txt", b"")
beside("time-is-large", "timestamp.txt", b"2026-09-01 09:00:00 UTC" + b" " * 2**22)
beside("time-year-0", "timestamp.txt", b"0000-00-00 00:00:00 UTC")
beside("time-year-9999", "timestamp.txt", b"9999-12-31 23:59:59.999999 UTC")
beside("time-year-1", "timestamp.txt", b"0001-01-01 00:00:00.000000 UTC")
beside("time-zone-a-file", "timestamp.txt", b"2026-09-01 09:00:00 /dev/zero")
beside("time-nul", "timestamp.txt", b"2026-09-01\0 09:00:00 UTC")
beside("secret-huge", "submission_secret.txt", b"x" * 2**22)
beside("secret-binary", "submission_secret.txt", bytes(range(256)))
special("time-link", lambda one: one.folder / "timestamp.txt", lambda path, _one: path.symlink_to("/etc/passwd"))
special("time-pipe", lambda one: one.folder / "timestamp.txt", lambda path, _one: os.mkfifo(path))
special("time-missing", lambda one: one.folder / "timestamp.txt", lambda _path, _one: None)
special(
    "secret-link",
    lambda one: one.folder / "submission_secret.txt",
    lambda path, one: path.symlink_to(one.config.root / "curriculum" / "course.yml"),
)
special("secret-missing", lambda one: one.folder / "submission_secret.txt", lambda _path, _one: None)

# Names of folders that are no learner's.
NAMES = (
    "two\nlines", "\x1b[2J", "right\u202eleft", "x" * 200, "\udcff\udcfe", ".grading", ".hidden", "\u200b", "tab\there",
)  # fmt: skip
