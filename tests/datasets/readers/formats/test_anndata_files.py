"""AnnData's .h5ad: cells with their graph, features and classes; links to other files are refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from genurl_graph import datasets
from genurl_graph.exceptions import InputError

anndata = pytest.importorskip("anndata")
h5py = pytest.importorskip("h5py")

pytestmark = pytest.mark.filterwarnings("ignore:The .future.infer_string. option")

GRAPH = np.array([[0, 0.5, 0], [0.5, 0, 1], [0, 1, 0]])


def written_as_ever():
    """anndata 0.12 writes text as objects, not in the dtype that pandas 3 takes for it."""
    return pd.option_context("future.infer_string", False)


def cells(path: Path) -> Path:
    """A file of three cells."""
    with written_as_ever():
        obs = pd.DataFrame({"louvain": pd.Categorical(["T", "B", "T"]), "n_counts": [3.0, 1.0, 2.0]})
        obs = obs.set_index(pd.Index(["c1", "c2", "c3"]))
        table = anndata.AnnData(scipy.sparse.csr_matrix(np.eye(3, 4, dtype=np.float32)), obs=obs)
        table.obsm["X_pca"] = np.arange(6.0).reshape(3, 2)
        table.obsm["X_umap"] = np.zeros((3, 2))
        table.obsp["connectivities"] = scipy.sparse.csr_matrix(GRAPH)
        table.obsp["distances"] = scipy.sparse.csr_matrix(GRAPH)
        table.write_h5ad(path)
    return path


def test_h5ad(tmp_path: Path, adjacency):
    data = datasets.read(cells(tmp_path / "c.h5ad"), columns={"label": "louvain"})
    assert np.allclose(adjacency(data), GRAPH)
    assert data.x.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert data.node_id == ["c1", "c2", "c3"]
    assert data.label_names == ["B", "T"]
    assert data.y.tolist() == [1, 0, 1]
    assert data.reading.lines == (
        "read c.h5ad as a graph (AnnData): 3 nodes, 2 edges, weights from obsp connectivities, 2 features from obsm "
        "X_pca, classes from louvain; obs columns left out: n_counts; also left out: obsp distances, obsm X_umap, X",
    )


def test_h5ad_by_options(tmp_path: Path):
    path = cells(tmp_path / "c.h5ad")
    vectors = datasets.read(path, as_="vectors", columns={"feature": "X"})
    assert vectors.edge_index is None
    assert vectors.x.to_dense().tolist() == np.eye(3, 4).tolist()
    assert "name the classes by --column label=n_counts" in vectors.reading.lines[0]
    assert datasets.read(path, columns={"feature": "n_counts"}).x.tolist() == [[3], [1], [2]]
    assert datasets.read(path, columns={"weight": "distances"}).num_edges == 4
    for columns, name in (({"label": "leiden"}, "leiden"), ({"weight": "nn"}, "nn"), ({"feature": "Y"}, "Y")):
        with pytest.raises(InputError, match=f"found '{name}'; expected one of"):
            datasets.read(path, columns=columns)


def test_h5ad_without_a_graph(tmp_path: Path):
    with written_as_ever():
        anndata.AnnData(np.eye(3, 4, dtype=np.float32)).write_h5ad(tmp_path / "c.h5ad")
    data = datasets.read(tmp_path / "c.h5ad")
    assert data.edge_index is None
    assert data.x.shape == (3, 4)
    with pytest.raises(InputError, match="no graph; expected connectivities"):
        datasets.read(tmp_path / "c.h5ad", as_="graph")


@pytest.mark.parametrize("how", ["external file", "external link", "soft link", "huge"])
def test_h5ad_that_reaches_elsewhere(tmp_path: Path, how: str):
    path = cells(tmp_path / "c.h5ad")
    (tmp_path / "secret").write_bytes(bytes(range(48)))
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["x"] = np.eye(3)
    with h5py.File(path, "r+") as file:
        del file["obsm/X_pca"]
        if how == "external file":
            file["obsm"].create_dataset("X_pca", (3, 2), "f8", external=[(str(tmp_path / "secret"), 0, 48)])
        elif how == "external link":
            file["obsm/X_pca"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "x")
        elif how == "soft link":
            file["obsm/X_pca"] = h5py.SoftLink("/X")
        else:
            file["obsm"].create_dataset("X_pca", (3, 10**12), "f8", chunks=(3, 100))
    message = "at most half of this machine's memory" if how == "huge" else "links are not followed"
    with pytest.raises(InputError, match=message):
        datasets.read(path)


def test_h5ad_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = cells(tmp_path / "c.h5ad")
    monkeypatch.setitem(__import__("sys").modules, "anndata", None)
    with pytest.raises(InputError, match=r"pip install 'genurl-graph\[anndata\]'"):
        datasets.read(path)


def test_damaged_h5ad(tmp_path: Path):
    path = cells(tmp_path / "c.h5ad")
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(InputError, match="cannot be read as an AnnData file"):
        datasets.read(path)
