"""The Markdown report of ``ogb``, from its JSON."""

import functools
import json
from typing import Any

from genurl_graph.experiments.results import markdown_table, mean_std, mean_text

PROBES = {"linear": "linear probe", "mlp": "MLP probe"}
PARTS = {"val": "validation", "test": "test"}

_table = functools.partial(markdown_table, right=False)


def report_lines(results: dict[str, Any], comparison: str) -> list[str]:
    """Lines of the report.

    The leaderboard's fields, the rows beside GenURL's (`comparison`, Markdown), figures of every seed, time and memory,
    the configuration.
    """
    lines = [f"# GenURL on {results['dataset']}", "", *warnings(results)]
    row = results["methods"].get("genurl")
    if row is None:
        return [*lines, "No seed is finished yet.", "", comparison]
    lines += ["## For the leaderboard", "", *_table(("", *PROBES.values()), *by_probe(row)), ""]
    lines += [*_table(("for both", ""), *shared(results, row)), "", "## Beside it", "", comparison]
    lines += ["## Every seed", "", *_table(seed_header(), *seed_rows(results["seeds"], row)), ""]
    lines += ["## Time and memory", "", *_table(("stage", "seconds, mean over seeds"), *stages(row["seconds"])), ""]
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
            (f"{title} accuracy", *(mean_text(row[f"{probe}_{part}"], 4, 1) for probe in PROBES))
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
        ("metric", "accuracy by OGB's official Evaluator; mean ± standard deviation over seeds (unbiased)"),
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
    means = {stage: mean_std([one[stage] for one in seconds])[0] for stage in seconds[0]}
    return [(PROBES.get(stage, stage), f"{mean:.1f}") for stage, mean in means.items()]
