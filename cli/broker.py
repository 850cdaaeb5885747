"""``thumbs broker`` checks that the workers' broker can be reached."""

import typer

app = typer.Typer(help="Check the workers' broker.", no_args_is_help=True)


@app.callback()
def broker() -> None:
    """Check the workers' broker."""


@app.command()
def check() -> None:
    """Check that the broker responds.

    \b
    Example:
      BROKER_URL=redis://queue.example.org thumbs broker check
    """
    from broker.queues import check_broker
    from core.settings import read_settings

    check_broker(read_settings())
    typer.echo("The broker responds.", err=True)
