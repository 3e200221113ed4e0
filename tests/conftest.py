"""Shared fixtures: where the real data is, a read-only promise about it, and graphs in the layout of OGB's archives."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

# Before torch: several processes of several threads each would wait for one another.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# Ray's workers would wait for whatever else runs.
os.environ.setdefault("RAY_worker_niceness", "0")

import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parent.parent

# They come first: a long file that comes last keeps one process busy while the others have nothing left to do.
LONGEST = (
    "tests/runtime/partitions/test_ray_cluster.py",
    "tests/test_site.py",
    "tests/cli/partitioned/test_embed.py",
    "tests/test_docs.py",
    "tests/faults/test_faults.py",
    "tests/test_notebooks.py",
)

# By default Python looks for garbage so often that imports take a fifth longer, and tests a tenth.
gc.set_threshold(50_000, 20, 20)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first (`--no-loadscope-reorder` keeps that order)."""
    place = {REPOSITORY / name: i for i, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start the server of `tests.forked`, if a test needs it, before another test starts one that knows only torch."""
    if "tests.forked" in sys.modules:
        forkserver.ensure_running()


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores: tests of browsers, of Ray and of several processes wait for others."""
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 8) + 1


def find_data_root() -> Path | None:
    """`$GENURL_DATA` if it is set, else `../shared/data` beside the repository, else None."""
    named = os.environ.get("GENURL_DATA")
    if named:
        return Path(named)
    beside = REPOSITORY.parent / "shared" / "data"
    return beside if beside.is_dir() else None


@pytest.fixture(scope="session")
def data_root() -> Path:
    """Folder of the real data sets; skips the test where they are absent."""
    root = find_data_root()
    if root is None or not root.is_dir():
        pytest.skip("real data absent: set GENURL_DATA or put it at ../shared/data")
    return root


@contextmanager
def threads(count: int) -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Results do not depend on how many threads the machine offers."""
    with threads(1):
        yield


@pytest.fixture
def two_threads() -> Iterator[None]:
    """Threads that could disagree, on a machine of any size."""
    with threads(2):
        yield


@pytest.fixture
def short_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table that an MLP takes its prototypes from is trained for 5 epochs, where it need not lie well."""
    from genurl_graph.tasks import reduction

    make = reduction.table_config
    monkeypatch.setattr(reduction, "table_config", lambda *given: make(*given).override({"training.epochs": 5}))


@pytest.fixture(scope="session")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """Scikit-learn's handwritten digits, [1797, 64] float32 from 0 to 16, and their labels."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return x.astype(np.float32), y


@pytest.fixture(scope="session")
def ogb_blocks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data root with a small random graph as ``ogbn_arxiv``; tests that change files copy it first."""
    return write_blocks(tmp_path_factory.mktemp("ogb"))


@pytest.fixture(scope="session")
def ogb_coauthor(data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data root with Coauthor CS as ``ogbn_arxiv``."""
    return write_coauthor_cs(tmp_path_factory.mktemp("ogb"), data_root)


def write_table(path: Path, rows: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    compression = {"method": "gzip", "compresslevel": 1, "mtime": 0}
    import pandas

    pandas.DataFrame(rows).to_csv(path, header=False, index=False, float_format="%.6f", compression=compression)


def write_ogb(root: Path, x: Any, edge_index: Any, y: Any, seed: int = 0) -> Path:
    """Write ``root/ogbn_arxiv``: each undirected edge in one direction, and a split by years, which are drawn.

    Shares of the split are ogbn-arxiv's: papers until 2017 for training, 2018 for validation, later ones for test.
    """
    folder, rng = root / "ogbn_arxiv", np.random.default_rng(seed)
    edges = np.asarray(edge_index)
    edges = edges[:, edges[0] < edges[1]]
    turned = rng.random(edges.shape[1]) < 0.5
    edges = np.where(turned, edges[::-1], edges)
    year = rng.choice(np.arange(2015, 2021), size=len(y), p=[0.18, 0.18, 0.18, 0.18, 0.14, 0.14])
    raw = {"edge": edges.T, "node-feat": np.asarray(x), "node-label": np.asarray(y), "node_year": year}
    for name, rows in {**raw, "num-node-list": [len(y)], "num-edge-list": [edges.shape[1]]}.items():
        write_table(folder / "raw" / f"{name}.csv.gz", rows)
    for part, chosen in (("train", year <= 2017), ("valid", year == 2018), ("test", year >= 2019)):
        write_table(folder / "split" / "time" / f"{part}.csv.gz", np.flatnonzero(chosen))
    (folder / "processed").mkdir()
    (folder / "mapping").mkdir()
    write_table(folder / "mapping" / "nodeidx2paperid.csv.gz", {"node idx": np.arange(len(y))})
    (folder / "RELEASE_v1.txt").touch()
    return root


def write_blocks(root: Path, n: int = 240, classes: int = 3, columns: int = 12) -> Path:
    """A stochastic block model with noisy features, where no real data is needed."""
    import torch
    from torch_geometric.utils import stochastic_blockmodel_graph

    torch.manual_seed(0)
    y = torch.arange(n) % classes
    order = y.argsort()
    inside, outside = 6 * classes / n, 6 / n
    probabilities = torch.full((classes, classes), outside).fill_diagonal_(inside)
    edge_index = order[stochastic_blockmodel_graph(torch.bincount(y), probabilities)]
    x = torch.nn.functional.one_hot(y, columns) + torch.randn(n, columns)
    return write_ogb(root, x, edge_index, y)


def write_coauthor_cs(root: Path, data_root: Path, columns: int = 24) -> Path:
    """Coauthor CS, its bags of words reduced to few dense columns."""
    from sklearn.decomposition import TruncatedSVD

    from genurl_graph import datasets
    from genurl_graph.evaluation.protocols import raw_features

    data = datasets.load("coauthor-cs", data_root)
    x = TruncatedSVD(columns, n_iter=2, random_state=0).fit_transform(raw_features(data))
    return write_ogb(root, x, data.edge_index, data.y)
