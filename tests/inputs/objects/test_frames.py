"""DataFrames and lists of pairs: edges, edges with nodes, or vectors; the same graph as networkx makes of them."""

from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from genurl_graph import GenURL
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.columns import FeatureOptions
from genurl_graph.inputs.input import as_input
from genurl_graph.inputs.reading import ReadOptions
from tests.conftest import REPOSITORY

CASES = REPOSITORY.parent / "shared" / "cases"
FAST: dict[str, Any] = {"encoder.hidden": 8, "sampling.n_negatives": 8}


def case(name: str) -> pd.DataFrame:
    path: Path = CASES / name
    if not path.exists():
        pytest.skip(f"{path} is absent")
    return pd.read_csv(path)


def say(as_: str | None = None, directed: bool | None = None, **columns: Any) -> ReadOptions:
    return ReadOptions.of(as_, columns, directed=directed)


def named(found: Any) -> dict[tuple[Any, Any], float]:
    """Weights by the names of both ends."""
    names = np.arange(found.num_nodes) if found.names is None else found.names
    weight = np.ones(found.edge_index.size(1)) if found.edge_weight is None else found.edge_weight.numpy()
    source, target = found.edge_index.numpy()
    return {(names[i], names[j]): float(w) for i, j, w in zip(source, target, weight, strict=True)}


# ---------------------------------------------------------------- edges

ends = st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")), min_size=1, max_size=25)


@settings(max_examples=40, deadline=None)
@given(ends.filter(lambda pairs: any(u != v for u, v in pairs)), st.booleans(), st.integers(0, 2**31))
def test_a_table_of_edges_is_the_graph_that_networkx_makes_of_it(pairs: Any, directed: bool, seed: int) -> None:
    weight = np.random.default_rng(seed).integers(1, 5, len(pairs))
    frame = pd.DataFrame(pairs, columns=["source", "target"]).assign(weight=weight)
    found = as_input(frame, options=say(directed=directed))
    own = nx.MultiDiGraph if directed else nx.MultiGraph
    graph = nx.from_pandas_edgelist(frame, edge_attr="weight", create_using=own)
    expected = nx.to_pandas_adjacency(graph, multigraph_weight=sum)
    for (u, v), w in named(found).items():
        assert expected.loc[u, v] == w or (not directed and _is_list_of_both(frame))
    if not (not directed and _is_list_of_both(frame)):
        assert len(named(found)) == int((expected != 0).to_numpy().sum())
    # The order of the nodes is that in which they appear; the order of the lines makes no difference beside.
    assert found.names.tolist() == [*dict.fromkeys(name for pair in pairs for name in pair)]
    assert named(as_input(frame.sample(frac=1, random_state=seed), options=say(directed=directed))) == named(found)


def _is_list_of_both(frame: pd.DataFrame) -> bool:
    """Every edge stands in both directions with equal totals, and counts once."""
    sums = frame[frame.source != frame.target].groupby(["source", "target"]).weight.sum().to_dict()
    return bool(sums) and all(sums.get((v, u)) == w for (u, v), w in sums.items())


@pytest.mark.parametrize("wrap", [lambda f: f, lambda f: f.astype("category"), lambda f: f.convert_dtypes()])
def test_edges_of_any_dtype(wrap: Any) -> None:
    frame = pd.DataFrame({"source": ["a", "b", "a"], "target": ["b", "c", "b"]})
    found = as_input(wrap(frame))
    assert named(found) == {("a", "b"): 2, ("b", "a"): 2, ("b", "c"): 1, ("c", "b"): 1}
    numbers = as_input(wrap(pd.DataFrame({"source": [30, 10], "target": [20, 30]})))
    assert numbers.names.tolist() == [10, 20, 30]


def test_the_user_says_which_column_is_what() -> None:
    frame = pd.DataFrame({"who": ["a", "b"], "whom": ["b", "c"], "n": [2, 3], "since": [1999, 2001]})
    found = as_input(frame, options=say(source="who", target="whom", weight="n"))
    assert named(found)["a", "b"] == 2
    assert any("since" in line for line in found.reading.lines)
    with pytest.raises(InputError, match=r'columns\["weight"\]: found .no.; expected one of who.*did you mean .n.'):
        as_input(frame, options=say(source="who", target="whom", weight="no"))


def test_an_ambiguous_table_names_the_arguments_of_python() -> None:
    frame = pd.DataFrame(np.random.default_rng(0).integers(0, 5, (40, 2)), columns=["alpha", "beta"])
    with pytest.raises(InputError, match='as_="edges" or as_="vectors"'):
        as_input(frame)
    assert as_input(frame, options=say("vectors")).x.shape == (40, 2)
    assert as_input(frame, options=say("edges")).num_nodes == 5


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("a", "b"), ("b", "c"), ("a", "b")], {("a", "b"): 2, ("b", "a"): 2, ("b", "c"): 1, ("c", "b"): 1}),
        ([("a", "b", 2.5), ("b", "c", 1)], {("a", "b"): 2.5, ("b", "a"): 2.5, ("b", "c"): 1, ("c", "b"): 1}),
        ([(3, 5), (5, 9)], {(3, 5): 1, (5, 3): 1, (5, 9): 1, (9, 5): 1}),
        ([["a", "b"], ["b", "c"]], {("a", "b"): 1, ("b", "a"): 1, ("b", "c"): 1, ("c", "b"): 1}),
        (nx.Graph([("a", "b")]).edges, {("a", "b"): 1, ("b", "a"): 1}),
    ],
)
def test_lists_of_pairs_are_edges(pairs: Any, expected: Any) -> None:
    assert named(as_input(pairs)) == expected


def test_other_lists_stay_what_they_are() -> None:
    assert as_input([(0.5, 1.5), (1.0, 2.0)]).x.shape == (2, 2)
    assert as_input([[0, 1], [1, 2]]).x.shape == (2, 2)
    assert as_input([(3, 5), (5, 9)], options=say("vectors")).x.shape == (2, 2)
    with pytest.raises(InputError, match=r"list of edges: found entries of 1 and 2 values; expected pairs"):
        as_input([("a", "b"), ("b",)])


# ---------------------------------------------------------------- edges and nodes


def test_a_table_of_nodes_orders_them() -> None:
    edges = pd.DataFrame({"source": ["a", "b"], "target": ["b", "c"]})
    nodes = pd.DataFrame({"id": ["c", "b", "a", "z"], "age": [3.0, 2.0, 1.0, 9.0]})
    for table in (nodes, nodes.set_index("id"), nodes.sample(frac=1, random_state=0).sort_index()):
        found = as_input((edges, table))
        assert found.names.tolist() == ["c", "b", "a", "z"]
        assert named(found) == {("a", "b"): 1, ("b", "a"): 1, ("b", "c"): 1, ("c", "b"): 1}
        assert found.plan is not None
    # Numbers in the index that name the nodes.
    numbered = pd.DataFrame({"age": [1.0, 2.0, 3.0]}, index=[30, 20, 10])
    found = as_input((pd.DataFrame({"source": [10, 20], "target": [20, 30]}), numbered))
    assert found.names.tolist() == [30, 20, 10]
    with pytest.raises(InputError, match=r"edges: row 1.*node 'c' is missing"):
        as_input((edges, nodes[nodes.id != "c"]))


def test_nodes_without_features() -> None:
    edges = pd.DataFrame({"source": [0, 1], "target": [1, 2]})
    for nodes in (pd.DataFrame({"id": [2, 1, 0, 7]}), pd.DataFrame({"id": [2, 1, 0, 7], "label": [0, 1, 0, 1]})):
        found = as_input((edges, nodes))
        assert found.x is None
        assert found.names.tolist() == [2, 1, 0, 7]
    contacts, communities = case("repeated-edges/contacts.csv"), case("repeated-edges/communities.csv")
    assert as_input((contacts, communities)).edge_weight.max() > 1


def test_a_mixed_table_as_it_comes() -> None:
    edges, nodes = case("mixed-table/edges.csv"), case("mixed-table/nodes.csv")
    found = as_input((edges, nodes), options=say(label="segment"))
    assert found.names.tolist() == nodes.customer_id.tolist()
    told = "\n".join(found.reading.lines)
    assert all(name in told for name in nodes.columns)
    model = GenURL(4, epochs=1, random_state=0, config=FAST | {"encoder.structure": "degree"}, encoder="gcn")
    z = model.fit((edges, nodes), columns={"label": "segment"}).embedding_
    assert pd.DataFrame(z, index=model.node_id_).index.equals(pd.Index(nodes.customer_id))
    assert any("note (" in line.partition("left out: ")[2] for line in model.reading_)
    # New rows are read as the fitted ones were, in any order.
    np.testing.assert_allclose(model.transform((edges, nodes)), z, atol=1e-4)
    turned = nodes.sample(frac=1, random_state=1)
    new = as_input((edges, turned), features=FeatureOptions.of_model(found.plan), options=say(label="segment"))
    np.testing.assert_array_equal(new.x.to_dense(), found.x.to_dense()[turned.index])
    # Two nodes alone, of which a plan of their own would make nothing.
    two = nodes[nodes.customer_id.isin([*edges.iloc[0]])]
    new = as_input((edges[:1], two), 1, FeatureOptions.of_model(found.plan), options=say(label="segment"))
    np.testing.assert_array_equal(new.x.to_dense(), found.x.to_dense()[two.index])


def test_an_adjacency_matrix_with_features() -> None:
    a, x = sp.csr_array(nx.to_scipy_sparse_array(nx.path_graph(5))), np.random.default_rng(0).random((5, 3))
    for features in (x, pd.DataFrame(x, columns=["a", "b", "c"])):
        found = as_input((a, features))
        assert found.x.shape == (5, 3)
        assert found.edge_index.size(1) == 8
        assert as_input((a.toarray(), features), options=say("adjacency")).edge_index.size(1) == 8


# ---------------------------------------------------------------- vectors


def test_labels_are_left_out_of_vectors() -> None:
    frame = case("label-column/label_first.csv")
    with pytest.warns(UserWarning, match="column 'label' is taken for labels and left out of the features"):
        found = as_input(frame)
    assert found.x.shape == (400, 16)


def test_a_model_of_vectors_compares_the_names_of_features(recwarn: pytest.WarningsRecorder) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.random((30, 3)), columns=["a", "b", "c"]).assign(label=rng.integers(0, 2, 30))
    model = GenURL(2, epochs=1, random_state=0, encoder="mlp", config={"encoder.hidden": 8})
    z = model.fit_transform(frame, columns={"label": "label"})
    assert [*model.feature_names_in_] == ["a", "b", "c"]
    for new in (frame, frame.drop(columns="label")):
        np.testing.assert_allclose(model.transform(new), z, atol=1e-5)
    np.testing.assert_allclose(model.transform(frame[:1]), z[:1], atol=1e-5)
    with pytest.raises(ValueError, match="feature names"):
        model.transform(frame.rename(columns={"a": "first"}))
    assert not [w for w in recwarn if issubclass(w.category, UserWarning) and "label" in str(w.message)]


def test_pandas_answers_by_node() -> None:
    edges = pd.DataFrame({"source": ["a", "b", "c", "d"], "target": ["b", "c", "d", "a"]})
    model = GenURL(2, epochs=1, random_state=0, config=FAST | {"encoder.structure": "degree"})
    model.set_output(transform="pandas")
    found = model.fit_transform(edges)
    assert [*found.index] == ["a", "b", "c", "d"]
    assert found.shape == (4, 2)
    more = pd.DataFrame({"source": ["x", "y"], "target": ["y", "z"]})
    assert [*model.transform(more).index] == ["x", "y", "z"]
    assert model.resolve(edges).task == "graph"
