"""The 118 records of e5-3-2: the counts that the exercise teaches, drawn into rows from a seed.

`python tests/items/data_e5_3_2.py` prints the table as it stands in the item.
"""

from __future__ import annotations

from random import Random

SEED = 532
HEADER = "month,channel,entry,tone,cause,handler,mark"
MONTHS = ("jul", "aug", "sep")

# First entries that want a change, by cause: in July, August and September; by handler; by channel.
# Papers belong to everybody and rise, manner belongs to b3; neither shows before the repeats are gone.
WISHES: dict[str, tuple[tuple[int, int, int], dict[str, int], dict[str, int]]] = {
    "papers": (
        (6, 10, 16),
        {"a1": 4, "a2": 4, "a3": 5, "a4": 4, "b1": 4, "b2": 4, "b3": 3, "b4": 4},
        {"survey": 8, "call-back": 7, "rating": 5, "staff": 12},
    ),
    "progress": (
        (7, 7, 6),
        {"a1": 3, "a2": 2, "a3": 2, "a4": 3, "b1": 3, "b2": 2, "b3": 3, "b4": 2},
        {"survey": 10, "call-back": 3, "rating": 3, "staff": 4},
    ),
    "letters": (
        (4, 4, 4),
        {"a1": 2, "a2": 1, "a3": 1, "a4": 2, "b1": 1, "b2": 2, "b3": 2, "b4": 1},
        {"survey": 5, "call-back": 3, "rating": 2, "staff": 2},
    ),
    "manner": ((2, 3, 3), {"a2": 1, "b1": 1, "b3": 6}, {"survey": 2, "call-back": 3, "rating": 3}),
    "app": (
        (2, 2, 1),
        {"a1": 1, "a4": 1, "b1": 1, "b2": 1, "b4": 1},
        {"survey": 2, "call-back": 1, "rating": 1, "staff": 1},
    ),
    "other": ((1, 1, 1), {"a2": 1, "a3": 1, "b4": 1}, {"survey": 1, "call-back": 1, "staff": 1}),
}
PRAISE_CAUSES = {"manner": 12, "progress": 6, "letters": 4}
PRAISE_CHANNELS = {"survey": 12, "rating": 6, "call-back": 4}
PRAISE_HANDLERS = {"a1": 3, "a2": 4, "a3": 3, "a4": 2, "b1": 3, "b2": 3, "b3": 1, "b4": 3}
PRAISE_MONTHS = {"jul": 8, "aug": 7, "sep": 7}
# Unlike scales with the same share in their lower two fifths: 18 of 40 in the survey, 9 of 20 online.
WISH_MARKS = {
    "survey": {1: 3, 2: 4, 3: 5, 4: 6, 5: 5, 6: 5},
    "rating": {1: 4, 2: 5, 3: 5},
    "call-back": {2: 6, 3: 9, 4: 3},
}
PRAISE_MARKS = {"survey": {8: 4, 9: 5, 10: 3}, "rating": {4: 2, 5: 4}, "call-back": {4: 2, 5: 2}}
# One customer's quarrel with b3, told again and again.
REPEATS = {"rating": 9, "survey": 4, "call-back": 1}


def table() -> str:
    random = Random(SEED)

    def spread(counts: dict[str, int] | dict[int, int]) -> list[str]:
        """Each name as often as it says, shuffled."""
        names = [str(name) for name, count in counts.items() for _ in range(count)]
        random.shuffle(names)
        return names

    wish_marks = {channel: spread(counts) for channel, counts in WISH_MARKS.items()}
    praise_marks = {channel: spread(counts) for channel, counts in PRAISE_MARKS.items()}
    rows: list[tuple[str, ...]] = []
    for cause, (by_month, by_handler, by_channel) in WISHES.items():
        months = spread(dict(zip(MONTHS, by_month, strict=True)))
        for month, handler, channel in zip(months, spread(by_handler), spread(by_channel), strict=True):
            mark = "0" if channel == "staff" else wish_marks[channel].pop()
            rows.append((month, channel, "first", "wish", cause, handler, mark))
    praise = zip(
        spread(PRAISE_CAUSES), spread(PRAISE_CHANNELS), spread(PRAISE_HANDLERS), spread(PRAISE_MONTHS), strict=True
    )
    for cause, channel, handler, month in praise:
        rows.append((month, channel, "first", "praise", cause, handler, praise_marks[channel].pop()))
    for channel, count in REPEATS.items():
        rows += [("sep", channel, "again", "wish", "manner", "b3", "1")] * count
    rows += [(month, "rating", "test", "praise", "other", "a1", "5") for month in ("jul", "aug")]
    random.shuffle(rows)
    rows.sort(key=lambda row: MONTHS.index(row[0]))
    return "\n".join([HEADER, *(",".join(row) for row in rows)]) + "\n"


if __name__ == "__main__":
    print(table(), end="")
