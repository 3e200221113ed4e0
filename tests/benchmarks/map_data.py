"""Matrices of many kinds with labels, for maps: named data sets, scikit-learn's, files of `shared`, and planted ones.

Each is (float32 [n, f], int64 [n]). None needs a network.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared import data_root

# The six sets that maps are shown on.
SETS = ("digits", "mnist", "fashion-mnist", "fashion-mnist-train", "pbmc68k", "orl")
# Further ones, on which a rule has to hold that was not chosen on them.
KINDS = (
    *("iris", "wine", "wine-30", "breast-cancer", "cifar10", "coauthor-cs", "amazon-photo", "cora", "roads"),
    *("cells-types", "cells-paths", "swiss-roll", "s-curve", "groups-unequal", "groups-nested", "noise"),
)


def load(name: str) -> tuple[Any, Any]:
    """A set by name; ``groups-N`` are N rows of 50 Gaussian groups in 50 dimensions."""
    import numpy as np

    kind, _, size = name.partition("-")
    if name in MAKERS:
        x, y = MAKERS[name]()
    elif kind == "groups" and size.isdecimal():
        x, y = groups(int(size))
    else:
        x, y = dataset(name)
    return np.ascontiguousarray(x, np.float32), np.unique(np.asarray(y).ravel(), return_inverse=True)[1]


def dataset(name: str) -> tuple[Any, Any]:
    """A data set of the registry."""
    from genurl_graph import datasets
    from genurl_graph.experiments.reduce_table import dense_vectors

    data = dense_vectors(name, datasets.load(name, data_root()))
    return data.x.numpy(), data.y.numpy()


def orl() -> tuple[Any, Any]:
    """400 faces of 40 people."""
    from scipy.io import loadmat

    found = {key.lower(): value for key, value in loadmat(data_root() / "vectors" / "ORL.mat").items()}
    x, y = (next(found[key] for key in keys if key in found) for keys in (("x", "fea"), ("y", "gnd")))
    return x / 255, y


def images() -> tuple[Any, Any]:
    """The pixels of 2,000 photographs."""
    import numpy as np
    from PIL import Image

    files = sorted((data_root() / "images" / "cifar10_test_2000").glob("*/*"))
    pixels = [np.asarray(Image.open(file).convert("RGB")).ravel() for file in files]
    return np.stack(pixels) / 255, [file.parent.name for file in files]


def words(name: str) -> tuple[Any, Any]:
    """50 singular vectors of a graph's sparse features, rows of unit length."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.preprocessing import normalize

    x, y = dataset(name)
    return TruncatedSVD(50, random_state=0).fit_transform(normalize(x)), y


def roads() -> tuple[Any, Any]:
    """Geometry of 6,903 segments of roads."""
    import numpy as np

    found = np.load(data_root() / "roads" / "linkoping.npz")
    return found["x"], found["y"]


def measured(name: str, rows: int | None = None) -> tuple[Any, Any]:
    """A table of scikit-learn, standardised."""
    import numpy as np
    from sklearn import datasets
    from sklearn.preprocessing import scale

    data = getattr(datasets, f"load_{name}")()
    kept = np.random.default_rng(0).permutation(len(data.data))[:rows]
    return scale(data.data)[kept], data.target[kept]


def cells(paths: bool, n: int = 6_000, genes: int = 1_500) -> tuple[Any, Any]:
    """Planted single cells: types of a tree, counts with gamma-Poisson noise, log-normalised, 50 principal components.

    With `paths` cells lie all along the branches, else near their ends. Types differ in abundance, some are rare.
    """
    import numpy as np
    from sklearn.decomposition import PCA

    rng = np.random.default_rng(7 + paths)
    parents = np.array([0, 0, 0, 0, 1, 1, 2, 2, 4, 4, 5, 7, 7, 3])
    types = len(parents)
    y = rng.choice(types, n, p=rng.dirichlet(np.full(types, 1.5)) * 0.9 + 0.1 / types)
    markers = rng.normal(0, 1.2, (types, genes)) * (rng.random((types, genes)) < 0.08)
    profile = np.zeros((types, genes))
    for one in range(types):
        profile[one] = profile[parents[one]] + markers[one]
    along = (rng.random(n) if paths else rng.beta(12, 1, n))[:, None]
    level = along * profile[y] + (1 - along) * profile[parents[y]] + rng.normal(-1.2, 1.2, genes)
    depth = rng.lognormal(0, 0.4, (n, 1))
    counts = rng.poisson(rng.gamma(2, depth * np.exp(level) / 2))
    x = np.log1p(1e3 * counts / np.maximum(counts.sum(1, keepdims=True), 1))
    return PCA(50, random_state=0).fit_transform(x), y


def sheet(name: str, n: int, bins: int, noise: float) -> tuple[Any, Any]:
    """A curved sheet in three dimensions; labels are strips along it."""
    import numpy as np
    from sklearn import datasets

    x, t = getattr(datasets, f"make_{name}")(n, noise=noise, random_state=0)
    return x, np.digitize(t, np.quantile(t, np.linspace(0, 1, bins + 1)[1:-1]))


def groups(n: int, centers: int = 50, columns: int = 50) -> tuple[Any, Any]:
    """Gaussian groups of unit deviation, their means of deviation 3: those of bench_neighbors.py."""
    import numpy as np

    rng = np.random.default_rng(0)
    means, y = rng.normal(0, 3, (centers, columns)), rng.integers(0, centers, n)
    x = rng.standard_normal((n, columns), dtype=np.float32)
    x += means.astype(np.float32)[y]
    return x, y


def unequal(n: int = 5_000) -> tuple[Any, Any]:
    """Twenty Gaussian groups from 25 points to thousands, their deviations from 0.4 to 2.5."""
    import numpy as np

    rng = np.random.default_rng(3)
    shares = 0.75 ** np.arange(20)
    y = np.repeat(np.arange(20), np.maximum(25, (n * shares / shares.sum()).astype(int)))
    return rng.normal(0, 3, (20, 30))[y] + rng.standard_normal((len(y), 30)) * rng.uniform(0.4, 2.5, 20)[y][:, None], y


def nested(n: int = 4_000) -> tuple[Any, Any]:
    """Five groups of four groups each; labels are the twenty small ones."""
    import numpy as np

    rng = np.random.default_rng(5)
    y = rng.integers(0, 20, n)
    means = rng.normal(0, 4, (5, 20))[np.arange(20) // 4] + rng.normal(0, 1.2, (20, 20))
    return means[y] + rng.standard_normal((n, 20)), y


def noise(n: int = 3_000) -> tuple[Any, Any]:
    """One Gaussian in 20 dimensions without structure; labels are octants of its first three columns."""
    import numpy as np

    x = np.random.default_rng(0).standard_normal((n, 20)) * np.array([2.0, 2.0, 2.0, *[0.7] * 17])
    return x, (x[:, :3] > 0) @ np.array([1, 2, 4])


MAKERS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "orl": orl,
    "iris": lambda: measured("iris"),
    "wine": lambda: measured("wine"),
    "wine-30": lambda: measured("wine", 30),
    "breast-cancer": lambda: measured("breast_cancer"),
    "cifar10": images,
    "coauthor-cs": lambda: words("Coauthor-CS"),
    "amazon-photo": lambda: words("Amazon-Photo"),
    "cora": lambda: words("Cora"),
    "roads": roads,
    "cells-types": lambda: cells(paths=False),
    "cells-paths": lambda: cells(paths=True),
    "swiss-roll": lambda: sheet("swiss_roll", 3_000, 8, 0.3),
    "s-curve": lambda: sheet("s_curve", 1_500, 6, 0.05),
    "groups-unequal": unequal,
    "groups-nested": nested,
    "noise": noise,
}
