"""2-d maps of new samples: fitted on Fashion-MNIST's training images, judged by where the test images are placed.

    python tests/benchmarks/bench_new_samples.py --seeds 3

Ways: the embedding table, whose new samples are put beside their neighbours; an MLP that mixes prototypes
(``encoder="mlp"``); an MLP whose output is the map itself (``encoder.anchors=0``); umap-learn's Parametric
UMAP with its defaults (``umap``: needs umap-learn and tensorflow-cpu). Accuracy is that of the
10 nearest training images in the map; trustworthiness is that of the new images among themselves. ``--held-out`` fits
the first images and judges by the last 5,000 training images: what settings are chosen by.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from shared import benchmark_parser, markdown_row, table_head, timed
from sklearn.neighbors import KNeighborsClassifier

from genurl_graph import GenURL, datasets
from genurl_graph.config.toml import parse_assignments
from genurl_graph.evaluation.preservation import preservation

WAYS: dict[str, dict[str, Any]] = {
    "table": {},
    "mlp": {"encoder": "mlp"},
    "mlp-map": {"encoder": "mlp", "config": {"encoder.anchors": 0}},
}
OTHERS = ("umap",)
HELD_OUT = 5_000


def fitted(way: str, x: Any, seed: int) -> tuple[Any, Callable[[Any], Any]]:
    """The map of `x`, and the function that puts new samples into it."""
    if way != "umap":
        model = GenURL(random_state=seed, **WAYS[way]).fit(x)
        return model.embedding_.numpy(), model.transform
    import keras
    from umap.parametric_umap import ParametricUMAP

    # Not by its random_state, which costs it its threads.
    keras.utils.set_random_seed(seed)
    other = ParametricUMAP()
    return other.fit_transform(x), other.transform


def judged(way: str, train: Any, test: Any, seed: int) -> dict[str, float]:
    """Figures of one fit."""
    (x, y), (new, truth) = train, test
    fit, (z, transform) = timed(lambda: fitted(way, x, seed))
    placed = np.asarray(transform(new), dtype=np.float32)  # the first call warms up
    placing, _ = timed(lambda: transform(new))
    kept = preservation(torch.from_numpy(new), torch.from_numpy(placed))
    accuracy = KNeighborsClassifier(10).fit(z, y).score(placed, truth)
    return {
        "accuracy": 100 * accuracy,
        "trustworthiness": float(kept.trustworthiness.mean()),
        "fit": fit.wall,
        "fit, CPU": fit.cpu,
        "transform": placing.wall,
        "transform, CPU": placing.cpu,
    }


def main() -> None:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--train", type=int, default=60_000)
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--ways", default=",".join(WAYS), help=f"separated by commas; also {', '.join(OTHERS)}")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of the way mlp")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--data-root", type=Path)
    arguments = parser.parse_args()
    train, test = (datasets.load(f"fashion-mnist{part}", arguments.data_root) for part in ("-train", ""))
    (x, y), (new, truth) = ((np.asarray(d.x, np.float32), np.asarray(d.y)) for d in (train, test))
    if arguments.held_out:
        new, truth = x[-HELD_OUT:], y[-HELD_OUT:]
    x, y = x[: arguments.train], y[: arguments.train]
    WAYS["mlp"]["config"] = parse_assignments(arguments.set)
    print(f"{len(x):,} training images, {len(new):,} new ones, {torch.get_num_threads()} threads")
    header = True
    for name in arguments.ways.split(","):
        found = [judged(name, (x, y), (new, truth), seed) for seed in range(arguments.seeds)]
        cells = (
            f"{statistics.fmean(f[key] for f in found):.{3 if key == 'trustworthiness' else 2}f}" for key in found[0]
        )
        if header:
            print(table_head("", *found[0]))
            header = False
        print(markdown_row(name, *cells), flush=True)


if __name__ == "__main__":
    main()
