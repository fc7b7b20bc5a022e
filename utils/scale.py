"""A random-intercept trial of any size: what each engine costs, and an analysis from summaries.

`make scale` (``python -m utils.scale``) runs every engine on trials of growing size, each run in
a process of its own, and prints one table of seconds and peak memory.

Examples
--------
>>> table = summaries(chunks_of(1000, 20, rng=1))
>>> int(table["n"].sum()), len(table)
(1000, 20)
>>> fit_summaries(table).index.tolist()
['intercept', 'treatment_effect', 'se', 'hospital_sd', 'patient_sd']
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from scipy import optimize, stats

from utils import ROOT, exact, likelihood, mixedlm

__all__ = [
    "ENGINES",
    "SIZES",
    "chunks_of",
    "fit_summaries",
    "measure",
    "profile_deviance",
    "read_chunks",
    "summaries",
    "write_parquet",
]

SIZES = ((1_000, 30), (10_000, 300), (100_000, 1_000), (1_000_000, 10_000))
TRUTH = {"intercept": 140.0, "treatment_effect": -6.0, "hospital_sd": 5.0, "patient_sd": 12.0}
ZERO = 140.0  # taken off before squaring, so that no digits are lost
_CHUNK = 50_000
_SUMS = ["n", "t", "y", "ty", "yy"]


# ---------------------------------------------------------------- data that need not fit in memory


def chunks_of(patients: int, hospitals: int, *, rng: int) -> Iterator[pd.DataFrame]:
    """Yield a simulated trial in chunks of at most 50,000 patients.

    Parameters
    ----------
    patients, hospitals : int
        At least two patients for each of at least two hospitals.
    rng : int
        Seed.

    Yields
    ------
    DataFrame
        Columns hospital (a number), treated (0/1, half of the patients) and sbp (mmHg). A
        hospital's patients may lie in several chunks.
    """
    if not (hospitals >= 2 and patients >= 2 * hospitals):
        raise ValueError(
            f"a trial needs two hospitals and two patients in each, got {patients} patients in "
            f"{hospitals} hospitals"
        )
    rng = np.random.default_rng(rng)
    u = rng.normal(0, TRUTH["hospital_sd"], hospitals)
    for start in range(0, patients, _CHUNK):
        row = np.arange(start, min(start + _CHUNK, patients))
        hospital, treated = row % hospitals, (row // hospitals) % 2
        noise = rng.normal(0, TRUTH["patient_sd"], row.size)
        sbp = TRUTH["intercept"] + TRUTH["treatment_effect"] * treated + u[hospital] + noise
        yield pd.DataFrame({"hospital": hospital, "treated": treated, "sbp": sbp})


def write_parquet(path: str | Path, chunks: Iterable[pd.DataFrame]) -> None:
    """Write chunks to one Parquet file, a row group each."""
    writer = None
    for chunk in chunks:
        table = pa.Table.from_pandas(chunk, preserve_index=False)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer is None:
        raise ValueError("there must be at least one chunk, got none")
    writer.close()


def read_chunks(path: str | Path) -> Iterator[pd.DataFrame]:
    """Yield a Parquet file piece by piece, 50,000 rows at a time."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=_CHUNK):
            yield batch.to_pandas()


def summaries(chunks: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return five sums for each hospital: all that the likelihood needs of its patients.

    Parameters
    ----------
    chunks : iterable of DataFrame
        Columns hospital, treated and sbp. Only one is in memory at a time.

    Returns
    -------
    DataFrame
        Index hospital; n, t (treated patients), y, ty and yy: sums of sbp - 140, of it over the
        treated, and of its square.
    """
    total = None
    for chunk in chunks:
        y = chunk["sbp"] - ZERO
        rows = pd.DataFrame(
            {"n": 1, "t": chunk["treated"], "y": y, "ty": chunk["treated"] * y, "yy": y**2}
        )
        part = rows.groupby(chunk["hospital"].to_numpy()).sum()
        total = part if total is None else total.add(part, fill_value=0)
    if total is None:
        raise ValueError("there must be at least one chunk, got none")
    return total.rename_axis("hospital")[_SUMS].astype(float)


def _products(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return n, the hospitals' means of (1, t, y), and cross products about them, summed."""
    n, t, y, ty, yy = (table[name].to_numpy(dtype=float) for name in _SUMS)
    means = np.column_stack([np.ones_like(n), t / n, y / n])
    whole = np.array([[n.sum(), t.sum(), y.sum()], [0, t.sum(), ty.sum()], [0, 0, yy.sum()]])
    whole = whole + np.triu(whole, 1).T
    return n, means, whole - (means * n[:, None]).T @ means


def _solve(ratio: float, n: np.ndarray, means: np.ndarray, within: np.ndarray) -> tuple:
    """Return beta, inverse cross products, residual sum of squares and log determinants."""
    total = within + (means * (n / (1 + ratio * n))[:, None]).T @ means
    inverse = np.linalg.inv(total[:2, :2])
    beta = inverse @ total[:2, 2]
    squares = total[2, 2] - beta @ total[:2, 2]
    logs = np.log1p(ratio * n).sum() + np.linalg.slogdet(total[:2, :2])[1]
    return beta, inverse, squares, logs


def profile_deviance(log_ratio: float, table: pd.DataFrame) -> float:
    """Return minus twice the restricted log-likelihood at log(tau/sigma), up to a constant.

    Parameters
    ----------
    log_ratio : float
        Log of hospital_sd / patient_sd.
    table : DataFrame
        As `summaries` gives it.
    """
    return _deviance(log_ratio, *_products(table))


def _deviance(log_ratio: float, *products: np.ndarray) -> float:
    _, _, squares, logs = _solve(np.exp(2 * log_ratio), *products)
    return float(logs + (products[0].sum() - 2) * np.log(squares))


def fit_summaries(table: pd.DataFrame) -> pd.Series:
    """Fit ``sbp ~ treated`` with a random intercept by REML, from five sums a hospital.

    Parameters
    ----------
    table : DataFrame
        As `summaries` gives it.

    Returns
    -------
    Series
        intercept, treatment_effect and its standard error `se`, hospital_sd, patient_sd; mmHg.
    """
    products = _products(table)
    found = optimize.minimize_scalar(
        _deviance, bounds=(-8, 4), args=products, method="bounded", options={"xatol": 1e-8}
    )
    ratio = np.exp(2 * found.x)
    beta, inverse, squares, _ = _solve(ratio, *products)
    sigma2 = squares / (products[0].sum() - 2)
    return pd.Series(
        {
            "intercept": beta[0] + ZERO,
            "treatment_effect": beta[1],
            "se": np.sqrt(sigma2 * inverse[1, 1]),
            "hospital_sd": np.sqrt(ratio * sigma2),
            "patient_sd": np.sqrt(sigma2),
        }
    )


# ---------------------------------------------------------------- engines


def _rows(patients: int, hospitals: int) -> pd.DataFrame:
    return pd.concat(list(chunks_of(patients, hospitals, rng=1)), ignore_index=True)


def _by_chunks(patients: int, hospitals: int) -> Callable[[], float]:
    path = Path(tempfile.mkdtemp(), "trial.parquet")
    write_parquet(path, chunks_of(patients, hospitals, rng=1))
    return lambda: fit_summaries(summaries(read_chunks(path)))["treatment_effect"]


def _by_likelihood(patients: int, hospitals: int) -> Callable[[], float]:
    data = _rows(patients, hospitals)
    x = np.column_stack([np.ones(len(data)), data["treated"]])
    return lambda: likelihood.fit_intercept(likelihood.sums(data["sbp"], x, data["hospital"])).beta[
        1
    ]


def _by_exact(patients: int, hospitals: int) -> Callable[[], float]:
    data = _rows(patients, hospitals)
    x = np.column_stack([np.ones(len(data)), data["treated"]])
    priors = {"tau": stats.halfnorm(scale=10), "sigma": stats.halfnorm(scale=20)}
    return lambda: (
        exact.posterior(data["sbp"], x, data["hospital"], **priors).parameters["mean"].iloc[1]
    )


def _by_mixedlm(patients: int, hospitals: int) -> Callable[[], float]:
    data = _rows(patients, hospitals)
    return lambda: mixedlm.fit("sbp ~ treated", data, groups="hospital", start="powell").fixed.loc[
        "treated", "estimate"
    ]


def _by_nuts(patients: int, hospitals: int) -> Callable[[], float]:
    from utils.scale_models import Sampler, by_rows  # noqa: PLC0415  # PyMC takes seconds to load

    return Sampler(by_rows(_rows(patients, hospitals)))


def _by_nuts_summaries(patients: int, hospitals: int) -> Callable[[], float]:
    from utils.scale_models import Sampler, by_summaries  # noqa: PLC0415

    path = Path(tempfile.mkdtemp(), "trial.parquet")
    write_parquet(path, chunks_of(patients, hospitals, rng=1))
    return Sampler(by_summaries(summaries(read_chunks(path))))


ENGINES: dict[str, Callable[[int, int], Callable[[], float]]] = {
    "REML from summaries, in chunks": _by_chunks,
    "REML, rows in memory": _by_likelihood,
    "exact posterior": _by_exact,
    "MixedLM": _by_mixedlm,
    "NUTS, row by row": _by_nuts,
    "NUTS from summaries": _by_nuts_summaries,
}


def run_here(engine: str, patients: int, hospitals: int) -> dict[str, float | bool]:
    """Run one engine in this process.

    Parameters
    ----------
    engine : str
        A key of `ENGINES`.
    patients, hospitals : int

    Returns
    -------
    dict
        seconds of the analysis; seconds to compile, which come on top for the samplers (0 for the
        others); effect (mmHg); trusted, whether a sampler's diagnostics find no fault; peak MB of
        the process until then.
    """
    if engine not in ENGINES:
        raise ValueError(f"engine must be one of {', '.join(ENGINES)}; got {engine!r}")
    analysis = ENGINES[engine](patients, hospitals)
    began = time.perf_counter()
    effect = float(analysis())
    seconds = time.perf_counter() - began
    return {
        "seconds": seconds,
        "compile": getattr(analysis, "compile_seconds", 0.0),
        "effect": effect,
        "trusted": analysis.trusted() if hasattr(analysis, "trusted") else True,
        "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def measure(
    engine: str, patients: int, hospitals: int, *, limit: float = 300
) -> dict[str, float | bool]:
    """Run one engine in a process of its own.

    Parameters
    ----------
    engine : str
        A key of `ENGINES`.
    patients, hospitals : int
    limit : float
        Seconds after which it is stopped; its row is then NaN.

    Returns
    -------
    dict
        As `run_here` gives it (imports and simulation left out).
    """
    command = [sys.executable, "-m", "utils.scale", "--one", engine, str(patients), str(hospitals)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=limit, check=True, cwd=ROOT
        )
    except subprocess.TimeoutExpired:
        return dict.fromkeys(("seconds", "compile", "effect", "trusted", "peak MB"), np.nan)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Print the table, or run one engine."""
    parser = argparse.ArgumentParser(prog="python -m utils.scale", description=main.__doc__)
    parser.add_argument("--one", nargs=3, metavar=("ENGINE", "PATIENTS", "HOSPITALS"))
    parser.add_argument("--limit", type=float, default=300, help="seconds for one run")
    given = parser.parse_args()
    if given.one:
        engine, patients, hospitals = given.one
        print(json.dumps(run_here(engine, int(patients), int(hospitals))))
        return
    rows = []
    for engine in ENGINES:
        for patients, hospitals in SIZES:
            found = measure(engine, patients, hospitals, limit=given.limit)
            rows.append({"engine": engine, "patients": patients, "hospitals": hospitals, **found})
            print(pd.DataFrame(rows[-1:]).to_string(header=len(rows) == 1, index=False), flush=True)
            if np.isnan(found["seconds"]):
                break  # the next size would take longer still


if __name__ == "__main__":
    main()
