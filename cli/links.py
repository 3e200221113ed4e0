"""Protocol "links" of ``genurl-graph evaluate``: train on the training edges, rank the held-out ones."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from genurl_graph.cli import options
from genurl_graph.cli.report import Report, describe, mean_std, percent
from genurl_graph.cli.scores import reference_embeddings
from genurl_graph.cli.stored import environment, machine

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from genurl_graph.estimator import GenURL
    from genurl_graph.evaluation.links import LinkSplit

METHODS = {
    "genurl": "GenURL",
    "untrained": "same encoder, untrained",
    "propagated": "propagated features",
    "raw": "raw features",
}
SCORERS = {"cosine": "cosine", "inner": "inner product", "decoder": "trained decoder"}
FIGURES = {"auc": "AUC", "ap": "AP", "hits50": "Hits@50"}
PARTS = {"test": "test", "val": "val."}


def evaluate_links(
    dataset: str, seeds: int, data_root: Path | None, metrics: Path | None, quiet: bool, **model: Any
) -> None:
    """Split, train and score once for every seed; print the table and write the file of metrics."""
    from genurl_graph import datasets
    from genurl_graph.evaluation.links import official_split
    from genurl_graph.runtime.files import check_output, write_json

    if metrics:
        check_output(metrics, (".json",))
    name = datasets.info(dataset).name
    data = datasets.load(dataset, data_root)
    report = Report(quiet)
    report.line(describe(name, data))
    if official_split(data):
        report.line("its official split: the same edges are held out for every seed")
    rows, more = train_and_score(data, list(range(seeds)), model)
    show(report, rows, more["edges"], seeds)
    if metrics:
        content: dict[str, Any] = {"dataset": name, "protocol": "links", "n_nodes": data.num_nodes}
        content |= {"seeds": list(range(seeds)), "methods": rows, **more}
        content |= {"environment": environment(data, model["device"]), **machine(model["device"])}
        write_json(metrics, content)
        report.line(f"metrics   {metrics}")


def train_and_score(data: "Data", seeds: list[int], model: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Figures of all rows (`summarise`); and the numbers of edges, mean seconds, and the configuration."""
    from genurl_graph.evaluation.links import link_split, official_split

    official = official_split(data)
    runs, seconds = [], []
    for seed in seeds:
        split = official or link_split(data, seed)
        estimator = options.make_estimator(**model, seed=seed).fit(split.graph)
        runs.append(score(split, estimator, seed))
        seconds.append(estimator.seconds_)
    sizes = {"train": split.train.size(1), "val": int(split.val.label.sum()), "test": int(split.test.label.sum())}
    means = {stage: mean_std([s[stage] for s in seconds])[0] for stage in seconds[0]}
    return summarise(runs), {"edges": sizes, "seconds": means, "config": estimator.config_.to_dict()}


def score(split: "LinkSplit", estimator: "GenURL", seed: int) -> dict[str, dict[str, Any]]:
    """Figures of the embedding and of the rows beside it, all made from the training edges alone."""
    from genurl_graph.evaluation.links import link_scores

    embeddings = {"genurl": estimator.embedding_, "untrained": estimator.untrained_embedding()}
    embeddings |= reference_embeddings(split.graph)
    return {method: link_scores(embeddings[method], split, seed=seed) for method in METHODS if method in embeddings}


def summarise(runs: list[dict[str, dict[str, Any]]]) -> dict[str, Any]:
    """method > scorer > part > figure > values of the seeds, mean and unbiased deviation; None without a figure."""

    def figure(*path: str) -> dict[str, Any] | None:
        values: list[Any] = []
        for found in runs:
            value: Any = found
            for key in path:
                value = value[key]
            values.append(value)
        if None in values:
            return None
        mean, std = mean_std(values)
        return {"values": values, "mean": mean, "std": std}

    return {
        method: {
            scorer: {part: {key: figure(method, scorer, part, key) for key in FIGURES} for part in PARTS}
            for scorer in SCORERS
        }
        for method in runs[0]
    }


def show(report: Report, rows: dict[str, Any], sizes: dict[str, int], seeds: int) -> None:
    counts = f"{sizes['train']:,} / {sizes['val']:,} / {sizes['test']:,}"
    report.line(
        f"\nlink prediction, per cent (protocol links, {counts} undirected edges for training / validation / test, "
        f"{seeds} seed{'' if seeds == 1 else 's'})"
    )
    header = ["", *(f"{part} {title}" for part in PARTS.values() for title in FIGURES.values())]
    for scorer, title in SCORERS.items():
        report.line(f"\n{title}")
        report.table(
            (
                [METHODS[method], *(cell(row[scorer][part][key]) for part in PARTS for key in FIGURES)]
                for method, row in rows.items()
            ),
            header=header,
        )


def cell(figure: dict[str, Any] | None) -> str:
    if figure is None or figure["std"] is None:
        return percent(figure["mean"] if figure else None)
    return f"{percent(figure['mean'])} ± {percent(figure['std'])}"
