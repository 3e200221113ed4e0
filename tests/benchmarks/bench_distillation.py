"""A small honest distillation: a CNN on Fashion-MNIST into an MLP 784-64-32 without labels, by every objective.

    GENURL_DATA=... python tests/benchmarks/bench_distillation.py --seeds 10 --folder results [--teachers labels,simclr]

Teachers (`teachers.py`): one CNN with 17 times the student's parameters, (a) trained with the labels of 20,000 images,
(b) by SimCLR on 10,000. Students see the first 10,000 training images, all arms in the same number of batches of the
same size. Settings were chosen on training images 50,000 to 55,000, seed 100; CONTRIBUTING.md lists what was tried.
Frozen features of the student, logistic regression on 1, 10 and 100 % of the labels of the 10,000 images (a seed draws
them, the same for all arms), strength by those 5,000 images, accuracy on the 10,000 test images.

The folder keeps teachers' features and every finished run; the same command goes on where it stopped.
"""

from __future__ import annotations

import json
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import torch
from shared import benchmark_parser, commit, difference, fashion, linear_accuracy, mean_std, read_runs, timed
from sklearn.decomposition import PCA
from teachers import Labelled, teacher_features
from torch import nn

from genurl_graph.config.parameters import EncoderConfig, TrainingConfig
from genurl_graph.estimator import distill
from genurl_graph.nn.features import Features
from genurl_graph.nn.mlp import MLP
from genurl_graph.runtime.devices import seeded
from genurl_graph.runtime.files import write_json
from genurl_graph.training.loop import train

SHARES = {"1 %": 10, "10 %": 100, "100 %": None}  # labels of each class
EPOCHS, BATCH = 10, 512
FIXED = {"encoder.normalize": "none", "sampling.batch_size": BATCH, "training.lr": 1e-2}

# Objective and settings that differ from FIXED and the preset.
ARMS: dict[str, tuple[str, dict[str, object]]] = {
    "L2": ("feature-l2", {}),
    "cosine": ("feature-cosine", {}),
    "RKD": ("rkd", {"training.lr": 3e-3}),
    "SEED": ("seed", {"loss.temperature": 0.2, "loss.queue": 2048}),
    "GKL": ("gkl", {}),
    "BCE": ("bce", {"loss.gamma": 0.1}),
}
REFERENCES = ("untrained", "PCA-32", "CE, all labels", "teacher")


class OfRows(nn.Module):
    """An encoder of ours that takes plain rows."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.encoder(Features(x))


def features_of(arm: str, taught: dict, images: dict, labels: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Frozen features of training, validation and test images."""
    if arm == "teacher":
        return taught
    if arm == "PCA-32":
        pca = PCA(32, random_state=seed).fit(images["train"])
        return {name: pca.transform(x) for name, x in images.items()}
    if arm in REFERENCES:
        with seeded(seed):
            encoder = MLP(EncoderConfig(name="mlp", dim=32, hidden=64, layers=2, norm="hidden"), 784)
            if arm != "untrained":
                x, y = torch.from_numpy(images["train"]), torch.from_numpy(labels)
                config = TrainingConfig(epochs=EPOCHS, lr=FIXED["training.lr"], schedule="cosine")
                train(Labelled(OfRows(encoder), 32, x, y, BATCH), config)
        with torch.no_grad():
            return {name: encoder.eval()(Features(torch.from_numpy(x))).numpy() for name, x in images.items()}
    objective, settings = ARMS[arm]
    model = distill(
        taught["train"],
        "mlp",
        images["train"],
        objective=objective,
        n_components=32,
        epochs=EPOCHS,
        random_state=seed,
        config=FIXED | settings,
    )
    return {name: model.transform(x) for name, x in images.items()}


def probe(z: dict[str, np.ndarray], y: dict[str, np.ndarray], seed: int) -> dict[str, float]:
    mean, scale = z["train"].mean(0), z["train"].std(0) + 1e-9
    z = {name: (part - mean) / scale for name, part in z.items()}
    draws, found = np.random.default_rng(seed), {}
    order = [draws.permutation(np.flatnonzero(y["train"] == c)) for c in range(10)]
    for share, count in SHARES.items():
        rows = np.concatenate([rows[:count] for rows in order])
        others = ((z[part], y[part]) for part in ("val", "test"))
        found[share] = linear_accuracy((z["train"][rows], y["train"][rows]), *others, max_iter=100)
    return found


def report(kind: str, runs: dict[str, dict[str, dict]], seeds: int) -> None:
    print(f"\nteacher: {kind}; accuracy of the probe in per cent, mean ± std of {seeds} seeds; GKL minus arm [95 %]")
    for arm, done in runs.items():
        cells = []
        for share in SHARES:
            own = [100 * done[str(s)][share] for s in range(seeds) if str(s) in done]
            cell = mean_std(own)
            if arm != "GKL" and len(own) == seeds and len(runs["GKL"]) >= seeds:
                cell += "  " + difference([100 * runs["GKL"][str(s)][share] for s in range(seeds)], own)
            cells.append(f"{cell:34s}")
        seconds = np.mean([row["seconds"] for row in done.values()])
        print(f"{arm:16s}{''.join(cells)}{seconds:6.1f} CPU s")
    matching = ("L2", "cosine", "RKD", "SEED")
    for share in SHARES:
        best = max(matching, key=lambda arm: np.mean([row[share] for row in runs[arm].values()]))
        pairs = ([100 * row[share] for row in runs[arm].values()] for arm in ("GKL", best))
        print(f"{share} labels: best of {', '.join(matching)} is {best}; GKL minus it {difference(*pairs)}")


def main() -> None:
    parser = benchmark_parser(__doc__, seeds=1)
    parser.add_argument("--folder", type=Path, default=Path("distillation"))
    parser.add_argument("--teachers", default="labels,simclr")
    args = parser.parse_args()
    warnings.filterwarnings("ignore", message=".*lbfgs failed to converge.*")
    args.folder.mkdir(parents=True, exist_ok=True)
    (x, y), (new, truth) = fashion("train"), fashion("t10k")
    images = {"train": x[:10_000], "val": x[50_000:55_000], "test": new}
    labels = {"train": y[:10_000].astype(np.int64), "val": y[50_000:55_000], "test": truth}
    path = args.folder / "runs.json"
    stored = read_runs(path)
    square = lambda rows: torch.from_numpy(rows).view(-1, 1, 28, 28)  # noqa: E731
    many = square(x[:20_000]), torch.from_numpy(y[:20_000].astype(np.int64))
    kinds = args.teachers.split(",")
    taught = {k: teacher_features(k, args.folder, *many, {n: square(p) for n, p in images.items()}) for k in kinds}
    for seed in range(args.seeds):
        for kind in kinds:
            for arm in (*REFERENCES, *ARMS):
                # Arms without a teacher are the same beside both.
                home = kind if arm in ARMS or arm == "teacher" else "none"
                settings = [EPOCHS, FIXED, ARMS.get(arm)]
                done = stored.setdefault(home, {}).setdefault(arm, {})
                if str(seed) in done and done[str(seed)]["settings"] == json.loads(json.dumps(settings)):
                    continue
                learn = partial(features_of, arm, taught[kind], images, labels["train"], seed)
                (_, seconds), z = timed(learn)
                done[str(seed)] = probe(z, labels, seed) | {
                    "seconds": seconds,
                    "settings": settings,
                    "commit": commit(),
                }
                write_json(path, stored)
                scores = ", ".join(f"{share}: {100 * done[str(seed)][share]:.1f}" for share in SHARES)
                print(f"seed {seed}, teacher {kind}, {arm}: {scores}; {seconds:.1f} s", flush=True)
    for kind in kinds:
        rows = {
            arm: (stored[kind] if arm in ARMS or arm == "teacher" else stored["none"])[arm]
            for arm in (*REFERENCES, *ARMS)
        }
        report(
            kind,
            {arm: {s: r for s, r in done.items() if int(s) < args.seeds} for arm, done in rows.items()},
            args.seeds,
        )


if __name__ == "__main__":
    main()
