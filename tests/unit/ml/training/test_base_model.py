"""Finding a base model: a folder, the packaged encoder, or a name on a local hub."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from local_hub import HubClient, run_hub

import ml.training.base_model
from ml.errors import NoBaseModel
from ml.training.base_model import DEFAULT_BASE_MODEL, find_base_model

FILES = {
    "config.json": b'{"model_type": "bert"}',
    "model.safetensors": b"weights" * 1000,
    "tokenizer.json": b"{}",
    "tokenizer_config.json": b"{}",
    "vocab.txt": b"[PAD]\n[UNK]\n",
    "pytorch_model.bin": b"a pickle",
}
PROGRAM = """
import sys
from ml.errors import NoBaseModel
from ml.training.base_model import find_base_model
try:
    found = find_base_model(sys.argv[1])
except NoBaseModel as error:
    sys.exit(str(error))
print(found.folder)
"""


@pytest.fixture
def hub_client(tmp_path: Path) -> Iterator[HubClient]:
    with run_hub(PROGRAM, {"models/owner/small": FILES}, tmp_path / "hub") as client:
        yield client


def test_the_default_is_the_packaged_encoder() -> None:
    found = find_base_model(DEFAULT_BASE_MODEL)
    assert found.name == DEFAULT_BASE_MODEL
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        assert (found.folder / name).is_file()


def test_without_the_package_the_default_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ml.training.base_model, "_PACKAGE", "a_package_that_is_not_installed")
    with pytest.raises(NoBaseModel, match="not installed in this environment"):
        find_base_model(DEFAULT_BASE_MODEL)


def test_a_folder_is_used_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    assert find_base_model(str(tmp_path)).folder == tmp_path


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoBaseModel) as caught:
        find_base_model(str(tmp_path))
    assert f"{tmp_path} has no tokenizer.json" in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", ["no such thing!", "a/b/c", "/nowhere/at/all"])
def test_a_name_that_is_neither_a_folder_nor_a_hub_name_is_refused(name: str) -> None:
    with pytest.raises(NoBaseModel) as caught:
        find_base_model(name)
    assert "neither a folder nor a hub name" in str(caught.value)


def test_a_hub_name_is_downloaded_without_pickles_and_found_again_offline(hub_client: HubClient) -> None:
    first = hub_client.find("owner/small")
    assert first.returncode == 0, first.stderr
    folder = Path(first.stdout.strip())
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        name: content for name, content in FILES.items() if name not in ("pytorch_model.bin", "vocab.txt")
    }
    assert hub_client.find("owner/small", HF_HUB_OFFLINE="1").stdout == first.stdout


@pytest.mark.parametrize(
    ("name", "settings", "reason"),
    [
        ("owner/none", {}, "the hub has no such repository"),
        ("owner/gated", {}, "the hub answered 403"),
        ("owner/torn", {}, "the download failed"),
        ("owner/small", {"HF_HUB_OFFLINE": "1"}, "it is not downloaded yet and the hub cannot be reached"),
        (
            "owner/small",
            {"HF_ENDPOINT": "http://127.0.0.1:1"},
            "it is not downloaded yet and the hub cannot be reached",
        ),
    ],
    ids=["unknown", "gated", "torn", "offline", "down"],
)
def test_a_failed_download_is_reported_in_one_sentence(
    hub_client: HubClient, name: str, settings: dict[str, str], reason: str
) -> None:
    sentence = hub_client.error_of(name, **settings)
    assert sentence.startswith(f"The base model '{name}' was not found: {reason}")
