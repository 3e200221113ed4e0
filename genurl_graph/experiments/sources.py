"""What is embedded, a data set of the registry or the user's own files; and what is written of a run on it."""

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

from genurl_graph.exceptions import wrong
from genurl_graph.experiments.edges.source import is_edge_set
from genurl_graph.experiments.environment import environment, hardware, peak_mb, versions
from genurl_graph.experiments.triples.source import describe_triples, is_triple_set, triple_record
from genurl_graph.inputs.reading import ReadOptions

if TYPE_CHECKING:
    from torch import Tensor
    from torch_geometric.data import Data

    from genurl_graph.estimator import GenURL
    from genurl_graph.inputs.collection.graph_set import GraphSet
    from genurl_graph.inputs.temporal.event_set import EventSet

# As `genurl_graph.inputs.temporal.event_set` says it.
ONE_GRAPH = "read as one graph"


class Source(NamedTuple):
    """A data set by its name, or the files of `own` data."""

    dataset: str | None
    own: Path | None
    features: Path | None = None
    labels: Path | None = None
    data_root: Path | None = None
    backbone: str | None = None
    options: ReadOptions = ReadOptions()

    @property
    def name(self) -> str:
        """The canonical name of the data set, or the file's own without its suffix."""
        if self.own is not None:
            return self.own.stem
        from genurl_graph import datasets

        assert self.dataset is not None
        return datasets.info(self.dataset).name

    def load(
        self,
        progress: bool = False,
        settings: Mapping[str, Any] | str | Path | None = None,
        *,
        graphs: bool = False,
        events: bool = False,
        edges: bool = False,
        triples: bool = False,
    ) -> Any:
        """The data, images as the backbone's features where one is named.

        `settings`, by dotted names or as a file, are those of the run: those of the stage input say what becomes of
        feature columns (by default the options of reading do). Where whole `graphs` are wanted, a file with a single
        one holds one. Where `events` with a time are, the column of times need not be named; where they are not, events
        come as one graph. With `edges`, each edge of a file is a row. `triples` are typed edges; where they are not
        wanted, they come as one graph as well.
        """
        from genurl_graph import datasets

        if self.own is not None:
            said = (self if settings is None else self.with_settings(settings)).options
            if graphs:
                from genurl_graph.datasets.readers import read_graphs

                return read_graphs(self.own, self.features, self.labels, said)
            if events:
                from genurl_graph.datasets.readers import read_events

                return read_events(self.own, self.features, self.labels, said)
            if edges:
                from genurl_graph.datasets.readers import read_edge_rows

                return read_edge_rows(self.own, self.features, self.labels, said)
            if triples:
                from genurl_graph.datasets.readers import read_triples

                return read_triples(self.own, self.features, self.labels, said)
            data = datasets.read(self.own, self.features, self.labels, **said.given())
        else:
            assert self.dataset is not None
            data = datasets.load(self.dataset, self.data_root)
        data = data if events or triples else as_one_graph(data, self.options.directed is True)
        return backbone_features(self.backbone, data, progress)

    def with_settings(self, settings: Mapping[str, Any] | str | Path | None) -> "Source":
        """The same, its own files to be read as the stage input of the settings says."""
        from genurl_graph.tasks.resolve import feature_options

        how = feature_options(settings)
        return self._replace(options=dataclasses.replace(self.options, scale=how.scale, text=how.text))

    def record(self) -> dict[str, Any]:
        """What finds the same data again; `recorded` takes it back. The data root is left to the machine."""
        files = {"input": self.own, "features": self.features, "labels": self.labels}
        found: dict[str, Any] = {"dataset": None if self.dataset is None else self.name, "backbone": self.backbone}
        found |= {key: None if path is None else str(path.resolve()) for key, path in files.items()}
        return found | {"read": self.options.given()}

    @classmethod
    def recorded(cls, record: dict[str, Any], data_root: Path | None) -> "Source":
        """The source that `record` describes; earlier versions recorded no options of reading."""
        own, features, labels = (
            Path(name) if (name := record[key]) else None for key in ("input", "features", "labels")
        )
        options = ReadOptions.of(**record.get("read", {}))
        return cls(record["dataset"], own, features, labels, data_root, record.get("backbone"), options)


def backbone_features(backbone: str | None, data: Any, progress: bool = False) -> Any:
    """Images with the features that a network of timm's gives them in place of pixels; without a name, `data`."""
    if backbone is None:
        return data
    from genurl_graph.inputs.images import image_shape
    from genurl_graph.nn.pretrained import features_of, timm_backbone

    if is_graph_set(data) or data.x is None:
        raise wrong("--backbone", "no images", "a folder of images, files of MNIST's format or pixels")
    shape = getattr(data, "image_shape", None) or image_shape("auto", data.x.size(1))
    seen = data.clone()
    seen.image_shape = shape
    seen.x = features_of(timm_backbone(backbone, shape[2]), seen, progress=progress)
    del seen.image_shape
    return seen


def as_one_graph(data: Any, directed: bool = False) -> Any:
    """Events with a time, and typed edges, as one graph without times and types; anything else as it is."""
    return data.graph(directed) if is_event_set(data) or is_triple_set(data) else data


def is_graph_set(data: Any) -> "TypeGuard[GraphSet]":
    """Whether `data` holds whole graphs, each of which is a row of an embedding."""
    # Loaded late: --help needs no torch.
    from genurl_graph.inputs.collection.graph_set import GraphSet

    return isinstance(data, GraphSet)


def is_event_set(data: Any) -> "TypeGuard[EventSet]":
    """Whether `data` holds events with a time."""
    from genurl_graph.inputs.temporal.event_set import EventSet

    return isinstance(data, EventSet)


def wants_events(source: Source, task: str, windows: str | None = None) -> bool:
    """Whether a run looks at the times of edges: its task says so or, with "auto", windows or times are named."""
    if task != "auto" or windows is not None:
        return task in ("auto", "temporal")
    if source.own is not None:
        return bool(source.options.names("time"))
    from genurl_graph import datasets

    assert source.dataset is not None
    return datasets.info(source.dataset).n_events > 0


def refuse_graphs(name: str, data: Any) -> None:
    """InputError for many graphs, where a command takes nodes or vectors."""
    if is_graph_set(data):
        raise wrong(f"data set {name}", f"{len(data):,} graphs", "one graph, or vectors (of many graphs: embed)")


def describe(name: str, data: Any) -> str:
    """One line on what came in."""
    if is_triple_set(data):
        return f"{name}: {describe_triples(data)}"
    if is_event_set(data):
        from genurl_graph.inputs.temporal.event_set import describe_events

        return f"{name}: {describe_events(data)}"
    parts = [f"{data.num_nodes:,} {'samples' if getattr(data, 'edge_index', None) is None else 'nodes'}"]
    if is_graph_set(data):
        from genurl_graph.inputs.collection.graph_set import describe_graphs

        parts = [describe_graphs(data)]
    if is_edge_set(data):
        parts = ["a row for each edge"]
    elif n_edges(data):
        from genurl_graph.inputs.edges import describe_edges as count_edges

        parts.append(count_edges(data.edge_index))
    parts.append(f"{n_features(data):,} features" if n_features(data) else "no features")
    y = getattr(data, "y", None)
    parts.append("no labels" if y is None else describe_classes(y))
    if is_edge_set(data):
        from genurl_graph.inputs.edge_rows.edge_set import describe_edges

        parts[-1] += f"; {describe_edges(data)}"
    return f"{name}: {', '.join(parts)}"


def describe_classes(y: "Tensor") -> str:
    """How many classes labels have, and how many rows have none."""
    classes, bare = len(set(y[y >= 0].tolist())), int((y < 0).sum())
    told = f"{classes} class{'' if classes == 1 else 'es'}"
    return f"{told} ({bare:,} without)" if bare else told


def read_lines(source: Source, data: Any) -> list[str]:
    """What was read, for the user: of own files what they were read as, of a data set what it has."""
    found = getattr(data, "reading", None)
    lines = [] if found is None else [*found.lines]
    if source.own is not None and lines:
        return lines
    # How the files of a data set are read is not asked; that times or types are left out of one graph is.
    return [describe(source.name, data), *(line for line in lines if line.startswith(ONE_GRAPH))]


def read_record(data: Any) -> dict[str, Any] | None:
    """The same for a program; None where nobody had to find out what a file is."""
    found = getattr(data, "reading", None)
    return None if found is None else {"lines": list(found.lines), **found.record}


def n_edges(data: Any) -> int:
    """Columns of `edge_index`, each direction of an edge apart, pairs of events, or triples; 0 for a plain matrix."""
    if is_graph_set(data):
        return data.collection.num_edges
    if is_event_set(data):
        return int(data.edges.pairs().size(1))
    if is_edge_set(data):
        return len(data)
    if is_triple_set(data):
        return len(data.triples)
    return 0 if getattr(data, "edge_index", None) is None else int(data.edge_index.size(1))


def n_features(data: Any) -> int:
    """Number of feature columns; 0 without features."""
    if is_graph_set(data):
        data = data.collection
    return 0 if getattr(data, "x", None) is None else int(data.x.size(1))


def named_labels(data: Any) -> Any:
    """Labels by name where they have names ("" for none), else as numbers; None without labels."""
    y, names = getattr(data, "y", None), getattr(data, "label_names", None)
    return y if y is None or names is None else [names[code] if code >= 0 else "" for code in y.tolist()]


def write_embedding(path: Path, embedding: "Tensor", data: Any, *, own_file: bool) -> None:
    """Write the embedding; from a user's own file, labels come out under the names they came in with."""
    from genurl_graph.inputs import embeddings

    label = named_labels(data) if own_file else getattr(data, "y", None)
    embeddings.write_embedding(path, embedding, node_id=getattr(data, "node_id", None), label=label)


def write_result(path: Path, estimator: "GenURL", data: Any, *, own_file: bool) -> dict[str, Path]:
    """Write what a fit has found; the files by what they hold."""
    z, label = estimator.embedding_, named_labels(data) if own_file else getattr(data, "y", None)
    files = {f"embedding {z.size(0):,} x {z.size(1)}": path}
    if is_triple_set(data):
        from genurl_graph.experiments.triples.embedding import write_triples

        return files | write_triples(path, estimator, data, label)
    if is_edge_set(data):
        from genurl_graph.inputs.edge_rows.files import write_edge_embedding

        write_edge_embedding(path, z, data.edges, label)
        return files
    if not is_event_set(data):
        write_embedding(path, z, data, own_file=own_file)
        return files
    from genurl_graph.inputs.temporal.trajectory_files import trajectory_path, write_trajectory

    found = estimator.trajectory_
    write_trajectory(path, z, found, data.node_id, label, data.unit)
    return files | {f"trajectory {len(found.node):,} x {z.size(1)}": trajectory_path(path)}


def teacher_features(path: Path, data: "Data") -> "Tensor":
    """A teacher's features of the samples, out of a file or by a saved model."""
    import torch

    from genurl_graph.estimator import GenURL
    from genurl_graph.inputs.embeddings import read_embedding

    if not path.is_dir():
        return torch.from_numpy(read_embedding(path)["embedding"])
    found: Tensor = GenURL.load(path).transform(data)
    return found


def run_metrics(
    source: Source,
    data: Any,
    estimator: "GenURL",
    scores: dict[str, Any],
    seconds: dict[str, float],
    run: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Contents of the metrics file of one run; scripts rely on these keys, and ``rerun`` on the last ones.

    `run` is what else a repetition needs to know.
    """
    from genurl_graph.experiments.temporal.embedding import event_record
    from genurl_graph.training.checkpoint import checksum

    processes = int(os.environ.get("WORLD_SIZE", "1"))
    return {
        "dataset": source.name,
        "task": estimator.task_,
        **({"n_graphs": len(data)} if is_graph_set(data) else {}),
        **(event_record(data, estimator.trajectory_) if is_event_set(data) else {}),
        **(triple_record(data) if is_triple_set(data) else {}),
        "n_nodes": data.collection.num_nodes if is_graph_set(data) else data.num_nodes,
        "n_edges": n_edges(data),
        "n_features": n_features(data),
        "reading": read_record(data),
        "dim": estimator.embedding_.shape[1],
        "seed": estimator.seed_,
        "device": estimator.device_,
        "seconds": {key: round(value, 3) for key, value in seconds.items()},
        "peak_memory_mb": round(peak_mb(), 1),
        "loss": estimator.loss_history_[-1],
        "graph": dict(estimator.graph_summary_),
        **scores,
        "config": estimator.config_.to_dict(),
        "versions": versions(),
        "embedding_crc32": checksum(estimator.embedding_),
        "run": {"command": "embed", **source.record(), "processes": processes, **(run or {})},
        "environment": environment(data, estimator.device_),
        "hardware": hardware(estimator.device_),
    }
