"""The demo's settings, and the environment that passes them to its processes."""

import os
import secrets
import socket
from pathlib import Path

import typer
from pydantic import SecretStr

from cli.addresses import reachable_host
from cli.demo.lesson import ADA
from core.errors import PortTaken, UnwritableFile
from core.paths import HOME_VARIABLE
from core.settings import Settings
from storage.db.encryption import DEMO_KEY_FILE, make_key_file, read_keys


def demo_settings(settings: Settings) -> Settings:
    """Return ``settings`` adapted for the demo: one data folder, the playground as Telegram, a key and an admin.

    Create the data folder, and put a key in it if the settings contain none. Raise UnwritableFile, PortTaken or
    BadSetting if the demo can't run with these settings.
    """
    data_dir = settings.data_dir
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UnwritableFile(path=data_dir, reason=error.strerror) from error
    port = usable_port(settings.playground_host, settings.playground_port)
    demo = settings.model_copy(
        update={
            "data_dir": data_dir,
            "database_url": None,
            "database_password_file": None,
            "playground_port": port,
            "telegram_api_url": _url(reachable_host(settings.playground_host), port),
            "telegram_token": SecretStr(f"1000001:{secrets.token_urlsafe(26)}"),
            "telegram_token_file": None,
            "webhook_url": None,
            "broker_url": None,
            "broker_url_file": None,
            "artifact_store": None,
            "admin_ids": settings.admin_ids or (ADA,),
        }
    )
    demo = _with_key(demo)
    read_keys(demo)
    return demo


def _with_key(demo: Settings) -> Settings:
    if demo.encryption_key is not None or demo.encryption_key_file is not None:
        return demo
    key_file = demo.data_dir / DEMO_KEY_FILE
    if not key_file.exists():
        make_key_file(key_file)
        typer.echo(f"Created the encryption key {key_file}. Keep a copy of it away from the database.")
    return demo.model_copy(update={"encryption_key_file": key_file})


def child_environment(settings: Settings) -> dict[str, str]:
    """Return the environment for the demo's processes: ``settings``, and no other variable that names a setting.

    The processes use the data folder as their home folder, so no ``.env`` file can add settings.
    """
    names = Settings.model_fields.keys()
    environment = {name: value for name, value in os.environ.items() if name.lower() not in names}
    for name in names:
        value = getattr(settings, name)
        if value is not None:
            environment[name.upper()] = _to_text(value)
    environment[HOME_VARIABLE] = str(settings.data_dir)
    # Most programs prefer the name in lower case if both are set.
    direct = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    hosts = [direct, reachable_host(settings.playground_host), "127.0.0.1", "localhost"]
    environment["no_proxy"] = environment["NO_PROXY"] = ",".join(filter(None, hosts))
    environment["PYTHONUNBUFFERED"] = "1"
    return environment


def _to_text(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    # The path isn't resolved, because a virtual environment's interpreter is a link to an interpreter without the
    # packages.
    return str(value.absolute() if isinstance(value, Path) else value)


def usable_port(host: str, port: int) -> int:
    """Return ``port``, or a free port if it is 0. Raise PortTaken if a server can't listen on it now."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            return int(probe.getsockname()[1])
    except OSError as error:
        raise PortTaken(port=port, host=host, reason=error.strerror) from error


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
