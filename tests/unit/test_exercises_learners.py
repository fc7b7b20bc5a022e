"""Learner id, own hospitals, and the small file that must never stop anybody."""

import json
import sys
import threading
import types

import numpy as np
import pandas as pd
import platformdirs
import pytest

from utils.exercises import learner, learners, own_hospitals, set_learner, state, tally
from utils.exercises.predictions import _write


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture(autouse=True)
def lesson(monkeypatch):
    module = types.ModuleType("utils.exercises.lesson_92")
    module.EXERCISES = ()
    module.own_hospitals = lambda rng: types.SimpleNamespace(
        data=pd.DataFrame({"sbp": rng.normal(140, 10, 5)}), truth=rng.normal()
    )
    monkeypatch.setitem(sys.modules, "utils.exercises.lesson_92", module)
    learners._cached_study.cache_clear()


def _break(folder, content):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / state.FILE_NAME).write_bytes(content)


def test_guest_without_an_id():
    assert learner() == "guest"


def test_id_is_kept_for_the_next_kernel(folder):
    assert "You are 'Ana Maria'" in set_learner("  Ana   Maria ").plain()
    state._STORES.clear()  # as in a new kernel
    assert learner() == "Ana Maria"
    assert json.loads((folder / state.FILE_NAME).read_text())["learner"] == "Ana Maria"


@pytest.mark.parametrize("name", ["", "  ", None, 7, b"ana", "a" * 81, "a\x00b", "\ud800", ["ana"]])
def test_bad_id_states_the_rule_and_the_value(name):
    with pytest.raises(ValueError, match="learner id must") as raised:
        set_learner(name)
    assert repr(name) in str(raised.value)
    assert learner() == "guest"


def test_any_visible_text_is_an_id():
    for name in ("王", "Zoë 🙂", "a" * 80, "O'Neil <b>", '"'):
        assert repr(name) in set_learner(name).plain()
        assert learner() == name
        own_hospitals(92)


def test_same_id_same_data_other_id_other_data():
    ana = learners.study_for("Ana", 92).data
    pd.testing.assert_frame_equal(ana, learners.study_for("  ANA ", 92).data)
    assert not ana.equals(learners.study_for("Bo", 92).data)


def test_seed_is_the_same_on_every_machine():
    # the first 32 digits that `printf "ana|lesson 02" | sha256sum` prints
    assert learners._seed("ana", 2) == 0xEFB839349337741B55EF9A13492D93C1
    assert learners._seed("ana", 2) != learners._seed("ana", 3)


def test_unicode_forms_of_one_name_are_one_id():
    composed, decomposed = "Zo\u00eb", "Zoe\u0308"
    pd.testing.assert_frame_equal(
        learners.study_for(composed, 92).data, learners.study_for(decomposed, 92).data
    )


def test_own_hospitals_follow_the_id_and_are_copies():
    set_learner("Ana")
    first = own_hospitals(92)
    first.data.loc[0, "sbp"] = -1
    again = own_hospitals(np.int64(92))
    assert again.data.loc[0, "sbp"] != -1
    set_learner("Bo")
    assert own_hospitals(92).truth != again.truth


@pytest.mark.parametrize("lesson", ["2", 2.0, None, True, np.True_, -1, 100, 93])
def test_own_hospitals_need_a_lesson_that_has_them(lesson):
    with pytest.raises(ValueError, match="lesson must be") as raised:
        own_hospitals(lesson)
    assert str(lesson) in str(raised.value)


BROKEN = [b"", b"{", b"\xff\xfe", b"[1, 2]", b"3", b"null", b"[" * 100_000, b"\x00" * 50]


@pytest.mark.parametrize("content", BROKEN, ids=lambda content: repr(content[:4]))
def test_broken_file_is_set_aside_and_said_once(folder, content):
    _break(folder, content)
    assert learner() == "guest"
    text = set_learner("Ana").plain()
    assert "could not be read: a new one is begun" in text
    assert "could not be read" not in set_learner("Ana").plain()
    assert (folder / "learner.broken.json").read_bytes() == content
    assert learner() == "Ana"


ODD = [
    {"learner": 7, "predictions": 3},
    {"learner": "", "predictions": {"guest": 3}},
    {"learner": "a\nb", "predictions": {"guest": {"P01.1": 3, "P01.2": {"sure": "sure"}}}},
    {"predictions": {"guest": {"P01.1": {"value": [], "sure": "sure", "hit": True}}}},
    {"predictions": {"guest": {"P01.1": {"value": 1e999, "sure": "sure", "hit": True}}}},
    {"predictions": {"guest": {"P01.1": {"value": 10**400, "sure": "sure", "hit": True}}}},
    {"predictions": {"guest": {"P01.1": {"value": True, "sure": "sure", "hit": True}}}},
    {"predictions": {"guest": {"P01.1": {"value": 1, "sure": [], "hit": True}}}},
    {"predictions": {"guest": {"P01.1": {"value": 1, "sure": "sure", "hit": "yes"}}}},
    {"predictions": {"guest": {"P01.1": {"value": 1, "sure": "sure", "unit": 2, "hit": True}}}},
]


@pytest.mark.parametrize("content", ODD, ids=repr)
def test_file_altered_by_hand_is_read_as_far_as_it_goes(folder, content):
    _break(folder, json.dumps(content).encode())
    assert learner() in ("guest", "a b")
    assert "None of your predictions" in tally().plain()
    _write("P01.3", {"value": "yes", "sure": "sure", "unit": "", "hit": True})
    assert "1 time out of 1" in tally().plain()


def test_folder_that_cannot_be_used_is_replaced_by_memory_and_said_once(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "file" / "data"))
    text = set_learner("Ana").plain()
    assert "cannot be used" in text
    assert "forgotten when this kernel stops" in text
    assert learner() == "Ana"
    _write("P01.1", {"value": "yes", "sure": "sure", "unit": "", "hit": True})
    assert "cannot be used" not in tally().plain()
    assert "1 time out of 1" in tally().plain()


def test_folder_that_can_be_read_but_not_written(folder, monkeypatch):
    set_learner("Ana")

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(state.tempfile, "mkstemp", refuse)
    assert "Permission denied" in set_learner("Bo").plain()
    assert learner() == "Bo"


def test_no_home_at_all(monkeypatch):
    def refuse(*args, **kwargs):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("COURSE_DATA_DIR")
    monkeypatch.setattr(platformdirs, "user_data_path", refuse)
    monkeypatch.setattr(state, "_STORES", {})
    assert "cannot be used" in set_learner("Ana").plain()
    assert learner() == "Ana"


def test_without_the_variable_the_users_own_folder_is_used(monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", " ")
    expected = platformdirs.user_data_path("mixed-models-course", appauthor=False)
    assert state.folder() == expected


def test_two_kernels_see_each_other(folder):
    one, two = state.Store(folder), state.Store(folder)
    one.update(lambda content: content.update(a=1))
    two.update(lambda content: content.update(b=2))
    assert one.read() == two.read() == {"a": 1, "b": 2}


def test_two_kernels_at_once_leave_a_whole_file(folder):
    faults = []

    def work(name):
        kernel = state.Store(folder)
        for i in range(40):
            kernel.update(lambda content, i=i: content.update({name: i}))
        faults.append(kernel.remark())

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == ["", "", ""]
    assert json.loads((folder / state.FILE_NAME).read_text())
    assert [path.name for path in folder.iterdir()] == [state.FILE_NAME]  # no litter


def test_interrupted_write_keeps_the_old_file(folder, monkeypatch):
    set_learner("Ana")

    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(state.os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        set_learner("Bo")
    assert learner() == "Ana"
    assert [path.name for path in folder.iterdir()] == [state.FILE_NAME]


def test_busy_file_is_tried_again(folder, monkeypatch):
    waits, real = [], state.os.replace

    def busy(source, target):
        if len(waits) < 2:
            raise PermissionError(13, "in use")
        real(source, target)

    monkeypatch.setattr(state.os, "replace", busy)
    monkeypatch.setattr(state.time, "sleep", waits.append)
    assert "cannot be used" not in set_learner("Ana").plain()
    assert len(waits) == 2
