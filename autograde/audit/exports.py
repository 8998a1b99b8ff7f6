"""The gradebook for other programs, with its purpose and the day of its deletion written beside it.

No cell can become a formula: in CSV, text that a spreadsheet would take for one gets
an apostrophe in front (OWASP, CSV Injection); in XLSX, text is written as text.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import xlsxwriter

from autograde.audit.book import Book
from autograde.audit.ledger import Ledger, Person
from autograde.audit.newfile import check_new, put
from autograde.audit.pseudonyms import Pseudonyms
from autograde.audit.words import in_words
from autograde.place import CourseError

Value = str | float | None
Row = Sequence[Value]

FORMULA = tuple("=+-@\t\r\n＝＋－＠")
BOM = "\ufeff"
NBGRADER = (
    "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email", "raw_score",
    "late_submission_penalty", "score", "max_score",
)  # fmt: skip
OURS = (
    "learner", "cohort", "chapter", "handed_in", "due", "late_seconds", "state", "waiting", "penalty", "total",
    "possible", "mastered", "red_lines", "sealed",
)  # fmt: skip
ITEMS = (
    "learner", "chapter", "item", "state", "automatic", "by_hand", "extra", "score", "waiting", "possible", "flags",
    "item_hash", "key_hash", "run",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why an export is made and until when it is kept, with what it is an export of."""

    words: str
    delete_by: date
    format: str
    pseudonyms: Pseudonyms | None = None


def nbgrader_rows(ledger: Ledger, _book: Book) -> Iterator[Row]:
    """Yield what `nbgrader export` writes: nbgrader 0.9.6, `nbgrader/plugins/export.py`."""
    yield NBGRADER
    for assignment in ledger.assignments:
        for person in ledger.people:
            found = ledger.submissions.get((assignment.name, person.id))
            yield (
                assignment.name,
                told(assignment.due),
                told(found.at if found else None),
                person.id,
                person.last or "",
                person.first or "",
                person.email or "",
                found.raw if found else 0.0,
                found.penalty if found else 0.0,
                found.score if found else 0.0,
                assignment.possible,
            )


def moodle_rows(ledger: Ledger, book: Book) -> Iterator[Row]:
    """Yield a grade export as Moodle writes and takes it: a person's columns, then one for each grade item.

    MoodleDocs, "Grade import" (docs.moodle.org/405/en/Grade_import): the format is
    that of the export; on import, map "Email address" or "ID number" to the person
    and each chapter to its grade item. What was not handed in stays empty.
    """
    yield (
        "First name",
        "Last name",
        "ID number",
        "Email address",
        *(title(book, one.name) for one in ledger.assignments),
    )
    for person in ledger.people:
        yield (person.first or "", person.last or "", person.id, person.email or "", *scores(ledger, person))


def canvas_rows(ledger: Ledger, book: Book) -> Iterator[Row]:
    """Yield a gradebook as Canvas takes it.

    By Canvas's own importer (instructure/canvas-lms, lib/gradebook_importer.rb): the
    columns Student, ID, SIS User ID, SIS Login ID and, last of them, Section; then
    assignments by title; a row "Points Possible". People are found by ID, then by
    either SIS id, then by name.
    """
    yield (
        "Student",
        "ID",
        "SIS User ID",
        "SIS Login ID",
        "Section",
        *(title(book, one.name) for one in ledger.assignments),
    )
    yield ("    Points Possible", "", "", "", "", *(one.possible for one in ledger.assignments))
    for person in ledger.people:
        name = ", ".join(filter(None, (person.last, person.first))) or person.id
        yield (name, person.lms or "", person.id, person.email or person.id, "", *scores(ledger, person))


def title(book: Book, chapter: str) -> str:
    found = {one.id: one.plan.title for one in book.course.chapters}.get(chapter)
    return f"{chapter} {found.en}" if found else chapter


def scores(ledger: Ledger, person: Person) -> Iterator[Value]:
    for assignment in ledger.assignments:
        found = ledger.submissions.get((assignment.name, person.id))
        yield found.score if found else None


def our_rows(_ledger: Ledger, book: Book) -> Iterator[Row]:
    """Yield a row for each learner and chapter, with all that the auditor's page shows of it."""
    yield OURS
    for one in book.standings:
        yield (
            one.learner, one.cohort, one.chapter, in_utc(one.handed_in), in_utc(one.due), one.late_seconds,
            in_words(one.state), rounded(one.waiting), rounded(one.penalty), rounded(one.total), one.possible,
            fact(one.mastered), " ".join(one.red_lines), fact(one.sealed),
        )  # fmt: skip


def item_rows(book: Book) -> Iterator[Row]:
    """Yield a row for each learner and item."""
    yield ITEMS
    for one in book.standings:
        for cell in one.cells.values():
            why = cell.evidence
            yield (
                one.learner, one.chapter, cell.item, in_words(cell.stands), rounded(cell.automatic),
                rounded(cell.given), rounded(cell.extra), rounded(cell.score), rounded(cell.waiting), cell.possible,
                " ".join(cell.flags), why.item_hash if why else None, why.key_hash if why else None,
                why.run_id if why else None,
            )  # fmt: skip


def told(at: datetime | None) -> str:
    return "" if at is None else str(at)


def in_utc(at: datetime | None) -> str:
    return "" if at is None else f"{at.isoformat(timespec='seconds')}Z"


def rounded(points: float | None) -> float | None:
    return None if points is None else round(points, 4)


def fact(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"


CSV: Mapping[str, Callable[[Ledger, Book], Iterable[Row]]] = {
    "csv": our_rows,
    "nbgrader": nbgrader_rows,
    "moodle": moodle_rows,
    "canvas": canvas_rows,
}
FORMATS = (*CSV, "xlsx")
NEED_NAMES = ("moodle", "canvas")


def export(path: Path, ledger: Ledger, book: Book, purpose: Purpose, bom: bool = False) -> None:
    """Write an export for its owner alone, and what it is for: a sheet in XLSX, a file beside it for the others.

    Raises CourseError where a file of that name is there already, or where it would be of no use.
    """
    check_new(path)
    if not purpose.words.strip():
        raise CourseError("say what the export is for with --purpose; it is written beside the data")
    if bom and purpose.format == "xlsx":
        raise CourseError("--bom is for CSV; an XLSX is read as Chinese without it")
    if purpose.delete_by <= datetime.now(UTC).date():
        raise CourseError(f"{purpose.delete_by} is over; say until when this is kept with --delete-by")
    if purpose.pseudonyms is not None:
        if purpose.format in NEED_NAMES:
            raise CourseError(f"{purpose.format} finds people by their names; leave --pseudonyms out, or take csv")
        ledger, book = renamed(ledger, book, purpose.pseudonyms)
    if purpose.format == "xlsx":
        put(path, workbook(book, purpose))
        return
    data = csv_text(CSV[purpose.format](ledger, book)).encode()
    if bom:
        data = BOM.encode() + data
    beside = path.with_name(f"{path.name}.about.txt")
    put(beside, "".join(f"{name}: {value}\n" for name, value in about(purpose, data)).encode())
    try:
        put(path, data)
    except (CourseError, OSError):
        beside.unlink()
        raise


def renamed(ledger: Ledger, book: Book, names: Pseudonyms) -> tuple[Ledger, Book]:
    """Return both with other names for learners and nothing else that names them, in an order that says nothing."""
    people = sorted((Person(names.name(person.id)) for person in ledger.people), key=lambda person: person.id)
    submissions = {(chapter, names.name(learner)): one for (chapter, learner), one in ledger.submissions.items()}
    standings = sorted(
        (replace(one, learner=names.name(one.learner)) for one in book.standings),
        key=lambda one: (one.learner, one.chapter),
    )
    return replace(ledger, people=people, submissions=submissions), replace(book, standings=standings)


def csv_text(rows: Iterable[Row]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([harmless(value) for value in row] for row in rows)
    return text.getvalue()


def harmless(value: Value) -> Value:
    """Return a cell that no spreadsheet takes for a formula."""
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value


def workbook(book: Book, purpose: Purpose) -> bytes:
    """Return an XLSX with the gradebook, its items, and what it is for. Rows go to disk as they come."""
    data = io.BytesIO()
    with xlsxwriter.Workbook(data, {"constant_memory": True}) as sheets:
        bold = sheets.add_format({"bold": True})
        for name, rows in (
            ("Gradebook", our_rows(NO_LEDGER, book)),
            ("Items", item_rows(book)),
            ("About", about(purpose, None)),
        ):
            sheet = sheets.add_worksheet(name)
            sheet.freeze_panes(int(name != "About"), 0)
            for y, row in enumerate(rows):
                for x, value in enumerate(row):
                    if isinstance(value, str):
                        sheet.write_string(y, x, value, bold if y == 0 and name != "About" else None)
                    elif value is not None:
                        sheet.write_number(y, x, value)
    return data.getvalue()


NO_LEDGER = Ledger((), (), {})


def about(purpose: Purpose, data: bytes | None) -> Iterator[tuple[str, str]]:
    """Yield what an export is, what for, and until when."""
    yield "Format · 格式", purpose.format
    yield "Made at · 生成时间", datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    yield "Purpose · 用途", " ".join(purpose.words.split())
    yield "Delete by · 删除期限", purpose.delete_by.isoformat()
    names = "names of learners · 学员姓名或账号"
    if purpose.pseudonyms is not None:
        names = "pseudonyms; still personal data for whoever has the key · 化名；对持有密钥者仍是个人信息"
    yield "Personal data · 个人信息", names
    if data is not None:
        yield "SHA-256", hashlib.sha256(data).hexdigest()
