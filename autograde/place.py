"""Where the checkout is, and the error that ends a command with one sentence."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parent.parent


class CourseError(Exception):
    """Something a person asked for could not be done; the message is one sentence for them."""
