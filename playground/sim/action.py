"""The base classes for actions under ``/sim``."""

from abc import abstractmethod

from playground.api.parameters import Parameters
from playground.state.people import DEFAULT_PERSON_ID
from playground.state.world import World
from playground.wire import JsonObject, bad_request, not_built

ID_LIMIT = 2**52
"""Telegram's ids for people and chats have at most 52 significant bits."""


class Action(Parameters):
    """An action that is performed by a POST under ``/sim``."""

    @abstractmethod
    def perform(self, world: World) -> JsonObject:
        """Perform the action and return the response, or raise ApiError."""


def person_id(user_id: int | None = None, chat_id: int | None = None, chat_type: str = "private") -> int:
    """Return the id of the person in the private chat, or raise ApiError for any other kind of chat."""
    if chat_type != "private" or (chat_id is not None and chat_id <= 0):
        raise not_built("chats other than private ones")
    person = user_id if user_id is not None else chat_id or DEFAULT_PERSON_ID
    if chat_id not in (None, person):
        raise bad_request(f"chat {chat_id} is the private chat of user {chat_id}; user {person} is not in it")
    if not 0 < person < ID_LIMIT:
        raise bad_request("a person's id must be positive and have at most 52 bits")
    return person


class PersonAction(Action):
    """A person's action in the private chat with the bot. The chat has the same id as the person."""

    chat_id: int | None = None
    user_id: int | None = None
    chat_type: str = "private"

    @property
    def person_id(self) -> int:
        """The acting person's id. Raises ApiError for any chat but the person's own."""
        return person_id(self.user_id, self.chat_id, self.chat_type)
