"""Planted communities that some nodes leave: groups in each window, changes, who is who; beside rows without training.

    python tests/benchmarks/bench_temporal_nodes.py                       # five draws of the set, and of the model
    python tests/benchmarks/bench_temporal_nodes.py --seeds 1 --set temporal.half_life=1 --inside 0.7

Seed s draws the events (`datasets/planted_switching.py`; the data set planted-switching is seed 0) and the model alike.
The windows are the days. Columns: NMI of k-means in each window and over all rows; share of the changes that are found
within a window, of those found that are right, and by how many windows they are late; F1 of changes at the penalty, of
`PENALTIES`, that is best by the labels; NMI and accuracy of a linear probe on the time-invariant part. Mean and
deviation over the seeds, in per cent.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from shared import benchmark_parser, markdown_row, mean_std, one_thread_a_process, percent, table_head, timed

COLUMNS = (
    "rows",
    "NMI, window",
    "NMI, joint",
    "changes found",
    "right",
    "late",
    "F1, best penalty",
    "NMI, invariant",
    "probe",
    "processor (s)",
)
# Of `genurl_graph.evaluation.temporal_nodes.find_changes`, whose default is 8.
PENALTIES = (4.0, 6.0, 8.0, 12.0, 16.0, 24.0)


def main() -> None:
    parser = benchmark_parser(__doc__, seeds=5)
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--communities", type=int, default=5)
    parser.add_argument("--inside", type=float, default=0.8)
    parser.add_argument("--switching", type=float, default=0.2)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    asked = parser.parse_args()
    one_thread_a_process()
    from genurl_graph import GenURL
    from genurl_graph.datasets.planted_switching import SPAN, planted_switching
    from genurl_graph.evaluation.temporal_nodes import (
        find_changes,
        judge_changes,
        judge_nodes,
        references,
        true_changes,
    )
    from genurl_graph.inputs.temporal import Windows

    settings: dict[str, Any] = dict(word.split("=", 1) for word in asked.set)
    options = {"communities": asked.communities, "inside": asked.inside, "switching": asked.switching}
    found, seconds = defaultdict(list), []
    for seed in range(asked.seeds):
        events = planted_switching(num_events=asked.events, seed=seed, **options)
        model = GenURL(task="temporal", windows="1d", random_state=seed, config=settings)
        clock, _ = timed(lambda model=model, events=events: model.fit(events))
        seconds.append(clock.cpu)
        untrained = references(events.edges, Windows.of_equal_times(events.edges, SPAN), asked.communities)
        rows = {"GenURL": model.trajectory_, **untrained}
        truth = true_changes(events.states, model.trajectory_.starts)
        for name, figures in judge_nodes(events, rows, seed=seed, beside=False).items():
            changes = [find_changes(rows[name], penalty=penalty) for penalty in PENALTIES]
            best = max(judge_changes(each, truth, rows[name].num_windows)["f1"] for each in changes)
            found[name].append({**figures.changes, **figures.clusters, **figures.identity, "best": best})
    print(table_head(*COLUMNS))
    for name, rows in found.items():
        cells = [percent([row[key] for row in rows]) for key in ("window", "joint", "recall", "precision")]
        late = mean_std([row["delay"] for row in rows], 2)
        who = [percent([row[key] for row in rows]) for key in ("best", "nmi", "probe")]
        print(markdown_row(name, *cells, late, *who, mean_std(seconds) if name == "GenURL" else "-"))


if __name__ == "__main__":
    main()
