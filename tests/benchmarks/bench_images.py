"""A small CNN learns Fashion-MNIST's training images from random views, without labels; probes on the test images.

    GENURL_DATA=... python tests/benchmarks/bench_images.py --seeds 3 --folder results
    GENURL_DATA=... python tests/benchmarks/bench_images.py --data cifar --seeds 3 --folder results

Every arm trains the same encoder on the same views, in batches of the same size, for the same number of epochs: GKL
with same-image and kNN edges, InfoNCE (SimCLR) and Barlow Twins. Beside them the same encoder untrained, principal
components of as many columns, and pixels.

Logistic regression on frozen features, by the labels of the first five sixths of the training images and by 1 % of
them, its strength chosen by the last sixth; and the vote of 20 neighbours (cosine). `--data cifar`: the 2,000 colour
images of images/cifar10_test_2000, of which a seed draws 1,000 to train on, with and without labels, and 1,000 to test.
`--validate` scores that last sixth in place of the test images, trained on the rest. The folder keeps every finished
run; the same command goes on where it stopped.
"""

from __future__ import annotations

import json
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from shared import benchmark_parser, commit, data_root, difference, fashion, linear_accuracy, mean_std, read_runs, timed
from sklearn.decomposition import PCA

from genurl_graph import GenURL
from genurl_graph.datasets import read
from genurl_graph.evaluation.probe import knn_probe
from genurl_graph.evaluation.splits import Split
from genurl_graph.nn.build import make_encoder
from genurl_graph.nn.features import Features
from genurl_graph.runtime.devices import seeded
from genurl_graph.runtime.files import write_json

ARMS: dict[str, dict[str, Any]] = {
    "GKL": {},
    # With same-image edges alone GKL by row has InfoNCE's gradient (a test proves it), so that it is no arm of its own.
    # Its temperature is the best of 0.1, 0.2 and 0.5.
    "InfoNCE": {"merge.feature_weight": 0.0, "loss.name": "infonce", "loss.temperature": 0.2},
    "Barlow Twins": {"loss.name": "barlow", "loss.offdiagonal": 5e-3},
}
# Asked for by --arms: neighbours by the EMA encoder, and a memory bank of earlier images.
VARIANTS: dict[str, dict[str, Any]] = {
    "GKL queue": {"neighbors.queue": 1024},
    "GKL encoder": {"neighbors.source": "encoder"},
    "GKL encoder queue": {"neighbors.source": "encoder", "neighbors.queue": 1024},
}
REFERENCES = ("untrained", "PCA", "pixels")
PROBES = ("linear", "linear, 1 %", "knn")
EPOCHS = {"fashion": 5, "cifar": 15}


def images_of(data: str, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, str]:
    """Rows of pixels and labels, of training and of test images, and the shape of an image."""
    if data == "fashion":
        return *fashion("train"), *fashion("t10k"), "28x28x1"
    folder = read(data_root() / "images" / "cifar10_test_2000")
    x, y = folder.x.to_dense().numpy(), folder.y.numpy()
    order = np.random.default_rng(seed).permutation(len(x))
    train, test = np.split(order, 2)
    return x[train], y[train], x[test], y[test], "x".join(map(str, folder.image_shape))


def features_of(
    arm: str, x: np.ndarray, new: np.ndarray, shape: str, seed: int, epochs: int
) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Frozen features of training and test images, and facts about the encoder."""
    if arm == "pixels":
        return x, new, {}
    settings = {"encoder.image": shape} | (ARMS | VARIANTS).get(arm, {})
    model = GenURL(task="images", random_state=seed, epochs=epochs, config=settings, verbose=True)
    config = model.resolve(x)
    if arm == "PCA":
        pca = PCA(config.encoder.dim, random_state=seed).fit(x)
        return pca.transform(x), pca.transform(new), {}
    if arm == "untrained":
        with seeded(seed), torch.no_grad():
            encoder = make_encoder(config, x.shape[1]).eval()
            return *(encoder(Features(torch.from_numpy(part))).numpy() for part in (x, new)), {}
    model.fit(x)
    facts = {"parameters": sum(p.numel() for p in model.encoder_.parameters()), "loss": model.loss_history_}
    return model.embedding_.numpy(), model.transform(new), facts


def scores(z: np.ndarray, y: np.ndarray, new: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Accuracies of linear probe and nearest-neighbour vote on new images."""
    mean, scale = z.mean(0), z.std(0) + 1e-9
    z, new = (z - mean) / scale, (new - mean) / scale
    fit, found = len(z) * 5 // 6, {}
    for name, rows in (("linear", fit), ("linear, 1 %", fit // 100)):
        found[name] = linear_accuracy((z[:rows], y[:rows]), (z[fit:], y[fit:]), (new, truth), max_iter=200)
    both, labels = np.concatenate([z, new]), np.concatenate([y, truth])
    split = Split(np.arange(len(z)), np.arange(0), np.arange(len(z), len(both)))
    return found | {"knn": knn_probe(both, labels, split)}


def report(runs: dict[str, dict[str, Any]], seeds: int) -> None:
    print(f"\naccuracy on test images in per cent, mean ± std of {seeds} seeds; GKL minus arm in paired runs [95 %]")
    for arm, done in runs.items():
        cells = []
        for probe in PROBES:
            own = [100 * done[str(s)][probe] for s in range(seeds)]
            cell = mean_std(own)
            if arm != "GKL" and "GKL" in runs:
                cell += "  " + difference([100 * runs["GKL"][str(s)][probe] for s in range(seeds)], own)
            cells.append(f"{probe} {cell:30s}")
        print(f"{arm:22s}{''.join(cells)}{np.mean([row['seconds'] for row in done.values()]):7.0f} s")


def main() -> None:
    parser = benchmark_parser(__doc__, seeds=1)
    parser.add_argument("--data", choices=("fashion", "cifar"), default="fashion")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--arms", default=",".join((*ARMS, *REFERENCES)))
    parser.add_argument("--validate", action="store_true")
    parser.add_argument("--folder", type=Path, default=Path("images"))
    args = parser.parse_args()
    warnings.filterwarnings("ignore", message=".*lbfgs failed to converge.*")
    args.folder.mkdir(parents=True, exist_ok=True)
    epochs, arms = args.epochs or EPOCHS[args.data], args.arms.split(",")
    path = args.folder / f"{args.data}{'-validation' if args.validate else ''}.json"
    stored = read_runs(path)
    for seed in range(args.seeds):
        x, y, new, truth, shape = images_of(args.data, seed)
        if args.validate:
            held = len(x) // 6
            x, y, new, truth = x[:-held], y[:-held], x[-held:], y[-held:]
        for arm in arms:
            settings = [
                epochs,
                (ARMS | VARIANTS).get(arm),
                GenURL(task="images", config={"encoder.image": shape}).resolve(x).to_dict(),
            ]
            done = stored.setdefault(arm, {})
            if str(seed) in done and done[str(seed)]["settings"] == json.loads(json.dumps(settings)):
                continue
            (seconds, _), (z, z_new, facts) = timed(partial(features_of, arm, x, new, shape, seed, epochs))
            told = {"seconds": seconds, "settings": settings, "commit": commit()}
            done[str(seed)] = scores(z, y, z_new, truth) | facts | told
            write_json(path, stored)
            row = done[str(seed)]
            print(
                f"seed {seed}, {arm}: linear {100 * row['linear']:.1f}, knn {100 * row['knn']:.1f}; {seconds:.0f} s",
                flush=True,
            )
    report({arm: stored[arm] for arm in arms}, args.seeds)


if __name__ == "__main__":
    main()
