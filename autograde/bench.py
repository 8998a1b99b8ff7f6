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
from autograde.place import ROOT

ANSWERS = 100


def player(console: Console) -> None:
    """Print time to the first widget, time to an acknowledged answer, and memory of a kernel."""
    chapter = course().chapters[0]
    expert = next(learner for learner in read_cohort() if learner.name == "expert")
    answers = [answer for answer in expert.answers if answer.item in chapter.points]
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "release" / chapter.id, folder, dirs_exist_ok=True)
        manager = KernelManager(kernel_name="counterside")
        began = time.perf_counter()
        manager.start_kernel(cwd=folder, stderr=subprocess.DEVNULL)
        try:
            client = manager.blocking_client()
            client.start_channels()
            client.wait_for_ready(timeout=60)
            comms = {answer.item: show(client, answer.item) for answer in answers[:1]}
            first = time.perf_counter() - began
            comms |= {answer.item: show(client, answer.item) for answer in answers[1:]}
            took, counts = [], dict.fromkeys(comms, 0)
            for number in track(range(ANSWERS), description="Answers", console=console):
                answer = answers[number % len(answers)]
                took.append(give(client, comms[answer.item], counts[answer.item], answer.response))
                counts[answer.item] += 1
            memory = resident(manager)
            client.stop_channels()
        finally:
            manager.shutdown_kernel(now=True)
    table = Table(title="The learner's kernel")
    table.add_column("measure")
    table.add_column("value", justify="right")
    table.add_row("kernel start to first widget", f"{first:.2f} s")
    table.add_row(f"answer to acknowledged, on disk: median of {ANSWERS}", f"{1000 * statistics.median(took):.1f} ms")
    table.add_row("the same, 95th percentile", f"{1000 * statistics.quantiles(took, n=20)[-1]:.1f} ms")
    table.add_row("memory of the kernel (resident)", f"{memory:.0f} MB")
    console.print(table)


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
