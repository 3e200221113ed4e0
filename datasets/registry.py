"""The data sets known by name: one entry each, with size, origin, licence, citation and raw files.

Nothing heavy is imported here, so that listing the data sets needs no torch.
"""

import difflib
import os
import re
from pathlib import Path

from genurl_graph.datasets.entry import DatasetInfo, Size
from genurl_graph.datasets.vector_entries import VECTORS
from genurl_graph.exceptions import InputError

NODES = "node classification"

_YANG = "Yang, Cohen, Salakhutdinov: Revisiting Semi-Supervised Learning with Graph Embeddings, ICML 2016"
_SHCHUR = "Shchur et al.: Pitfalls of Graph Neural Network Evaluation, arXiv:1811.05868, 2018"
_BOJCHEVSKI = "Bojchevski, Günnemann: Deep Gaussian Embedding of Graphs, ICLR 2018"
_MERNYEI = "Mernyei, Cangea: Wiki-CS: A Wikipedia-Based Benchmark for Graph Neural Networks, arXiv:2007.02901, 2020"
_PEI = "Pei et al.: Geom-GCN: Geometric Graph Convolutional Networks, ICLR 2020"
_PLATONOV = "Platonov et al.: A Critical Look at the Evaluation of GNNs under Heterophily, ICLR 2023"
_HU = "Hu et al.: Open Graph Benchmark: Datasets for Machine Learning on Graphs, NeurIPS 2020"
_ZACHARY = "Zachary: An Information Flow Model for Conflict and Fission in Small Groups, J. Anthropol. Res., 1977"

_PLANETOID = "https://github.com/kimiyoung/planetoid/raw/master/data/"
_GNN_BENCHMARK = "https://github.com/shchur/gnn-benchmark/raw/master/data/npz/"
_GRAPH2GAUSS = "https://github.com/abojchevski/graph2gauss/raw/master/data/"
_WIKICS = "https://github.com/pmernyei/wiki-cs-dataset/raw/master/dataset/"
_GEOM_GCN = "https://raw.githubusercontent.com/graphdml-uiuc-jlu/geom-gcn/master/"
_HETEROPHILOUS = "https://github.com/yandex-research/heterophilous-graphs/raw/main/data/"
_OGB = "http://snap.stanford.edu/ogb/data/"


# Planetoid's files number the classes only. No two have as many papers, so the published counts name them: 351, 217,
# 418, 818, 426, 298 and 180.
_CORA = (
    *("Theory", "Reinforcement Learning", "Genetic Algorithms", "Neural Networks", "Probabilistic Methods"),
    *("Case Based", "Rule Learning"),
)


def _planetoid(name: str, size: Size, classes: tuple[str, ...] = ()) -> DatasetInfo:
    parts = ("x", "tx", "allx", "y", "ty", "ally", "graph", "test.index")
    files = [f"ind.{name.lower()}.{part}" for part in parts]
    folder = f"Planetoid/{name}/raw"
    return DatasetInfo(
        *(name, (f"planetoid-{name}",), NODES, *size, "kimiyoung/planetoid", "MIT (repository)", _YANG),
        loader="planetoid",
        folder=folder,
        files=tuple(f"{folder}/{file}" for file in files),
        urls=tuple(_PLANETOID + file for file in files),
        pyg=(name,),
        classes=classes,
    )


def _npz(name: str, aliases: tuple[str, ...], size: Size, folder: str, url: str, cite: str) -> DatasetInfo:
    origin = "/".join(url.split("/")[3:5])
    file = url.rpartition("/")[2]
    return DatasetInfo(
        *(name, aliases, NODES, *size, origin, "MIT (repository)", cite),
        loader="npz",
        folder=f"{folder}/raw",
        files=(f"{folder}/raw/{file}",),
        urls=(url,),
    )


def _citation_full(name: str, aliases: tuple[str, ...], file: str, size: Size) -> DatasetInfo:
    return _npz(name, aliases, size, f"CitationFull/{file}", f"{_GRAPH2GAUSS}{file}.npz", _BOJCHEVSKI)


def _geom_gcn(name: str, aliases: tuple[str, ...], size: Size, folder: str, prefix: str) -> DatasetInfo:
    parts = ("out1_node_feature_label.txt", "out1_graph_edges.txt")
    splits = tuple(f"{prefix}_split_0.6_0.2_{i}.npz" for i in range(10))
    urls = [f"{_GEOM_GCN}new_data/{prefix}/{file}" for file in parts]
    urls += [f"{_GEOM_GCN}splits/{file}" for file in splits]
    pyg = ("Actor",) if name == "Actor" else ("WebKB", name)
    return DatasetInfo(
        *(name, aliases, NODES, *size, "graphdml-uiuc-jlu/geom-gcn", "none stated", _PEI),
        loader="pyg",
        folder=f"{folder}/raw",
        files=tuple(f"{folder}/raw/{file}" for file in parts + splits),
        urls=tuple(urls),
        pyg=pyg,
    )


def _heterophilous(name: str, size: Size) -> DatasetInfo:
    stem = name.lower().replace("-", "_")
    folder = f"HeterophilousGraph/{stem}/raw"
    return DatasetInfo(
        *(name, (), NODES, *size, "yandex-research/heterophilous-graphs", "MIT (repository)", _PLATONOV),
        loader="pyg",
        folder=folder,
        files=(f"{folder}/{stem}.npz",),
        urls=(f"{_HETEROPHILOUS}{stem}.npz",),
        pyg=("HeterophilousGraphDataset", name),
    )


def _ogb(
    name: str, alias: str, size: Size, licence: str, split: str, download_mb: int = 0, *, links: bool = False
) -> DatasetInfo:
    folder = name.replace("-", "_")
    tables = ("edge", "node-feat", "num-node-list", "edge_weight" if links else "node-label")
    parts = ("valid.pt", "test.pt") if links else ("train.csv.gz", "valid.csv.gz", "test.csv.gz")
    files = [*(f"raw/{table}.csv.gz" for table in tables), *(f"split/{split}/{part}" for part in parts)]
    kind = "link" if links else "node"
    return DatasetInfo(
        *(name, (alias,), "link prediction" if links else NODES, *size, "Open Graph Benchmark", licence, _HU),
        loader=f"ogb-{kind}",
        folder=folder,
        files=tuple(f"{folder}/{file}" for file in files),
        urls=(f"{_OGB}{kind}proppred/{alias}.zip",),
        pyg=(split,),
        download_mb=download_mb,
    )


_ENTRIES = (
    _planetoid("Cora", (2708, 10556, 1433, 7), _CORA),
    _planetoid("CiteSeer", (3327, 9104, 3703, 6)),
    _planetoid("PubMed", (19717, 88648, 500, 3)),
    *(
        _npz(f"Amazon-{n}", (n,), size, f"Amazon/{n}", f"{_GNN_BENCHMARK}amazon_electronics_{file}", _SHCHUR)
        for n, file, size in (
            ("Photo", "photo.npz", (7650, 238162, 745, 8)),
            ("Computers", "computers.npz", (13752, 491722, 767, 10)),
        )
    ),
    *(
        _npz(f"Coauthor-{n}", (n,), size, f"Coauthor/{n}", f"{_GNN_BENCHMARK}ms_academic_{file}", _SHCHUR)
        for n, file, size in (
            ("CS", "cs.npz", (18333, 163788, 6805, 15)),
            ("Physics", "phy.npz", (34493, 495924, 8415, 5)),
        )
    ),
    _citation_full("Cora_ML", ("citationfull-cora-ml",), "cora_ml", (2995, 16316, 2879, 7)),
    _citation_full("CitationFull-Cora", ("cora-full",), "cora", (19793, 126842, 8710, 70)),
    _citation_full("CitationFull-CiteSeer", ("citeseer-full",), "citeseer", (4230, 10674, 602, 6)),
    _citation_full("CitationFull-PubMed", ("pubmed-full",), "pubmed", (19717, 88648, 500, 3)),
    _citation_full("DBLP", ("citationfull-dblp",), "dblp", (17716, 105734, 1639, 4)),
    DatasetInfo(
        *(
            "WikiCS",
            (),
            NODES,
            11701,
            431726,
            300,
            10,
            "pmernyei/wiki-cs-dataset",
            "MIT (repository)",
            _MERNYEI,
        ),
        loader="pyg",
        folder="WikiCS/raw",
        files=("WikiCS/raw/data.json",),
        urls=(_WIKICS + "data.json",),
        pyg=("WikiCS",),
    ),
    _geom_gcn("Cornell", ("webkb-cornell",), (183, 298, 1703, 5), "WebKB/cornell", "cornell"),
    _geom_gcn("Texas", ("webkb-texas",), (183, 325, 1703, 5), "WebKB/texas", "texas"),
    _geom_gcn("Wisconsin", ("webkb-wisconsin",), (251, 515, 1703, 5), "WebKB/wisconsin", "wisconsin"),
    _geom_gcn("Actor", ("film",), (7600, 30019, 932, 5), "Actor", "film"),
    _heterophilous("Minesweeper", (10000, 78804, 7, 2)),
    _heterophilous("Roman-empire", (22662, 65854, 300, 18)),
    _heterophilous("Amazon-ratings", (24492, 186100, 300, 5)),
    _heterophilous("Tolokers", (11758, 1038000, 10, 2)),
    _heterophilous("Questions", (48921, 307080, 301, 2)),
    _ogb("ogbn-arxiv", "arxiv", (169343, 2315598, 128, 40), "ODC-BY", "time"),
    _ogb("ogbn-products", "products", (2449029, 123718280, 100, 47), "Amazon license", "sales_ranking", 1400),
    _ogb("ogbl-collab", "collab", (235868, 2358104, 128, 0), "ODC-BY", "time", links=True),
    DatasetInfo(
        *("karate", ("zachary", "karate-club"), NODES, 34, 156, 0, 2, "networkx", "BSD-3-Clause (networkx)"),
        citation=_ZACHARY,
        loader="karate",
    ),
    *VECTORS,
)


def _key(name: str) -> str:
    return re.sub(r"[-_\s]", "", name).lower()


_BY_KEY = {_key(word): entry for entry in _ENTRIES for word in (entry.name, *entry.aliases)}


def names() -> list[str]:
    """Canonical names of all data sets, in the order of the registry."""
    return [entry.name for entry in _ENTRIES]


def info(name: str) -> DatasetInfo:
    """Entry of a data set; case, ``-``, ``_`` and spaces in `name` do not matter.

    Raises
    ------
    InputError
        If no data set has this name; the message offers the nearest ones.
    """
    if not isinstance(name, str):
        raise InputError(f"data set name: found {name!r}, expected a string")
    key = _key(name)
    if key in _BY_KEY:
        return _BY_KEY[key]
    near = difflib.get_close_matches(key, _BY_KEY, n=6, cutoff=0.6)
    # Two aliases may lead to one data set: name it once.
    offers = list(dict.fromkeys(_BY_KEY[word].name for word in near))[:3]
    hint = f"did you mean {' or '.join(offers)}?" if offers else f"expected one of {', '.join(names())}"
    raise InputError(f"unknown data set {name!r}: {hint}")


def data_root(root: str | os.PathLike[str] | None = None) -> Path:
    """Folder of the raw files: `root`, else ``$GENURL_DATA``, else the user's cache/genurl-graph."""
    named = root if root is not None else os.environ.get("GENURL_DATA")
    if named:
        return Path(named).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "genurl-graph"
