"""``thumbs predict`` explains how to pass a text that begins with a dash."""

import pytest
from typer.testing import CliRunner

from cli.main import app


@pytest.mark.parametrize("text", ["-5 stars, truly awful", "--- awful", "--the best--", "-awful"])
def test_a_text_that_begins_with_a_dash_is_refused_with_a_hint(text: str) -> None:
    result = CliRunner().invoke(app, ["predict", text])
    assert result.exit_code == 2
    assert "Put -- before a text that begins with a dash" in " ".join(result.stderr.split())
