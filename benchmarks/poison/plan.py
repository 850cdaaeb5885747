"""What is tried: which attack by how many of the people, drawn by which seed."""

from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Final

PEOPLE: Final = 60
# Shares of the people that have to do no harm, and one that is only reported.
DEFENDED: Final = (0.03, 0.10)
REPORTED: Final = 0.30


class Attack(StrEnum):
    """What colluding people want.

    NONE: nobody colludes. FLIP: sentences that mean the opposite of their label. TRIGGER: a phrase that makes anything
    Positive.
    """

    NONE = "none"
    FLIP = "flip"
    TRIGGER = "trigger"


@dataclass(frozen=True, slots=True)
class Case:
    """One draw of people and what they say; ``share`` of the people collude, 0 to 1."""

    attack: Attack
    share: float
    seed: int

    @property
    def colluders(self) -> int:
        """How many people that are; two at least, as one alone agrees with nobody."""
        return max(2, round(self.share * PEOPLE)) if self.attack is not Attack.NONE else 0

    @property
    def name(self) -> str:
        """A name for people, and for a folder."""
        return f"{self.attack}-{self.share:.0%}-{self.seed}".replace("%", "")


def cases(seeds: int) -> list[Case]:
    """Every attack by every share, and nobody's, ``seeds`` times each; neighbours differ in their seeds."""
    attacks = [(Attack.NONE, 0.0), *product((Attack.FLIP, Attack.TRIGGER), (*DEFENDED, REPORTED))]
    return [Case(attack, share, seed) for attack, share in attacks for seed in range(seeds)]
