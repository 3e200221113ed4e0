"""Tables of many runs again from what their files hold: those of compare, ablate, ogb and evaluate --protocol links.

Each run that a file holds is repeated with its seed, by the functions of the command that made it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genurl_graph.cli import options
from genurl_graph.cli.repeat import OTHER_CONFIGURATION, use_threads
from genurl_graph.cli.report import Report, as_config, describe
from genurl_graph.cli.stored import environment, machine
from genurl_graph.exceptions import InputError

if TYPE_CHECKING:
    from torch_geometric.data import Data

Rows = dict[str, Any]


def repeat_table(stored: dict[str, Any], data_root: Path | None, report: Report) -> dict[str, Any]:
    """The rows of the same table, under the key that they have in the file, and the circumstances, now."""
    from genurl_graph import datasets

    name, device, kind = stored["dataset"], options.again(stored["environment"]["device"]), kind_of(stored)
    data = datasets.load(name, data_root)
    report.line(describe(name, data))
    if kind == "reduce":
        from genurl_graph.cli.compare_reduce import bare

        data = bare(name, data)
    use_threads(stored["environment"]["threads"])
    repeat = {"compare": compare, "reduce": reduce, "ablate": ablate, "ogb": ogb, "links": links}[kind]
    rows = repeat(stored, data, data_root, report.quiet)
    found = {**machine(device), "environment": environment(data, device)}
    if kind == "ogb":
        from genurl_graph.cli.ogb import circumstances

        # The probes' settings are part of its environment; they were those of the file.
        found |= circumstances(device)
        found["environment"]["probe"] = stored["environment"]["probe"]
    return {**found, "seeds": stored["seeds"], group_of(kind): rows}


def kind_of(stored: dict[str, Any]) -> str:
    """Whose table it is: compare, reduce (its other protocol), ablate, ogb, or links."""
    if "factors" in stored:
        return "ablate"
    protocol = str(stored["protocol"])
    return protocol if protocol in ("reduce", "ogb", "links") else "compare"


def group_of(kind: str) -> str:
    """The key under which the rows stand in the file."""
    return "rows" if kind == "ablate" else "methods"


def needed(stored: dict[str, Any]) -> tuple[str, ...]:
    """What a table must hold besides what all of them do."""
    kind = kind_of(stored)
    return (group_of(kind), "config" if kind == "links" else "configuration", *(["dim"] if kind == "reduce" else []))


def compare(stored: dict[str, Any], data: "Data", data_root: Path | None, quiet: bool) -> Rows:
    import torch

    from genurl_graph.cli.compare import run_jobs
    from genurl_graph.cli.results import ProbeResults
    from genurl_graph.cli.runs import FIXED, METHODS, Job

    results = ProbeResults(stored, stored["environment"], stored["configuration"], None)
    jobs, threads = [], torch.get_num_threads()
    for method, seeds in seeds_of(stored["methods"], stored["seeds"], "probe_test"):
        settings, own = stored["configuration"][method], method in METHODS and method not in FIXED
        model = model_of(settings if own else None, stored, data)
        jobs.append(Job(method, seeds, stored["dataset"], data_root, model, {} if own else settings, threads))
    run_jobs(jobs, results, data, quiet)
    return results.runs


def reduce(stored: dict[str, Any], data: "Data", data_root: Path | None, quiet: bool) -> Rows:
    import torch

    from genurl_graph.cli.compare_reduce import run_jobs, stored_vectors
    from genurl_graph.cli.reduce_results import ReduceResults
    from genurl_graph.cli.reduce_runs import OWN, ReduceJob

    results = ReduceResults(stored, stored["environment"], stored["configuration"], None)
    x, y, threads = data.x.numpy(), getattr(data, "y", None), torch.get_num_threads()
    with stored_vectors(x) as file:
        jobs = []
        for method, seeds in seeds_of(stored["methods"], stored["seeds"], "seconds"):
            settings, own = stored["configuration"][method], method in OWN
            model = model_of(settings if own else None, stored, data)
            jobs.append(ReduceJob(method, seeds, file, stored["dim"], model, {} if own else settings, threads))
        for _ in run_jobs(jobs, results, x, y, quiet):
            pass
    return results.runs


def ablate(stored: dict[str, Any], data: "Data", data_root: Path | None, quiet: bool) -> Rows:
    from genurl_graph.cli.ablate import run
    from genurl_graph.cli.grid import Row

    found: Rows = {}
    for name, seeds in seeds_of(stored["rows"], stored["seeds"], "probe_test"):
        model = model_of(stored["configuration"][name], stored, data)
        runs = [run(Row(name, {}, {}), data, model, stored["protocol"], seed) for seed in seeds]
        found[name] = {"probe_val": [val for val, _, _ in runs], "probe_test": [test for _, test, _ in runs]}
    return found


def ogb(stored: dict[str, Any], data: "Data", data_root: Path | None, quiet: bool) -> Rows:
    from genurl_graph.cli.ogb import Work
    from genurl_graph.cli.ogb_results import OgbResults
    from genurl_graph.cli.runs import FIXED
    from genurl_graph.evaluation.ogb import official_accuracy
    from genurl_graph.evaluation.splits import splits

    results = OgbResults(stored, stored["environment"], stored["configuration"], None, Path())
    model = model_of(stored["configuration"]["genurl"], stored, data)
    (split,) = splits("public", data)
    work = Work(data, split, official_accuracy(stored["dataset"]), model, stored["environment"]["probe"]["epochs"])
    for row, seeds in seeds_of(stored["methods"], stored["seeds"], "linear_test"):
        if row in FIXED:
            results.add(row, work.fixed(row))
        for seed in seeds if row == "genurl" else ():
            for name, run in work.trained(seed, untrained=seed == seeds[0]).items():
                results.add(name, run)
    return results.runs


def links(stored: dict[str, Any], data: "Data", data_root: Path | None, quiet: bool) -> Rows:
    from genurl_graph.cli.links import train_and_score

    model = options.repeated(stored["config"], stored["environment"]["device"])
    rows, more = train_and_score(data, stored["seeds"], model)
    if more["config"] != stored["config"]:
        raise InputError(OTHER_CONFIGURATION)
    return rows


def seeds_of(rows: Rows, seeds: list[int], figure: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Each row of a file with the seeds that it has: an interrupted table has fewer."""
    for name, row in rows.items():
        yield name, tuple(seeds[: len(row[figure])])


def model_of(config: dict[str, Any] | None, stored: dict[str, Any], data: "Data") -> dict[str, Any]:
    """Options of the model that a row had (None: one without a model); InputError if they mean something else now."""
    device = stored["environment"]["device"]
    if config is None:
        return {"device": options.again(device)}
    model = options.repeated(config, device)
    if as_config(options.make_estimator(**model, seed=0).resolve(data)) != config:
        raise InputError(OTHER_CONFIGURATION)
    return model
