"""Credit for a calculation: its numbers within tolerance, and the sentence chosen.

A field earns its weight when what was typed can be read as a number within the
absolute or within the relative tolerance of the key; half of it for a known slip
of an otherwise right method; nothing for a listed misconception or anything else.
Of two readings (0.1304 or 13.04 %) the better one counts. The conclusion earns its
weight times the share of the sentence chosen; a red line earns nothing and raises
the flag `red-line`. Source: assessment design, code S-NUM.
"""

from __future__ import annotations

from curriculum.items.numeric.model import Field, NumericKey, NumericPublic, NumericResponse, Target
from curriculum.items.numeric.reading import readings, shown
from curriculum.model import Evidence, Score, Text

HALF = 0.5

WORDS = {
    "right": Text(zh="{ref}：{given}，对了。", en="{ref}: {given} is right."),
    "half": Text(
        zh="{ref}：{given}。方法对，差了一步；应为 {right}。",
        en="{ref}: {given}. The method is right, one step went wrong; it should be {right}.",
    ),
    "mistake": Text(
        zh="{ref}：{given}。这是常见的误算；应为 {right}。",
        en="{ref}: {given}. A common mistake; it should be {right}.",
    ),
    "off": Text(zh="{ref}：{given}，不对；应为 {right}。", en="{ref}: {given} is not right; it should be {right}."),
    "unreadable": Text(
        zh="{ref}：填的内容读不成数字；应为 {right}。",
        en="{ref}: what you typed can't be read as a number; it should be {right}.",
    ),
    "blank": Text(zh="{ref}：没有填；应为 {right}。", en="{ref}: left empty; it should be {right}."),
    "fair": Text(zh="你会这样说：“{ref}”", en="You would say: “{ref}”"),
    "weaker": Text(zh="你会这样说：“{ref}”", en="You would say: “{ref}”"),
    "red-line": Text(zh="触及红线：“{ref}”", en="This crosses a red line: “{ref}”"),
    "not-chosen": Text(zh="没有选怎么说。合适的是：“{ref}”", en="No sentence was chosen. A fair one is: “{ref}”"),
}


def score(public: NumericPublic, key: NumericKey, response: NumericResponse) -> Score:
    evidence = [judge(field, key.fields[field.id], response.values.get(field.id, "")) for field in public.fields]
    possible = sum(key.fields[field.id].weight for field in public.fields)
    flags: tuple[str, ...] = ()
    if key.conclusion:
        shares, weight = key.conclusion.shares, key.conclusion.weight
        possible += weight
        if response.choice is None:
            fair = min(name for name, share in shares.items() if share == 1)
            evidence.append(Evidence("not-chosen", fair, False, 0))
        elif response.choice in key.conclusion.red_lines:
            flags = ("red-line",)
            evidence.append(Evidence("red-line", response.choice, False, 0))
        else:
            share = shares[response.choice]
            rule = "fair" if share == 1 else "weaker"
            evidence.append(Evidence(rule, response.choice, share == 1, share * weight))
    earned = min(possible, sum(e.earned for e in evidence))
    return Score(earned, possible, flags, tuple(evidence))


def judge(field: Field, target: Target, text: str) -> Evidence:
    right = {"right": shown(target.value, field.unit)}
    read = readings(text, field.unit)
    if not read:
        return Evidence("unreadable" if text.strip() else "blank", field.id, False, 0, values=right)
    for typed in read:
        if target.is_near(typed, target.value):
            return Evidence("right", field.id, True, target.weight, values={"given": shown(typed, field.unit)})
    slips = [
        (i, slip, {**right, "given": shown(typed, field.unit)})
        for i, slip in enumerate(target.slips)
        for typed in read
        if target.is_near(typed, slip.value)
    ]
    # A number below 1 may match two slips, one for each reading: the kinder one counts.
    for i, slip, values in sorted(slips, key=lambda found: not found[1].half):
        rule, earned = ("half", HALF * target.weight) if slip.half else ("mistake", 0.0)
        return Evidence(rule, f"{field.id}.{i}", False, earned, values=values)
    return Evidence("off", field.id, False, 0, values={**right, "given": shown(read[0], field.unit)})
