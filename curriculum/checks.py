"""What the checks of item types have in common: ids, references to them, rationales."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from curriculum.model import Fault, Rationale

Path = tuple[str | int, ...]


def duplicate_ids(path: Path, ids: Sequence[str], what: str) -> Iterator[Fault]:
    """Report each id of the list at `path` that stands there before."""
    for i, name in enumerate(ids):
        if name in ids[:i]:
            yield Fault("duplicate-id", (*path, i, "id"), f"{what} id “{name}” is used twice; give each its own")


def broken_links(path: Path, refs: Iterable[str], known: Collection[str], what: str) -> Iterator[Fault]:
    """Report each key or list entry at `path` that is none of the known ids."""
    for i, ref in enumerate(refs):
        if ref not in known:
            place = (*path, i if isinstance(refs, (list, tuple)) else ref)
            yield Fault("broken-link", place, f"there is no {what} “{ref}”; mend the id or take it out")


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
