"""Whole evaluations: an embedding in, every number of a protocol out; and the reference rows beside it."""

from __future__ import annotations

from typing import Any

import numpy as np

from genurl_graph.config.choices import ProtocolName
from genurl_graph.evaluation.clustering import cluster, too_few_to_cluster
from genurl_graph.evaluation.probe import NEIGHBORS, knn_probe, linear_probe, voters
from genurl_graph.evaluation.splits import default_protocol, labels_of, shortage, splits
from genurl_graph.exceptions import wrong
from genurl_graph.inputs.sparse import to_scipy_or_numpy
from genurl_graph.inputs.validation import check_matrix


def probe_embedding(
    z: Any, data: Any, protocol: ProtocolName | None = None, *, seed: int = 0, n_repeats: int | None = None
) -> dict[str, Any]:
    """Linear probe, mean over the splits of a protocol.

    Parameters
    ----------
    z : Tensor, array or sparse matrix, float, shape [n, d]
        Frozen embedding.
    data : Data
        With labels ``y`` and, for "public", masks.
    protocol : str, optional
        As in `genurl_graph.evaluation.splits.splits`; by default "public" where there are masks.
    seed, n_repeats
        As there.

    Returns
    -------
    dict
        ``protocol``, the accuracies ``train``, ``val`` (None without validation nodes) and ``test``, and the number of
        ``splits`` that they are means of.
    """
    protocol = default_protocol(data) if protocol is None else protocol
    features, y = _arrays(z, data)
    rows = [linear_probe(features, y, s, protocol) for s in splits(protocol, data, seed=seed, n_repeats=n_repeats)]
    return {
        "protocol": protocol,
        **{key: _mean([row[key] for row in rows]) for key in ("train", "val", "test")},
        "splits": len(rows),
    }


def evaluate_embedding(
    z: Any,
    data: Any,
    protocol: ProtocolName | None = None,
    *,
    seed: int = 0,
    n_repeats: int | None = None,
    knn_metric: str = "cosine",
) -> dict[str, Any]:
    """All numbers of an embedding: linear probe, 20-nearest-neighbour probe, k-means clustering.

    Parameters and errors as in `probe_embedding`; `knn_metric` as in `knn_probe`. Where no protocol is named,
    labels that are too few for a figure are no error.

    Returns
    -------
    dict
        ``probe`` (`probe_embedding`), ``knn`` {test, neighbors}, ``cluster`` {acc, nmi, ari}; shares in [0, 1]. None in
        the place of figures that would mean nothing on so few labels; ``left_out`` says why, if there are such.
    """
    features, y = _arrays(z, data)
    if protocol is None and default_protocol(data) != "public" and (lack := shortage(y)) is not None:
        why, few = f"no linear probe: {lack[0]}; it takes {lack[1]}", too_few_to_cluster(y)
        left_out = {"probe": why, "knn": why} | ({"cluster": few} if few else {})
        clusters = None if few else cluster(features, y, seed)
        return {"probe": None, "knn": None, "cluster": clusters, "left_out": left_out}
    probe = probe_embedding(z, data, protocol, seed=seed, n_repeats=n_repeats)
    knn = knn_embedding(z, data, probe["protocol"], seed=seed, n_repeats=n_repeats, metric=knn_metric)
    first = next(splits(probe["protocol"], data, seed=seed, n_repeats=n_repeats))
    votes = {"test": knn, "neighbors": voters(NEIGHBORS, len(first.train))}
    return {"probe": probe, "knn": votes, "cluster": cluster(features, y, seed)}


def knn_embedding(
    z: Any,
    data: Any,
    protocol: ProtocolName | None = None,
    *,
    seed: int = 0,
    n_repeats: int | None = None,
    metric: str = "cosine",
) -> float:
    """Test accuracy of the vote of the 20 nearest (`voters`), mean over splits; arguments as in `probe_embedding`."""
    features, y = _arrays(z, data)
    protocol = default_protocol(data) if protocol is None else protocol
    found = [knn_probe(features, y, s, metric=metric) for s in splits(protocol, data, seed=seed, n_repeats=n_repeats)]
    return float(np.mean(found))


def raw_features(data: Any) -> Any:
    """The reference row "raw": input features as they are, SciPy CSR where they are sparse."""
    if getattr(data, "x", None) is None:
        raise wrong("raw features", "a data set without features", "features x [n, f]")
    return to_scipy_or_numpy(data.x)


def propagated_features(data: Any, hops: int = 2) -> Any:
    """The reference row "propagated": `propagate` of the raw features."""
    x = raw_features(data)
    if data.edge_index is None:
        raise wrong("propagated features", "a data set without edges", "a graph")
    return propagate(x, data.edge_index, hops)


def propagate(x: Any, edge_index: Any, hops: int = 2) -> Any:
    """Average rows over neighbours: ``A_hat^hops X`` (SGC, arXiv 1902.07153, eq. 8).

    A_hat is ``D^-1/2 (A + I) D^-1/2`` of the undirected, unweighted graph.

    Parameters
    ----------
    x : array or sparse matrix, float32, shape [n, f]
    edge_index : Tensor or array, int64, shape [2, m]
    hops : int

    Returns
    -------
    array or sparse matrix, float32, shape [n, f]
    """
    import scipy.sparse as sp

    n = x.shape[0]
    row, col = np.asarray(edge_index)
    a = sp.csr_array((np.ones(len(row), dtype=np.float32), (row, col)), shape=(n, n))
    a = ((a + a.T + sp.eye_array(n)) > 0).astype(np.float32)
    scale = 1 / np.sqrt(np.asarray(a.sum(1)).ravel())
    a = sp.csr_array(a.multiply(scale[:, None]).multiply(scale[None, :]), dtype=np.float32)
    for _ in range(hops):
        x = a @ x
    return x


def _arrays(z: Any, data: Any) -> tuple[Any, np.ndarray[Any, Any]]:
    y = labels_of(data)
    return to_scipy_or_numpy(check_matrix(z, "embedding", rows=len(y))), y


def _mean(values: list[Any]) -> float | None:
    return None if any(value is None for value in values) else float(np.mean(values))
