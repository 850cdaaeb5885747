"""What Telegram keeps about the bot itself, over restarts too: webhook, commands, name and descriptions."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from playground.state.json_file import read_object, write_object
from playground.wire import JsonObject

# Telegram sends every kind but these three unless the bot asks for them.
_LEFT_OUT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})


@dataclass(frozen=True, slots=True)
class Profile:
    """All of it. Texts are by language code, ``""`` being everybody's; commands by scope and language."""

    webhook_url: str = ""
    webhook_secret: str = ""
    webhook_connections: int = 40
    allowed_updates: tuple[str, ...] = ()
    commands: tuple[JsonObject, ...] = ()
    """Each ``{"scope": {...}, "language_code": "", "commands": [...]}``."""
    name: tuple[tuple[str, str], ...] = ()
    description: tuple[tuple[str, str], ...] = ()
    short_description: tuple[tuple[str, str], ...] = ()

    def allows(self, kind: str) -> bool:
        """Whether the bot wants updates of this kind."""
        return kind in self.allowed_updates if self.allowed_updates else kind not in _LEFT_OUT_BY_DEFAULT

    def commands_for(self, scope: JsonObject, language: str) -> list[JsonObject] | None:
        """The commands set for exactly this scope and language."""
        for entry in self.commands:
            if entry["scope"] == scope and entry["language_code"] == language:
                return list(entry["commands"])
        return None

    def commands_shown(self, user_id: int, language: str) -> list[JsonObject]:
        """The commands that a person sees in the private chat: the narrowest scope wins, then the own language."""
        for scope in ({"type": "chat", "chat_id": user_id}, {"type": "all_private_chats"}, {"type": "default"}):
            for code in (language, ""):
                commands = self.commands_for(scope, code)
                if commands:
                    return commands
        return []

    def with_commands(self, scope: JsonObject, language: str, commands: list[JsonObject] | None) -> "Profile":
        """With these commands for one scope and language, or with none when ``commands`` is None."""
        kept = [entry for entry in self.commands if (entry["scope"], entry["language_code"]) != (scope, language)]
        if commands is not None:
            kept.append({"scope": scope, "language_code": language, "commands": commands})
        return replace(self, commands=tuple(kept))


class ProfileFile:
    """The profile as it is now, and the file that keeps it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.now = replace(Profile(), **{name: _frozen(value) for name, value in read_object(path).items()})

    def put(self, profile: Profile) -> None:
        """Take ``profile`` for the current one; a file is written only when something changed."""
        if profile != self.now:
            write_object(self._path, asdict(profile))
            self.now = profile

    def change(self, **values: Any) -> None:  # noqa: ANN401  # the fields' types differ
        """Replace some fields."""
        self.put(replace(self.now, **values))


def localized(texts: tuple[tuple[str, str], ...], language: str) -> str:
    """The text for ``language``, or everybody's, or nothing."""
    known = dict(texts)
    return known.get(language, known.get("", ""))


def relocalized(texts: tuple[tuple[str, str], ...], language: str, text: str) -> tuple[tuple[str, str], ...]:
    """``texts`` with another one for ``language``; an empty one is taken out."""
    known = {**dict(texts), language: text}
    return tuple((code, value) for code, value in sorted(known.items()) if value)


def _frozen(value: Any) -> Any:  # noqa: ANN401  # JSON of any shape
    """JSON's arrays as the tuples that they were written from; objects stay as they are."""
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
