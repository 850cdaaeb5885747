"""Checks that commands that need TensorFlow run in the training environment."""

from importlib.util import find_spec

from core.errors import NeedsTrainingEnvironment

# This package is installed only together with TensorFlow, SciPy and everything else that training and evaluation need.
_PACKAGE = "keras"


def require_training_environment(command: str) -> None:
    """Raise NeedsTrainingEnvironment, which names the make target to use, if ``thumbs command`` can't run here."""
    if find_spec(_PACKAGE) is None:
        raise NeedsTrainingEnvironment(command=command, package=_PACKAGE, target=command.replace("-", ""))
