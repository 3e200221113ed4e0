"""Matrix Market, .mat, LIBSVM and SciPy's .npz: what SciPy and scikit-learn write is what is read."""

from pathlib import Path

import numpy as np
import pytest
import scipy.io
import scipy.sparse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.datasets import dump_svmlight_file

from genurl_graph import datasets
from genurl_graph.exceptions import InputError

FIXTURES = [HealthCheck.function_scoped_fixture]
SQUARE = np.array([[0, 2.0, 0], [2, 0, 1], [0, 1, 0]])
DIRECTED = np.array([[0, 2.0, 0], [0, 0, 1], [0, 1, 3]])
WIDE = np.array([[1.0, 0, 2, 0], [0, 3, 0, 0], [0, 0, 0, 4]])
OPTION = "--as adjacency or --as vectors"


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def dense(x) -> np.ndarray:
    return x.to_dense().numpy()


# ---- Matrix Market --------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60, suppress_health_check=FIXTURES)
@given(
    matrix=arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(2, 5)), elements=st.integers(0, 3)),
    sparse=st.booleans(),
    symmetric=st.booleans(),
)
def test_matrix_market(tmp_path: Path, adjacency, matrix: np.ndarray, sparse: bool, symmetric: bool):
    if symmetric:
        n = min(matrix.shape)
        matrix = matrix[:n, :n] + matrix[:n, :n].T
    matrix.flat[0] = 1.5
    scipy.io.mmwrite(tmp_path / "g.mtx", scipy.sparse.coo_matrix(matrix) if sparse else matrix, symmetry="AUTO")
    data = datasets.read(tmp_path / "g.mtx")
    if matrix.shape[0] == matrix.shape[1]:
        assert np.array_equal(adjacency(data), matrix)
        assert "--as vectors takes it for features" in data.reading.lines[0]
        data = datasets.read(tmp_path / "g.mtx", as_="vectors")
    assert np.array_equal(dense(data.x), matrix)


@pytest.mark.parametrize("head", ["", "\n", "% a comment\n", "3 3 2\n"])
@pytest.mark.parametrize("third", ["", " 2.5"])
def test_matrix_market_without_a_banner(tmp_path: Path, adjacency, head: str, third: str):
    data = datasets.read(write(tmp_path / "g.mtx", f"{head}2 1{third}\n3 1 {third}"))
    w = 2.5 if third else 1
    assert adjacency(data).tolist() == [[0, w, w], [w, 0, 0], [w, 0, 0]]
    assert "no banner" in data.reading.lines[0]
    data = datasets.read(tmp_path / "g.mtx", directed=True)
    assert adjacency(data).tolist() == [[0, 0, 0], [w, 0, 0], [w, 0, 0]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "%%MatrixMarket matrix coordinate real general\n3 3 999999999999\n1 2 1\n",
            "declares 999,999,999,999 entries",
        ),
        ("%%MatrixMarket matrix array real general\n99999 99999\n1\n", "declares"),
        (
            "%%MatrixMarket matrix coordinate real general\n3 3 1\n4 1 1\n",
            "line 3: .* in a matrix of 3 x 3",
        ),
        ("%%MatrixMarket matrix coordinate real general\n3 3\n", "no line of sizes"),
        ("%%MatrixMarket matrix coordinate complex general\n2 2 1\n1 2 1 1\n", "a banner of coordinate complex"),
        ("%%MatrixMarket matrix coordinate real general\n3 3 1\n2 1 -1\n", "negative weight .*--as vectors"),
        ("%%MatrixMarket matrix coordinate real general\n999999999999 999999999999 1\n2 1 1\n", "but only 1 entries"),
        (
            "%%MatrixMarket matrix coordinate real symmetric\n4 4 3\n2 1 1.5\n3 2 1.51.51.51.5",
            "declares 3 entries, then 2 lines",
        ),
        ("%%MatrixMarket matrix coordinate real symmetric\n4 4 2\n2 1 1.5\n3 2 1.51.5", "line 4: found '3 2 1.51.5'"),
        ("%%MatrixMarket matrix coordinate real general\n4 4 1\n2 1 1.5 7\n", "line 3"),
        ("%%MatrixMarket matrix coordinate real general\n4 4 1\n2 1\n", "line 3"),
        ("%%MatrixMarket matrix array real general\n2 2\n1\n0\0\n1\n1\n", "NUL byte"),
        ("0 1\n1 2\n", "line 1: found '0 1'; expected nodes numbered from 1"),
        ("1 2\na b\n", "line 2: found 'a b'; expected two numbers"),
        ("1 99999999999\n", "99,999,999,999 nodes, but only 1 edges"),
        ("", "the file is empty"),
    ],
)
def test_bad_matrix_market(tmp_path: Path, text: str, message: str):
    with pytest.raises(InputError, match=message):
        datasets.read(write(tmp_path / "g.mtx", text))


# ---- SciPy's .npz ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
def test_npz_by_scipy(tmp_path: Path, adjacency, form: str):
    path = tmp_path / "m.npz"
    scipy.sparse.save_npz(path, scipy.sparse.csr_matrix(SQUARE).asformat(form))
    assert np.array_equal(adjacency(datasets.read(path)), SQUARE)
    assert np.array_equal(dense(datasets.read(path, as_="vectors").x), SQUARE)
    scipy.sparse.save_npz(path, scipy.sparse.csr_array(WIDE).asformat(form))
    assert np.array_equal(dense(datasets.read(path).x), WIDE)
    with pytest.raises(InputError, match=r"an adjacency of shape \[3, 4\]"):
        datasets.read(path, as_="adjacency")
    for unclear in (DIRECTED, SQUARE - 1):
        scipy.sparse.save_npz(path, scipy.sparse.csr_matrix(unclear).asformat(form))
        with pytest.raises(InputError, match=OPTION):
            datasets.read(path)
        assert np.array_equal(dense(datasets.read(path, as_="vectors").x), unclear)
    scipy.sparse.save_npz(path, scipy.sparse.csr_matrix(DIRECTED).asformat(form))
    data = datasets.read(path, as_="adjacency")
    assert np.array_equal(adjacency(data), DIRECTED)
    assert "(directed)" in data.reading.lines[0]
    data = datasets.read(path, as_="adjacency", directed=False)
    assert adjacency(data).tolist() == [[0, 2, 0], [2, 0, 2], [0, 2, 3]]


@pytest.mark.parametrize("form", ["bsr", "dia"])
def test_npz_by_scipy_of_other_forms(tmp_path: Path, form: str):
    scipy.sparse.save_npz(tmp_path / "m.npz", scipy.sparse.csr_matrix(SQUARE).asformat(form))
    with pytest.raises(InputError, match="csr, csc or coo"):
        datasets.read(tmp_path / "m.npz")


@pytest.mark.parametrize("form", ["csr", "csc"])
def test_npz_whose_last_pointer_is_0(tmp_path: Path, form: str):
    """SciPy takes such a matrix for empty, and follows its other pointers out of it."""
    scipy.sparse.save_npz(tmp_path / "m.npz", scipy.sparse.csr_matrix(SQUARE).asformat(form))
    parts = dict(np.load(tmp_path / "m.npz"))
    parts["indptr"][-1] = 0
    np.savez(tmp_path / "m.npz", **parts)
    with pytest.raises(InputError, match="must not decrease"):
        datasets.read(tmp_path / "m.npz")


@pytest.mark.parametrize("key", ["row", "indices", "indptr"])
def test_npz_with_an_index_outside(tmp_path: Path, key: str):
    form = "coo" if key == "row" else "csc"
    scipy.sparse.save_npz(tmp_path / "m.npz", scipy.sparse.csr_matrix(SQUARE).asformat(form))
    parts = dict(np.load(tmp_path / "m.npz"))
    parts[key][0] = 99
    np.savez(tmp_path / "m.npz", **parts)
    with pytest.raises(InputError, match=r"m\.npz"):
        datasets.read(tmp_path / "m.npz")


# ---- MATLAB ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names", [("network", "X", "Y"), ("Network", "Attributes", "Label"), ("A", "fea", "gnd"), ("adj", "attrb", "group")]
)
@pytest.mark.parametrize("packed", [False, True])
def test_mat(tmp_path: Path, adjacency, names: tuple[str, str, str], packed: bool):
    graph, features, labels = names
    content = {graph: scipy.sparse.csc_matrix(SQUARE), features: WIDE, labels: np.array([[1], [2], [1]]), "k": 3}
    scipy.io.savemat(tmp_path / "g.mat", content, do_compression=packed)
    data = datasets.read(tmp_path / "g.mat")
    assert np.array_equal(adjacency(data), SQUARE)
    assert np.array_equal(dense(data.x), WIDE)
    assert data.y.tolist() == [1, 2, 1]
    assert f"adjacency from {graph}; features from {features}; labels from {labels}" in data.reading.lines[0]
    assert "variables left out: k" in data.reading.lines[0]
    vectors = datasets.read(tmp_path / "g.mat", as_="vectors")
    assert vectors.edge_index is None
    assert np.array_equal(dense(vectors.x), WIDE)


def test_mat_of_one_matrix(tmp_path: Path, adjacency):
    scipy.io.savemat(tmp_path / "g.mat", {"friends": SQUARE})
    assert np.array_equal(adjacency(datasets.read(tmp_path / "g.mat")), SQUARE)
    scipy.io.savemat(tmp_path / "g.mat", {"faces": WIDE, "who": np.array([[1, 2, 1]])})
    assert np.array_equal(dense(datasets.read(tmp_path / "g.mat").x), WIDE)
    assert datasets.read(tmp_path / "g.mat", columns={"label": "who"}).y.tolist() == [1, 2, 1]


def test_mat_that_can_be_several_things(tmp_path: Path):
    scipy.io.savemat(tmp_path / "g.mat", {"first": WIDE, "second": WIDE})
    with pytest.raises(InputError, match=r"the variables first 3x4, second 3x4; .*--column feature=NAME"):
        datasets.read(tmp_path / "g.mat")
    assert np.array_equal(dense(datasets.read(tmp_path / "g.mat", columns={"feature": "second"}).x), WIDE)
    with pytest.raises(InputError, match="found third; expected one of first, second"):
        datasets.read(tmp_path / "g.mat", columns={"feature": "third"})


def test_mat_of_version_7_3(tmp_path: Path):
    head = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512) + b"\x89HDF\r\n\x1a\n"
    (tmp_path / "g.mat").write_bytes(head)
    with pytest.raises(InputError, match=r"version 7\.3 \(HDF5\); expected version 7: save it in MATLAB by"):
        datasets.read(tmp_path / "g.mat")


@pytest.mark.data
def test_mat_of_faces(data_root: Path):
    data = datasets.read(data_root / "vectors" / "ORL.mat")
    assert data.x.shape == (400, 1024)
    assert len(data.y.unique()) == 40


# ---- LIBSVM ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["m.libsvm", "m.svmlight", "m.svm", "m.txt", "a9a", "mnist.scale"])
@pytest.mark.parametrize("zero_based", [True, False])
def test_svmlight(tmp_path: Path, name: str, zero_based: bool):
    x = WIDE if not zero_based else WIDE[:, ::-1]
    dump_svmlight_file(x, np.array([1, -1, 1]), str(tmp_path / name), zero_based=zero_based)
    data = datasets.read(tmp_path / name)
    width = data.x.size(1)
    assert np.array_equal(dense(data.x), x[:, :width])
    assert not x[:, width:].any()
    assert data.label_names == ["-1", "1"]
    assert data.y.tolist() == [1, 0, 1]
    assert f"read {name} as vectors (LIBSVM): 3 rows" in data.reading.lines[0]


def test_svmlight_with_a_target_that_is_no_class(tmp_path: Path):
    data = datasets.read(write(tmp_path / "m.svm", "0.5 1:2\n1.25 2:1\n"))
    assert data.y is None
    assert "targets left out: they are no classes" in data.reading.lines[0]


@pytest.mark.parametrize("text", ["1 2:x\n", "1 5:1 2:1\n", "a 1:1\n", "1 -3:1\n", ""])
def test_bad_svmlight(tmp_path: Path, text: str):
    with pytest.raises(InputError, match=r"m\.svm"):
        datasets.read(write(tmp_path / "m.svm", text))


def test_tables_beside_matrix_market_may_count_from_1(tmp_path: Path):
    graph = write(tmp_path / "g.mtx", "%%MatrixMarket matrix coordinate pattern symmetric\n3 3 2\n2 1\n3 2\n")
    for first in (0, 1):
        labels = write(tmp_path / "l.csv", "id,club\n" + "".join(f"{first + i},{c}\n" for i, c in enumerate("pqp")))
        data = datasets.read(graph, labels=labels)
        assert data.y.tolist() == [0, 1, 0]
        assert "node_id" not in data


@pytest.mark.parametrize("symmetry", ["general", "symmetric", "skew-symmetric"])
@pytest.mark.parametrize("field", ["real", "integer", "pattern"])
@pytest.mark.parametrize("sparse", [True, False])
def test_matrix_market_of_every_kind_as_scipy_reads_it(tmp_path: Path, symmetry: str, field: str, sparse: bool):
    lower = np.tril(np.arange(1.0, 17).reshape(4, 4), -1 if symmetry == "skew-symmetric" else 0)
    matrix = {"general": lower, "symmetric": lower + np.tril(lower, -1).T, "skew-symmetric": lower - lower.T}[symmetry]
    if field == "pattern" and not sparse:
        pytest.skip("a pattern is sparse")
    content = scipy.sparse.coo_matrix(matrix) if sparse else matrix
    scipy.io.mmwrite(tmp_path / "g.mtx", content, field=field, symmetry=symmetry, comment="written\nby SciPy")
    theirs = scipy.io.mmread(tmp_path / "g.mtx")
    data = datasets.read(tmp_path / "g.mtx", as_="vectors")
    assert np.array_equal(dense(data.x), theirs.toarray() if sparse else theirs)
