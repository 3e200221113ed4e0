"""Compact vectors of Fashion-MNIST: accuracy of 10 nearest neighbours, retrieval mAP, seconds.

    GENURL_DATA=... python tests/benchmarks/bench_compact.py [--held-out] [--train 60000] [--seeds 3] [--only "GKL mlp"]

Encoders learn from the training images without labels; the test images are placed by `transform` and judged against
the training images. With --held-out the last 5,000 training images take the place of the test images.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from shared import benchmark_parser, fashion, timed
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

from genurl_graph import GenURL
from genurl_graph.evaluation.retrieval import retrieval_scores

HELD_OUT = 5_000
ARMS = {
    "GKL linear": {"encoder": "linear"},
    "GKL mlp": {"encoder": "mlp"},
    "TLDR linear": {"config": "tldr"},
    "TLDR mlp": {"config": "tldr", "encoder": "mlp"},
}


def judge(z, y, new, truth, queries):
    """Accuracy of 10 nearest neighbours, and mAP of the first queries by Euclidean distance and by cosine."""
    accuracy = KNeighborsClassifier(10).fit(z, y).score(new, truth)
    both, labels = np.concatenate([z, new[:queries]]), np.concatenate([y, truth[:queries]]).astype(np.int64)
    rows = np.arange(len(both))
    parts = {"queries": rows[len(z) :], "database": rows[: len(z)], "recall_at": ()}
    return accuracy, *(retrieval_scores(both, labels, metric=m, **parts)["map"] for m in ("euclidean", "cosine"))


def main() -> None:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--train", type=int, default=60_000)
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--dim", type=int, default=32)
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", help="one row, such as 'TLDR linear'")
    args = parser.parse_args()
    x, y = fashion("train")
    new, truth = (x[-HELD_OUT:], y[-HELD_OUT:]) if args.held_out else fashion("t10k")
    last = min(args.train, len(x) - HELD_OUT if args.held_out else len(x))
    x, y = x[:last], y[:last]

    pca = PCA(args.dim, random_state=0)
    rows = {f"PCA-{args.dim}": [pca], f"PCA-{args.dim} of unit rows": [make_pipeline(Normalizer(), pca)]}
    for name, options in ARMS.items():
        rows[name] = [GenURL(n_components=args.dim, random_state=seed, **options) for seed in range(args.seeds)]
    print(f"{'':20s}{'seed':>5s}{'10-NN':>9s}  {'mAP eucl':>9s}  {'mAP cos':>9s}  {'fit s':>8s}  {'new s':>8s}")
    for name, models in rows.items():
        for seed, model in enumerate(models if args.only in (None, name) else ()):
            fit, z = timed(partial(model.fit_transform, x))
            placing, placed = timed(partial(model.transform, new))
            seconds = f"{fit.wall:8.1f}  {placing.wall:8.2f}"
            values = "  ".join(f"{value:9.4f}" for value in judge(z, y, placed, truth, args.queries))
            print(f"{name:20s}{seed:5d}{values}  {seconds}", flush=True)


if __name__ == "__main__":
    main()
