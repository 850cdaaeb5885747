"""Checkpoints from which a fine-tune can resume after Ctrl-C, a crash or a kill.

A single safetensors file contains every variable (weights, optimiser moments, the states of the random generators) and,
in its header, the step and the plan. The file is replaced atomically, so it is always complete.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from core.errors import UnwritableFile
from core.files import replaced
from ml.errors import NothingToResume

_FILE = "training.safetensors"


def plan_digest(**facts: object) -> str:
    """Return a hash of everything that determines a fine-tune. A checkpoint from a different plan is not resumed."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The checkpoint for one plan, in ``folder``."""

    folder: Path
    plan: str

    def save(self, network: keras.Model, step: int) -> None:
        """Save every variable of the network and its optimiser after ``step`` steps.

        Raise UnwritableFile if the checkpoint cannot be written, for example because the disk is full. In that case,
        keep the previous checkpoint.
        """
        values = {name: keras.ops.convert_to_numpy(variable) for name, variable in _variables(network).items()}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._remove_partial_files()
            with replaced(self.folder / _FILE) as part:
                save_file(values, part, metadata={"step": str(step), "plan": self.plan})
        except (OSError, SafetensorError) as error:
            raise UnwritableFile(path=self.folder / _FILE, reason=str(error)) from error

    def load(self, network: keras.Model) -> int:
        """Restore every variable, and return the step after which they were saved.

        Raise NothingToResume if there is no checkpoint of this plan.
        """
        path = self.folder / _FILE
        try:
            with safe_open(path, framework="numpy") as stored:
                facts: Mapping[str, str] = stored.metadata() or {}
                if facts.get("plan") != self.plan:
                    raise NothingToResume(path=path, reason="it belongs to a different recipe, base or data set")
                for name, variable in _variables(network).items():
                    variable.assign(np.asarray(stored.get_tensor(name)))
                return int(facts["step"])
        except (OSError, SafetensorError) as error:
            raise NothingToResume(path=path, reason=f"it cannot be read ({error})") from error

    def _remove_partial_files(self) -> None:
        """Delete the files left by processes that were killed while writing a checkpoint.

        For BERT-base, such a file can take up 1.3 GB.
        """
        for path in self.folder.iterdir():
            if path.name.startswith(f".{_FILE}"):
                path.unlink()

    def remove(self) -> None:
        """Delete the checkpoint. Call this once the model is published."""
        if self.folder.is_dir():
            shutil.rmtree(self.folder)


def _variables(network: keras.Model) -> dict[str, Any]:
    """Return every variable, keyed by a name that does not depend on how many layers the process created earlier."""
    variables = [*network.variables, *network.optimizer.variables]
    return {f"{number:04d}": variable for number, variable in enumerate(variables)}
