"""The commands of the audit: each is documented with all its options, and says in a sentence what became of it."""

from __future__ import annotations

import argparse
import io
import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from autograde.cli import main, parser
from autograde.place import ROOT
from tests.audit.conftest import fill


def steps() -> Mapping[str, argparse.ArgumentParser]:
    found: argparse.ArgumentParser = parser()
    for name in ("audit", None):
        (choices,) = (one.choices for one in found._actions if isinstance(one, argparse._SubParsersAction))
        if name is None:
            return dict(choices)
        found = choices[name]
    raise AssertionError


def test_every_step_is_documented_with_its_options() -> None:
    page = (ROOT / "docs" / "commands.md").read_text("utf-8")
    parts = re.split(r"^###? (.+)$", page, flags=re.MULTILINE)
    said = dict(zip(parts[1::2], parts[2::2], strict=True))
    for name, step in steps().items():
        text = said[f"counterside audit {name}"]
        for action in step._actions:
            words = [*action.option_strings] or [*(action.choices or [action.dest])]
            if action.dest != "help":
                assert all(word in text for word in words), f"docs/commands.md says nothing of {words} of audit {name}"


def test_from_installing_to_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COUNTERSIDE_COURSE", str(tmp_path))
    monkeypatch.delenv("COUNTERSIDE_DB", raising=False)
    fill(f"sqlite:///{tmp_path / 'gradebook.db'}")

    def run(*words: str) -> tuple[int, str]:
        code = main(["audit", *words])
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return code, said.out + said.err

    assert run("verify") == (1, "no trail is kept of this gradebook yet; run “counterside audit install”\n")
    assert run("seal")[0] == 1
    assert "it begins with 24 rows" in run("install")[1]
    assert run("install")[1] == "The trail is in place; nothing was to be done.\n"
    assert "nothing was sealed yet" in run("verify")[1]
    assert run("seal")[1].startswith("Seal 1: 25 rows, root ")
    assert run("seal")[1] == "Nothing has changed since the last seal.\n"
    code, said = run("verify")
    assert code == 0
    assert said.endswith("25 rows of the trail, 25 of them sealed in 1 seal: all is as it was sealed.\n")
    printed = run("print")[1].splitlines()
    for words in ("seal ", "rows ", "root ", "SHA-256 of the seal "):  # as they stand on paper
        (line,) = (line for line in printed if line.startswith(words))
        assert line in said.splitlines()
    assert "by key" in run("keygen")[1]
    assert run("reason", "3", "an appeal") == (0, "Noted for 1 row of the trail.\n")
    code, said = run("reason", "3", "4", "because", "I", "say", "so")
    assert (code, len(said.splitlines())) == (1, 1)
    assert "“because” is no number of a row; put the reason in quotes" in said
    assert run("reason", "3", "4")[0] == 1  # the second is no reason
    assert run("seal")[1].startswith("Seal 2: 26 rows")
    assert "seal" in run("print")[1]
    assert run("witness", str(tmp_path / "seals"), "--state", str(tmp_path / "me"))[1].startswith("2 new seals signed")
    assert "is erased-" in run("erase", "anna", "--yes")[1]
    assert run("verify")[0] == 0
    (tmp_path / "seals" / "heads.jsonl").write_bytes(b"")
    code, said = run("verify")
    assert code == 1
    assert said.startswith("WRONG  the gradebook has a copy of seal 1, and the folder ends with seal 0")
    assert run("witness", str(tmp_path / "none"), "--state", str(tmp_path / "me"))[0] == 1
    assert run("erase", "nobody", "--yes")[0] == 1
    assert run("roles", "a", "b")[0] == 1


def test_whom_to_erase_is_said_twice(
    sealed: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    inbound = tmp_path / "exchange" / "counterside" / "inbound"
    left = inbound / "anna+ch1+2026-09-01 09:30:00 UTC+x"
    left.mkdir(parents=True)
    (inbound / "annabel+ch1+2026-09-01 09:30:00 UTC+x").mkdir()

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for there, said in (
        (io.StringIO("anna\n"), "there is nobody here to ask; give --yes"),
        (Terminal("ana\n"), "that is not the same id"),
        (Terminal(""), "that is not the same id"),
    ):
        monkeypatch.setattr("sys.stdin", there)
        assert main(["audit", "erase", "anna"]) == 1
        assert said in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", Terminal("anna\n"))
    assert main(["audit", "erase", "anna"]) == 0
    out = capsys.readouterr().out
    for words in (f"remove from the exchange: {left}", "backups", "nbgrader.log", "receipts.jsonl", "bundles"):
        assert words in out
    assert "annabel" not in out


@pytest.fixture
def sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """A gradebook with one seal, which a witness has seen; its root, and the id of its key."""
    monkeypatch.setenv("COUNTERSIDE_COURSE", str(tmp_path))
    monkeypatch.delenv("COUNTERSIDE_DB", raising=False)
    fill(f"sqlite:///{tmp_path / 'gradebook.db'}")
    for words in (["install"], ["seal"], ["witness", str(tmp_path / "seals"), "--state", str(tmp_path / "me")]):
        assert main(["audit", *words]) == 0
    capsys.readouterr()
    head = json.loads((tmp_path / "seals" / "heads.jsonl").read_text())
    return head["root"], head["key"]


def verified(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = main(["audit", "verify", *words])
    said = capsys.readouterr()
    return code, said.out + said.err


def test_a_seal_on_paper_is_compared(sealed: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    root, _key = sealed
    for start in (root[:16], root[:20].upper(), root):
        code, said = verified(capsys, "--sealed", f"1:{start}")
        assert (code, f"good   seal 1 has the root that begins with {start.lower()}" in said) == (0, True)
    other = ("0" if root[0] != "0" else "1") + root[1:16]
    code, said = verified(capsys, "--sealed", f"1:{other}")
    assert (code, f"WRONG  seal 1 has another root than {other}" in said) == (1, True)
    code, said = verified(capsys, "--sealed", f"2:{root[:16]}")
    assert (code, "WRONG  there is no seal 2, and the last is 1" in said) == (1, True)
    for words in (root[:16], f"1:{root[:15]}", f"0:{root}", f"1:{root}0", "1:", "", f"1:{'g' * 16}"):
        code, said = verified(capsys, "--sealed", words)
        assert (code, len(said.splitlines()), "is no seal; write its number" in said) == (1, 1, True)


def test_what_is_compared_is_there_and_is_said(
    sealed: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _root, key = sealed
    seen = str(tmp_path / "me" / "witnessed.jsonl")
    (tmp_path / "empty").touch()
    assert main(["audit", "bundle", str(tmp_path / "b.zip")]) == 0
    capsys.readouterr()
    for more in ([], ["--offline", str(tmp_path / "b.zip")]):
        code, said = verified(capsys, "--witnessed", seen, "--key", key[:12], *more)
        assert code == 0
        assert "good   compared with 1 witness line, up to seal 1\n" in said
        assert f"good   the first key is as asked: {key}\n" in said
        for words, why in (
            (["--witnessed", str(tmp_path / "none")], "no witness signed anything in"),
            (["--witnessed", str(tmp_path / "empty")], "no witness signed anything in"),
            (["--key", ""], "--key is empty"),
        ):
            code, said = verified(capsys, *words, *more)
            assert (code, len(said.splitlines()), why in said) == (1, 1, True)


@pytest.mark.parametrize("data", [b"", b"no database" * 100])
def test_what_is_no_gradebook_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], data: bytes
) -> None:
    monkeypatch.setenv("COUNTERSIDE_COURSE", str(tmp_path))
    monkeypatch.delenv("COUNTERSIDE_DB", raising=False)
    (tmp_path / "gradebook.db").write_bytes(data)
    for step in ("verify", "seal", "install"):
        assert main(["audit", step]) == 1
        said = capsys.readouterr()
        assert len(said.err.splitlines()) == 1
        assert "Traceback" not in said.out + said.err
