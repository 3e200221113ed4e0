"""``tl.genurl``: scanpy's conventions on an AnnData object, with and without scanpy."""

import sys
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

anndata = pytest.importorskip("anndata", reason="needs the extra anndata")

from genurl_graph import GenURL, InputError  # noqa: E402
from genurl_graph.evaluation.preservation import reduce_scores  # noqa: E402
from genurl_graph.graph.affinity import similarities  # noqa: E402
from genurl_graph.graph.knn import knn_graph  # noqa: E402
from genurl_graph.scanpy import pl, tl  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:The .future.infer_string. option")

N = 60
FAST: dict[str, Any] = {"epochs": 5}


def features(n: int = N) -> np.ndarray:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(3, 6)) * 6
    return (centres[np.arange(n) % 3] + rng.normal(size=(n, 6))).astype(np.float32)


def connectivities(x: np.ndarray, k: int = 8) -> Any:
    import torch

    edges, distance = knn_graph(torch.from_numpy(x), n_neighbors=k)
    (row, col), p = similarities(edges, distance, num_nodes=len(x), perplexity=k)
    return sp.csr_matrix((p.numpy(), (row.numpy(), col.numpy())), shape=(len(x), len(x)))


def cells(neighbors: bool = False, key: str | None = None) -> Any:
    x = features()
    # anndata 0.12 writes text as objects, not in the dtype that pandas 3 takes for it.
    with pd.option_context("future.infer_string", False):
        adata = anndata.AnnData(np.abs(x) @ np.ones((6, 9), dtype=np.float32))
    adata.obsm["X_pca"] = x
    if neighbors:
        prefix = "" if key is None else f"{key}_"
        adata.obsp[f"{prefix}connectivities"] = connectivities(x)
        adata.uns[key or "neighbors"] = {"connectivities_key": f"{prefix}connectivities", "params": {"n_neighbors": 8}}
    return adata


def test_map_of_components_is_that_of_the_estimator() -> None:
    adata = cells()
    assert tl.genurl(adata, **FAST) is None
    z = adata.obsm["X_genurl"]
    assert (type(z), z.dtype, z.shape) == (np.ndarray, np.float32, (N, 2))
    assert (z == GenURL(2, scale=False, random_state=0, epochs=5).fit_transform(features())).all()
    assert adata.uns["genurl"]["params"]["use_rep"] == "X_pca"
    assert adata.uns["genurl"]["config"]["training.epochs"] == 5


def test_stored_neighbors_are_p_as_they_are() -> None:
    adata = cells(neighbors=True)
    tl.genurl(adata, random_state=3, **FAST)
    model = GenURL(2, task="reduce", random_state=3, epochs=5)
    model.fit(adata.obsp["connectivities"], as_="adjacency")
    assert (adata.obsm["X_genurl"] == model.embedding_.numpy()).all()
    given = adata.obsp["connectivities"].tocoo()
    assert (model.graph_.edge_index.numpy() == np.stack([given.row, given.col])).all()
    np.testing.assert_allclose(model.graph_.edge_weight.numpy(), given.data / given.data.max(), rtol=1e-6)
    params = adata.uns["genurl"]["params"]
    assert (params["neighbors_key"], params["random_state"]) == ("neighbors", 3)
    assert "use_rep" not in params


def test_neighbors_under_another_key() -> None:
    adata, plain = cells(neighbors=True, key="mine"), cells(neighbors=True)
    tl.genurl(adata, neighbors_key="mine", **FAST)
    tl.genurl(plain, **FAST)
    assert (adata.obsm["X_genurl"] == plain.obsm["X_genurl"]).all()
    with pytest.raises(InputError, match=r"neighbors_key: found 'mime'; expected one of mine \(did you mean 'mine'"):
        tl.genurl(adata, neighbors_key="mime")


@pytest.mark.parametrize("search", [{"use_rep": "X_pca"}, {"n_neighbors": 5}, {"metric": "cosine"}])
def test_who_asks_for_a_search_gets_one_beside_stored_neighbors(search: dict[str, Any]) -> None:
    adata = cells(neighbors=True)
    tl.genurl(adata, **search, **FAST)
    params = adata.uns["genurl"]["params"]
    assert params["use_rep"] == "X_pca"
    assert "neighbors_key" not in params
    config = adata.uns["genurl"]["config"]
    assert config["neighbors.metric"] == search.get("metric", "euclidean")
    assert config["neighbors.n_neighbors"] == search.get("n_neighbors", config["neighbors.n_neighbors"])
    with pytest.raises(InputError, match="neighbors_key: found 'neighbors' beside"):
        tl.genurl(adata, neighbors_key="neighbors", **search)


def test_start_from_another_map() -> None:
    adata = cells(neighbors=True)
    adata.obsm["X_other"] = np.random.default_rng(0).normal(size=(N, 2))
    tl.genurl(adata, init="X_other", **FAST)
    own = GenURL(2, task="reduce", random_state=0, init=adata.obsm["X_other"], epochs=5)
    assert (adata.obsm["X_genurl"] == own.fit(adata.obsp["connectivities"], as_="adjacency").embedding_.numpy()).all()
    assert adata.uns["genurl"]["params"]["init"] == "X_other"


def test_own_metric_is_stored_by_its_name(tmp_path: Any) -> None:
    adata = cells()
    tl.genurl(adata, metric=lambda a, b: abs(a - b).max(), **FAST)
    adata.write_h5ad(tmp_path / "cells.h5ad")
    assert "lambda" in anndata.read_h5ad(tmp_path / "cells.h5ad").uns["genurl"]["config"]["neighbors.metric"]


def test_round_trip_through_a_file(tmp_path: Any) -> None:
    for neighbors in (False, True):
        adata = cells(neighbors)
        tl.genurl(adata, **FAST)
        adata.write_h5ad(tmp_path / "cells.h5ad")
        back = anndata.read_h5ad(tmp_path / "cells.h5ad")
        assert (back.obsm["X_genurl"] == adata.obsm["X_genurl"]).all()
        for part in ("params", "config"):
            assert back.uns["genurl"][part] == adata.uns["genurl"][part]


def test_copy_and_other_keys() -> None:
    adata = cells()
    found = tl.genurl(adata, copy=True, n_components=3, key_added="flat", **FAST)
    assert (list(adata.obsm), list(adata.uns)) == (["X_pca"], [])
    assert found.obsm["flat"].shape == (N, 3)
    assert set(found.uns["flat"]) == {"params", "config"}


def test_views_become_copies() -> None:
    adata = cells()
    view = adata[::2]
    with pytest.warns(anndata.ImplicitModificationWarning):
        tl.genurl(view, **FAST)
    assert view.obsm["X_genurl"].shape == (N // 2, 2)
    assert not view.is_view
    assert "X_genurl" not in adata.obsm


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_backed_objects(kind: str, tmp_path: Any) -> None:
    adata = cells()
    adata.X = sp.csr_matrix(adata.X) if kind == "sparse" else adata.X
    adata.write_h5ad(tmp_path / "cells.h5ad")
    backed = anndata.read_h5ad(tmp_path / "cells.h5ad", backed="r")
    for use_rep in (None, "X"):
        tl.genurl(backed, use_rep=use_rep, **FAST)
        tl.genurl(adata, use_rep=use_rep, **FAST)
        assert (backed.obsm["X_genurl"] == adata.obsm["X_genurl"]).all()
    backed.file.close()


def test_cells_that_lost_their_neighbors() -> None:
    adata = cells(neighbors=True)
    near = adata.obsp["connectivities"].toarray()
    near[:2], near[:, :2] = 0, 0
    adata.obsp["connectivities"] = sp.csr_matrix(near)
    with pytest.warns(UserWarning, match=r"2 of 60 cells have no neighbours .* run scanpy.pp.neighbors again"):
        tl.genurl(adata, **FAST)
    assert np.isfinite(adata.obsm["X_genurl"]).all()


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda a: a.obsm.clear(), {}, r"neither uns\['neighbors'\] nor obsm\['X_pca'\]; .* run scanpy.pp.pca"),
        (lambda a: None, {"use_rep": "X_pcs"}, r"use_rep: found 'X_pcs'; .*did you mean 'X_pca'"),
        (lambda a: None, {"neighbor_key": "a"}, r"argument: found 'neighbor_key'"),
        (lambda a: None, {"metric": "precomputed"}, "metric: found 'precomputed'"),
        (lambda a: a.uns.update(neighbors={"params": {}}), {}, r"no obsp\['connectivities'\]"),
        (lambda a: a.obsm.update(s=sp.csr_matrix(a.X)), {"use_rep": "s"}, r"obsm\['s'\]: found a sparse matrix"),
        (
            lambda a: a.obsm.update(X_pca=np.where(np.arange(N)[:, None] == 7, np.nan, a.obsm["X_pca"])),
            {},
            r"obsm\['X_pca'\]: found 6 NaN or infinite values, the first \(nan\) at row 7",
        ),
    ],
)
def test_bad_requests(change: Any, options: dict[str, Any], message: str) -> None:
    adata = cells()
    change(adata)
    with pytest.raises(InputError, match=message):
        tl.genurl(adata, **options)
    assert "X_genurl" not in adata.obsm


def test_other_objects_are_refused() -> None:
    with pytest.raises(InputError, match="adata: found ndarray; expected an AnnData object"):
        tl.genurl(features())


def test_without_scanpy(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setitem(sys.modules, "scanpy", None)
    adata = cells()
    with caplog.at_level("INFO", "genurl_graph"):
        tl.genurl(adata, **FAST)
    assert caplog.messages[0] == "computing GenURL from obsm['X_pca'], 6 columns"
    assert "added 'X_genurl', coordinates (adata.obsm), and 'genurl', parameters (adata.uns)" in caplog.messages[-1]
    with pytest.raises(InputError, match=r"pip install 'genurl-graph\[scanpy\]'"):
        pl.genurl(adata)


def test_beside_scanpy(capsys: pytest.CaptureFixture[str]) -> None:
    """Its neighbours, its log, its plots; the map is as true to the components as the UMAP that comes along."""
    scanpy = pytest.importorskip("scanpy", reason="needs the extra scanpy")
    import matplotlib

    matplotlib.use("agg")
    adata = scanpy.datasets.pbmc68k_reduced()
    before, scanpy.settings.verbosity = scanpy.settings.verbosity, 3
    try:
        tl.genurl(adata)
    finally:
        scanpy.settings.verbosity = before
    log = capsys.readouterr().err
    assert "computing GenURL from obsp['connectivities']" in log
    assert "added 'X_genurl'" in log
    labels = adata.obs["bulk_labels"].cat.codes.to_numpy().astype(np.int64)
    ours, umap = (reduce_scores(adata.obsm["X_pca"], adata.obsm[key], labels) for key in ("X_genurl", "X_umap"))
    for name in ("knn_accuracy", "trustworthiness"):
        assert ours[name] > umap[name] - 0.005
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        axes = pl.genurl(adata, color="bulk_labels", show=False)
        assert scanpy.pl.embedding(adata, basis="genurl", color="n_genes", return_fig=True) is not None
    assert axes.get_xlabel() == "genurl1"
