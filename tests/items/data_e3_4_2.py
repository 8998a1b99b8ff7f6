"""The 200 feedback records of e3-4-2: the counts that the exercise teaches, drawn into rows from a seed.

`python tests/items/data_e3_4_2.py` prints the table as it stands in the item.
"""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

SEED = 342
HEADER = "day,month,visit,tone,cause,rating,reply"
QUARTER = date(2026, 7, 1), date(2026, 9, 30)
SUNDAY = 6

# Cause by tone: praise, criticism, suggestion. Most records are about attitude, most of them
# praise; most criticism is about facilities; most wishes for change are about process.
CAUSES = {
    "process": (18, 22, 21),
    "systems": (6, 25, 6),
    "attitude": (46, 13, 4),
    "disclosure": (8, 6, 2),
    "marketing": (2, 4, 1),
    "returns": (3, 3, 0),
    "terms": (2, 2, 1),
    "info-safety": (3, 1, 1),
}
TONES = ("praise", "criticism", "suggestion")
# Marks fall into two humps, with the mean where hardly anybody is.
RATINGS = {"praise": {5: 70, 4: 18}, "criticism": {1: 46, 2: 22, 3: 8}, "suggestion": {4: 12, 3: 16, 2: 8}}
REPLIES = {
    "praise": {"in-time": 30, "late": 8, "none": 50},
    "criticism": {"in-time": 48, "late": 20, "none": 8},
    "suggestion": {"in-time": 4, "late": 5, "none": 27},
}
# Those who booked praise the process, those who walked in wish it were different.
PROCESS_VISITS = {
    True: {"walk-in": 2, "booked": 15, "remote": 1},
    False: {"walk-in": 35, "booked": 3, "remote": 5},
}
OTHER_VISITS = {"walk-in": 55, "booked": 15, "remote": 30}


def spread(counts: dict[str, int] | dict[int, int], random: Random) -> list[str]:
    """Each name as often as it says, shuffled."""
    names = [str(name) for name, count in counts.items() for _ in range(count)]
    random.shuffle(names)
    return names


def table() -> str:
    random = Random(SEED)
    first, last = QUARTER
    days = [first + timedelta(n) for n in range((last - first).days + 1)]
    days = [day for day in days if day.weekday() != SUNDAY]
    ratings = {tone: spread(counts, random) for tone, counts in RATINGS.items()}
    replies = {tone: spread(counts, random) for tone, counts in REPLIES.items()}
    visits = {praised: spread(counts, random) for praised, counts in PROCESS_VISITS.items()}
    rows: list[tuple[str, ...]] = []
    for cause, by_tone in CAUSES.items():
        for tone, count in zip(TONES, by_tone, strict=True):
            for _ in range(count):
                day = random.choice(days)
                if cause == "process":
                    visit = visits[tone == "praise"].pop()
                else:
                    [visit] = random.choices(list(OTHER_VISITS), list(OTHER_VISITS.values()))
                month = day.strftime("%b").lower()
                rows.append((day.isoformat(), month, visit, tone, cause, ratings[tone].pop(), replies[tone].pop()))
    random.shuffle(rows)
    rows.sort(key=lambda row: row[0])
    return "\n".join([HEADER, *map(",".join, rows)]) + "\n"


if __name__ == "__main__":
    print(table(), end="")
