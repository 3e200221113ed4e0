"""Graphs without features, of roles and of communities: degree columns, one-hot rows, and both in one setting.

    python tests/benchmarks/bench_roles.py --data-root ../shared/data
    python tests/benchmarks/bench_roles.py --graphs karate,ring,tree,levels,hierarchy,airports --seeds 3

Linear probe by random-10-10-80, in per cent: `--repeats` splits a seed, and as many planted graphs as seeds. The
setting is ``encoder.structure = auto``; "one-hot" is ``identity``, in as many columns of the embedding.
"""

from shared import benchmark_parser, difference, markdown_row, percent, table_head

from genurl_graph import GenURL, datasets
from genurl_graph.datasets.role_graphs import planted_airports, planted_hierarchy, planted_levels, planted_roles
from genurl_graph.evaluation.protocols import probe_embedding
from genurl_graph.graph.role_features.counts import degree_profile

PLANTED = {
    "ring": lambda seed: planted_roles(seed=seed),
    "tree": lambda seed: planted_roles(base="tree", seed=seed),
    "levels": lambda seed: planted_levels(seed=seed),
    "hierarchy": lambda seed: planted_hierarchy(seed=seed),
    "airports": lambda seed: planted_airports(seed=seed),
    "few airports": lambda seed: planted_airports(150, 15.0, seed=seed),
}


def main() -> None:
    parser = benchmark_parser(__doc__, seeds=10)
    parser.add_argument("--graphs", default=f"karate,{','.join(PLANTED)},cora,citeseer,photo", metavar="NAME,...")
    parser.add_argument("--data-root", help="of the real graphs, whose features are taken away")
    parser.add_argument("--repeats", type=int, default=1, help="random splits a seed [1]")
    arguments = parser.parse_args()
    print(table_head("graph", "5 degree columns", "one-hot", "auto (role columns)", "untrained", "auto - best of both"))
    for name in arguments.graphs.split(","):
        runs: dict[str, list[float]] = {"degree": [], "one-hot": [], "auto": [], "untrained": []}
        for seed in range(arguments.seeds):
            data = PLANTED[name](seed) if name in PLANTED else datasets.load(name, arguments.data_root)
            data.num_nodes, data.x = data.num_nodes, None
            one, model = (
                GenURL(random_state=seed, config={"encoder.structure": kind}).fit(data) for kind in ("identity", "auto")
            )
            rows = {
                "degree": degree_profile(data.edge_index, data.num_nodes),
                "one-hot": one.embedding_,
                "auto": model.embedding_,
                "untrained": model.untrained_embedding(),
            }
            for method, z in rows.items():
                found = probe_embedding(z, data, "random-10-10-80", seed=seed, n_repeats=arguments.repeats)
                runs[method].append(100 * found["test"])
        encoder = model.config_.encoder
        roles = encoder.skip * (1 + encoder.layers)
        best = max((runs["degree"], runs["one-hot"]), key=sum)
        cells = [percent([value / 100 for value in values]) for values in runs.values()]
        cells[2] += f" ({roles} of {encoder.dim})"
        print(markdown_row(name, *cells, difference(runs["auto"], best)), flush=True)


if __name__ == "__main__":
    main()
