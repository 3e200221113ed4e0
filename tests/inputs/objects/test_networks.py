"""Graphs of networkx, igraph and DGL: edges, weights, names and what is left out."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch

from genurl_graph import GenURL
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.hetero import as_graph
from genurl_graph.inputs.input import as_input
from genurl_graph.inputs.reading import ReadOptions


def options(**columns: Any) -> ReadOptions:
    return ReadOptions.of(columns=columns)


def weights(found: Any) -> dict[tuple[int, int], float]:
    return dict(zip(map(tuple, found.edge_index.T.tolist()), found.edge_weight.tolist(), strict=True))


# ---------------------------------------------------------------- networkx


def people() -> nx.Graph:
    g = nx.Graph()
    g.add_node("ann", age=30, club="A", vector=[1.0, 2.0])
    g.add_node("bob", age=41, club="B", vector=[3.0, 4.0])
    g.add_node("eve", age=25, club="A", vector=[5.0, 6.0])
    g.add_edge("ann", "bob", weight=2.0, count=5)
    g.add_edge("bob", "eve", count=7)
    return g


def test_attributes_of_nodes_are_named_and_no_features() -> None:
    with pytest.warns(UserWarning, match=r"Graph: node attributes that are no features: age, vector .*columns="):
        found = as_input(people())
    assert found.x is None
    assert found.names.tolist() == ["ann", "bob", "eve"]
    assert weights(found) == {(0, 1): 2, (1, 0): 2, (1, 2): 1, (2, 1): 1}
    assert found.reading.lines == (
        "read networkx Graph as a graph: 3 nodes, 2 edges, weight weight",
        "left out: age (node attribute), club (node attribute), vector (node attribute), count (edge attribute)",
    )


def test_named_attributes_are_taken(recwarn: pytest.WarningsRecorder) -> None:
    found = as_input(people(), options=options(feature=["age"], weight="count", label="club"))
    assert found.x.tolist() == [[30], [41], [25]]
    assert weights(found) == {(0, 1): 5, (1, 0): 5, (1, 2): 7, (2, 1): 7}
    assert "club (label)" in found.reading.lines[1]
    assert len(recwarn) == 0
    for columns, message in (
        ({"feature": ["aeg"]}, r"node attribute: found 'aeg'.*did you mean 'age'"),
        ({"weight": "counts"}, r"edge attribute: found 'counts'.*did you mean 'count'"),
    ):
        with pytest.raises(InputError, match=message):
            as_input(people(), options=options(**columns))
    with pytest.raises(InputError, match="as_: found 'vectors' for Graph, which is a graph"):
        as_input(people(), options=ReadOptions("vectors"))


def test_coordinates_of_a_drawing_are_no_features(recwarn: pytest.WarningsRecorder) -> None:
    g = nx.path_graph(3)
    for key in ("x", "y", "size", "r"):
        nx.set_node_attributes(g, {0: 1.0, 1: 2.0, 2: 3.0}, key)
    assert as_input(g).x is None
    assert len(recwarn) == 0
    nx.set_node_attributes(g, {node: [1.0, node] for node in g}, "x")
    assert as_input(g).x.tolist() == [[1, 0], [1, 1], [1, 2]]


def test_multigraphs_sum_and_other_names_are_kept() -> None:
    g = nx.MultiGraph([((0, "a"), (1, "b")), ((1, "b"), (0, "a")), ((1, "b"), "c", {"weight": 3.0})])
    found = as_input(g)
    assert weights(found) == {(0, 1): 2, (1, 0): 2, (1, 2): 3, (2, 1): 3}
    assert found.names.tolist() == [(0, "a"), (1, "b"), "c"]
    assert "2 edges, weight weight, 1 repeats summed" in found.reading.lines[0]
    arrows = nx.MultiDiGraph([(0, 1), (0, 1), (1, 0)])
    assert weights(as_input(arrows)) == {(0, 1): 2, (1, 0): 1}
    assert weights(as_input(arrows, options=ReadOptions(directed=False))) == {(0, 1): 3, (1, 0): 3}
    assert as_input(nx.DiGraph([(5, 3)])).names.tolist() == [5, 3]


def test_signed_weights_and_self_loops_alone_are_refused() -> None:
    with pytest.raises(
        InputError, match=r"first \(-1\) of edge 0; expected finite weights >= 0: keep only the positive edges"
    ):
        as_input(nx.Graph([(0, 1, {"weight": -1}), (1, 2, {"weight": 1})]))
    with pytest.raises(InputError, match="2 self loops alone; expected edges between different nodes, or features"):
        as_input(nx.Graph([(0, 0), (1, 1)]))
    with pytest.raises(InputError, match="edge_weight: found 0 for every edge; expected weights > 0, or no weights"):
        as_input(nx.Graph([(0, 1, {"weight": 0}), (1, 2, {"weight": 0})]))
    # Features there are to go by.
    g = nx.Graph([(0, 0), (1, 1)])
    nx.set_node_attributes(g, {0: 1.0, 1: 2.0}, "x")
    assert as_input(g).x is not None


def test_a_view_and_a_subgraph_are_graphs() -> None:
    g = people()
    for view in (g.subgraph(["ann", "bob"]), nx.freeze(g.copy())):
        with pytest.warns(UserWarning, match="age"):
            assert as_input(view).num_nodes == view.number_of_nodes()


# ---------------------------------------------------------------- igraph


class Sequence:
    """Of vertices or edges, as igraph has it: columns by name."""

    def __init__(self, held: dict[str, list[Any]]) -> None:
        self.held = held

    def attributes(self) -> list[str]:
        return [*self.held]

    def __getitem__(self, name: str) -> list[Any]:
        return self.held[name]


def igraph(pairs: list[tuple[int, int]], n: int, directed: bool = False, vs: Any = (), es: Any = ()) -> Any:
    return SimpleNamespace(
        vcount=lambda: n,
        get_edgelist=lambda: pairs,
        is_directed=lambda: directed,
        vs=Sequence(dict(vs)),
        es=Sequence(dict(es)),
    )


def test_igraph_by_its_interface() -> None:
    plain = as_input(igraph([(0, 1), (1, 2)], 4))
    assert plain.edge_index.tolist() == [[0, 1, 1, 2], [1, 2, 0, 1]]
    assert plain.edge_weight is None
    assert plain.num_nodes == 4
    named = igraph(
        [(0, 1), (1, 2), (0, 1)],
        3,
        directed=True,
        vs={"name": ["ann", "bob", "eve"], "age": [30, 41, 25], "club": ["A", "B", "A"]},
        es={"weight": [1.0, 2.0, 3.0], "since": [1999, 2000, 2001]},
    )
    with pytest.warns(UserWarning, match="igraph Graph: node attributes that are no features: age"):
        found = as_input(named)
    assert found.names.tolist() == ["ann", "bob", "eve"]
    assert weights(found) == {(0, 1): 4, (1, 2): 2}
    assert "since (edge attribute)" in found.reading.lines[1]
    assert as_input(named, options=options(feature=["age"])).x.tolist() == [[30], [41], [25]]
    assert GenURL(2, epochs=1, random_state=0).fit(igraph([(0, 1), (1, 2)], 3)).embedding_.shape == (3, 2)


def test_igraph_itself() -> None:
    ig = pytest.importorskip("igraph")
    famous = ig.Graph.Famous("Zachary")
    found = as_input(famous)
    assert (found.num_nodes, found.edge_index.size(1)) == (34, 156)
    tuples = ig.Graph.TupleList([("a", "b", 2.0), ("b", "c", 1.0)], weights=True)
    found = as_input(tuples)
    assert found.names.tolist() == ["a", "b", "c"]
    assert weights(found) == {(0, 1): 2, (1, 0): 2, (1, 2): 1, (2, 1): 1}


# ---------------------------------------------------------------- DGL


class DGLGraph:
    """DGL's interface, as far as it is read: types of nodes and edges, frames of columns, ends by relation."""

    def __init__(self, ends: dict[Any, Any], counts: dict[str, int], nodes: Any = None, edges: Any = None) -> None:
        self.ends, self.counts = ends, counts
        self.ntypes, self.canonical_etypes = [*counts], [*ends]
        self.held = {name: (nodes or {}).get(name, {}) for name in counts}
        self.of_edges = {kind: (edges or {}).get(kind, {}) for kind in ends}
        self.ndata, self.edata = self.held[self.ntypes[0]], self.of_edges[self.canonical_etypes[0]]

    @property
    def nodes(self) -> Any:
        return {name: SimpleNamespace(data=held) for name, held in self.held.items()}

    @property
    def edges(self) -> Any:
        graph = self

        class Edges:
            def __getitem__(self, kind: Any) -> Any:
                return SimpleNamespace(data=graph.of_edges[kind])

            def __call__(self, etype: Any = None) -> Any:
                return graph.ends[etype or graph.canonical_etypes[0]]

            def __iter__(self) -> Iterator[Any]:
                raise AssertionError("no loop over edges")

        return Edges()

    def num_nodes(self, name: str | None = None) -> int:
        return sum(self.counts.values()) if name is None else self.counts[name]

    def num_edges(self, kind: Any) -> int:
        return len(self.ends[kind][0])


LINK = ("_N", "_E", "_N")


def test_dgl_by_its_interface() -> None:
    ends = {LINK: (torch.tensor([0, 1, 0]), torch.tensor([1, 2, 1]))}
    plain = as_input(DGLGraph(ends, {"_N": 4}))
    assert weights(plain) == {(0, 1): 2, (1, 2): 1}
    assert (plain.num_nodes, plain.kind) == (4, "torch")
    held = {"_N": {"feat": torch.rand(4, 3), "label": torch.tensor([0, 1, 0, 1]), "train_mask": torch.ones(4)}}
    rich = DGLGraph(ends, {"_N": 4}, held, {LINK: {"w": torch.tensor([1.0, 2.0, 4.0]), "time": torch.ones(3)}})
    found = as_input(rich)
    assert torch.equal(found.x, held["_N"]["feat"])
    assert weights(found) == {(0, 1): 5, (1, 2): 2}
    assert found.reading.lines[1] == "left out: label (node data), train_mask (node data), time (edge data)"
    with pytest.raises(InputError, match="DGL graph: edge data: found 'wieght'"):
        as_input(rich, options=options(weight="wieght"))
    z = GenURL(2, epochs=1, random_state=0).fit_transform(rich)
    assert isinstance(z, torch.Tensor)


def test_dgl_graphs_of_several_types() -> None:
    kinds = {("user", "likes", "item"): (torch.tensor([0, 1]), torch.tensor([0, 0]))}
    graph = DGLGraph(kinds, {"user": 2, "item": 3}, {"item": {"feat": torch.rand(3, 2)}})
    found = as_graph(graph)
    assert found.types.rows == {"user": (0, 2), "item": (2, 5)}
    assert found.edge_index.tolist() == [[0, 1], [2, 2]]
    assert np.isfinite(GenURL(2, epochs=1, random_state=0).fit_transform(graph)["item"]).all()
