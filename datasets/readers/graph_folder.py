"""Folders of graphs, one a file: GraphML, GML, GEXF and other graph formats, or PyG's ``.pt``."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from genurl_graph.datasets.readers.compressed import COMPRESSED, plain_suffix
from genurl_graph.datasets.readers.formats import GRAPH_SUFFIXES, NETWORK_SUFFIXES, find_format, read_file_graph
from genurl_graph.datasets.readers.formats.file_graph import FileGraph, attribute_frame
from genurl_graph.datasets.readers.formats.graph_data import (
    check_options,
    counted,
    find_weights,
    left_out,
    sum_repeats,
)
from genurl_graph.datasets.readers.formats.node_attributes import choose_nodes, find_attribute
from genurl_graph.datasets.readers.graph_lists import read_pt_files
from genurl_graph.datasets.readers.images import SUFFIXES as IMAGES
from genurl_graph.datasets.readers.images import is_idx
from genurl_graph.datasets.readers.node_tables import FEATURE_SUFFIXES, TEXT_SUFFIXES
from genurl_graph.exceptions import wrong
from genurl_graph.inputs.collection.graph_set import GraphFacts, GraphSet, as_collection_of, describe_graphs
from genurl_graph.inputs.collection.tables import edge_features, first_lines
from genurl_graph.inputs.reading import Reading, ReadOptions
from genurl_graph.inputs.tables import names as column_names
from genurl_graph.inputs.tables.labels import read_label_column
from genurl_graph.inputs.tables.table import Table

if TYPE_CHECKING:
    from torch import Tensor

# Formats that hold one graph a file, and files whose content a folder of graphs does not pass over silently.
ONE_A_FILE = (*NETWORK_SUFFIXES, ".pt")
DATA = (*GRAPH_SUFFIXES, *FEATURE_SUFFIXES, *TEXT_SUFFIXES, *IMAGES)
# Files that a message names.
MOST_NAMED = 3


class GraphFiles(NamedTuple):
    """The graphs of a folder.

    Attributes
    ----------
    files : list of Path
        In sorted order.
    kind : str
        The suffix of their format.
    classes : list of str
        Names of the sub-folders, if the files are in these.
    passed : list of str
        Files of the folder that hold no data.
    """

    files: list[Path]
    kind: str
    classes: list[str]
    passed: list[str]


def find_graphs(folder: Path, labels: Path | None = None) -> GraphFiles | None:
    """The graph files of a folder, or of its sub-folders, one a class; None where there are none, or images alone.

    Parameters
    ----------
    folder : Path
    labels : Path, optional
        A table of labels, which may lie among them.

    Raises
    ------
    InputError
        Graphs beside images or tables, or of several formats.
    """
    inner = [each for each in sorted(folder.iterdir()) if each.is_dir() and not each.name.startswith(".")]
    files, kinds, passed = _sorted_out([folder], folder, labels)
    classes: list[str] = []
    if not files and inner:
        files, kinds, passed = _sorted_out([folder, *inner], folder, labels)
        classes = [each.name for each in inner] if files else []
        bare = next((each.name for each in inner if all(file.parent != each for file in files)), None)
        if files and bare is not None:
            raise wrong(folder, f"no graphs in its sub-folder {bare}", "graphs in every sub-folder, one per class")
    if not files:
        return None
    by_kind = {kind: [file for file in kinds if kinds[file] == kind] for kind in dict.fromkeys(kinds.values())}
    if len(by_kind) > 1:
        found = " beside ".join(f"{kind.removeprefix('.')} ({_some(folder, of)})" for kind, of in by_kind.items())
        raise wrong(
            folder, f"files of several kinds: {found}", "graphs of one format alone; labels go by --labels FILE"
        )
    return GraphFiles(files, next(iter(by_kind)), classes, passed)


def read_graph_folder(folder: Path, found: GraphFiles, options: ReadOptions) -> GraphSet:
    """The graphs of a folder, named as their files are.

    Parameters
    ----------
    folder : Path
    found : GraphFiles
    options : ReadOptions
        ``--column`` names attributes: ``feature`` of nodes or edges, ``weight`` of edges, ``label`` of graphs.

    Returns
    -------
    GraphSet
        Labels are the sub-folders, or the attribute of the graphs that the user names, or that is called y, class or
        label.

    Raises
    ------
    InputError
        For any file that cannot be read in full, and attributes that are not there.
    """
    names = _names(folder, found.files)
    if found.kind == ".pt":
        made = read_pt_files(found.files, names, folder, options)
    else:
        graphs = [read_file_graph(file, found.kind) for file in found.files]
        made = as_graph_set(graphs, names, folder, options, labelled=bool(found.classes))
    if found.classes and not options.names("label"):
        codes = [found.classes.index(file.relative_to(folder).parts[0]) for file in found.files]
        line = f"classes from the sub-folders: {', '.join(found.classes)}"
        made = made.told(Reading((line,)), y=torch.tensor(codes), label_names=found.classes)
    passed = (f"left out: {', '.join(found.passed)}",) if found.passed else ()
    return made.told(Reading(passed))


def as_graph_set(
    graphs: Sequence[FileGraph], names: list[str], folder: Path, options: ReadOptions, labelled: bool = False
) -> GraphSet:
    """Graphs of files as one set, their attributes chosen as in `genurl_graph.datasets.readers.formats.graph_data`.

    Where they are `labelled` otherwise, no attribute of theirs is taken for a label unasked.
    """
    where = str(folder)
    check_options(options, where, ("graph", "edges"))
    one = join(graphs, names)
    sizes = torch.tensor([len(graph.ids) for graph in graphs])
    if not len(one.ids):
        raise wrong(where, f"{len(graphs):,} graphs without any nodes", "some nodes")
    one.directed = one.directed if options.directed is None else options.directed
    weight_name, weight = find_weights(one, where, options)
    edges, total, repeats = sum_repeats(one.source, one.target, weight, len(one.ids), one.directed)
    asked = [name for name in options.names("feature") if name not in one.nodes]
    of_edges = [find_attribute(name, one.edges, f"{where}: attribute") for name in asked]
    x, used, facts = _of_nodes(one, where, options, of_edges)
    found = as_collection_of(edges, sizes, x, total)
    if of_edges:
        ends = np.stack([one.source, one.target], axis=1)
        rows = one.edges[of_edges].iloc[first_lines(ends, found.edge_index, one.directed)].reset_index(drop=True)
        attr, told = edge_features(rows, where)
        found, facts = found._replace(edge_attr=attr), dataclasses.replace(facts, edge_table=rows)
        used["told"] = (*used["told"], *told.lines)
    y, label_names, label = _labels(graphs, names, where, options, labelled)
    made = GraphSet.of(found, dataclasses.replace(facts, names=names, y=y, label_names=label_names))
    told_of, left = left_out(one, used, weight_name, options, labels=False)
    count = edges.size(1) if one.directed else int((edges[0] <= edges[1]).sum())
    parts = [describe_graphs(made), f"{count:,} edges ({'directed' if one.directed else 'undirected'})"]
    parts += [f"{counted(repeats, 'repeated edge')} summed"] if repeats else []
    parts += [f"weights from {weight_name}"] if weight_name else []
    parts += [f"classes from {label}"] if label else []
    parts += [f"features from {', '.join(used['feature'])}"] if used["feature"] else []
    line = (
        f"read {folder.name if len(graphs) > 1 else names[0]} as graphs ({one.kind}, one per file): {', '.join(parts)}"
    )
    record = {"file": folder.name, "format": one.kind, "as": "graphs", "graphs": len(graphs), "nodes": len(one.ids)}
    record |= {"edges": count, "directed": one.directed, "repeated": repeats, "weight": weight_name, "label": label}
    record |= {"features": [*used["feature"], *of_edges], "left_out": left}
    return made.told(Reading(("; ".join([line, *one.notes, *told_of]), *used["told"]), {"input": record}))


def join(graphs: Sequence[FileGraph], names: Sequence[str]) -> FileGraph:
    """One graph of all, whose nodes are called ``graph/node``."""
    sizes = [len(graph.ids) for graph in graphs]
    begin = np.cumsum([0, *sizes[:-1]])
    notes = Counter(note for graph in graphs for note in dict.fromkeys(graph.notes))
    told = [note if times == len(graphs) else f"{note} (in {times:,} of the files)" for note, times in notes.items()]
    directed = {graph.directed for graph in graphs}
    if len(directed) > 1:
        told.append("some graphs are directed and some are not: all are read as undirected")
    first = graphs[0]
    return FileGraph(
        first.kind,
        np.concatenate([graph.source + start for graph, start in zip(graphs, begin, strict=True)]),
        np.concatenate([graph.target + start for graph, start in zip(graphs, begin, strict=True)]),
        directed == {True},
        [f"{name}/{node}" for graph, name in zip(graphs, names, strict=True) for node in graph.ids],
        pd.concat([graph.nodes for graph in graphs], ignore_index=True),
        pd.concat([graph.edges for graph in graphs], ignore_index=True),
        first.weight_names,
        first.names_only,
        told,
        [*dict.fromkeys(name for graph in graphs for name in graph.layout)],
    )


def _of_nodes(
    one: FileGraph, where: str, options: ReadOptions, of_edges: Sequence[str]
) -> tuple[Tensor | None, dict[str, Any], GraphFacts]:
    """Features of the nodes of all graphs; names and classes of nodes mean nothing here."""
    from torch_geometric.data import Data

    data = Data(num_nodes=len(one.ids))
    features = tuple(name for name in options.names("feature") if name in one.nodes)
    columns = {**options.columns, "feature": features, "label": ()}
    used = choose_nodes(one, data, where, dataclasses.replace(options, columns=columns))
    used["edge"] = of_edges
    return data.get("x"), used, GraphFacts(table=data.get("feature_table"), plan=data.get("feature_plan"))


def _labels(
    graphs: Sequence[FileGraph], names: Sequence[str], where: str, options: ReadOptions, labelled: bool
) -> tuple[Tensor | None, list[str] | None, str | None]:
    """Labels of the graphs by one of their own attributes, and its name."""
    frame = attribute_frame([graph.own for graph in graphs])
    said = options.names("label")
    label: str | None = find_attribute(said[0], frame, f"{where}: attribute of the graphs") if said else None
    if label is None and not labelled:
        named = [name for name in frame if column_names.is_label(name) and not frame[name].isna().any()]
        label = named[0] if len(named) == 1 and 1 < frame[named[0]].nunique() < len(frame) else None
    if label is None:
        return None, None, None
    y, label_names, _ = read_label_column(Table(where, frame, True, lambda row: f"graph {names[row]!r}"), label)
    return y, label_names, label


def _sorted_out(
    folders: Sequence[Path], top: Path, labels: Path | None
) -> tuple[list[Path], Mapping[Path, str], list[str]]:
    """Graphs in some folders, the kind of every file with data (images "images", tables ""), and what has none."""
    graphs, kinds, passed = [], dict[Path, str](), []
    for file in (each for folder in folders for each in sorted(folder.iterdir()) if each.is_file()):
        if file.name.startswith(".") or (labels is not None and labels.exists() and file.samefile(labels)):
            continue
        suffix = file.suffix.lower()
        kind = "images" if suffix in IMAGES else find_format(file)
        if kind in ONE_A_FILE:
            graphs.append(file)
            kinds[file] = kind
        elif kind is not None or is_idx(file) or plain_suffix(file) in DATA:
            kinds[file] = kind or plain_suffix(file)
        else:
            passed.append(str(file.relative_to(top)))
    return graphs, kinds, passed


def _names(folder: Path, files: Sequence[Path]) -> list[str]:
    """Names of the graphs: those of their files without suffixes, unless two would share one."""
    short = [str(file.relative_to(folder).with_name(_stem(file))) for file in files]
    return short if len({*short}) == len(short) else [str(file.relative_to(folder)) for file in files]


def _stem(file: Path) -> str:
    return Path(file.stem).stem if file.suffix.lower() in COMPRESSED else file.stem


def _some(folder: Path, files: Sequence[Path]) -> str:
    shown = ", ".join(str(file.relative_to(folder)) for file in files[:MOST_NAMED])
    return f"{shown}, ..." if len(files) > MOST_NAMED else shown
