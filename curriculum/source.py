"""YAML and Markdown sources, read so that every fault knows its file and line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from curriculum.parsed import recall, remember

M = TypeVar("M", bound=BaseModel)
Keys = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One fault in the content: where it is, which lint rule it breaks and what to do about it."""

    file: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message} [{self.rule}]"


class ContentError(Exception):
    """The content has faults; `problems` holds all of them."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(map(str, self.problems)))


def unreadable(name: str, error: OSError | UnicodeDecodeError) -> Problem:
    """Say why a file could not be read."""
    if isinstance(error, UnicodeDecodeError):
        return Problem(name, 1, "not-utf-8", "the file is not in UTF-8; save it as UTF-8")
    if isinstance(error, FileNotFoundError):
        return Problem(name, 1, "missing-file", "this file is missing; write it")
    return Problem(name, 1, "missing-file", f"this is no file that can be read: {error.strerror}; put the file here")


IDENTIFIER = re.compile(r"^[\w-]+(\.[\w-]+)*$")


class PlainLoader(yaml.CSafeLoader):
    """YAML as people who don't program expect it: yes, no, on, 9:30, 1_000 and dates are words.

    In C, since reading is most of what lint does.
    """

    yaml_implicit_resolvers = {}  # noqa: RUF012


for tag, pattern, first in (
    ("bool", r"^(?:true|false)$", "tf"),
    ("int", r"^-?(?:0|[1-9][0-9]*)$", "-0123456789"),
    ("float", r"^-?(?:0|[1-9][0-9]*)\.[0-9]+$", "-0123456789"),
    ("null", r"^(?:~|null|)$", ["~", "n", ""]),
):
    PlainLoader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))


class YamlSource:
    """A YAML file: its data, and the line of each place in it."""

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        self.problems: list[Problem] = []
        self._known: dict[Keys, int] = {(): 1}
        self._walked = False
        self._bytes = b""
        self.data: Any = None
        try:
            self._bytes = path.read_bytes()
            self.data = recall(self._bytes)
        except OSError as error:
            self.problems.append(unreadable(name, error))
        except LookupError:
            self._read()
            if not self.problems:
                remember(self._bytes, self.data)

    def _read(self) -> None:
        self._walked, text = True, ""
        try:
            text = self._bytes.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
            loader = PlainLoader(text)
            node = loader.get_single_node()
            if node is not None:
                self._walk(node, ())
                self.data = loader.construct_document(node)
        except UnicodeDecodeError as error:
            self.problems.append(unreadable(self.name, error))
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            # The end of the text is said to be on the line after it.
            line = min(mark.line, text.rstrip("\n").count("\n")) + 1 if mark else 1
            # What is wrong may stand at the end of the line before.
            near = "\n".join(text.splitlines()[max(0, line - 2) : line])
            message = f"this is no valid YAML: {error.problem or error.context}; {remedy(near)}"
            self.problems.append(Problem(self.name, line, "broken-yaml", message))
        except (yaml.YAMLError, RecursionError, TypeError, ValueError) as error:
            self.report((), "broken-yaml", f"this is no valid YAML: {error}".splitlines()[0])

    @property
    def _lines(self) -> dict[Keys, int]:
        if not self._walked:  # it was recalled, and nobody asked for a line before
            self._read()
        return self._known

    def _walk(self, node: yaml.Node, path: Keys) -> None:
        self._known.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                here = (*path, key.value)
                if here in self._known:
                    message = f"“{key.value}” stands here twice; keep one"
                    self.problems.append(Problem(self.name, key.start_mark.line + 1, "broken-yaml", message))
                self._known[here] = key.start_mark.line + 1
                self._walk(value, here)
        elif isinstance(node, yaml.SequenceNode):
            for i, value in enumerate(node.value):
                self._walk(value, (*path, i))

    def line(self, path: Keys) -> int:
        """Return the line of `path`, or of the nearest place above it that exists."""
        lines = self._lines
        while path not in lines:
            path = path[:-1]
        return lines[path]

    def report(self, path: Keys, rule: str, message: str) -> None:
        self.problems.append(Problem(self.name, self.line(path), rule, message))

    def read(self, model: type[M], path: Keys = (), drop: Iterable[str] = ()) -> M | None:
        """Return the data at `path` as `model`, or None after reporting what is wrong."""
        data = self.data
        for key in path:
            data = data.get(key) if isinstance(data, dict) else None
        if isinstance(data, dict):
            data = {key: value for key, value in data.items() if key not in drop}
        try:
            return model.model_validate(data)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                place = tuple(key for key in detail["loc"] if key != "[key]")
                self.report((*path, *place), named(detail), sentence(detail))
            return None


def named(detail: ErrorDetails) -> str:
    """Return the name of the lint rule that a validation error breaks."""
    field = next((key for key in reversed(detail["loc"]) if isinstance(key, str) and key != "[key]"), "")
    match detail["type"]:
        case "missing" | "string_too_short" if field in ("zh", "en"):
            return "missing-translation"
        case "missing":
            return "missing-field"
        case "extra_forbidden":
            return "unknown-field"
        case _:
            return "wrong-value"


def remedy(written: str) -> str:
    """Say what is usually behind a line that can't be read as it was meant."""
    if "\t" in written:
        return "there is a tab; write blanks instead"
    if re.search(r"^\W*\w+：", written, re.MULTILINE):
        return "there is a full-width ：; write : and a blank"
    return 'put texts that hold a comma, a colon or quotation marks into "…", and check the indent'


def sentence(detail: ErrorDetails) -> str:
    """Put a validation error into one sentence with its remedy."""
    field = next((str(key) for key in reversed(detail["loc"]) if isinstance(key, str) and key != "[key]"), "this")
    match detail["type"]:
        case "missing" if field in ("zh", "en"):
            return f"the {'Chinese' if field == 'zh' else 'English'} text is missing; add `{field}:`"
        case "missing":
            return f"`{field}` is missing; add it"
        case "extra_forbidden" if not IDENTIFIER.match(field):
            return f"“{field}” was taken for the name of a field; {remedy(field)}"
        case "extra_forbidden":
            return f"`{field}` is not known here; take it out or mend its name"
        case "string_too_short" if field in ("zh", "en"):
            return f"the {'Chinese' if field == 'zh' else 'English'} text is empty; write it"
        case "model_type" | "model_attributes_type" | "mapping_type" | "dict_type":
            return f"`{field}` should hold named fields"
        case "tuple_type" | "list_type":
            return f"`{field}` should be a list"
        case "string_pattern_mismatch" if field in ("point", "rule", "covers"):
            return f"`{field}` should be an id such as 3.1.2 or F-CN-01, not “{detail['input']}”"
        case "string_pattern_mismatch":
            return f"`{field}`: “{detail['input']}” is no id; use small letters, digits and hyphens"
        case _:
            return f"`{field}`: {detail['msg'][0].lower()}{detail['msg'][1:]}"
