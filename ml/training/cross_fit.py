"""Cross-fitting: predicts each corrected text with a head that was fitted on the texts in the other folds.

Fitting one head for each fold takes seconds, so every correction can be used to train the published model and still be
predicted by a head that never saw it.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from ml.training.correction_head import HeadExamples, Weights, fit_head, logistic_loss
from ml.training.frozen_features import Margins

Rows = npt.NDArray[np.bool_]
Folds = npt.NDArray[np.int64]

MAX_FOLDS: Final = 5
# Standard deviations that the prior may have, in logits.
SPREADS: Final = (0.5, 1.0, 2.0, 4.0, 8.0)


def assign_folds(groups: Sequence[str]) -> Folds:
    """Return the fold of each text (texts,), 0-based. Texts in the same group share a fold.

    There are as many folds as groups, but at most ``MAX_FOLDS``. All folds have about the same number of texts.
    """
    _, numbers, sizes = np.unique(np.asarray(groups, np.str_), return_inverse=True, return_counts=True)
    fold_of_group = np.empty(len(sizes), np.int64)
    fold_of_group[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes)) % MAX_FOLDS
    folds: Folds = fold_of_group[numbers]
    return folds


def cross_fit(examples: HeadExamples, folds: Folds, trained: Rows) -> Margins:
    """Return each voted text's margin from its fold's head (voted texts,).

    The arguments are those of ``fold_heads``.
    """
    heads = fold_heads(examples, folds, trained)
    margins = examples.margins[: len(folds)].copy()
    for fold, weights in enumerate(heads):
        margins[folds == fold] += examples.inputs[: len(folds)][folds == fold] @ weights
    return margins


def fold_heads(examples: HeadExamples, folds: Folds, trained: Rows) -> list[Weights]:
    """Return the weights of each fold's head.

    The first ``len(folds)`` examples are the voted texts, and every head replays the others. A fold's head is fitted on
    the texts in the other folds that ``trained`` (voted texts,) selects. The prior's spread is the one with the
    smallest loss on the voted texts in the other folds. For this loss, each text is predicted by the head of its own
    fold.
    """
    heads = [_path(examples, trained & (folds != fold)) for fold in range(int(folds.max(initial=-1)) + 1)]
    losses = np.zeros((len(heads), len(SPREADS)))
    for fold, path in enumerate(heads):
        own = np.flatnonzero(folds == fold)
        margins = examples.margins[own, None] + examples.inputs[own] @ path.T
        losses[fold] = logistic_loss(margins, examples.targets[own, None]).sum(axis=0)
    total = losses.sum(axis=0)
    return [path[(total - losses[fold]).argmin()] for fold, path in enumerate(heads)]


def _path(examples: HeadExamples, trained: Rows) -> Weights:
    """Return the weights for each spread (spreads, numbers), starting each fit from the previous one.

    Without texts to train on, the weights are zero, because replayed texts need no correction.
    """
    numbers = examples.inputs.shape[1]
    if not trained.any():
        return np.zeros((len(SPREADS), numbers))
    used = np.concatenate([trained, np.ones(len(examples.margins) - len(trained), np.bool_)])
    weights: Weights = np.zeros(numbers)
    path = []
    for spread in SPREADS:
        weights = fit_head(examples, used, spread, weights)
        path.append(weights)
    return np.stack(path)
