"""What the checks of item types have in common: ids, references to them, what the key gives them, rationales."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from curriculum.model import Fault, Rationale

Path = tuple[str | int, ...]


def duplicate_ids(path: Path, ids: Sequence[str], what: str) -> Iterator[Fault]:
    """Report each id of the list at `path` that stands there before."""
    for i, name in enumerate(ids):
        if name in ids[:i]:
            yield Fault("duplicate-id", (*path, i, "id"), f"{what} id “{name}” is used twice; give each its own")


def repeated(path: Path, refs: Sequence[str]) -> Iterator[Fault]:
    """Report each entry of the list of ids at `path` that stands there before."""
    for i, name in enumerate(refs):
        if name in refs[:i]:
            yield Fault("duplicate-id", (*path, i), f"“{name}” stands here twice; keep one")


def broken_links(path: Path, refs: Iterable[str], known: Collection[str], what: str) -> Iterator[Fault]:
    """Report each key or list entry at `path` that is none of the known ids."""
    for i, ref in enumerate(refs):
        if ref not in known:
            place = (*path, i if isinstance(refs, (list, tuple)) else ref)
            yield Fault("broken-link", place, f"there is no {what} “{ref}”; mend the id or take it out")


def orphans(path: Path, given: Collection[str], ids: Collection[str], what: str) -> Iterator[Fault]:
    """Report what the part of the key at `path` gives to none of the ids."""
    for name in given:
        if name not in ids:
            yield Fault("orphan-key", (*path, name), f"there is no {what} “{name}”; mend the id or take it out")


def keyed(path: Path, given: Collection[str], ids: Collection[str], what: str, lacks: str) -> Iterator[Fault]:
    """Report ids to which the part of the key at `path` gives nothing, and orphans."""
    for name in ids:
        if name not in given:
            yield Fault("unscored-choice", path, f"{what} “{name}” has no {lacks}")
    yield from orphans(path, given, ids, what)


def shares(
    path: Path, given: Mapping[str, float], red_path: Path, red_lines: Sequence[str], ids: Collection[str], what: str
) -> Iterator[Fault]:
    """Report what is amiss with the share, 0 to 1, that each of several options earns."""
    yield from keyed(path, given, ids, what, "share; say what it earns, 0 to 1")
    if max(given.values(), default=0) < 1:
        yield Fault("unscored-choice", path, f"no {what} earns the whole; give the best one a share of 1")
    elif len({given.get(name) for name in ids}) == 1:
        yield Fault("choice-without-effect", path, f"every {what} earns the same; let the choice matter")
    yield from broken_links(red_path, red_lines, ids, what)
    for i, name in enumerate(red_lines):
        if given.get(name, 0) > 0:
            message = f"“{name}” crosses a red line and earns something; make its share 0"
            yield Fault("contradiction", (*red_path, i), message)


def rationales(
    given: Mapping[str, Rationale], refs: Collection[str], what: str, weaker: Collection[str] = ()
) -> Iterator[Fault]:
    """Report refs without rationale, rationales of nothing, and weaker refs that lack `better`."""
    path = ("key", "rationales")
    for ref in refs:
        if ref not in given:
            yield Fault("missing-rationale", path, f"{what} “{ref}” has no rationale; add one")
        elif ref in weaker and given[ref].better is None:
            message = f"{what} “{ref}” needs `better`: what should be said or done instead"
            yield Fault("missing-better", (*path, ref), message)
    yield from broken_links(path, given, refs, what)


def stranger(given: Iterable[str], known: Collection[str]) -> str | None:
    """Return the first id that is not known, or that comes a second time."""
    seen: set[str] = set()
    for ref in given:
        if ref not in known or ref in seen:
            return ref
        seen.add(ref)
    return None
