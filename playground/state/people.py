"""The bot and the people in the playground."""

from dataclasses import dataclass

from playground.wire import JsonObject

ADMIN_ID = 1
DEFAULT_PERSON_ID = 2


@dataclass(frozen=True, slots=True)
class User:
    """A person or a bot, with a Telegram id."""

    id: int
    first_name: str
    username: str | None = None
    language_code: str | None = "en"
    is_bot: bool = False

    def to_api(self) -> JsonObject:
        """Return the person or bot as Telegram's User."""
        user: JsonObject = {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name}
        if self.username is not None:
            user["username"] = self.username
        if self.language_code is not None:
            user["language_code"] = self.language_code
        return user


_PEOPLE = {
    ADMIN_ID: User(ADMIN_ID, "Ada (admin)", "ada"),
    2: User(2, "Ben", "ben"),
    3: User(3, "Cleo", "cleo"),
}


def find_person(user_id: int) -> User:
    """Return the person with this id. A person with an unknown id gets a made-up name."""
    return _PEOPLE.get(user_id, User(user_id, f"User {user_id}"))


def all_people() -> list[User]:
    """Return the predefined people, with the admin first."""
    return list(_PEOPLE.values())


def bot_user(token: str) -> User:
    """Return the bot that ``token`` belongs to."""
    return User(int(token.partition(":")[0]), "Thumbs", "playground_bot", language_code=None, is_bot=True)
