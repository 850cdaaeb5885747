"""The artifact store stores whole folders at any address, and never changes folders outside it."""

from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from storage.errors import ModelFolderUnusable, NotInTheStore, StoreUnusable
from storage.models.artifact_store import ArtifactStore

FILES = {"manifest.json": b"{}", "model.safetensors": bytes(range(256))}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder with two files."""
    folder = tmp_path / "candidate"
    folder.mkdir()
    for name, contents in FILES.items():
        (folder / name).write_bytes(contents)
    return folder


@pytest.fixture(params=["folder", "file address", "memory address"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ArtifactStore:
    """An empty store of each kind."""
    addresses = {
        "folder": str(tmp_path / "store"),
        "file address": f"file://{tmp_path}/store",
        "memory address": f"memory://{tmp_path.name}/store",
    }
    return ArtifactStore.open(addresses[request.param])


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_model_is_fetched_unchanged(store: ArtifactStore, model: Path, tmp_path: Path) -> None:
    assert store.names() == []
    location = store.put(model, "1-one")
    assert store.names() == ["1-one"]
    assert contents(store.fetch(location, tmp_path / "fetched")) == FILES
    assert contents(store.fetch(location, tmp_path / "fetched")) == FILES


def test_putting_a_model_again_changes_nothing(store: ArtifactStore, model: Path, tmp_path: Path) -> None:
    assert store.put(model, "1-one") == store.put(model, "1-one")
    assert store.names() == ["1-one"]
    assert contents(store.fetch("1-one", tmp_path / "fetched")) == FILES


def test_removing_a_model_keeps_the_others(store: ArtifactStore, model: Path, tmp_path: Path) -> None:
    for name in ("1-one", "2-two"):
        store.put(model, name)
    store.remove("1-one")
    store.remove("1-one")
    assert store.names() == ["2-two"]
    with pytest.raises(NotInTheStore, match="1-one"):
        store.fetch("1-one", tmp_path / "fetched")


def test_a_folder_outside_the_store_is_used_directly_and_never_removed(
    store: ArtifactStore, model: Path, tmp_path: Path
) -> None:
    assert store.fetch(str(model), tmp_path / "fetched") == model
    store.remove(str(model))
    assert contents(model) == FILES
    with pytest.raises(ModelFolderUnusable, match="absent cannot be used: it is missing or empty"):
        store.fetch(str(tmp_path / "absent"), tmp_path / "fetched")


def test_an_interrupted_copy_leaves_no_model(model: Path, tmp_path: Path) -> None:
    store = ArtifactStore.open(str(tmp_path / "store"))
    (model / "unreadable").mkdir()
    with pytest.raises(StoreUnusable):
        store.put(model, "1-one")
    assert store.names() == []


@pytest.mark.parametrize("address", ["nowhere://bucket/models", "s4://"])
def test_an_unsupported_address_is_refused(address: str) -> None:
    with pytest.raises(StoreUnusable, match="Check ARTIFACT_STORE"):
        ArtifactStore.open(address)


def test_an_error_of_a_driver_is_one_of_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ArtifactStore.open(f"memory://{tmp_path.name}/store")

    def fail(*_: object) -> None:
        raise RuntimeError("the bucket\nis gone")

    monkeypatch.setattr(MemoryFileSystem, "isdir", fail)
    with pytest.raises(StoreUnusable, match="the bucket is gone"):
        store.fetch("1-one", tmp_path / "fetched")
