"""Compact vectors and parametric pictures of Fashion-MNIST: kNN accuracy, retrieval mAP, seconds.

    GENURL_DATA=... python tests/benchmarks/bench_compact.py [--train 60000] [--dim 32] [--only "TLDR linear"]

The encoders learn from the training images without labels; the test images are placed by `transform` and judged
against the training images: accuracy of 10 nearest neighbours, mean average precision of the ranking by label of
`--queries` of them.
"""

from __future__ import annotations

import argparse
import gzip
import os
import time
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA
from sklearn.metrics import average_precision_score
from sklearn.neighbors import KNeighborsClassifier

from genurl_graph import GenURL

ARMS = {
    "GKL mlp": {"encoder": "mlp"},
    "TLDR linear": {"config": "tldr"},
    "TLDR factorized": {"config": "tldr", "encoder": "factorized-linear"},
    "TLDR mlp": {"config": "tldr", "encoder": "mlp"},
}


def fashion(part: str) -> tuple[np.ndarray, np.ndarray]:
    """Images in [0, 1] float32 [n, 784] and labels [n]."""
    root = Path(os.environ.get("GENURL_DATA", Path(__file__).parents[3] / "shared" / "data"))
    images, labels = (
        next(root.glob(f"FashionMNIST/**/{part}-{kind}-ubyte.gz")) for kind in ("images-idx3", "labels-idx1")
    )
    pixels = np.frombuffer(gzip.decompress(images.read_bytes()), np.uint8, offset=16).reshape(-1, 784)
    return pixels.astype(np.float32) / 255, np.frombuffer(gzip.decompress(labels.read_bytes()), np.uint8, offset=8)


def mean_average_precision(queries, database, y, truth, cosine):
    if cosine:
        queries, database = (z / np.linalg.norm(z, axis=1, keepdims=True).clip(1e-12) for z in (queries, database))
    squares = (database**2).sum(1)
    return np.mean(
        [average_precision_score(y == t, 2 * database @ q - squares) for q, t in zip(queries, truth, strict=True)]
    )


def report(name, z, y, new, truth, fitted, placed, queries=0):
    accuracy = KNeighborsClassifier(10).fit(z, y).score(new, truth)
    maps = [mean_average_precision(new[:queries], z, y, truth[:queries], c) for c in (False, True)] if queries else []
    values = "  ".join(f"{v:9.4f}" for v in (accuracy, *maps))
    print(f"{name:18s}{values}{'' if maps else ' ' * 22}  {fitted:8.1f}  {placed:8.2f}", flush=True)


def run(name, model, x, y, new, truth, queries=0):
    started = time.perf_counter()
    z = model.fit_transform(x)
    fitted = time.perf_counter() - started
    started = time.perf_counter()
    placed = model.transform(new)
    report(name, z, y, placed, truth, fitted, time.perf_counter() - started, queries)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=int, default=60_000)
    parser.add_argument("--dim", type=int, default=32)
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--only", help="one row, such as 'TLDR linear'")
    args = parser.parse_args()
    (x, y), (new, truth) = fashion("train"), fashion("t10k")
    x, y = x[: args.train], y[: args.train]
    wanted = lambda name: args.only in (None, name)  # noqa: E731
    print(f"{'':18s}{'10-NN':>9s}  {'mAP eucl':>9s}  {'mAP cos':>9s}  {'fit s':>8s}  {'new s':>8s}")
    if wanted("PCA"):
        run(f"PCA-{args.dim}", PCA(args.dim, random_state=0), x, y, new, truth, args.queries)
    for name, options in ARMS.items():
        if wanted(name):
            run(name, GenURL(n_components=args.dim, random_state=0, **options), x, y, new, truth, args.queries)
    for name, encoder in (("picture, table", "free"), ("picture, mlp", "mlp")):
        if wanted(name):
            run(name, GenURL(n_components=2, encoder=encoder, random_state=0), x, y, new, truth)


if __name__ == "__main__":
    main()
