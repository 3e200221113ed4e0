"""Load a data set of the registry; nothing is ever written beside its raw files."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from genurl_graph.datasets.download import ensure_files
from genurl_graph.datasets.edge_rows.roads import load_roads
from genurl_graph.datasets.events import read_events
from genurl_graph.datasets.ogb import read_ogb, read_ogb_links
from genurl_graph.datasets.planted_knowledge import load_planted as load_planted_knowledge
from genurl_graph.datasets.planted_switching import load_planted
from genurl_graph.datasets.python_modules.graph import load_python_modules
from genurl_graph.datasets.readers.checks import as_features, check_graph, encode_labels
from genurl_graph.datasets.readers.images import load_idx
from genurl_graph.datasets.readers.sparse_parts import adjacency_edges, csr_from_arrays, to_sparse_tensor
from genurl_graph.datasets.readers.triples import read_triple_table
from genurl_graph.datasets.registry import DatasetInfo, data_root, info, stored
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.collection.graph_set import GraphFacts, GraphSet, as_collection_of
from genurl_graph.inputs.edge_rows.edge_set import EdgeSet
from genurl_graph.inputs.safe_load import load_archive
from genurl_graph.inputs.temporal.event_set import EventSet
from genurl_graph.inputs.triples import TripleSet
from genurl_graph.inputs.triples.tables import read_triple_tables

if TYPE_CHECKING:
    from torch_geometric.data import Data


def load(name: str, root: str | os.PathLike[str] | None = None, *, large_download: bool = False) -> Any:
    """Load a data set by name; raw files that are missing are downloaded into the data root.

    Parameters
    ----------
    name
        Name or alias of the registry (`genurl_graph.datasets.names`), in any case.
    root
        Data root; ``$GENURL_DATA``, else the user's cache folder, by default. Its layout is that of PyG's raw
        folders.
    large_download
        Also start downloads above 1 GB.

    Returns
    -------
    Data, GraphSet, EventSet, EdgeSet or TripleSet
        One graph, vectors or images are a `Data`:

        * x float32 [n, f], dense or `torch.sparse_csr` (bags of words of Amazon, Coauthor and CitationFull, which are
          binary as in PyG). Grey values lie in [0, 1]; nothing else is normalised. Karate has no x.
        * edge_index int64 [2, E]: undirected where PyG makes it so, directed for WebKB, Actor and python-modules,
          absent for vectors and images. edge_weight float32 [E] for karate.
        * y int64 [n], -1 for a module of python-modules without a family. label_names: names of the classes, if known.
        * train_mask, val_mask, test_mask, boolean [n] or [n, splits], if the data set defines them (MNIST-all and
          Fashion-MNIST-all: train and test).
        * name: the canonical name.

        Whole graphs are a `genurl_graph.inputs.collection.graph_set.GraphSet`: kinds of nodes and edges as one-hot
        rows, without attributes of nodes (as in PyG), y int64 [G]. Events are an
        `genurl_graph.inputs.temporal.EventSet`, with their directions and weights. Edges as rows are an
        `genurl_graph.inputs.edge_rows.EdgeSet`. Typed edges are a `genurl_graph.inputs.triples.TripleSet`, with the
        split that they came with.

    Raises
    ------
    InputError
        If the name is unknown, or files are missing and cannot be downloaded, or they cannot be read.
    """
    entry = info(name)
    folder = data_root(root)
    ensure_files(entry, folder, large=large_download)
    try:
        with warnings.catch_warnings():
            # Pickles of 2016 and a beta notice of torch: nothing the user could act upon.
            warnings.filterwarnings("ignore", message=".*(align|Sparse CSR tensor support|scipy.sparse.csr).*")
            data = LOADERS[entry.loader](entry, folder)
    except (InputError, MemoryError, ImportError):
        raise
    except Exception as error:  # third-party parsers raise anything on a damaged file
        raise InputError(
            f"data set {entry.name}: the files in {folder / entry.folder} cannot be read "
            f"({type(error).__name__}: {error}); delete them to have them downloaded again"
        ) from error
    data.name = entry.name
    named = bool(entry.classes) and not isinstance(data, GraphSet | EventSet | EdgeSet | TripleSet)
    if named and data.y is not None:
        data.label_names = _class_names(entry, data.y)
    return data


def _class_names(entry: DatasetInfo, y: Tensor) -> list[str] | None:
    # Files of the same names may hold another data set.
    return [*entry.classes] if entry.classes and int(y.max()) < len(entry.classes) else None


def _load_planetoid(entry: DatasetInfo, root: Path) -> Data:
    from torch_geometric.io import read_planetoid_data

    (prefix,) = entry.pyg
    for file in entry.files:
        if not file.endswith("test.index"):
            check_pickle(root / file)
    data: Data = read_planetoid_data(str(root / entry.folder), prefix)
    return data


def _load_npz(entry: DatasetInfo, root: Path) -> Data:
    from torch_geometric.data import Data
    from torch_geometric.utils import remove_self_loops, to_undirected

    (file,) = (root / file for file in entry.files)
    try:
        archive = load_archive(file)
        adjacency = csr_from_arrays(archive, "adj_", str(file))
        attributes = csr_from_arrays(archive, "attr_", str(file))
        y = torch.from_numpy(archive["labels"].astype(np.int64))
    except (KeyError, ValueError) as error:
        raise InputError(f"{file}: damaged ({error}); delete it to have it downloaded again") from error
    attributes.eliminate_zeros()
    attributes.data = (attributes.data > 0).astype(np.float32)  # presence of a word, as PyG has it
    edge_index, _ = remove_self_loops(adjacency_edges(adjacency)[0])
    return Data(x=to_sparse_tensor(attributes), edge_index=to_undirected(edge_index, num_nodes=len(y)), y=y)


def _load_pyg(entry: DatasetInfo, root: Path) -> Data:
    import torch_geometric.datasets

    kind, *arguments = entry.pyg
    options = {"is_undirected": True} if kind == "WikiCS" else {}
    with tempfile.TemporaryDirectory(prefix="genurl-graph-") as scratch:
        # PyG writes processed/ beside raw/. In a scratch folder whose raw/ is a link, that vanishes again.
        inner = Path(scratch) / arguments[0].lower().replace("-", "_") if arguments else Path(scratch)
        inner.mkdir(exist_ok=True)
        (inner / "raw").symlink_to((root / entry.folder).absolute(), target_is_directory=True)
        with contextlib.redirect_stderr(io.StringIO()):  # "Processing... Done!"
            data: Data = getattr(torch_geometric.datasets, kind)(scratch, *arguments, **options)[0]
    return data


def _load_tu(entry: DatasetInfo, root: Path) -> GraphSet:
    from torch_geometric.io import read_tu_data

    prefix = Path(entry.folder).parent.name
    data, slices, widths = read_tu_data(str(root / entry.folder), prefix)
    # As PyG's TUDataset: categories alone, which stand behind the numbers.
    for key, numbers in (("x", widths["num_node_attributes"]), ("edge_attr", widths["num_edge_attributes"])):
        if numbers and data[key] is not None:
            data[key] = data[key][:, numbers:]
    sizes = slices["x"].diff() if "x" in slices else torch.tensor(data._num_nodes)
    begin = (sizes.cumsum(0) - sizes).repeat_interleave(slices["edge_index"].diff())
    y = data.y.view(-1)
    found = as_collection_of(data.edge_index + begin, sizes, data.x, attr=data.edge_attr)
    return GraphSet.of(found, GraphFacts(y=y, label_names=_class_names(entry, y)))


def _load_karate(entry: DatasetInfo, root: Path) -> Data:
    import networkx
    from torch_geometric.data import Data

    graph = networkx.karate_club_graph()
    adjacency = networkx.to_scipy_sparse_array(graph, weight="weight", format="csr")
    edge_index, edge_weight = adjacency_edges(adjacency)
    clubs = [club for _, club in graph.nodes(data="club")]
    label_names = sorted(set(clubs))
    y = torch.tensor([label_names.index(club) for club in clubs])
    return Data(edge_index=edge_index, edge_weight=edge_weight, y=y, num_nodes=len(clubs), label_names=label_names)


def _load_digits(entry: DatasetInfo, root: Path) -> Data:
    from sklearn.datasets import load_digits
    from torch_geometric.data import Data

    digits = load_digits()
    x = torch.from_numpy(digits.data.astype(np.float32) / 16)  # grey values 0..16
    return Data(x=x, y=torch.from_numpy(digits.target.astype(np.int64)))


def _load_vectors(entry: DatasetInfo, root: Path) -> Data:
    from torch_geometric.data import Data

    (file,) = (root / file for file in entry.files)
    try:
        archive = load_archive(file)
        x, y, names = archive["X"], archive["y"], archive["label_names"].tolist()
    except (KeyError, ValueError) as error:
        raise InputError(f"{file}: damaged ({error}); expected X, y and label_names") from error
    data = Data(x=as_features(x, f"{file}: X"), y=encode_labels(y, f"{file}: y")[0], label_names=names)
    return check_graph(data, str(file))


def _load_triples(entry: DatasetInfo, root: Path) -> TripleSet:
    train, valid, test = (read_triple_table(found) for file in entry.files if (found := stored(root, file)))
    return read_triple_tables(train, {"valid": valid, "test": test})


LOADERS: dict[str, Callable[[DatasetInfo, Path], Any]] = {
    "planetoid": _load_planetoid,
    "npz": _load_npz,
    "pyg": _load_pyg,
    "tu": _load_tu,
    "ogb-node": read_ogb,
    "ogb-link": read_ogb_links,
    "karate": _load_karate,
    "digits": _load_digits,
    "python-modules": load_python_modules,
    "idx": load_idx,
    "vectors": _load_vectors,
    "events": read_events,
    "planted-switching": load_planted,
    "triples": _load_triples,
    "planted-knowledge": load_planted_knowledge,
    "roads": load_roads,
}

# Constructors of arrays, SciPy's CSR matrices and dictionaries of lists, under their old and new names.
_MODULES = {
    "_reconstruct": ("numpy.core.multiarray", "numpy._core.multiarray"),
    "scalar": ("numpy.core.multiarray", "numpy._core.multiarray"),
    "ndarray": ("numpy",),
    "dtype": ("numpy",),
    "csr_matrix": ("scipy.sparse.csr", "scipy.sparse._csr", "scipy.sparse"),
    "defaultdict": ("collections",),
    "list": ("builtins", "__builtin__"),
    "object": ("builtins", "__builtin__"),
    "_reconstructor": ("copy_reg", "copyreg"),
    "encode": ("_codecs",),
}


class _Checked(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module not in _MODULES.get(name, ()):
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return super().find_class(module, name)


def check_pickle(path: Path) -> None:
    """Refuse a pickle that would build anything but arrays, CSR matrices and containers; no code in it runs."""
    try:
        with open(path, "rb") as file:
            _Checked(file, encoding="latin1").load()
    except MemoryError:
        raise
    except Exception as error:  # a damaged pickle raises anything
        raise InputError(
            f"{path}: expected a pickle of arrays only; nothing in it was run: {type(error).__name__}: {error}"
        ) from error
