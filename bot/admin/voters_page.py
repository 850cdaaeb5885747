"""``/voters`` shows who voted, by numeric id, and how they voted. Free of Telegram types."""

from math import ceil
from typing import Final

from bot.admin.buttons import VotersTap, voters_keyboard
from bot.database import AsyncDatabase
from bot.formatting import excerpt
from bot.incoming import Incoming, Tap
from bot.sending.replies import MessageContent, edit, send
from bot.texts import Texts, fill
from storage.chat.messages import get_texts
from storage.db.database import UnitOfWork
from storage.db.states import Vote
from storage.feedback import voters
from storage.feedback.voters import CastVote, Voter

_PER_PAGE: Final = 15
# A Telegram id has at most 52 bits, and people from files have negative numbers.
_ID_LENGTH: Final = 17


class VotersPage:
    """The list of people who voted, and each person's votes. Replies are enqueued before each method returns.

    A page shows at most one text and is linked to it, so the page disappears if the author withdraws the text.
    """

    def __init__(self, database: AsyncDatabase) -> None:
        self._database = database

    async def start(self, incoming: Incoming, words: list[str]) -> None:
        """Show the first page of the list, or of one person's votes if the only word is their id."""
        telegram_id = _parse_id(words)

        def work(unit: UnitOfWork) -> None:
            content = MessageContent(incoming.texts.voters_usage)
            if telegram_id is not None:
                content = _page(unit, incoming.texts, VotersTap(telegram_id, 0))
            send(unit, incoming, content)
            incoming.finish(unit)

        await self._database.write(work)

    async def handle_tap(self, tap: Tap, voters_tap: VotersTap) -> None:
        """Show another page in the same message."""

        def work(unit: UnitOfWork) -> None:
            edit(unit, tap.incoming, tap.telegram_message_id, _page(unit, tap.incoming.texts, voters_tap))
            tap.incoming.finish(unit)

        await self._database.write(work)


def _page(unit: UnitOfWork, texts: Texts, tap: VotersTap) -> MessageContent:
    return _people_page(unit, texts, tap.page) if tap.telegram_id == 0 else _person_page(unit, texts, tap)


def _people_page(unit: UnitOfWork, texts: Texts, page: int) -> MessageContent:
    total = voters.count_voters(unit)
    if not total:
        return MessageContent(texts.voters_none)
    pages = ceil(total / _PER_PAGE)
    page = min(page, pages - 1)
    people = voters.voters(unit, page * _PER_PAGE, _PER_PAGE)
    lines = [fill(texts.voters_title, people=total), *(_voter_line(texts, voter) for voter in people)]
    return MessageContent("\n".join(lines), voters_keyboard(texts, 0, page, pages))


def _voter_line(texts: Texts, voter: Voter) -> str:
    line = texts.voters_paused_line if voter.paused else texts.voters_line
    counts = {"right": voter.right, "wrong": voter.wrong, "neither": voter.neither}
    return fill(line, telegram_id=voter.telegram_id, votes=voter.votes, **counts)


def _person_page(unit: UnitOfWork, texts: Texts, tap: VotersTap) -> MessageContent:
    total = voters.count_votes(unit, tap.telegram_id)
    if not total:
        return MessageContent(fill(texts.voters_no_votes, telegram_id=tap.telegram_id))
    page = min(tap.page, total - 1)
    cast = voters.cast_vote(unit, tap.telegram_id, page)
    if cast is None:
        return MessageContent(fill(texts.voters_no_votes, telegram_id=tap.telegram_id))
    title = fill(texts.voters_person, telegram_id=tap.telegram_id, number=page + 1, votes=total)
    text = _text_of(unit, texts, cast)
    keyboard = voters_keyboard(texts, tap.telegram_id, page, total)
    return MessageContent("\n\n".join([title, text, _vote_line(texts, cast)]), keyboard, cast.prediction_id)


def _text_of(unit: UnitOfWork, texts: Texts, cast: CastVote) -> str:
    """Return the text as HTML, or a sentence that says why it isn't shown."""
    if not cast.readable:
        return texts.voters_private
    return fill("{text}", text=excerpt(get_texts(unit, [cast.message_id]).get(cast.message_id, "")))


def _vote_line(texts: Texts, cast: CastVote) -> str:
    said = {Vote.RIGHT: texts.button_right, Vote.WRONG: texts.button_wrong, Vote.NEITHER: texts.button_neither}
    line = fill(
        texts.voters_vote, version=cast.version, label=cast.predicted, vote=said[cast.vote], at=f"{cast.at:%Y-%m-%d}"
    )
    return line if cast.reason is None else f"{line} · {getattr(texts, f'button_reason_{cast.reason}')}"


def _parse_id(words: list[str]) -> int | None:
    """Return the id, 0 if there are no words, or None if the words are not an id."""
    if not words:
        return 0
    digits = words[0].removeprefix("-")
    if len(words) > 1 or not (digits.isascii() and digits.isdigit()) or len(digits) > _ID_LENGTH:
        return None
    return int(words[0])
