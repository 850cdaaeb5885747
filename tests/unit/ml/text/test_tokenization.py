"""Tokenization: windows cover a whole text, and padding is masked."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paths import STARTER

from ml.errors import UnusableCheckpoint
from ml.text.tokenization import WindowTokenizer
from ml.training.base_model import DEFAULT_BASE_MODEL, find_base_model

WINDOW, OVERLAP = 16, 4


@pytest.fixture(scope="module")
def tokenizer() -> WindowTokenizer:
    return WindowTokenizer.read(find_base_model(DEFAULT_BASE_MODEL).folder, WINDOW, OVERLAP)


def test_the_ids_are_those_of_bert_base_uncased(tokenizer: WindowTokenizer) -> None:
    found = tokenizer.token_ids(["This is a blog post on how to do sentiment analysis with BERT"])
    assert found == [[2023, 2003, 1037, 9927, 2695, 2006, 2129, 2000, 2079, 15792, 4106, 2007, 14324]]


@pytest.mark.parametrize("line_break", ["<br />", "<br/>", "<br>", "<BR />", "<br /><br />"])
def test_an_html_line_break_becomes_a_space(tokenizer: WindowTokenizer, line_break: str) -> None:
    broken, plain = tokenizer.token_ids([f"The end.{line_break}I slept.", "The end. I slept."])
    assert broken == plain


def test_texts_are_read_whole(tokenizer: WindowTokenizer) -> None:
    once, often = tokenizer.token_ids(["dull", "dull " * 2000])
    assert often == once * 2000


def test_an_empty_text_is_one_window(tokenizer: WindowTokenizer) -> None:
    assert tokenizer.windows([]) == [[tokenizer.cls_id, tokenizer.sep_id]]
    assert tokenizer.token_ids([""]) == [[]]


@given(st.data())
def test_windows_cover_a_text_and_overlap_as_configured(tokenizer: WindowTokenizer, data: st.DataObject) -> None:
    overlap = data.draw(st.integers(0, 40), "overlap")
    room = data.draw(st.integers(overlap + 1, 80), "room")
    ids = list(range(1000, 1000 + data.draw(st.integers(0, 400), "length")))
    windows = replace(tokenizer, window=room + 2, overlap=overlap).windows(ids)
    insides = [window[1:-1] for window in windows]

    assert {(window[0], window[-1]) for window in windows} == {(tokenizer.cls_id, tokenizer.sep_id)}
    assert sorted(set().union(*insides)) == ids
    assert insides[-1] == ids[-room:]
    assert len(insides) == 1 or {len(inside) for inside in insides} == {room}
    shared = [len(set(before) & set(after)) for before, after in pairwise(insides)]
    assert shared[:-1] == [overlap] * len(shared[:-1])
    assert all(overlap <= last < room for last in shared[-1:]), "the last window ends with the text and adds to it"


@pytest.mark.parametrize(("ids", "windows"), [(13, 1), (14, 1), (15, 2), (24, 2), (25, 3)])
def test_a_text_has_no_more_windows_than_necessary(tokenizer: WindowTokenizer, ids: int, windows: int) -> None:
    assert len(tokenizer.windows([7] * ids)) == windows


def test_padding_is_masked_and_rounded_up(tokenizer: WindowTokenizer) -> None:
    batch = tokenizer.pad([[101, 5, 6, 102], [101, 102]], multiple=8)
    assert batch.input_ids.tolist() == [[101, 5, 6, 102, 0, 0, 0, 0], [101, 102, 0, 0, 0, 0, 0, 0]]
    assert batch.attention_mask.tolist() == [[1, 1, 1, 1, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 0, 0]]
    assert batch.input_ids.dtype == batch.attention_mask.dtype == np.int32


def test_rounding_up_does_not_exceed_the_window(tokenizer: WindowTokenizer) -> None:
    assert tokenizer.pad([[101] * 13], multiple=12).input_ids.shape == (1, WINDOW)


def test_a_saved_tokenizer_is_equivalent(tokenizer: WindowTokenizer, tmp_path: Path) -> None:
    tokenizer.save(tmp_path)
    again = WindowTokenizer.read(tmp_path, WINDOW, OVERLAP)
    texts = ["Naïve? No: café-bar, 10/10!", "ein schöner Film", "最高", "unsinkable 😀", "x" * 300]
    assert again.token_ids(texts) == tokenizer.token_ids(texts)
    assert (again.cls_id, again.sep_id, again.pad_id) == (101, 102, 0)
    facts = json.loads((tmp_path / "tokenizer_config.json").read_text(encoding="utf-8"))
    assert facts["model_max_length"] == WINDOW


def base_with(
    tokenizer: WindowTokenizer, folder: Path, facts: dict[str, object] | None, lowercase: bool = True
) -> WindowTokenizer:
    """Save ``tokenizer`` to a folder with this ``tokenizer_config.json``, and read it back."""
    tokenizer.save(folder)
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer["normalizer"]["lowercase"] = lowercase
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    (folder / "tokenizer_config.json").unlink()
    if facts is not None:
        (folder / "tokenizer_config.json").write_text(json.dumps(facts), encoding="utf-8")
    return WindowTokenizer.read(folder, WINDOW, OVERLAP)


def saved_config(tokenizer: WindowTokenizer, folder: Path) -> dict[str, object]:
    folder.mkdir()
    tokenizer.save(folder)
    facts: dict[str, object] = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    return facts


def test_the_settings_of_the_bases_tokenizer_are_kept(tokenizer: WindowTokenizer, tmp_path: Path) -> None:
    facts: dict[str, object] = {
        "tokenizer_class": "BertTokenizerFast",
        "model_max_length": 512,
        "mask_token": {"content": "[UNK]", "__type": "AddedToken"},
        "auto_map": {"AutoTokenizer": ["code.Of", "somebody.Else"]},
        "name_or_path": "/home/somebody/bert",
    }
    saved = saved_config(base_with(tokenizer, tmp_path, facts), tmp_path / "saved")
    assert saved["tokenizer_class"] == "BertTokenizerFast"
    assert saved["mask_token"] == facts["mask_token"]
    assert saved["cls_token"] == "[CLS]"
    assert saved["model_max_length"] == WINDOW
    assert not {"auto_map", "name_or_path"} & saved.keys()


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("facts", [None, {}, {"do_lower_case": True}, {"do_lower_case": False}])
def test_the_published_case_setting_is_the_one_that_is_applied(
    tokenizer: WindowTokenizer, tmp_path: Path, facts: dict[str, object] | None, lowercase: bool
) -> None:
    saved = saved_config(base_with(tokenizer, tmp_path, facts, lowercase), tmp_path / "saved")
    assert saved["do_lower_case"] is lowercase


def test_other_normalizer_settings_are_published_as_they_are_applied(
    tokenizer: WindowTokenizer, tmp_path: Path
) -> None:
    facts: dict[str, object] = {"strip_accents": True, "tokenize_chinese_chars": True}
    base_with(tokenizer, tmp_path, facts)
    path = tmp_path / "tokenizer.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["normalizer"] |= {"strip_accents": False, "handle_chinese_chars": False}
    path.write_text(json.dumps(content), encoding="utf-8")
    saved = saved_config(WindowTokenizer.read(tmp_path, WINDOW, OVERLAP), tmp_path / "saved")
    assert (saved["strip_accents"], saved["tokenize_chinese_chars"]) == (False, False)


def test_a_normalizer_of_another_kind_is_published_under_a_class_that_keeps_it(
    tokenizer: WindowTokenizer, tmp_path: Path
) -> None:
    tokenizer.save(tmp_path)
    path = tmp_path / "tokenizer.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["normalizer"] = {"type": "Lowercase"}
    path.write_text(json.dumps(content), encoding="utf-8")
    saved = saved_config(WindowTokenizer.read(tmp_path, WINDOW, OVERLAP), tmp_path / "saved")
    assert saved["tokenizer_class"] == "PreTrainedTokenizerFast"
    assert "do_lower_case" not in saved


@pytest.mark.parametrize("size", [1000, 30521])
def test_a_token_without_an_embedding_is_refused(tokenizer: WindowTokenizer, tmp_path: Path, size: int) -> None:
    tokenizer.require_vocabulary(tmp_path, 30522)
    with pytest.raises(UnusableCheckpoint, match=f"token ids up to 30521, but there are only {size} embeddings"):
        tokenizer.require_vocabulary(tmp_path, size)


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        (
            "I didn&#39;t &amp; won&#x27;t &quot;like&quot;&nbsp;it &lt;br /&gt; at all",
            "I didn't & won't \"like\" it at all",
        ),
        ("\U0001d5e7\U0001d5f5\U0001d5f6\U0001d600 was \uff47\uff4f\uff4f\uff44", "This was good"),
        ("good&not bad, R&D, &nosuch; &;", "good&not bad, R&D, &nosuch; &;"),
    ],
)
def test_new_models_read_entities_and_styled_letters_as_what_they_stand_for(
    tokenizer: WindowTokenizer, written: str, plain: str
) -> None:
    reading = replace(tokenizer, characters="entities_nfkc")
    assert reading.token_ids([written]) == tokenizer.token_ids([plain])
    assert replace(tokenizer, characters="as_written").token_ids([written]) == tokenizer.token_ids([written])


def test_the_special_tokens_are_those_of_the_base(tokenizer: WindowTokenizer, tmp_path: Path) -> None:
    facts: dict[str, object] = {"cls_token": {"content": "[MASK]"}, "sep_token": "[UNK]", "pad_token": "[CLS]"}
    found = base_with(tokenizer, tmp_path, facts)
    assert (found.cls_id, found.sep_id, found.pad_id) == (103, 100, 101)


@pytest.mark.parametrize("content", ["{", "[]", "\udcff"])
def test_a_broken_tokenizer_config_is_refused(tokenizer: WindowTokenizer, tmp_path: Path, content: str) -> None:
    tokenizer.save(tmp_path)
    (tmp_path / "tokenizer_config.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(UnusableCheckpoint, match=r"tokenizer_config\.json cannot be read") as caught:
        WindowTokenizer.read(tmp_path, WINDOW, OVERLAP)
    assert "\n" not in str(caught.value)


def test_the_starters_tokenizer_is_saved_unchanged(tmp_path: Path) -> None:
    WindowTokenizer.read(STARTER, 128, 32).save(tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        assert (tmp_path / name).read_bytes() == (STARTER / name).read_bytes()


def test_a_lone_surrogate_is_an_unknown_character(tokenizer: WindowTokenizer) -> None:
    lone, marked = tokenizer.token_ids(["a \ud800 good \udfff film", "a \ufffd good \ufffd film"])
    assert lone == marked


def test_truncation_and_padding_of_a_tokenizer_file_are_ignored(tokenizer: WindowTokenizer, tmp_path: Path) -> None:
    tokenizer.save(tmp_path)
    path = tmp_path / "tokenizer.json"
    facts = json.loads(path.read_text(encoding="utf-8"))
    facts["truncation"] = {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0}
    path.write_text(json.dumps(facts), encoding="utf-8")
    text = "one two three four five six"
    assert WindowTokenizer.read(tmp_path, WINDOW, OVERLAP).token_ids([text]) == tokenizer.token_ids([text])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "tokenizer.json is missing"),
        ("{", "tokenizer.json cannot be read"),
        ('{"version": "1.0"}', "tokenizer.json cannot be read"),
        ('{"added_tokens": [], "model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}}', "no [CLS]"),
    ],
)
def test_an_unusable_tokenizer_is_refused(tmp_path: Path, content: str | None, reason: str) -> None:
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content, encoding="utf-8")
    with pytest.raises(UnusableCheckpoint) as caught:
        WindowTokenizer.read(tmp_path, WINDOW, OVERLAP)
    assert str(tmp_path) in str(caught.value)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
