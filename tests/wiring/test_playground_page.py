"""docs/playground.md lists every action under ``/sim`` with its parameters, and every path for GET requests."""

import re

from paths import ROOT

from playground.sim.action import Action, PersonAction
from playground.sim.action_table import ACTIONS

PAGE = (ROOT / "docs" / "playground.md").read_text(encoding="utf-8")
SERVER = (ROOT / "playground" / "server.py").read_text(encoding="utf-8")


def parameters(action: type[Action]) -> list[str]:
    """Return the names of an action's own parameters, written as on the page."""
    own = ((name, field) for name, field in action.model_fields.items() if name not in PersonAction.model_fields)
    return [f"`{name}`" if field.is_required() else f"[`{name}`]" for name, field in own]


def test_every_action_is_listed_with_its_parameters() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*?) ?\| ", PAGE, re.MULTILINE)
    assert rows == [(name, ", ".join(parameters(action))) for name, action in ACTIONS.items()]


def test_every_path_that_can_be_read_is_listed() -> None:
    served = set(re.findall(r'"/sim/(\w+)', SERVER))
    assert served
    assert {path.partition("/")[0] for path in re.findall(r"^\| `/sim/(\S+)` \|", PAGE, re.MULTILINE)} == served
