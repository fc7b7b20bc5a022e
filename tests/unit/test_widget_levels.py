"""The levels explorer, held to independent calculations."""

import math

import numpy as np
import pytest

from utils.widgets import levels as lv


def test_levels_against_drawn_patients():
    """Surgeons crossed with wards in hospitals in regions, every cell one patient."""
    state = {
        "region_sd": 2, "hospital_sd": 4, "ward_sd": 3, "surgeon_sd": 5, "patient_sd": 6,
        "patients_per_ward": 12, "wards_per_hospital": 2,
    }  # fmt: skip
    result = lv.compute(**state)
    rng, shape = np.random.default_rng(1), (8, 4, 2, 12)
    surgeon = rng.normal(0, 5, (3000, 1, 1, 1, 12))
    parts = [(2, (8, 1, 1, 1)), (4, (8, 4, 1, 1)), (3, (8, 4, 2, 1)), (6, shape)]
    effects = [rng.normal(0, sd, (3000, *units)) for sd, units in parts]
    y = sum(effects) + surgeon
    at = np.indices(shape)
    arms = {
        "region": at[0] % 2, "hospital": at[1] % 2, "ward": at[2] % 2, "surgeon": at[3] % 2,
        # By patient every surgeon has treated and untreated patients: in turn by ward.
        "patient": (at[3] + at[2]) % 2,
    }  # fmt: skip
    for level, arm in arms.items():
        estimate = y[:, arm == 1].mean(axis=1) - y[:, arm == 0].mean(axis=1)
        assert estimate.std() == pytest.approx(result.treatment_se[level], rel=0.06), level
    mean = y.mean(axis=(3, 4)) - effects[0][..., 0, 0] - effects[1][..., 0, 0]
    mean = mean - surgeon.mean(axis=(3, 4))
    assert mean.std() == pytest.approx(result.hospital_mean_se, rel=0.03)
    total = 4 + 16 + 9 + 25 + 36
    expected = {
        "same region": 4, "same hospital": 20, "same ward": 29, "same ward and surgeon": 54,
        "same surgeon only": 25,
    }  # fmt: skip
    assert result.correlations.to_dict() == pytest.approx(
        {pair: value / total for pair, value in expected.items()}
    )
    assert result.shares.sum() == pytest.approx(1)
    assert result.n_patients == math.prod(shape)


@pytest.mark.parametrize("name", ["levels"])
def test_bars_and_dots_show_the_levels(explorer):
    explorer.set_state(ward_sd=9, surgeon_sd=3)
    drawing, result = explorer._draw.__self__, explorer.result
    widths = [bar.get_width() for bar in drawing.bars]
    assert widths == pytest.approx(result.shares.tolist())
    assert [bar.get_x() for bar in drawing.bars[1:]] == pytest.approx(np.cumsum(widths)[:-1])
    assert [bar.get_width() for bar in drawing.pairs] == pytest.approx(result.correlations.tolist())
    shown = drawing.dots.get_offsets()[:, 0]
    assert shown == pytest.approx([*result.treatment_se, result.hospital_mean_se])
    assert drawing.words[0].get_text() == ""  # a share too narrow for its number
    assert drawing.words[2].get_text() == f"{100 * result.shares['ward']:.0f} %"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"patient_sd": 0}, "patient_sd must be above 0, got 0"),
        ({"ward_sd": -1}, "SD of ward must be 0 or more"),
        ({"patients_per_ward": 3}, "patients_per_ward must be an even number .* got 3"),
        ({"wards_per_hospital": 0}, "wards_per_hospital must be an even number .* got 0"),
    ],
)
def test_levels_refuse(change, message):
    good = {f"{name}_sd": 5 for name in ("region", "hospital", "ward", "surgeon", "patient")}
    good |= {"patients_per_ward": 4, "wards_per_hospital": 2}
    with pytest.raises(ValueError, match=message):
        lv.compute(**{**good, **change})
