"""A head on frozen features that corrects a model's margins: logistic regression with a Gaussian prior.

The prior is centred on the model's own head: its margin is an offset, and the correction's weights are pulled towards
zero. So without examples, the new head makes the same predictions as the model, and a few examples change them only a
little. The replayed texts' targets are the model's own probabilities, so the best correction for texts like them is
zero.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

from ml.training.frozen_features import Features, Margins

Weights = npt.NDArray[np.float64]
Shares = npt.NDArray[np.float64]

# More iterations change no prediction.
_ITERATIONS: Final = 100


@dataclass(frozen=True, slots=True)
class HeadExamples:
    """Texts to fit a head on: ``inputs`` (texts, numbers), the model's ``margins`` (texts,) and ``targets`` (texts,).

    A target is the probability of Positive: 0 or 1 for a correction, or the model's own probability for a replayed
    text.
    """

    inputs: Features
    margins: Margins
    targets: Shares


def fit_head(examples: HeadExamples, used: npt.NDArray[np.bool_], spread: float, start: Weights) -> Weights:
    """Return the weights (numbers,) of the correction, fitted on the examples that ``used`` (texts,) selects.

    ``spread`` is the standard deviation that the prior gives a correction, in logits. The search starts from ``start``.
    """
    inputs, margins, targets = examples.inputs, examples.margins, examples.targets
    counted = used.astype(np.float64)

    def loss_and_gradient(weights: Weights) -> tuple[float, Weights]:
        found = margins + inputs @ weights.astype(np.float32)
        loss = float(counted @ logistic_loss(found, targets)) + float(weights @ weights) / (2 * spread**2)
        slopes = (counted * (expit(found) - targets)).astype(np.float32)
        return loss, (inputs.T @ slopes).astype(np.float64) + weights / spread**2

    weights: Weights = minimize(
        loss_and_gradient, start, jac=True, method="L-BFGS-B", options={"maxiter": _ITERATIONS}
    ).x
    return weights


def logistic_loss(margins: Margins, targets: Shares) -> Shares:
    """Return each text's loss (texts,), in nats."""
    losses: Shares = np.logaddexp(0.0, margins) - targets * margins
    return losses
