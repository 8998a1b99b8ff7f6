"""The keys that sign seals: a private one in a file of its own, public ones beside the seals, each signed by the last.

Where the last one was lost, the next signs itself, and says why.

Ed25519 (RFC 8032). A key is named by the first 32 hex digits of the SHA-256 of its public half.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from autograde.place import CourseError

KEYS = "keys.jsonl"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key, and the number of the last seal that the one before it may have signed.

    `lost` says why the one before it did not sign this one, and is empty where it did.
    """

    id: str
    public: bytes
    after: int
    at: str
    lost: str

    def signed(self, signature: str, data: bytes) -> bool:
        """Return whether this key signed the data; `signature` is hex."""
        return is_signed(self.public, signature, data)


def is_signed(public: bytes, signature: str, data: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(bytes.fromhex(signature), data)
    except (InvalidSignature, ValueError):
        return False
    return True


def canonical(data: Mapping[str, Any]) -> bytes:
    """Return JSON that is the same for the same data: sorted keys, no spaces, UTF-8."""
    return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def signed_line(data: Mapping[str, Any], key: Ed25519PrivateKey) -> bytes:
    """Return data with its signature as a line of JSON, without the newline."""
    return canonical({**data, "signature": key.sign(canonical(data)).hex()})


def without_signature(data: Mapping[str, Any]) -> tuple[bytes, str]:
    """Return what was signed, and the signature."""
    rest = {name: value for name, value in data.items() if name != "signature"}
    return canonical(rest), str(data.get("signature", ""))


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def key_id(public: bytes) -> str:
    return sha256(public).hexdigest()[:32]


def read_private(path: Path) -> Ed25519PrivateKey:
    """Return the private key in a file. Raises CourseError when it is none, or when others can read it."""
    try:
        if path.stat().st_mode & 0o077:
            raise CourseError(f"{path.name} can be read by others; run “chmod 600 {path}”, and make a new key")
        key = load_pem_private_key(path.read_bytes(), None)
    except FileNotFoundError:
        raise CourseError(
            f"there is no key at {path}; put it back, or if it is lost run “counterside audit keygen --lost WHY”"
        ) from None
    except (ValueError, TypeError) as error:
        raise CourseError(f"{path} holds no key; put back the one that signed the seals") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise CourseError(f"{path} holds no Ed25519 key; put back the one that signed the seals")
    return key


def write_private(path: Path, key: Ed25519PrivateKey) -> None:
    """Write a private key that only this account can read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(handle)
    fresh.replace(path)


def generate(seals: Path, path: Path, heads: int, lost: str | None = None) -> str:
    """Make the first key, or a new one that the old one signs, and return its id. Raises CourseError.

    With `lost`, the reason why the old one can't sign, the new key signs itself, and that is said wherever seals are
    checked.

    `heads` is how many seals there are: later ones are to be signed by the new key.
    """
    keys, faults = read_keys(seals)
    if faults:
        raise CourseError(f"{faults[0]}; run “counterside audit verify” before making a key")
    if lost is not None:
        check_lost(keys, path, lost)
    old = read_private(path) if keys and lost is None else None
    if not keys and path.exists():
        raise CourseError(f"{path} is there, but the folder of the seals knows no key; move one of both away")
    if old and key_id(public_bytes(old)) != keys[-1].id:
        raise CourseError(f"{path} is not the key that signs now ({keys[-1].id}); put that one back")
    key = Ed25519PrivateKey.generate()
    public = public_bytes(key)
    entry = {
        "key": key_id(public),
        "public": public.hex(),
        "at": now(),
        "by": keys[-1].id if old else None,
        "after": heads,
        **({"lost": lost.strip()} if lost else {}),
    }
    line = signed_line(entry, old or key)
    seals.mkdir(parents=True, exist_ok=True)
    write_private(path, key)
    append(seals / KEYS, line + b"\n")
    return key_id(public)


def check_lost(keys: Sequence[PublicKey], path: Path, why: str) -> None:
    """Refuse a key in the place of one that is not lost. Raises CourseError."""
    if not why.strip():
        raise CourseError("say in words how the key was lost; they stand wherever its seals are checked")
    if not keys:
        raise CourseError("no key is lost: none has signed here yet; run “counterside audit keygen”")
    if path.exists():
        raise CourseError(f"there is a key at {path}; run “keygen” without --lost, or move it away if it is another")


def read_keys(seals: Path) -> tuple[Sequence[PublicKey], list[str]]:
    """Return the chain of public keys, and what is wrong with it."""
    found: list[PublicKey] = []
    try:
        lines = (seals / KEYS).read_bytes().splitlines()
    except FileNotFoundError:
        return [], []
    for number, line in enumerate(lines, start=1):
        try:
            entry = json.loads(line)
            lost = str(entry.get("lost", "")) if found else ""
            at = str(entry["at"])
            key = PublicKey(str(entry["key"]), bytes.fromhex(entry["public"]), int(entry["after"]), at, lost)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            return found, [f"line {number} of {KEYS} is no key"]
        signer, by = (found[-1], found[-1].id) if found and not lost else (key, None)
        data, signature = without_signature(entry)
        if key.id != key_id(key.public) or entry.get("by") != by or not signer.signed(signature, data):
            return found, [f"key {key.id[:16]} in line {number} of {KEYS} is not signed by the key before it"]
        found.append(key)
    return found, []


def lost_keys(keys: Sequence[PublicKey]) -> list[str]:
    """Say which keys nobody vouches for but those who can write the folder of the seals."""
    return [
        f"key {key.id[:16]} of {key.at} is not signed by key {before.id[:16]}, which is said to be lost: {key.lost}; "
        f"seals after seal {key.after} are signed by it, so ask who made it"
        for before, key in pairwise(keys)
        if key.lost
    ]


def append(path: Path, data: bytes) -> None:
    """Add to a file, and return when it is on disk."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(handle)


def now() -> str:
    """Return the time as seals have it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
