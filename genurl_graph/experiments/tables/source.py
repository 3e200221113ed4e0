"""Data of a table of runs, of the registry or the user's own: read for its protocol, with its labels and its split."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from genurl_graph.evaluation.edges import figures
from genurl_graph.exceptions import InputError, wrong
from genurl_graph.experiments.edges.source import EDGE_TASK, is_edge_set, wants_edges
from genurl_graph.experiments.sources import Source, is_graph_set, wants_events
from genurl_graph.experiments.temporal import table
from genurl_graph.experiments.triples import methods
from genurl_graph.experiments.triples.source import wants_triples

if TYPE_CHECKING:
    from torch_geometric.data import Data

GRAPHS, REDUCE = "graphs", "reduce"
TEMPORAL, EDGES, TRIPLES = table.PROTOCOL, figures.PROTOCOL, methods.PROTOCOL
# Protocols by the task that is named.
BY_TASK = {"reduce": REDUCE, "graphs": GRAPHS, "temporal": TEMPORAL, "edges": EDGES, "triples": TRIPLES}


def named_protocol(source: Source, task: str, windows: str | None = None) -> str | None:
    """The protocol that the task says, or what is known of the data before they are read; None where nothing is."""
    if task != "auto":
        return BY_TASK.get(task)
    if source.own is not None:
        if wants_triples(source, task):
            return TRIPLES
        if wants_edges(source, task):
            return EDGES
        return TEMPORAL if wants_events(source, task, windows) else None
    from genurl_graph import datasets

    known = datasets.info(str(source.dataset))
    kinds = {GRAPHS: known.n_graphs, TEMPORAL: known.n_events, TRIPLES: known.n_triples}
    kinds[EDGES] = known.task == EDGE_TASK
    return next((kind for kind, count in kinds.items() if count), None)


def own_protocol(data: Any) -> str | None:
    """The protocol of a user's own data that were read: of many graphs, or of vectors; None for one graph."""
    if is_graph_set(data):
        return GRAPHS
    return REDUCE if getattr(data, "edge_index", None) is None else None


def load_for(source: Source, protocol: str | None, *, labelled: bool = False) -> Any:
    """The data as a protocol takes them; with `labelled`, InputError where they have no labels.

    Unless the protocol is about events or typed edges, these come as one graph; edges that are rows are refused.
    """
    graphs, events, edges, triples = (protocol == kind for kind in (GRAPHS, TEMPORAL, EDGES, TRIPLES))
    data = source.load(graphs=graphs, events=events, edges=edges, triples=triples)
    if is_edge_set(data) and protocol != EDGES:
        raise wrong(what_of(source), f"{len(data):,} edges, each a row", "nodes or vectors (of edges: --task edges)")
    if labelled:
        check_labelled(source, data)
    return data


def check_labelled(source: Source, data: Any) -> None:
    """InputError where the data have no labels; of a user's own files it says how to name them."""
    if getattr(data, "y", None) is not None:
        return
    how = "; name their column (--column label=NAME) or their file (--labels FILE)" if source.own is not None else ""
    raise InputError(f"{what_of(source)} has no labels, so there is nothing to evaluate against{how}")


def what_of(source: Source) -> str:
    """The data in a message: the file, or the data set by its name."""
    if source.own is not None:
        return str(source.own)
    return "the prepared folder" if source.dataset is None else f"data set {source.name}"


def source_of(stored: dict[str, Any], data_root: Path | None) -> Source:
    """What a table is about: the user's own files, or a data set by its name."""
    if "source" in stored:
        return Source.recorded(stored["source"], data_root)
    return Source(stored["dataset"], None, data_root=data_root)


def own_header(source: Source) -> dict[str, Any]:
    """What the file of a table says of the user's own files; nothing of a data set, whose name says all."""
    return {} if source.own is None else {"source": source.record()}


def describe_split(protocol: str, data: "Data", repeats: float | None = None) -> str:
    """Which labels are learnt from and which are tested, in words; `repeats` of random splits (their mean), if not all.

    InputError of the protocol "public", where the data do not have its masks.
    """
    from genurl_graph.evaluation.splits import REPEATS, check_masks

    if protocol in REPEATS:
        shares = "10 % training, 90 % test" if protocol == "random-10" else "10 % training, 10 % validation, 80 % test"
        return f"split: random, {repeats or REPEATS[protocol]:.3g} times for each seed: {shares} (protocol {protocol})"
    check_masks(data)
    masks = [getattr(data, f"{part}_mask") for part in ("train", "val", "test")]
    several = max(mask.size(1) if mask.ndim > 1 else 1 for mask in masks)
    if several > 1:
        return f"split: the {several} that come with the data (protocol {protocol})"
    counts = " / ".join(f"{int(mask.sum()):,}" for mask in masks)
    return f"split: the one that comes with the data: {counts} training / validation / test (protocol {protocol})"
