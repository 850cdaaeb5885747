"""Which texts count as the same, and what tells one set of texts from another."""

from ml.fingerprints import digest, fingerprint


def test_one_fingerprint_for_texts_that_differ_in_form_only() -> None:
    assert fingerprint("Good,  GOOD film!<br />See it") == fingerprint("good good film see it.")
    assert fingerprint("a good film") != fingerprint("a god film")


def test_a_digest_knows_texts_but_not_their_order() -> None:
    assert digest(["one", "two", "two"]) == digest(["two", "one", "Two!"])
    assert len({digest(texts) for texts in (["one", "two"], ["one", "two", "two"], ["one"], ["one two"], [])}) == 5
