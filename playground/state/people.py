"""Who takes part: the bot and the people of the playground."""

from dataclasses import dataclass

from playground.wire import JsonObject

ADMIN_ID = 1
DEFAULT_PERSON_ID = 2


@dataclass(frozen=True, slots=True)
class User:
    """A person or a bot, under the id that Telegram would give."""

    id: int
    first_name: str
    username: str | None = None
    language_code: str | None = "en"
    is_bot: bool = False

    def to_api(self) -> JsonObject:
        """Telegram's User."""
        user: JsonObject = {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name}
        if self.username is not None:
            user["username"] = self.username
        if self.language_code is not None:
            user["language_code"] = self.language_code
        return user


_DIRECTORY = {
    ADMIN_ID: User(ADMIN_ID, "Ada (admin)", "ada"),
    2: User(2, "Ben", "ben"),
    3: User(3, "Cleo", "cleo"),
}


def person(user_id: int) -> User:
    """The person with this id: one of the directory, or one made up."""
    return _DIRECTORY.get(user_id, User(user_id, f"User {user_id}"))


def directory() -> list[User]:
    """The people who are always there, the admin first."""
    return list(_DIRECTORY.values())


def bot_user(token: str) -> User:
    """The bot that ``token`` belongs to."""
    return User(int(token.partition(":")[0]), "Thumbs", "playground_bot", language_code=None, is_bot=True)
