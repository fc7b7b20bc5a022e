"""From a formula and a table to a MixedLM that may be fitted, with every check of the input."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import patsy
from numpy.typing import NDArray
from statsmodels.regression.mixed_linear_model import MixedLM

from utils._likelihood_blocks import Blocks, Floats
from utils._likelihood_sums import check_hospitals, check_sizes, make_blocks


@dataclass(frozen=True, repr=False)
class Design:
    """A model before it is fitted.

    Attributes
    ----------
    frame : DataFrame
        The rows in use, numbered anew.
    model : MixedLM
        The model as statsmodels has it.
    codes : array, shape (n,)
        The group of each row.
    labels : list
        The groups' names.
    z : array, shape (n, k_re), or None
        Columns of the groups' effects, named `re_names`.
    blocks : Blocks
        The sums of the likelihood.
    dropped : Series
        Rows left out, by the column that was missing; empty if none.
    """

    formula: str
    groups: str
    re_formula: str | None
    vc_formula: dict[str, str]
    frame: pd.DataFrame
    model: MixedLM
    codes: NDArray[np.intp]
    labels: list[Any]
    z: Floats | None
    re_names: tuple[str, ...]
    re_info: Any
    blocks: Blocks
    dropped: pd.Series
    n_dropped: int
    environment: Any

    @property
    def k_re(self) -> int:
        """Number of correlated effects of each group."""
        return len(self.re_names)

    @property
    def kind(self) -> str:
        """Return "intercept", "slope" (with its correlation) or "general"."""
        if self.vc_formula or self.k_re not in (1, 2):
            return "general"
        constant = self.re_names[0] == self.groups
        if not constant:
            return "general"
        return "intercept" if self.k_re == 1 else "slope"

    @cached_property
    def x(self) -> Floats:
        """The fixed effects' columns."""
        return np.asarray(self.model.exog)

    @cached_property
    def z_of_groups(self) -> list[tuple[NDArray[np.intp], Floats]]:
        """Rows of each group and their columns in the user's Z, padded to one width."""
        widths = [max(mat.shape[1] for mat in mats) for mats in self.model.exog_vc.mats]
        q = self.k_re + sum(widths)
        order = np.argsort(self.codes, kind="stable")
        parts = np.split(order, np.cumsum(np.bincount(self.codes))[:-1])
        out = []
        for j, rows in enumerate(parts):
            z = np.zeros((len(rows), q))
            if self.z is not None:
                z[:, : self.k_re] = self.z[rows]
            at = self.k_re
            for mats, width in zip(self.model.exog_vc.mats, widths, strict=True):
                z[:, at : at + mats[j].shape[1]] = mats[j]
                at += width
            out.append((rows, z))
        return out

    def slots(self, component: int, group: int) -> dict[str, int]:
        """Return where the effects of a variance component stand in a group's vector."""
        widths = [max(mat.shape[1] for mat in mats) for mats in self.model.exog_vc.mats]
        at = self.k_re + sum(widths[:component])
        names = self.model.exog_vc.colnames[component][group]
        return {name: at + k for k, name in enumerate(names)}


def prepare(
    formula: str,
    data: pd.DataFrame,
    *,
    groups: str,
    re_formula: str | None,
    vc_formula: Mapping[str, str] | None,
    missing: str,
    environment: Any,
) -> Design:
    """Check everything that can be checked before fitting, and build the model."""
    if not isinstance(data, pd.DataFrame):
        raise ValueError(f"data must be a DataFrame, got {type(data).__name__}")
    if missing not in ("raise", "drop"):
        raise ValueError(f'missing must be "raise" or "drop", got {missing!r}')
    if not isinstance(groups, str) or groups not in data.columns:
        raise ValueError(
            f"groups must name a column of data ({', '.join(map(str, data.columns))}), "
            f"got {groups!r}"
        )
    components = dict(sorted((vc_formula or {}).items()))
    re_formula = _plain(re_formula)
    used = _columns(formula, data, groups, re_formula, components)
    frame = data.loc[:, used].reset_index(drop=True)
    frame, dropped, n_dropped = _without_missing(frame, missing)
    for column in frame.columns:
        if isinstance(frame[column].dtype, pd.CategoricalDtype):
            frame[column] = frame[column].cat.remove_unused_categories()
    outcome = formula.partition("~")[0].strip()
    if outcome in frame.columns and not pd.api.types.is_numeric_dtype(frame[outcome].dtype):
        raise ValueError(f"the outcome {outcome!r} must be numeric, got {frame[outcome].dtype}")
    re_formula = _random_effects(re_formula, frame[groups], components)
    _plain_categories(frame, formula, groups, re_formula, components)
    model = _build(formula, frame, groups, re_formula, components, environment)
    x, y = np.asarray(model.exog), np.asarray(model.endog)
    names = list(model.exog_names)
    _finite({"the outcome": y, **dict(zip(names, x.T, strict=True))})
    codes = _codes(model, frame, groups)
    sizes = np.bincount(codes).astype(float)
    z, re_names, re_info = None, (), None
    if re_formula is not None:
        z = np.asarray(model.exog_re, dtype=float)
        re_names = tuple(model.data.exog_re_names)
        if re_formula != "1":
            re_info = _quietly(patsy.dmatrix, re_formula, frame, environment).design_info
        check_sizes(sizes, z.shape[1])
    blocks = make_blocks(
        y, x, codes, z, components=model.exog_vc.mats, names=names, z_names=list(re_names)
    )
    if re_names and re_names[0] == groups and not components:
        check_hospitals(blocks, len(re_names))
    return Design(
        formula, groups, re_formula, components, frame, model, codes, list(model.group_labels),
        z, re_names, re_info, blocks, dropped, n_dropped, environment,
    )  # fmt: skip


def _random_effects(
    re_formula: str | None, column: pd.Series, components: Mapping[str, str]
) -> str | None:
    """Return what varies between groups, an intercept if nothing is said; None for nothing."""
    several = column.nunique() > 1
    if not several and not components:
        raise ValueError(
            f"groups={column.name!r} must have at least 2 values, got 1: nothing varies between "
            "them"
        )
    if re_formula is None and several:
        re_formula = "1"
    if re_formula in ("0", "-1"):
        re_formula = None
    if re_formula is None and not components:
        raise ValueError('re_formula="0" leaves no random effect: give vc_formula, or fit OLS')
    return re_formula


def _plain_categories(
    frame: pd.DataFrame,
    formula: str,
    groups: str,
    re_formula: str | None,
    components: Mapping[str, str],
) -> None:
    """Make plain values of categories that only the components use, in place.

    A category knows all the wards of the table, and a formula makes a column of each of them in
    every group: of 120 wards in 60 hospitals, 118 columns of zeros a hospital. They change no
    number, and cost nearly all of the time.
    """
    elsewhere = set(_columns(f"{formula} + {re_formula or 1}", frame, groups, None, {}))
    for column in frame.columns.difference(elsewhere):
        if isinstance(frame[column].dtype, pd.CategoricalDtype) and all(
            text.replace(" ", "").startswith(("0+", "-1+")) for text in components.values()
        ):
            frame[column] = frame[column].astype(object)


def _finite(columns: Mapping[str, Floats]) -> None:
    """Refuse what the formula made infinite or missing: log(0), say."""
    for name, values in columns.items():
        bad = int(np.sum(~np.isfinite(values)))
        if bad:
            raise ValueError(f"{name} must be finite in the formula, got {bad} values that are not")


def _plain(re_formula: str | None) -> str | None:
    """Return the right side of a formula without its tilde and blanks."""
    return None if re_formula is None else re_formula.strip().removeprefix("~").strip()


def _codes(model: MixedLM, frame: pd.DataFrame, groups: str) -> NDArray[np.intp]:
    """Return each row's place in the model's list of groups."""
    place = {label: k for k, label in enumerate(model.group_labels)}
    return np.array([place[value] for value in np.asarray(frame[groups])], dtype=np.intp)


def _build(formula, frame, groups, re_formula, components, environment) -> MixedLM:
    # MixedLM writes the intercept's effect with the groups' name only from a formula "1".
    kwargs = {"vc_formula": components} if components else {}
    return _quietly(
        MixedLM.from_formula,
        formula,
        frame,
        groups=groups,
        re_formula=re_formula,
        eval_env=environment,
        **kwargs,
    )


def _quietly(function, *args, **kwargs):
    """Call what reads a formula; its errors become a ValueError in the course's words."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return function(*args, **kwargs)
        except (patsy.PatsyError, SyntaxError, TypeError, IndexError, KeyError) as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
            raise ValueError(f"the formula cannot be read: {reason}") from error


def _columns(
    formula: str,
    data: pd.DataFrame,
    groups: str,
    re_formula: str | None,
    components: Mapping[str, str],
) -> list[str]:
    """Return the columns that the formulas use, in the table's order."""
    if not isinstance(formula, str) or "~" not in formula:
        raise ValueError(f'formula must look like "sbp ~ treated", got {formula!r}')
    if data.columns.has_duplicates:
        twice = sorted(set(map(str, data.columns[data.columns.duplicated()])))
        raise ValueError(f"columns of data must have names of their own, got {twice} twice")
    found = {groups}
    for text in (formula, re_formula, *components.values()):
        if text is None:
            continue
        described = _quietly(patsy.ModelDesc.from_formula, text)
        for term in (*described.lhs_termlist, *described.rhs_termlist):
            for factor in term.factors:
                found |= set(_names(factor.code))
    return [column for column in data.columns if column in found]


def _names(code: str) -> Iterator[str]:
    """Return the names in a piece of a formula, and the texts: Q("ph.ecog") quotes a name."""
    for node in ast.walk(ast.parse(code, mode="eval")):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _without_missing(frame: pd.DataFrame, missing: str) -> tuple[pd.DataFrame, pd.Series, int]:
    """Refuse or drop rows with missing values, and refuse infinite ones."""
    numeric = frame.select_dtypes("number")
    infinite = np.isinf(numeric.to_numpy(dtype=float, na_value=np.nan)).sum(0)
    if infinite.any():
        where = ", ".join(
            f"{name} ({count})"
            for name, count in zip(numeric.columns, infinite, strict=True)
            if count
        )
        raise ValueError(f"data must be finite, got infinite values in {where}")
    counts = frame.isna().sum()
    counts = counts[counts > 0]
    if counts.empty:
        return frame, counts, 0
    complete = frame.notna().all(axis=1)
    lost = int((~complete).sum())
    listed = ", ".join(f"{name} ({count})" for name, count in counts.items())
    if missing == "raise":
        raise ValueError(
            f"data must be complete, got {lost} of {len(frame)} rows with missing values: "
            f'{listed}; missing="drop" leaves these rows out, which is only right if they are '
            "missing for no reason that matters"
        )
    if lost == len(frame):
        raise ValueError(f"every row has a missing value: {listed}")
    return frame.loc[complete].reset_index(drop=True), counts, lost
