"""What the graph preset was chosen by: accuracies that use no test nodes, for variants of its settings.

    python tests/benchmarks/bench_choices.py --datasets cora --variant "" --variant "training.epochs=100"
    python tests/benchmarks/bench_choices.py --datasets karate,cora --without-features --seeds 2 \\
        --variant encoder.structure=identity --variant encoder.structure=laplacian,encoder.structure_dim=128

"inner" is the accuracy inside the public training and validation nodes (`genurl_graph.evaluation.statistics`), for data
sets with a public split. Its mean over the draws moves by 0.2 to 0.4 points with the seed of the training. "validation"
is the validation accuracy of the data set's protocol, which moves by a point, and "untrained" that of the encoder
before training.
"""

import statistics

from shared import benchmark_parser, markdown_row, percent, table_head

from genurl_graph import GenURL, datasets
from genurl_graph.config.toml import parse_assignments
from genurl_graph.evaluation.protocols import probe_embedding
from genurl_graph.evaluation.splits import default_protocol, splits
from genurl_graph.evaluation.statistics import inner_accuracy


def main() -> None:
    parser = benchmark_parser(__doc__, "cora", seeds=3)
    parser.add_argument("--variant", action="append", metavar="KEY=VALUE,...", help="changes to the preset; repeat")
    parser.add_argument("--without-features", action="store_true", help="take the features away first")
    arguments = parser.parse_args()
    print(table_head("data", "variant", "inner", "validation", "untrained", "s"))
    for name in arguments.datasets.split(","):
        data = datasets.load(name, arguments.data_root)
        if arguments.without_features:
            data.num_nodes, data.x = data.num_nodes, None
        public = default_protocol(data) == "public"
        for variant in arguments.variant or [""]:
            changes = parse_assignments(part for part in variant.split(",") if part)
            models = [GenURL(random_state=seed, config=changes).fit(data) for seed in range(arguments.seeds)]
            trained, untrained = [m.embedding_ for m in models], [m.untrained_embedding() for m in models]
            inner = [inner_accuracy(z, data.y, next(splits("public", data))) for z in trained if public]
            scores = [
                percent([probe_embedding(z, data, seed=seed)["val"] for seed, z in enumerate(parts)], 2)
                for parts in (trained, untrained)
            ]
            seconds = statistics.fmean(model.seconds_["train"] for model in models)
            cells = (percent(inner, 2) if public else "-", *scores, f"{seconds:.1f}")
            print(markdown_row(name, variant or "preset", *cells), flush=True)


if __name__ == "__main__":
    main()
