"""Counts the bot's answers since this process started."""

from typing import Final

from prometheus_client import Counter

WITHOUT_VERDICT: Final = Counter(
    "thumbs_texts_without_verdict", "Number of texts that got no verdict from the model, by reason.", ["reason"]
)
