"""Seals are cheap, follow on each other, survive interruption and new keys, and show what they are of."""

from __future__ import annotations

import json
import re
import shutil
from hashlib import sha256
from pathlib import Path

import pytest
import segno
from rich.console import Console
from sqlalchemy import Engine, text

from autograde.audit.heads import HEADS, LEAVES, Head, as_text, read_heads, seal
from autograde.audit.keep import print_head
from autograde.audit.keys import KEYS, generate, read_keys
from autograde.audit.merkle import leaf_hash
from autograde.audit.rows import leaf_data, read_rows
from autograde.audit.verify import Known, verify
from autograde.audit.witness import witness
from autograde.place import CourseError
from autograde.tables import writing
from tests.audit.test_merkle import by_the_rfc


def change(engine: Engine, score: float) -> None:
    with writing(engine) as connection:
        connection.execute(text("UPDATE grade SET manual_score = :score WHERE auto_score = 0.5"), {"score": score})


def test_a_seal_has_the_root_of_all_rows_and_the_next_follows_on_it(
    engine: Engine, db_url: str, tmp_path: Path
) -> None:
    seals, key = tmp_path / "seals", tmp_path / "key.pem"
    first = seal(engine, seals, key)
    assert seal(engine, seals, key) is None
    change(engine, 4)
    second = seal(engine, seals, key)
    assert first
    assert second
    with engine.connect() as connection:
        leaves = [leaf_data(row) for row in read_rows(connection, 0, second.size)]
    assert second.size == first.size + 2
    assert second.root == by_the_rfc(leaves).hex()
    assert first.root == by_the_rfc(leaves[: first.size]).hex()
    assert second.previous == first.hash
    assert key.stat().st_mode & 0o777 == 0o600
    report = verify(db_url, seals)
    assert (report.faults, report.heads, report.sealed) == ([], 2, second.size)


def test_a_leaf_is_what_the_documentation_says(engine: Engine) -> None:
    with engine.connect() as connection:
        rows = [dict(row._mapping) for row in connection.execute(text("SELECT * FROM counterside_trail ORDER BY seq"))]
        leaves = [leaf_data(row) for row in read_rows(connection, 0, len(rows))]

    def n(value: str | None) -> str:
        return "-" if value is None else f"{len(value)}:{value}"

    for row, leaf in zip(rows, leaves, strict=True):
        main = sha256((row["salt"] + n(row["old"]) + n(row["new"])).encode()).hexdigest()
        person = ""
        if row["person_salt"]:
            words = row["person_salt"] + n(row["row_id"]) + n(row["person_old"]) + n(row["person_new"])
            person = sha256(words.encode()).hexdigest()
        told = [row[name] for name in ("seq", "at", "db_user", "actor", "run_id", "reason", "tbl", "op")]
        assert json.loads(leaf) == [*told, "" if person else row["row_id"], main, person]


def test_lost_seals_are_not_begun_anew_and_come_back_from_their_copies(
    engine: Engine, db_url: str, tmp_path: Path
) -> None:
    seals, key = tmp_path / "seals", tmp_path / "key.pem"
    seal(engine, seals, key)
    change(engine, 2)
    seal(engine, seals, key)
    change(engine, 3)
    elsewhere = (seals / KEYS).read_bytes()
    shutil.rmtree(seals)
    with pytest.raises(CourseError, match=r"copy of seal 2, and .*seals ends with seal 0; put the newer ones back"):
        seal(engine, seals, key)
    assert [path.name for path in seals.iterdir()] == ["seal.lock"]
    (seals / KEYS).write_bytes(elsewhere)
    with engine.connect() as connection:
        lines = connection.execute(text("SELECT head FROM counterside_head ORDER BY number")).scalars().all()
    (seals / HEADS).write_text("".join(f"{line}\n" for line in lines))
    assert verify(db_url, seals).faults == []
    head = seal(engine, seals, key)
    assert head
    assert head.number == 3
    with engine.connect() as connection:
        leaves = b"".join(leaf_hash(leaf_data(row)) for row in read_rows(connection, 0, head.size))
    assert (seals / LEAVES).read_bytes() == leaves
    assert verify(db_url, seals).faults == []


def test_an_interrupted_seal_is_made_again(engine: Engine, db_url: str, tmp_path: Path) -> None:
    seals, key = tmp_path / "seals", tmp_path / "key.pem"
    seal(engine, seals, key)
    with (seals / LEAVES).open("ab") as leaves, (seals / HEADS).open("ab") as heads:
        leaves.write(b"x" * 40)
        heads.write(b'{"v":1,"log')
    assert verify(db_url, seals).faults == ["the last line of heads.jsonl is torn"]
    change(engine, 2)
    head = seal(engine, seals, key)
    assert head
    assert (seals / LEAVES).stat().st_size == 32 * head.size
    assert verify(db_url, seals).faults == []


def test_a_new_key_is_signed_by_the_old_and_signs_from_then_on(engine: Engine, db_url: str, tmp_path: Path) -> None:
    seals, key = tmp_path / "seals", tmp_path / "key.pem"
    seal(engine, seals, key)
    old = key.read_bytes()
    generate(seals, key, 1)
    change(engine, 2)
    head = seal(engine, seals, key)
    keys, faults = read_keys(seals)
    assert faults == []
    assert head
    assert [head.key for head in read_heads(seals / HEADS)[0]] == [one.id for one in keys]
    assert verify(db_url, seals, known=Known(keys[0].id[:12])).faults == []
    assert "the first key is not" in verify(db_url, seals, known=Known(keys[1].id[:12])).faults[0]
    key.write_bytes(old)
    change(engine, 3)
    with pytest.raises(CourseError, match="not the key that signs now"):
        seal(engine, seals, key)


def test_a_key_that_was_lost_is_replaced_in_plain_sight(engine: Engine, db_url: str, tmp_path: Path) -> None:
    seals, key, state = tmp_path / "seals", tmp_path / "key.pem", tmp_path / "witness"
    with pytest.raises(CourseError, match="no key is lost"):
        generate(seals, key, 0, "the disk broke")
    seal(engine, seals, key)
    assert witness(seals, state).remarks == ()
    with pytest.raises(CourseError, match="without --lost"):
        generate(seals, key, 1, "the disk broke")
    key.unlink()
    change(engine, 2)
    for attempt in (lambda: seal(engine, seals, key), lambda: generate(seals, key, 1)):
        with pytest.raises(CourseError, match="keygen --lost"):
            attempt()
    with pytest.raises(CourseError, match="say in words"):
        generate(seals, key, 1, "  ")
    fresh = generate(seals, key, 1, "the disk broke")
    head = seal(engine, seals, key)
    assert head
    assert head.key == fresh
    first = read_keys(seals)[0][0].id
    made = json.loads((seals / KEYS).read_text().splitlines()[1])["at"]
    report, seen = verify(db_url, seals, known=Known(first)), witness(seals, state)
    assert (report.faults, seen.faults, seen.new) == ([], (), 1)
    for remarks in (report.remarks, seen.remarks):
        assert any(
            words.startswith(
                f"key {fresh[:16]} of {made} is not signed by key {first[:16]}, which is said to be lost: "
            )
            and "the disk broke" in words
            for words in remarks
        )
    # Who replaces an earlier key so must sign seals anew, which are then others than before.
    entry = json.loads((seals / KEYS).read_text().splitlines()[1])
    for change_of in ({"lost": "never mind"}, {"lost": ""}, {"after": 0}, {"by": first}):
        lines = (seals / KEYS).read_bytes()
        forged = json.dumps({**entry, **change_of}).encode()
        (seals / KEYS).write_bytes(lines.splitlines(keepends=True)[0] + forged + b"\n")
        assert any("is not signed by the key before it" in words for words in verify(db_url, seals).faults)
        (seals / KEYS).write_bytes(lines)
    # From then on keys are changed as ever.
    generate(seals, key, 2)
    change(engine, 3)
    assert seal(engine, seals, key)
    assert verify(db_url, seals).faults == []


def test_a_key_that_others_can_read_signs_nothing(engine: Engine, tmp_path: Path) -> None:
    seal(engine, tmp_path / "seals", tmp_path / "key.pem")
    (tmp_path / "key.pem").chmod(0o644)
    change(engine, 1)
    with pytest.raises(CourseError, match="can be read by others"):
        seal(engine, tmp_path / "seals", tmp_path / "key.pem")


def as_code(head: Head) -> str:
    return "\n".join(f"{name}: {value}" for name, value in as_text(head).items())


def test_a_seal_to_keep_elsewhere(engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head = seal(engine, tmp_path / "seals", tmp_path / "key.pem")
    assert head
    console = Console(soft_wrap=True, highlight=False)
    print_head(console, tmp_path / "seals", None)
    said = capsys.readouterr().out
    assert head.root in said
    assert head.hash in said
    print_head(console, tmp_path / "seals", tmp_path / "seal.html")
    page = (tmp_path / "seal.html").read_text("utf-8")
    assert head.root in page
    # The page gives the code its size; without a viewBox it would show the upper left corner only.
    (svg,) = re.findall(r"<svg[^>]*>", page)
    side = 4 * segno.make(as_code(head), error="m", micro=False).version + 17 + 8  # ISO 18004, with its quiet zone
    assert f'viewBox="0 0 {side} {side}"' in svg
    assert "width" not in svg
    for words in ("Name · 姓名", "Date · 日期", "Signature · 签名", f"verify --sealed 1:{head.root[:16]}"):
        assert words in page
    change(engine, 1)
    second = seal(engine, tmp_path / "seals", tmp_path / "key.pem")
    assert second
    for number, root in ((1, head.root), (2, second.root), (None, second.root)):
        capsys.readouterr()
        print_head(console, tmp_path / "seals", None, number)
        assert root in capsys.readouterr().out
    for number in (0, 3):
        with pytest.raises(CourseError, match=f"there is no seal {number}; the last is seal 2"):
            print_head(console, tmp_path / "seals", None, number)
    assert "http" not in page.replace('xmlns="http://www.w3.org/2000/svg"', "")


def test_many_rows_are_read_side_by_side_and_give_the_same(
    engine: Engine, db_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seals, key = tmp_path / "seals", tmp_path / "key.pem"
    monkeypatch.setattr("autograde.audit.verify.CHUNK", 8)
    monkeypatch.setattr("autograde.audit.verify.MANY", 8)
    for score in range(6):
        change(engine, score)
        seal(engine, seals, key)
    for workers in (1, 2):
        report = verify(db_url, seals, workers=workers)
        assert (report.faults, report.heads) == ([], 6)
