"""Reference values from R and lme4, and the models they are of."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from utils import datasets

FILE = Path(__file__).with_name("reference.json")
PATIENT = "cabg + male + urgent + age75"


@dataclass(frozen=True)
class Model:
    """A model of reference.json, as `mixedlm.fit` takes it."""

    key: str
    formula: str
    groups: str
    re_formula: str | None = None
    vc_formula: dict[str, str] | None = None

    def data(self) -> pd.DataFrame:
        return table(self.key.partition("/")[0])

    def arguments(self) -> dict[str, Any]:
        return {
            "groups": self.groups,
            "re_formula": self.re_formula,
            "vc_formula": self.vc_formula,
            "missing": "drop",
        }


MODELS = (
    Model("azpro/null", "log_los ~ 1", "hospital"),
    Model("azpro/ri", f"log_los ~ {PATIENT}", "hospital"),
    Model("azpro/rs", f"log_los ~ {PATIENT}", "hospital", "1 + cabg"),
    Model("azpro/rs_uncorr", f"log_los ~ {PATIENT}", "hospital", "1", {"cabg": "0 + cabg"}),
    Model("azpro/rs_l2", f"log_los ~ {PATIENT} + cabg_share_c + log_n_c", "hospital", "1 + cabg"),
    Model("azpro/raw_los", f"los ~ {PATIENT}", "hospital", "1 + cabg"),
    Model("medpar/ri", "log_los ~ hmo + white + age80 + type2 + type3", "provider"),
    Model("rhdnase/fev", "fev ~ trt", "inst"),
    Model("radon/null", "log_radon ~ 1", "county"),
    Model("radon/floor", "log_radon ~ floor", "county"),
    Model("radon/uranium", "log_radon ~ floor + log_uranium", "county"),
    Model("radon/uranium_p01", "log_radon_p01 ~ floor + log_uranium", "county"),
    Model("radon/rs", "log_radon ~ floor * log_uranium", "county", "1 + floor"),
    Model("sleepstudy/ri", "Reaction ~ Days", "Subject"),
    Model("sleepstudy/rs", "Reaction ~ Days", "Subject", "1 + Days"),
    Model("sleepstudy/rs_uncorr", "Reaction ~ Days", "Subject", "1", {"Days": "0 + Days"}),
    Model("pastes/nested", "strength ~ 1", "batch", "1", {"sample": "0 + C(cask)"}),
    Model("pastes/sample", "strength ~ 1", "sample"),
    Model(
        "penicillin/crossed",
        "diameter ~ 1",
        "one",
        "0",
        {"plate": "0 + C(plate)", "sample": "0 + C(sample)"},
    ),
    Model("lung/wtloss", 'Q("wt.loss") ~ sex + Q("ph.ecog") + age', "inst"),
    Model("lung/karno", 'Q("ph.karno") ~ sex + age', "inst"),
)


@cache
def reference() -> dict[str, Any]:
    """Return what reference.R wrote."""
    return json.loads(FILE.read_text(encoding="utf-8"))


@cache
def table(name: str) -> pd.DataFrame:
    """Return a data set with the columns that the models add."""
    data = datasets.load(name)
    if name in ("azpro", "medpar"):
        data["log_los"] = np.log(data["los"])
    if name == "azpro":
        hospitals = data.drop_duplicates("hospital")
        data["cabg_share_c"] = data["hosp_cabg_share"] - hospitals["hosp_cabg_share"].mean()
        data["log_n_c"] = np.log(data["hosp_n"]) - np.log(hospitals["hosp_n"]).mean()
    if name == "medpar":
        for kind in (2, 3):
            data[f"type{kind}"] = (data["type"].astype(int) == kind).astype(int)
    if name == "penicillin":
        data["one"] = 1
    return data
