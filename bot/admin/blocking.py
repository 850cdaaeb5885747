"""`/block` makes the bot ignore a person, and `/unblock` lifts the block. Free of Telegram types."""

from collections.abc import Callable, Collection

from bot.database import AsyncDatabase
from bot.incoming import Incoming
from bot.sending.replies import MessageContent, send
from bot.texts import Texts, fill
from storage.chat import blocks
from storage.db.database import UnitOfWork

# A person's Telegram id has at most 52 bits.
_MAX_ID = 2**52


class BlockingDialog:
    """Blocks and unblocks people by numeric id. Replies are enqueued before each method returns."""

    def __init__(self, database: AsyncDatabase, admin_ids: Collection[int]) -> None:
        self._database = database
        self._admin_ids = admin_ids

    async def block(self, incoming: Incoming, words: list[str]) -> None:
        """Block the person with the given id. If that is not possible, reply with the reason."""

        def block(unit: UnitOfWork, texts: Texts, telegram_id: int) -> str:
            if telegram_id in self._admin_ids:
                return texts.block_admin
            return texts.block_done if blocks.block(unit, telegram_id) else texts.block_already

        await self._answer(incoming, words, incoming.texts.block_usage, block)

    async def unblock(self, incoming: Incoming, words: list[str]) -> None:
        """Unblock the person with the given id. If that is not possible, reply with the reason."""

        def unblock(unit: UnitOfWork, texts: Texts, telegram_id: int) -> str:
            return texts.unblock_done if blocks.unblock(unit, telegram_id) else texts.unblock_already

        await self._answer(incoming, words, incoming.texts.unblock_usage, unblock)

    async def _answer(
        self, incoming: Incoming, words: list[str], usage: str, change: Callable[[UnitOfWork, Texts, int], str]
    ) -> None:
        telegram_id = _parse_id(words)

        def work(unit: UnitOfWork) -> None:
            text = usage
            if telegram_id is not None:
                text = fill(change(unit, incoming.texts, telegram_id), telegram_id=telegram_id)
            send(unit, incoming, MessageContent(text))
            incoming.finish(unit)

        await self._database.write(work)


def _parse_id(words: list[str]) -> int | None:
    """Return the person's id if ``words`` is a single valid id, otherwise None."""
    if len(words) != 1 or not (words[0].isascii() and words[0].isdigit()):
        return None
    telegram_id = int(words[0]) if len(words[0]) < len(str(_MAX_ID)) + 1 else 0
    return telegram_id if 0 < telegram_id < _MAX_ID else None
