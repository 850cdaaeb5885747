"""Files that people and the bot send. A file id encodes the file's path, so it stays valid after a restart."""

import base64
import binascii
import re
import struct
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from playground.state.ids import FILE, Counters
from playground.wire import JsonObject, Upload, bad_request

DOWNLOAD_LIMIT = 20 * 1024 * 1024
_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PATH = re.compile(r"(documents|photos|videos|voice|stickers)/file_\d+(\.[A-Za-z0-9]{1,12})?")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A stored file: its ``path`` under ``/file/bot<token>/`` and its ``size`` in bytes."""

    path: str
    size: int

    @property
    def id(self) -> str:
        """Telegram's file_id."""
        return base64.urlsafe_b64encode(self.path.encode()).decode().rstrip("=")

    def to_api(self) -> JsonObject:
        """Return the members common to all kinds of files."""
        return {"file_id": self.id, "file_unique_id": f"u{self.id}", "file_size": self.size}


class Files:
    """The folder with all files."""

    def __init__(self, folder: Path, counters: Counters) -> None:
        self._folder = folder
        self._counters = counters

    def add(self, kind: str, upload: Upload) -> StoredFile:
        """Store an upload in the ``kind`` folder: documents, photos, videos, voice or stickers."""
        suffix = PurePosixPath(upload.file_name).suffix
        extension = suffix if re.fullmatch(r"\.[A-Za-z0-9]{1,12}", suffix) else ""
        path = f"{kind}/file_{self._counters.next(FILE)}{extension}"
        target = self._folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(upload.content)
        return StoredFile(path, len(upload.content))

    def find(self, file_id: str) -> StoredFile:
        """Return the file with this id, or raise ApiError 400."""
        try:
            path = base64.b64decode(file_id + "=" * (-len(file_id) % 4), altchars=b"-_", validate=True).decode()
            return StoredFile(path, len(self.content(path)))
        except (binascii.Error, ValueError, FileNotFoundError) as error:
            raise bad_request("wrong file_id or the file is temporarily unavailable") from error

    def content(self, path: str) -> bytes:
        """Return the contents of a path under ``/file/bot<token>/``, or raise FileNotFoundError."""
        if not _PATH.fullmatch(path):
            raise FileNotFoundError(path)
        return (self._folder / path).read_bytes()


def image_size(content: bytes) -> tuple[int, int]:
    """Return the width and height in pixels of a PNG, GIF or JPEG, or raise ApiError 400 for anything else."""
    try:
        if content.startswith(b"\x89PNG\r\n\x1a\n"):
            return struct.unpack(">II", content[16:24])
        if content[:6] in (b"GIF87a", b"GIF89a"):
            return struct.unpack("<HH", content[6:10])
        if content.startswith(b"\xff\xd8"):
            return _jpeg_size(content)
    except struct.error as error:
        raise bad_request("IMAGE_PROCESS_FAILED") from error
    raise bad_request("IMAGE_PROCESS_FAILED")


def _jpeg_size(content: bytes) -> tuple[int, int]:
    """Return the width and height from the first segment that starts a frame."""
    offset = 2
    while True:
        marker, length = struct.unpack(">xBH", content[offset : offset + 4])
        if marker in _JPEG_SIZES:
            height, width = struct.unpack(">HH", content[offset + 5 : offset + 9])
            return width, height
        offset += 2 + length
