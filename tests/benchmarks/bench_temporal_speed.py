"""Processor seconds of one epoch's work of TGN and of GenURL on the same events in one run, and what both find.

Both see the events before validation, on one thread. An epoch is the training alone. Beside it stand the whole fits: of
TGN with the choice of its epoch; of GenURL with everything before the epochs, with later windows, and with the score
that is fitted on the validation windows. The mean reciprocal rank is that of the windows of the test, protocol
temporal-links.

    python tests/benchmarks/bench_temporal_speed.py --datasets collegemsg --seeds 1
"""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import Any

from shared import Step, benchmark_parser, markdown_row, mean_std, one_thread_a_process, table_head, timed, watch


def main() -> int:
    """Run what the arguments ask for."""
    parser = benchmark_parser(__doc__, "collegemsg", 1, output=True)
    parser.add_argument("--windows", default="60", help="as of compare (default: %(default)s)")
    parser.add_argument("--tgn-epochs", type=int, default=10, help="at most (default: %(default)s)")
    options = parser.parse_args()
    one_thread_a_process()  # before anything that reads the variables is imported
    from genurl_graph import datasets
    from genurl_graph.experiments.temporal.table import split_of
    from genurl_graph.inference import fit
    from genurl_graph.runtime.files import write_json

    steps: dict[str, Step] = {}
    watch(fit, "train", steps)
    results: dict[str, list[dict[str, dict[str, float]]]] = {}
    for name in options.datasets.split(","):
        data = datasets.load(name, options.data_root)
        few = data.between(0, 400)
        run(few, split_of(few, "8"), 0, "8", 1, steps)  # imports and first calls
        split = split_of(data, options.windows)
        seeds = range(options.seeds)
        results[name] = [run(data, split, seed, options.windows, options.tgn_epochs, steps) for seed in seeds]
        show(name, results[name], options)
        if options.output:
            write_json(options.output, results)
    return 0


def run(
    data: Any, split: Any, seed: int, windows: str, tgn_epochs: int, steps: dict[str, Step]
) -> dict[str, dict[str, float]]:
    """Seconds and figures of both for one seed."""
    import torch

    from genurl_graph.baselines.temporal import get_temporal_baseline
    from genurl_graph.evaluation.temporal_links.fitted_score import FittedScore
    from genurl_graph.evaluation.temporal_links.protocol import judge
    from genurl_graph.experiments.models import make_estimator
    from genurl_graph.experiments.temporal.methods import genurl_positions

    torch.set_num_threads(1)
    model = dict.fromkeys(("encoder", "dim", "config", "epochs")) | {"task": "temporal", "device": "cpu"}
    model |= {"windows": windows, "assignments": ()}
    embedded, positions = timed(lambda: genurl_positions(model, data, split, seed))
    score, own = timed(lambda: FittedScore.fit(split, positions, seed))
    epochs = make_estimator(**model, seed=seed).resolve(data).training.epochs
    spent = {"epoch": steps["train"].cpu / epochs, "embedding": embedded.cpu, "fit": embedded.cpu + score.cpu}
    fit, tgn = timed(lambda: get_temporal_baseline("tgn", {"epochs": tgn_epochs})(split, seed, "cpu"))
    passes = len(tgn.cpu_seconds)
    found = {
        "GenURL": spent | {"epochs": epochs},
        "TGN": {"epoch": sum(tgn.cpu_seconds) / passes, "embedding": fit.cpu, "fit": fit.cpu, "epochs": passes},
    }
    scorers = {"TGN": lambda window: tgn.scorer(split, window), "GenURL": own.scorer}
    figures = judge(split, lambda _, window: {name: scorer(window) for name, scorer in scorers.items()}, seed=seed)
    for name, row in found.items():
        row |= {"mrr": figures[name].mrr or 0.0, "auc": figures[name].auc["random"]}
    return found


def show(name: str, runs: list[dict[str, dict[str, float]]], options: Namespace) -> None:
    """Print the table of one set of events."""
    columns = {
        "CPU s an epoch": ("epoch", 2),
        "epochs": ("epochs", 0),
        "CPU s to the embedding": ("embedding", 1),
        "CPU s of the whole fit": ("fit", 1),
        "MRR": ("mrr", 3),
        "AUC random": ("auc", 3),
    }
    print(f"\n{name}, windows: {options.windows}, seeds: {len(runs)}, one thread\n")
    print(table_head("", *columns))
    for method in runs[0]:
        cells = [mean_std([row[method][key] for row in runs], digits) for key, digits in columns.values()]
        print(markdown_row(method, *cells))
    ratio = [row["TGN"]["epoch"] / row["GenURL"]["epoch"] for row in runs]
    print(f"\nan epoch of TGN takes {mean_std(ratio)} times the CPU seconds of one of GenURL", flush=True)


if __name__ == "__main__":
    sys.exit(main())
