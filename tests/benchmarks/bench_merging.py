"""What adaptive merging decides and gains: each edge source alone, both at fixed weights, and the preset.

    python tests/benchmarks/bench_merging.py --datasets cornell,texas,wisconsin,actor,minesweeper --seeds 3

Linear probe on the data set's own splits (mean over splits, then mean ± std over seeds), beside the reference rows.
"features only" replaces the predefined edges by kNN edges, for P and for the encoder alike.
Minesweeper's classes are 4 to 1: accuracy is what the protocol asks for, the majority is 80 %.
"""

from __future__ import annotations

import json
from typing import Any

from shared import benchmark_parser, markdown_row, mean_std

from genurl_graph import GenURL, datasets
from genurl_graph.evaluation.protocols import probe_embedding, propagated_features, raw_features
from genurl_graph.inputs.input import as_input
from genurl_graph.runtime.files import write_json

FIXED = {"merge.weighting": "given", "merge.propagation_weight": 0.0}
VARIANTS: dict[str, dict[str, Any]] = {
    "adjacency only": FIXED | {"merge.feature_weight": 0.0, "merge.column_weight": 0.0},
    "features only": FIXED | {"merge.feature_weight": 0.0},
    "both, fixed weights": FIXED,
    "adaptive (preset)": {},
}


def feature_graph(data: Any) -> Any:
    """The same nodes joined by their 15 nearest neighbours."""
    from genurl_graph.config import load_preset
    from genurl_graph.graph.knn import knn_graph
    from genurl_graph.tasks.metric import resolve_metric

    given = as_input(data)
    near = data.clone()
    near.edge_index, _ = knn_graph(given.x, 15, metric=resolve_metric(given, load_preset("graph")))
    near.edge_weight = near.edge_attr = None
    return near


def main() -> None:
    names = "cornell,texas,wisconsin,actor,minesweeper"
    arguments = benchmark_parser(__doc__, names, seeds=3, output=True).parse_args()
    results: dict[str, Any] = {}
    for name in arguments.datasets.split(","):
        data = datasets.load(name, arguments.data_root)
        results[name] = {}

        def report(row: str, embeddings: list[Any], name: str = name, data: Any = data) -> None:
            scores = [probe_embedding(z, data, seed=seed) for seed, z in enumerate(embeddings)]
            for part in ("val", "test"):
                found = [100 * score[part] for score in scores]
                results[name].setdefault(row, {})[part] = found
            print(markdown_row(name, row, mean_std(found)), flush=True)
            if arguments.output:
                write_json(arguments.output, results)

        report("raw features", [raw_features(data)])
        report("propagated features", [propagated_features(data)])
        for row, changes in VARIANTS.items():
            given = feature_graph(data) if row == "features only" else data
            models = [GenURL(random_state=seed, config=changes).fit(given) for seed in range(arguments.seeds)]
            report(row, [model.embedding_ for model in models])
            decided = {
                key: models[0].graph_summary_.get(key)
                for key in ("edge_auc", "feature_consistency", "reliability_mean")
            }
            if row == "adaptive (preset)":
                results[name]["decided"] = decided
                print(f"| {name} | decided: {json.dumps(decided)} | |", flush=True)
                report("untrained", [model.untrained_embedding() for model in models])


if __name__ == "__main__":
    main()
