"""What nobody may promise, and when such words are no promise: “非保本” is none, “保证本金不亏” is one.

The window in which a negation counts is the clause. It starts after clause punctuation
and after “但” or “but”; in an enumeration it reaches back to the verb that the negation
belongs to (“不承诺保本、保收益”). Two negations make a promise again (“不是不保本”).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from curriculum.items.free_text.wording import Reading, Span, find
from curriculum.model import Language

LEXICON: dict[Language, str] = {
    "zh": """
        保本 | 保息 | 保收益 | 保底收益 | 本息无忧 | 本金无忧 | 刚性兑付 | 刚兑 | 本金绝对安全 |
        资金绝对安全 | 保证收益 | 保证本金 | 保证您的本金 | 保证您的收益 | 保证您本金 | 保证年化 | 保证回报 |
        保证*不亏 | 保证*不会亏 | 保证*不受损 | 保证赚 | 保证能赚 | 保证您赚 | 保证一定赚 | 确保收益 |
        确保本金 | 确保*不亏 | 确保*不会亏 | 收益有保证 | 收益有保障 | 本金有保证 | 承诺收益 | 承诺回报 |
        承诺年化 | 承诺保底 | 承诺*不亏 | 不会亏 | 不可能亏 | 亏不了 | 绝不亏 | 绝对不亏 | 本金不会*损失 |
        本金不会受损 | 稳赚 | 包赚 | 保赚 | 必赚 | 躺赚 | 只赚不赔 | 只涨不跌 | 一定赚 | 一定能赚 | 一定会赚 |
        肯定赚 | 肯定能赚 | 肯定会赚 | 零风险 | 0风险 | 无风险 | 毫无风险 | 没有风险 | 没有任何风险 | 没风险 |
        亏了我们*赔 | 亏了由我们 | 兜底收益 | 兜底本金 | 本金兜底 | 为您兜底 | 给您兜底 | 和存款一样安全 |
        跟存款一样安全 | 像存款一样安全 | 等同于存款 | 等同存款
    """,
    "en": """
        guaranteed return* | guaranteed profit* | guaranteed gain* | guaranteed yield* |
        guarantee* your money | guarantee* * principal | guarantee* * capital | guarantee* a return |
        guarantee* you a return | guarantee* returns | guarantee* your return* | guarantee* annual return* |
        guarantee* * % | guarantee* * profit* | guaranteed to make | guarantee* that you * lose |
        principal is guaranteed | principal is fully guaranteed | capital is guaranteed |
        capital is fully guaranteed | returns are guaranteed | return is guaranteed | capital guaranteed |
        principal guaranteed | capital guarantee | principal protected | promise* a return |
        promise* you a return | promised returns of | promise* returns | promise* high* returns |
        promise* * profit* | risk free | riskless | zero risk | there is no risk | there's no risk |
        has no risk | carries no risk | with no risk | no risk at all | without any risk | without risk |
        cannot lose | can't lose | can not lose | never lose money | will not lose money | won't lose money |
        will not lose any money | will not lose a cent | will not lose a penny | won't lose any money |
        won't lose a cent | won't lose a penny | sure profit* | certain profit* | sure win |
        as safe as a deposit | safe as a deposit | just like a deposit | always make* a profit |
        always make* money | certain to make
    """,
}
PROMISES: dict[Language, tuple[str, ...]] = {
    language: tuple(phrase.strip() for phrase in phrases.split("|")) for language, phrases in LEXICON.items()
}

# Nobody's negation reaches further; and no text can make us look at it again and again.
LONGEST_CLAUSE = 150
# Where a clause starts anew.
CLAUSE: dict[Language, re.Pattern[str]] = {
    "zh": re.compile(r"[,;:。!?\n()—]|但是?|可是|不过|然而|却"),
    "en": re.compile(r"[,;:!?\n()—–]|\.(?=\s|$)|\s-\s|\b(?:but|however|although|though|whereas)\b"),
}
# Words that hold a negation's letters, or the word itself, without negating what follows; then the negations.
NEGATION: dict[Language, re.Pattern[str]] = {
    "zh": re.compile(
        r"(?:不[仅但只止光单管论过错断愧同妨]|非常|除非|无非|无疑|无论|无忧|[无零毫]风险|未来|特别|别人|分别|个别|区别|级别|"
        r"差不多|[不无别勿][要须需用必]*担心|[不别]要?怕|没问题|没事|没关系|是不是|能不能|会不会|有没有|好不好)"
        r"|(并非|绝非|不存在|[决绝]不|从不|从未|不[是会能得可应该]|没有|无法|难以|谈不上|算不上|禁止|严禁|拒绝|避免|杜绝|"
        r"[不非没无未勿别莫])"
    ),
    "en": re.compile(
        r"\b(?:not only|not just|not merely|no doubt|without doubt|without a doubt|without fail|no matter|no problem|"
        r"no worries|not to worry|(?:do not|don't|never|no need to|needn't|need not) (?:worry|fear)[a-z]*)\b"
        r"|\b(neither\b.*\bnor|not|no|never|without|none|neither|nor|nobody|nothing|cannot|unable|impossible|refuses?|refused|avoid|"
        r"forbid|forbids|forbidden|prohibits?|prohibited|illegal|non|hardly)\b|n't\b()"
    ),
}
# Somebody else's words, a warning or a question is no promise of ours.
HEARSAY: dict[Language, re.Pattern[str]] = {
    "zh": re.compile(
        r"如果?有人|若有人|凡是?(?:承诺|宣称|声称|以)|遇到|谨防|警惕|当心|小心|提防|轻信|勿信|(?:不要|别|切勿)相信|"
        r"(?:任何人|有人|谁|对方|骗子|陌生人).{0,8}(?:说|称|承诺|宣传|许诺|推荐|推销)|是否|是不是|能不能|会不会|[您客]户?问|[这那]句$"
    ),
    "en": re.compile(
        r"\b(?:if (?:anyone|anybody|someone|somebody)|anyone who|anybody who|whoever|beware|scammers?|fraudsters?|"
        r"be (?:careful|wary)|wary of|watch out|whether|you asked|asked (?:if|about)|you said(?: \w+)? that)\b"
    ),
}
AFTERWARDS: dict[Language, re.Pattern[str]] = {
    "zh": re.compile(
        r"[待欠]|的(?:我们?|本[行店])?(?:这[儿里])?没有$|(?:风险)?(?:提示|测评|评估|揭示|等级)|.{0,8}?(?:都|也|是|均|并|我们|谁)*(?:不可能|不存在|做不到|不允许|不被允许|违规|违法|不实|不属实|错误|不能承诺|无法承诺|"
        r"不能保证|无法保证|不能答应)(?:的|了|行为|说法|宣传|承诺)*$"
    ),
    "en": re.compile(
        r" (?:free|warning|level|test|assessment|call|visit|"
        r"(?:your|the|this) (?:place|turn|number|case|claim|rights?|card|policy))\b|"
        r"[^.]{0,20}?\b(?:"
        r"(?:do|does) not exist|(?:don't|doesn't) exist|"
        r"(?:is not|are not|is never|are never|isn't|aren't) "
        r"(?:possible|allowed|permitted|available|offered|something)|"
        r"(?:is|are) (?:impossible|illegal|forbidden|prohibited)|"
        r"(?:cannot|can't) (?:exist|be (?:given|made|promised|offered|guaranteed)))\b"
    ),
}
# Which verbs pass their negation on to every entry of a Chinese list: “不收费、保本” denies no more than the fee.
LIST_VERB = re.compile("承诺|保证|许诺|担保|提供|意味|代表|属于|是|构成|等于|存在|包括|保")
SUBJECT = re.compile(r"\b(?:we|i|you|it|this|they|the fund|the plan)\b")
OR = re.compile(r"\b(?:or|nor)\b")


def forbidden_promises(text: str, language: Language) -> list[str]:
    """Return each promise in the text that nobody in the house may make, as it was written."""
    reading = Reading(text)
    spans = asserted(reading, PROMISES[language], language)
    return list(dict.fromkeys(reading.quote(reading.origin(language, span), 0) for span in spans))


def asserted(reading: Reading, phrases: Iterable[str], language: Language) -> Iterator[Span]:
    """Yield each place where one of the phrases is said and not denied."""
    for phrase in phrases:
        for span in find(reading, phrase, language):
            if not is_denied(reading.views[language], span, language):
                yield span


def is_denied(view: str, span: Span, language: Language) -> bool:
    """Return whether the clause takes back, or does not claim, what stands at `span`."""
    start, mark, ahead = max(0, span.start - LONGEST_CLAUSE), "", ""
    for boundary in CLAUSE[language].finditer(view, start, span.start):
        start, mark, ahead = boundary.end(), boundary[0], view[start : boundary.start()]
    before = view[start : span.start]
    end = min(len(view), span.end + LONGEST_CLAUSE)
    following = CLAUSE[language].search(view, span.end, end)
    after = view[span.end : following.start() if following else end]
    if HEARSAY[language].search(before) or AFTERWARDS[language].match(after):
        return True
    if language == "zh":
        head, _mark, own = before.rpartition("、")
        return is_negated(own, "zh") or (bool(LIST_VERB.search(head)) and is_negated(head, "zh"))
    if is_negated(before, "en"):
        return True
    is_list = mark == "," and not SUBJECT.search(before) and OR.search(f"{before}{after}")
    return bool(is_list) and is_negated(ahead, "en")


def is_negated(words: str, language: Language) -> bool:
    """Return whether an odd number of negations stands in `words`."""
    return sum(match.lastindex is not None for match in NEGATION[language].finditer(words)) % 2 == 1
