"""What a fit of statsmodels' MixedLM costs, measured on the machine at hand."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence

import pandas as pd
from statsmodels.regression.mixed_linear_model import MixedLM

from utils.simulate import med_trial

__all__ = ["nesting_costs"]

_WARD, _HOSPITAL = {"ward": "0 + C(ward)"}, {"hospital": "0 + C(hospital)"}
_CALLS = {
    "category labels": ("hospital", "1", _WARD),
    "text labels": ("hospital", "1", _WARD),
    "one group for everybody": ("everyone", None, _HOSPITAL | _WARD),
}


def nesting_costs(n_hospitals: Sequence[int], *, rng: int) -> pd.DataFrame:
    """Time one fit of wards in hospitals, written in three ways, on studies of growing size.

    Parameters
    ----------
    n_hospitals : sequence of int
        Hospitals of each study, with 4 wards and 24 patients in each.
    rng : int
        Seed of the studies.

    Returns
    -------
    DataFrame
        One row a study and way: ``labels``, ``patients``, ``seconds`` of wall time, and
        ``loglik``, which must not depend on the way.

    Notes
    -----
    "category labels": ``groups="hospital"``, the ward a pandas category, of which MixedLM makes
    a column for every ward of the study in every hospital. "text labels": the same, the ward as
    text. "one group for everybody": hospitals and wards as components side by side, which is
    what crossed factors need. All by REML and powell, without the guards of `utils.mixedlm`.

    Examples
    --------
    >>> table = nesting_costs([6], rng=5)
    >>> table["labels"].tolist()
    ['category labels', 'text labels', 'one group for everybody']
    """
    rows = []
    for count in n_hospitals:
        data = med_trial(
            n_hospitals=count, n_wards=4, ward_sd=6, patients_per_hospital=24, rng=rng
        ).data
        text = data.assign(everyone=1, **data[["hospital", "ward"]].astype(str))
        for labels, (groups, re_formula, components) in _CALLS.items():
            table = data if labels.startswith("category") else text
            start = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # powell's remarks on its way
                model = MixedLM.from_formula(
                    "sbp ~ 1", table, groups=groups, re_formula=re_formula, vc_formula=components
                )
                loglik = float(model.fit(method="powell").llf)
            spent = time.perf_counter() - start
            rows.append(
                {"labels": labels, "patients": len(data), "seconds": spent, "loglik": loglik}
            )
    return pd.DataFrame(rows)
