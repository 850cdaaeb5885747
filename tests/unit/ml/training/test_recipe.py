"""Recipes: every file is valid, and unknown names and wrong fields are reported."""

from dataclasses import replace
from pathlib import Path

import pytest

import ml.training.recipe
from ml.errors import BadRecipe, UnknownRecipe
from ml.training.recipe import Recipe

FOLDER = Path(ml.training.recipe.__file__).with_name("recipes")
NAMES = sorted(path.stem for path in FOLDER.glob("*.toml"))


def test_the_default_recipe_exists() -> None:
    assert "default" in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_is_plausible(name: str) -> None:
    recipe = Recipe.load(name)
    assert recipe.name == name
    assert recipe.window <= 512, "BERT has 512 positions"
    assert recipe.learning_rate < 1e-2


@pytest.mark.parametrize("name", ["no-such", "", "default.toml"])
def test_an_unknown_recipe_is_refused_with_the_available_names(name: str) -> None:
    with pytest.raises(UnknownRecipe) as caught:
        Recipe.load(name)
    assert str(caught.value).startswith(f"There is no recipe named {name}. Use one of ")
    assert "default" in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_recipe_can_be_a_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text((FOLDER / "default.toml").read_text(encoding="utf-8"), encoding="utf-8")
    assert Recipe.load(str(path)) == replace(Recipe.load("default"), name="mine")


@pytest.mark.parametrize(
    ("line", "replacement", "reason"),
    [
        ("epochs = 4", "epochs = 0", "epochs = 0: input should be greater than 0"),
        ("epochs = 4", 'epochs = "many"', "epochs = 'many': input should be a valid integer"),
        ("learning_rate = 1e-4", "learning_rate = nan", "learning_rate = nan: input should be a finite number"),
        ('clip = "global"', 'clip = "never"', "clip = 'never': input should be 'global' or 'variable'"),
        ("overlap = 32", "overlap = 126", "overlap = 126 must be less than window - 2, which is 126"),
        ("dev = 0.05", "dev = 5", "dev = 5: input should be less than 1"),
        ("seed = 42", "", "seed is missing"),
        ("seed = 42", "seed = 42\nspeed = 1", "speed is not a known field"),
        ("seed = 42", "sede = 42", "seed is missing; sede is not a known field"),
        ("seed = 42", "seed 42", "it cannot be read as TOML (Expected '=' after a key"),
    ],
)
def test_a_wrong_field_is_reported_with_its_file(tmp_path: Path, line: str, replacement: str, reason: str) -> None:
    text = (FOLDER / "default.toml").read_text(encoding="utf-8")
    assert line in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(line, replacement), encoding="utf-8")
    with pytest.raises(BadRecipe) as caught:
        Recipe.load(str(path))
    assert str(caught.value).startswith(f"The recipe {path} cannot be used: {reason}")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("name", "line", "replacement"),
    [("feedback", "replay = 2000\n", ""), ("default", "seed = 42", "seed = 42\nreplay = 9")],
)
def test_replay_requires_the_anchor_and_the_other_way_round(
    tmp_path: Path, name: str, line: str, replacement: str
) -> None:
    text = (FOLDER / f"{name}.toml").read_text(encoding="utf-8")
    assert line in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(line, replacement), encoding="utf-8")
    with pytest.raises(BadRecipe, match='a feedback recipe needs both base = "anchor" and replay'):
        Recipe.load(str(path))
