"""An unusable broker address is reported as a bad setting, and no part of its password is shown."""

from pathlib import Path

import pytest

from broker.queues import broker_settings
from core.errors import BadSetting
from core.settings import Settings


@pytest.mark.parametrize(
    "address",
    [
        "redis://:pa[tpw@localhost/0",
        "redis://:pa/tpw@localhost/0",
        "redis://u:12/tpw@localhost/0",
        "redis://:pa?tpw@localhost/0",
        "rediss://:pa#tpw@localhost/0",
        "redis://localhost:tpw/0",
        "redis://localhost:99999999/0",
        "redis://localhost/tpw",
    ],
)
def test_a_broker_address_that_cannot_be_parsed_is_reported_without_its_password(address: str) -> None:
    with pytest.raises(BadSetting, match="BROKER_URL") as caught:
        broker_settings(Settings(_env_file=None, broker_url=address))
    assert "tpw" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("address", ["redis://:p%40w@localhost:6380/1", "redis://localhost", "redis://u:a@b@host/0"])
def test_a_usable_broker_address_is_kept(address: str) -> None:
    assert broker_settings(Settings(_env_file=None, broker_url=address))["broker_url"] == address


def test_a_data_dir_that_cannot_hold_the_broker_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadSetting, match="DATA_DIR"):
        broker_settings(Settings(_env_file=None, data_dir=tmp_path / "file"))
