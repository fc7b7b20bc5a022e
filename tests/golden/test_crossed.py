"""Crossed random intercepts as lme4 1.1-31 fits them, in R 4.2.2 (REML)."""

import numpy as np
import pandas as pd
import pytest

from utils import datasets
from utils.crossed import fit_crossed


def test_penicillin_as_lme4_has_it():
    data = datasets.load("penicillin")
    X = pd.DataFrame({"mean": np.ones(len(data))})
    fit = fit_crossed(data["diameter"], X, {"plate": data["plate"], "sample": data["sample"]})
    assert fit.beta["mean"] == pytest.approx(22.972222, abs=1e-5)
    assert fit.se["mean"] == pytest.approx(0.808573, abs=1e-5)
    expected = {"plate": 0.716908, "sample": 3.73092, "residual": 0.302415}
    assert (fit.sds**2).to_dict() == pytest.approx(expected, rel=1e-4)
    assert -2 * fit.loglik == pytest.approx(330.860589, abs=1e-5)


def test_insteval_as_lme4_has_it():
    data = datasets.load("insteval")
    X = pd.DataFrame({"mean": np.ones(len(data))})
    both = data["dept"].astype(str) + ":" + data["service"].astype(str)
    fit = fit_crossed(data["y"], X, {"s": data["s"], "d": data["d"], "dept:service": both})
    assert -2 * fit.loglik == pytest.approx(237658.578334, abs=1e-4)
    assert fit.beta["mean"] == pytest.approx(3.25525, abs=1e-4)
    assert fit.se["mean"] == pytest.approx(0.028513, abs=2e-5)
    expected = {"s": 0.105417, "d": 0.262633, "dept:service": 0.0125483, "residual": 1.38495}
    assert (fit.sds**2).to_dict() == pytest.approx(expected, rel=2e-3)
