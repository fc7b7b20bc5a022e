"""What statsmodels' MixedLM costs, measured on the machine at hand."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pandas as pd
from statsmodels.regression.mixed_linear_model import MixedLM, MixedLMParams
from threadpoolctl import threadpool_limits

from utils.simulate import med_trial

__all__ = ["nesting_costs"]

LOOKS = 20

_WARD, _HOSPITAL = {"ward": "0 + C(ward)"}, {"hospital": "0 + C(hospital)"}
_CALLS = {
    "category labels": ("hospital", "1", _WARD),
    "text labels": ("hospital", "1", _WARD),
    "one group for everybody": ("everyone", None, _HOSPITAL | _WARD),
}


def nesting_costs(n_hospitals: Sequence[int], *, rng: int) -> pd.DataFrame:
    """Time wards in hospitals, written in three ways, on studies of growing size.

    Parameters
    ----------
    n_hospitals : sequence of int
        Hospitals of each study, with 4 wards and 24 patients in each.
    rng : int
        Seed of the studies.

    Returns
    -------
    DataFrame
        One row a study and way: ``labels``, ``patients``, ``seconds`` of wall time for the model
        and 20 looks at its restricted likelihood, and ``loglik``, that likelihood, which must not
        depend on the way.

    Notes
    -----
    "category labels": ``groups="hospital"``, the ward a pandas category, of which MixedLM makes
    a column for every ward of the study in every hospital. "text labels": the same, the ward as
    text. "one group for everybody": hospitals and wards as components side by side, which is
    what crossed factors need.

    All are timed without the guards of `utils.mixedlm`, at the true variances: an optimiser would
    take as many looks as it likes, and may step where the bare likelihood has no number. On one
    core, too: several that share such small matrices wait for each other.

    Examples
    --------
    >>> table = nesting_costs([6], rng=9)
    >>> table["labels"].tolist()
    ['category labels', 'text labels', 'one group for everybody']
    """
    rows = []
    hospital, ward = (6 / 12) ** 2, (6 / 12) ** 2  # variances, that of patients being 1
    for count in n_hospitals:
        data = med_trial(
            n_hospitals=count,
            hospital_sd=6,
            n_wards=4,
            ward_sd=6,
            patients_per_hospital=24,
            patient_sd=12,
            rng=rng,
        ).data
        text = data.assign(everyone=1, **data[["hospital", "ward"]].astype(str))
        for labels, (groups, re_formula, components) in _CALLS.items():
            table = data if labels.startswith("category") else text
            start = time.perf_counter()
            with threadpool_limits(1):
                model = MixedLM.from_formula(
                    "sbp ~ 1", table, groups=groups, re_formula=re_formula, vc_formula=components
                )
                model.cov_pen = model.fe_pen = None  # as its fit would set them: no penalties
                within = re_formula is not None
                at = MixedLMParams.from_components(
                    fe_params=np.zeros(1),
                    cov_re=np.full((1, 1), hospital) if within else np.zeros((0, 0)),
                    vcomp=np.array([ward] if within else [hospital, ward]),
                )
                for _ in range(LOOKS):
                    loglik = float(model.loglike(at))
            spent = time.perf_counter() - start
            rows.append(
                {"labels": labels, "patients": len(data), "seconds": spent, "loglik": loglik}
            )
    return pd.DataFrame(rows)
