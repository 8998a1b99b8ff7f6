"""What in a gradebook deserves a look, by the rules of `autograde.audit.rules`.

A look is no verdict. It names a place and the rule that led there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from autograde.audit.agreement import Agreement, Apart
from autograde.audit.alike import Pair, alike, rings
from autograde.audit.book import Book, Cell, Change, Standing
from autograde.audit.late import changed_values
from autograde.audit.marking import is_by_hand, marking
from autograde.audit.rules import (
    ALIKE_EXPECTED,
    APART_GAP,
    APART_P,
    KAPPA,
    KAPPA_WORKS,
    PACE_ITEMS,
    RULES,
    SAME_POINTS,
)
from autograde.audit.traces import Trace, read_traces
from autograde.audit.words import counted
from curriculum.model import Text
from curriculum.verdict import number

VALUES = 5  # told of a group of changes


@dataclass(frozen=True, slots=True)
class Look:
    """One place to look at.

    `others` are further learners it is about, `seqs` rows of the trail, and
    `expected` how many places as striking as this chance would bring, None where
    that is unknown or the rule states a fact.
    """

    rule: str
    sentence: Text
    learner: str | None = None
    chapter: str | None = None
    item: str | None = None
    others: tuple[str, ...] = ()
    seqs: tuple[int, ...] = ()
    expected: float | None = None


def find(book: Book) -> list[Look]:
    """Return all that deserves a look, in the order of the rules. Logs are read where the book has a folder."""
    traces = read_traces(book)
    found = [
        *after_release(book),
        *no_reason(book),
        *overrides(book),
        *markers(book),
        *same_answers(book, traces),
        *too_fast(traces),
        *(look for standing in book.standings for look in of_standing(standing)),
        *evidence(book, traces),
    ]
    order = {name: place for place, name in enumerate(RULES)}
    return sorted(found, key=lambda look: order[look.rule])


def after_release(book: Book) -> Iterator[Look]:
    grouped: dict[tuple[str | None, str | None], list[Change]] = defaultdict(list)
    for change in book.changes:
        if change.after_release:
            grouped[change.learner, change.chapter].append(change)
    for (learner, chapter), changes in grouped.items():
        who = ", ".join(sorted({author(change) for change in changes}))
        values = told(changes)
        zh, en = (f"（{values}）", f" ({values})") if values else ("", "")
        sentence = Text(
            zh=f"反馈发布后有 {len(changes)} 处改动{zh}，改动者：{who}。",
            en=f"{counted(len(changes), 'change')} after the feedback was out{en}, by {who}.",
        )
        yield Look("after-release", sentence, learner, chapter, seqs=tuple(change.seq for change in changes))


def author(change: Change) -> str:
    return f"run {change.run_id[:8]}" if change.run_id else change.actor


def no_reason(book: Book) -> Iterator[Look]:
    for change in book.changes:
        if change.lacks_reason:
            values = told([change])
            zh, en = (f"（{values}）", f" ({values})") if values else ("", "")
            sentence = Text(
                zh=f"{author(change)} 于 {change.at} 作了改动{zh}，没有说明理由。",
                en=f"{author(change)} made a change at {change.at}{en} and gave no reason.",
            )
            yield Look("no-reason", sentence, change.learner, change.chapter, change.cell, seqs=(change.seq,))


def told(changes: Sequence[Change]) -> str:
    """Return the numbers and dates that changes put in the place of others; comments are too long to be told."""
    found = [
        f"{value(was)} → {value(now)}"
        for change in changes
        if change.table != "comment"
        for _name, was, now in changed_values(change)
    ]
    return ", ".join(found[:VALUES]) + (", …" if len(found) > VALUES else "")


def value(one: object) -> str:
    return "–" if one is None else number(one) if isinstance(one, (int, float)) else str(one)


def overrides(book: Book) -> Iterator[Look]:
    by_cell: dict[tuple[str | None, str | None], list[int]] = defaultdict(list)
    for change in book.changes:
        if is_by_hand(change) and change.table == "grade":
            by_cell[change.learner, change.cell].append(change.seq)
    for standing in book.standings:
        for cell in standing.cells.values():
            automatic = cell.automatic or 0.0
            counts = (automatic if cell.by_hand is None else cell.by_hand) + cell.extra
            if abs(counts - automatic) > SAME_POINTS:
                sentence = Text(
                    zh=f"自动得分 {number(automatic)}，现为 {number(counts)}（满分 {number(cell.possible)}）。",
                    en=f"The automatic score was {number(automatic)}; it is now {number(counts)} of "
                    f"{number(cell.possible)}.",
                )
                seqs = tuple(by_cell[standing.learner, cell.item])
                yield Look("override", sentence, standing.learner, standing.chapter, cell.item, seqs=seqs)


def markers(book: Book) -> Iterator[Look]:
    figures = marking(book)
    count = len(figures.apart)
    for marker, apart in figures.apart.items():
        if apart.p < APART_P / count and abs(apart.difference) > APART_GAP * figures.spread:
            yield Look("marker", apart_words(marker, apart), expected=count * apart.p)
    for (first, second), figure in figures.pairs.items():
        if figure.works >= KAPPA_WORKS and figure.quadratic is not None and figure.quadratic < KAPPA:
            yield Look("agreement", agreement_words(first, second, figure))


def apart_words(marker: str, apart: Apart) -> Text:
    gap, p = f"{abs(apart.difference):.2f}", f"{apart.p:.4f}"
    zh, en = ("高", "above") if apart.difference > 0 else ("低", "below")
    return Text(
        zh=f"{marker} 的 {apart.marks} 个评分平均比他人的 {apart.others} 个{zh} {gap} 级（置换检验 p = {p}）。",
        en=f"{apart.marks} marks of {marker} lie on average {gap} levels {en} the others' {apart.others} "
        f"(permutation test, p = {p}).",
    )


def agreement_words(first: str, second: str, figure: Agreement) -> Text:
    def told(value: float | None) -> str:
        return "–" if value is None else f"{value:.2f}"

    unweighted, linear, quadratic = map(told, (figure.unweighted, figure.linear, figure.quadratic))
    return Text(
        zh=f"{first} 与 {second} 共同评分 {figure.works} 处，完全一致 {figure.exact:.0%}；Cohen κ：未加权 "
        f"{unweighted}，"
        f"线性加权 {linear}，二次加权 {quadratic}；Krippendorff α（等级）{told(figure.alpha_ordinal)}。",
        en=f"{first} and {second} marked the same {figure.works} times, {figure.exact:.0%} exactly alike; Cohen's κ "
        f"unweighted {unweighted}, linear {linear}, quadratic {quadratic}; Krippendorff's α (ordinal) "
        f"{told(figure.alpha_ordinal)}.",
    )


def same_answers(book: Book, traces: Sequence[Trace]) -> Iterator[Look]:
    by_chapter: dict[str, list[Trace]] = defaultdict(list)
    for trace in traces:
        by_chapter[trace.chapter].append(trace)
    for chapter, own in by_chapter.items():
        for names, pairs in rings(alike(own, list(book.course.chapter(chapter).points), ALIKE_EXPECTED)):
            strongest = min(pairs, key=lambda pair: pair.expected)
            yield Look(
                "same-answers", alike_words(names, strongest), names[0], chapter, others=tuple(names[1:]),
                expected=strongest.expected,
            )  # fmt: skip


def alike_words(names: Sequence[str], pair: Pair) -> Text:
    order_zh, order_en = ("，作答顺序也相同", ", answered in the same order") if pair.order else ("", "")
    expected = f"{pair.expected:.1e}"
    ring_zh, ring_en = ("", "")
    if len(names) > 2:
        ring_zh, ring_en = (
            f"共 {len(names)} 人彼此相连；最相似的是",
            f"{len(names)} learners hang together; most alike are ",
        )
    return Text(
        zh=f"{ring_zh}{pair.first} 与 {pair.second}：两人都错的 {pair.both} 题中有 {len(pair.same)} 题错得一样"
        f"{order_zh}。偶然出现的预期不超过 {expected} 对。",
        en=f"{ring_en}{pair.first} and {pair.second}: of {counted(pair.both, 'exercise')} that both got wrong, "
        f"{len(pair.same)} are wrong in the same way{order_en}. Chance would bring at most {expected} such "
        "pairs.",
    )


def too_fast(traces: Sequence[Trace]) -> Iterator[Look]:
    for trace in traces:
        if len(trace.pace) >= PACE_ITEMS and (pace := median(trace.pace.values())) < 1:
            sentence = Text(
                zh=f"{len(trace.pace)} 题的中位数用时只有最快阅读所需的 {pace:.0%}。",
                en=f"Over {len(trace.pace)} exercises the median answer took {pace:.0%} of the time that the "
                "fastest reading needs.",
            )
            yield Look("speed", sentence, trace.learner, trace.chapter)


STATES = {
    "warning": Text(
        zh="交来的笔记本与发布的不同；得分不受影响。",
        en="The notebook handed in is not the one released; no score depends on it.",
    ),
    "look": Text(
        zh="作答记录不是系统写出的样子，或有答案无效。",
        en="The response log is not as the player writes it, or an answer is none.",
    ),
    "refused": Text(zh="作答记录不能使用。", en="The response log could not be used at all."),
}


def of_standing(standing: Standing) -> Iterator[Look]:
    """Yield what a learner's chapter says of itself."""
    if standing.late_seconds > 0:
        hours = standing.late_seconds / 3600
        zh = f"逾期 {hours:.1f} 小时，扣 {number(standing.penalty)} 分。"
        en = f"Handed in {hours:.1f} hours after the deadline; {number(standing.penalty)} points were taken off."
        yield Look("late", Text(zh=zh, en=en), standing.learner, standing.chapter)
    if standing.as_graded in STATES:
        yield Look("tampering", STATES[standing.as_graded], standing.learner, standing.chapter)
    for cell in standing.cells.values():
        if cell.waiting > 0:
            zh, en = (
                f"还有 {number(cell.waiting)} 分等人评定。",
                f"{number(cell.waiting)} points still wait for a person.",
            )
            yield Look("unmarked", Text(zh=zh, en=en), standing.learner, standing.chapter, cell.item)


def evidence(book: Book, traces: Sequence[Trace]) -> Iterator[Look]:
    logged = {(trace.learner, trace.chapter): trace for trace in traces}
    for standing in book.standings:
        trace = logged.get((standing.learner, standing.chapter))
        for cell in standing.cells.values():
            for sentence in doubts(cell, trace):
                yield Look("no-evidence", sentence, standing.learner, standing.chapter, cell.item)
        bare = [name for name, cell in standing.cells.items() if cell.evidence is None]
        if standing.mastered and bare:
            sentence = Text(
                zh=f"本章判为已掌握，但有 {len(bare)} 题没有批改依据，如 {bare[0]}。",
                en=f"The chapter counts as mastered, and {counted(len(bare), 'exercise')} in it, such as "
                f"{bare[0]}, have no evidence.",
            )
            yield Look("no-evidence", sentence, standing.learner, standing.chapter)


def doubts(cell: Cell, trace: Trace | None) -> Iterator[Text]:
    """Say what is wrong between a score, its evidence and the log."""
    automatic, why = cell.automatic or 0.0, cell.evidence
    if why is None:
        if cell.score > 0:
            yield Text(
                zh=f"得 {number(cell.score)} 分，却没有批改依据。",
                en=f"It has {number(cell.score)} points and no evidence.",
            )
        return
    if cell.automatic is not None and abs(why.earned - automatic) > SAME_POINTS:
        yield Text(
            zh=f"自动得分为 {number(automatic)}，依据却是 {number(why.earned)}。",
            en=f"The automatic score is {number(automatic)}, and its evidence says {number(why.earned)}.",
        )
    counts = trace.counted.get(cell.item) if trace else None
    if trace is None or why.state == "unanswered" or why.line is None:
        return
    if counts is None or counts[0] != why.line:
        yield Text(
            zh="依据所指的作答记录，不是日志里现在算数的那一条：批改之后日志变了，或又交了一次而尚未批改。",
            en="The evidence names another record than the one that counts in the log now: the log changed after "
            "grading, or was handed in again and not graded yet.",
        )
    elif counts[1] != why.item_hash:
        yield Text(
            zh="作答时的题目版本，与批改所依据的不同。",
            en="The answer was given on another wording of the exercise than the one it was judged by.",
        )
