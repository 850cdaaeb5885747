"""The table of commands. Each imports its room when it runs, so that help is quick."""

import sys
from typing import Annotated

import typer

from cli import broker, data, database, keys, models
from cli.corrections import commands
from cli.evaluate import evaluate
from cli.fine_tune import fine_tune
from cli.predict import predict
from cli.retrain import retrain
from cli.summary import summary
from cli.worker import beat, worker
from core.errors import ThumbsError

app = typer.Typer(
    help="Thumbs reads reviews with a fine-tuned BERT, on Telegram or on a local chat page.",
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
app.command()(predict)
app.command()(fine_tune)
app.command()(evaluate)
app.command()(summary)
app.command()(retrain)
app.command()(worker)
app.command()(beat)


@app.command()
def demo() -> None:
    """Start a local chat page and the bot, and print the page's address.

    Needs no Telegram token. Everything is kept in DATA_DIR. Ctrl-C stops it.

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

    Needs TELEGRAM_TOKEN, an encryption key and a database that is up to date.

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
    """Print every setting with its default and what it is for.

    \b
    Examples:
      thumbs settings > docs/settings.md
      thumbs settings --example > .env.example
    """
    from cli.settings_page import env_example, settings_table

    typer.echo(env_example() if example else settings_table(), nl=False)


def main() -> None:
    """Run the command line; an error of the tree ends as its sentence and its exit status."""
    try:
        app()
    except ThumbsError as error:
        typer.echo(str(error), err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
