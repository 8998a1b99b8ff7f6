"""The documentation names every command and target, its links lead somewhere, and it tells nothing of a machine."""

from __future__ import annotations

import argparse
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from autograde.cli import parser
from autograde.place import ROOT
from curriculum.items import TYPES
from curriculum.load import load_course
from curriculum.model import Model
from curriculum.source import PlainLoader

CODE = re.compile(r"^( *)```.*?^\1```|`[^`\n]+`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
MAX_PICTURE = 250_000
# Written in parts, so that this file does not find itself.
PRIVATE = re.compile(
    "|".join((
        r"(?<![\w.])/" + r"(?:work|root|opt/pypi)/",
        r"/(?:home|Users)" + r"/[a-z]\w*/",
        r"file:" + r"//",
        r"(?:index-" + r"url|extra-" + r"index|trusted-" + r"host)\s*[= ]",
        r"(?:pypi|registry|mirrors?|nexus|artifactory|devpi)" + r"\.[a-z0-9-]+\.[a-z]+",
    ))
)  # fmt: skip


def files(pattern: str = "*") -> list[Path]:
    """Return the files of the repository that match, those included that are not committed yet."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", pattern]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def commands() -> dict[str, argparse.ArgumentParser]:
    (choices,) = (action.choices for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    return dict(choices)


def sections() -> dict[str, str]:
    """Return what docs/commands.md says, by heading."""
    parts = re.split(r"^## (.+)$", (ROOT / "docs" / "commands.md").read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_command_is_documented_and_no_other() -> None:
    documented = {name.removeprefix("counterside ") for name in sections() if name.startswith("counterside ")}
    assert documented == commands().keys()


@pytest.mark.parametrize("name", commands())
def test_every_option_is_documented(name: str) -> None:
    said = sections()[f"counterside {name}"]
    for action in commands()[name]._actions:
        words = [*action.option_strings] or [*(action.choices or [action.dest])]
        if action.dest != "help":
            assert all(word in said for word in words), f"docs/commands.md says nothing of {words}"


def test_every_target_is_documented() -> None:
    (targets,) = re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    said = "".join((ROOT / name).read_text("utf-8") for name in ("README.md", "CONTRIBUTING.md"))
    assert [target for target in targets.split() if f"make {target}" not in said] == []


@pytest.mark.parametrize("page", [path.relative_to(ROOT).as_posix() for path in files("*.md")])
def test_links_and_pictures_exist(page: str) -> None:
    path = ROOT / page
    text = CODE.sub("", path.read_text("utf-8"))
    targets = [link.split("#")[0] for link in LINK.findall(text) if not re.match(r"[a-z]+:|#", link)]
    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_pictures_are_small_and_used() -> None:
    said = "".join(path.read_text("utf-8") for path in files("*.md"))
    for picture in files("docs/img/*"):
        assert picture.stat().st_size <= MAX_PICTURE, f"{picture.name} is larger than {MAX_PICTURE} bytes"
        assert f"img/{picture.name}" in said, f"no page shows {picture.name}"


def test_no_file_tells_of_a_machine() -> None:
    found = []
    for path in files():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            if PRIVATE.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}")
    assert found == []


@pytest.mark.parametrize("name", TYPES)
def test_the_authors_page_shows_each_type_as_it_is(name: str) -> None:
    page = (ROOT / "docs" / "author.md").read_text("utf-8")
    assert f"](#{name})" in page, "the table of the types names it"
    assert f"(img/{name}-" in page, "a picture shows it"
    (block,) = re.findall(rf"^### {name}\n\n```yaml\n(.*?)```", page, re.MULTILINE | re.DOTALL)
    data = yaml.load(block, PlainLoader)
    for part in ("public", "key"):
        model: type[Model] = getattr(TYPES[name], part)
        needed = {field for field, info in model.model_fields.items() if info.is_required()}
        assert needed <= data[part].keys() <= model.model_fields.keys()


def test_the_page_of_formats_tells_the_answer_of_each_type() -> None:
    page = (ROOT / "docs" / "formats.md").read_text("utf-8")
    assert [name for name in TYPES if f"\n| {name} | `{{" not in page] == []


def test_the_item_of_contributing_is_complete(content: Path) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    (item,) = re.findall(r"```yaml\n(id: e3-1-5\n.*?)```", text, re.DOTALL)
    chapter = content / "chapters" / "3-norms"
    (chapter / "items" / "e3-1-5.yml").write_text(item, "utf-8")
    for language in ("zh", "en"):
        lesson = chapter / f"3-1.{language}.md"
        lesson.write_text(f"{lesson.read_text('utf-8')}\n{{{{ item e3-1-5 }}}}\n", "utf-8")
    plan = content / "course.yml"
    plan.write_text(plan.read_text("utf-8").replace("e3-1-4: 2", "e3-1-4: 2, e3-1-5: 5"), "utf-8")
    assert "e3-1-5" in load_course(content).chapter("ch3").points
