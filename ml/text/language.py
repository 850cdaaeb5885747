"""Detects texts that are clearly not English, because the model cannot read other languages.

Refusing an English text is worse than classifying a foreign one, so short, mixed and doubtful texts count as English.
``python -m benchmarks.serving.language_guard`` measures both kinds of error. The figures are in
docs/decisions/0001-language-guard.md.
"""

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
"""The languages recognised in addition to English, by ISO 639-1 code. With all 140 of the library's languages (Nigerian
Pidgin, West Frisian, Latin), more English texts are mistaken for a foreign language."""

THRESHOLD = 0.9
"""The minimum probability for refusing a text: the lowest step at which no English development text is refused."""

MIN_BYTES = 12
"""Texts with fewer UTF-8 bytes of words are never refused: 12 Latin letters, 6 Cyrillic letters or 4 Chinese
characters."""


@dataclass(frozen=True, slots=True)
class ForeignText:
    """The foreign language of a text: ISO 639-1 code, English name, and probability from 0 to 1."""

    code: str
    name: str
    probability: float


def foreign_language(text: str) -> ForeignText | None:
    """Return the language of ``text`` if it is clearly not English, or None otherwise."""
    likeliest = likeliest_foreign_language(text)
    return likeliest if likeliest is not None and likeliest.probability >= THRESHOLD else None


def likeliest_foreign_language(text: str) -> ForeignText | None:
    """Return the most likely language of ``text``, however weak the evidence.

    Return None if the text or either half of it is most likely English, because English texts quote foreign titles, or
    if the text is shorter than MIN_BYTES.
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


def _likeliest(words: list[str]) -> tuple[str, float]:
    code, probability = load_identifier().classify(" ".join(words))
    return str(code), float(probability)


def _halves(words: list[str]) -> tuple[list[str], ...]:
    middle = (len(words) + 1) // 2
    return (words[:middle], words[middle:]) if len(words) > 1 else ()
