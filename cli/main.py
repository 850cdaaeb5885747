"""The table of commands. Commands import their modules only when they run, so that --help is fast."""

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Final

import typer

from cli import broker, data, database, keys, models, outbox, updates
from cli.backup.commands import backup, restore
from cli.corrections import commands
from cli.drift import drift
from cli.evaluate import evaluate
from cli.fine_tune import fine_tune
from cli.health import health
from cli.interrupts import exit_on_sigterm
from cli.predict import TextCommand, predict
from cli.retrain import retrain
from cli.review_head import review_head
from cli.status import status
from cli.summary import summary
from cli.worker import beat, worker
from core.errors import ThumbsError, UnusablePath

_REFUSALS: Final = {errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EROFS}

app = typer.Typer(
    help="Thumbs classifies reviews with a fine-tuned BERT model, on Telegram or on a local chat page.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(broker.app, name="broker")
app.add_typer(commands.app, name="corrections")
app.add_typer(data.app, name="data")
app.add_typer(database.app, name="db")
app.add_typer(keys.app, name="key")
app.add_typer(models.app, name="models")
app.add_typer(outbox.app, name="outbox")
app.add_typer(updates.app, name="updates")
app.command(cls=TextCommand)(predict)
app.command()(fine_tune)
app.command()(evaluate)
app.command()(summary)
app.command()(review_head)
app.command()(retrain)
app.command()(status)
app.command()(drift)
app.command()(backup)
app.command()(restore)
app.command()(health)
app.command()(worker)
app.command()(beat)


@app.command()
def demo() -> None:
    """Start the bot, its worker and a local chat page.

    Prints the page's URL. Needs no Telegram token. All data is kept in DATA_DIR. Press Ctrl-C to stop.

    \b
    Examples:
      thumbs demo
      PLAYGROUND_PORT=9000 DATA_DIR=/srv/thumbs-demo thumbs demo
    """
    from cli.demo.supervisor import run_demo
    from core.settings import read_settings

    run_demo(read_settings())


@app.command()
def bot() -> None:
    """Start the bot on Telegram.

    The bot needs TELEGRAM_TOKEN, an encryption key and an up-to-date database.

    \b
    Example:
      thumbs db upgrade && TELEGRAM_TOKEN=123456:abc thumbs bot
    """
    from bot.main import run
    from core.settings import read_settings

    run(read_settings())


@app.command()
def settings(
    example: Annotated[bool, typer.Option("--example", help="Print a commented .env file instead.")] = False,
) -> None:
    """Print all settings with their defaults and meanings.

    \b
    Examples:
      thumbs settings > docs/settings.md
      thumbs settings --example > .env.example
    """
    from cli.settings_page import env_example, settings_table

    typer.echo(env_example() if example else settings_table(), nl=False)


@contextmanager
def _refused_paths() -> Iterator[None]:
    """Convert the errors that file operations raise for unusable paths to UnusablePath."""
    try:
        yield
    except OSError as error:
        if error.filename is None or error.errno not in _REFUSALS:
            raise
        raise UnusablePath(path=error.filename, reason=error.strerror) from error


def main() -> None:
    """Run the command line. For a ThumbsError, print its message and exit with its status."""
    try:
        with exit_on_sigterm(), _refused_paths():
            app()
    except ThumbsError as error:
        typer.echo(str(error), err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
