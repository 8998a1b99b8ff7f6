"""The feedback page: what you did, what it earned, why, and what is better.

One self-contained HTML page in the learner's language. An item that was not
answered shows nothing of its key: handing in blank must not buy the answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from autograde.engine import Outcome, Verdict
from autograde.marks import Mark
from autograde.mastery import ROUNDING, mastery
from curriculum.build import CriterionCell, criterion_cells, note_id
from curriculum.load import Chapter, Course
from curriculum.model import Language, Text
from curriculum.verdict import Row, number

PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
WORDS = {
    "feedback": Text(zh="学习反馈", en="Your feedback"),
    "total": Text(zh="总分", en="Total"),
    "of": Text(zh="/", en="of"),
    "points": Text(zh="分", en="points"),
    "unanswered": Text(
        zh="这道题没有作答。作答并再次提交后，这里会说明每一步的理由。",
        en="You did not answer this one. Answer it and hand in again, and the reasons will stand here.",
    ),
    "invalid": Text(
        zh="这道题保存的内容无法识别，因此没有计分。请联系培训师。",
        en="What was saved for this exercise could not be read, so it earned nothing. Please talk to your trainer.",
    ),
    "refused": Text(
        zh="你的作答记录无法读取，因此没有计分。请联系培训师。",
        en="The record of your answers could not be read, so nothing was scored. Please talk to your trainer.",
    ),
    "changed": Text(
        zh="你提交的文件与发布的不完全一致。这不影响成绩：只有保存下来的答案才计分。",
        en="The files you handed in differ from what was released. This changes no score: only saved answers count.",
    ),
    "by_hand": Text(zh="由培训师评定", en="set by your trainer"),
    "waiting": Text(
        zh="分还在等培训师评定；在那之前，这个成绩是暂时的。",
        en="points are still to be marked by your trainer; until then this grade is provisional.",
    ),
    "not_marked": Text(zh="尚未评定", en="not marked yet"),
    "marked": Text(zh="培训师的评定", en="Marked by your trainer"),
    "late": Text(zh="迟交扣分", en="Late hand-in"),
    "comment": Text(zh="培训师的话", en="From your trainer"),
    "written": Text(zh="写下的内容", en="What was written"),
    "right": Text(zh="做得好", en="Well done"),
    "partly": Text(zh="对了一部分", en="Partly right"),
    "wrong": Text(zh="还不对", en="Not right yet"),
    "why": Text(zh="为什么", en="Why"),
    "better": Text(zh="更好的做法", en="Better"),
    "example": Text(zh="示范", en="For example"),
    "to_trainer": Text(zh="你写给培训师的话", en="Your note to your trainer"),
    "handbook": Text(zh="手册要点", en="Handbook"),
    "rule": Text(zh="规定", en="Rule"),
    "receipt": Text(zh="回执号", en="Receipt"),
    "mastery": Text(zh="掌握了什么", en="What you have mastered"),
    "part": Text(zh="部分", en="Part"),
    "reached": Text(zh="得到", en="Reached"),
    "needed": Text(zh="要求", en="Asked for"),
    "result": Text(zh="结果", en="Result"),
    "sections": Text(zh="各节", en="Sections"),
    "competencies": Text(zh="各项能力（本章的练习）", en="Competencies, in this chapter's exercises"),
    "mastered": Text(zh="已掌握", en="Mastered"),
    "not_yet": Text(zh="尚未掌握", en="Not yet"),
    "crossed": Text(zh="越过红线：", en="A red line was crossed in:"),
    "exercises": Text(zh="题数", en="Exercises"),
    "again": Text(zh="再练一次：", en="Practise again:"),
    "short": Text(zh="还差在这些题：", en="Still short in:"),
    "still": Text(zh="分还在等培训师评定", en="points are still to be marked"),
    "cut": Text(
        zh="一节算掌握：得到它 {section} 的分，没有越过红线，每个要动手做的要点至少有一道题做到 {point}。"
        "全课程通过：总分 {course}，每节都掌握，每项能力 {competency}，没有越过红线。反思题不计入。",
        en="A section is mastered with {section} of its points, no red line crossed, and {point} in at least one "
        "exercise for each thing that has to be done. The whole course is passed with {course} of all points, every "
        "section mastered, {competency} in every competency, and no red line crossed. Reflections decide nothing.",
    ),
    "provisional": Text(
        zh="其中总分线是暂定的，还没有由评审组确定。",
        en="The cut for the whole course is provisional: no panel of judges has set it yet.",
    ),
    "note": Text(
        zh="每一处得分都来自你保存的答案和上面列出的理由。有疑问请带上回执号找培训师。",
        en="Every point has an answer you saved and a reason behind it. Questions? Show your trainer the receipt.",
    ),
}


@cache
def templates() -> Environment:
    folder = Path(__file__).parent / "templates"
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "signed": signed, "percent": percent, "reasons": reasons}
    return environment


def reasons(rows: Iterable[Row], language: Language, course: Course | None, compact: bool) -> Markup:
    """Return lines of feedback as list entries, with the words of the course's points and rules if it is given."""
    if course is None:
        return Markup("\n".join([reason_once(row, language, row.good or compact) for row in rows]))
    return Markup("\n".join([reason_in(row, language, row.good or compact, course) for row in rows]))


@lru_cache(maxsize=2**14)
def reason_once(row: Row, language: Language, folded: bool) -> Markup:
    # Many learners give the same answers, and most of grading's time went here.
    return reason_in(row, language, folded, None)


def reason_in(row: Row, language: Language, folded: bool, course: Course | None) -> Markup:
    template = templates().get_template("reason.html")
    return Markup(template.render(row=row, lang=language, folded=folded, course=course, words=WORDS))


def percent(share: float) -> str:
    """Return a share in whole per cent, rounded down, so that nothing short of a mark looks like it."""
    return f"{int(100 * share + ROUNDING)} %"


def signed(value: float) -> str:
    """Return raw units with their sign, and a minus that is one."""
    return f"+{number(value)}" if value > 0 else f"\u2212{number(-value)}"


def fragment(title: Text, outcome: Outcome, language: Language) -> str:
    """Return the reasons for one score as HTML, as the instructor sees them in formgrader."""
    template = templates().get_template("fragment.html")
    return template.render(title=title, outcome=outcome, lang=language, words=WORDS, course=None, mark=None)


def criterion(cell: CriterionCell, language: Language) -> str:
    """Return a criterion with its levels and their points as Markdown, as the instructor marks it in formgrader."""
    best = len(cell.criterion.levels) - 1
    levels = (
        f"- **{number(cell.points * i / best)}** – {level[language]}" for i, level in enumerate(cell.criterion.levels)
    )
    return "\n".join([f"**{cell.criterion.title[language]}**", "", *levels])


def as_markdown(text: str) -> str:
    """Return Markdown that shows `text` as it is, whatever markup it holds."""
    lines = (PUNCTUATION.sub(lambda match: f"&#{ord(match[0])};", line.strip()) for line in text.splitlines())
    return "  \n".join(line or "&nbsp;" for line in lines)


def page(
    course: Course,
    chapter: Chapter,
    verdict: Verdict,
    marks: Mapping[str, Mark],
    comments: Mapping[str, str | None],
    penalty: float,
) -> str:
    """Return the page of one learner and chapter.

    `marks` are the gradebook's by item, `comments` by cell name; `penalty` is in points.
    """
    parts = []
    for outcome in verdict.outcomes:
        item, mark = course.items[outcome.item], marks[outcome.item]
        names = [note_id(item.id), item.id, *(cell.id for cell in criterion_cells(item, outcome.points))]
        said = [words for name in names if (words := comments.get(name))]
        parts.append((item.head.title, outcome, mark, "\n".join(said)))
    return (
        templates()
        .get_template("feedback.html")
        .render(
            course=course,
            chapter=chapter,
            verdict=verdict,
            parts=parts,
            penalty=penalty,
            earned=max(0.0, sum(mark.score for mark in marks.values()) - penalty),
            possible=sum(outcome.points for outcome in verdict.outcomes),
            waiting=sum(mark.waiting for mark in marks.values()),
            mastery=mastery(course, chapter, verdict, marks),
            passing=course.plan.passing,
            lang=verdict.language,
            words=WORDS,
        )
    )
