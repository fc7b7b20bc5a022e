import base64
import itertools
import re
from html.parser import HTMLParser

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from utils import plots
from utils.plots import PALETTE

# Things that meet in one figure somewhere in the course.
MEET = [
    ("truth", "no pooling", "complete pooling", "partial pooling", "patients"),
    ("truth", "naive", "cluster-robust", "partial pooling"),
    ("truth", "prior", "posterior"),
    ("truth", "partial pooling", "posterior"),
    ("truth", "treated", "control"),
    ("truth", "patients", "yours", "naive"),
    ("truth", "hospital means", "patients", "partial pooling"),
]
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


def test_the_distance_knows_a_bad_pair():
    """Red and green of one lightness: far apart for most, close under deuteranopia."""
    far, near = (
        np.linalg.norm(lab("#c46a5a", s) - lab("#6f8a50", s)) for s in ("usual", "deuteranopia")
    )
    assert far > 50 and near < 15


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
    monkeypatch.setattr(plots, "display", got.append)
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
