"""`counterside audit witness`: an auditor's own machine remembers the seals it saw, and signs that it saw them.

It needs the file of the seals and that of the keys, and no gradebook. Seals
that were taken back, or two stories told to two people, do not fit what is
remembered here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from autograde.audit.heads import HEADS, Head, check_chain, read_heads
from autograde.audit.keys import (
    append,
    is_signed,
    key_id,
    lost_keys,
    now,
    public_bytes,
    read_keys,
    read_private,
    signed_line,
    without_signature,
    write_private,
)
from autograde.place import CourseError

KEY, SEEN = "witness-key.pem", "witnessed.jsonl"


@dataclass(frozen=True, slots=True)
class Witnessed:
    """What witnessing led to: what is wrong, how many seals were new, the last, and what a person should know."""

    faults: tuple[str, ...]
    new: int
    last: Head | None
    remarks: tuple[str, ...] = ()


def witness(seals: Path, state: Path) -> Witnessed:
    """Check the seals of a folder against all that was seen before, and sign the new ones if nothing is wrong.

    The first time, the gradebook and its first key are taken as they are: compare them with what the course tells
    you in person. Raises CourseError.
    """
    heads, faults = read_heads(seals / HEADS)
    keys, wrong = read_keys(seals)
    if not heads or not keys:
        raise CourseError(f"there are no seals in {seals}; it needs heads.jsonl and keys.jsonl")
    seen = read_seen(state / SEEN)
    problems = [*faults, *wrong, *check_chain(heads, keys), *check_witnessed(seen, heads)]
    if seen and seen[0]["first_key"] != keys[0].id:
        problems.append(f"the first key is {keys[0].id}, and was {seen[0]['first_key']}: the keys were swapped")
    known = {entry["head"] for entry in seen}
    new = [head for head in heads if head.hash not in known]
    if problems:
        return Witnessed(tuple(dict.fromkeys(problems)), 0, heads[-1], tuple(lost_keys(keys)))
    if not (state / KEY).exists():
        write_private(state / KEY, Ed25519PrivateKey.generate())
    key = read_private(state / KEY)
    public = public_bytes(key)
    for head in new:
        entry = {
            "log": head.log, "number": head.number, "size": head.size, "root": head.root, "head": head.hash,
            "first_key": keys[0].id, "at": now(), "key": key_id(public), "public": public.hex(),
        }  # fmt: skip
        append(state / SEEN, signed_line(entry, key) + b"\n")
    return Witnessed((), len(new), heads[-1], tuple(lost_keys(keys)))


def read_seen(path: Path) -> Sequence[Mapping[str, Any]]:
    """Return what a witness signed. Raises CourseError for a line that is no such thing."""
    if not path.exists():
        return []
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            entry = json.loads(line)
            data, signature = without_signature(entry)
            public = bytes.fromhex(entry["public"])
            good = is_signed(public, signature, data) and entry["key"] == key_id(public)
            entry["number"], entry["head"], entry["log"], entry["first_key"]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise CourseError(f"line {number} of {path} is nothing that a witness signed; take it out") from error
        if not good:
            raise CourseError(f"line {number} of {path} was changed after the witness signed it; take it out")
        found.append(entry)
    return found


def check_witnessed(seen: Sequence[Mapping[str, Any]], heads: Sequence[Head]) -> list[str]:
    """Return where the seals are not those that a witness saw."""
    faults = []
    for entry in seen:
        number = entry["number"]
        if heads and entry["log"] != heads[0].log:
            faults.append(f"a witness saw seals of another gradebook ({entry['log']}, here {heads[0].log})")
        elif number > len(heads):
            words = f"a witness saw seal {number} of {entry['size']} rows, and there are {len(heads)}"
            faults.append(f"{words}: the seals were put back to an earlier state")
        elif heads[number - 1].hash != entry["head"]:
            faults.append(f"a witness saw another seal {number} than this one: two stories are being told")
    return faults[:1]
