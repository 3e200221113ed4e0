"""What the graph preset was chosen by: accuracies that use no test nodes, for variants of its settings.

    python tests/benchmarks/bench_choices.py --datasets cora --variant "" --variant "training.epochs=100"
    python tests/benchmarks/bench_choices.py --datasets karate,cora --without-features --seeds 2 \\
        --variant encoder.structure=identity --variant encoder.structure=laplacian,encoder.structure_dim=128

"inner" is the accuracy inside the public training and validation nodes (`genurl_graph.evaluation.statistics`), for data
sets with a public split. Its mean over the draws moves by 0.2 to 0.4 points with the seed of the training. "validation"
is the validation accuracy of the data set's protocol, which moves by a point, and "untrained" that of the encoder
before training.

    python tests/benchmarks/bench_choices.py --measures --datasets cora,citeseer --seeds 2

lets measures that read no label (label_free.py) choose between the preset and the named settings `shallow` and `words`
instead. Each is trained on a graph without a tenth of its edges and feature columns. The first table has the measures,
and the accuracies by each data set's own protocol. The second says how often each measure chooses what the validation
nodes do, how often what is best on the test nodes, and the mean accuracy of what it chooses.
`--output` keeps the figures: the same command goes on from there.
"""

import statistics
from argparse import Namespace
from itertools import islice
from pathlib import Path
from typing import Any

from label_free import hide, measure
from shared import benchmark_parser, markdown_row, mean_std, percent, read_runs, table_head

from genurl_graph import GenURL, datasets
from genurl_graph.config.toml import parse_assignments
from genurl_graph.evaluation.probe import linear_probe
from genurl_graph.evaluation.protocols import probe_embedding
from genurl_graph.evaluation.splits import default_protocol, labels_of, splits
from genurl_graph.evaluation.statistics import inner_accuracy
from genurl_graph.exceptions import InputError
from genurl_graph.graph.merge import FEATURE
from genurl_graph.runtime.files import write_json

NAMED = ("preset", "shallow", "words")
LABELS = ("val", "test")


def main() -> None:
    parser = benchmark_parser(__doc__, "cora", seeds=3)
    parser.add_argument("--variant", action="append", metavar="KEY=VALUE,...", help="changes to the preset; repeat")
    parser.add_argument("--without-features", action="store_true", help="take the features away first")
    parser.add_argument("--measures", action="store_true", help="choose between named settings without labels")
    parser.add_argument("--output", type=Path, help="figures of --measures as JSON")
    parser.add_argument("--repeats", type=int, help="splits of --measures at most [the protocol's]")
    arguments = parser.parse_args()
    if arguments.measures:
        compare_measures(arguments)
        return
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


def compare_measures(arguments: Namespace) -> None:
    """Print what each measure says of the named settings, and how often its choice is right."""
    found: dict[str, dict[str, dict[str, list[float]]]] = read_runs(arguments.output)
    measures: list[str] = []
    for name in arguments.datasets.split(","):
        if name not in found:
            found[name] = measured(name, arguments)
            if arguments.output is not None:
                write_json(arguments.output, found)
        if not measures:
            measures = [key for key in found[name]["preset"] if key not in LABELS]
            print(table_head("data", "settings", *LABELS, *measures))
        for setting, figures in found[name].items():
            cells = (percent(figures[key], 2) for key in LABELS)
            print(markdown_row(name, setting, *cells, *(mean_std(figures[key], 3) for key in measures)), flush=True)
    print_choices(found, measures)


def measured(name: str, arguments: Namespace) -> dict[str, dict[str, list[float]]]:
    """Figures of each setting, over seeds; a setting that the data does not suit is left out."""
    data = datasets.load(name, arguments.data_root)
    hidden, near, found, protocol = hide(data), None, {}, default_protocol(data)
    repeats = {} if protocol == "public" else {"n_repeats": arguments.repeats}
    for setting in NAMED:
        config = None if setting == "preset" else setting
        try:
            models = [GenURL(random_state=s, config=config).fit(hidden.graph) for s in range(arguments.seeds)]
        except InputError:  # words of features below 0
            continue
        if near is None:
            p = models[0].graph_
            near = p.edge_index[:, (p.provenance == FEATURE) & (p.edge_index[0] < p.edge_index[1])]
        figures: dict[str, list[float]] = {}
        for seed, model in enumerate(models):
            z, other = model.embedding_, models[(seed + 1) % len(models)].embedding_
            drawn = islice(splits(protocol, data, seed=seed, **repeats), arguments.repeats)
            rows = [linear_probe(z.numpy(), labels_of(data), split, protocol) for split in drawn]
            labels = {key: statistics.fmean(row[key] for row in rows) for key in LABELS}
            for key, value in (labels | measure(z, other, hidden, near)).items():
                figures.setdefault(key, []).append(value)
        found[setting] = figures
    return found


def print_choices(found: dict[str, Any], measures: list[str]) -> None:
    """Print the second table."""
    means = {
        name: {s: {k: statistics.fmean(v) for k, v in figures.items()} for s, figures in settings.items()}
        for name, settings in found.items()
    }
    print("\n" + table_head("chosen by", "as validation nodes", "best on test nodes", "mean test accuracy", "what"))
    for key in ("preset", *LABELS, *measures):
        picks = {
            name: "preset" if key == "preset" else max(settings, key=lambda s: settings[s][key])
            for name, settings in means.items()
        }
        agree = [
            sum(picks[name] == max(settings, key=lambda s: settings[s][judge]) for name, settings in means.items())
            for judge in LABELS
        ]
        accuracy = statistics.fmean(means[name][pick]["test"] for name, pick in picks.items())
        what = ", ".join(f"{name} {pick}" for name, pick in picks.items() if pick != "preset") or "preset"
        print(markdown_row(key, *(f"{n} of {len(means)}" for n in agree), f"{100 * accuracy:.2f}", what))


if __name__ == "__main__":
    main()
