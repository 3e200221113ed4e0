"""What the graph preset was chosen by: accuracy inside the public training and validation nodes, test nodes unseen.

    python tests/benchmarks/bench_choices.py --dataset cora --variant "" --variant "training.epochs=100"

How nodes are drawn and judged: `genurl_graph.evaluation.statistics`. The mean over the draws moves by 0.2 to 0.4 points
with the seed of the training. Beside it stands the validation accuracy of the public split's own probe, which moves by
a point.
"""

import statistics
from pathlib import Path

from shared import benchmark_parser, percent, table_head

from genurl_graph import GenURL, datasets
from genurl_graph.config.toml import parse_assignments
from genurl_graph.evaluation.probe import linear_probe
from genurl_graph.evaluation.splits import splits
from genurl_graph.evaluation.statistics import inner_accuracy


def main() -> None:
    parser = benchmark_parser(__doc__, seeds=3)
    parser.add_argument("--dataset", default="cora")
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--variant", action="append", metavar="KEY=VALUE,...", help="changes to the preset; repeat")
    arguments = parser.parse_args()
    data = datasets.load(arguments.dataset, arguments.data_root)
    split = next(splits("public", data))
    print(table_head("variant", "accuracy", "validation", "s"))
    for variant in arguments.variant or [""]:
        changes = parse_assignments(part for part in variant.split(",") if part)
        models = [GenURL(random_state=seed, config=changes).fit(data) for seed in range(arguments.seeds)]
        inside = [inner_accuracy(model.embedding_, data.y, split) for model in models]
        validation = [linear_probe(model.embedding_, data.y, split, "public")["val"] or 0.0 for model in models]
        seconds = statistics.fmean(model.seconds_["train"] for model in models)
        print(
            f"| {variant or 'preset'} | {percent(inside, 2)} | {percent(validation, 2)} | {seconds:.1f} |", flush=True
        )


if __name__ == "__main__":
    main()
