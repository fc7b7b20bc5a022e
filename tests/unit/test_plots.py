import base64
import itertools
import re
from html.parser import HTMLParser

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from utils import _figure_image, plots
from utils.plots import PALETTE

# Things that meet in one figure somewhere in the course.
MEET = [
    ("truth", "no pooling", "complete pooling", "partial pooling", "patients"),
    ("truth", "naive", "cluster-robust", "partial pooling"),
    ("truth", "prior", "posterior"),
    ("truth", "partial pooling", "posterior"),
    ("truth", "prior", "posterior", "centred", "non-centred"),
    ("truth", "treated", "control"),
    ("truth", "patients", "yours", "naive"),
    ("truth", "hospital means", "patients", "partial pooling"),
    ("truth", "naive", "random intercept", "random slope", "cluster-robust", "hospital means"),
    ("truth", "naive", "hospital dummies", "random intercept", "within-between", "GEE"),
    ("truth", "patients", "no pooling", "partial pooling", "random slope"),
    ("truth", "region", "hospital", "ward", "surgeon", "patients"),
    ("truth", "naive", "hospital", "ward", "random intercept"),
    ("truth", "patients", "hospital means", "random intercept", "yours"),
    ("truth", "no pooling", "posterior", "prior"),
    ("truth", "random intercept", "posterior", "GEE", "no pooling", "naive"),
    ("patients", "GEE", "random intercept"),
    ("hospital", "patients", "prior"),
]
GREY = 7  # least difference of lightness, of 100: three times what is just noticeable
# Machado, Oliveira & Fernandes 2009, severity 1, linear RGB.
SIGHT = {
    "usual": np.eye(3),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour):
    c = np.array(to_rgb(colour))
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(colour, sight):
    xyz = TO_XYZ @ np.clip(SIGHT[sight] @ linear(colour), 0, 1) / np.array([0.9505, 1, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("things", MEET, ids="+".join)
def test_colours_that_meet_stay_apart(things, sight):
    for a, b in itertools.combinations(things, 2):
        apart = np.linalg.norm(lab(PALETTE[a], sight) - lab(PALETTE[b], sight))
        assert apart > 15, (a, b, sight, apart)  # a difference of 2 is just noticeable


@pytest.mark.parametrize("things", MEET, ids="+".join)
def test_colours_that_meet_stay_apart_in_grey(things):
    for a, b in itertools.combinations(things, 2):
        apart = abs(lab(PALETTE[a], "usual")[0] - lab(PALETTE[b], "usual")[0])
        assert apart > GREY, (a, b, apart)


def test_the_distance_knows_a_bad_pair():
    """Red and green of one lightness: far apart for most, close under deuteranopia."""
    far, near = (
        np.linalg.norm(lab("#c46a5a", s) - lab("#6f8a50", s)) for s in ("usual", "deuteranopia")
    )
    assert far > 50 and near < 15
    dark, darker = (lab(colour, "usual")[0] for colour in ("#0072B2", "#B8400B"))
    assert abs(dark - darker) < 3  # far apart to see, alike in grey


@pytest.mark.parametrize("thing", PALETTE)
def test_colours_stand_out_from_white(thing):
    contrast = 1.05 / (linear(PALETTE[thing]) @ TO_XYZ[1] + 0.05)
    assert contrast > 2.2


def test_palette_names_everything_and_cannot_be_changed():
    assert set(PALETTE) >= {
        *("truth", "complete pooling", "no pooling", "partial pooling", "prior", "posterior"),
        *("treated", "control", "patients", "naive", "cluster-robust", "hospital means"),
    }
    with pytest.raises(TypeError):
        PALETTE["truth"] = "red"


def test_style_has_no_text_below_11_points():
    with mpl.rc_context():
        plots.set_style()
        fig, ax = plt.subplots()
        ax.plot([0, 1], label="a")
        ax.set(xlabel="x", ylabel="y", title="t")
        ax.legend()
        fig.canvas.draw()
        sizes = [t.get_fontsize() for t in fig.findobj(mpl.text.Text) if t.get_text()]
        plt.close(fig)
    assert len(sizes) > 5
    assert min(sizes) >= 11
    assert not ax.spines["top"].get_visible()
    assert not ax.spines["right"].get_visible()


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def shown(monkeypatch, fig, alt):
    got = []
    monkeypatch.setattr(_figure_image, "display", got.append)
    plots.show(fig, alt=alt)
    (image,) = got
    return image


def test_show_gives_an_image_with_alt_and_closes(monkeypatch):
    fig, ax = plt.subplots(figsize=(5, 2))
    ax.plot([0, 1])
    alt = 'Patients\n  under 60: "mean" < 140 & falling'
    image = shown(monkeypatch, fig, alt)
    ((tag, attrs),) = Tags(image._repr_html_()).found
    assert tag == "img"
    assert attrs["alt"] == 'Patients under 60: "mean" < 140 & falling'
    assert attrs["width"] == "480"
    assert "max-width:100%" in attrs["style"]
    assert repr(image) == "Figure: " + attrs["alt"]
    assert not plt.fignum_exists(fig.number)
    png = base64.b64decode(re.sub("^data:image/png;base64,", "", attrs["src"]))
    width, height = np.frombuffer(png[16:24], dtype=">u4")
    assert (width, height) == (960, 384)  # twice the CSS size


def test_show_is_white_even_on_a_dark_page(monkeypatch):
    fig = Figure(figsize=(1, 1), facecolor="black")
    image = shown(monkeypatch, fig, "nothing")
    pixels = plt.imread(__import__("io").BytesIO(image.png))
    assert pixels[0, 0].tolist() == [1, 1, 1, 1]


def test_show_closes_the_figure_when_saving_fails(monkeypatch):
    fig, ax = plt.subplots()
    ax.set_title("$\\frac{$")
    with pytest.raises(ValueError):
        plots.show(fig, alt="broken mathematics")
    assert not plt.fignum_exists(fig.number)


@pytest.mark.parametrize("alt", ["", "  \n", None, 3])
def test_show_refuses_a_figure_without_words(alt):
    fig = Figure()
    with pytest.raises(ValueError, match="alt must say in words"):
        plots.show(fig, alt=alt)


def test_show_refuses_what_is_not_a_figure():
    with pytest.raises(ValueError, match="must be a matplotlib Figure, got Axes"):
        plots.show(Figure().add_subplot(), alt="axes")


@pytest.fixture
def ax():
    fig, ax = plt.subplots()
    yield ax
    plt.close(fig)


def labels(axis):
    return [text.get_text() for text in axis.get_ticklabels()]


MEANS = pd.Series({"H02": 138.0, "H01": 144.0, "H03": 150.0})


def test_caterpillar_draws_what_it_is_given_in_that_order(ax):
    low, high = MEANS - np.array([2, 5, 9]), MEANS + np.array([1, 4, 7])
    assert plots.caterpillar(MEANS, low, high, ax, thing="no pooling", patients=[90, 5, 40]) is ax
    intervals, dots = ax.collections
    ends = [[(0, 136), (0, 139)], [(1, 139), (1, 148)], [(2, 141), (2, 157)]]
    assert np.array(intervals.get_segments()).tolist() == np.array(ends).tolist()
    assert dots.get_offsets().tolist() == [[0, 138], [1, 144], [2, 150]]
    assert labels(ax.xaxis) == ["H02\n90", "H01\n5", "H03\n40"]
    assert np.argsort(dots.get_sizes()).tolist() == [1, 2, 0]
    assert dots.get_label() == "no pooling"
    for drawn in (intervals, dots):
        assert np.allclose(drawn.get_edgecolor()[0, :3], to_rgb(PALETTE["no pooling"]))


def test_caterpillar_goes_by_name_not_by_place(ax):
    low = (MEANS - 1)[::-1]
    intervals = plots.caterpillar(MEANS, low, MEANS + 1, ax).collections[0]
    assert [segment[0, 1] for segment in intervals.get_segments()] == [137, 143, 149]


def test_a_hospital_can_be_added_to_a_caterpillar_by_name(ax):
    plots.caterpillar(MEANS, MEANS - 1, MEANS + 1, ax, patients=[3, 4, 5])
    (cross,) = ax.plot(["H01", "H03"], [1, 2], "x")
    assert cross.get_xdata(orig=False).tolist() == [1, 2]
    assert labels(ax.xaxis) == ["H02\n3", "H01\n4", "H03\n5"]


def test_caterpillar_without_patients_has_dots_of_one_size(ax):
    dots = plots.caterpillar(MEANS, MEANS - 1, MEANS + 1, ax).collections[1]
    assert len(set(dots.get_sizes())) == 1
    assert labels(ax.xaxis) == ["H02", "H01", "H03"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"thing": "guessing"}, "thing must be one of truth, .*got 'guessing'"),
        ({"low": MEANS + 3}, "low must not exceed high"),
        ({"high": MEANS[:2]}, "must not be missing"),
        ({"high": [150, 151]}, "length"),
        ({"patients": [3, np.nan, 4]}, "must not be missing"),
    ],
)
def test_caterpillar_refuses(ax, change, says):
    given = {"low": MEANS - 1, "high": MEANS + 1} | change
    with pytest.raises(ValueError, match=says):
        plots.caterpillar(MEANS, ax=ax, **given)
    assert not ax.collections


POOLED = pd.DataFrame(
    {
        "n": [4, 60],
        "no_pooling": [130.0, 150.0],
        "complete_pooling": 148.8,
        "partial_pooling": [137.0, 149.0],
    },
    index=["H01", "H02"],
)


def test_pooling_moves_go_from_own_mean_to_pooled_mean(ax):
    assert plots.pooling_moves(POOLED, ax) is ax
    lines, own, pooled = ax.collections
    ends = [[[0, 130], [0, 137]], [[1, 150], [1, 149]]]
    assert [segment.tolist() for segment in lines.get_segments()] == ends
    assert (own.get_label(), pooled.get_label()) == ("no pooling", "partial pooling")
    assert own.get_offsets()[:, 1].tolist() == [130, 150]
    assert pooled.get_offsets()[:, 1].tolist() == [137, 149]
    assert ax.lines[0].get_ydata()[0] == 148.8
    assert labels(ax.xaxis) == ["H01\n4", "H02\n60"]


def test_pooling_moves_mark_the_truth_where_it_is_known(ax):
    plots.pooling_moves(POOLED.assign(truth=[139.0, 147.0]), ax)
    crosses = ax.collections[-1]
    assert crosses.get_label() == "truth"
    assert crosses.get_offsets()[:, 1].tolist() == [139, 147]


@pytest.mark.parametrize("column", POOLED)
def test_pooling_moves_refuse_a_table_without(ax, column):
    with pytest.raises(ValueError, match=rf"table must have the columns .*missing: \['{column}'\]"):
        plots.pooling_moves(POOLED.drop(columns=column), ax)


@pytest.mark.parametrize("axis", ["x", "y"])
def test_log_axis_has_plain_numbers_and_no_others(ax, axis):
    ax.plot([2, 9], [2, 9])  # within one decade matplotlib would number the small ticks too
    assert plots.log_axis(ax, [0.5, 3, 10], "patients", axis=axis) is ax
    ax.figure.canvas.draw()
    logarithmic, other = (ax.xaxis, ax.yaxis) if axis == "x" else (ax.yaxis, ax.xaxis)
    assert (logarithmic.get_scale(), other.get_scale()) == ("log", "linear")
    assert labels(logarithmic) == ["0.5", "3", "10"]
    assert not any(text.get_text() for text in logarithmic.get_ticklabels(minor=True))
    assert logarithmic.get_label_text() == "patients" and not other.get_label_text()


@pytest.mark.parametrize("ticks", [[0, 10], [-1], [np.nan]])
def test_log_axis_refuses_ticks_that_have_no_logarithm(ax, ticks):
    with pytest.raises(ValueError, match="must be above 0, got"):
        plots.log_axis(ax, ticks, "patients")


def test_log_axis_refuses_another_axis(ax):
    with pytest.raises(ValueError, match="axis must be 'x' or 'y', got 'z'"):
        plots.log_axis(ax, [1], "patients", axis="z")


def test_patients_by_hospital_refuses_a_table_without_hospital(ax):
    with pytest.raises(ValueError, match=r"data must have the columns .*missing: \['hospital'\]"):
        plots.patients_by_hospital(pd.DataFrame({"treated": [1], "sbp": [140]}), ax)
