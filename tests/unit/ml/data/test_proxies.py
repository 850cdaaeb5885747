"""An unusable proxy in the environment is reported in one sentence that doesn't show its password."""

from pathlib import Path

import pytest

from core.errors import BadInput
from ml.data.download import RemoteFile, download
from ml.data.hub import download_snapshot
from ml.errors import DownloadFailed

PROXIES = ["socks://user:pass@127.0.0.1:9/", "socks5://user:pass@127.0.0.1:9/", "http://user:pass@127.0.0.1:port"]


class Refused(BadInput):
    message = "{name} cannot be used: {reason}."


@pytest.fixture(params=PROXIES, autouse=True)
def proxy(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.delenv("all_proxy", raising=False)
    monkeypatch.setenv("ALL_PROXY", request.param)


def test_a_download_fails_with_a_sentence(tmp_path: Path) -> None:
    source = RemoteFile("https://data.example.org/reviews.tar.gz", "0" * 32)
    with pytest.raises(DownloadFailed) as caught:
        download(source, tmp_path / "reviews.tar.gz", lambda *_: None)
    assert "pass@" not in str(caught.value)


def test_the_hub_fails_with_a_sentence() -> None:
    with pytest.raises(Refused, match="the download failed") as caught:
        download_snapshot("owner/name", "dataset", ["*"], Refused)
    assert "pass@" not in str(caught.value)
