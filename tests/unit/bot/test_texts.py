"""Every locale has every text, with the placeholders that the code fills in, as HTML that Telegram accepts."""

import html
import string
from dataclasses import asdict, fields
from html.parser import HTMLParser
from pathlib import Path

import pytest

import bot.texts
from bot.all_handlers import ADMIN_COMMANDS, PUBLIC_COMMANDS
from bot.texts import FALLBACK, Texts, fill, locales, texts_for

PLACEHOLDERS = {
    "start": {"name"},
    "trouble_update_failed": {"update_id", "attempts"},
    "trouble_webhook_elsewhere": {"address"},
    "trouble_delivery_failed": {"error", "address"},
    "trouble_replies_uncertain": {"count"},
    "your_id": {"telegram_id"},
    "privacy": {"days", "inbox_days", "operator"},
    "history_entry": {"number", "at", "text"},
    "history_question": {"text"},
    "history_deleted": {"own_votes", "other_votes"},
    "button_history_delete": {"number"},
    "delete_done": {"messages", "votes", "other_votes"},
    "learnt_before": {"versions"},
    "learnt_before_more": {"versions", "count"},
    "verdict_sure": {"thumb", "label", "confidence"},
    "verdict_corrected": {"thumb", "label"},
    "verdict_people_say": {"thumb", "label"},
    "verdict_unsure": {"thumb", "label", "confidence"},
    "verdict_even": {"thumb", "label"},
    "rating": {"rating", "thumb", "label"},
    "rating_mixed": {"rating"},
    "windows": {"windows"},
    "why_up": {"words"},
    "why_down": {"words"},
    "why_list": {"words", "last"},
    "why_own_verdict": {"thumb", "label"},
    "why_other_model": {"thumb", "label", "version", "old"},
    "version": {"version"},
    "button_chosen": {"button"},
    "notice_one": {"version"},
    "notice_several": {"count", "version"},
    "notice_learnt": {"text", "thumb", "label", "confidence"},
    "notice_not_yet": {"text", "thumb", "label", "confidence"},
    "notice_more": {"count"},
    "notice_votes": {"version"},
    "foreign": {"language"},
    "model_live": {"since", "version"},
    "model_pending": {"since", "version", "serving", "running"},
    "model_accuracy": {"percent", "reviews"},
    "model_tested": {"percent", "reviews"},
    "model_held": {"why"},
    "model_process": {"process", "since", "version"},
    "model_refused": {"reason", "serving", "version"},
    "model_refusal": {"process", "reason", "version"},
    "model_uncertain": {"count"},
    "block_done": {"telegram_id"},
    "block_already": {"telegram_id"},
    "block_admin": {"telegram_id"},
    "unblock_done": {"telegram_id"},
    "unblock_already": {"telegram_id"},
    "models_live": {"created", "version"},
    "models_pending": {"created", "version", "serving", "running"},
    "models_refused": {"created", "version", "serving", "running"},
    "models_fallback": {"created", "version", "serving", "running"},
    "models_kept": {"created", "version"},
    "models_removed": {"created", "version"},
    "models_change": {"at", "version", "why"},
    "models_question": {"live", "version"},
    "models_done": {"version"},
    "models_gone": {"version"},
    "models_unknown": {"version"},
    "button_models_promote": {"version"},
    "button_models_back": {"version"},
    "run_title_round": {"number"},
    "run_title_full": {"number"},
    "run_training": {"bar", "percent", "epoch", "epochs", "step", "steps", "speed"},
    "run_failed": {"reason"},
    "forecast_none": {"quorum"},
    "forecast_few": {"usable"},
    "forecast_later": {"usable", "next"},
    "forecast_enough": {"usable", "points"},
    "phase_bar": {"bar", "percent", "what"},
    "time_so_far": {"seconds"},
    "time_left": {"seconds"},
    "minutes_left": {"minutes"},
    "card_try_question": {"champion"},
    "card_tried": {"champion", "version"},
    "card_on_trial": {"champion"},
    "card_keep_question": {"version"},
    "card_kept": {"version"},
    "card_back_question": {"champion"},
    "card_back": {"champion"},
    "trial_started": {"champion", "version"},
    "trial_confirmed": {"version", "why"},
    "trial_rolled_back": {"champion", "version", "why"},
    "trial_ended": {"version", "why"},
    "model_trial": {"champion", "texts", "right", "champion_right"},
    "models_trial": {"created", "version", "texts", "serving", "running"},
    "models_confirmed": {"at", "version", "why"},
    "card_candidate": {"version"},
    "card_promoted": {"version"},
    "card_live": {"version"},
    "card_removed": {"version"},
    "label_question": {"text"},
    "label_noted": {"label", "today"},
    "label_noted_in_batch": {"label", "done", "size", "today"},
    "label_batch_done": {"size"},
    "label_gold_missed": {"label"},
    "label_paused": {"percent", "newest"},
    "label_none_but_skipped": {"skipped"},
    "label_usage": {"most"},
    "stats_caption": {"days", "messages", "people", "today"},
    "drift_moved": {"texts", "reference", "changes"},
    "drift_same": {"texts", "reference"},
    "drift_too_few": {"texts", "least"},
    "drift_no_reference": {"version"},
    "drift_first_weeks": {"version"},
    "drift_positive": {"now", "before"},
    "drift_confidence": {"now", "before"},
    "drift_words": {"now", "before"},
    "drift_unknown": {"now", "before"},
    "voters_title": {"people"},
    "voters_line": {"telegram_id", "votes", "right", "wrong", "neither"},
    "voters_paused_line": {"telegram_id", "votes", "right", "wrong", "neither"},
    "voters_person": {"telegram_id", "number", "votes"},
    "voters_vote": {"version", "label", "vote", "at"},
    "voters_no_votes": {"telegram_id"},
    "label_over_quota": {"rows", "waiting"},
    "forecast_over_quota": {"waiting"},
    "card_texts": {"train"},
    "card_texts_over_quota": {"usable", "train", "waiting"},
    "card_held": {"champion"},
    "card_waiting": {"texts"},
    "button_wait": {"count"},
    "model_answers": {"version", "serving", "running"},
    "learning_paused": {"at"},
    "learning_paused_by": {"at", "who"},
    "button_label_more": {"size"},
    "quarantine_votes": {"positive", "negative", "neither", "label", "percent"},
    "quarantine_waiting": {"waiting"},
}
NAMES = [field.name for field in fields(Texts)]
# Texts without markup, and Telegram's limits for them in characters. All other texts are sent as HTML.
PLAIN = {name: 256 for name in NAMES if name.startswith("command_")} | {"description": 512, "short_description": 120}
PLAIN |= {name: 64 for name in NAMES if name.startswith("button_")}
LOCALES = locales()


class Tags(HTMLParser):
    """Collects tags and checks that they are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        assert not attrs, "no text may have attributes"
        self.open.append(tag)
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_there_is_an_english_locale() -> None:
    assert FALLBACK in LOCALES


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("name", NAMES)
def test_a_text_has_its_placeholders_and_fits(locale: str, name: str) -> None:
    text: str = asdict(texts_for(locale))[name]
    assert text == text.strip()
    assert text
    assert placeholders(text) == PLACEHOLDERS.get(name, set())
    filled = fill(text, **dict.fromkeys(PLACEHOLDERS.get(name, ()), "&" * 130))
    assert len(html.unescape(filled)) <= 4096, "Telegram counts the characters that are shown"


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("name", [name for name in NAMES if name not in PLAIN])
def test_tags_are_closed_and_known_to_telegram(locale: str, name: str) -> None:
    text: str = asdict(texts_for(locale))[name]
    tags = Tags()
    tags.feed(fill(text, **dict.fromkeys(PLACEHOLDERS.get(name, ()), "<b>x</i> & y")))
    tags.close()
    assert tags.open == []
    assert tags.seen <= {"b", "i", "u", "s", "code", "pre"}


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("name", sorted(PLAIN))
def test_a_text_without_markup_is_short(locale: str, name: str) -> None:
    text: str = asdict(texts_for(locale))[name]
    assert not set("<>&") & set(text)
    assert len(text) <= PLAIN[name]


@pytest.mark.parametrize("locale", LOCALES)
def test_the_help_lists_every_command(locale: str) -> None:
    texts = texts_for(locale)
    for command in set(PUBLIC_COMMANDS) - {"start", "help"}:
        assert f"\n/{command} - " in texts.help
    for command in ADMIN_COMMANDS:
        assert f"\n/{command} - {getattr(texts, f'command_{command}')}" in texts.help_admin


@pytest.mark.parametrize("command", [*PUBLIC_COMMANDS, *ADMIN_COMMANDS])
def test_every_command_has_a_line_in_the_menu(command: str) -> None:
    assert f"command_{command}" in NAMES


@pytest.mark.parametrize("language", [None, "", "en", "en-GB", "EN", "tlh", "../en", "x-klingon"])
def test_a_language_without_a_locale_is_answered_in_english(language: str | None) -> None:
    assert texts_for(language) == texts_for(FALLBACK)


def test_values_are_escaped_and_the_template_is_not() -> None:
    assert fill("<b>{name}</b> & {name}", name="<i>&") == "<b>&lt;i&gt;&amp;</b> & &lt;i&gt;&amp;"
    assert fill("{name}", name="{braces} \"quotes\" and 'these'") == "{braces} \"quotes\" and 'these'"


@pytest.mark.parametrize(("change", "complaint"), [("\nfarewell = 'Bye'", "farewell"), (None, "short_description")])
def test_a_locale_with_a_missing_or_unknown_text_does_not_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str | None, complaint: str
) -> None:
    english = Path(bot.texts.__file__).with_name("locales") / "en.toml"
    lines = english.read_text(encoding="utf-8")
    without_last = lines[: lines.rindex("short_description")]
    (tmp_path / "eo.toml").write_text(lines + change if change else without_last, encoding="utf-8")
    monkeypatch.setattr(bot.texts, "_FOLDER", tmp_path)
    with pytest.raises(TypeError, match=complaint):
        # Bypass the cache, which is shared with other tests.
        texts_for.__wrapped__("eo")
