"""All that is wrong with a course, found in one go.

Loading finds what makes a course unusable; the rules here find what makes it
unfair, incomplete or untrue. Every fault names its rule.
"""

from __future__ import annotations

from pathlib import Path

from curriculum.lint import chance, coverage, lock, texts
from curriculum.load import Course, Loader
from curriculum.source import ContentError


def lint(root: Path) -> Course:
    """Return the course below `root`. Raises ContentError with every fault there is."""
    loader = Loader(root)
    course = loader.read()
    left = list(texts.placeholders(loader))
    unfinished = {problem.file for problem in left}
    # What an item earns by chance is known once its words are.
    finished = [item for item in loader.sound_items if loader.homes[item.id].name not in unfinished]
    problems = [*loader.problems, *left, *texts.check(loader), *chance.check(loader, finished)]
    problems += lock.check(loader, course)
    if course is not None:
        problems += coverage.check(loader, course)
    if course is None or problems:
        raise ContentError(problems)
    return course
