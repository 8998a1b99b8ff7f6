"""The six criteria by which a person marks a message, and what each level looks like."""

from __future__ import annotations

from curriculum.model import Criterion, Rubric, Text


def criterion(name: str, zh: str, en: str, *levels: tuple[str, str]) -> Criterion:
    return Criterion(id=name, title=Text(zh=zh, en=en), levels=tuple(Text(zh=a, en=b) for a, b in levels))


RUBRIC = Rubric(
    share=0.5,
    criteria=(
        criterion(
            "truth",
            "真实与完整",
            "Truth and completeness",
            ("有错，或会让客户误解。", "Something is wrong, or would mislead the customer."),
            (
                "说的都对，但缺了客户必须知道的一项。",
                "Right as far as it goes, but one thing the customer needs is left out.",
            ),
            ("都对，只差一个不影响决定的细节。", "Right, with a small gap that changes nothing for the customer."),
            ("都对、齐全，也说明了哪些还不确定。", "Right and complete, and it says what is not certain yet."),
        ),
        criterion(
            "empathy",
            "体谅与尊重",
            "Empathy and respect",
            ("冷淡，或把责任推给客户。", "Cold, or it puts the blame on the customer."),
            ("只有套话，放在哪件事上都行。", "A formula that could stand in any message."),
            ("语气得当，看得出在意。", "The tone fits, and somebody cares."),
            (
                "得当，而且说到了这位客户的具体处境。",
                "It fits, and it speaks of what this has meant for this customer.",
            ),
        ),
        criterion(
            "clarity",
            "清楚易懂",
            "Clarity",
            ("客户看不懂要表达什么。", "The customer cannot tell what is meant."),
            ("有行话，或前后次序乱，要读两遍。", "Jargon or a muddled order; it takes a second reading."),
            ("大体直白，个别地方要想一想。", "Mostly plain, with a place or two to puzzle over."),
            ("直白、有条理，每一点客户都能自己核对。", "Plain and in order, and the customer can check each point."),
        ),
        criterion(
            "action",
            "行动与时间",
            "Action and timing",
            ("没有说接下来做什么。", "Nothing is said of what comes next."),
            ("有，但含糊，如“尽快”“会跟进”。", "Something, but vague: “soon”, “we will follow up”."),
            ("有具体一步，或有具体时间。", "A definite step, or a definite time."),
            (
                "做什么、谁来做、什么时候、通过什么渠道，都写明了。",
                "What, who, when and by which channel are all there.",
            ),
        ),
        criterion(
            "rules",
            "规则与边界",
            "Rules and boundaries",
            (
                "越了红线，如承诺收益、泄露信息、拦阻投诉。",
                "A red line is crossed: a promised return, leaked data, a blocked complaint.",
            ),
            ("没有越线，但忽略了一处风险。", "No line is crossed, but a risk is overlooked."),
            ("守住了边界。", "The boundaries are kept."),
            ("守住了边界，还说清了原因和能走的路。", "They are kept, and the reason and another way are explained."),
        ),
        criterion(
            "form",
            "格式与措辞",
            "Form",
            ("措辞冒犯人。", "The wording offends."),
            ("潦草：有错别字，或没头没尾。", "Careless: slips of the pen, or no beginning and no end."),
            (
                "规范：该有的都有，如称呼、署名。",
                "Proper: all that belongs there is there, such as a greeting and a name.",
            ),
            ("规范，长短和语气也合这个渠道。", "Proper, and its length and tone suit the channel."),
        ),
    ),
)
