"""The rules by which a gradebook is looked through: what each says, from where on, and what chance alone would do.

Thresholds stand here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from autograde.audit.traces import CHARACTERS_A_MINUTE, FASTEST, WORDS_A_MINUTE
from curriculum.model import Text

# From where on a rule speaks.
ALIKE_EXPECTED = 0.05  # pairs of a chapter that chance would bring
PACE_ITEMS = 5  # exercises answered, at least
APART_P = 0.01  # divided by the number of markers
APART_GAP = 0.15  # of the standard deviation of all marks
KAPPA = 0.70  # quadratic weights
KAPPA_WORKS = 20  # marked by both, at least
SAME_POINTS = 1e-6


@dataclass(frozen=True, slots=True)
class Rule:
    """A reason to look: what it means, from where on, and how many it would bring by chance."""

    id: str
    title: Text
    what: Text
    threshold: Text
    chance: Text


FACT = Text(zh="这是事实，不是推断：偶然不会造成。", en="A fact and no inference: chance brings none.")

RULES: Mapping[str, Rule] = {
    rule.id: rule
    for rule in (
        Rule(
            "after-release",
            Text(zh="反馈发布后的改动", en="Changed after release"),
            Text(
                zh="学员已能看到反馈页之后，与得分有关的内容或评语被改动，不论是人还是批改程序所为。"
                "对待评内容的初次评分不算。",
                en="What bears on a score, or a comment, was changed after the learner could read the feedback, by a "
                "person or by a grading run. A first mark of what was waiting for one is no change.",
            ),
            Text(zh="任何一次", en="any"),
            FACT,
        ),
        Rule(
            "no-reason",
            Text(zh="没有理由的改动", en="No reason given"),
            Text(
                zh="需要说明理由而没有说明：反馈发布后的改动、推翻自动得分、修改先前的人工评分。对待评内容的初次评分"
                "不需要理由。",
                en="A change that needs a reason has none: after release, over an automatic score, or over an "
                "earlier mark. A first mark of what was waiting for one needs none.",
            ),
            Text(zh="任何一次", en="any"),
            FACT,
        ),
        Rule(
            "override",
            Text(zh="人工改写自动得分", en="Automatic score overridden"),
            Text(
                zh="某题的自动得分被人改成别的分数，或加了附加分。",
                en="A person put another score in the place of the automatic one, or extra credit on top.",
            ),
            Text(zh="任何差别", en="any difference"),
            FACT,
        ),
        Rule(
            "marker",
            Text(zh="评分偏离他人的评分者", en="A marker apart from the others"),
            Text(
                zh="在同样的评分标准上，某人的评分明显高于或低于其他人。",
                en="On the same criteria, one person marks higher or lower than the others do.",
            ),
            Text(
                zh=f"平均相差超过全部评分标准差的 {APART_GAP}，且置换检验 p < {APART_P} ÷ 评分者人数",
                en=f"mean difference above {APART_GAP} of the standard deviation of all marks, and p < {APART_P} ÷ "
                "number of markers in a permutation test",
            ),
            Text(
                zh=f"若各人评的作品同样好：整本成绩册至多 {APART_P} 人。作品不是随机分配时，也可能是作品本身不同。",
                en=f"If all mark equally good work, at most {APART_P} markers a gradebook. Where work is not "
                "shared out at random, the work itself may differ.",
            ),
        ),
        Rule(
            "agreement",
            Text(zh="两位评分者一致性低", en="Two markers agree too little"),
            Text(
                zh="两人评过同样的作品，等级却常常不同。",
                en="Two people marked the same works, and their levels differ too often.",
            ),
            Text(
                zh=f"至少 {KAPPA_WORKS} 份共同评分，二次加权 κ < {KAPPA}",
                en=f"at least {KAPPA_WORKS} marks of the same, quadratic κ below {KAPPA}",
            ),
            Text(zh="未知：取决于评分者真实的一致程度。", en="Unknown: it depends on how far they truly agree."),
        ),
        Rule(
            "same-answers",
            Text(zh="相同的错误答案", en="The same wrong answers"),
            Text(
                zh="两位或更多学员在多道题上错得一模一样，或者还以同样的、不同于课程的顺序作答。全对的答案不算；"
                "越少见的错误分量越重。",
                en="Two or more learners are wrong in the same way in many exercises, perhaps answered in the "
                "same order, which is not the lesson's. Answers that are entirely right don't count; the rarer "
                "an error, the more it weighs.",
            ),
            Text(
                zh=f"每章偶然出现的同样相似的组合预期不超过 {ALIKE_EXPECTED} 对",
                en=f"chance would bring at most {ALIKE_EXPECTED} such pairs a chapter",
            ),
            Text(
                zh=f"若各人独立作答：每章至多 {ALIKE_EXPECTED} 对（由本批学员的答案频率算出的上界）。"
                "一起学错的人也会相似。",
                en=f"If all answer independently, at most {ALIKE_EXPECTED} pairs a chapter: a bound worked out "
                "from how often each answer was given here. Who was taught the same error is alike too.",
            ),
        ),
        Rule(
            "speed",
            Text(zh="快得读不完", en="Faster than reading"),
            Text(
                zh="题目与选项还来不及读完，答案就已给出。时间由学员一侧记录。",
                en="Answers came before task and options can have been read. The times are those of the learner's "
                "side.",
            ),
            Text(
                zh=f"至少 {PACE_ITEMS} 题，其中位数所用时间少于以平均速度 {FASTEST} 倍阅读所需（中文平均每分钟 "
                f"{CHARACTERS_A_MINUTE} 字，英文 {WORDS_A_MINUTE} 词）",
                en=f"at least {PACE_ITEMS} exercises, the median taking less time than reading at {FASTEST} times "
                f"the mean speed ({WORDS_A_MINUTE} English words, {CHARACTERS_A_MINUTE} Chinese characters a "
                "minute)",
            ),
            Text(
                zh="未知：没有真人作答时间的数据。以前看过题目的人会更快。",
                en="Unknown: no times of real learners have been gathered. Who has seen an exercise before is quicker.",
            ),
        ),
        Rule(
            "late",
            Text(zh="逾期提交", en="Handed in late"),
            Text(zh="提交时间晚于截止时间。", en="It was handed in after the deadline."),
            Text(zh="任何逾期", en="any"),
            FACT,
        ),
        Rule(
            "tampering",
            Text(zh="文件不是系统写出的样子", en="Files not as they were written"),
            Text(
                zh="批改时发现笔记本被改动，作答记录断链或不能读取，或答案无效。",
                en="Grading found the notebook changed, the response log broken or unreadable, or an answer that "
                "is none.",
            ),
            Text(zh="任何一次", en="any"),
            Text(
                zh="未知：磁盘损坏或程序错误也会造成。",
                en="Unknown: a broken disk or a fault in the programs does the same.",
            ),
        ),
        Rule(
            "unmarked",
            Text(zh="未评的文字题", en="Free texts not marked"),
            Text(zh="仍有分数等人评定。", en="Points are still a person's to give."),
            Text(zh="任何一份", en="any"),
            FACT,
        ),
        Rule(
            "no-evidence",
            Text(zh="没有依据的得分或通过", en="A score or a pass without evidence"),
            Text(
                zh="有得分而无批改依据，依据与得分不符，依据对应的题目版本或作答记录与日志不符，"
                "或在缺少依据时判定通过。",
                en="A score has no evidence, or differs from it; the evidence names another wording or another "
                "record than the log has; or a chapter was passed on such scores.",
            ),
            Text(zh="任何一处", en="any"),
            FACT,
        ),
    )
}
