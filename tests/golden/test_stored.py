"""Every stored table agrees with its code, and would be refused if it did not."""

import pytest

from utils import stored


@pytest.mark.parametrize("name", stored.names())
def test_a_stored_table_agrees_with_its_code(name):
    assert len(stored.load(name))


@pytest.mark.parametrize("name", stored.names())
def test_an_altered_table_is_refused(name):
    recipe = stored.study(name)
    part = recipe.part()
    numbers = part.drop(columns=list(recipe.key)).select_dtypes("number").columns
    table = part.copy()
    table.loc[table.index[0], numbers[0]] += 2 * recipe.absolute + 1e-6
    with pytest.raises(stored.StaleResultError):
        stored.check(recipe, table)


def test_every_table_has_its_study():
    assert {path.stem for path in stored.FOLDER.glob("*.csv")} == set(stored.names())
