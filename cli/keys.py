"""``thumbs key`` generates and rotates the encryption keys."""

from pathlib import Path
from typing import Annotated

import typer

from cli.open_database import open_database

app = typer.Typer(help="Generate and rotate the keys that encrypt stored texts.", no_args_is_help=True)


@app.command("new")
def new_key(
    file: Annotated[Path | None, typer.Option(help="Write the key to this new file, with mode 0600.")] = None,
) -> None:
    """Generate a key, and print it or write it to a file.

    \b
    Examples:
      thumbs key new --file /etc/thumbs/key
      ENCRYPTION_KEY="$(thumbs key new)" thumbs bot
    """
    if file is not None:
        from storage.db.encryption import make_key_file

        make_key_file(file)
        typer.echo(f"Wrote {file}. Keep a copy: without this key, the stored texts cannot be read.", err=True)
    else:
        from cryptography.fernet import Fernet

        typer.echo(Fernet.generate_key().decode("ascii"))


@app.command("rotate")
def rotate_key() -> None:
    """Encrypt all stored texts with the newest key.

    Stop every bot first, because the command refuses to run while a bot is running. Afterwards, you can remove the
    older keys. In the example, the new key is on the first line of the file and the old key is on the second.

    \b
    Example:
      ENCRYPTION_KEY_FILE=/etc/thumbs/both.key thumbs key rotate
    """
    from core.settings import read_settings
    from storage.db.key_rotation import rotate_keys
    from storage.models.instances import refuse_beside_bots

    with open_database(read_settings()) as database, database.unit_of_work() as unit:
        refuse_beside_bots(unit)
        rows = rotate_keys(unit)
        refuse_beside_bots(unit)  # a bot may have started in the meantime
    typer.echo(f"Rows encrypted with the newest key: {rows:,}. The older keys can be removed.")
