"""Limits the weight of one author's texts, so that nobody gains weight by voting rarely.

Authors choose which verdicts they vote on. Other people vote only on what /label shows them.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np

from worker.gate.vote_designs import Floats

# The factor by which an author's weight may still exceed the limit.
_TOLERANCE: Final = 1.001


def within_limits(weights: Floats, usual: Floats, authors: Sequence[int | None], person_share: float) -> Floats:
    """Return the weights (texts,), lowered where necessary so that no author exceeds their limits.

    An author's texts have at most ``person_share`` (0 to 1) of all the weight or their share of the texts, whichever is
    larger. Nor do these texts have more than ``usual`` (texts,), the weight that they would have if everybody voted
    equally often. A text without an author counts towards nobody's limits.
    """
    texts_of: dict[int, list[int]] = defaultdict(list)
    for text, author in enumerate(authors):
        if author is not None:
            texts_of[author].append(text)
    owned = [np.array(texts) for texts in texts_of.values()]
    shares = [max(person_share, len(texts) / len(weights)) for texts in owned]
    most = [float(usual[texts].sum()) for texts in owned]
    lowered, excess = weights.copy(), np.inf
    # A lower weight also lowers the total, and so everybody's limit.
    while excess > _TOLERANCE:
        total = float(lowered.sum())
        excess = 1.0
        for texts, share, limit in zip(owned, shares, most, strict=True):
            over = float(lowered[texts].sum()) / min(share * total, limit)
            if over > 1:
                lowered[texts] /= over
                excess = max(excess, over)
    return lowered
