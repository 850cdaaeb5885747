"""Detects texts that are clearly not English, because the model cannot read other languages.

A text in another script, such as Cyrillic, cannot be English, however short it is. For texts in Latin letters,
rejecting an English text is worse than classifying a text in another language, so short, mixed and doubtful texts count
as English. ``python -m benchmarks.serving.language_guard`` measures both kinds of error. The figures are in
docs/decisions/0001-language-guard.md.
"""

import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from ml.text.plain_text import plain_words

ENGLISH = "en"
LANGUAGES = MappingProxyType(
    {
        "ar": "Arabic",
        "az": "Azerbaijani",
        "bg": "Bulgarian",
        "bn": "Bengali",
        "ca": "Catalan",
        "cs": "Czech",
        "da": "Danish",
        "de": "German",
        "el": "Greek",
        "es": "Spanish",
        "et": "Estonian",
        "fa": "Persian",
        "fi": "Finnish",
        "fr": "French",
        "gu": "Gujarati",
        "he": "Hebrew",
        "hi": "Hindi",
        "hr": "Croatian",
        "hu": "Hungarian",
        "hy": "Armenian",
        "id": "Indonesian or Malay",
        "it": "Italian",
        "ja": "Japanese",
        "ka": "Georgian",
        "kk": "Kazakh",
        "kn": "Kannada",
        "ko": "Korean",
        "lt": "Lithuanian",
        "lv": "Latvian",
        "mk": "Macedonian",
        "ml": "Malayalam",
        "mr": "Marathi",
        "nl": "Dutch",
        "no": "Norwegian",
        "pl": "Polish",
        "pt": "Portuguese",
        "ro": "Romanian",
        "ru": "Russian",
        "sk": "Slovak",
        "sl": "Slovenian",
        "sq": "Albanian",
        "sr": "Serbian",
        "sv": "Swedish",
        "sw": "Swahili",
        "ta": "Tamil",
        "te": "Telugu",
        "th": "Thai",
        "tl": "Filipino",
        "tr": "Turkish",
        "uk": "Ukrainian",
        "ur": "Urdu",
        "uz": "Uzbek",
        "vi": "Vietnamese",
        "zh": "Chinese",
    }
)
"""The languages recognised in addition to English, by ISO 639-1 code. The library knows 140 languages, including
Nigerian Pidgin, West Frisian and Latin, but with all of them, more English texts would be mistaken for other
languages."""

THRESHOLD = 0.9
"""The minimum probability for refusing a text. It is the lowest value tried at which no English development text is
refused."""

MIN_BYTES = 12
"""Texts whose words add up to fewer UTF-8 bytes than this are never refused. 12 bytes are 12 Latin letters, 6 Cyrillic
letters or 4 Chinese characters."""


UNDETERMINED = "und"
"""The ISO 639 code for an unknown language."""

_LATIN = "LATIN"
# Scripts that Unicode's names call something that readers would not.
_LETTERS = MappingProxyType(
    {"CJK": "Chinese characters", "HIRAGANA": "Japanese characters", "KATAKANA": "Japanese characters"}
)


@dataclass(frozen=True, slots=True)
class ForeignText:
    """The language of a text that is not English: ISO 639-1 code, English name, and probability from 0 to 1.

    If only the script is certain, the code is UNDETERMINED and the name says, for example, "a language in Cyrillic
    letters".
    """

    code: str
    name: str
    probability: float


def foreign_language(text: str) -> ForeignText | None:
    """Return the language of ``text`` if it is clearly not English, or None otherwise."""
    likeliest = likeliest_foreign_language(text)
    if likeliest is not None and likeliest.probability >= THRESHOLD:
        return likeliest
    script = _foreign_script(text)
    if script is None:
        return None
    letters = _LETTERS.get(script, f"{script.capitalize()} letters")
    return ForeignText(UNDETERMINED, f"a language in {letters}", 1.0)


def likeliest_foreign_language(text: str) -> ForeignText | None:
    """Return the most likely language of ``text``, however weak the evidence.

    Return None if the text is shorter than MIN_BYTES, or if the text or either half of it is most likely English. The
    halves matter because English texts can quote titles in other languages.
    """
    words = [word.lower() if word.isupper() else word for word in plain_words(text)]
    if sum(len(word.encode()) for word in words) < MIN_BYTES:
        return None
    code, probability = _likeliest(words)
    if code == ENGLISH or any(_likeliest(half)[0] == ENGLISH for half in _halves(words)):
        return None
    return ForeignText(code, LANGUAGES[code], probability)


@cache
def load_identifier() -> LanguageIdentifier:
    """Load the library's model, restricted to English and LANGUAGES. The result is cached.

    A process that serves users should call this at start-up, or its first reply will be slow.
    """
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([ENGLISH, *LANGUAGES])
    return identifier


def _foreign_script(text: str) -> str | None:
    """Return the Unicode name of the most frequent script if most letters are not Latin, or None otherwise.

    Styled Latin letters, such as mathematical bold, count as Latin.
    """
    words = "".join(plain_words(unicodedata.normalize("NFKC", text)))
    scripts = Counter(unicodedata.name(letter, "").partition(" ")[0] for letter in words if letter.isalpha())
    foreign = scripts.total() - scripts[_LATIN]
    if 2 * foreign <= scripts.total():
        return None
    del scripts[_LATIN]
    return max(scripts, key=scripts.__getitem__)


def _likeliest(words: list[str]) -> tuple[str, float]:
    code, probability = load_identifier().classify(" ".join(words))
    return str(code), float(probability)


def _halves(words: list[str]) -> tuple[list[str], ...]:
    middle = (len(words) + 1) // 2
    return (words[:middle], words[middle:]) if len(words) > 1 else ()
