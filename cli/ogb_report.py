"""The Markdown report of ``ogb``, from its JSON."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from genurl_graph.cli.report import mean_std

PROBES = {"linear": "linear probe", "mlp": "MLP probe"}
PARTS = {"val": "validation", "test": "test"}


def sections(results: dict[str, Any], comparison: str) -> list[str]:
    """Lines of the report.

    The leaderboard's fields, the rows beside GenURL's (`comparison`, Markdown), figures of every seed, time and memory,
    the configuration.
    """
    lines = [f"# GenURL on {results['dataset']}", "", *warnings(results)]
    row = results["methods"].get("genurl")
    if row is None:
        return [*lines, "No seed is finished yet.", "", comparison]
    lines += ["## For the leaderboard", "", *table(("", *PROBES.values()), by_probe(row)), ""]
    lines += [*table(("for both", ""), shared(results, row)), "", "## Beside it", "", comparison]
    lines += ["## Every seed", "", *table(seed_header(), seed_rows(results["seeds"], row)), ""]
    lines += ["## Time and memory", "", *table(("stage", "seconds, mean over seeds"), stages(row["seconds"])), ""]
    peaks = [f"Peak memory of the process: {row['peak_memory_mb']:,.0f} MB"]
    if row["peak_gpu_memory_mb"] is not None:
        peaks.append(f"of the GPU: {row['peak_gpu_memory_mb']:,.0f} MB")
    lines += [f"{'; '.join(peaks)}.", "", "## Configuration", "", "```json"]
    own = {"genurl": results["configuration"]["genurl"], "probe": results["environment"]["probe"]}
    return [*lines, json.dumps(own, indent=1), "```", ""]


def warnings(results: dict[str, Any]) -> list[str]:
    """What a reader must know before any figure."""
    found = []
    if not results["data"]["official_size"]:
        found += ["**Not the official data set: a folder of the same layout. Nothing here is a result on OGB.**", ""]
    if not results["complete"]:
        found += ["**Not complete.**", ""]
    return found


def by_probe(row: dict[str, Any]) -> list[tuple[str, ...]]:
    """Fields that the two probes have apart: the method's name, accuracies, parameters of all stages."""
    size, total = row["parameters"], row["parameters_total"]
    return [
        ("method", *(f"GenURL (reconstruction), unsupervised, frozen; {title}" for title in PROBES.values())),
        *(
            (f"{title} accuracy", *(shares(row[f"{probe}_{part}"]) for probe in PROBES))
            for part, title in PARTS.items()
        ),
        (
            "parameters",
            *(f"{total[probe]:,} = encoder {size['encoder']:,} + probe {size[probe]:,}" for probe in PROBES),
        ),
    ]


def shared(results: dict[str, Any], row: dict[str, Any]) -> list[tuple[str, ...]]:
    """Fields that hold for both probes."""
    count, data = len(row["linear_test"]), results["data"]
    versions = [f"{name} {version}" for name, version in results["versions"].items() if version]
    return [
        ("dataset", results["dataset"]),
        ("metric", "accuracy by OGB's official Evaluator; mean ± unbiased standard deviation over seeds"),
        ("seeds", f"{count} (0 to {count - 1})"),
        ("hardware", "; ".join(results["hardware"].values())),
        ("external data", "yes" if results["external_data"] else "no"),
        ("data read", f"{data['n_nodes']:,} nodes, {data['n_edges']:,} edges, each direction counted"),
        ("versions", ", ".join(versions)),
        ("command", f"`{results['command']}`"),
        ("date", results["date"]),
    ]


def seed_header() -> tuple[str, ...]:
    chosen = {"linear": "penalty", "mlp": "epoch"}
    return ("seed", *(f"{p} {word}" for p in PROBES for word in (*PARTS.values(), chosen[p])))


def seed_rows(seeds: list[int], row: dict[str, Any]) -> list[tuple[str, ...]]:
    columns = [row[key] for key in ("linear_val", "linear_test", "mlp_val", "mlp_test")]
    return [
        (f"{seed}", f"{a:.4f}", f"{b:.4f}", f"{penalty:g}", f"{c:.4f}", f"{d:.4f}", f"{epoch}")
        for seed, a, b, c, d, penalty, epoch in zip(
            seeds, *columns, row["linear_penalty"], row["mlp_epoch"], strict=False
        )
    ]


def stages(seconds: list[dict[str, float]]) -> list[tuple[str, ...]]:
    names = {"linear": "linear probe", "mlp": "MLP probe"}
    means = {stage: mean_std([one[stage] for one in seconds])[0] for stage in seconds[0]}
    return [(names.get(stage, stage), f"{mean:.1f}") for stage, mean in means.items()]


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [header, ["---"] * len(header), *rows]
    # A pipe in a command must not end the cell.
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines]


def shares(values: list[float]) -> str:
    """Mean and deviation as OGB's leaderboards print them: shares of 1, four digits."""
    mean, std = mean_std(values)
    return f"{mean:.4f}" if std is None else f"{mean:.4f} ± {std:.4f}"
