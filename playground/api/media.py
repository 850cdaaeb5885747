"""Creates Telegram's Document and PhotoSize objects from uploads or from files stored on the server."""

from playground.state.files import StoredFile, image_size
from playground.state.world import World
from playground.wire import JsonObject, Upload, not_built


def document_object(world: World, source: Upload | str) -> JsonObject:
    """Return Telegram's Document, storing the file first if it is an upload.

    Raise ApiError if a file id is unknown.
    """
    if isinstance(source, Upload):
        names = {"file_name": source.file_name, "mime_type": source.mime_type}
        return {**names, **world.files.add("documents", source).to_api()}
    return _stored_file(world, source).to_api()


def photo_object(world: World, source: Upload | str) -> list[JsonObject]:
    """Return an array of Telegram's PhotoSize objects, with a single entry.

    Raise ApiError if the file is not an image.
    """
    if isinstance(source, Upload):
        width, height = image_size(source.content)
        stored = world.files.add("photos", source)
    else:
        stored = _stored_file(world, source)
        width, height = image_size(world.files.content(stored.path))
    return [{**stored.to_api(), "width": width, "height": height}]


def _stored_file(world: World, file_id: str) -> StoredFile:
    if file_id.startswith(("http://", "https://")):
        raise not_built("access to other sites; upload the file")
    return world.files.find(file_id)
