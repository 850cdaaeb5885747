"""Prints explanations of verdicts, as lines of text and as JSON."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ml.explanation.explain import Explanation
    from ml.explanation.selection import WordEffect


def explanation_lines(text: str, explanation: "Explanation") -> Iterator[str]:
    """Yield the words that pulled the verdict up or down, with their effects in logits, and the decisive passage.

    A text that fits in one window has no decisive passage.
    """
    if not explanation.up and not explanation.down:
        yield "  no single word stands out"
    for direction, words in (("up", explanation.up), ("down", explanation.down)):
        if words:
            yield f"  {direction}: {', '.join(f'{each.word.text} ({each.effect:+.2f})' for each in words)}"
    if explanation.verdict.windows > 1:
        yield f"  decided by: {' '.join(explanation.passage.of(text).split())}"


def explanation_json(explanation: "Explanation") -> dict[str, Any]:
    """Return the words and the passage as JSON values. Positions are pairs of start and end offsets in characters."""
    return {
        "up": _words(explanation.up),
        "down": _words(explanation.down),
        "passage": [explanation.passage.start, explanation.passage.end],
    }


def _words(words: "Sequence[WordEffect]") -> list[dict[str, Any]]:
    return [
        {
            "word": each.word.text,
            "effect": round(each.effect, 4),
            "places": [[span.start, span.end] for span in each.word.spans],
        }
        for each in words
    ]
