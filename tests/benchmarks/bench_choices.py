"""What the graph preset was chosen by: accuracy inside the public training and validation nodes, test nodes unseen.

    python tests/benchmarks/bench_choices.py --dataset cora --variant "" --variant "training.epochs=100"

A single validation accuracy moves by a point with the seed. Here 20 nodes a class are drawn ten times from the labelled
nodes of the public split (140 + 500 on Cora), a logistic regression of one strength is fitted on them and judged on the
rest: the mean over the draws moves by 0.2 to 0.4 points with the seed.
"""

import argparse
import statistics
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from genurl_graph import GenURL, datasets
from genurl_graph.config import parse_assignments

DRAWS, PER_CLASS, STRENGTH = 10, 20, 0.02


def inner_accuracy(z: Any, data: Any) -> float:
    """Mean accuracy over the draws, in per cent."""
    y = data.y.numpy()
    pool = np.flatnonzero((data.train_mask | data.val_mask).numpy())
    features = StandardScaler().fit_transform(z.numpy())
    found = []
    for draw in range(DRAWS):
        generator = np.random.default_rng(draw)
        members = [generator.permutation(pool[y[pool] == label]) for label in np.unique(y)]
        train = np.concatenate([nodes[: min(PER_CLASS, len(nodes) // 2)] for nodes in members])
        rest = np.setdiff1d(pool, train)
        model = LogisticRegression(C=STRENGTH, max_iter=300).fit(features[train], y[train])
        found.append(100 * model.score(features[rest], y[rest]))
    return statistics.fmean(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="cora")
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--variant", action="append", metavar="KEY=VALUE,...", help="changes to the preset; repeat")
    arguments = parser.parse_args()
    data = datasets.load(arguments.dataset, arguments.data_root)
    print("| variant | accuracy | s |\n|---|---|---|")
    for variant in arguments.variant or [""]:
        changes = parse_assignments(part for part in variant.split(",") if part)
        models = [GenURL(random_state=seed, config=changes).fit(data) for seed in range(arguments.seeds)]
        scores = [inner_accuracy(model.embedding_, data) for model in models]
        spread = f" ± {statistics.stdev(scores):.2f}" if len(scores) > 1 else ""
        seconds = statistics.fmean(model.seconds_["train"] for model in models)
        print(f"| {variant or 'preset'} | {statistics.fmean(scores):.2f}{spread} | {seconds:.1f} |", flush=True)


if __name__ == "__main__":
    main()
