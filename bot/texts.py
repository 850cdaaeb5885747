"""The bot's texts, loaded from ``bot/locales``."""

import html
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

FALLBACK: Final = "en"
# All versions of consent_question and the consent_status texts that people have been shown, oldest first. The ledger
# records the version. If the wording changes, append a version. Buttons with earlier versions still work.
CONSENT_WORDINGS: Final = ("2026-11", "2026-11.2")
CONSENT_WORDING: Final = CONSENT_WORDINGS[-1]
# All versions of notices_question and notices_status, in the same format.
NOTICES_WORDINGS: Final = ("2026-11.1", "2026-11.2")
NOTICES_WORDING: Final = NOTICES_WORDINGS[-1]
# The version of question and button_never_ask. The ledger records it when a person turns these questions off.
QUESTION_WORDING: Final = "2026-11.1"
# The version of settings. The ledger records it when a person changes notices or questions there.
SETTINGS_WORDING: Final = "2026-11.1"
_FOLDER = Path(__file__).parent / "locales"


@dataclass(frozen=True, slots=True)
class Texts:
    """All of the bot's texts in one language. A locale file with a missing or unknown text fails to load."""

    start: str
    help: str
    help_admin: str
    your_id: str
    privacy: str
    privacy_operator_unknown: str
    consent_question: str
    consent_status_yes: str
    consent_status_no: str
    consent_granted: str
    consent_withdrawn: str
    learnt_before: str
    learnt_before_more: str
    notices_question: str
    notices_status: str
    notices_granted: str
    notices_withdrawn: str
    notice_one: str
    notice_several: str
    notice_learnt: str
    notice_not_yet: str
    notice_more: str
    notice_votes: str
    notice_votes_too: str
    settings: str
    settings_percentages_on: str
    settings_percentages_off: str
    settings_notices_on: str
    settings_notices_off: str
    settings_questions_on: str
    settings_questions_off: str
    mydata: str
    history_title: str
    history_none: str
    history_entry: str
    history_vote_right: str
    history_vote_wrong: str
    history_vote_neither: str
    history_question: str
    history_deleted: str
    history_gone: str
    delete_question: str
    delete_done: str
    delete_kept: str
    verdict_sure: str
    verdict_unsure: str
    verdict_even: str
    verdict_corrected: str
    verdict_people_say: str
    windows: str
    replaces_earlier: str
    version: str
    voted_right: str
    voted_wrong: str
    voted_neither: str
    voted_earlier_right: str
    voted_earlier_wrong: str
    voted_earlier_neither: str
    corrected_right: str
    corrected_wrong: str
    corrected_earlier_right: str
    corrected_earlier_wrong: str
    corrected_ended: str
    reason_question: str
    reason_noted: str
    question: str
    question_stopped: str
    vote_undone: str
    vote_gone: str
    why_up: str
    why_down: str
    why_list: str
    why_no_words: str
    why_passage: str
    why_unsure: str
    why_corrected: str
    why_own_verdict: str
    why_other_model: str
    why_nothing_yet: str
    why_no_verdict: str
    why_gone: str
    vote_replaced: str
    button_right: str
    button_wrong: str
    button_neither: str
    button_chosen: str
    button_undo: str
    button_why: str
    button_show_model: str
    button_show_people: str
    button_reason_both: str
    button_reason_not_review: str
    button_reason_sarcasm: str
    button_reason_other: str
    button_never_ask: str
    button_is_review: str
    button_consent_yes: str
    button_consent_withdraw: str
    button_consent_keep: str
    button_notices_yes: str
    button_notices_stop: str
    button_delete: str
    rating: str
    rating_mixed: str
    cry_for_help: str
    not_a_review: str
    button_history_delete: str
    button_history_delete_yes: str
    button_newer: str
    button_older: str
    button_no: str
    foreign: str
    empty: str
    only_emoji: str
    only_link: str
    photo: str
    voice: str
    sticker: str
    other_content: str
    unknown_command: str
    failed: str
    trouble_update_failed: str
    trouble_update_dropped: str
    trouble_webhook_elsewhere: str
    trouble_webhook_deleted: str
    trouble_delivery_failed: str
    trouble_replies_uncertain: str
    slow_down: str
    command_start: str
    command_help: str
    command_why: str
    command_id: str
    command_consent: str
    command_privacy: str
    command_mydata: str
    command_settings: str
    command_history: str
    command_deleteme: str
    forecast_none: str
    forecast_few: str
    forecast_later: str
    forecast_enough: str
    forecast_over_quota: str
    run_title_round: str
    run_title_full: str
    run_queued: str
    run_preparing: str
    run_training: str
    phase_loading: str
    phase_replay: str
    phase_training: str
    phase_publishing: str
    phase_votes: str
    phase_reviews: str
    phase_behaviour: str
    phase_triggers: str
    phase_bar: str
    time_so_far: str
    time_left: str
    minutes_left: str
    run_evaluating: str
    run_cancelling: str
    run_cancelled: str
    run_failed: str
    run_joined: str
    run_joined_round: str
    run_joined_full: str
    retrain_paused: str
    run_moved: str
    run_gone: str
    card_candidate: str
    card_question: str
    card_texts: str
    card_texts_over_quota: str
    card_held: str
    card_waiting: str
    card_may_promote: str
    card_may_try: str
    card_try_question: str
    card_tried: str
    card_on_trial: str
    card_keep_question: str
    card_kept: str
    card_back_question: str
    card_back: str
    trial_started: str
    trial_confirmed: str
    trial_rolled_back: str
    trial_ended: str
    card_promoted: str
    card_live: str
    card_stale: str
    card_removed: str
    button_cancel_run: str
    button_cancel_yes: str
    button_cancel_no: str
    button_promote: str
    button_wait: str
    button_promote_yes: str
    button_promote_no: str
    button_try: str
    button_try_yes: str
    button_keep_model: str
    button_roll_back: str
    button_back_yes: str
    command_retrain: str
    command_pause: str
    command_resume: str
    model_live: str
    model_answers: str
    model_pending: str
    model_accuracy: str
    model_tested: str
    model_trial: str
    model_held: str
    model_process: str
    model_refused: str
    model_refusal: str
    model_nobody: str
    model_uncertain: str
    learning_paused: str
    learning_paused_by: str
    pause_done: str
    pause_run_goes_on: str
    pause_run_queued: str
    resume_done: str
    not_paused: str
    models_title: str
    models_live: str
    models_pending: str
    models_refused: str
    models_fallback: str
    models_kept: str
    models_removed: str
    models_trial: str
    models_changes: str
    models_change: str
    models_confirmed: str
    models_question: str
    models_done: str
    models_stale: str
    models_gone: str
    models_unknown: str
    button_models_promote: str
    button_models_back: str
    button_models_yes: str
    button_models_no: str
    block_usage: str
    block_done: str
    block_already: str
    block_admin: str
    unblock_usage: str
    unblock_done: str
    unblock_already: str
    command_block: str
    command_unblock: str
    voters_usage: str
    voters_none: str
    voters_title: str
    voters_line: str
    voters_paused_line: str
    voters_person: str
    voters_vote: str
    voters_private: str
    voters_no_votes: str
    button_previous: str
    button_next: str
    stats_caption: str
    drift_moved: str
    drift_same: str
    drift_too_few: str
    drift_no_reference: str
    drift_training: str
    drift_first_weeks: str
    drift_positive: str
    drift_confidence: str
    drift_words: str
    drift_unknown: str
    command_drift: str
    export_caption: str
    command_stats: str
    command_export: str
    command_status: str
    command_voters: str
    command_model: str
    command_models: str
    label_question: str
    label_guideline: str
    label_noted: str
    label_noted_in_batch: str
    label_skipped: str
    label_undone: str
    label_batch_done: str
    label_gold_missed: str
    label_paused: str
    label_resumed: str
    label_none_but_skipped: str
    label_usage: str
    label_over_quota: str
    label_none: str
    label_needs_consent: str
    label_gone: str
    label_stopped: str
    text_withdrawn: str
    quarantine_disagreement: str
    quarantine_unlikely: str
    quarantine_votes: str
    quarantine_waiting: str
    quarantine_none: str
    quarantine_end: str
    quarantine_withdrawn: str
    button_positive: str
    button_negative: str
    button_skip: str
    button_label_more: str
    button_undo_last: str
    command_label: str
    command_quarantine: str
    description: str
    short_description: str


@cache
def texts_for(language: str | None) -> Texts:
    """Return the texts for a language tag such as ``en`` or ``pt-br``, or the English texts if no locale matches it."""
    code = (language or FALLBACK).split("-")[0].lower()
    path = _FOLDER / f"{code if code in locales() else FALLBACK}.toml"
    texts = tomllib.loads(path.read_text(encoding="utf-8"))
    return Texts(**{name: text.strip() for name, text in texts.items()})


def locales() -> tuple[str, ...]:
    """Return the available languages."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


def fill(template: str, **values: object) -> str:
    """Fill in the placeholders in ``template`` with values escaped for Telegram's HTML."""
    return template.format(**{name: html.escape(str(value), quote=False) for name, value in values.items()})
