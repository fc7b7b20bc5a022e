"""How an LMMFit shows itself: a heading, two tables and what must be known, as text or HTML."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from utils.mixedlm import LMMFit


def _number(value: float) -> str:
    """Return three decimals, or four significant digits where they would show nothing."""
    if pd.isna(value):
        return ""
    if value != 0 and not 0.01 <= abs(value) < 1e6:
        return f"{value:.4g}"
    return f"{value:.3f}"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _df(value: float) -> str:
    return f"{value:.1f}" if np.isfinite(value) else "inf"


def _tables(fit: LMMFit) -> tuple[pd.DataFrame, pd.DataFrame]:
    fixed = fit.fixed
    shown = pd.DataFrame({name: fixed[name].map(_number) for name in ("estimate", "se", "t")})
    shown["df"] = fixed["df"].map(_df)
    shown["lower"], shown["upper"] = fixed["lower"].map(_number), fixed["upper"].map(_number)
    shown["p"] = fixed["p"].map(_p)
    # Profile intervals of a model with many components take seconds: shown once they are there.
    quick = fit._design.kind == "intercept" or "variances" in vars(fit)
    variances = fit.variances if quick else fit._plain_variances
    return shown, variances.map(_number)


def _heading(fit: LMMFit) -> tuple[str, str]:
    method = "REML" if fit.reml else "maximum likelihood"
    first = f"Linear mixed model by {method}: {fit.formula}"
    found = "restricted log-likelihood" if fit.reml else "log-likelihood"
    second = f"{fit.n} rows in {fit.n_groups} groups ({fit.groups}), {found} {fit.loglik:.3f}"
    if not fit.reml:
        second += f", AIC {fit.aic:.3f}"
    return first, second


def as_text(fit: LMMFit) -> str:
    """Return the fit as text."""
    fixed, variances = _tables(fit)
    lines = [
        *_heading(fit),
        "",
        "Fixed effects (t with Satterthwaite's degrees of freedom, 95 % intervals)",
        fixed.rename_axis(None).to_string(),
        "",
        "Standard deviations and what follows from them"
        + (" (95 % profile intervals)" if "lower" in variances else ""),
        variances.rename_axis(None).to_string(),
        *(["", *(f"Note: {note}" for note in fit.notes)] if fit.notes else []),
    ]
    return "\n".join(lines)


def as_html(fit: LMMFit) -> str:
    """Return the fit as HTML."""
    fixed, variances = _tables(fit)
    first, second = _heading(fit)
    profile = " (95 % profile intervals)" if "lower" in variances else ""
    return "".join(
        [
            f"<p><strong>{escape(first)}</strong><br>{escape(second)}</p>",
            _table(fixed, "Fixed effects (t with Satterthwaite's df, 95 % intervals)"),
            _table(variances, f"Standard deviations and what follows from them{profile}"),
            *(f"<p><strong>Note.</strong> {escape(note)}</p>" for note in fit.notes),
        ]
    )


def _table(frame: pd.DataFrame, caption: str) -> str:
    html = frame.rename_axis(None).to_html(border=0)
    end = html.index(">") + 1
    style = ' style="text-align:left;caption-side:top;font-weight:bold"'
    return f"{html[:end]}<caption{style}>{escape(caption)}</caption>{html[end:]}"
