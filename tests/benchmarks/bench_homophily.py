"""How many kNN edges join nodes of one class, with and without averaging over the predefined edges.

    python tests/benchmarks/bench_homophily.py --data-root ../shared/data

Labels are used here to judge the edges, never to choose them.
"""

import torch
from shared import benchmark_parser, table_head

from genurl_graph import datasets, knn
from genurl_graph.config import load_preset
from genurl_graph.graph.knn_edges import feature_space
from genurl_graph.inputs.input import as_input


def main() -> None:
    arguments = benchmark_parser(__doc__, "cora,citeseer,photo").parse_args()
    print(table_head("data", "predefined edges", "k", "raw features", "2 hops", "128 components, 2 hops"))
    for name in arguments.datasets.split(","):
        data = datasets.load(name, arguments.data_root)
        given = as_input(data)
        row, col = data.edge_index
        shares = {}
        for label, pca, hops in (("raw", 0, 0), ("hops", 0, 2), ("both", 128, 2)):
            preset = load_preset("graph").override(
                {"neighbors.pca": pca, "neighbors.hops": hops, "neighbors.metric": "cosine"}
            )
            found = knn(feature_space(given, preset, seed=0).vectors, 15, metric="cosine").indices
            shares[label] = (data.y[found] == data.y[:, None]).double()
        edges = float((data.y[row] == data.y[col]).double().mean())
        for k in (1, 5, 15):
            columns = " | ".join(f"{float(share[:, :k].mean()):.3f}" for share in shares.values())
            print(f"| {name} | {edges:.3f} | {k} | {columns} |", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(2)
    main()
