"""Only regular files are replaced, and nothing is left behind if writing fails."""

import os
from pathlib import Path

import pytest

from core.errors import UnwritableFile
from core.files import atomic_write, replaced


def write(path: Path) -> None:
    with atomic_write(path) as file:
        file.write("new")


def test_the_target_of_a_link_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "there")
    write(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there").read_text() == "new"


def test_only_regular_files_are_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        (tmp_path / "link").unlink(missing_ok=True)
        (tmp_path / "link").symlink_to(tmp_path / name)
        for path in (tmp_path / name, tmp_path / "link"):
            with pytest.raises(UnwritableFile, match=f"^{path} cannot be written"):
                write(path)
    (tmp_path / "link").unlink()
    assert (tmp_path / "pipe").is_fifo()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "pipe"]


def test_a_pipe_without_a_path_is_not_a_regular_file() -> None:
    reader, writer = os.pipe()
    try:
        with pytest.raises(UnwritableFile, match=f"^/dev/fd/{writer} cannot be written: it is not a regular file"):
            write(Path(f"/dev/fd/{writer}"))
    finally:
        os.close(reader)
        os.close(writer)


@pytest.mark.parametrize("name", ["file/under", "absent/file", "x" * 250])
def test_an_impossible_path_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("kept")
    with pytest.raises(UnwritableFile):
        write(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_file_is_unchanged_if_the_block_fails(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_text("old", encoding="utf-8")

    def write_half() -> None:
        with replaced(path) as part:
            part.write_text("half", encoding="utf-8")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert path.read_text(encoding="utf-8") == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["state"]


def test_a_file_is_replaced_when_the_block_succeeds(tmp_path: Path) -> None:
    path = tmp_path / "state"
    with replaced(path) as part:
        part.write_text("new", encoding="utf-8")
        assert not path.exists()
    assert path.read_text(encoding="utf-8") == "new"
