"""Fingerprints are equal for texts that count as the same. Collections of texts have digests."""

from ml.text.fingerprints import digest, fingerprint, shared_fingerprints


def test_texts_that_differ_only_in_form_have_one_fingerprint() -> None:
    assert fingerprint("Good,  GOOD film!<br />See it") == fingerprint("good good film see it.")
    assert fingerprint("One.<BR/>Two<br>three") == fingerprint("one two three")
    assert fingerprint("CAFE\u0301") == fingerprint("caf\u00e9")
    assert len({fingerprint(text) for text in ("a good film", "a god film", "caf\u00e9", "cafe")}) == 4


def test_texts_without_words_have_different_fingerprints() -> None:
    assert len({fingerprint(text) for text in ("\N{THUMBS UP SIGN}", "\N{THUMBS DOWN SIGN}", ":-)", "")}) == 4
    assert fingerprint(" \n") == fingerprint("")


def test_a_digest_does_not_depend_on_the_order() -> None:
    assert digest(["one", "two", "two"]) == digest(["two", "one", "Two!"])
    assert len({digest(texts) for texts in (["one", "two"], ["one", "two", "two"], ["one"], ["one two"], [])}) == 5


def test_shared_texts_are_found_by_their_fingerprints() -> None:
    assert shared_fingerprints(["one", "two"], ["TWO!", "three"]) == {fingerprint("two")}
    assert shared_fingerprints(["one"], []) == set()
