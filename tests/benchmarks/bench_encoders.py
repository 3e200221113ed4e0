"""Sparse against dense input features: what an epoch of the graph preset costs with either.

Run from the repository root, on an idle machine:

    python tests/benchmarks/bench_encoders.py [--dataset cora] [--data-root DIR] [--rounds 10] [--threads 2]

Both kinds of input take turns within one run. Reported are medians of wall-clock and of CPU seconds (the latter
depend less on what else the machine does) of

* the input layer alone, ``x W`` forward and backward;
* the encoder, one view forward and backward;
* an epoch: `PairwiseObjective` with the graph preset (two views), forward, backward and Adam's step,

and, for each kind, the share of the epoch that is not input layer: it bounds the ratio that is within reach.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from shared import Seconds, benchmark_parser, timed
from torch import Tensor

from genurl_graph import datasets
from genurl_graph.config import load_preset
from genurl_graph.inputs.input import as_input
from genurl_graph.inputs.normalize import normalize_features
from genurl_graph.nn.features import Features
from genurl_graph.objectives.full_batch import PairwiseObjective
from genurl_graph.tasks import graph
from genurl_graph.tasks.metric import resolve_metric

SEED = 0
STAGES = ("input layer", "encoder", "epoch")


def stages(objective: PairwiseObjective, features: Features) -> dict[str, Callable[[], None]]:
    """The three pieces of work, with `features` as those of the objective."""
    encoder = objective.encoder
    optimizer = torch.optim.Adam(encoder.parameters(), lr=0.0)  # the same network in every round

    def input_layer() -> None:
        layer = encoder.get_submodule("input")
        out: Tensor = layer(features)
        out.backward(torch.ones_like(out))

    def one_view() -> None:
        z: Tensor = encoder(features, graph_operator)
        z.backward(torch.ones_like(z))

    def epoch() -> None:
        objective.features = features
        optimizer.zero_grad()
        objective(0.0).loss.backward()
        optimizer.step()

    graph_operator = encoder.operator(objective.propagation)
    return dict(zip(STAGES, (input_layer, one_view, epoch), strict=True))


def main() -> None:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--dataset", default="cora")
    parser.add_argument("--data-root", type=Path, default=None)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(SEED)

    data = as_input(datasets.load(arguments.dataset, arguments.data_root))
    assert data.x is not None
    config = load_preset("graph")
    config = config.override({"neighbors.metric": resolve_metric(data, config), "similarity.perplexity": 15.0})
    x = normalize_features(data.x, "rows", {})
    sparse = x if x.layout == torch.sparse_csr else x.to_sparse_csr()
    objective = graph.build(data, x, config, SEED, torch.device("cpu")).objective
    share = sparse.values().numel() / (x.size(0) * x.size(1))
    print(f"{arguments.dataset}: {x.size(0)} x {x.size(1)}, {share:.2%} not zero, {arguments.threads} threads")

    work = {"sparse": stages(objective, Features(sparse)), "dense": stages(objective, Features(sparse.to_dense()))}
    times: dict[tuple[str, str], list[Seconds]] = {(stage, kind): [] for stage in STAGES for kind in work}
    for _ in range(arguments.rounds + 1):
        for (stage, kind), found in times.items():
            found.append(timed(work[kind][stage])[0])
    # The first round warms up.
    median = {key: Seconds(*np.median(found[1:], axis=0)) for key, found in times.items()}
    print(f"{'':12} {'sparse':>18} {'dense':>18}   dense / sparse")
    for stage in STAGES:
        s, d = median[stage, "sparse"], median[stage, "dense"]
        print(
            f"{stage:12} {s.wall * 1e3:7.1f} ms {s.cpu * 1e3:5.0f} cpu {d.wall * 1e3:7.1f} ms {d.cpu * 1e3:5.0f} cpu"
            f"   wall {d.wall / s.wall:.2f}  cpu {d.cpu / s.cpu:.2f}"
        )
    for kind in work:
        rest = 1 - 2 * median["input layer", kind].cpu / median["epoch", kind].cpu
        print(f"{kind}: {rest:.0%} of the epoch's CPU time is not its two input layers")


if __name__ == "__main__":
    main()
