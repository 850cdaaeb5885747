"""Recognises a cry for help, in which the writer says that they want to die or to hurt themselves.

Reviews mention death all the time ("this film made me want to die"), so a statement counts only if it is about the
writer, is in the present tense, and does not blame anything for the wish. ``python -m benchmarks.serving.sense`` counts
the reviews that are mistaken for a cry for help.
"""

import re
import unicodedata
from typing import Final

# A longer text is a review that quotes somebody, not a cry for help.
_MAX_WORDS: Final = 200
_I: Final = r"\b(?:i|im|i'?m|i'?ve|i'?d)\s+"
_OFTEN: Final = (
    r"(?:(?:am|just|really|so|still|honestly|actually|only|often|always|sometimes|literally|do|even|now)\s+)*"
)
_ANY_MORE: Final = r"(?:any\s?more|any\s+longer)"
_DIE: Final = r"(?:die|be\s+dead|disappear\s+forever|not\s+(?:be\s+alive|exist))\b"
_KILL: Final = (
    r"(?:(?:kill|hang|shoot)\s+my\s?self|(?:end|take)\s+my\s+(?:own\s+)?life|end\s+it\s+all|commit\s+suicide"
    r"|slit\s+my\s+wrists?|overdose)\b"
)
_HURT: Final = r"(?:hurt|harm|cut)\s+my\s?self\b(?!\s+(?:an?|some|on|off|in|short|loose|shaving)\b)"
_DYING: Final = (
    r"(?:dying|being\s+dead|(?:killing|hanging|shooting|hurting|harming|cutting)\s+my\s?self|ending\s+it\s+all"
    r"|(?:ending|taking)\s+my\s+(?:own\s+)?life|(?:committing\s+)?suicide|self[\s-]?harm(?:ing)?)\b"
)
_WANT: Final = r"(?:want(?:ing)?\s+to|wanna|wish\s+to|need\s+to|plan(?:ning)?\s+to|ready\s+to|(?:have\s+)?decided\s+to)"
_WILL: Final = r"(?:about\s+to|going\s+to|gonna|will|might|could|may|try(?:ing)?\s+to)"
_THINK: Final = (
    r"(?:feel(?:ing)?\s+like|(?:thinking|think|thought)\s+(?:about|of)|considering|close\s+to|on\s+the\s+verge\s+of"
    r"|can'?t\s+stop|have\s+been|keep|started)"
)
_CRIES: Final = tuple(
    re.compile(pattern)
    for pattern in (
        # I want to die; I'm going to kill myself; I feel like hurting myself
        rf"{_I}{_OFTEN}{_WANT}\s+{_OFTEN}(?:{_DIE}|{_KILL}|{_HURT})",
        rf"{_I}{_OFTEN}{_WILL}\s+{_OFTEN}{_KILL}",
        rf"^\W*(?:(?:want|going|about)\s+to|wanna|gonna)\s+{_KILL}",
        r"^\W*(?:want\s+to\s+die|kill\s+my\s?self)\W*$",
        rf"{_I}{_OFTEN}{_THINK}\s+{_OFTEN}(?:(?:thinking|think)\s+(?:about|of)\s+)?{_DYING}",
        # I don't want to live anymore; I can't go on; I wish I was dead; I have no reason to live
        rf"{_I}{_OFTEN}(?:do\s+not|don'?t|no\s+longer)\s+{_OFTEN}(?:(?:want\s+to|wanna)\s+)"
        rf"(?:live|be\s+alive|exist|wake\s+up)(?:\s+(?:{_ANY_MORE}|like\s+this|tomorrow))?\s*(?:[.!?…]|$)",
        rf"{_I}{_OFTEN}(?:do\s+not|don'?t)\s+{_OFTEN}want\s+to\s+(?:be\s+here|go\s+on)\s+{_ANY_MORE}",
        rf"{_I}{_OFTEN}(?:can'?t|cannot)\s+go\s+on(?:\s+(?:{_ANY_MORE}|like\s+this))?\s*(?:[.!?…]|$)",
        r"(?:^\W*|\bi\s+)wish\s+(?:that\s+)?i\s+(?:was\s+dead|were\s+dead|(?:was|were)\s+never\s+born"
        r"|had\s+never\s+been\s+born|wouldn'?t\s+wake\s+up)\b",
        r"\bi\s+(?:have|see|'?ve\s+got)\s+(?:no|nothing)\s+(?:more\s+)?(?:reason\s+)?(?:left\s+)?to\s+live(?!\s+in)\b",
        r"\b(?:everyone|everybody|the\s+world|my\s+family|they)\s*(?:would|'d)\s+be\s+better\s+off\s+without\s+me\b",
        # I am suicidal; I self-harm; I keep cutting myself; help me, I want to die
        rf"{_I}{_OFTEN}(?:(?:feel(?:ing)?|having|have)\s+)?{_OFTEN}suicidal\b",
        rf"{_I}{_OFTEN}self[\s-]?harm\b",
        rf"{_I}{_OFTEN}(?:(?:have\s+)?(?:been|started|keep)\s+)?(?:cut|cutting|hurt|hurting|harm|harming)\s+my\s?self"
        r"\s*(?:again|every|on\s+purpose)",
        r"\bhelp\s+me\W+(?:\w+\W+){0,4}(?:suicid\w+|kill\s+my\s?self|want\s+to\s+die|self[\s-]?harm)",
    )
)
# What turns the words into a figure of speech, or shows that the sentence is about a film, a book or a product.
_FIGURES: Final = re.compile(
    r"""
    \b(?:die|dead|dying|my\ ?self)\s+
      (?:of|from|laughing|for|in|at|on|hard|trying|over|rather|watching|listening|reading|happy)\b
    | \b(?:so|too)\s+\w+\s+(?:that\s+)?i\b
    | \b(?:laugh\w*|lol|lmao|rofl|haha\w*|boredom|embarrassment|cringe\w*|joking|kidding|jk)\b
    | \b(?:film|movie|book|novel|show|series|episode|season|scene|actor|actress|plot|character|director|song|album|game
        |level|product|phone|battery|restaurant|review|watch(?:ed|ing)?|starring|sequel|trailer|cake)s?\b
    | \b(?:before|until|when|if)\s+i\s+die\b
    | ["“”«»]
    """,
    re.VERBOSE,
)
_SENTENCE_END: Final = re.compile(r"(?<=[.!?…])\s+|\n+")


def asks_for_help(text: str) -> bool:
    """Return whether the writer of ``text`` says that they want to die or to hurt themselves."""
    plain = unicodedata.normalize("NFKC", text).lower().replace("\u2019", "'")
    if len(plain.split()) > _MAX_WORDS:
        return False
    sentences = [sentence for sentence in _SENTENCE_END.split(plain) if not _FIGURES.search(sentence)]
    return any(pattern.search(sentence) for sentence in sentences for pattern in _CRIES)
