"""A seal as something to keep elsewhere: text and a QR code, in the terminal or on a page to print."""

from __future__ import annotations

import io
from html import escape
from pathlib import Path

import segno
from rich.console import Console

from autograde.audit.heads import HEADS, Head, as_text, read_heads
from autograde.place import CourseError

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Seal {number}</title>
<style>body {{ font: 12pt sans-serif; margin: 2cm; }} th {{ text-align: left; padding-right: 1em; }}
td {{ font-family: monospace; overflow-wrap: anywhere; }} svg {{ width: 6cm; height: 6cm; }}</style></head>
<body><h1>Seal {number} · 封存 {number}</h1><table>{rows}</table>
{code}
<p>Keep this page out of reach of those who grade. “counterside audit verify” and “witness” show the same numbers.</p>
<p lang="zh">请把本页放在评分人员无法接触之处。counterside audit verify 与 witness 会显示相同的数字。</p></body></html>
"""
CHINESE = {
    "gradebook": "成绩册",
    "seal": "封存",
    "time (UTC)": "时间 (UTC)",
    "rows": "行数",
    "root": "根哈希",
    "SHA-256 of the seal": "封存的 SHA-256",
    "key": "密钥",
}


def print_head(console: Console, seals: Path, out: Path | None) -> None:
    """Show the last seal, or write a page of it. Raises CourseError when there is none."""
    heads, _faults = read_heads(seals / HEADS)
    if not heads:
        raise CourseError("nothing was sealed yet; run “counterside audit seal”")
    head = heads[-1]
    if out:
        out.write_text(page(head), "utf-8")
        console.print(f"wrote {out}", markup=False)
        return
    for name, value in as_text(head).items():
        console.print(f"{name:<20} {value}", markup=False)
    drawing = io.StringIO()
    code(head).terminal(drawing, compact=True)
    console.print(drawing.getvalue(), markup=False)


def page(head: Head) -> str:
    rows = "".join(
        f"<tr><th>{escape(name)} · {CHINESE[name]}</th><td>{escape(str(value))}</td></tr>"
        for name, value in as_text(head).items()
    )
    return PAGE.format(number=head.number, rows=rows, code=code(head).svg_inline(omitsize=True))


def code(head: Head) -> segno.QRCode:
    """Return the QR code: what it takes to know the seal again."""
    return segno.make("\n".join(f"{name}: {value}" for name, value in as_text(head).items()), error="m", micro=False)
