"""``genurl-graph compare``: methods side by side on one data set, over seeds."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genurl_graph.cli import options
from genurl_graph.cli.report import Report, describe, mean_std, mean_std_percent
from genurl_graph.cli.scores import load_labelled, probe_test, reference_embeddings
from genurl_graph.exceptions import InputError

if TYPE_CHECKING:
    from torch import Tensor
    from torch_geometric.data import Data

METHODS = ("genurl", "untrained", "propagated", "raw")
# One embedding and the seconds it took.
Timed = tuple["Tensor", float]


@click.command()
@click.option("--dataset", required=True, metavar="NAME", help="See genurl-graph datasets.")
@click.option(
    "--methods",
    default=",".join(METHODS),
    show_default=True,
    help="Separated by commas, in the table's order.",
)
@click.option("--seeds", type=click.IntRange(min=1), default=10, show_default=True, help="Run seeds 0..N-1.")
@click.option(
    "--protocol",
    type=click.Choice(["public", "random-10", "random-10-10-80"]),
    help="Splits of the linear probe. [default: public where the data set has it, else random-10-10-80]",
)
@options.data_root
@options.model
@options.metrics
@options.quiet
def compare(
    dataset: str,
    methods: str,
    seeds: int,
    protocol: str | None,
    data_root: Path | None,
    metrics: Path | None,
    quiet: bool,
    **model: Any,
) -> None:
    """Compare methods on one data set by the linear probe: mean ± unbiased standard deviation over seeds."""
    from genurl_graph.evaluation.protocols import default_protocol
    from genurl_graph.io import check_output, write_json

    chosen = parse_methods(methods)
    if metrics:
        check_output(metrics, (".json",))
    name, data = load_labelled(dataset, data_root)
    protocol = protocol or default_protocol(data)
    report = Report(quiet)
    report.line(describe(name, data))
    results: dict[str, dict[str, list[float]]] = {m: {"probe_test": [], "seconds": []} for m in chosen}
    fixed = fixed_embeddings(data, chosen)
    for seed in progress(range(seeds), quiet):
        for method, (z, seconds) in {**fixed, **trained_embeddings(data, chosen, seed, model)}.items():
            earlier = results[method]["probe_test"]
            # The same rows on the public split give the same probe: it is not computed twice.
            repeated = earlier and method in fixed and protocol == "public"
            earlier.append(earlier[0] if repeated else probe_test(z, data, protocol, seed))
            results[method]["seconds"].append(seconds)
    rows = {method: summary(**values) for method, values in results.items()}
    report.line(f"\nlinear probe, test accuracy in per cent (protocol {protocol}, {seeds} seeds)")
    report.table(
        ((m, mean_std_percent(row["probe_test"]), f"{row['seconds_mean']:.1f}") for m, row in rows.items()),
        header=("method", "mean ± std", "seconds"),
    )
    if metrics:
        seeds_run = list(range(seeds))
        write_json(metrics, {"dataset": name, "protocol": protocol, "seeds": seeds_run, "methods": rows})
        report.line(f"\nmetrics   {metrics}")


def parse_methods(text: str) -> list[str]:
    chosen = list(dict.fromkeys(word.strip().lower() for word in text.split(",") if word.strip()))
    unknown = [word for word in chosen if word not in METHODS]
    if unknown or not chosen:
        found = f"unknown method {unknown[0]!r}" if unknown else "no method"
        raise InputError(f"--methods: {found}, expected some of {','.join(METHODS)}")
    return chosen


def fixed_embeddings(data: "Data", chosen: list[str]) -> dict[str, Timed]:
    """The rows without training, which no seed changes."""
    wanted = [method for method in chosen if method in ("raw", "propagated")]
    if not wanted:
        return {}
    start = time.perf_counter()
    rows = reference_embeddings(data)
    seconds = time.perf_counter() - start
    missing = [method for method in wanted if method not in rows]
    if missing:
        needed = "node features" if "raw" in missing else "edges"
        raise InputError(f"--methods: {missing[0]} needs {needed}, which the data set does not have")
    return {method: (rows[method], seconds if method == "propagated" else 0.0) for method in wanted}


def trained_embeddings(data: "Data", chosen: list[str], seed: int, model: dict[str, Any]) -> dict[str, Timed]:
    """GenURL's embedding, and that of its encoder before training, from one estimator."""
    if not {"genurl", "untrained"} & set(chosen):
        return {}
    # For the untrained encoder alone one epoch suffices: its weights are those from before it.
    more = model if "genurl" in chosen else {**model, "epochs": 1}
    estimator = options.make_estimator(**more, seed=seed)
    found: dict[str, Timed] = {}
    estimator.fit(data)
    if "genurl" in chosen:
        found["genurl"] = (estimator.embedding_, estimator.seconds_["graph"] + estimator.seconds_["train"])
    if "untrained" in chosen:
        start = time.perf_counter()
        z = estimator.untrained_embedding()
        found["untrained"] = (z, time.perf_counter() - start)
    return found


def summary(probe_test: list[float], seconds: list[float]) -> dict[str, Any]:
    mean, std = mean_std(probe_test)
    return {"probe_test": probe_test, "mean": mean, "std": std, "seconds_mean": mean_std(seconds)[0]}


def progress(seeds: range, quiet: bool) -> Iterator[int]:
    from tqdm import tqdm

    # disable=None: a bar on a terminal only.
    wrapped: Callable[..., Iterator[int]] = tqdm
    return wrapped(seeds, desc="seeds", leave=False, disable=True if quiet else None)
