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
td {{ font-family: monospace; overflow-wrap: anywhere; }} svg {{ width: 6cm; height: 6cm; }}
.hand td {{ width: 9cm; height: 1.2cm; border-bottom: 1px solid; }}</style></head>
<body><h1>Seal {number} · 封存 {number}</h1><table>{rows}</table>
{code}
<p>Keep this page out of reach of those who grade. “counterside audit verify” shows the same numbers;
“counterside audit verify --sealed {number}:{start}” compares this seal with what is there then.</p>
<p lang="zh">请把本页放在评分人员无法接触之处。counterside audit verify 会显示相同的数字；
counterside audit verify --sealed {number}:{start} 可将本页与届时的封存核对。</p>
<table class="hand"><tr><th>Name · 姓名</th><td></td></tr><tr><th>Date · 日期</th><td></td></tr>
<tr><th>Signature · 签名</th><td></td></tr></table></body></html>
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


def print_head(console: Console, seals: Path, out: Path | None, number: int | None = None) -> None:
    """Show the last seal, or that of a number, or write a page of it. Raises CourseError when there is none."""
    heads, _faults = read_heads(seals / HEADS)
    if not heads:
        raise CourseError("nothing was sealed yet; run “counterside audit seal”")
    if number is not None and not 1 <= number <= len(heads):
        raise CourseError(f"there is no seal {number}; the last is seal {len(heads)}")
    head = heads[-1 if number is None else number - 1]
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
    return PAGE.format(number=head.number, start=head.root[:16], rows=rows, code=code(head).svg_inline(omitsize=True))


def code(head: Head) -> segno.QRCode:
    """Return the QR code: what it takes to know the seal again."""
    return segno.make("\n".join(f"{name}: {value}" for name, value in as_text(head).items()), error="m", micro=False)
