"""Which teaching points are taught, and which are exercised, by what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from curriculum.load import Course, Loader, Theory
from curriculum.model import PointId, Text
from curriculum.source import Problem


@dataclass(frozen=True, slots=True)
class PointCoverage:
    """A teaching point, the sections that teach it and the items that exercise it."""

    point: str
    title: Text
    section: str
    taught: tuple[str, ...]
    exercised: tuple[str, ...]


def coverage(course: Course) -> list[PointCoverage]:
    """Return the coverage of every teaching point, in the order of points.tsv."""
    taught: dict[str, list[str]] = {point: [] for point in course.teaching_points}
    exercised: dict[str, list[str]] = {point: [] for point in course.teaching_points}
    for chapter in course.chapters:
        for section in chapter.sections:
            for part in section.parts:
                places, points = (taught, part.teaches) if isinstance(part, Theory) else (exercised, part.head.covers)
                name = section.plan.id if isinstance(part, Theory) else part.id
                for point in points:
                    if name not in places.get(point, [name]):
                        places[point].append(name)
    return [
        PointCoverage(point, title, section_of(point), tuple(taught[point]), tuple(exercised[point]))
        for point, title in course.teaching_points.items()
    ]


def section_of(point: str) -> str:
    return ".".join(point.split(".")[:2])


def check(loader: Loader, course: Course) -> Iterator[Problem]:
    """Report points of the sections that are written and that nothing teaches or exercises."""
    lessons = {
        section.plan.id: f"chapters/{chapter.plan.folder}/{section.plan.id.replace('.', '-')}"
        for chapter in course.chapters
        for section in chapter.sections
    }
    # What a file would cover that can't be read is not known.
    all_read = all(isinstance(source.data, dict) for source in loader.sources)
    acted = {point for item in loader.items.values() if item.kind.acts for point in item.head.covers}
    for point, title in course.teaching_points.items():
        lesson = lessons.get(PointId(section_of(point)))
        if lesson is None or not any(loader.root.glob(f"{lesson}.*.md")):
            continue
        file = f"{lesson}.en.md"
        if point not in loader.taught:
            message = f"nothing teaches {point}, “{title.en}”; name it in a teaches directive"
            yield Problem(file, 1, "point-not-taught", message)
        if point not in loader.covered and all_read:
            message = f"no exercise covers {point}, “{title.en}”; add it to an item's `covers`"
            yield Problem(file, 1, "point-not-exercised", message)
        elif point in course.action_points - acted and len(loader.items) == len(loader.written):
            message = f"learners only judge how others do {point}, “{title.en}”; let them do it in some exercise"
            yield Problem(file, 1, "point-not-acted-on", message)
