"""Stored tables: what agrees is loaded, what does not is refused with the row and the values."""

import pandas as pd
import pytest

from utils import stored

TABLE = pd.DataFrame(
    {
        "hospitals": [5, 5, 20, 20],
        "method": ["z", "t", "z", "t"],
        "coverage": [0.90, 0.95, float("nan"), 0.951],
        "verdict": ["low", "right", "low", "right"],
    }
)


def a_study(part, absolute=1e-9):
    return stored.Study(lambda: TABLE, lambda: part, ("hospitals", "method"), absolute)


def test_rows_computed_afresh_agree_also_where_they_are_missing():
    stored.check(a_study(TABLE.iloc[[2, 1]]), TABLE)


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        (
            "coverage",
            0.9011,
            "coverage of (5, 'z') is 0.9, computed afresh it is 0.9011",
        ),
        ("coverage", float("nan"), "is 0.9, computed afresh it is nan"),
        ("verdict", "right", "the stored verdict of (5, 'z') is low"),
    ],
)
def test_a_value_that_differs_is_refused(column, value, told):
    part = TABLE.iloc[[0]].copy()
    part[column] = value
    with pytest.raises(stored.StaleResultError) as caught:
        stored.check(a_study(part, absolute=1e-3), TABLE)
    assert told in str(caught.value)


def test_a_difference_within_the_stated_error_is_accepted():
    part = TABLE.iloc[[0]].assign(coverage=0.9009)
    stored.check(a_study(part, absolute=1e-3), TABLE)


@pytest.mark.parametrize(
    ("part", "table", "told"),
    [
        (TABLE.iloc[[0]].assign(hospitals=7), TABLE, "no row (7, 'z')"),
        (TABLE.drop(columns="verdict"), TABLE, "the table has the columns"),
        (TABLE, pd.concat([TABLE, TABLE]), "not told apart by"),
    ],
)
def test_a_table_of_another_shape_is_refused(part, table, told):
    with pytest.raises(stored.StaleResultError) as caught:
        stored.check(a_study(part), table)
    assert told in str(caught.value)


def test_a_table_goes_to_a_file_and_comes_back_until_it_is_altered(tmp_path, monkeypatch):
    monkeypatch.setattr(stored, "study", lambda name: a_study(TABLE.iloc[[0, 2]]))
    with pytest.raises(ValueError, match="has no table yet: `make refit` makes it"):
        stored.load("coverage", folder=tmp_path)
    path = stored.refit("coverage", folder=tmp_path)
    pd.testing.assert_frame_equal(stored.load("coverage", folder=tmp_path), TABLE)
    path.write_text(path.read_text().replace("z,0.9,", "z,0.8,"))
    with pytest.raises(stored.StaleResultError, match=r"coverage: the stored .*`make refit`"):
        stored.load("coverage", folder=tmp_path)


def test_an_unknown_study_is_named():
    with pytest.raises(ValueError, match="no study is stored as 'nothing'"):
        stored.study("nothing")


def test_the_command_line_names_what_it_does_not_know(capsys):
    with pytest.raises(SystemExit):
        stored.main(["nothing"])
    assert "no study is stored as 'nothing'" in capsys.readouterr().err
