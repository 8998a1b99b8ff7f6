"""From the files of a course to the model. All faults are found in one go."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, NamedTuple
from urllib.parse import quote

from annotated_types import Gt, Interval
from pydantic import RootModel

from curriculum.items import TYPES
from curriculum.model import (
    LANGUAGES,
    CompetencyId,
    Head,
    Item,
    ItemId,
    Key,
    Language,
    Model,
    PointId,
    Reference,
    Rubric,
    RuleId,
    Text,
    find,
)
from curriculum.source import ContentError, Keys, Problem, YamlSource, unreadable

CONTENT = Path(__file__).parent
ACTION = ("B", "S", "V")
"""Kinds of teaching points that learners must act on: behaviour, step of a procedure, value to keep to."""
DIRECTIVE = re.compile(r"^\{\{\s*(?P<word>[a-z]+)\s+(?P<args>[^}]*?)\s*\}\}\s*$")
INLINE = re.compile(r"\{\{\s*(rule|term)\s+(\S+?)(?:\s+([^}]*?))?\s*\}\}")
IMAGE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)")


class SectionPlan(Model):
    id: PointId
    title: Text
    objectives: tuple[Text, ...]
    items: Mapping[ItemId, Annotated[float, Gt(0)]]


class ChapterPlan(Model):
    id: ItemId
    folder: ItemId
    title: Text
    sections: tuple[SectionPlan, ...]


Share = Annotated[float, Interval(ge=0, le=1)]


class PassRules(Model):
    """Shares that must be reached: of a section, a competency, an action point, and of the whole course.

    `provisional` says that no panel of judges has set the cut of the course yet.
    """

    section: Share
    competency: Share
    point: Share
    course: Share
    provisional: bool


class CoursePlan(Model):
    """course.yml: the order of things, what each graded item is worth, and what is asked for a pass."""

    course: ItemId
    title: Text
    passing: PassRules
    competencies: Mapping[CompetencyId, Text]
    chapters: tuple[ChapterPlan, ...]


class Rule(Model):
    """A legal fact a lesson may state, as far as its status allows."""

    text: Text
    in_force_from: date | None = None
    status: Literal["V1", "V2", "S", "U"]
    source: str
    last_checked: date
    jurisdiction: str


class Term(NamedTuple):
    """An entry of the glossary."""

    name: Text
    meaning: Text

    @property
    def heading(self) -> str:
        """What stands above the entry in either language, and what a link leads to."""
        return f"{self.name.zh} · {self.name.en}"

    @property
    def anchor(self) -> str:
        """Where a link to the entry leads."""
        return address(self.heading)


@dataclass(frozen=True, slots=True)
class Theory:
    """A stretch of Markdown in both languages and the points it teaches."""

    text: Text
    teaches: tuple[PointId, ...]

    def heading(self, language: Language) -> str:
        """Return what the first line says, without its marks of a heading."""
        return self.text[language].splitlines()[0].lstrip("# ")


def address(heading: str) -> str:
    """Return a heading's address in JupyterLab, where blanks are hyphens."""
    return f"#{quote(heading.replace(' ', '-'))}"


@dataclass(frozen=True)
class Section:
    plan: SectionPlan
    parts: tuple[Theory | Item, ...]
    terms: tuple[str, ...] = ()

    @property
    def items(self) -> list[Item]:
        return [part for part in self.parts if isinstance(part, Item)]


@dataclass(frozen=True)
class Chapter:
    plan: ChapterPlan
    sections: tuple[Section, ...]
    pictures: Mapping[str, Path]

    @property
    def id(self) -> str:
        return self.plan.id

    @property
    def items(self) -> list[Item]:
        return [item for section in self.sections for item in section.items]

    @property
    def points(self) -> dict[str, float]:
        """Points of the graded items, by item id."""
        return {name: points for section in self.plan.sections for name, points in section.items.items()}

    @cached_property
    def hash(self) -> str:
        """Content hash of all items, their keys and what they are worth: what a grade depends on."""
        parts = [(item.hash, item.key_hash, self.points.get(item.id)) for item in self.items]
        return hashlib.sha256(repr(parts).encode()).hexdigest()


@dataclass(frozen=True)
class Course:
    plan: CoursePlan
    chapters: tuple[Chapter, ...]
    rules: Mapping[str, Rule]
    teaching_points: Mapping[str, Text]
    action_points: frozenset[str]
    glossary: Mapping[str, Term]

    def chapter(self, chapter_id: str) -> Chapter:
        """Return a chapter by id. Raises KeyError."""
        return self._chapters[chapter_id]

    @cached_property
    def _chapters(self) -> dict[str, Chapter]:
        return {chapter.id: chapter for chapter in self.chapters}

    @cached_property
    def items(self) -> dict[str, Item]:
        return {item.id: item for chapter in self.chapters for item in chapter.items}


def load_course(root: Path = CONTENT) -> Course:
    """Read the course below `root`. Raises ContentError with every fault there is."""
    return Loader(root).course()


class Loader:
    """Reads a course and gathers its faults."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.problems: list[Problem] = []
        self.items: dict[str, Item] = {}
        self.written: set[str] = set()
        self.sources: list[YamlSource] = []
        self.homes: dict[str, YamlSource] = {}
        # As the files say it, so that one fault in a file doesn't look like many in what it teaches.
        self.taught: set[str] = set()
        self.covered: set[str] = set()
        self.terms: dict[Path, list[str]] = {}
        self.action_points: set[str] = set()

    def course(self) -> Course:
        """Return the course. Raises ContentError with every fault that makes it unusable."""
        course = self.read()
        if course is None or self.problems:
            raise ContentError(self.problems)
        return course

    def read(self) -> Course | None:
        """Return the course as far as it could be read, or None; `problems` says what is wrong."""
        if not (self.root / "course.yml").is_file():
            raise ContentError(
                [Problem("course.yml", 1, "missing-file", f"there is no course in {self.root}; name it")]
            )
        self.rules = self.read_rules()
        self.teaching_points = self.read_teaching_points()
        self.glossary = self.read_glossary()
        # Every file is checked, whatever course.yml says of it, so that all faults come at once.
        for path in sorted(self.root.glob("chapters/*/items/*.yml")):
            self.read_item(path)
        source = self.yaml(self.root / "course.yml")
        plan = source.read(CoursePlan) if not source.problems else None
        if plan:
            self.check_plan(plan, source)
        self.problems += source.problems
        chapters = [self.chapter(chapter, source) for chapter in plan.chapters] if plan else []
        return (
            Course(
                plan, tuple(chapters), self.rules, self.teaching_points, frozenset(self.action_points), self.glossary
            )
            if plan
            else None
        )

    def report(self, path: Path, line: int, rule: str, message: str) -> None:
        self.problems.append(Problem(self.name(path), line, rule, message))

    def text(self, path: Path) -> str:
        """Return the text of a file, or nothing after reporting why it can't be read."""
        try:
            return path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            self.problems.append(unreadable(self.name(path), error))
            return ""

    def name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def yaml(self, path: Path) -> YamlSource:
        source = YamlSource(path, self.name(path))
        self.sources.append(source)
        return source

    def read_rules(self) -> dict[str, Rule]:
        source = self.yaml(self.root / "rules.yml")
        rules = source.read(RootModel[Mapping[RuleId, Rule]]) if not source.problems else None
        self.problems += source.problems
        return {str(name): rule for name, rule in rules.root.items()} if rules else {}

    def read_teaching_points(self) -> dict[str, Text]:
        rows = self.table("points.tsv", "teaching point", "kind", "term_zh", "statement_en")
        self.action_points |= {point for point, (kind, _zh, _en) in rows.items() if kind in ACTION}
        return {point: Text(zh=zh, en=en) for point, (_kind, zh, en) in rows.items()}

    def read_glossary(self) -> dict[str, Term]:
        rows = self.table("glossary.tsv", "term", "zh", "en", "meaning_zh", "meaning_en")
        return {name: Term(Text(zh=zh, en=en), Text(zh=said, en=says)) for name, (zh, en, said, says) in rows.items()}

    def table(self, file: str, what: str, *columns: str) -> dict[str, list[str]]:
        """Return the rows of a file with tabs between its columns: by id, what stands in `columns`."""
        path = self.root / file
        head, *rows = self.text(path).splitlines() or [""]
        names, found = head.split("\t"), dict[str, list[str]]()
        needed = ("id", *columns)
        if not set(needed) <= set(names):
            message = f"the first line should name the columns {', '.join(needed)}"
            self.report(path, 1, "missing-column", message)
            return {}
        for number, row in enumerate(rows, start=2):
            cells = dict(zip(names, row.split("\t"), strict=False))
            name, *rest = (cells.get(column, "").strip() for column in needed)
            if name in found:
                self.report(path, number, "duplicate-id", f"{what} {name} stands here twice; keep one")
            elif name and all(rest):
                found[name] = rest
            elif row.strip():
                self.report(path, number, "missing-column", f"a {what} needs {', '.join(needed)}; fill them in")
        return found

    def check_plan(self, plan: CoursePlan, source: YamlSource) -> None:
        """Report ids of chapters and sections that stand there before."""
        chapters, sections = set[str](), set[str]()
        for i, chapter in enumerate(plan.chapters):
            if chapter.id in chapters:
                message = f"there is a chapter “{chapter.id}” already; give each its own id"
                source.report(("chapters", i, "id"), "duplicate-id", message)
            chapters.add(chapter.id)
            for j, section in enumerate(chapter.sections):
                if section.id in sections:
                    message = f"there is a section {section.id} already; give each its own id"
                    source.report(("chapters", i, "sections", j, "id"), "duplicate-id", message)
                sections.add(section.id)

    def chapter(self, plan: ChapterPlan, course: YamlSource) -> Chapter:
        folder = self.root / "chapters" / plan.folder
        pictures = {f"img/{path.name}": path for path in sorted((folder / "img").glob("*.svg"))}
        sections = tuple(self.section(section, folder, pictures) for section in plan.sections)
        self.check_points(plan, sections, course)
        return Chapter(plan, sections, pictures)

    def read_item(self, path: Path) -> None:
        self.written.add(path.stem)
        item = self.item(path)
        if item and item.id in self.items:
            self.report(path, 1, "duplicate-id", f"there is an item “{item.id}” already; ids are unique")
        elif item:
            self.items[item.id] = item

    @property
    def sound_items(self) -> list[Item]:
        """Return the items that have no fault of their own."""
        return [item for item in self.items.values() if not self.homes[item.id].problems]

    def problem(self, item: Item, path: Keys, rule: str, message: str) -> Problem:
        """Return a fault of an item, with its file and the line of `path`."""
        source = self.homes[item.id]
        return Problem(source.name, source.line(path), rule, message)

    def item(self, path: Path) -> Item | None:
        source = self.yaml(path)
        try:
            if isinstance(source.data, dict) and isinstance(source.data.get("covers"), list):
                self.covered |= set(map(str, source.data["covers"]))
            if source.problems:
                return None
            head = source.read(Head, drop=("public", "key"))
            if not isinstance(source.data, dict) or str(source.data.get("type")) not in TYPES:
                if head:
                    source.report(
                        ("type",), "unknown-type", f"there is no item type “{head.type}”; use one of {', '.join(TYPES)}"
                    )
                return None
            kind = TYPES[source.data["type"]]
            public = source.read(kind.public, ("public",))
            key = source.read(kind.key, ("key",))
            if head and head.id != path.stem:
                source.report(("id",), "name-mismatch", f"the file is called {path.name}; id and file name must agree")
            if public and key:
                for fault in kind.check(public, key):
                    source.report(fault.path, fault.rule, fault.message)
                self.check_references(source, key)
            if head:
                for i, point in enumerate(head.covers):
                    if point not in self.teaching_points:
                        source.report(
                            ("covers", i), "unknown-point", f"there is no teaching point {point} in points.tsv"
                        )
            if not (head and public and key):
                return None
            self.homes.setdefault(head.id, source)
            return Item(head, kind, public, key)
        finally:
            self.problems += source.problems

    def check_references(self, source: YamlSource, key: Key) -> None:
        """Report points and rules that don't exist, wherever a key names one."""
        for path, found in find(Reference, key):
            message = f"there is no {{}} “{found}”; mend the id or take it out"
            if isinstance(found, RuleId) and found not in self.rules:
                source.report(("key", *path), "unknown-rule", message.format("rule"))
            if isinstance(found, PointId) and found not in self.teaching_points:
                source.report(("key", *path), "unknown-point", message.format("point"))

    def section(self, plan: SectionPlan, folder: Path, pictures: Mapping[str, Path]) -> Section:
        items, stem = self.items, plan.id.replace(".", "-")
        by_language: dict[Language, list[Segment]] = {}
        for language in LANGUAGES:
            path = folder / f"{stem}.{language}.md"
            if path.is_file():
                by_language[language] = list(self.segments(path, language, pictures))
            else:
                self.report(path, 1, "missing-translation", "this translation is missing; write it")
        if len(by_language) < len(LANGUAGES):
            return Section(plan, ())
        zh, en = by_language["zh"], by_language["en"]
        path = folder / f"{stem}.en.md"
        for a, b in zip(zh, en, strict=False):
            if a.directive != b.directive:
                message = f"here stands “{b.directive}”, in the Chinese file “{a.directive}”; both need the same order"
                self.report(path, b.line, "languages-differ", message)
                return Section(plan, ())
        if len(zh) != len(en):
            self.report(path, 1, "languages-differ", "the two languages differ in their number of parts")
            return Section(plan, ())
        parts: list[Theory | Item] = []
        for a, b in zip(zh, en, strict=True):
            if a.word == "item" and a.args in items:
                parts.append(items[a.args])
            elif a.word == "item" and a.args not in self.written:
                message = f"there is no item “{a.args}”; write items/{a.args}.yml or take the line out"
                self.report(path, b.line, "unknown-item", message)
            elif a.text and b.text:
                parts.append(Theory(Text(zh=a.text, en=b.text), tuple(map(PointId, a.args.split()))))
            elif a.text or b.text:
                self.report(path, b.line, "missing-translation", "this part is empty in one language; write it")
        terms, chinese = (self.terms.get(path.with_name(f"{stem}.{language}.md"), []) for language in ("en", "zh"))
        for name in sorted(set(terms) ^ set(chinese)):
            self.report(path, 1, "languages-differ", f"term {name} is linked in one language only; link it in both")
        return Section(plan, tuple(parts), tuple(terms))

    def segments(self, path: Path, language: Language, pictures: Mapping[str, Path]) -> Iterator[Segment]:
        """Split a lesson at its directives. Text after an item is a segment of its own."""
        word, args, start, lines = "text", "", 1, []
        for number, line in enumerate(self.text(path).splitlines(), start=1):
            directive, bare = DIRECTIVE.match(line), line.lstrip()
            if bare.startswith("{{") and not directive and not INLINE.match(bare):
                self.report(
                    path,
                    number,
                    "broken-directive",
                    "this directive is not closed or not known; write it as {{ item e3-1-1 }}",
                )
                continue
            if not directive or directive["word"] in ("rule", "term"):
                lines.append(self.inline(line, language, path, number, pictures))
                continue
            if word != "text" or any(text.strip() for text in lines):
                yield Segment(word, args, start, "\n".join(lines).strip())
            if directive["word"] not in ("teaches", "item"):
                message = f"“{directive['word']}” is no directive; use teaches, item, rule or term"
                self.report(path, number, "broken-directive", message)
            word, args, start, lines = directive["word"], directive["args"], number, []
            if word == "teaches":
                for point in args.split():
                    self.taught.add(point)
                    if point not in self.teaching_points:
                        message = f"there is no teaching point {point} in points.tsv"
                        self.report(path, number, "unknown-point", message)
            if word == "item":
                yield Segment(word, args, number, "")
                word, args = "text", ""
        if word != "text" or any(text.strip() for text in lines):
            yield Segment(word, args, start, "\n".join(lines).strip())

    def inline(self, line: str, language: Language, path: Path, number: int, pictures: Mapping[str, Path]) -> str:
        for picture in IMAGE.findall(line):
            if picture not in pictures:
                message = f"there is no picture {picture} beside this file; add it or mend its name"
                self.report(path, number, "missing-picture", message)

        def said(match: re.Match[str]) -> str:
            word, name, wording = match.groups()
            if word == "rule":
                rule = self.rules.get(name)
                if rule is None:
                    message = f"there is no rule {name} in rules.yml"
                    self.report(path, number, "unknown-rule", message)
                return rule.text[language] if rule else match[0]
            term, seen = self.glossary.get(name), self.terms.setdefault(path, [])
            if term is None:
                self.report(path, number, "unknown-term", f"there is no term {name} in glossary.tsv")
            if name in seen:
                message = f"term {name} is linked above already; link its first use only"
                self.report(path, number, "term-repeated", message)
            seen.append(name)
            return f"[{wording or term.name[language]}]({term.anchor})" if term else match[0]

        return INLINE.sub(said, line)

    def check_points(self, plan: ChapterPlan, sections: tuple[Section, ...], course: YamlSource) -> None:
        """Report graded items without points, points without item, and items not placed just once."""
        worth = {name: points for section in plan.sections for name, points in section.items.items()}
        placed = [item.id for section in sections for item in section.items]
        reported: list[Problem] = []
        folder = f"chapters/{plan.folder}/items"
        here = {path.stem for path in (self.root / folder).glob("*.yml")}
        chapter = [c["id"] for c in course.data["chapters"]].index(plan.id)
        for i, section in enumerate(plan.sections):
            for name in section.items:
                if name not in self.written:
                    line = course.line(("chapters", chapter, "sections", i, "items", name))
                    message = f"“{name}” has points, but there is no such item; write it or take its points out"
                    reported.append(Problem(course.name, line, "unknown-item", message))
                elif name in self.items and not markable(self.items[name].kind.rubric, worth[name]):
                    line = course.line(("chapters", chapter, "sections", i, "items", name))
                    message = (
                        f"the rubric of “{name}” gives {worth[name]:g} points no round levels; make them 9, 18 or 36"
                    )
                    reported.append(Problem(course.name, line, "ungainly-points", message))
        for name, item in self.items.items():
            file = f"{folder}/{name}.yml"
            if name not in here:
                continue
            for competency in item.head.competencies:
                if competency not in course.data["competencies"]:
                    message = f"there is no competency {competency} in course.yml; mend the id or take it out"
                    reported.append(Problem(file, 1, "unknown-competency", message))
            if not item.head.practice and not item.head.competencies:
                message = "a graded item needs its competencies, as in competencies: [C3]; course.yml names them"
                reported.append(Problem(file, 1, "missing-competency", message))
            if item.head.practice and name in worth:
                reported.append(
                    Problem(file, 1, "points-on-practice", "practice never counts; take its points out of course.yml")
                )
            if not item.head.practice and name not in worth:
                reported.append(
                    Problem(file, 1, "graded-without-points", "a graded item needs points in course.yml; add them")
                )
            if sections and all(section.parts for section in sections) and placed.count(name) != 1:
                message = f"the lesson places this item {placed.count(name)} times; it must be once"
                reported.append(Problem(file, 1, "not-placed-once", message))
        self.problems += reported


def markable(rubric: Rubric | None, points: float) -> bool:
    """Return whether each level of each criterion is worth a multiple of a quarter point."""
    if rubric is None:
        return True
    return all(
        (points * rubric.share / len(rubric.criteria) / (len(criterion.levels) - 1) * 4).is_integer()
        for criterion in rubric.criteria
    )


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a lesson in one language: an item's place, or text."""

    word: str
    args: str
    line: int
    text: str

    @property
    def directive(self) -> str:
        return f"{self.word} {self.args}".strip()
