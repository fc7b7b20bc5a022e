"""The same rows whoever runs them and however often they are stopped."""

import doctest
import functools
import threading

import numpy as np
import pandas as pd
import pytest
from distributed import Client, LocalCluster

from utils import _studies_replicate, _studies_store
from utils.studies import Interrupted, failures, replicate

run = functools.partial(replicate, progress=False)


def experiment(rng):
    x = rng.normal(size=4)
    return pd.DataFrame({"arm": ["treated", "control"], "mean": [x[:2].mean(), x[2:].mean()]})


def fussy(rng):
    value = rng.random()
    if value < 0.2:
        raise ValueError(f"too small: {value:.2f}")
    return {"value": value, "large": value > 0.6, "none": None, "nan": np.nan, "n": np.int32(3)}


class Bell:
    """Stops the experiment that rings it, as a hand on the keyboard would, when it is set."""

    left = -1

    def ring(self):
        self.left -= 1
        if self.left == -1:
            raise KeyboardInterrupt


bell = Bell()


def stoppable(rng):
    bell.ring()
    return fussy(rng)


@pytest.fixture(scope="module")
def alone():
    return run(fussy, 40, rng=3, workers=1)


def same(first, second):
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    lost = ["replicate", "seed", "error"]
    pd.testing.assert_frame_equal(failures(first)[lost], failures(second)[lost])


def test_rows_and_columns_come_in_order():
    rows = run(experiment, 3, rng=1, workers=1)
    assert list(rows.columns) == ["replicate", "seed", "arm", "mean"]
    assert rows["replicate"].tolist() == [0, 0, 1, 1, 2, 2]
    assert rows["arm"].tolist() == ["treated", "control"] * 3
    again = experiment(np.random.default_rng(int(rows["seed"].iloc[2])))
    assert again["mean"].tolist() == rows.loc[rows["replicate"] == 1, "mean"].tolist()


def test_seeds_are_the_spawned_children_and_do_not_depend_on_n():
    rows = run(fussy, 5, rng=11, workers=1)
    children = np.random.SeedSequence(11).spawn(5)
    seeds = {
        k: int(c.generate_state(1, np.uint64)[0] >> np.uint64(1)) for k, c in enumerate(children)
    }
    assert dict(zip(rows["replicate"], rows["seed"], strict=True)).items() <= seeds.items()
    longer = run(fussy, 9, rng=11, workers=1)
    pd.testing.assert_frame_equal(longer[longer["replicate"] < 5], rows)


def test_a_series_is_a_row_and_a_generator_is_drawn_from():
    rng = np.random.default_rng(4)
    first = run(lambda g: pd.Series({"x": g.normal()}), 3, rng=rng, workers=1)
    second = run(lambda g: pd.Series({"x": g.normal()}), 3, rng=rng, workers=1)
    repeat = run(lambda g: pd.Series({"x": g.normal()}), 3, rng=np.random.default_rng(4), workers=1)
    assert not set(first["x"]) & set(second["x"])
    same(first, repeat)


def test_failures_are_reported_with_seed_and_lose_nothing_else(alone):
    lost = failures(alone)
    assert 0 < len(lost) < 20
    assert sorted([*alone["replicate"], *lost["replicate"]]) == list(range(40))
    for _, row in lost.iterrows():
        with pytest.raises(ValueError, match=row["error"].removeprefix("ValueError: ")):
            fussy(np.random.default_rng(int(row["seed"])))
    assert "raise ValueError" in lost["traceback"].iloc[0]
    pd.concat([alone, alone])  # attrs that hold tables would break this


def test_two_processes_give_the_same_rows(alone):
    same(run(fussy, 40, rng=3, workers=2), alone)


def test_threads_of_a_dask_cluster_give_the_same_rows(alone):
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        same(run(fussy, 40, rng=3, workers=client), alone)
        same(run(fussy, 40, rng=3, workers="dask"), alone)


def test_a_local_class_or_function_can_be_sent():
    scale = 7.0
    rows = run(lambda rng: {"x": scale * rng.random()}, 4, rng=1, workers=2)
    assert rows["x"].max() > 1


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interruption_keeps_what_is_done_and_a_resume_is_the_same(alone, tmp_path, workers):
    store = tmp_path / "new" / "study.jsonl"
    bell.left = 13
    with pytest.raises(Interrupted, match=r"after \d+ of 40 replicates.*same call goes on") as stop:
        run(stoppable, 40, rng=3, workers=1, store=store)
    assert isinstance(stop.value, KeyboardInterrupt)
    kept = stop.value.rows
    pd.testing.assert_frame_equal(kept, alone[alone["replicate"] < 13])
    assert len(kept) + len(failures(kept)) == 13
    assert len(store.read_text().splitlines()) == 1 + len(kept)
    same(run(stoppable, 40, rng=3, workers=workers, store=store), alone)
    whole = store.read_text()
    same(run(stoppable, 40, rng=3, workers=1, store=store), alone)
    assert store.read_text() == whole


def test_without_a_store_the_interruption_carries_the_rows():
    bell.left = 5
    with pytest.raises(Interrupted, match="attribute `rows`") as stop:
        run(stoppable, 9, rng=1, workers=1)
    assert len(stop.value.rows) + len(failures(stop.value.rows)) == 5


def test_what_is_stored_is_not_run_again(tmp_path):
    store = tmp_path / "study.jsonl"
    run(stoppable, 20, rng=3, workers=1, store=store)
    lost = len(failures(run(fussy, 20, rng=3, workers=1)))
    bell.left = lost  # only the failures are tried again: one more would ring
    run(stoppable, 20, rng=3, workers=1, store=store)
    assert bell.left == 0


def test_a_line_cut_short_is_done_again_and_a_study_can_be_made_longer(alone, tmp_path):
    store = tmp_path / "study.jsonl"
    run(fussy, 20, rng=3, workers=1, store=store)
    text = store.read_bytes()
    for cut in (3, 15, len(text) - 15, len(text) - 1):
        store.write_bytes(text[:cut])
        same(run(fussy, 40, rng=3, workers=1, store=store), alone)
    same(run(fussy, 20, rng=3, workers=1, store=store), run(fussy, 20, rng=3, workers=1))


def test_a_store_of_another_study_is_refused_and_left_alone(tmp_path):
    store = tmp_path / "study.jsonl"
    run(fussy, 3, rng=3, workers=1, store=store)
    before = store.read_bytes()
    with pytest.raises(ValueError, match=r"another study: its rng differs.*'3', got '4'"):
        run(fussy, 3, rng=4, workers=1, store=store)
    with pytest.raises(ValueError, match="another study: its experiment differs"):
        run(experiment, 3, rng=3, workers=1, store=store)
    assert store.read_bytes() == before
    other = tmp_path / "notes.txt"
    for content in ("my notes\n", "my notes", '{"a": 1}\n', "[1]\n"):
        other.write_text(content)
        with pytest.raises(ValueError, match="not a store of replicates"):
            run(fussy, 3, rng=3, workers=1, store=other)
        assert other.read_text() == content
    with pytest.raises(ValueError, match="must be a file, not a folder"):
        run(fussy, 3, rng=3, workers=1, store=tmp_path)


def test_the_fingerprint_follows_what_the_experiment_does():
    def make(scale, body="return {'x': rng.normal(0, scale)}", extra=""):
        names = {"SD": 3}
        exec(f"{extra}\ndef f(rng, scale={scale}):\n    {body}", names)
        return names["f"]

    prints = {
        name: _studies_store.fingerprint(f)
        for name, f in {
            "one": make(1),
            "same": make(1, extra="# a comment\n\n\n"),
            "default": make(2),
            "code": make(1, "return {'x': rng.normal(1, scale)}"),
            "global": make(1, "return {'x': rng.normal(1, SD)}"),
            "other global": make(1, "return {'x': rng.normal(1, SD)}", "SD = 4"),
            "helper": make(1, "return h()", "def h(): return 1"),
            "other helper": make(1, "return h()", "def h(): return 2"),
            "partial": functools.partial(make(1), scale=5),
            "other partial": functools.partial(make(1), scale=6),
        }.items()
    }
    assert prints["one"] == prints["same"]
    assert len(set(prints.values())) == len(prints) - 1


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (3.0, "returns a dict, a Series or a DataFrame of rows; got float"),
        ({"x": [1, 2]}, "column 'x' got list"),
        ({"x": np.ones(2)}, "column 'x' got ndarray"),
        ({"seed": 1}, "must not have a column 'seed'"),
        ({1: 1}, "names that are text; got 1"),
    ],
)
def test_all_failing_is_an_error_that_says_why(returned, message):
    with pytest.raises(ValueError, match=message):
        run(lambda rng: returned, 2, rng=1, workers=1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": 0}, "n must be a whole number >= 1; got 0"),
        ({"n": 2.5}, "n must be a whole number >= 1; got 2.5"),
        ({"rng": None}, "rng must be .* got None"),
        ({"rng": -1}, "rng must be .* got -1"),
        ({"workers": 0}, "workers must be .* got 0"),
        ({"workers": "spark"}, "workers must be .* got 'spark'"),
        ({"workers": True}, "workers must be .* got True"),
        ({"experiment": 3}, "experiment must be a function of a Generator; got 3"),
        ({"progress": 1}, "progress must be True or False; got 1"),
    ],
)
def test_bad_arguments_are_named(change, message):
    arguments = {"experiment": experiment, "n": 2, "rng": 1, "progress": False} | change
    with pytest.raises(ValueError, match=message):
        replicate(**arguments)


def test_what_cannot_be_sent_is_refused():
    lock = threading.Lock()
    with pytest.raises(ValueError, match="run with workers=1"):
        run(lambda rng: {"x": lock.locked()}, 2, rng=1, workers=2)
    assert len(run(lambda rng: {"x": lock.locked()}, 2, rng=1, workers=1)) == 2


def test_failures_need_the_table_itself():
    with pytest.raises(ValueError, match="without its record of failures"):
        failures(pd.DataFrame({"x": [1]}))


def test_the_bar_counts(capsys):
    replicate(fussy, 40, rng=3, workers=1)
    shown = capsys.readouterr().err
    assert "40/40" in shown and "failed=" in shown


def test_docstrings_run():
    assert doctest.testmod(_studies_replicate).failed == 0
