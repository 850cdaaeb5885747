"""Commands reject ids that no database can store."""

import pytest
from typer.testing import CliRunner

from cli.main import app


@pytest.mark.parametrize(
    "arguments",
    [
        ["updates", "show"],
        ["updates", "retry"],
        ["updates", "drop", "5"],
        ["updates", "show", "5", "--bot"],
        ["outbox", "retry"],
        ["outbox", "drop", "17"],
        ["corrections", "seen-by"],
    ],
    ids=" ".join,
)
def test_an_id_above_64_bits_is_refused(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, [*arguments, str(2**63)])
    assert result.exit_code == 2
    assert "Input should be less than or equal to 9223372036854775807" in result.output
