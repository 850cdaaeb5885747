"""Callback data fits into Telegram's 64 bytes, and each pattern matches only its own data."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from bot.admin.buttons import (
    CARD_PATTERN,
    MODELS_PATTERN,
    RUN_PATTERN,
    VOTERS_PATTERN,
    CardAction,
    card_keyboard,
    model_change_keyboard,
    models_keyboard,
    run_keyboard,
    voters_keyboard,
)
from bot.buttons import TapKind, make_keyboard
from bot.labelling.buttons import (
    JOIN_PATTERN,
    LABEL_PATTERN,
    QUARANTINE_PATTERN,
    Batch,
    join_keyboard,
    label_keyboard,
    quarantine_keyboard,
    quarantine_undo_keyboard,
    undo_keyboard,
)
from bot.privacy.buttons import (
    CONSENT_PATTERN,
    DELETE_PATTERN,
    NOTICES_PATTERN,
    consent_keyboard,
    delete_keyboard,
    notices_keyboard,
)
from bot.privacy.history_buttons import HISTORY_PATTERN, HistoryAction, history_button
from bot.privacy.history_buttons import question_keyboard as history_question_keyboard
from bot.privacy.settings import SETTINGS_PATTERN, Setting, settings_keyboard
from bot.reviews.buttons import (
    ABSTENTION_PATTERN,
    CORRECTED_PATTERN,
    EXPLANATION_PATTERN,
    QUESTION_PATTERN,
    REASON_PATTERN,
    VOTE_PATTERN,
    CorrectedTap,
    QuestionTap,
    ReasonTap,
    Shown,
    VoteTap,
    abstention_keyboard,
    corrected_keyboard,
    parse_corrected_tap,
    parse_explanation_tap,
    parse_question_tap,
    parse_reason_tap,
    parse_vote_tap,
    people_row,
    question_row,
    reason_rows,
    verdict_keyboard,
)
from bot.texts import CONSENT_WORDING, texts_for
from storage.db.states import Reason, Vote

PATTERNS = {
    TapKind.VOTE: VOTE_PATTERN,
    TapKind.CORRECTED: CORRECTED_PATTERN,
    TapKind.REASON: REASON_PATTERN,
    TapKind.QUESTION: QUESTION_PATTERN,
    TapKind.EXPLANATION: EXPLANATION_PATTERN,
    TapKind.ABSTENTION: ABSTENTION_PATTERN,
    TapKind.CONSENT: CONSENT_PATTERN,
    TapKind.NOTICES: NOTICES_PATTERN,
    TapKind.DELETE: DELETE_PATTERN,
    TapKind.HISTORY: HISTORY_PATTERN,
    TapKind.SETTINGS: SETTINGS_PATTERN,
    TapKind.RUN: RUN_PATTERN,
    TapKind.CARD: CARD_PATTERN,
    TapKind.MODELS: MODELS_PATTERN,
    TapKind.LABEL: LABEL_PATTERN,
    TapKind.JOIN: JOIN_PATTERN,
    TapKind.QUARANTINE: QUARANTINE_PATTERN,
    TapKind.VOTERS: VOTERS_PATTERN,
}
TEXTS = texts_for("en")
LARGEST = 10**18 - 1


def make_why_button(number: int) -> dict[str, str]:
    """Return the button below a verdict that asks why."""
    *_, [why] = verdict_keyboard(TEXTS, number, None)["inline_keyboard"]
    return dict(why)


def without_why(keyboard: dict[str, Any]) -> dict[str, Any]:
    """Return a keyboard without the "why" button, which every verdict has."""
    rows = keyboard["inline_keyboard"]
    return make_keyboard([[button for button in row if button["text"] != TEXTS.button_why] for row in rows])


KEYBOARDS = {
    TapKind.VOTE: [
        without_why(verdict_keyboard(TEXTS, number, chosen)) for number in (1, LARGEST) for chosen in (None, *Vote)
    ],
    TapKind.EXPLANATION: [make_keyboard([[make_why_button(number)]]) for number in (1, LARGEST)],
    TapKind.CORRECTED: [
        *(
            without_why(corrected_keyboard(TEXTS, number, chosen))
            for number in (1, LARGEST)
            for chosen in (None, *Vote)
        ),
        make_keyboard([people_row(TEXTS, LARGEST)]),
    ],
    TapKind.REASON: [make_keyboard(reason_rows(TEXTS, LARGEST, vote)) for vote in (Vote.WRONG, Vote.NEITHER)],
    TapKind.QUESTION: [make_keyboard([question_row(TEXTS, number)]) for number in (1, LARGEST)],
    TapKind.ABSTENTION: [abstention_keyboard(TEXTS, number) for number in (1, LARGEST)],
    TapKind.CONSENT: [consent_keyboard(TEXTS, granted) for granted in (True, False)],
    TapKind.NOTICES: [notices_keyboard(TEXTS, wanted) for wanted in (True, False)],
    TapKind.DELETE: [delete_keyboard(TEXTS)],
    TapKind.SETTINGS: [settings_keyboard(TEXTS, dict.fromkeys(Setting, on)) for on in (True, False)],
    TapKind.HISTORY: [
        history_question_keyboard(TEXTS, LARGEST),
        make_keyboard([[history_button("x", LARGEST, action)] for action in HistoryAction]),
    ],
    TapKind.RUN: [run_keyboard(TEXTS, number, asking) for number in (1, LARGEST) for asking in (True, False)],
    TapKind.CARD: [card_keyboard(number, [(action, action) for action in CardAction]) for number in (1, LARGEST)],
    TapKind.MODELS: [
        models_keyboard(TEXTS, "20261122-4be1e1ae", ["run-12", "2" * 26], ["one"]),
        model_change_keyboard(TEXTS, "2" * 26, "1" * 26),
    ],
    TapKind.LABEL: [
        label_keyboard(TEXTS, 1, None),
        label_keyboard(TEXTS, LARGEST, LARGEST),
        label_keyboard(TEXTS, LARGEST, LARGEST, Batch(100, 99)),
        undo_keyboard(TEXTS, LARGEST),
        undo_keyboard(TEXTS, LARGEST, Batch(100, 100)),
    ],
    # The button that refuses consent is an ordinary consent button.
    TapKind.JOIN: [
        make_keyboard([join_keyboard(TEXTS, batch)["inline_keyboard"][0][:1]]) for batch in (None, Batch(100))
    ],
    TapKind.VOTERS: [voters_keyboard(TEXTS, number, 1, 3) or make_keyboard([]) for number in (0, -(10**16), 2**52)],
    TapKind.QUARANTINE: [
        quarantine_keyboard(TEXTS, 1, 0, None),
        quarantine_keyboard(TEXTS, LARGEST, 999_999, LARGEST),
        quarantine_undo_keyboard(TEXTS, LARGEST, 999_999),
    ],
}


def buttons(keyboard: dict[str, Any]) -> Iterator[dict[str, str]]:
    for row in keyboard["inline_keyboard"]:
        yield from row


@pytest.mark.parametrize("kind", TapKind)
def test_data_fits_telegram_and_matches_its_own_pattern_only(kind: TapKind) -> None:
    made = [button["callback_data"] for keyboard in KEYBOARDS[kind] for button in buttons(keyboard)]
    assert made
    for data in made:
        assert 1 <= len(data.encode()) <= 64
        # PTB matches patterns at the start, like re.match.
        assert [other for other in TapKind if re.match(PATTERNS[other], data)] == [kind]


@pytest.mark.parametrize(
    "data",
    [
        "",
        "judge",
        "judge:1",
        "judge:1:",
        "judge::right",
        "judge:1:right:",
        "judge:1:right ",
        "judge:1:right\n",
        " judge:1:right",
        "judge:-1:right",
        "judge:1.0:right",
        "judge:٣:right",
        "judge:x:right",
        "judge:1:Right",
        "judge:1:maybe",
        "judge:1:yes",
        f"judge:{10**18}:right",
        f"judge:{10**55}:undo",
        "people:1:maybe",
        "people:1:model:",
        "people:-1:right",
        f"people:{10**18}:model",
        "why:1:irony",
        "why:1:both\n",
        "why:x:both",
        "ask:1:yes",
        "ask:1:never:",
        "ask:1",
        "explain:x",
        "explain:1:2",
        "explain:1\n",
        "consent:maybe",
        "consent:2026-11:yes\n",
        "consent:yes",
        "consent:1:right",
        "consent:-1:yes",
        "consent:0:yes",
        "consent:2026-12:yes",
        "consent:2026-11x2:yes",
        "consent:2026-11.1:no",
        "notices:0:yes",
        "notices:2026-11:yes",
        "notices:2026-11.3:no",
        "delete:yes:no",
        "delete:no\n",
        "erase:yes",
        "history:1:all",
        "settings:percent:yes",
        "settings:name:on",
        "history:x:delete",
        "history:1:delete:yes",
        "label:1:maybe",
        "label:1:0:skip",
        "label:-1:skip",
        "settle:1:skip",
        "settle:1:0:redo",
        "settle:1:1000000:skip",
    ],
)
def test_data_from_no_keyboard_matches_nothing(data: str) -> None:
    assert not any(re.match(PATTERNS[kind], data) for kind in TapKind)


@pytest.mark.parametrize("number", [1, LARGEST])
@pytest.mark.parametrize("chosen", list(Vote))
def test_callback_data_parses_back_to_the_tap(number: int, chosen: Vote) -> None:
    found = [
        parse_vote_tap(button["callback_data"])
        for button in buttons(without_why(verdict_keyboard(TEXTS, number, chosen)))
    ]
    assert found == [VoteTap(number, vote) for vote in (Vote.RIGHT, Vote.WRONG, Vote.NEITHER, None)]


def test_data_under_a_correction_parses_back_to_the_tap() -> None:
    found = [
        parse_corrected_tap(button["callback_data"])
        for button in buttons(without_why(corrected_keyboard(TEXTS, 5, Vote.WRONG)))
    ]
    assert found == [CorrectedTap(5, action) for action in (Vote.RIGHT, Vote.WRONG, Vote.NEITHER, Shown.MODEL, None)]
    (back,) = people_row(TEXTS, 5)
    assert parse_corrected_tap(back["callback_data"]) == CorrectedTap(5, Shown.PEOPLE)


def test_a_vote_for_the_verdict_has_no_reasons_and_the_others_have_those_that_fit() -> None:
    def reasons(vote: Vote | None) -> set[Reason | None]:
        rows = reason_rows(TEXTS, 5, vote)
        assert all(len(row) <= 2 for row in rows)
        taps = [parse_reason_tap(button["callback_data"]) for row in rows for button in row]
        assert taps == [ReasonTap(5, tap.reason) for tap in taps]
        return {tap.reason for tap in taps}

    assert reasons(None) == reasons(Vote.RIGHT) == set()
    assert reasons(Vote.WRONG) == {Reason.SARCASM, Reason.BOTH, Reason.OTHER, None}
    assert reasons(Vote.NEITHER) == {*Reason, None}
    chosen = [button["text"] for row in reason_rows(TEXTS, 5, Vote.NEITHER, Reason.OTHER) for button in row]
    assert TEXTS.button_no not in chosen


def test_the_question_buttons_parse_back_to_the_prediction() -> None:
    declined, never = (parse_question_tap(button["callback_data"]) for button in question_row(TEXTS, 5))
    assert (declined, never) == (QuestionTap(5, never=False), QuestionTap(5, never=True))


def test_the_button_below_every_verdict_asks_why() -> None:
    assert parse_explanation_tap(make_why_button(5)["callback_data"]) == 5
    for chosen in (None, *Vote):
        for keyboard in (verdict_keyboard(TEXTS, 5, chosen), corrected_keyboard(TEXTS, 5, chosen)):
            assert make_why_button(5) in keyboard["inline_keyboard"][-1]


def test_before_a_vote_there_is_nothing_to_undo() -> None:
    votes, why = verdict_keyboard(TEXTS, 5, None)["inline_keyboard"]
    assert [button["text"] for button in why] == [TEXTS.button_why]
    assert [button["text"] for button in votes] == [TEXTS.button_right, TEXTS.button_wrong, TEXTS.button_neither]


def test_the_chosen_vote_and_no_other_is_marked() -> None:
    votes, undo = verdict_keyboard(TEXTS, 5, Vote.WRONG)["inline_keyboard"]
    labels = [button["text"] for button in votes]
    assert (labels[0], labels[2]) == (TEXTS.button_right, TEXTS.button_neither)
    assert labels[1] != TEXTS.button_wrong
    assert TEXTS.button_wrong in labels[1]
    assert [button["text"] for button in undo] == [TEXTS.button_why, TEXTS.button_undo]


@pytest.mark.parametrize("granted", [True, False])
def test_consent_or_its_withdrawal_is_offered(granted: bool) -> None:
    found = {button["text"]: button["callback_data"] for button in buttons(consent_keyboard(TEXTS, granted))}
    kind = f"consent:{CONSENT_WORDING}"
    if granted:
        assert found == {TEXTS.button_consent_withdraw: f"{kind}:no", TEXTS.button_consent_keep: f"{kind}:yes"}
    else:
        assert found == {TEXTS.button_consent_yes: f"{kind}:yes", TEXTS.button_no: f"{kind}:no"}


def test_the_delete_button_confirms_the_deletion() -> None:
    found = {button["text"]: button["callback_data"] for button in buttons(delete_keyboard(TEXTS))}
    assert found == {TEXTS.button_delete: "delete:yes", TEXTS.button_no: "delete:no"}


def test_a_model_with_a_name_too_long_for_a_button_gets_none() -> None:
    keyboard = models_keyboard(TEXTS, "one", ["2" * 27, "two:", "three"], [])
    assert [button["callback_data"] for button in buttons(keyboard)] == ["models:ask:three:one"]


def test_a_button_with_an_earlier_wording_still_works() -> None:
    assert re.match(CONSENT_PATTERN, "consent:2026-11:no")


def test_a_button_for_what_cannot_be_undone_is_red() -> None:
    keyboards = {
        "danger": [delete_keyboard(TEXTS), consent_keyboard(TEXTS, True)],
        "primary": [consent_keyboard(TEXTS, False)],
    }
    for style, found in keyboards.items():
        assert [[button.get("style") for button in row] for each in found for row in each["inline_keyboard"]] == [
            [style, None]
        ] * len(found)
