"""With CI=true, a skipped test fails the run unless it is listed with a reason."""

import pytest
import skip_policy
from paths import ROOT

SKIPPING = """
import pytest

@pytest.mark.parametrize("size", [1, 2])
def test_skips(size):
    pytest.skip("no such machine here")

@pytest.mark.xfail(reason="not yet")
def test_is_expected_to_fail():
    assert False

def test_passes():
    pass
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr(skip_policy, "EXCUSES", pytester.path / "excuses.toml")
    excuse(pytester, "")
    pytester.makepyfile(test_suite=SKIPPING)
    return pytester


def excuse(suite: pytest.Pytester, lines: str) -> None:
    (suite.path / "excuses.toml").write_text(f"[skips]\n{lines}\n", encoding="utf-8")


def run(suite: pytest.Pytester) -> pytest.RunResult:
    return suite.runpytest_inprocess("-p", "skip_policy", "-p", "no:asyncio")


def test_skips_and_expected_failures_fail_in_ci(suite: pytest.Pytester) -> None:
    result = run(suite)
    result.assert_outcomes(passed=1, failed=3)
    result.stdout.fnmatch_lines(
        ["*test_skips?1? was skipped*no such machine here*", "*test_is_expected_to_fail*not yet*"]
    )


def test_skips_are_allowed_outside_ci(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI")
    run(suite).assert_outcomes(passed=1, skipped=2, xfailed=1)


def test_an_excuse_covers_all_parameters_of_a_test(suite: pytest.Pytester) -> None:
    excuse(suite, '"test_suite.py::test_skips" = "only some machines have it"')
    run(suite).assert_outcomes(passed=1, skipped=2, failed=1)


def test_an_excuse_can_name_one_parameter(suite: pytest.Pytester) -> None:
    excuse(suite, '"test_suite.py::test_skips[2]" = "only some machines have it"')
    run(suite).assert_outcomes(passed=1, skipped=1, failed=2)


def test_a_module_that_skips_itself_fails_too(suite: pytest.Pytester) -> None:
    suite.makepyfile(test_suite="import pytest\npytest.importorskip('no_such_module')")
    result = run(suite)
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*test_suite.py was skipped*no_such_module*"])


def test_an_excuse_needs_a_reason(suite: pytest.Pytester) -> None:
    excuse(suite, '"test_suite.py::test_skips" = " "')
    result = run(suite)
    assert result.ret != 0
    result.stderr.fnmatch_lines(["*gives no reason for test_suite.py::test_skips*"])


def test_the_excuses_name_tests_that_exist() -> None:
    for node_id in skip_policy.read_excuses(skip_policy.EXCUSES):
        assert (ROOT / node_id.partition("::")[0]).is_file(), node_id


def test_a_peer_test_says_how_to_install_what_it_needs(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr("peers.PEERS_PYTHON", pytester.path / "absent")
    pytester.makeini("[pytest]\nmarkers = peers")
    pytester.makepyfile("import pytest\n@pytest.mark.peers\ndef test_compares(): pass")
    result = pytester.runpytest_inprocess("-p", "peers", "-p", "no:asyncio", "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*make peers*"])
