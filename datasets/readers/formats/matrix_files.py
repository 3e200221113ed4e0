"""Matrix Market, MATLAB's .mat and LIBSVM, through SciPy and scikit-learn."""

from __future__ import annotations

import io
import math
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from genurl_graph.datasets.readers.formats.graph_data import check_options, counted, sum_repeats
from genurl_graph.datasets.readers.formats.matrices import from_matrix, is_symmetric
from genurl_graph.datasets.readers.formats.text import Lines, decoded, is_count, number_block
from genurl_graph.exceptions import InputError, wrong
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.safe_load import check_compressed, check_mat, physical_memory, readable

if TYPE_CHECKING:
    from torch_geometric.data import Data

# Variables of .mat files by what they hold, as published data sets name them.
_ADJACENCY = ("A", "adj", "adjacency", "network", "Network", "W", "G")
_FEATURES = ("X", "Attributes", "attributes", "features", "attrb", "fea", "data", "feature")
_LABELS = ("Y", "y", "Label", "label", "labels", "gnd", "group", "L", "gt", "Class", "class")


def read_matrix_market(content: bytes, path: Path, options: ReadOptions) -> Data:
    """Read Matrix Market: a square matrix is an adjacency, any other features.

    A file without the banner, as the Network Repository has them, is taken for pairs of nodes numbered from 1,
    undirected unless one says otherwise.
    """
    where = str(path)
    head = re.match(rb"\s*%%MatrixMarket\s+matrix\s+(\w+)\s+([\w-]+)\s+([\w-]+)", content, re.IGNORECASE)
    if head is None:
        return _bare_pairs(content, path, options)
    form, field, symmetry = (word.decode("latin-1").lower() for word in head.groups())
    if form not in ("coordinate", "array") or field == "complex":
        raise wrong(where, f"a banner of {form} {field}", "coordinate or array, of real numbers")
    if symmetry not in ("general", "symmetric", "skew-symmetric", "hermitian"):
        raise wrong(where, f"a banner of {symmetry}", "general, symmetric or skew-symmetric")
    # By pandas: the parser of SciPy ends in a crash where a file is damaged.
    lines = Lines(decoded(content, where), where, "%")
    words = lines.text[0].split() if lines.text else []
    if not all(map(is_count, words)) or len(words) != (3 if form == "coordinate" else 2):
        raise wrong(where, "no line of sizes", "rows, columns and, if sparse, entries")
    sizes = [int(word) for word in words]
    if symmetry != "general" and sizes[0] != sizes[1]:
        raise wrong(where, f"a {symmetry} matrix of {sizes[0]:,} x {sizes[1]:,}", "a square one")
    read = _coordinates if form == "coordinate" else _dense
    matrix = read(lines, sizes, field == "pattern", symmetry)
    return _numbered(from_matrix(matrix, path, options, kind="Matrix Market", square="adjacency"))


def _coordinates(lines: Lines, sizes: list[int], pattern: bool, symmetry: str) -> Any:
    """The entries of a sparse Matrix Market file as a COO matrix; both halves of a symmetric one."""
    import scipy.sparse

    shape, declared, width = (sizes[0], sizes[1]), sizes[2], 2 if pattern else 3
    if declared != len(lines.text) - 1:
        count = f"a header that declares {declared:,} entries, then {len(lines.text) - 1:,} lines"
        raise wrong(lines.name, count, "as many as the file has: truncated?")
    found = number_block(lines, 1, len(lines.text), width + 1, "row, column" + ("" if pattern else " and value"))
    ends = found[:, :2]
    bad = ~((ends >= 1) & (ends <= shape) & (ends == np.floor(ends))).all(axis=1) | ~np.isnan(found[:, width])
    bad |= np.isnan(found[:, :width]).any(axis=1)
    if bad.any():
        first = int(bad.argmax()) + 1
        expected = f"{width} numbers, in a matrix of {shape[0]:,} x {shape[1]:,}"
        raise wrong(lines.at(first), repr(lines.text[first][:60]), expected)
    row, column = ends.astype(np.int64).T - 1
    values = np.ones(len(row)) if pattern else found[:, 2]
    if symmetry != "general":
        turned = row != column
        sign = -1 if symmetry == "skew-symmetric" else 1
        values = np.concatenate([values, sign * values[turned]])
        row, column = np.concatenate([row, column[turned]]), np.concatenate([column, row[turned]])
    return scipy.sparse.coo_matrix((values, (row, column)), shape=shape)


def _dense(lines: Lines, sizes: list[int], pattern: bool, symmetry: str) -> npt.NDArray[np.float64]:
    """The numbers of a dense Matrix Market file, column by column; of a symmetric one those below the diagonal."""
    n, m = sizes
    skew = symmetry == "skew-symmetric"
    declared = n * m if symmetry == "general" else n * (n - 1) // 2 if skew else n * (n + 1) // 2
    words = " ".join(lines.text[1:]).split()
    if declared != len(words) or pattern:
        found = f"a header that declares {declared:,} entries, then {len(words):,} numbers"
        raise wrong(lines.name, found, "as many as the file has: truncated?")
    try:
        values = np.array(words, dtype=np.float64)
    except ValueError as error:
        raise wrong(lines.name, f"a word that is not a number ({error})", "numbers") from error
    if symmetry == "general":
        return values.reshape(m, n).T
    matrix = np.zeros((n, n))
    column, row = np.triu_indices(n, 1 if skew else 0)
    matrix[column, row] = -values if skew else values
    matrix[row, column] = values
    return matrix


def read_mat(content: bytes, path: Path, options: ReadOptions) -> Data:
    """Read MATLAB's .mat up to version 7: `A`, `adj` or `network` with `X` and `Y`, or the only matrix there is.

    ``--column feature=NAME`` and ``--column label=NAME`` name the variables of features and labels.

    Raises
    ------
    InputError
        Version 7.3, which is HDF5; several variables of which none is known: their names are listed.
    """
    import scipy.io

    where = str(path)
    if content[:128].startswith(b"MATLAB 7.3") or content.startswith(b"\x89HDF") or content[512:516] == b"\x89HDF":
        raise wrong(where, "MATLAB's version 7.3 (HDF5)", "version 7: save it in MATLAB by save('...', '-v7')")
    check_options(options, where, ("adjacency", "graph", "vectors"), ("feature", "label", "ignore"))
    with readable(path, "a MATLAB file"):
        if b"\0" not in content[:4]:  # else version 4
            check_mat(content, where)
        shapes = {name: shape for name, shape, _ in scipy.io.whosmat(io.BytesIO(content))}
        kinds = {name: kind for name, _, kind in scipy.io.whosmat(io.BytesIO(content))}
    numeric = {"sparse", "double", "single", "logical"}
    numeric |= {f"{sign}int{size}" for sign in ("", "u") for size in (8, 16, 32, 64)}
    usable = {name for name, kind in kinds.items() if kind in numeric and len(shapes[name]) == 2}
    usable -= set(options.names("ignore"))
    roles = _variables(usable, shapes, options, where)
    names = [name for name in roles.values() if name]
    total = sum(8 * math.prod(shapes[name]) for name in names if kinds[name] != "sparse")
    if total > physical_memory() // 2:
        raise wrong(where, f"variables of {total:,} bytes", "at most half of this machine's memory")
    with readable(path, "a MATLAB file"):
        found = scipy.io.loadmat(io.BytesIO(content), variable_names=names)
        loaded = {role: found[name] if name else None for role, name in roles.items()}
        matrices: list[Any] = [*loaded.values()]
        for matrix in matrices:
            if hasattr(matrix, "check_format"):
                check_compressed(matrix)
    left = sorted(set(kinds) - set(names))
    notes = tuple(f"{role} from {name}" for role, name in roles.items() if name)
    notes += (f"variables left out: {', '.join(left)}",) if left else ()
    plain = ReadOptions(options.reading, {}, directed=options.directed)
    labels = _flat_labels(loaded["labels"], where)
    main = loaded["adjacency"] if loaded["adjacency"] is not None else loaded["features"]
    beside = loaded["features"] if loaded["adjacency"] is not None else None
    if loaded["adjacency"] is not None and plain.reading == "vectors":
        main, beside = (beside if beside is not None else main), None
    square = None if loaded["adjacency"] is None else "adjacency"
    return from_matrix(main, path, plain, kind="MATLAB", square=square, features=beside, labels=labels, notes=notes)


def read_svmlight(content: bytes, path: Path, options: ReadOptions) -> Data:
    """Read LIBSVM's format, "label index:value ...", as scikit-learn does: sparse features and classes.

    A target that is no class (a fraction) is left out.
    """
    from sklearn.datasets import load_svmlight_file

    where = str(path)
    check_options(options, where, ("vectors",), ())
    with readable(path, "LIBSVM's format"):
        matrix, target = load_svmlight_file(io.BytesIO(content), dtype=np.float64)
    if matrix.shape[0] == 0:
        raise InputError(f"{where}: the file is empty")
    whole = bool(np.isfinite(target).all() and (target == np.round(target)).all())
    notes = () if whole else ("targets left out: they are no classes",)
    plain = ReadOptions("vectors")
    return from_matrix(matrix, path, plain, kind="LIBSVM", labels=target if whole else None, notes=notes)


def _bare_pairs(content: bytes, path: Path, options: ReadOptions) -> Data:
    import scipy.sparse

    where = str(path)
    lines = Lines(decoded(content, where), where, "%")
    found = number_block(
        lines, 0, len(lines.text), 3, "two numbers of nodes and a weight, or the banner %%MatrixMarket"
    )
    if not len(found):
        raise InputError(f"{where}: the file is empty")
    size = 0
    # A line "rows columns entries" before the pairs.
    rows, columns, entries = found[0]
    if len(found) > 1 and entries == len(found) - 1 and rows == columns and found[1:, :2].max() <= rows:
        size, found = int(rows), found[1:]
    ends = found[:, :2]
    bad = (ends < 1) | (ends != np.floor(ends)) | ~np.isfinite(ends)
    if bad.any():
        row = int(bad.any(axis=1).argmax())
        raise wrong(lines.at(row + bool(size)), repr(lines.text[row + bool(size)]), "nodes numbered from 1")
    n = max(size, int(ends.max()))
    if n > 1_000_000 + 100 * len(found):
        raise wrong(where, f"{n:,} nodes, but only {len(found):,} edges", "nodes numbered from 1")
    pairs = ends.astype(np.int64) - 1
    weighted = bool(np.isfinite(found[:, 2]).any())
    weight = np.where(np.isnan(found[:, 2]), 1.0, found[:, 2]) if weighted else None
    edges, total, repeats = sum_repeats(pairs[:, 0], pairs[:, 1], weight, n, bool(options.directed))
    values = np.ones(edges.size(1)) if total is None else total.numpy()
    matrix = scipy.sparse.coo_matrix((values, edges.numpy()), shape=(n, n))
    notes: tuple[str, ...] = ("no banner: pairs of nodes numbered from 1",)
    notes += (f"{counted(repeats, 'repeated edge')} summed",) if repeats else ()
    directed = None if is_symmetric(matrix) else options.directed
    plain = ReadOptions(options.reading, options.columns, options.separator, options.decimal, directed)
    return _numbered(from_matrix(matrix, path, plain, kind="Matrix Market", square="adjacency", notes=notes))


def _numbered(data: Data) -> Data:
    """A graph whose file numbers the nodes from 1, as a table beside it may do."""
    if data.edge_index is not None:
        data.node_key = [*map(str, range(1, int(data.num_nodes or 0) + 1))]
    return data


def _variables(usable: set[str], shapes: dict[str, Any], options: ReadOptions, where: str) -> dict[str, str | None]:
    """Names of the variables that hold adjacency, features and labels."""

    def known(names: tuple[str, ...], role: str, fits: Any) -> str | None:
        given = options.names(role)
        if given:
            if given[0] not in usable or len(given) > 1:
                raise wrong(f"{where}: column {role}", ", ".join(given), f"one of {', '.join(sorted(usable))}")
            return given[0]
        return next((name for name in names if name in usable and fits(shapes[name])), None)

    label = known(_LABELS, "label", lambda shape: 1 in shape)
    feature = known(_FEATURES, "feature", lambda shape: True)
    adjacency = next((name for name in _ADJACENCY if name in usable and shapes[name][0] == shapes[name][1]), None)
    adjacency = adjacency if adjacency != feature else None
    if adjacency is None and feature is None:
        matrices = sorted(name for name in usable if 1 not in shapes[name] and name != label)
        if len(matrices) != 1:
            listed = ", ".join(f"{name} {'x'.join(map(str, shape))}" for name, shape in shapes.items()) or "none"
            raise wrong(
                where,
                f"the variables {listed}",
                f"one matrix, or {', '.join(_ADJACENCY[:4])} (a graph) or {', '.join(_FEATURES[:2])} (features); name "
                "them by --column feature=NAME and --column label=NAME",
            )
        (name,) = matrices
        square = shapes[name][0] == shapes[name][1]
        adjacency, feature = (name, None) if square and options.reading != "vectors" else (None, name)
    return {"adjacency": adjacency, "features": feature, "labels": label}


def _flat_labels(labels: Any, where: str) -> Any:
    if labels is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dense = labels.toarray() if hasattr(labels, "toarray") else np.asarray(labels)
    return dense.reshape(-1) if 1 in dense.shape else dense
