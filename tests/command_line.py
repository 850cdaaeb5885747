"""Parses a ``thumbs`` command line without running it."""

import typer
from click import Context
from typer.core import TyperGroup

from cli.main import app


def parsed(command: list[str]) -> Context:
    """Return the context of the innermost command after checking its options. Raise UsageError for unknown options."""
    found = typer.main.get_command(app)
    context, rest = found.make_context("thumbs", list(command)), list(command)
    while isinstance(found, TyperGroup):
        name, inner, rest = found.resolve_command(context, rest)
        assert inner is not None
        found, context = inner, inner.make_context(name, rest, parent=context)
    return context
