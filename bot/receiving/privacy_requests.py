"""Recognises people's requests about their own data, which are accepted even from blocked people."""

from typing import Final

from bot.buttons import TapKind
from bot.receiving.raw_update import RawUpdate

_COMMANDS: Final = ("privacy", "mydata", "deleteme")
_DELETION: Final = f"{TapKind.DELETE}:"


def is_privacy_request(update: RawUpdate) -> bool:
    """Return whether an update, in a private chat, is a command about people's own data or a tap under /deleteme."""
    if update.sender_id is None or update.sender_id != update.chat_id:
        return False
    return update.command in _COMMANDS or (update.tap_data or "").startswith(_DELETION)
