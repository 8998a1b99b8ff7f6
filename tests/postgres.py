"""A throw-away PostgreSQL on 127.0.0.1: a cluster for the session, and a fresh database for whoever asks."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

ACCOUNT = "postgres"  # Debian's; the server refuses to be run by root
ASKED = "asked"  # the one role that is asked for a password; a test that wants it makes it
PATIENCE = 60.0  # seconds until the server has to answer
# Nothing here outlives the session, so nothing need reach the disk.
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
}

FreshDatabase = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its process, and the port on which it listens."""

    process: subprocess.Popen[bytes]
    port: int

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://{ACCOUNT}@127.0.0.1:{self.port}/{database}"

    def fresh(self, database: str) -> str:
        """Make an empty database and return its address, as SQLAlchemy and nbgrader read it."""
        with self.connect() as connection:
            connection.execute(f'create database "{database}"'.encode())
        return self.url(database)

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(
            f"host=127.0.0.1 port={self.port} user={ACCOUNT} dbname=postgres connect_timeout=5", autocommit=True
        )


@pytest.fixture(scope="session")
def postgres() -> Iterator[FreshDatabase]:
    """A function that makes an empty database and returns its address; roles are shared by the whole session."""
    with running_server() as server:
        numbers = count(1)
        yield lambda: server.fresh(f"gradebook_{next(numbers)}")


@contextmanager
def running_server() -> Iterator[Server]:
    """Run a server of its own, and remove whatever it wrote."""
    binaries = find_binaries()
    folder = Path(tempfile.mkdtemp(prefix="counterside-postgres-"))
    as_account: dict[str, Any] = {}
    if os.geteuid() == 0:
        account = pwd.getpwnam(ACCOUNT)
        os.chown(folder, account.pw_uid, account.pw_gid)
        as_account = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    try:
        made = subprocess.run(
            [binaries / "initdb", "--pgdata", folder / "data", "--username", ACCOUNT, "--auth", "trust",
             "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"],
            cwd=folder, capture_output=True, text=True, check=False, **as_account,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        rules = folder / "data" / "pg_hba.conf"
        rules.write_text(f"host all {ASKED} 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")
        server = start(binaries, folder, as_account)
        try:
            yield server
        finally:
            server.process.send_signal(signal.SIGINT)  # ends sessions that are still open, too
            server.process.wait(PATIENCE)
    finally:
        shutil.rmtree(folder)


def start(binaries: Path, folder: Path, as_account: dict[str, Any]) -> Server:
    """Start the server and wait until it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [binaries / "postgres", "-D", folder / "data", "-p", str(port), *settings],
            cwd=folder, stdout=log, stderr=log, start_new_session=True, **as_account,
        )  # fmt: skip
    server = Server(process, port)
    until = time.monotonic() + PATIENCE
    while True:
        try:
            server.connect().close()
            return server
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > until:
                process.kill()
                process.wait()
                pytest.fail(f"PostgreSQL did not start: {(folder / 'log').read_text('utf-8', 'replace')[-1000:]}")
            time.sleep(0.05)


def find_binaries() -> Path:
    """Return the folder of PostgreSQL's programs, of the newest version that there is."""
    folders = [*Path("/usr/lib/postgresql").glob("*/bin"), *map(Path, os.get_exec_path())]
    found = [folder for folder in folders if (folder / "initdb").is_file() and (folder / "postgres").is_file()]
    if not found:
        pytest.fail("PostgreSQL is missing; “sh tests/prepare.sh” as root installs it")
    return max(found, key=lambda folder: int(folder.parent.name) if folder.parent.name.isdecimal() else 0)
