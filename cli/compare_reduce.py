"""``genurl-graph compare --task reduce``: dimension reductions side by side, their pictures in one panel."""

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genurl_graph.baselines.reduction import REDUCERS, require_reducer
from genurl_graph.baselines.settings import baseline_settings
from genurl_graph.cli import options, runs
from genurl_graph.cli.comparison import Outputs, save, show, terminable
from genurl_graph.cli.reduce_results import ReduceResults
from genurl_graph.cli.reduce_runs import ReduceJob, own_model
from genurl_graph.cli.report import Report, as_config, bar, describe
from genurl_graph.cli.scores import load_named
from genurl_graph.cli.stored import environment, machine
from genurl_graph.exceptions import InputError

if TYPE_CHECKING:
    import numpy as np
    from torch_geometric.data import Data

    Array = np.ndarray[Any, Any]

DEFAULT_METHODS = "genurl,genurl-mlp,pca"
DEFAULT_SEEDS = 3
# Sparse features are made dense, as most packages want them, up to this size.
MOST_DENSE_BYTES = 4 * 2**30


def compare_reduce(
    dataset: str,
    chosen: list[str],
    seeds: int,
    changes: dict[str, dict[str, Any]],
    root: Path | None,
    model: dict[str, Any],
    outputs: Outputs,
    report: Report,
) -> None:
    """Run and judge the methods, one process each; write table, pictures and embeddings."""
    dim = model["dim"] or 2
    if outputs.plot and dim != 2:
        raise InputError(f"--plot draws two dimensions, but --dim is {dim}; leave one of them out")
    for method in chosen:
        if method in REDUCERS:
            require_reducer(method)
    name, data = load_named(dataset, root)
    plain = bare(name, data)
    x, y = plain.x.numpy(), getattr(data, "y", None)
    report.line(describe(name, data))

    configuration = {
        method: baseline_settings(method, None, changes.get(method))
        if method in REDUCERS
        else as_config(options.make_estimator(**own_model(method, dim, model), seed=0).resolve(plain))
        for method in chosen
    }
    header: dict[str, Any] = {"dataset": name, "protocol": "reduce", "seeds": list(range(seeds)), "dim": dim}
    header |= machine(model["device"])
    results = ReduceResults(header, environment(plain, model["device"]), configuration, outputs.metrics)
    if outputs.resume:
        results.resume()
    pictures: dict[str, Array] = {}
    threads = results.environment["threads"]
    with stored_vectors(x) as file:
        jobs = [ReduceJob(m, results.todo(m), file, dim, model, changes.get(m, {}), threads) for m in chosen]
        for method, seed, z in run_jobs(jobs, results, x, y, report.quiet):
            if seed == 0:
                pictures[method] = z
                keep(outputs.embeddings, method, z, data)
    report.line(f"\n{results.caption()}")
    show(results, report)
    save(results, report, outputs.metrics, outputs.markdown)
    if outputs.plot:
        draw(outputs.plot, results, pictures, outputs.embeddings, data, report)


@contextmanager
def stored_vectors(x: "Array") -> Iterator[Path]:
    """A file of the vectors, which the processes of the methods read."""
    import numpy as np

    with tempfile.TemporaryDirectory(prefix="genurl-graph-") as scratch:
        file = Path(scratch) / "vectors.npy"
        np.save(file, x)
        yield file


def run_jobs(
    jobs: list[ReduceJob], results: ReduceResults, x: "Array", y: Any, quiet: bool
) -> Iterator[tuple[str, int, "Array"]]:
    """Add the runs of all jobs, judged, to the results; method, seed and embedding of each."""
    from genurl_graph.evaluation.preservation import reduce_scores

    jobs = [job for job in jobs if job.seeds]
    with terminable(), bar(sum(job.n_runs for job in jobs), quiet) as shown:
        for job in jobs:
            with closing(runs.run_apart(job)) as found:
                results.add_cold(job.method, next(found))
                shown.update()
                for run, seed in zip(found, job.seeds, strict=True):
                    # Folds and samples are the same for all seeds: what differs is the embedding.
                    results.add(job.method, reduce_scores(x, run.embedding, y), run)
                    shown.update()
                    yield job.method, seed, run.embedding


def bare(name: str, data: "Data") -> "Data":
    """Features of a data set, dense float32 [n, f], its labels, and nothing else."""
    import numpy as np
    import torch
    from torch_geometric.data import Data

    from genurl_graph.inputs.sparse import to_scipy_or_numpy

    if getattr(data, "x", None) is None:
        raise InputError(f"--task reduce: data set {name} has no vectors to reduce")
    x = to_scipy_or_numpy(data.x)
    if not isinstance(x, np.ndarray):
        if 4 * x.shape[0] * x.shape[1] > MOST_DENSE_BYTES:
            found = f"{x.shape[0]:,} x {x.shape[1]:,} sparse features"
            raise InputError(f"--task reduce: the {found} of {name} are too large to be made dense, as peers need them")
        x = x.toarray()
    return Data(x=torch.from_numpy(np.ascontiguousarray(x, dtype=np.float32)), y=getattr(data, "y", None))


def keep(folder: Path | None, method: str, z: "Array", data: "Data") -> None:
    """Write the embedding to the folder of --embeddings."""
    if folder is not None:
        from genurl_graph.inputs.embeddings import write_embedding

        folder.mkdir(exist_ok=True)
        write_embedding(folder / f"{method}.npz", z, label=getattr(data, "y", None))


def draw(
    path: Path, results: ReduceResults, fresh: dict[str, "Array"], folder: Path | None, data: "Data", report: Report
) -> None:
    """One picture a method, of seed 0; those of an earlier run come from --embeddings."""
    from genurl_graph.cli.embed_report import named_labels
    from genurl_graph.inputs.embeddings import read_embedding
    from genurl_graph.plotting import panel

    found = {}
    for method, row in results.to_dict()["methods"].items():
        kept = folder / f"{method}.npz" if folder else None
        if method in fresh:
            points = fresh[method]
        elif kept and kept.is_file():
            points = read_embedding(kept)["embedding"]
        else:
            report.line(f"no picture of {method}: its run is of an earlier call, and --embeddings holds none")
            continue
        found[f"{method}\n{spoken(row)}"] = points
    if found:
        panel(found, named_labels(data), path=path, title=results.header["dataset"])
        report.line(f"picture   {path}")


def spoken(row: dict[str, Any]) -> str:
    """Time and scores of a method in one line."""
    parts = [f"{row['seconds_median']:.1f} s"]
    if row["cold"]:
        parts.append(f"cold {row['cold']['seconds']:.0f} s")
    if row["mean"]["knn_accuracy"] is not None:
        parts.append(f"10-NN {100 * row['mean']['knn_accuracy']:.1f}")
    if row["mean"]["trustworthiness"] is not None:
        parts.append(f"trust {row['mean']['trustworthiness']:.3f}")
    return ", ".join(parts)
