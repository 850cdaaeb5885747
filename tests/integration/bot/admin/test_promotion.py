"""The card with a run's decision, and the buttons that promote a held model."""

from typing import Any

import pytest

from bot.admin.buttons import CardAction, CardTap, RunAction, RunTap
from bot.admin.promotion import PromotionDialog
from bot.incoming import Tap
from storage.db.database import UnitOfWork
from storage.db.states import RunState
from storage.models import registry
from storage.training import runs
from storage.training.runs import Lease
from tests.run_chat import (
    ADA,
    CLEO,
    SENTENCE,
    SETTINGS,
    BotParts,
    claim_run,
    incoming_from,
    later,
    sent,
    show_held,
    start_run,
)


@pytest.mark.parametrize("card", [b"png", None])
async def test_the_decision_has_a_button_only_while_it_applies(bot: BotParts, card: bytes | None) -> None:
    lease, decision = await show_held(bot, card)
    assert ("run_card" in decision.payload) == (card is not None)
    assert SENTENCE in decision.payload["caption" if card else "text"]
    assert "reply_markup" in decision.payload

    def another(unit: UnitOfWork) -> None:
        registry.register(unit, "another", "2" * 64, "another")
        registry.make_live(unit, "another", "by hand")

    await bot.store.write(another)
    deciding = PromotionDialog(bot.store, SETTINGS)
    await deciding.handle_tap(Tap(incoming_from(CLEO, 2), 100 + decision.id), CardTap(lease.run.id, CardAction.YES))
    (change,) = await sent(bot, CLEO)
    shown = change.payload["caption" if card else "text"]
    assert "has changed since" in shown
    assert "reply_markup" not in change.payload
    live = await bot.store.read(registry.live_model)
    assert live is not None
    assert live.version == "another"


async def tap_card(bot: BotParts, lease: Lease, action: CardAction, update_id: int) -> dict[str, Any]:
    await PromotionDialog(bot.store, SETTINGS).handle_tap(
        Tap(incoming_from(ADA, update_id), 5), CardTap(lease.run.id, action)
    )
    (change,) = await sent(bot)
    return change.payload


async def test_a_promotion_records_the_admin_and_happens_once(bot: BotParts) -> None:
    lease, _ = await show_held(bot)
    assert "has been promoted" in (await tap_card(bot, lease, CardAction.YES, 2))["caption"]
    assert "has already been promoted" in (await tap_card(bot, lease, CardAction.YES, 3))["caption"]
    first, *_ = changes = await bot.store.read(lambda unit: registry.changes(unit, 9))
    assert (first.who, first.from_version, first.to_version) == (ADA, "champion", "candidate")
    assert len(changes) == 2


async def test_a_model_without_files_is_not_promoted(bot: BotParts) -> None:
    lease, _ = await show_held(bot)
    await bot.store.write(lambda unit: registry.mark_removed(unit, "candidate"))
    assert "files for candidate have been removed" in (await tap_card(bot, lease, CardAction.YES, 2))["caption"]


@pytest.mark.parametrize("state", [RunState.REJECTED, RunState.PROMOTED])
async def test_only_a_held_candidate_can_be_promoted(bot: BotParts, state: RunState) -> None:
    lease = await claim_run(bot, await start_run(bot))
    facts = {"candidate": "candidate", "decision": {"sentence": "It is decided."}, "card": b"png"}
    await bot.store.write(lambda unit: runs.finish(unit, lease, state, **facts))  # type: ignore[arg-type]
    await sent(bot)
    await bot.updates.poll(later())
    _, card = await sent(bot)
    assert "reply_markup" not in card.payload
    await tap_card(bot, lease, CardAction.YES, 2)
    live = await bot.store.read(registry.live_model)
    assert live is not None
    assert live.version == "champion"


async def test_a_tap_on_an_unknown_run_says_so(bot: BotParts) -> None:
    await PromotionDialog(bot.store, SETTINGS).handle_tap(Tap(incoming_from(ADA, 1), 5), CardTap(77, CardAction.YES))
    await bot.runs.handle_tap(Tap(incoming_from(ADA, 2), 6), RunTap(77, RunAction.YES))
    assert ["no longer available" in reply.payload["text"] for reply in await sent(bot)] == [True, True]


async def test_a_held_model_explains_itself_and_the_next_round_waits_for_votes(bot: BotParts) -> None:
    lease, card = await show_held(bot, needed=20, may_try=True)
    assert "<b>Held</b> means" in card.payload["caption"]
    rows = card.payload["reply_markup"]["inline_keyboard"]
    labels = [[button["text"] for button in row] for row in rows]
    assert labels == [["Promote on trial", "Promote"], ["Wait for 20 more votes"]]
    waiting = await tap_card(bot, lease, CardAction.WAIT, 2)
    assert "once there are 20 texts with usable votes" in waiting["caption"]
    assert len(waiting["reply_markup"]["inline_keyboard"]) == 1
    run = await bot.store.read(lambda unit: runs.get_run(unit, lease.run.id))
    assert run.retrain_at == 20
