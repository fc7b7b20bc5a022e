"""Run an experiment many times: over cores, over a cluster, and on from where it stopped."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from numbers import Integral
from os import PathLike
from typing import Any

import cloudpickle
import joblib
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits
from tqdm.auto import tqdm

from utils._studies_store import Rows, Store, fingerprint, rows_of


class Interrupted(KeyboardInterrupt):
    """A study was stopped by hand. What was done until then is in `rows`.

    Attributes
    ----------
    rows : pandas.DataFrame
        The rows of the replicates that were done, as `replicate` returns them.
    """

    def __init__(self, message: str, rows: pd.DataFrame):
        super().__init__(message)
        self.rows = rows


@dataclass(frozen=True)
class Outcome:
    """What became of one replicate: rows, or an error."""

    replicate: int
    rows: Rows | None
    error: str = ""
    trace: str = ""


def replicate(
    experiment: Callable[[np.random.Generator], dict | pd.Series | pd.DataFrame],
    n: int,
    *,
    rng: int | np.random.Generator,
    workers: int | str | Any | None = None,
    progress: bool = True,
    store: str | PathLike | None = None,
) -> pd.DataFrame:
    """Run an experiment n times, each with random numbers of its own.

    Parameters
    ----------
    experiment : callable
        Takes a numpy.random.Generator, its only source of chance, and returns a dict or a Series
        (one row) or a DataFrame (its rows; the index is dropped). Values are numbers, text and
        truth values.
    n : int
        Number of replicates, at least 1.
    rng : int or numpy.random.Generator
        Seed or generator.
    workers : int, "dask", dask.distributed.Client or None
        How many processes. None: one for each core. 1: this process. "dask": the current Dask
        client, or a cluster on this machine where there is none. Machines of a cluster need this
        package installed.
    progress : bool
        Whether to show a progress bar. It counts the replicates that failed.
    store : path-like, optional
        A file that keeps each replicate as soon as it is done. Called again with the same file,
        after an interruption or with a larger `n`, a study runs only what is missing.

    Returns
    -------
    pandas.DataFrame
        ``replicate`` (0, 1, ...), ``seed`` and the experiment's columns, in the order of the
        replicates. ``experiment(numpy.random.default_rng(seed))`` gives a replicate again. The
        rows are the same for any number of workers, and for any number of interruptions. A
        replicate that raised an error has no rows: `failures` lists it.

    Raises
    ------
    ValueError
        If an argument breaks its rule, if the store is of another study, or if every replicate
        failed.
    Interrupted
        If the study is stopped by hand (a KeyboardInterrupt). Its attribute `rows` has what was
        done.

    Notes
    -----
    Replicate k draws from the k-th spawned child of ``numpy.random.SeedSequence``, so it does
    not depend on n, nor on the replicates before it. Linear algebra uses one thread in each
    process, lest it add up in another order. Processes are joblib's (loky). A store knows its
    study by `rng` and by the experiment's code and plain constants; it cannot see changes in
    data that the experiment refers to. It keeps no failures: they are tried again.

    Examples
    --------
    >>> def mean_of_ten(rng):
    ...     return {"mean": rng.normal(140, 12, 10).mean()}
    >>> means = replicate(mean_of_ten, 200, rng=1, workers=1, progress=False)
    >>> list(means.columns), len(means)
    (['replicate', 'seed', 'mean'], 200)
    >>> bool(3 < means["mean"].std() < 4.6)
    True

    One replicate again:

    >>> again = mean_of_ten(np.random.default_rng(int(means["seed"][7])))
    >>> again["mean"] == means["mean"][7]
    np.True_
    """
    _check(experiment, n, progress)
    entropy = _entropy(rng)
    n = int(n)
    with ExitStack() as stack:
        runner = _runner(workers, stack)
        kept = None
        if store is not None:
            study = {"rng": str(entropy), "experiment": fingerprint(experiment)}
            kept = stack.enter_context(Store(store, study))
        done = {k: rows for k, rows in (kept.done if kept else {}).items() if k < n}
        todo = [k for k in range(n) if k not in done]
        seeds = [_seed(entropy, k) for k in range(n)]
        failed: list[Outcome] = []
        bar = stack.enter_context(
            tqdm(total=n, initial=len(done), disable=not progress, unit="replicate")
        )
        try:
            with closing(runner(experiment, [(k, seeds[k]) for k in todo])) as outcomes:
                for outcome in outcomes:
                    if outcome.rows is None:
                        failed.append(outcome)
                        bar.set_postfix(failed=len(failed), refresh=False)
                    else:
                        done[outcome.replicate] = outcome.rows
                        if kept:
                            kept.add(outcome.replicate, outcome.rows)
                    bar.update()
        except KeyboardInterrupt:
            where = f"kept in {str(kept.path)!r}: the same call goes on from there" if kept else (
                "in the attribute `rows` of this error"
            )  # fmt: skip
            raise Interrupted(
                f"stopped after {len(done)} of {n} replicates; they are {where}",
                _table(done, seeds, failed),
            ) from None
    if not done:
        first = min(failed, key=lambda outcome: outcome.replicate)
        raise ValueError(
            f"all {n} replicates failed; the first, with seed {seeds[first.replicate]}: "
            f"{first.error}\n{first.trace}"
        )
    return _table(done, seeds, failed)


def failures(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the replicates that failed, from what `replicate` returned.

    Parameters
    ----------
    rows : pandas.DataFrame
        As `replicate` returned it: what is computed from it may not know any more.

    Returns
    -------
    pandas.DataFrame
        ``replicate``, ``seed``, ``error`` and ``traceback``, one row a failure.

    Raises
    ------
    ValueError
        If `rows` is not what `replicate` returned.

    Examples
    --------
    >>> def fussy(rng):
    ...     if rng.random() < 0.5:
    ...         raise ValueError("tails")
    ...     return {"heads": 1}
    >>> rows = replicate(fussy, 10, rng=1, workers=1, progress=False)
    >>> lost = failures(rows)
    >>> len(rows) + len(lost), lost["error"].unique().tolist()
    (10, ['ValueError: tails'])
    """
    if not isinstance(rows, pd.DataFrame) or "failed" not in rows.attrs:
        raise ValueError(
            f"rows must be the table that `replicate` returned; got {type(rows).__name__} without "
            "its record of failures"
        )
    columns = ["replicate", "seed", "error", "traceback"]
    return pd.DataFrame(rows.attrs["failed"], columns=columns)


def run_some(payload: bytes, tasks: list[tuple[int, int]]) -> list[Outcome]:
    """Run some replicates in a worker; an error of one is its outcome."""
    return list(_run(cloudpickle.loads(payload), tasks))


def run_on_cluster(payload: bytes, tasks: list[tuple[int, int]]) -> list[Outcome]:
    """Run some replicates in a worker of Dask, which does not limit threads by itself."""
    with threadpool_limits(1):
        return run_some(payload, tasks)


def _run(experiment: Callable, tasks: list[tuple[int, int]]) -> Iterator[Outcome]:
    for k, seed in tasks:
        try:
            rows = rows_of(experiment(np.random.default_rng(seed)))
        except Exception as error:  # noqa: BLE001 - an experiment's own code may raise anything
            said = f"{type(error).__name__}: {error}"
            yield Outcome(k, None, said, "".join(traceback.format_exception(error)))
        else:
            yield Outcome(k, rows)


def _runner(workers: object, stack: ExitStack) -> Callable[..., Iterator[Outcome]]:
    """Return a function (experiment, tasks) that yields outcomes as they come."""
    rule = 'workers must be a whole number >= 1, "dask", a dask.distributed.Client or None'
    if workers is None:
        workers = joblib.cpu_count()
    if isinstance(workers, Integral) and not isinstance(workers, bool) and workers >= 1:
        return lambda experiment, tasks: _over_cores(experiment, tasks, int(workers))
    if workers == "dask":
        client = _client(stack)
    elif (dask := sys.modules.get("distributed")) and isinstance(workers, dask.Client):
        client = workers
    else:
        raise ValueError(f"{rule}; got {workers!r}")
    return lambda experiment, tasks: _over_cluster(experiment, tasks, client)


def _client(stack: ExitStack) -> Any:
    """Return the current Dask client, or one of a cluster made for this study."""
    from distributed import Client, LocalCluster, default_client  # noqa: PLC0415 - slow to import

    try:
        return default_client()
    except ValueError:  # there is none
        cluster = stack.enter_context(
            LocalCluster(n_workers=joblib.cpu_count(), threads_per_worker=1, dashboard_address=None)
        )
        return stack.enter_context(Client(cluster))


def _over_cores(
    experiment: Callable, tasks: list[tuple[int, int]], workers: int
) -> Iterator[Outcome]:
    workers = min(workers, len(tasks))
    if workers <= 1:
        with threadpool_limits(1):
            yield from _run(experiment, tasks)
        return
    payload = _packed(experiment)
    jobs = (joblib.delayed(run_some)(payload, [task]) for task in tasks)
    # joblib groups quick replicates by itself, and hands each group over when it is done.
    with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
        parallel = joblib.Parallel(n_jobs=workers, return_as="generator_unordered")
        with closing(parallel(jobs)) as results:
            for outcomes in results:
                yield from outcomes


def _over_cluster(
    experiment: Callable, tasks: list[tuple[int, int]], client: Any
) -> Iterator[Outcome]:
    from distributed import as_completed  # noqa: PLC0415 - slow to import

    payload = _packed(experiment)
    threads = max(1, sum(client.nthreads().values()))
    # Few enough calls for the scheduler, enough of them to even out slow and quick ones.
    size = min(max(1, len(tasks) // (8 * threads)), 200)
    parts = [tasks[at : at + size] for at in range(0, len(tasks), size)]
    futures = [client.submit(run_on_cluster, payload, part, pure=False) for part in parts]
    try:
        for _, outcomes in as_completed(futures, with_results=True):
            yield from outcomes
    finally:
        client.cancel([future for future in futures if not future.done()])


def _packed(experiment: Callable) -> bytes:
    try:
        return cloudpickle.dumps(experiment)
    except Exception as error:
        raise ValueError(
            "experiment must be such that it can be sent to other processes, or run with "
            f"workers=1; got {experiment!r}, which cannot ({error})"
        ) from error


def _table(done: dict[int, Rows], seeds: list[int], failed: list[Outcome]) -> pd.DataFrame:
    rows = [
        {"replicate": k, "seed": seeds[k], **row} for k in sorted(done) for row in done[k]
    ]  # fmt: skip
    table = pd.DataFrame(rows) if rows else pd.DataFrame(columns=["replicate", "seed"])
    # Plain records, not a table: pandas compares attrs by ==, which tables do not answer.
    table.attrs["failed"] = [
        {
            "replicate": outcome.replicate,
            "seed": seeds[outcome.replicate],
            "error": outcome.error,
            "traceback": outcome.trace,
        }
        for outcome in sorted(failed, key=lambda outcome: outcome.replicate)
    ]
    return table


def _entropy(rng: object) -> int | list[int]:
    if isinstance(rng, np.random.Generator):
        return [int(word) for word in rng.integers(0, 2**32, size=4)]
    if isinstance(rng, Integral) and not isinstance(rng, bool) and rng >= 0:
        return int(rng)
    raise ValueError(f"rng must be a whole number >= 0 or a numpy Generator; got {rng!r}")


def _seed(entropy: int | list[int], k: int) -> int:
    """Return the seed of replicate k: 63 bits of the k-th child that spawn() would give."""
    child = np.random.SeedSequence(entropy, spawn_key=(k,))
    return int(child.generate_state(1, np.uint64)[0] >> np.uint64(1))


def _check(experiment: object, n: object, progress: object) -> None:
    if not callable(experiment):
        raise ValueError(f"experiment must be a function of a Generator; got {experiment!r}")
    if not isinstance(n, Integral) or isinstance(n, bool) or n < 1:
        raise ValueError(f"n must be a whole number >= 1; got {n!r}")
    if not isinstance(progress, bool):
        raise ValueError(f"progress must be True or False; got {progress!r}")
