"""What a results file says about where its figures come from."""

import platform
import re

import pytest

from benchmarks.provenance import provenance
from benchmarks.text_sets import assert_disjoint, text_digest, text_set_digest


def test_a_run_is_described_without_naming_the_host() -> None:
    described = provenance("py3langid")
    assert re.fullmatch(r"[0-9a-f]{40}", described.commit)
    assert described.cpu
    assert described.cores >= 1
    assert described.memory_gib > 0
    assert set(described.packages) == {"py3langid"}
    assert platform.node() not in repr(described)


def test_a_set_of_texts_has_one_digest_in_any_order_and_form() -> None:
    digest = text_set_digest(["A fine film.", "caf\u00e9"])
    assert text_set_digest(["cafe\u0301", "a  FINE\nfilm. ", "A fine film."]) == digest
    assert text_set_digest(["A fine film.", "cafe"]) != digest


def test_a_shared_text_is_found_and_named_by_its_digest() -> None:
    assert_disjoint(["one", "two"], ["three"])
    with pytest.raises(ValueError, match=f"1 texts stand in both sets; the first by digest is {text_digest('two')}"):
        assert_disjoint(["one", "two"], ["TWO ", "three"])
