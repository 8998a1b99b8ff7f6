"""Measurements of the learner's side: a kernel of its own, driven as the browser drives it."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager
from rich.console import Console
from rich.progress import track
from rich.table import Table

from autograde.demo.run import read_cohort
from autograde.engine import course
from autograde.examples import example, write_examples
from autograde.place import ROOT
from curriculum.items import TYPES

ANSWERS = 100
LOAD_ALL = "from curriculum.items import TYPES\nlist(TYPES.values())"


def player(console: Console) -> None:
    """Print time to the first widget, time to an acknowledged answer, and what memory a kernel takes."""
    expert = next(learner for learner in read_cohort() if learner.name == "expert")
    chapter = max(
        course().chapters, key=lambda chapter: sum(answer.item in chapter.points for answer in expert.answers)
    )
    answers = [answer for answer in expert.answers if answer.item in chapter.points]
    memory: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder, examples = Path(name) / "chapter", Path(name) / "examples"
        shutil.copytree(ROOT / "release" / chapter.id, folder)
        write_examples(examples)
        manager = KernelManager(kernel_name="counterside")
        began = time.perf_counter()
        manager.start_kernel(cwd=str(folder), stderr=subprocess.DEVNULL)
        try:
            client = manager.blocking_client()
            client.start_channels()
            client.wait_for_ready(timeout=60)
            memory["started"] = resident(manager)
            comms = {answer.item: show(client, answer.item) for answer in answers[:1]}
            first = time.perf_counter() - began
            run(client, LOAD_ALL)
            memory[f"all {len(TYPES)} item types loaded"] = resident(manager)
            comms |= {answer.item: show(client, answer.item) for answer in answers[1:]}
            took, counts = [], dict.fromkeys(comms, 0)
            for number in track(range(ANSWERS), description="Answers", console=console):
                answer = answers[number % len(answers)]
                took.append(give(client, comms[answer.item], counts[answer.item], answer.response))
                counts[answer.item] += 1
            memory[f"{len(comms)} exercises of {chapter.id}, answered"] = resident(manager)
            run(client, f"import os; os.chdir({str(examples)!r})")
            for kind in TYPES:
                practice = example(kind)
                give(client, show(client, practice.item.id), 0, practice.responses[0])
            memory["one of each type, answered, with feedback"] = resident(manager)
            client.stop_channels()
        finally:
            manager.shutdown_kernel(now=True)
    table = Table(title="The learner's kernel")
    table.add_column("measure")
    table.add_column("value", justify="right")
    table.add_row("kernel start to first widget", f"{first:.2f} s")
    table.add_row(f"answer to acknowledged, on disk: median of {ANSWERS}", f"{1000 * statistics.median(took):.1f} ms")
    table.add_row("the same, 95th percentile", f"{1000 * statistics.quantiles(took, n=20)[-1]:.1f} ms")
    for state, megabytes in memory.items():
        table.add_row(f"resident memory: {state}", f"{megabytes:.1f} MB")
    console.print(table)


def run(client: BlockingKernelClient, code: str) -> None:
    reply = client.execute_interactive(code, timeout=60, output_hook=lambda _message: None)
    if reply["content"]["status"] != "ok":
        raise RuntimeError(f"{code!r} failed: {reply['content']['evalue']}")


def show(client: BlockingKernelClient, item: str) -> str:
    """Run an exercise cell as the notebook holds it and return its widget's comm id."""
    request = client.execute(f'from curriculum.player import play\nplay("{item}")')
    comm = ""
    while True:
        message = client.get_iopub_msg(timeout=60)
        if message["parent_header"].get("msg_id") != request:
            continue
        if message["msg_type"] == "error":
            raise RuntimeError(f"the cell of {item} failed: {message['content']['evalue']}")
        if message["msg_type"] == "comm_open" and "_esm" in message["content"]["data"].get("state", {}):
            comm = message["content"]["comm_id"]
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            return comm


def give(client: BlockingKernelClient, comm: str, base: int, response: Any) -> float:
    """Send an answer to a widget and return the seconds until it is acknowledged."""
    name = str(uuid4())
    content = {"id": name, "kind": "answer", "base": base, "response": response, "lang": "zh", "ms": 0}
    data = {"comm_id": comm, "data": {"method": "custom", "content": content}}
    began = time.perf_counter()
    client.shell_channel.send(client.session.msg("comm_msg", data))
    while True:
        message = client.get_iopub_msg(timeout=60)
        if message["msg_type"] == "comm_msg" and message["content"]["data"].get("content", {}).get("id") == name:
            reply = message["content"]["data"]["content"]
            if reply["status"] != "ok":
                raise RuntimeError(f"not acknowledged: {json.dumps(reply)[:200]}")
            return time.perf_counter() - began


def resident(manager: KernelManager) -> float:
    """Return the resident memory of a kernel in megabytes (10⁶ bytes)."""
    process = manager.provisioner.pid  # type: ignore[union-attr]
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024 / 1e6
