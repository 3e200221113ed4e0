"""What kind of data a fit is given: nodes or vectors, whole graphs, events with a time, edges, or typed edges."""

from __future__ import annotations

from typing import Any

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.collection.convert import as_collection, is_collection
from genurl_graph.inputs.columns import FeatureOptions
from genurl_graph.inputs.edge_rows.convert import as_edges, is_edge_rows
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.temporal.convert import as_events, is_events
from genurl_graph.inputs.triples.convert import as_triples, is_triples

# Task to what it embeds, of inputs that are read in their own way.
OWN_READING = {"graphs": "whole graphs", "temporal": "events", "edges": "edges", "triples": "entities"}


def kind_of(X: Any, task: str, options: ReadOptions, windows: Any) -> str | None:
    """The task (one of `OWN_READING`) whose input `X` is; None for nodes and vectors.

    Parameters
    ----------
    X : object
    task : str
        As the user says it; "auto": what `X` is, or what columns of it are named, decides.
    options : ReadOptions
    windows : int, str or None
        Of time, where the user names them.

    Raises
    ------
    InputError
        Windows of time for a task that has none.
    """
    if windows is not None and task not in ("auto", "temporal"):
        raise wrong("windows", f"task {task}", "task temporal, or auto: of events with a time")
    if task != "auto":
        return task if task in OWN_READING else None
    if is_edge_rows(X) or options.reading == "edge-rows":
        return "edges"
    if is_triples(X) or options.reading == "triples":
        return "triples"
    if is_events(X) or options.names("time") or windows is not None:
        return "temporal"
    return "graphs" if is_collection(X) else None


def read_kind(X: Any, kind: str, options: ReadOptions, how: FeatureOptions) -> Input:
    """`X` as input of the task `kind`; edges do not have their line graph yet (`genurl_graph.tasks.edges`).

    InputError as of the function that reads it.
    """
    if kind == "graphs":
        return as_collection(X, options, how, how)
    read = {"temporal": as_events, "edges": as_edges, "triples": as_triples}[kind]
    return read(X, options, how)
