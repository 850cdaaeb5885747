"""The cases: every attack, by every share of people, with every seed."""

from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Final

PEOPLE: Final = 60
# Shares of colluding people that must do no harm, and one that is only reported.
DEFENDED: Final = (0.03, 0.10)
REPORTED: Final = 0.30


class Attack(StrEnum):
    """The aim of colluding people.

    NONE: nobody colludes. FLIP: the opposite label for their texts. TRIGGER: a phrase that makes any text Positive.
    """

    NONE = "none"
    FLIP = "flip"
    TRIGGER = "trigger"


@dataclass(frozen=True, slots=True)
class Case:
    """One draw of people and votes; ``share`` of the people collude, 0 to 1."""

    attack: Attack
    share: float
    seed: int

    @property
    def colluders(self) -> int:
        """The number of colluders: at least two, since a text needs two votes."""
        return max(2, round(self.share * PEOPLE)) if self.attack is not Attack.NONE else 0

    @property
    def name(self) -> str:
        """The name of the case in the output."""
        return f"{self.attack}-{self.share:.0%}-{self.seed}".replace("%", "")


def all_cases(seeds: int) -> list[Case]:
    """Return ``seeds`` cases of no attack, and of every attack by every share; seeds vary fastest."""
    attacks = [(Attack.NONE, 0.0), *product((Attack.FLIP, Attack.TRIGGER), (*DEFENDED, REPORTED))]
    return [Case(attack, share, seed) for attack, share in attacks for seed in range(seeds)]
