"""Variants of an honest notebook and an honest log, the same in every run: damaged bytes, JSON, fields."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from autograde.fuzz import Values
from curriculum.model import Item
from tests.hostile.corpus import chained

SEED = 20261130
MOST = 2**20
INSERTED = (
    b"\n", b"\0", b"\r\n", b"~", b"~\n", b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"0", b"-", b"1e999", b"NaN",
    b"\\ud800", b"\xed\xa0\x80", b"\xff", b"\xef\xbb\xbf", b"\x1b[2J", "字\u202e".encode(), b"[" * 2000, b"9" * 5000,
    b'"item":"e1-1-2",', b'"kind":"restart",', b'"kind":"answer",', b'"response":null,', b"{}\n", b"null\n",
)  # fmt: skip


def damaged(data: bytes, random: Random) -> bytes:
    """Return bytes changed in one to four places."""
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(data) + 1)
        to = min(len(data), at + random.choice((1, 2, 8, 100, 3000)))
        match random.randrange(7):
            case 0:
                data = data[:at] + random.choice(INSERTED) + data[at:]
            case 1:
                data = data[:at] + data[to:]
            case 2:
                data = data[:at] + random.randbytes(to - at) + data[to:]
            case 3:
                data = data[:to] + data[at:]
            case 4:
                lines = data.split(b"\n")
                random.shuffle(lines)
                data = b"\n".join(lines)
            case 5:
                lines = data.split(b"\n")
                lines.insert(random.randrange(len(lines)), random.choice(lines))
                data = b"\n".join(lines)
            case _:
                data = (
                    data[:at] if random.random() < 0.3 else data[:at] + bytes([random.randrange(256)]) + data[at + 1 :]
                )
    return data


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


class Fuzz:
    """Makes variants of one honest notebook and log of a chapter with the given items."""

    def __init__(self, notebook: bytes, log: bytes, items: list[Item]) -> None:
        self.notebook, self.log, self.items = notebook, log, items
        self.random = Random(SEED)
        records = [json.loads(line) for line in log.splitlines()]
        self.values = Values(items[0], [record["response"] for record in records])

    def notebooks(self, number: int) -> Iterator[bytes]:
        yield from self.take(number, self.notebook_of_bytes, self.notebook_of_json, self.notebook_of_fields)

    def logs(self, number: int) -> Iterator[bytes]:
        yield from self.take(number, self.log_of_bytes, self.log_of_json, self.log_forged, self.log_of_answers)

    def take(self, number: int, *makers: Callable[[], bytes]) -> Iterator[bytes]:
        for count in range(number):
            # What is too large to be read at all is a kind of its own.
            yield next(made for made in iter(makers[count % len(makers)], None) if len(made) <= MOST)

    def notebook_of_bytes(self) -> bytes:
        return damaged(self.notebook, self.random)

    def notebook_of_json(self) -> bytes:
        value: Any = json.loads(self.notebook)
        for _ in range(self.random.randint(1, 4)):
            value = self.values.changed(value)
        return dumped(value)

    def notebook_of_fields(self) -> bytes:
        """A notebook whose cells are still there, with strange things in them."""
        notebook = json.loads(self.notebook)
        for _ in range(self.random.randint(1, 6)):
            cells = notebook["cells"]
            number = self.random.randrange(len(cells))
            match self.random.randrange(4):
                case 0:
                    cells.insert(self.random.randrange(len(cells)), cells[number])
                case 1:
                    cells[number] = self.values.changed(cells[number])
                case 2 if isinstance(cells[number], dict):
                    name = self.random.choice(("id", "cell_type", "source", "metadata", "outputs"))
                    cells[number] = {**cells[number], name: self.values.any()}
                case _:
                    del cells[number]
            if not cells:
                break
        return dumped(notebook)

    def log_of_bytes(self) -> bytes:
        return damaged(self.log, self.random)

    def log_of_json(self) -> bytes:
        """A log in which records are changed anywhere and the chain is left as it was."""
        lines = self.log.splitlines()
        for _ in range(self.random.randint(1, 3)):
            number = self.random.randrange(len(lines))
            try:
                value = json.loads(lines[number])
            except ValueError:
                continue
            lines[number] = dumped(self.values.changed(value))
        return b"\n".join(lines) + b"\n"

    def log_forged(self) -> bytes:
        """A log with strange fields, in which every number and hash is right."""
        records = [json.loads(line) for line in self.log.splitlines()]
        for _ in range(self.random.randint(1, 3)):
            record = self.random.choice(records)
            record[self.random.choice([*record, "extra"])] = self.values.any()
        return b"".join(line + b"\n" for line in chained(records, ascii=True))

    def log_of_answers(self) -> bytes:
        """A log with damaged answers, in which every number and hash is right."""
        records = [json.loads(line) for line in self.log.splitlines()]
        for _ in range(self.random.randint(1, 5)):
            record = dict(self.random.choice(records))
            record["response"] = self.values.changed(record["response"])
            record["kind"] = self.random.choice(("answer", "answer", "answer", "restart", "submit", "received"))
            records.insert(self.random.randrange(len(records) + 1), record)
        return b"".join(line + b"\n" for line in chained(records, ascii=True))
