"""``genurl-graph compare``: methods side by side on one data set, over seeds."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genurl_graph.cli import options
from genurl_graph.cli.report import Report, save_table
from genurl_graph.exceptions import InputError
from genurl_graph.experiments.edges.table import EdgeComparison, edges_of
from genurl_graph.experiments.graphs.table import GraphComparison, graphs_of
from genurl_graph.experiments.models import make_estimator, parse_names
from genurl_graph.experiments.probe_table import Comparison, ProbeComparison, parse_baseline_settings
from genurl_graph.experiments.reduce_table import ReduceComparison, summary
from genurl_graph.experiments.results import Results, n_seeds
from genurl_graph.experiments.runs import Order
from genurl_graph.experiments.sources import Source, named_labels, read_lines, refuse_graphs
from genurl_graph.experiments.tables.source import (
    EDGES,
    GRAPHS,
    REDUCE,
    TEMPORAL,
    TRIPLES,
    check_labelled,
    describe_split,
    load_for,
    named_protocol,
    own_header,
    own_protocol,
)
from genurl_graph.experiments.temporal.table import TemporalComparison, events_of
from genurl_graph.experiments.triples.source import triples_of
from genurl_graph.experiments.triples.table import TripleComparison

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from genurl_graph.baselines.settings import Task

# Protocols with a table of their own; all others are splits of the linear probe.
KINDS: dict[str, type[Comparison]] = {
    REDUCE: ReduceComparison,
    GRAPHS: GraphComparison,
    TEMPORAL: TemporalComparison,
    EDGES: EdgeComparison,
    TRIPLES: TripleComparison,
}
# Whose settings --peer-set changes; those of nodes otherwise.
BASELINES_OF: dict[str, "Task"] = {GRAPHS: "graphs", TEMPORAL: "temporal", TRIPLES: "triples"}


@click.command()
@options.source
@click.option(
    "--methods",
    metavar="NAME,...",
    help=f"Methods, in the order of the table: some of {', '.join(ProbeComparison.methods)}; with --task reduce "
    f"some of {', '.join(ReduceComparison.methods)}; with --task graphs some of {', '.join(GraphComparison.methods)}; "
    f"with --task temporal some of {', '.join(TemporalComparison.methods)}; "
    f"with --task edges some of {', '.join(EdgeComparison.methods)}; "
    f"with --task triples some of {', '.join(TripleComparison.methods)}. "
    f"[default: {ProbeComparison.default}, as far as the data allow; reduce: {ReduceComparison.default}; graphs, "
    f"temporal, edges: all; triples: {TripleComparison.default}]",
)
@options.seeds(help="How many seeds: 0, 1, ... N-1. [default: 10; reduce: 3; graphs, temporal, triples: 5]")
@click.option(
    "--protocol",
    type=click.Choice(["public", "random-10", "random-10-10-80", "reduce", "graphs", TEMPORAL, EDGES, TRIPLES]),
    help="How methods are compared: by the splits of a linear probe, or as the task says. [default: the task's; for "
    "nodes public if the data come with a split, else random-10-10-80]",
)
@options.model
@click.option(
    "--peer-set",
    "assignments_of_baselines",
    multiple=True,
    metavar="METHOD.KEY=VALUE",
    help="Change a published setting of a baseline, e.g. grace.epochs=100; repeatable.",
)
@options.table_files("comparison", "reduce: draw the 2-d maps of all methods side by side.")
@click.option(
    "--embeddings",
    type=options.PATH,
    metavar="DIR",
    help="reduce: save each method's embedding of seed 0 as METHOD.npz; --plot --resume draws from there.",
)
@options.quiet
def compare(
    source: Source,
    methods: str | None,
    seeds: int | None,
    protocol: str | None,
    assignments_of_baselines: tuple[str, ...],
    files: options.TableFiles,
    embeddings: Path | None,
    quiet: bool,
    **model: Any,
) -> None:
    """Compare methods on a data set or your own files: mean ± standard deviation over seeds.

    Node embeddings are compared by a linear probe. Your own graph needs labels for it (--column label=NAME, or --labels
    FILE); the report says how they are split. All methods see the same seeds, splits and probe. Baselines run with
    their published settings (--peer-set changes one); options of the model, except --device, are those of genurl and
    untrained. Each method runs in a process of its own, whose peak memory includes the libraries. --metrics is
    rewritten after each run, so that --resume can continue.

    --task reduce: vectors are reduced to --dim dimensions (2) and compared by 10-NN accuracy, trustworthiness,
    continuity and Spearman's correlation of distances. Seconds include the search for neighbours. The first run in a
    new process, with its imports and what is compiled at the first call, is reported apart as cold.

    --task graphs (the default for many graphs): each graph gets a row. Support vector machines with an RBF and a linear
    kernel are tested in 10 folds and choose C inside the training folds; a logistic regression learns from 10 % of the
    labels. Rows without training: the Weisfeiler-Lehman kernel, the histogram of kinds and degrees, an untrained GIN,
    and these three together.

    --task temporal (the default for events): pairs of nodes are scored in each of the last windows by the events before
    it: the rank of the right node among all, and areas against four kinds of pairs without an event. Trained methods
    choose their epoch or weights on the windows before. CPU seconds are those of the training.

    --task edges: each edge gets a row, and a logistic regression learns classes of edges. Micro and macro F1 are given
    for the split that comes with the data, and for 20 blocks of space that are held out whole. Two rows read labels
    instead: label propagation, and the most frequent class.

    --task triples (the default for typed edges): both ends of each test triple are ranked among all entities (filtered,
    realistic ranks). Baselines choose their epoch on the validation triples; GenURL reads the training triples alone.
    triples-only is GenURL without the features of the entities.

    \b
    Examples:
      genurl-graph compare --dataset cora --methods genurl,untrained,cca-ssg --seeds 10 --markdown table.md
      genurl-graph compare --input edges.csv --features people.csv --column label=club --seeds 10
      genurl-graph compare --dataset mnist --task reduce --methods genurl,umap,pca --plot panel.png
      genurl-graph compare --dataset mutag --task graphs --methods genurl,graphcl,wl,concat
      genurl-graph compare --dataset collegemsg --methods genurl,tgn,recency --windows 60
      genurl-graph compare --dataset linkoping --task edges
      genurl-graph compare --dataset umls --task triples --methods genurl,distmult,transe,frequency
    """
    from genurl_graph.inputs.embeddings import write_embedding
    from genurl_graph.runtime.files import check_folder

    options.check_source(source)
    source = source.with_settings(make_estimator(**model, seed=0).config)
    asked, data = protocol or named_protocol(source, model["task"], model["windows"]), None
    if asked is None and source.own is not None:
        data = load_for(source, None)
        # A task that is named, such as graph, decides against what the file holds.
        asked = own_protocol(data) if model["task"] == "auto" else None
    reduce, labelled = asked == REDUCE, asked not in (REDUCE, TEMPORAL, TRIPLES)
    kind = KINDS.get(asked or "", ProbeComparison)
    chosen = None if methods is None else parse_names("--methods", "method", methods.replace("_", "-"), kind.methods)
    what = BASELINES_OF.get(asked or "", "nodes")
    changes = parse_baseline_settings(assignments_of_baselines, chosen or kind.default.split(","), kind.baselines, what)
    for flag, path in (("--plot", files.plot), ("--embeddings", embeddings)):
        if path and not reduce:
            raise click.UsageError(f"{flag} goes with --task reduce.")
    dim = model["dim"] or 2
    if files.plot and dim != 2:
        raise InputError(f"--plot draws two dimensions, but --dim is {dim}; leave one of them out")
    if embeddings:
        check_folder(embeddings)
    files.prepare(embeddings)
    report = Report(quiet)
    data = load_for(source, asked) if data is None else data
    check_kind(asked, source, data)
    if labelled:
        check_labelled(source, data)
    header = header_of(asked, source, data, dim, model["windows"])
    comparison = kind(source, data, **header)
    report.lines(read_lines(source, data))
    if chosen is None:
        chosen, refused = comparison.possible()
        report.lines(f"without {method}: it needs {lacking}" for method, lacking in refused.items())
    comparison.check(chosen)
    if kind is ProbeComparison:
        report.line(describe_split(header["protocol"], data))
    results = comparison.results(chosen, seeds or kind.n_seeds, model, changes, files.metrics)
    if files.resume:
        results.resume()
    maps: dict[str, Any] = {}
    orders = [Order(method, results.todo(method), model, changes.get(method, {})) for method in chosen]
    for method, seed, z in comparison.run(results, orders, quiet):
        if seed == 0 and reduce:
            maps[method] = z
            if embeddings:
                embeddings.mkdir(exist_ok=True)
                write_embedding(embeddings / f"{method}.npz", z, label=getattr(data, "y", None))
    report.line(f"\n{results.caption()}, {n_seeds(results.header['seeds'])}")
    report.results(results)
    save_table(results, files, report)
    if files.plot:
        draw(files.plot, results, maps, embeddings, data, report)


def check_kind(protocol: str | None, source: Source, data: Any) -> None:
    """InputError where the data are not of the protocol's kind."""
    if protocol == TEMPORAL:
        events_of(data)  # not without times
    elif protocol == TRIPLES:
        triples_of(data)  # not without relations
    elif protocol == GRAPHS:
        graphs_of(data)  # not a single one
    elif protocol == EDGES:
        edges_of(data)
    else:
        refuse_graphs(source.name, data)


def header_of(protocol: str | None, source: Source, data: Any, dim: int, windows: str | None) -> dict[str, Any]:
    """What stands at the top of the file of results."""
    from genurl_graph.evaluation.splits import default_protocol

    header: dict[str, Any] = {"protocol": protocol or default_protocol(data)}
    if protocol == REDUCE:
        header["dim"] = dim
    if protocol == TEMPORAL:
        header["windows"] = windows or "auto"
    return header | ({"command": "compare", **own_header(source)} if source.own is not None else {})


def draw(
    path: Path,
    results: Results,
    maps: dict[str, Any],
    embeddings: Path | None,
    data: "Data",
    report: Report,
) -> None:
    """Draw one 2-d map a method, of seed 0; those of an earlier call come from --embeddings."""
    from genurl_graph.inputs.embeddings import read_embedding
    from genurl_graph.plotting import panel

    found = {}
    for method, row in results.rows().items():
        kept = embeddings / f"{method}.npz" if embeddings else None
        if method not in maps and not (kept and kept.is_file()):
            report.line(f"no 2-d map of {method}: its run is of an earlier call, and --embeddings holds none")
            continue
        points = maps[method] if method in maps or kept is None else read_embedding(kept)["embedding"]
        found[f"{method}\n{summary(row)}"] = points
    if found:
        panel(found, named_labels(data), path=path, title=results.header["dataset"])
        report.files(9, plot=path)
