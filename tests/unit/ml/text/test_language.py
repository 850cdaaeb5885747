"""The language guard accepts texts that are or may be English, and names the language of all others."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.text.language import (
    ENGLISH,
    LANGUAGES,
    MIN_BYTES,
    THRESHOLD,
    UNDETERMINED,
    ForeignText,
    foreign_language,
    likeliest_foreign_language,
    load_identifier,
)


@pytest.mark.parametrize(
    "text",
    [
        "I liked every minute of it and so did my sister.",
        "The plot makes no sense, but the car chase alone is worth the ticket.",
        "BORING BORING BORING, I WANT MY MONEY BACK",
        "definately teh best moive of teh yaer",
        "The whale sings.<br /><br />The captain weeps.<br /><br />I slept.",
        "so 😂 much 😂 fun 😂 with 😂 the 😂 kids",
        "soooo goooood, looooved it",
        "Giulietta Masina and Marcello Mastroianni are a joy together",
        "Bought it for my mother, she uses it daily.",
        "Great sound, see https://de.example.org/wiki/das-ist-nicht-gut for a test",
    ],
)
def test_english_passes(text: str) -> None:
    assert foreign_language(text) is None


@pytest.mark.parametrize(
    ("code", "name", "text"),
    [
        ("es", "Spanish", "Nos pareció larguísima y los chistes no tenían ninguna gracia."),
        ("fr", "French", "Je me suis endormi avant la fin, et mon mari aussi."),
        ("de", "German", "Wir haben uns köstlich amüsiert und gehen nächste Woche wieder hin."),
        ("it", "Italian", "Questa storia mi ha fatto piangere come un bambino."),
        ("pt", "Portuguese", "Não entendi nada, mas a trilha sonora é maravilhosa."),
        ("pl", "Polish", "Nie rozumiem, dlaczego wszyscy się tym tak zachwycają."),
        ("ru", "Russian", "Мы ушли из зала через полчаса и совсем не жалеем."),
        ("tr", "Turkish", "Başrol oyuncusu çok iyiydi, gerisini unuttum bile."),
        ("ar", "Arabic", "لم أستطع إكمال الفيلم حتى النهاية"),
        ("ja", "Japanese", "最後の場面で涙が止まりませんでした"),
        ("ko", "Korean", "배우들의 호흡이 정말 잘 맞았어요"),
        ("zh", "Chinese", "这个导演的作品一部比一部精彩"),
    ],
)
def test_another_language_is_named(code: str, name: str, text: str) -> None:
    foreign = foreign_language(text)
    assert foreign is not None
    assert (foreign.code, foreign.name) == (code, name)
    assert THRESHOLD <= foreign.probability <= 1


@pytest.mark.parametrize(
    "text",
    [
        "MIR HAT ES ÜBERHAUPT NICHT GEFALLEN, SCHADE UM DAS GELD",
        "MIR HAT ES ÜBERHAUPT NICHT GEFALLEN, schade",
        "mir 😂 hat 😂 es 😂 überhaupt 😂 nicht 😂 gefallen, schade um das geld 😂😂😂",
        "Mir hat es überhaupt nicht gefallen.<br /><br />Schade um das Geld.",
        "@somebody Mir hat es überhaupt nicht gefallen, https://example.com/the-best-of-the-best-and-more-of-it",
    ],
)
def test_capitals_emoji_tags_and_links_do_not_hide_a_language(text: str) -> None:
    foreign = foreign_language(text)
    assert foreign is not None
    assert foreign.code == "de"


@pytest.mark.parametrize("text", ["Super!", "gut", "très bien", "nul", "¡Olé!", "mamma mia"])
def test_very_short_texts_in_latin_letters_are_never_refused(text: str) -> None:
    assert likeliest_foreign_language(text) is None
    assert foreign_language(text) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Да", "Cyrillic letters"),
        ("ну такое", "Cyrillic letters"),
        ("好", "Chinese characters"),
        ("すごい", "Japanese characters"),
        ("カメラ", "Japanese characters"),
        ("तेज़", "Devanagari letters"),
        ("χάλια", "Greek letters"),
        ("לא", "Hebrew letters"),
        ("سيئ", "Arabic letters"),
        ("ดี", "Thai letters"),
        ("별로", "Hangul letters"),
        ("ok но скучно", "Cyrillic letters"),
        ("5/10, ну такое", "Cyrillic letters"),
    ],
)
def test_a_short_text_in_another_script_is_refused(text: str, name: str) -> None:
    assert foreign_language(text) == ForeignText(UNDETERMINED, f"a language in {name}", 1.0)


@pytest.mark.parametrize(
    "text",
    [
        "π is a dizzy, brilliant film",
        "Good sushi (寿司) and better ramen",
        "𝗔 𝗯𝗼𝗿𝗶𝗻𝗴 𝗳𝗶𝗹𝗺",
        "ＬＯＶＥＤ ＩＴ",
        "ᴀᴡꜰᴜʟ",
        "I'd call it «Брат» for beginners",
        "Ελένη was great",
        "α and ω",
    ],
)
def test_a_few_letters_of_another_script_pass(text: str) -> None:
    assert foreign_language(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "I watched Los abrazos rotos with my father and we both loved it",
        "Me encantó muchísimo la película, I would watch it again with the kids",
        "The best one is Das weiße Band, no contest",
        "Le fabuleux destin d'Amélie Poulain is so good",
        "Wie schade! What a waste of a good cast and a good book",
    ],
)
def test_a_mixed_text_passes(text: str) -> None:
    assert foreign_language(text) is None


@pytest.mark.parametrize(
    "text", ["", "   ", "😀😀😀😀😀😀😀", "!!! ??? ...", "10/10 10/10 10/10 10/10", "https://example.org/kino"]
)
def test_a_text_without_words_has_no_language(text: str) -> None:
    assert likeliest_foreign_language(text) is None


def test_the_model_supports_every_language_in_the_table() -> None:
    assert set(load_identifier().labels) == {ENGLISH, *LANGUAGES}


@given(st.text(st.characters(), max_size=200))
@settings(deadline=None)
def test_no_text_raises(text: str) -> None:
    nearest = likeliest_foreign_language(text)
    if nearest is not None:
        assert nearest.name == LANGUAGES[nearest.code]
        assert 0 < nearest.probability <= 1
        assert len(text.encode(errors="surrogatepass")) >= MIN_BYTES
    refused = foreign_language(text)
    if nearest is not None and nearest.probability >= THRESHOLD:
        assert refused == nearest
    elif refused is not None:
        assert refused.code == UNDETERMINED
