"""Lists the cases: every combination of attack, share of colluders and seed."""

from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Final

PEOPLE: Final = 60
# Shares of colluders. The first two shares must do no harm. The last share is only reported.
DEFENDED: Final = (0.03, 0.10)
REPORTED: Final = 0.30


class Attack(StrEnum):
    """The colluders' aim.

    NONE: nobody colludes. FLIP: colluders give their texts the opposite label. TRIGGER: they plant a phrase that makes
    any text Positive.
    """

    NONE = "none"
    FLIP = "flip"
    TRIGGER = "trigger"


@dataclass(frozen=True, slots=True)
class Case:
    """One case, in which the people and votes are drawn at random.

    ``share`` (0 to 1) is the share of people who collude.
    """

    attack: Attack
    share: float
    seed: int

    @property
    def colluders(self) -> int:
        """Number of colluders. There are at least two colluders, because a text needs two votes."""
        return max(2, round(self.share * PEOPLE)) if self.attack is not Attack.NONE else 0

    @property
    def name(self) -> str:
        """The case's name in the output."""
        return f"{self.attack}-{self.share:.0%}-{self.seed}".replace("%", "")


def all_cases(seeds: int) -> list[Case]:
    """Return ``seeds`` cases without an attack, and as many for each attack and share. Vary the seed fastest."""
    attacks = [(Attack.NONE, 0.0), *product((Attack.FLIP, Attack.TRIGGER), (*DEFENDED, REPORTED))]
    return [Case(attack, share, seed) for attack, share in attacks for seed in range(seeds)]
