"""Checks that a command that needs TensorFlow runs in the training environment."""

from importlib.util import find_spec

from core.errors import NeedsTrainingEnvironment

# Installed only together with TensorFlow, SciPy and the rest of what training and evaluation need.
_PACKAGE = "keras"


def require_training_environment(command: str) -> None:
    """Raise NeedsTrainingEnvironment, which names the make target to use, if ``thumbs command`` cannot run here."""
    if find_spec(_PACKAGE) is None:
        raise NeedsTrainingEnvironment(command=command, package=_PACKAGE, target=command.replace("-", ""))
