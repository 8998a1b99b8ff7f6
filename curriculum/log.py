"""The response log: what a learner gave, one JSON object a line, append-only.

The player appends to it and shows its replay; the grader reads the same file and
replays it in the same way. Appending holds a lock, re-reads what other windows
wrote, refuses an answer to an outdated view, and reaches the disk (fsync) before
it returns. Reading trusts nothing: the file may be torn, binary, huge or forged.

A record has the fields v, seq, at (UTC, ISO 8601), id (of the message), item,
hash (of the item), lang, kind ("answer", "restart", "submit" for the
wish to hand in, "received" when the exchange has taken it), response, ms
(milliseconds since the learner last did something) and prev (SHA-256 of the line
before, empty for the first).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal

from annotated_types import Interval
from pydantic import ConfigDict, StringConstraints, ValidationError
from pydantic_core import from_json

from curriculum.copying import open_plainly
from curriculum.model import Language, Model

MAX_BYTES = 8 * 2**20
MAX_LINES = 20_000
# A line, and each value in it, weighs more than its bytes: this is what reading them takes, in bytes of plain text.
LINE_WEIGHT = 512
VALUE_WEIGHT = 24
MAX_LINE = 2**18
MAX_STRANGERS = 500  # lines that are no records; no crash leaves as many
RESERVE = (2**16, 100)
TORN = b"~"

Kind = Literal["answer", "restart", "submit", "received"]
ShortText = Annotated[str, StringConstraints(max_length=80)]


class LogError(Exception):
    """The log can't be read or written; the message is one sentence for a person."""


class Record(Model):
    """One line of the log."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    v: Annotated[int, Interval(ge=1, le=1)]
    seq: Annotated[int, Interval(ge=1, le=MAX_LINES)]
    at: ShortText
    id: ShortText
    item: ShortText
    hash: ShortText
    lang: Language
    kind: Kind
    response: Any = None
    ms: Annotated[int, Interval(ge=0, le=10**12)]
    prev: ShortText


class Log:
    """A response log on disk, read as far as it has grown.

    `records` are the lines that could be read, `hashes` the SHA-256 of each of them.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._forget()

    @classmethod
    def holding(cls, data: bytes) -> Log:
        """Return a log that was read already, of at most MAX_BYTES."""
        log = cls(Path())
        log._read(BytesIO(data))
        return log

    def _forget(self) -> None:
        self.records: list[Record] = []
        self.hashes: list[str] = []
        self._file: tuple[int, int] | None = None
        self._offset = 0
        self._lines = 0
        self._weight = 0
        self._unread = False
        self._strangers: list[int] = []
        self._gaps: list[int] = []

    @property
    def notes(self) -> list[str]:
        """What in the file is not as the player writes it, in a few sentences."""
        said = []
        if self._strangers:
            said.append(f"{named(self._strangers)} no record and passed over")
        if self._gaps:
            said.append(f"{named(self._gaps)} not in the chain: it does not follow from the line before")
        if self._unread:
            said.append("there is more than a log may hold; the rest was not read")
        return said

    def refresh(self) -> None:
        """Read what was appended since the last call, or all of it when the file is another one now.

        Raises LogError when the file is no plain file or larger than MAX_BYTES.
        """
        try:
            handle = open_plainly(self.path)
        except FileNotFoundError:
            self._forget()
            return
        except OSError as error:
            raise LogError(f"{self.path.name} can't be opened: {error.strerror}") from error
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            os.close(handle)
            raise LogError(f"{self.path.name} is not a plain file")
        with os.fdopen(handle, "rb") as file:
            if status.st_size > MAX_BYTES:
                raise LogError(
                    f"{self.path.name} has {status.st_size / 2**20:.0f} MiB; {MAX_BYTES // 2**20} MiB is the limit"
                )
            identity = (status.st_dev, status.st_ino)
            if identity != self._file or status.st_size < self._offset:
                self._forget()
                self._file = identity
            file.seek(self._offset)
            self._read(file)

    def _read(self, file: BinaryIO) -> None:
        while self._lines < MAX_LINES and len(self._strangers) < MAX_STRANGERS:
            line = file.readline(MAX_LINE + 1)
            size = len(line)
            while line and len(line) > MAX_LINE and not line.endswith(b"\n"):
                line = file.readline(MAX_LINE + 1)
                size += len(line)
            if not line.endswith(b"\n"):
                self._unread = False
                return  # a torn end is read when it is whole
            is_whole = size == len(line)
            heavy = weight(line) if is_whole else size + LINE_WEIGHT
            if self._weight + heavy > MAX_BYTES:
                self._unread = True
                return
            self._weight += heavy
            self._offset += size
            self._take(line[:-1] if is_whole else None)
        self._unread = bool(file.read(1))

    def _take(self, line: bytes | None) -> None:
        self._lines += 1
        # The player itself closes a line that a crash left torn; that is nobody's doing.
        if line is not None and (not line.strip() or line.endswith(TORN)):
            return
        record = parse_line(line) if line is not None else None
        if line is None or record is None:
            self._strangers.append(self._lines)
            return
        if (record.prev, record.seq) != (self._last(), self.records[-1].seq + 1 if self.records else 1):
            self._gaps.append(self._lines)
        self.records.append(record)
        self.hashes.append(hashlib.sha256(line).hexdigest())

    def _last(self) -> str:
        return self.hashes[-1] if self.hashes else ""

    def append(
        self,
        *,
        id: str,
        item: str,
        hash: str,
        lang: Language,
        kind: Kind,
        response: Any,
        ms: int,
        base: int | None,
        at: datetime | None = None,
    ) -> Literal["ok", "dup", "stale"]:
        """Append a record and return once it is on disk.

        `base` is how many records of the item the sender has seen (None: any). `at` is the time if it is not now.
        Returns "dup" when a record with this id is there already, "stale" when
        others were added since; neither writes anything. Raises LogError when
        the record can't be written, and leaves no part of it behind that counts.
        """
        with self._locked() as file:
            self.refresh()
            if any(record.id == id for record in self.records):
                return "dup"
            if base is not None and base != sum(record.item == item for record in self.records):
                return "stale"
            try:
                record = Record(
                    v=1,
                    seq=self.records[-1].seq + 1 if self.records else 1,
                    at=(at or datetime.now(UTC)).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                    id=id, item=item, hash=hash, lang=lang, kind=kind,
                    response=response, ms=ms, prev=self._last(),
                )  # fmt: skip
                line = json.dumps(record.model_dump(), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
                data = line.encode()
            except (ValidationError, ValueError, RecursionError) as error:
                raise LogError("the answer has a form that can't be kept") from error
            if len(data) <= MAX_LINE and parse_line(data) is None:
                raise LogError("the answer has a form that can't be kept")  # nested deeper than it can be read
            size = os.fstat(file).st_size
            # However full the log is with answers, handing in must still go through.
            bytes_kept, lines_kept = RESERVE if kind in ("answer", "restart") else (0, 0)
            open_end = size - self._offset
            heavy = self._weight + weight(data) + (open_end + LINE_WEIGHT if open_end else 0) + 3
            full = heavy > MAX_BYTES - bytes_kept or self._lines >= MAX_LINES - lines_kept or self._unread
            if len(data) > MAX_LINE or full:
                raise LogError("the answer or the log is too large to be kept")
            # A crash may have left half a line; it must not swallow this one, nor count later on.
            write_all(file, (TORN + b"\n" if open_end else b"") + data + b"\n")
            os.fsync(file)
            self.refresh()
        return "ok"

    @contextmanager
    def _locked(self) -> Iterator[int]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644)
        except OSError as error:
            raise LogError(f"{self.path.name} can't be written: {error.strerror}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
        except OSError as error:
            raise LogError(f"{self.path.name} can't be written: {error.strerror}") from error
        finally:
            os.close(file)

    def receipt(self) -> tuple[str, str] | None:
        """Return time and receipt number of the last wish to hand in, or None.

        The receipt is the start of the hash of the record that says so, which
        stands for all records before it.
        """
        for record, hashed in zip(reversed(self.records), reversed(self.hashes), strict=True):
            if record.kind == "submit":
                return record.at, "-".join(hashed[i : i + 4] for i in range(0, 12, 4)).upper()
        return None


def named(lines: list[int]) -> str:
    more = f" and {len(lines) - 1} more are" if len(lines) > 1 else " is"
    return f"line {lines[0]}{more}"


def write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


def weight(line: bytes) -> int:
    """Return what reading a line takes, in bytes of plain text. Commas in texts count as values, too."""
    values = line.count(b",") + line.count(b"[") + line.count(b"{")
    return len(line) + LINE_WEIGHT + VALUE_WEIGHT * values


def parse_line(line: bytes) -> Record | None:
    """Return the record that `line` holds, or None for anything else."""
    if len(line) > MAX_LINE:
        return None
    try:
        # In two steps: a validation error in JSON holds the whole line once more for each field that is missing.
        return Record.model_validate(from_json(line, allow_inf_nan=False))
    except ValueError:
        return None


class Replay:
    """What the records of one item add up to.

    The first attempt counts: `scored` is its last answer. `shown` is the last
    answer of the attempt under way, `attempt` its number from 1 on. With
    `follows`, an answer that can't come after the one before it in the attempt
    is passed over, and `passed_over` has its record.
    """

    def __init__(self, records: Iterable[Record] = (), follows: Callable[[Any, Any], bool] | None = None) -> None:
        self.count = 0
        self.attempt = 1
        self.scored: Record | None = None
        self.shown: Record | None = None
        self.passed_over: list[Record] = []
        self._follows = follows
        for record in records:
            self.add(record)

    def add(self, record: Record) -> None:
        """Go on with the next record of the item."""
        self.count += 1
        if record.kind == "restart":
            self.attempt, self.shown = self.attempt + 1, None
        elif record.kind == "answer":
            if self._follows and self.shown and not self._follows(self.shown.response, record.response):
                self.passed_over.append(record)
                return
            self.shown = record
            if self.attempt == 1:
                self.scored = record
