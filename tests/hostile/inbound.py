"""What may lie in the inbound folder of the exchange, which every learner's account can write."""

from __future__ import annotations

import io
import os
import shutil
import socket
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from curriculum import copying

AT = "2026-11-24 08:00:00.000000 UTC"
SECRET = "somebody else's secret"

Spoil = Callable[[Path], object]
KINDS: dict[str, Spoil] = {}


def lay(inbound: Path, learner: str, at: str = AT, name: str | None = None) -> Path:
    """Lay a submission into the inbound, as handing in does, and return its folder."""
    folder = inbound / (name or f"{learner}+ch1+{at}+x{learner}")
    (folder / "responses").mkdir(parents=True)
    (folder / "ch1.ipynb").write_text("{}")
    (folder / "responses" / "ch1.jsonl").write_text(f"answers of {learner}\n")
    (folder / "timestamp.txt").write_text(at)
    (folder / "submission_secret.txt").write_text(learner)
    return folder


def kind(name: str) -> Callable[[Spoil], Spoil]:
    def add(spoil: Spoil) -> Spoil:
        assert name not in KINDS
        KINDS[name] = spoil
        return spoil

    return add


def renamed(name: str, form: str) -> None:
    """A folder of this name, with `{at}` for the time that is in it."""
    kind(name)(lambda folder: folder.rename(folder.parent / form.format(at=AT)))


@kind("honest")
def nothing(_folder: Path) -> None:
    pass


def replaced(name: str, where: str, make: Spoil) -> None:
    def spoil(folder: Path) -> None:
        path = folder / where
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
        make(path)

    kind(name)(spoil)


def elsewhere(path: Path) -> Path:
    """Return a folder that is somebody else's, outside the exchange."""
    found = path.parents[[parent.name for parent in path.parents].index("inbound")].parent / "elsewhere"
    (found / "responses").mkdir(parents=True, exist_ok=True)
    for name in ("ch1.ipynb", "responses/ch1.jsonl", "timestamp.txt", "submission_secret.txt"):
        (found / name).write_text(AT if name == "timestamp.txt" else SECRET)
    return found


def listening(path: Path) -> None:
    before = Path.cwd()
    os.chdir(path.parent)  # a socket's name may be short only
    try:
        with socket.socket(socket.AF_UNIX) as it:
            it.bind(path.name)
    finally:
        os.chdir(before)


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**30)


def zipped(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../../escaped", "x")


def tarred(path: Path) -> None:
    with tarfile.open(path, "w") as archive:
        entry = tarfile.TarInfo("../../escaped")
        entry.size = 1
        archive.addfile(entry, io.BytesIO(b"x"))


replaced("folder-is-zip", ".", zipped)
replaced("folder-is-tar", ".", tarred)
replaced("folder-is-file", ".", lambda path: path.write_bytes(b""))
replaced("folder-is-link", ".", lambda path: path.symlink_to(elsewhere(path)))
replaced("folder-is-link-dangling", ".", lambda path: path.symlink_to("nowhere"))
replaced("folder-is-link-up", ".", lambda path: path.symlink_to("../../.."))
replaced("folder-is-pipe", ".", os.mkfifo)
replaced("folder-is-socket", ".", listening)
replaced("log-is-link", "responses/ch1.jsonl", lambda path: path.symlink_to("/etc/passwd"))
replaced("log-is-link-dangling", "responses/ch1.jsonl", lambda path: path.symlink_to("nowhere"))
replaced("log-is-link-zero", "responses/ch1.jsonl", lambda path: path.symlink_to("/dev/zero"))
replaced("log-is-link-up", "responses/ch1.jsonl", lambda path: path.symlink_to("../../../../gradebook.db"))
replaced("log-is-hard-link", "responses/ch1.jsonl", lambda path: os.link(elsewhere(path) / "ch1.ipynb", path))
replaced("log-is-pipe", "responses/ch1.jsonl", os.mkfifo)
replaced("log-is-socket", "responses/ch1.jsonl", listening)
replaced("log-is-sparse", "responses/ch1.jsonl", sparse)
replaced("responses-are-a-link", "responses", lambda path: path.symlink_to(elsewhere(path) / "responses"))
replaced("responses-are-a-file", "responses", lambda path: path.write_bytes(b""))
replaced("notebook-is-link", "ch1.ipynb", lambda path: path.symlink_to(elsewhere(path) / "ch1.ipynb"))
replaced("notebook-is-missing", "ch1.ipynb", lambda _path: None)
replaced("log-is-missing", "responses/ch1.jsonl", lambda _path: None)
replaced("time-is-link", "timestamp.txt", lambda path: path.symlink_to(elsewhere(path) / "timestamp.txt"))
replaced("time-is-missing", "timestamp.txt", lambda _path: None)
replaced("time-is-another", "timestamp.txt", lambda path: path.write_text(AT.replace("08:", "09:")))
replaced("time-is-alike", "timestamp.txt", lambda path: path.write_text(AT.replace(" UTC", " GMT")))
replaced("time-is-binary", "timestamp.txt", lambda path: path.write_bytes(b"\xff\0"))
replaced("secret-is-link", "submission_secret.txt", lambda path: path.symlink_to(elsewhere(path) / "ch1.ipynb"))
replaced("secret-is-missing", "submission_secret.txt", lambda _path: None)
replaced("secret-is-binary", "submission_secret.txt", lambda path: path.write_bytes(b"\xff\xfe"))
replaced("secret-is-long", "submission_secret.txt", lambda path: path.write_bytes(b"x" * 5000))
replaced("secret-is-a-folder", "submission_secret.txt", lambda path: path.mkdir())
if os.geteuid() == 0:
    device = stat.S_IFCHR | 0o666
    replaced("log-is-device", "responses/ch1.jsonl", lambda path: os.mknod(path, device, os.makedev(1, 5)))

renamed("name-up", "..+ch1+{at}+x")
renamed("name-here", ".+ch1+{at}+x")
renamed("name-hidden", ".hidden+ch1+{at}+x")
renamed("name-newline", "two\nlines+ch1+{at}+x")
renamed("name-terminal", "\x1b[2J+ch1+{at}+x")
renamed("name-bidi", "right\u202eleft+ch1+{at}+x")
renamed("name-no-unicode", "\udcff\udcfe+ch1+{at}+x")
renamed("name-empty", "+ch1+{at}+x")
renamed("name-long", "x" * 140 + "+ch1+{at}+x")
renamed("name-no-time", "somebody+ch1+tomorrow+x")
renamed("name-time-of-digits", "somebody+ch1+99999999999999999999+x")
renamed("name-other-chapter", "somebody+ch2+{at}+ch1+x")
renamed("name-random-terminal", "somebody+ch1+{at}+\x1b[2J")
renamed("name-like-anothers", "honest \t+ch1+{at}+x")


@kind("many-files")
def many(folder: Path) -> None:
    for number in range(copying.MAX_FILES):
        (folder / str(number)).touch()


@kind("many-folders")
def folders(folder: Path) -> None:
    for number in range(copying.MAX_FILES + 1):
        (folder / str(number)).mkdir()


@kind("large-together")
def large(folder: Path) -> None:
    for number in range(5):
        with (folder / str(number)).open("wb") as file:
            file.truncate(copying.MAX_BYTES // 4)


@kind("too-deep")
def deep(folder: Path) -> None:
    (folder / "a/b/c/d/e/f/g").mkdir(parents=True)


@kind("very-deep")
def very_deep(folder: Path) -> None:
    place = os.open(folder, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=place)
        inner = os.open("d", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = inner
    os.close(place)


@kind("file-named-newline")
def newline(folder: Path) -> None:
    (folder / "two\nlines").touch()


@kind("file-named-bidi")
def bidi(folder: Path) -> None:
    (folder / "a\u202etxt.exe").touch()


@kind("file-named-no-unicode")
def no_unicode(folder: Path) -> None:
    (folder / "\udcff").touch()


@kind("file-named-long")
def long(folder: Path) -> None:
    (folder / ("x" * 200)).touch()


@kind("file-beside")
def harmless(folder: Path) -> None:
    (folder / "notes.txt").write_text("mine")
