"""A Dask cluster gives the rows of one process, also when a worker dies in the middle."""

import os
import signal
import threading
import time

import pytest
from distributed import Client, LocalCluster

from utils.studies import replicate


def slow(rng):
    time.sleep(0.1)
    return {"value": rng.random(), "pid": os.getpid()}


@pytest.mark.skipif(os.name == "nt", reason="a process cannot be killed there in this way")
def test_a_worker_killed_in_the_middle_loses_nothing():
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        victim = next(iter(client.run(os.getpid).values()))

        def kill():
            time.sleep(1.5)
            os.kill(victim, signal.SIGKILL)

        threading.Thread(target=kill).start()
        rows = replicate(slow, 60, rng=3, workers=client, progress=False)
    alone = replicate(slow, 60, rng=3, workers=1, progress=False)
    columns = ["replicate", "seed", "value"]
    assert rows[columns].equals(alone[columns])
    assert victim in set(rows["pid"]) or rows["pid"].nunique() >= 2  # others did its share
