"""Sampling for stored studies: a fit counts once `bayes.diagnose` finds no fault in it."""

from __future__ import annotations

from collections.abc import Sequence

import nutpie
import xarray as xr

from utils import bayes


def usable_draws(
    program: object,
    tries: Sequence[tuple[int, int, float]],
    *,
    seed: int,
    what: str,
    var_names: str | None = None,
) -> xr.DataTree:
    """Sample, trying harder where needed, until the draws may be used.

    Parameters
    ----------
    program : compiled nutpie model
    tries : sequence of (draws, tune, target_accept)
        Of each of 4 chains; the first is enough for most fits.
    seed : int
    what : str
        Names the fit where it fails.
    var_names : str, optional
        What has to be usable; by default all.

    Raises
    ------
    RuntimeError
        If no try gave usable draws.
    """
    for draws, tune, accept in tries:
        fit = nutpie.sample(
            program, draws=draws, tune=tune, chains=4, cores=2, seed=seed, target_accept=accept,
            progress_bar=False, save_warmup=False,
        )  # fmt: skip
        if bayes.diagnose(fit, var_names=var_names).ok:
            return fit
    raise RuntimeError(f"{what}: no usable draws")
