"""Recipes: every file is one, and a name that is none says which there are."""

from pathlib import Path

import pytest

import ml.recipe
from config.errors import UnknownRecipe
from ml.recipe import Recipe

NAMES = sorted(path.stem for path in Path(ml.recipe.__file__).with_name("recipes").glob("*.toml"))


def test_there_is_a_default() -> None:
    assert "default" in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_makes_sense(name: str) -> None:
    recipe = Recipe.named(name)
    assert recipe.name == name
    assert 0 <= recipe.overlap < recipe.window - 2, "windows have to move on"
    assert recipe.window <= 512, "BERT has no more positions"
    assert recipe.batch_size >= 1
    assert recipe.epochs >= 1
    assert 0 < recipe.learning_rate < 1e-2
    assert recipe.clip_norm > 0
    assert recipe.adam_epsilon > 0
    for share in (recipe.weight_decay, recipe.warmup, recipe.hidden_dropout, recipe.attention_dropout):
        assert 0 <= share < 1
    assert 0 < recipe.dev < 1
    assert 0.5 <= recipe.unsure_below < 1
    assert recipe.precision in ("float32", "bfloat16", "fastest")


@pytest.mark.parametrize("name", ["no-such", "", "default.toml"])
def test_an_unknown_recipe_gets_the_names_there_are(name: str) -> None:
    with pytest.raises(UnknownRecipe) as caught:
        Recipe.named(name)
    assert str(caught.value).startswith(f"There is no recipe named {name}; the recipes are ")
    assert "default" in str(caught.value)
    assert caught.value.exit_code == 2
