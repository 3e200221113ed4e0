"""Runs repeated from their metrics files, and whether their figures come out the same.

Of a table every run that its file holds is repeated with its seed, by the functions that made it.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from genurl_graph.evaluation.edges.figures import FIGURES as OF_EDGES
from genurl_graph.evaluation.edges.figures import PROTOCOL as EDGES
from genurl_graph.exceptions import InputError, wrong
from genurl_graph.experiments.environment import environment, machine, use_threads
from genurl_graph.experiments.models import again, check_same, make_estimator, repeated, resolved
from genurl_graph.experiments.sources import (
    Source,
    read_lines,
    run_metrics,
    teacher_features,
    write_result,
)
from genurl_graph.experiments.temporal.table import FIGURES
from genurl_graph.experiments.triples.methods import FIGURES as TRIPLE_FIGURES
from genurl_graph.experiments.triples.methods import PROTOCOL as TRIPLES

if TYPE_CHECKING:
    from torch_geometric.data import Data

Rows = dict[str, Any]

REPEATABLE = "embed, distill, compare, ablate, ogb or evaluate --protocol links, temporal-links, edges or triples"
# What a metrics file must hold to be repeated: of one run, of a table of runs.
CIRCUMSTANCES = ("environment", "hardware", "versions")
RUN = ("run", *CIRCUMSTANCES, "config", "seed", "task", "embedding_crc32")
TABLE = ("dataset", "protocol", "seeds", *CIRCUMSTANCES)

# Where bits cannot agree: 2 points of accuracy, or 2 per cent of another figure.
TOLERANCE = 0.02
SHARES = ("reduce", "probe", "knn", "cluster", "reference", "graphs", "nodes")
# Of tables of many runs: lists with a value a seed, and what stands so below the scorers and parts of links.
COLUMNS = (
    *("probe_val", "probe_test", "linear_val", "linear_test", "mlp_val", "mlp_test"),
    *("knn_accuracy", "trustworthiness", "continuity", "triplets", "spearman"),
    *("rbf", "linear", "few"),
    *FIGURES,
    *OF_EDGES,
    *TRIPLE_FIGURES,
)
LINKS = ("auc", "ap", "hits50")
OPTIONAL_COUNTS = ("n_graphs", "n_events", "n_windows", "n_rows", "n_triples", "n_relations")
COUNTS = (*OPTIONAL_COUNTS, "n_nodes", "n_edges", "n_features", "dim")
CHECKSUM = "embedding_crc32"
# What other bits change by more than any tolerance.
FRAGILE = (CHECKSUM, "reduce.pieces", "reduce.largest_piece")


class Figure(NamedTuple):
    """One figure of both runs."""

    name: str
    stored: Any
    now: Any
    agrees: bool


# What `Source.load` calls the data of a task that reads its own.
WANTED = {"events": "temporal", "edges": "edges", "triples": "triples"}


def read_metrics(path: Path) -> dict[str, Any]:
    """The metrics file of a run, or of a table of runs; InputError where it cannot be repeated from."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON: {error}") from error
    found = found if isinstance(found, dict) else {}
    table = not is_run(found) and "protocol" in found
    lacking = [key for key in (TABLE if table else RUN) if key not in found]
    if table and not lacking:
        kind = kind_of(found)
        needed = (group_of(kind), "config" if kind == "links" else "configuration", *(["dim"] * (kind == "reduce")))
        lacking = [key for key in needed if key not in found]
    if lacking:
        raise InputError(
            f"{path}: has no {', '.join(map(repr, lacking))}; expected a file that --metrics of {REPEATABLE} has "
            "written (by this version: earlier ones did not keep all that a repetition needs)"
        )
    if found.get("embedding"):
        raise wrong(path, "the figures of a finished embedding", REPEATABLE)
    if not table:
        command = found["run"].get("command") if isinstance(found["run"], dict) else None
        if command not in ("embed", "distill"):
            raise wrong(path, f"a run of {command!r}", REPEATABLE)
    return found


def is_run(found: dict[str, Any]) -> bool:
    """Whether it is one run, and not a table of many."""
    return "run" in found


def repeat_run(
    stored: dict[str, Any], data_root: Path | None, output: Path | None, say: Callable[[str], None], quiet: bool
) -> dict[str, Any]:
    """Contents of the metrics file of the same run of embed or distill, now; `say` hears what comes in."""
    from genurl_graph.evaluation.budget.clock import evaluation_clock
    from genurl_graph.evaluation.budget.judgement import Asked
    from genurl_graph.experiments.scores import embedding_scores
    from genurl_graph.runtime.files import to_json
    from genurl_graph.training.checkpoint import checksum

    source = Source.recorded(stored["run"], data_root)
    model = repeated(stored["config"], stored["device"])
    wanted = {kind: stored["task"] == task for kind, task in WANTED.items()}
    data = source.load(not quiet, model["config"], **wanted)
    for line in read_lines(source, data):
        say(line)
    use_threads(stored["environment"]["threads"])
    estimator = make_estimator(**model, seed=stored["seed"])
    teacher, more = None, {key: stored["run"][key] for key in ("command", "teacher") if key in stored["run"]}
    if stored["run"]["command"] == "distill":
        path = Path(stored["run"]["teacher"])
        if not path.exists():
            raise InputError(f"teacher: there is no {path} any more")
        teacher = teacher_features(path, data)
        more["teacher_crc32"] = checksum(teacher)
    estimator.fit(data, teacher=teacher)
    check_same(estimator.config_.to_dict(), stored["config"])
    # No clock ends it: as much is looked at as the file says.
    with evaluation_clock(quiet=quiet) as clock:
        scores = embedding_scores(estimator, data, Asked.recorded(stored), teacher=teacher, clock=clock)
    if output:
        write_result(output, estimator, data, own_file=source.own is not None)
    # As a file gives them back, so that they can be compared with those of one.
    figures: dict[str, Any] = json.loads(to_json(run_metrics(source, data, estimator, scores, {}, more)))
    return figures


def repeat_table(
    stored: dict[str, Any], data_root: Path | None, say: Callable[[str], None], quiet: bool
) -> dict[str, Any]:
    """The rows of the same table, under the key that they have in the file, and the circumstances, now."""
    from genurl_graph.experiments.ogb_table import ogb_machine
    from genurl_graph.experiments.reduce_table import dense_vectors
    from genurl_graph.experiments.tables.source import load_for, source_of

    device, kind, source = again(stored["environment"]["device"]), kind_of(stored), source_of(stored, data_root)
    data = load_for(source, stored["protocol"])
    for line in read_lines(source, data):
        say(line)
    if kind == "reduce":
        data = dense_vectors(source.name, data)
    use_threads(stored["environment"]["threads"])
    known = {"ablate": _ablate, "ogb": _ogb, "links": _links, "events": _events, EDGES: _rows, TRIPLES: _rows}
    repeat = known.get(kind, _compare)
    rows = repeat(stored, data, data_root, quiet)
    around = environment(data, device)
    if kind == "ogb":
        # The probes' settings are part of its environment; they were those of the file.
        around["probe"] = stored["environment"]["probe"]
    now = ogb_machine(device) if kind == "ogb" else machine(device)
    return {**now, "environment": around, "seeds": stored["seeds"], group_of(kind): rows}


def kind_of(stored: dict[str, Any]) -> str:
    """Whose table it is: compare, reduce (its other protocol), ablate, ogb, links, or of events, edges or triples."""
    if "factors" in stored:
        return "ablate"
    protocol = str(stored["protocol"])
    if protocol in ("reduce", "ogb", "links"):
        return protocol
    if "source" in stored and stored.get("command") != "compare":
        return protocol if protocol in (EDGES, TRIPLES) else "events"
    return "compare"


def group_of(kind: str) -> str:
    """The key under which the rows stand in the file."""
    return "rows" if kind == "ablate" else "methods"


def figures_of(metrics: dict[str, Any]) -> dict[str, Any]:
    """All figures of a metrics file that a repetition has to give again, by dotted names."""
    for group in ("methods", "rows"):
        if group in metrics:
            return dict(_figures_of_rows(metrics[group], metrics["seeds"]))
    counts = [key for key in COUNTS if key not in OPTIONAL_COUNTS or key in metrics]
    found: dict[str, Any] = {key: metrics.get(key) for key in (*counts, "loss")}
    for group, name in (("graphs", "graphs"), ("temporal_nodes", "nodes")):
        for row, figures in (metrics.get(group) or {}).items():
            found |= {f"{name}.{row}.{key}": value for key, value in figures.items() if value is not None}
    for group in ("graph", *SHARES):
        for key, value in (metrics.get(group) or {}).items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                found[f"{group}.{key}"] = value
    return found | {CHECKSUM: metrics.get(CHECKSUM)}


def compare_figures(stored: dict[str, Any], now: dict[str, Any], tolerance: float) -> list[Figure]:
    """Every figure of both; with a tolerance of 0 the embedding's checksum and the map's pieces, too."""
    names = [name for name in dict.fromkeys([*stored, *now]) if tolerance == 0 or name not in FRAGILE]
    return [Figure(name, stored.get(name), now.get(name), agree(name, stored, now, tolerance)) for name in names]


def agree(name: str, stored: dict[str, Any], now: dict[str, Any], tolerance: float) -> bool:
    """Whether a figure of both is the same, up to the tolerance: absolute for shares, relative for others."""
    a, b = stored.get(name), now.get(name)
    if tolerance == 0 or a is None or b is None or name in COUNTS:
        return bool(a == b)
    scale = 1.0 if name.partition(".")[0] in (*SHARES, *COLUMNS, *LINKS) else max(abs(a), abs(b))
    return bool(abs(a - b) <= tolerance * scale)


def other_circumstances(stored: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What differs between two runs besides their figures, in words."""
    titles = {"versions": "version of ", "hardware": "hardware: ", "environment": ""}
    pairs = []
    for group, title in titles.items():
        for key in dict.fromkeys([*stored[group], *now[group]]):
            name = "the input's checksum (the data are not the same)" if key == "data" else f"{title}{key}"
            pairs.append((name, stored[group].get(key), now[group].get(key)))
    for key, name in (("processes", "number of processes"), ("teacher_crc32", "the teacher's checksum")):
        pairs.append((name, *(metrics.get("run", {}).get(key) for metrics in (stored, now))))
    return [f"{name} was {a}, is {b}" for name, a, b in pairs if a != b]


def _compare(stored: dict[str, Any], data: "Data", data_root: Path | None, quiet: bool) -> Rows:
    import torch

    from genurl_graph.experiments.edges.table import EdgeComparison
    from genurl_graph.experiments.graphs.table import GraphComparison
    from genurl_graph.experiments.probe_table import Comparison, ProbeComparison
    from genurl_graph.experiments.reduce_table import ReduceComparison
    from genurl_graph.experiments.runs import Order
    from genurl_graph.experiments.tables.source import source_of
    from genurl_graph.experiments.temporal.table import PROTOCOL, TemporalComparison
    from genurl_graph.experiments.triples.table import TripleComparison

    protocol = stored["protocol"]
    known = ("protocol", "dim", "windows", "blocks", "command", "source")
    header = {key: stored[key] for key in known if key in stored}
    kinds: dict[str, type[Comparison]] = {
        "reduce": ReduceComparison,
        "graphs": GraphComparison,
        PROTOCOL: TemporalComparison,
        EDGES: EdgeComparison,
        TRIPLES: TripleComparison,
    }
    comparison = kinds.get(protocol, ProbeComparison)(source_of(stored, data_root), data, **header)
    comparison.check([])
    around = {**stored["environment"], "threads": torch.get_num_threads()}
    results, orders = comparison.table(stored, around, stored["configuration"], None), []
    for method, seeds in _seeds_of(stored["methods"], stored["seeds"], comparison.table.figures[0]):
        settings, own = stored["configuration"][method], method in comparison.own
        model = _model(settings if own else None, stored, comparison.data)
        orders.append(Order(method, seeds, model, {} if own else settings))
    for _ in comparison.run(results, orders, quiet):
        pass
    return results.runs


def _ablate(stored: dict[str, Any], data: "Data", data_root: Path | None, quiet: bool) -> Rows:
    from genurl_graph.experiments.ablation import Row, run_row

    found: Rows = {}
    for name, seeds in _seeds_of(stored["rows"], stored["seeds"], "probe_test"):
        model = _model(stored["configuration"][name], stored, data)
        runs = [run_row(Row(name, {}, {}), data, model, stored["protocol"], seed) for seed in seeds]
        found[name] = {figure: [run[figure] for run in runs] for figure in ("probe_val", "probe_test")}
    return found


def _ogb(stored: dict[str, Any], data: "Data", data_root: Path | None, quiet: bool) -> Rows:
    from genurl_graph.experiments.ogb_table import OgbRuns, OgbTable
    from genurl_graph.experiments.probe_table import FIXED

    results = OgbTable(dict(stored), stored["environment"], stored["configuration"], None)
    model = _model(stored["configuration"]["genurl"], stored, data)
    runs = OgbRuns(results, data, model)
    for row, seeds in _seeds_of(stored["methods"], stored["seeds"], "linear_test"):
        if row in FIXED:
            results.add(row, runs.fixed(row))
        for seed in seeds if row == "genurl" else ():
            for name, run in runs.trained(seed, untrained=seed == seeds[0]).items():
                results.add(name, run)
    return results.runs


def _links(stored: dict[str, Any], data: "Data", data_root: Path | None, quiet: bool) -> Rows:
    from genurl_graph.experiments.scores import link_table

    rows, more = link_table(data, stored["seeds"], repeated(stored["config"], stored["environment"]["device"]))
    check_same(more["config"], stored["config"])
    return rows


def _events(stored: dict[str, Any], data: Any, data_root: Path | None, quiet: bool) -> Rows:
    from genurl_graph.experiments.probe_table import REFERENCE
    from genurl_graph.experiments.temporal.links import LinkTable, run_links

    model = _model(stored["configuration"][REFERENCE], stored, data)
    done = len(stored["methods"][REFERENCE]["mrr"])
    results = LinkTable(
        {**stored, "seeds": stored["seeds"][:done]}, stored["environment"], stored["configuration"], None
    )
    run_links(data, results, model, quiet)
    return results.runs


def _rows(stored: dict[str, Any], data: Any, data_root: Path | None, quiet: bool) -> Rows:
    from genurl_graph.experiments.edges.rows import repeat_edges
    from genurl_graph.experiments.probe_table import REFERENCE
    from genurl_graph.experiments.triples.links import repeat_triples

    repeat = repeat_edges if stored["protocol"] == EDGES else repeat_triples
    return repeat(stored, data, _model(stored["configuration"][REFERENCE], stored, data), quiet)


def _seeds_of(rows: Rows, seeds: list[int], figure: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Each row of a file with the seeds that it has: an interrupted table has fewer."""
    for name, row in rows.items():
        yield name, tuple(seeds[: len(row[figure])])


def _model(config: dict[str, Any] | None, stored: dict[str, Any], data: "Data") -> dict[str, Any]:
    """Options of the model that a row had (None: one without a model); InputError if they mean something else now."""
    device = stored["environment"]["device"]
    if config is None:
        return {"device": again(device)}
    model = repeated(config, device)
    check_same(resolved(model, data), config)
    return model


def _figures_of_rows(rows: Rows, seeds: list[int]) -> Iterator[tuple[str, Any]]:
    for name, row in rows.items():
        columns = {f"{key}.{name}": row[key] for key in COLUMNS if key in row}
        for scorer, parts in row.items():
            for part, figures in parts.items() if isinstance(parts, dict) else ():
                for key in LINKS:
                    if isinstance(figures, dict) and figures.get(key):
                        columns[f"{key}.{name} {scorer} {part}"] = figures[key]["values"]
        for column, values in columns.items():
            for seed, value in zip(seeds, values, strict=False):
                yield f"{column}.seed {seed}", value
