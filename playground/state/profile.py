"""The bot's settings on Telegram (webhook, commands, name and descriptions), which survive a restart."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from playground.state.json_file import read_object, write_object
from playground.wire import JsonObject

# Telegram sends these kinds of updates only to bots that ask for them.
_EXCLUDED_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})


@dataclass(frozen=True, slots=True)
class Profile:
    """The settings. Each text has a language code, or ``""`` for all other languages. Commands also have a scope."""

    webhook_url: str = ""
    webhook_secret: str = ""
    webhook_connections: int = 40
    allowed_updates: tuple[str, ...] = ()
    commands: tuple[JsonObject, ...] = ()
    """Each item has the form ``{"scope": {...}, "language_code": "", "commands": [...]}``."""
    name: tuple[tuple[str, str], ...] = ()
    description: tuple[tuple[str, str], ...] = ()
    short_description: tuple[tuple[str, str], ...] = ()

    def allows(self, kind: str) -> bool:
        """Return whether the bot wants updates of this kind."""
        return kind in self.allowed_updates if self.allowed_updates else kind not in _EXCLUDED_BY_DEFAULT

    def commands_for(self, scope: JsonObject, language: str) -> list[JsonObject] | None:
        """Return the commands set for exactly this scope and language."""
        for entry in self.commands:
            if entry["scope"] == scope and entry["language_code"] == language:
                return list(entry["commands"])
        return None

    def commands_shown(self, user_id: int, language: str) -> list[JsonObject]:
        """Return the commands shown to a person in the private chat.

        Choose the narrowest scope that has commands and, within it, the person's language if possible.
        """
        for scope in ({"type": "chat", "chat_id": user_id}, {"type": "all_private_chats"}, {"type": "default"}):
            for code in (language, ""):
                commands = self.commands_for(scope, code)
                if commands:
                    return commands
        return []

    def with_commands(self, scope: JsonObject, language: str, commands: list[JsonObject] | None) -> "Profile":
        """Return a copy with these commands for one scope and language. None removes them."""
        others = [entry for entry in self.commands if (entry["scope"], entry["language_code"]) != (scope, language)]
        if commands is not None:
            others.append({"scope": scope, "language_code": language, "commands": commands})
        return replace(self, commands=tuple(others))


class ProfileFile:
    """The current profile, and the file that stores it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.current = replace(Profile(), **{name: _frozen(value) for name, value in read_object(path).items()})

    def put(self, profile: Profile) -> None:
        """Make ``profile`` the current profile, and write the file if anything changed."""
        if profile != self.current:
            write_object(self._path, asdict(profile))
            self.current = profile

    def change(self, **values: Any) -> None:  # noqa: ANN401  # the fields' types differ
        """Replace some of the profile's fields."""
        self.put(replace(self.current, **values))


def localized(texts: tuple[tuple[str, str], ...], language: str) -> str:
    """Return the text for ``language``, falling back to the text for all other languages, then to an empty text."""
    known = dict(texts)
    return known.get(language, known.get("", ""))


def with_translation(texts: tuple[tuple[str, str], ...], language: str, text: str) -> tuple[tuple[str, str], ...]:
    """Return ``texts`` with ``text`` added for ``language``. An empty text removes the language."""
    known = {**dict(texts), language: text}
    return tuple((code, value) for code, value in sorted(known.items()) if value)


def _frozen(value: Any) -> Any:  # noqa: ANN401  # JSON of any shape
    """Convert JSON arrays to tuples, recursively, and leave objects unchanged."""
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
