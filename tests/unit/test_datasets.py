import dataclasses
import doctest
import gzip
import hashlib
import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

from utils import DATA, ROOT, datasets
from utils.datasets import load, names, note

ALL = names()
# Written by hand from the sources, so that a slip in the manifest does not pass.
SHAPES = {
    "azpro": (3589, 9),
    "rhdnase": (647, 9),
    "surgical": (12, 3),
    "radon": (919, 7),
    "sleepstudy": (180, 3),
    "pastes": (60, 4),
    "penicillin": (144, 3),
    "lung": (228, 11),
    "medpar": (1495, 8),
    "eight_schools": (8, 5),
    "insteval": (73421, 7),
}
GROUPS = {
    "azpro": ("hospital", 17),
    "rhdnase": ("inst", 51),
    "surgical": ("hospital", 12),
    "radon": ("county", 85),
    "sleepstudy": ("Subject", 18),
    "pastes": ("sample", 30),
    "penicillin": ("plate", 24),
    "lung": ("inst", 18),
    "medpar": ("provider", 54),
    "eight_schools": ("school", 8),
    "insteval": ("s", 2972),
}


def test_doctests_pass():
    results = doctest.testmod(datasets)
    assert results.attempted >= 6
    assert results.failed == 0


def test_names_are_the_manifest_and_every_data_file_is_in_it():
    assert set(ALL) == set(SHAPES)
    files = {path.name for path in DATA.iterdir() if path.suffix in {".csv", ".gz"}}
    assert files == {note(name).file for name in ALL}


@pytest.mark.parametrize("name", ALL)
def test_tables_have_their_rows_columns_types_and_units(name):
    table = load(name)
    column, groups = GROUPS[name]
    item = note(name)
    assert table.shape == SHAPES[name]
    assert item.rows == len(table)
    assert list(table.columns) == list(item.columns)
    assert isinstance(table[column].dtype, pd.CategoricalDtype)
    assert table[column].nunique() == groups == len(table[column].cat.categories)
    assert set(map(str, table.dtypes)) <= {"category", "int64", "float64"}
    assert table.attrs["units"] == {column: unit for column, (unit, _) in item.columns.items()}
    assert table.attrs["source"] == item.source
    assert isinstance(table.index, pd.RangeIndex)


@pytest.mark.parametrize("name", ALL)
def test_units_agree_with_the_values(name):
    table = load(name)
    for column, (unit, meaning) in note(name).columns.items():
        values = table[column].dropna()
        if unit == "0/1":
            assert set(values) <= {0, 1}, column
        elif unit == "1/2":
            assert set(values) == {1, 2}, column
        elif unit in {"days", "patients", "events", "deaths", "operations", "ms", "mm"}:
            assert (values >= 0).all(), column
        missing = re.search(r"(\d+) missing", meaning)
        assert table[column].isna().sum() == (int(missing[1]) if missing else 0), column
        several = re.search(r"(\d+) of them", meaning)
        if several:
            assert table[column].nunique() == int(several[1]), column
        ends = re.search(r"\b(\d+) to (\d+)$", meaning)
        if ends:
            assert (values.min(), values.max()) == (int(ends[1]), int(ends[2])), column


def test_facts_told_in_the_quirks():
    azpro, rhdnase, radon = load("azpro"), load("rhdnase"), load("radon")
    assert azpro.groupby("cabg")["los"].mean().round(1).tolist() == [5.2, 13.0]
    first = azpro[azpro["hospital"] == "H01"]
    assert (len(first), (first["cabg"] == 0).sum()) == (17, 1)
    sizes = azpro.groupby("hospital", observed=True).size()
    assert (sizes.min(), sizes.max()) == (17, 535)
    assert (azpro["hospital"].map(sizes).astype(int) == azpro["hosp_n"]).all()
    shares = azpro.groupby("hospital", observed=True)["cabg"].mean()
    assert np.allclose(azpro["hospital"].map(shares).astype(float), azpro["hosp_cabg_share"])

    assert rhdnase["n_exac"].sum() == 361
    by_arm = rhdnase.groupby("trt")["any_exac"].agg(["sum", "size"])
    assert by_arm.to_numpy().tolist() == [[139, 325], [104, 322]]
    assert rhdnase.loc[rhdnase["risk_days"] == 0, "patient"].tolist() == [541, 546]
    assert ((rhdnase["n_exac"] > 0) == (rhdnase["any_exac"] == 1)).all()
    steps = rhdnase["fev"] / 1.6
    assert np.allclose(steps, steps.round())

    sizes = radon.groupby("county", observed=True).size()
    assert (sizes.min(), sizes.median(), sizes.max(), (sizes == 1).sum()) == (1, 5, 116, 3)
    assert (radon["radon"] == 0).sum() == 3
    assert np.allclose(radon["log_radon"], np.log(radon["radon"].clip(lower=0.1)), atol=1e-6)
    assert np.allclose(radon["log_radon_p01"], np.log(radon["radon"] + 0.1), atol=1e-6)

    surgical, medpar, lung = load("surgical"), load("medpar"), load("lung")
    assert (surgical["deaths"].sum(), surgical["operations"].sum()) == (208, 2814)
    assert surgical.iloc[0].tolist() == ["A", 0, 47]
    assert (round(100 * medpar["died"].mean()), round(medpar["los"].mean(), 1)) == (34, 9.9)
    third = medpar[medpar["type"] == "3"]
    assert (len(third), third["provider"].isin(["032000", "032002"]).sum()) == (96, 48)
    assert (medpar["provider"].value_counts() == 1).sum() == 2
    assert lung["wt.loss"].min() == -24

    pastes, penicillin, insteval = load("pastes"), load("penicillin"), load("insteval")
    assert (pastes["batch"].astype(str) + ":" + pastes["cask"].astype(str)).equals(
        pastes["sample"].astype(str)
    )
    assert (pd.crosstab(penicillin["plate"], penicillin["sample"]) == 1).all(axis=None)
    assert set(range(1, 16)) - set(insteval["dept"].astype(int)) == {13}
    assert load("eight_schools")["effect"].tolist()[0] == 28.39


def test_labels_stand_in_their_natural_order():
    assert load("insteval")["d"].cat.categories[:6].tolist() == ["1", "6", "7", "8", "12", "13"]
    assert load("medpar")["provider"].cat.categories[0] == "030001"
    assert load("lung")["inst"].isna().sum() == 1


@pytest.mark.parametrize("name", ["surgical", "insteval"])
def test_an_altered_file_is_refused(name, tmp_path):
    item = note(name)
    copy = shutil.copy(DATA / item.file, tmp_path)
    assert load(name, folder=tmp_path).equals(load(name))
    content = (DATA / item.file).read_bytes()
    altered = content[:-3] + bytes([content[-3] ^ 1]) + content[-2:]
    (tmp_path / item.file).write_bytes(altered)
    with pytest.raises(ValueError, match="was altered") as refusal:
        load(name, folder=tmp_path)
    found = hashlib.sha256(altered).hexdigest()
    assert copy is not None
    for part in (f"data/{item.file}", item.sha256, found):
        assert part in str(refusal.value)


def test_changed_line_ends_are_refused(tmp_path):
    content = (DATA / "surgical.csv").read_bytes()
    (tmp_path / "surgical.csv").write_bytes(content.replace(b"\n", b"\r\n"))
    with pytest.raises(ValueError, match="was altered"):
        load("surgical", folder=tmp_path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"data/surgical\.csv is missing"):
        load("surgical", folder=tmp_path)


@pytest.mark.parametrize("bad", ["opt", "AZPRO", "", None, 3, ["azpro"]])
def test_unknown_names_are_refused(bad):
    for function in (load, note):
        with pytest.raises(ValueError, match="name must be one of azpro, rhdnase"):
            function(bad)


def test_two_calls_share_nothing():
    first = load("surgical")
    first.loc[0, "deaths"] = 99
    first.attrs["units"]["deaths"] = "changed"
    assert load("surgical").loc[0, "deaths"] == 0
    assert load("surgical").attrs["units"]["deaths"] == "deaths"


def test_compressed_file_is_the_source_and_says_nothing_of_the_machine():
    content = (DATA / "insteval.csv.gz").read_bytes()
    unpacked = hashlib.sha256(gzip.decompress(content)).hexdigest()
    assert unpacked == datasets._entry("insteval")["sha256_unpacked"]
    flags, time = content[3], content[4:8]
    assert flags == 0, "no file name in the gzip header"
    assert time == b"\0\0\0\0"


@pytest.mark.parametrize("name", ALL)
def test_notes_are_frozen_and_readable(name):
    item = note(name)
    with pytest.raises(dataclasses.FrozenInstanceError):
        item.rows = 1
    with pytest.raises(TypeError):
        item.columns["new"] = ("", "")
    text = repr(item)
    assert text.startswith(f"{name}: ")
    assert max(map(len, text.splitlines())) <= 88
    for part in (*item.columns, f"Licence: {item.licence}."):
        assert part in text
    assert item.quirks
    assert item.edits.endswith(".")


def test_licences_are_named_and_their_texts_are_here():
    titles = {
        "GPL-2.txt": ("GNU GENERAL PUBLIC LICENSE", "Version 2,"),
        "GPL-3.txt": ("GNU GENERAL PUBLIC LICENSE", "Version 3,"),
        "LGPL-2.1.txt": ("GNU LESSER GENERAL PUBLIC LICENSE", "Version 2.1,"),
    }
    goes_with = {
        "GPL-2": "GPL-2.txt",
        "GPL (>= 2)": "GPL-2.txt",
        "GPL (>= 3)": "GPL-3.txt",
        "LGPL (>= 2)": "LGPL-2.1.txt",
    }
    for name in ALL:
        assert goes_with[note(name).licence] == note(name).licence_text
    for file, (title, version) in titles.items():
        opening = (DATA / "licences" / file).read_text(encoding="utf-8")[:300]
        assert title in opening
        assert version in opening
    assert {path.name for path in (DATA / "licences").iterdir()} == set(titles)


def test_readme_is_written_from_the_manifest():
    text = (DATA / "README.md").read_text(encoding="utf-8")
    assert datasets.update_readme(text) == text, "run `python -m utils.datasets`"
    hashes = re.findall(r"`([0-9a-f]{64})`", text)
    files = [(DATA / note(name).file).read_bytes() for name in ALL]
    assert hashes == [hashlib.sha256(content).hexdigest() for content in files]
    headings = re.findall(r"^## (.*)$", text, flags=re.MULTILINE)
    anchors = re.findall(r"\]\(#([^)]*)\)", text)
    assert [heading.split(":")[0] for heading in headings] == list(ALL)
    assert len(anchors) == len(headings)
    stale = text.replace("3589 rows", "3590 rows")
    assert datasets.update_readme(stale) == text


def test_a_readme_without_markers_is_refused():
    with pytest.raises(ValueError, match="must hold <!-- datasets:begin -->"):
        datasets.update_readme("# Data\n")


def test_git_leaves_the_line_ends_of_data_alone():
    attributes = (ROOT / ".gitattributes").read_text(encoding="utf-8").splitlines()
    assert "data/*.csv -text" in attributes
    assert "data/*.gz binary" in attributes
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        return  # a downloaded archive: the two lines above are what git would read
    asked = [f"data/{note(name).file}" for name in ALL]
    said = subprocess.run(
        [git, "-c", "safe.directory=*", "check-attr", "text", "--", *asked],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert len(said) == len(asked)
    assert all(line.endswith(": text: unset") for line in said)
