"""What scikit-learn expects of a transformer besides fit and transform, and what `fit` remembers of its input."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn import get_config
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from torch import nn

from genurl_graph.config import Config
from genurl_graph.config.metrics import Distance
from genurl_graph.exceptions import wrong
from genurl_graph.inference.drawing import Drawing
from genurl_graph.inference.fitted import FittedModel
from genurl_graph.inference.inverse import Inverse
from genurl_graph.inference.kinds import OWN_READING, kind_of, read_kind
from genurl_graph.inputs.collection.tables import graphs_of_frames
from genurl_graph.inputs.hetero import as_graph
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.precomputed import as_distances
from genurl_graph.inputs.reading import NOTHING_SAID, Columns, ReadOptions
from genurl_graph.inputs.start import Start, named_start, read_map, read_start
from genurl_graph.inputs.temporal.trajectory import Trajectory
from genurl_graph.runtime.devices import choose_device
from genurl_graph.runtime.processes import agreed
from genurl_graph.runtime.random import RandomState, check_seed, draw_seed, is_source
from genurl_graph.tasks.distillation import student_width
from genurl_graph.tasks.edges import edge_settings, on_line_graph
from genurl_graph.tasks.resolve import collect_settings, feature_options, resolve_config
from genurl_graph.training.checkpoint import Checkpoint


class Conventions(Drawing, Inverse, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore
    """Base of `genurl_graph.estimator.GenURL`, which has the parameters and sets `embedding_` in fit."""

    n_components: int | None
    task: str
    encoder: str | nn.Module
    n_neighbors: int | None
    metric: str | Distance
    epochs: int | None
    device: str
    config: Mapping[str, Any] | str | Path | None
    model_: FittedModel
    scale: bool | Literal["auto"]
    random_state: RandomState
    checkpoint: str | Path | None
    resume: bool
    exaggeration: float | None
    init: Any
    n_epochs: int | None
    windows: str | int | None

    # Until a fit has read something.
    _heard: tuple[type, ReadOptions] = (type(None), NOTHING_SAID)
    _left_out: tuple[Any, ...] = ()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.pairwise = self.metric == "precomputed"
        # Computed in float32 whatever comes in.
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    @property
    def _n_features_out(self) -> int:
        return int(self.embedding_.size(1))

    def _input(self, X: Any, options: ReadOptions = NOTHING_SAID, teacher: Any = None, previous: Any = None) -> Input:
        if self.metric == "precomputed":
            if options.given():
                raise wrong("as_, columns, directed", "metric precomputed", "none of them: X holds distances")
            found = as_distances(X)
            return found._replace(measured={}, start=self._start(found, previous))
        own = isinstance(self.encoder, nn.Module) or isinstance(teacher, nn.Module) or self.task == "images"
        how = feature_options(self.config, self.scale, own)
        kind = kind_of(X, self.task, options, self.windows)
        if kind is not None:
            if previous is not None or not (self.init is None or isinstance(self.init, str)):
                raise wrong("init", f"coordinates for {OWN_READING[kind]}", "none: their encoder is a network")
            found = read_kind(X, kind, options, how)._replace(measured={})
            return on_line_graph(found, edge_settings(collect_settings(self.config))) if kind == "edges" else found
        found = as_graph(X, features=how, options=options)
        return found._replace(measured={}, start=self._start(found, previous))

    def _start(self, found: Input, previous: Any) -> Start | None:
        if previous is not None:
            return read_map(previous, found.names, found.num_nodes)
        return read_start(self.init, found.names, found.num_nodes)

    def _read(self, X: Any, options: ReadOptions, teacher: Any = None, previous: Any = None) -> Input:
        """The input of a fit, of which the model keeps the names, the reading and what the user said."""
        if options.names("graph"):
            X, options = graphs_of_frames(X, options), NOTHING_SAID
        data = self._input(X, options, teacher, previous)
        frame, self._left_out = isinstance(X, pd.DataFrame), ()
        if frame:
            # New rows are read as these were.
            options = replace(options, reading=options.reading or "edges" if data.has_edges else "vectors")
        self._heard = (type(X), options)
        if data.has_edges:
            # The columns of a table of edges are not compared later.
            self._see_columns(None, reset=True)
        else:
            told = data.reading.record.get("vectors", {})
            names = {*told.get("left_out", ()), told.get("id"), told.get("label")}
            self._left_out = tuple(name for name in X.columns if str(name) in names) if frame else ()
            self._see_columns(X.drop(columns=[*self._left_out]) if self._left_out else X, reset=True)
        self.node_id_ = np.arange(data.num_nodes) if data.names is None else data.names
        self.reading_ = data.reading.lines
        return data

    def _take(self, fitted: FittedModel) -> None:
        """A loaded model, and what it knows of the tables that it was fitted on."""
        self.model_, self.n_features_in_, plan = fitted, fitted.n_features_in, fitted.plan
        if fitted.facts is not None:
            self.node_id_ = fitted.facts.entity_names
        if fitted.time is not None:
            names = fitted.time.names
            self.node_id_ = np.arange(len(fitted.embedding)) if names is None else np.array(names, dtype=object)
        if plan is not None and plan.named:
            self.feature_names_in_ = np.array([column.name for column in plan.columns], dtype=object)
            if self.model_.config.task not in ("graph", *OWN_READING):
                self._heard = (pd.DataFrame, ReadOptions("vectors"))
        elif fitted.config.task == "graph" and fitted.n_features == 0:
            self._heard = (pd.DataFrame, ReadOptions("edges"))

    def _said(self, X: Any, as_: str | None, columns: Columns, directed: bool | None) -> ReadOptions:
        """What the user says of new samples, or said of the fitted ones if these came in the same form."""
        options = ReadOptions.of(as_, columns, directed=directed)
        kind, heard = self._heard
        if (kind is type(X) or self.model_.config.task in OWN_READING) and not options.given():
            return heard
        # A model that was loaded heard nothing.
        vectors = isinstance(X, pd.DataFrame) and options.reading is None and self.model_.config.task == "reduce"
        return replace(options, reading="vectors") if vectors else options

    def _see_columns(self, X: Any, reset: bool) -> None:
        """Keep (`reset`), or compare with those of the fit, number and names of the columns of arrays and tables.

        Graphs and tensors have none that scikit-learn knows of.
        """
        from sklearn.utils.validation import validate_data

        if hasattr(X, "shape") and not hasattr(X, "layout") and len(X.shape) == 2:
            validate_data(self, X, reset=reset, skip_check_array=True)
        elif reset and hasattr(self, "feature_names_in_"):
            del self.feature_names_in_

    def _features_of(self, X: Any, options: ReadOptions) -> Any:
        """New samples without the columns that were left out in the fit; the others are compared with those of it."""
        if options.reading in ("edges", "adjacency") or self.model_.config.task in ("temporal", "edges", "triples"):
            return X
        if isinstance(X, pd.DataFrame):
            plan = self.model_.plan
            left_out = [name for name in self._left_out if name in X]
            X = X.drop(columns=left_out) if left_out else X
            if plan is not None and plan.named:
                return X  # it finds its columns by their names
            names = [*getattr(self, "feature_names_in_", ())]
            X = X[names] if names and sorted(map(str, X.columns)) == sorted(names) else X
        self._see_columns(X, reset=False)
        return X

    def _named(self, z: Any, X: Any, names: Any) -> Any:
        """An embedding as a DataFrame by the names of the nodes, if scikit-learn is to answer in pandas."""
        output = getattr(self, "_sklearn_output_config", {}).get("transform", get_config()["transform_output"])
        if output != "default" and isinstance(z, Trajectory):  # scikit-learn would wrap the first part of it
            raise wrong(f"set_output, transform={output!r}", "a trajectory, which is no table", "default")
        if output == "pandas" and self.model_.config.task == "graphs":
            z, names = np.asarray(z), range(len(z)) if names is None else names
        if names is None:
            names = None if not isinstance(X, pd.DataFrame) or len(X) == len(z) else range(len(z))
        if output != "pandas" or names is None or not isinstance(z, np.ndarray):
            return z
        return pd.DataFrame(z, index=names, columns=self.get_feature_names_out())

    def _epochs(self) -> int | None:
        if self.epochs is not None and self.n_epochs is not None:
            raise wrong("epochs", f"{self.epochs}, and n_epochs {self.n_epochs}", "one of them: both mean the same")
        return self.n_epochs if self.epochs is None else self.epochs

    def _resolve(self, data: Input, teacher: Any = None) -> Config:
        task = "distill" if self.task == "auto" and teacher is not None else self.task
        module = isinstance(self.encoder, nn.Module)
        if teacher is not None and task != "distill":
            raise wrong("teacher", f"one for the task {task}", "task distill (or auto)")
        if module and task not in ("distill", "images"):
            raise wrong("encoder", f"a module for the task {task}", "a name, or the task distill or images")
        arguments = self.arguments() | {"encoder.dim": student_width(self.encoder, self.n_components, data)}
        return resolve_config(data, task, self.config, arguments, choose_device(self.device))

    def arguments(self) -> dict[str, Any]:
        """What the parameters ask for beside `config`, by dotted name; None where they leave it to the preset."""
        return {
            "encoder.dim": self.n_components,
            "encoder.name": "module" if isinstance(self.encoder, nn.Module) else self.encoder,
            "neighbors.n_neighbors": self.n_neighbors,
            "neighbors.metric": None if self.metric == "auto" else self.metric,
            "training.epochs": self._epochs(),
            "loss.exaggeration": self.exaggeration,
            "encoder.init": named_start(self.init),
            "temporal.windows": None if self.windows is None else str(self.windows),
        }

    def _seed(self) -> int:
        given = self.random_state
        if not isinstance(given, bool) and isinstance(given, numbers.Integral):
            return check_seed(given)
        if self.resume and self.checkpoint is not None and is_source(given):
            # The seed that the interrupted run drew.
            return check_seed(Checkpoint(self.checkpoint, {}).stored_run().get("seed"))
        return int(agreed(draw_seed(given)))
