"""``genurl-graph config``: the defaults of a task as a TOML file, each explained, for ``--config``."""

from typing import Any

import click

from genurl_graph.cli.report import Report

# Name on the command line -> the commands and options that it stands for, the task, and the presets on top of it
# (`genurl_graph.config.load_preset`).
TASKS = {
    "graph": ("embed, for data with edges and up to 100,000 nodes", "graph"),
    "graph-sign": ("embed --encoder sign, and embed for graphs of more than 100,000 nodes", "graph", "sign"),
    "graph-sampled": ("embed --encoder gcn --set sampling.negatives=batch", "graph", "sampled"),
    "reduce": ("embed, for data without edges", "reduce"),
    "reduce-mlp": ("embed --encoder mlp, for vectors and one or two dimensions", "reduce", "mlp", "mlp-anchors"),
    "reduce-mlp-wide": ("embed --encoder mlp --dim 32, for data without edges", "reduce", "mlp", "mlp-wide"),
    "distill": ("distill", "distill"),
    "distill-gnn": ("distill --student gcn", "distill", "gnn"),
    "distill-cnn": ("distill --student cnn", "distill", "cnn"),
    "images": ("embed --task images", "images"),
    "graphs": ("embed, for many graphs", "graphs"),
    "temporal": ("embed, for edges with a time", "temporal"),
    "edges": ("embed --task edges", "edges"),
}
# What the variants' files do not name themselves.
NAMED: dict[str, dict[str, Any]] = {
    "reduce-mlp-wide": {"encoder.dim": 32},
    "distill-gnn": {"encoder.name": "gcn"},
    "distill-cnn": {"encoder.name": "cnn"},
}
LEFT_OUT = {
    "neighbors.n_neighbors": "Left out: a default gives way to an input with fewer nodes, a number that is asked for "
    "does not"
}


@click.command()
@click.option("--task", type=click.Choice(list(TASKS)), required=True, help="The task, or a variant of it.")
def config(task: str) -> None:
    """Print all settings of a task with their defaults, as TOML, each explained.

    Change what you like and give the file to --config; unchanged, it gives the same result as no file. Each key is one
    of --set as well, as SECTION.KEY=VALUE. Unknown keys are refused, and the nearest one is named.

    \b
    Examples:
      genurl-graph config --task reduce > my.toml
      genurl-graph embed --dataset digits --config my.toml
    """
    from genurl_graph.config import load_preset
    from genurl_graph.config.toml import to_toml

    use, *presets = TASKS[task]
    resolved = load_preset(*presets).override(NAMED.get(task, {}))
    report = Report()
    report.line(f"# Defaults of: genurl-graph {use}")
    report.line('# "auto" is resolved by the data; --metrics tells what it became.')
    report.line()
    report.line(to_toml(resolved, LEFT_OUT).rstrip())
