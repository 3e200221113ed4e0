"""New samples of Fashion-MNIST: fitted on the training images, judged by where `transform` places the test images.

    python tests/benchmarks/bench_new_samples.py --seeds 3
    python tests/benchmarks/bench_new_samples.py --dim 32 --ways pca,pca-unit,linear,mlp,tldr,tldr-mlp

Ways to a 2-d map: the embedding table, whose new samples are put beside their neighbours; an MLP that mixes prototypes
(``encoder="mlp"``); an MLP whose output is the map itself (``encoder.anchors=0``); umap-learn's Parametric UMAP with
its defaults (``umap``: needs umap-learn and tensorflow-cpu). Ways to more columns: linear and MLP encoders with our
objective and TLDR's, PCA, and PCA of rows of unit length. No way sees labels.

Accuracy is that of the 10 nearest training images, mAP that of the first queries against the training images;
trustworthiness is that of the new images among themselves. ``--held-out`` judges by the last 5,000 training images,
which are then not fitted: what settings are chosen by.
"""

from __future__ import annotations

import statistics
from typing import Any

import numpy as np
import torch
from shared import benchmark_parser, fashion, markdown_row, table_head, timed
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

from genurl_graph import GenURL
from genurl_graph.config.toml import parse_assignments
from genurl_graph.evaluation.preservation import preservation
from genurl_graph.evaluation.retrieval import retrieval_scores

WAYS: dict[str, dict[str, Any]] = {
    "table": {},
    "mlp": {"encoder": "mlp"},
    "mlp-map": {"encoder": "mlp", "config": {"encoder.anchors": 0}},
    "linear": {"encoder": "linear"},
    "tldr": {"config": "tldr"},
    "tldr-mlp": {"config": "tldr", "encoder": "mlp"},
}
OTHERS = ("umap", "pca", "pca-unit")
HELD_OUT = 5_000


def model_of(way: str, dim: int | None, seed: int) -> Any:
    """An estimator with ``fit_transform`` and ``transform``."""
    if way in WAYS:
        return GenURL(n_components=dim, random_state=seed, **WAYS[way])
    if way != "umap":
        pca = PCA(dim or 2, random_state=seed)
        return make_pipeline(Normalizer(), pca) if way == "pca-unit" else pca
    import keras
    from umap.parametric_umap import ParametricUMAP

    # Not by its random_state, which costs it its threads.
    keras.utils.set_random_seed(seed)
    return ParametricUMAP(n_components=dim or 2)


def judged(model: Any, train: Any, test: Any, queries: int) -> dict[str, float]:
    """Figures of one fit."""
    (x, y), (new, truth) = train, test
    fit, z = timed(lambda: model.fit_transform(x))
    z, placed = np.asarray(z), np.asarray(model.transform(new), dtype=np.float32)  # the first call warms up
    placing, _ = timed(lambda: model.transform(new))
    both, labels = np.concatenate([z, placed[:queries]]), np.concatenate([y, truth[:queries]]).astype(np.int64)
    rows = np.arange(len(both))
    parts = {"queries": rows[len(z) :], "database": rows[: len(z)], "recall_at": ()}
    return {
        "accuracy": 100 * KNeighborsClassifier(10).fit(z, y).score(placed, truth),
        "mAP Euclidean": retrieval_scores(both, labels, metric="euclidean", **parts)["map"],
        "mAP cosine": retrieval_scores(both, labels, metric="cosine", **parts)["map"],
        "trustworthiness": float(preservation(torch.from_numpy(new), placed).trustworthiness.mean()),
        "fit": fit.wall,
        "fit, CPU": fit.cpu,
        "transform": placing.wall,
        "transform, CPU": placing.cpu,
    }


def main() -> None:
    parser = benchmark_parser(__doc__, seeds=1)
    parser.add_argument("--train", type=int, default=60_000)
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--dim", type=int, help="columns of the embedding [2]")
    parser.add_argument("--queries", type=int, default=1_000, help="of the mAP")
    parser.add_argument("--ways", default="table,mlp,mlp-map", help=f"some of {', '.join((*WAYS, *OTHERS))}")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of the way mlp")
    arguments = parser.parse_args()
    (x, y), test = fashion("train"), fashion("t10k")
    if arguments.held_out:
        (x, new), (y, truth) = np.split(x, [-HELD_OUT]), np.split(y, [-HELD_OUT])
        test = new, truth
    x, y = x[: arguments.train], y[: arguments.train]
    WAYS["mlp"]["config"] = parse_assignments(arguments.set)
    print(f"{len(x):,} training images, {len(test[0]):,} new ones, {torch.get_num_threads()} threads")
    for at, name in enumerate(arguments.ways.split(",")):
        models = [model_of(name, arguments.dim, seed) for seed in range(arguments.seeds)]
        found = [judged(model, (x, y), test, arguments.queries) for model in models]
        if at == 0:
            print(table_head("", *found[0]))
        means = {key: statistics.fmean(one[key] for one in found) for key in found[0]}
        cells = (f"{mean:.{3 if key.startswith(('mAP', 'trust')) else 2}f}" for key, mean in means.items())
        print(markdown_row(name, *cells), flush=True)


if __name__ == "__main__":
    main()
