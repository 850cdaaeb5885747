"""The environment that commands with TensorFlow run in; the one that serves is smaller."""

from importlib.util import find_spec

from core.errors import NeedsTrainingEnvironment

# It comes with TensorFlow, SciPy and all else that only training and measuring need.
_PACKAGE = "keras"


def require_training_environment(command: str) -> None:
    """Raise NeedsTrainingEnvironment, with the make target to use, where ``thumbs command`` cannot run."""
    if find_spec(_PACKAGE) is None:
        raise NeedsTrainingEnvironment(command=command, package=_PACKAGE, target=command.replace("-", ""))
