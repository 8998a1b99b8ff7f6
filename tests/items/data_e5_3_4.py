"""The 72 double marks of e5-3-4, twelve role plays by six criteria, drawn into rows from a seed.

`python tests/items/data_e5_3_4.py` prints the table as it stands in the item.
"""

from __future__ import annotations

from random import Random

SEED = 534
HEADER = "play,criterion,first,second,gap"
PLAYS = tuple(f"p{number:02}" for number in range(1, 13))

# p07 is the halo: the second rater gives 3 throughout, over a red line that the first rater heard.
# p11 is empathy without the formula. Both raters' marks add up to 155.
SPECIAL = {
    "p07": {"truth": (1, 3), "empathy": (3, 3), "clarity": (2, 3), "action": (2, 3), "rules": (0, 3), "form": (3, 3)},
    "p11": {"truth": (3, 3), "empathy": (3, 1), "clarity": (3, 2), "action": (3, 3), "rules": (3, 3), "form": (2, 2)},
}
# The other ten plays: pairs of marks and how often.
PAIRS: dict[str, dict[tuple[int, int], int]] = {
    "truth": {(3, 3): 5, (2, 2): 2, (1, 1): 2, (2, 1): 1},
    "empathy": {(2, 2): 3, (1, 1): 1, (2, 1): 1, (1, 2): 2, (3, 2): 1, (3, 3): 1, (1, 0): 1},
    "clarity": {(2, 2): 1, (1, 1): 4, (3, 3): 4, (2, 1): 1},
    "action": {(3, 3): 3, (2, 2): 2, (1, 1): 3, (0, 0): 2},
    "rules": {(3, 3): 6, (2, 2): 3, (3, 2): 1},
    "form": {(2, 2): 2, (3, 3): 4, (1, 1): 2, (2, 3): 1, (3, 2): 1},
}


def table() -> str:
    random = Random(SEED)
    drawn: dict[str, list[tuple[int, int]]] = {}
    for criterion, counts in PAIRS.items():
        drawn[criterion] = [pair for pair, count in counts.items() for _ in range(count)]
        random.shuffle(drawn[criterion])
    rows = [HEADER]
    for play in PLAYS:
        for criterion in PAIRS:
            first, second = SPECIAL[play][criterion] if play in SPECIAL else drawn[criterion].pop()
            rows.append(f"{play},{criterion},{first},{second},{abs(first - second)}")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    print(table(), end="")
