"""Files with one JSON object per line."""

from pathlib import Path

from playground.state.json_file import append_line, read_lines


def test_no_character_inside_a_string_ends_its_line(tmp_path: Path) -> None:
    values = [{"text": f"before{character}after"} for character in "\n\r\u2028\u2029\x85\x0b\x0c\x1c"]
    for value in values:
        append_line(tmp_path / "lines", value)
    assert read_lines(tmp_path / "lines") == values
