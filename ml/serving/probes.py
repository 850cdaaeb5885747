"""Probe texts. Their logits are recorded when a model is published and compared when it is loaded.

Probes detect faults that hashes cannot: an engine, tokenizer or CPU whose results differ from the publisher's.
"""

from itertools import product
from typing import Final

_SUBJECTS = (
    "The film",
    "This series",
    "The lead actor",
    "Her second novel",
    "The soundtrack",
    "That hotel by the lake",
    "The new camera",
    "Our dinner there",
)
_OPINIONS = (
    "was a joy from start to finish, and I would gladly go through it again.",
    "left me cold: clumsy, far too long and not worth the money.",
    "is not bad at all, though I had hoped for a little more.",
    "starts well, falls apart half way and never recovers.",
    "surprised everyone; even my grumpy uncle smiled.",
    "could hardly have been worse.",
    "did what it promised, no more and no less.",
    "deserves every prize it did not win!",
)

PROBES: Final = tuple(f"{subject} {opinion}" for subject, opinion in product(_SUBJECTS, _OPINIONS))
