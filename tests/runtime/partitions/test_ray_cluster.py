"""Ray as a launcher, on a cluster of three machines that are processes here: what dies is done again, and only that."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from genurl_graph.datasets.synthetic import planted_graph
from genurl_graph.exceptions import InputError, ShortMemoryError
from genurl_graph.inference.partitioned.run import PartitionedRun, embedding_run
from genurl_graph.inputs.input import as_input
from genurl_graph.inputs.partitioned import Prepared, write_prepared
from genurl_graph.runtime.partitions import Launcher, OneProcess, Store, run_stage
from genurl_graph.runtime.partitions.ray_cluster import RayCluster
from tests.runtime.partitions.work import (
    Dying,
    add,
    count_steps,
    hold,
    is_gone,
    mistake,
    notes,
    refuse,
    square,
    wait_for,
)

ray = pytest.importorskip("ray")
REPOSITORY = Path(__file__).resolve().parents[3]
CAP = 900 << 20


@pytest.fixture(scope="module")
def cluster():
    """A head that only leads, and two more machines with a core each."""
    from ray.cluster_utils import Cluster

    settings = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.2",
        "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": "20",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        node = {"num_cpus": 1, "object_store_memory": 80 << 20}
        quick = {"health_check_initial_delay_ms": 1000, "health_check_period_ms": 1000}
        found = Cluster(
            True, head_node_args=node | {"num_cpus": 0, "include_dashboard": False, "_system_config": quick}
        )
        try:
            found.add_node(wait=False, **node)
            found.add_node(wait=False, **node)
            found.wait_for_nodes()
            yield found
        finally:
            ray.shutdown()
            found.shutdown()


@pytest.fixture(scope="module")
def launcher(cluster):
    with RayCluster(cluster.address, workers=2, memory_per_worker=CAP) as two:
        yield two


def test_partitions_are_worked_on_again_where_a_worker_dies(tmp_path, launcher) -> None:
    store = Store.of(tmp_path, 60, 6)
    worked = run_stage(launcher, store, "squares", square, ["square"], {1, 4})
    assert [each.part for each in worked] == list(range(6))
    assert np.array_equal(np.concatenate(list(store.parts("square"))), np.arange(60) ** 2)
    # Each has been worked on to its end once.
    assert sorted(notes(tmp_path)) == list("012345")
    assert all(0 < each.peak < CAP for each in worked)
    assert run_stage(launcher, store, "squares", square, ["square"], {}) == []


def test_errors_of_partitions_arrive_as_they_are(launcher) -> None:
    assert [each.value for each in launcher.map("sums", add, [3, 0], 4)] == [7, 4]
    with pytest.raises(InputError, match="feature: found NaN; expected numbers"):
        launcher.map("features", refuse, range(3), 1)
    with pytest.raises(IndexError):
        launcher.map("lists", mistake, range(2))
    with pytest.raises(ShortMemoryError, match=r"neighbours under the cap of 0.94 GB a worker: .*--memory-per-worker"):
        launcher.map("neighbours", hold, range(2), CAP)


def test_what_a_killed_driver_has_left_is_taken_up(tmp_path, cluster, launcher) -> None:
    command = [sys.executable, "-m", "tests.runtime.partitions.driver", cluster.address, str(tmp_path)]
    driver = subprocess.Popen(command, cwd=REPOSITORY, env=os.environ | {"PYTHONPATH": str(REPOSITORY)})
    store = Store.of(tmp_path, 40, 8)
    try:
        wait_for(store.file("square", 1))
    finally:
        driver.kill()
        driver.wait()
    worked = run_stage(launcher, store, "squares", square, ["square"], {})
    assert 0 < len(worked) <= 6
    assert np.array_equal(np.concatenate(list(store.parts("square"))), np.arange(40) ** 2)


def embed(prepared: Prepared, folder: Path, launcher: Launcher) -> PartitionedRun:
    config = {"neighbors.n_neighbors": 5, "encoder.hidden": 32, "encoder.dim": 16, "training.epochs": 1}
    run = embedding_run(prepared, folder, launcher, config | {"training.lr": 0.01}, seed=0, device="cpu")
    run.fit()
    return run


@pytest.mark.timeout(900)
def test_twenty_thousand_rows_are_embedded_although_a_worker_dies(tmp_path, launcher) -> None:
    graph = planted_graph(20_000, 100_000, num_features=12, num_classes=4, homophily=0.9, noise=1.5, seed=0)
    prepared = write_prepared(as_input(graph), tmp_path / "prepared", partitions=4, labels=graph.y.numpy())
    run = embed(prepared, tmp_path / "ray", Dying(launcher, tmp_path, {"neighbours"}))
    assert sorted(notes(tmp_path)) == list("0123")
    assert len(list(tmp_path.glob("died-*"))) == 1
    alone = embed(prepared, tmp_path / "alone", OneProcess())
    for name in ("p_crow", "p_col", "p"):
        assert all(map(np.array_equal, run.work.parts(name), alone.work.parts(name)))
    run.write()
    x, y = (np.concatenate(list(prepared.store.parts(name))) for name in ("x", "y"))
    raw, trained = (
        KNeighborsClassifier(15).fit(rows[:2000], y[:2000]).score(rows[2000:6000], y[2000:6000])
        for rows in (x, run.finish({}).rows()["embedding"])
    )
    assert trained > raw + 0.05


@pytest.mark.timeout(900)
def test_a_training_goes_on_when_a_machine_is_gone(tmp_path, cluster, launcher) -> None:
    def remove() -> None:
        wait_for(tmp_path / "step-3")
        cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)
        # The machine's worker may live on for a moment.
        processes = [file.read_text() for file in tmp_path.glob("process-*")]
        assert len(processes) == 2
        until = time.monotonic() + 60
        while not any(map(is_gone, processes)) and time.monotonic() < until:
            time.sleep(0.05)
        (tmp_path / "go").touch()

    removal = threading.Thread(target=remove)
    removal.start()
    worked = launcher.together("training", count_steps, tmp_path, 6, None, 3)
    removal.join()
    assert [(each.part, each.value) for each in worked] == [(0, (0, 6))]
    begun = notes(tmp_path)
    assert sorted(begun[:2]) == ["begin 0 0 2", "begin 0 1 2"]
    step, *who = begun[-1].removeprefix("begin ").split()
    assert step == "3"
    assert who == ["0", "1"]


def test_too_many_workers_and_clusters_that_are_not_there_are_named(launcher, monkeypatch) -> None:
    with pytest.raises(InputError, match=r"--workers: found 9; expected at most \d, for which the cluster has cores"):
        RayCluster(workers=9).__enter__()
    ray.shutdown()
    with pytest.raises(
        InputError, match=r"--cluster: found 127\.0\.0\.1:1 \(Connection refused\); expected the address"
    ):
        RayCluster("127.0.0.1:1").__enter__()
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"--cluster: found no package ray; expected pip install 'genurl-graph\[cl"):
        RayCluster().__enter__()
