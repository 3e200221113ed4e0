"""Whole graphs from end to end: a row each, whatever comes with it, in whatever order, saved and loaded."""

import warnings
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from torch import Tensor
from torch_geometric.data import Batch, Data
from torch_geometric.utils import to_networkx

from genurl_graph import GenURL, datasets
from genurl_graph.exceptions import InputError

SMALL: dict[str, Any] = {"encoder.hidden": 8, "encoder.dim": 24, "encoder.skip": 4, "sampling.batch_size": 16}


def molecule(kind: int, n: int, generator: torch.Generator) -> Data:
    """A ring or a star of n nodes of three kinds, with two kinds of edges."""
    node = torch.arange(n)
    ends = torch.stack([node, (node + 1) % n] if kind else [torch.zeros(n - 1).long(), node[1:]])
    x = torch.nn.functional.one_hot(torch.randint(3, (n,), generator=generator), 3).float()
    attr = torch.nn.functional.one_hot(torch.randint(2, (ends.size(1),), generator=generator), 2).float()
    return Data(x, torch.cat([ends, ends.flip(0)], 1), torch.cat([attr, attr]), name=f"{kind}-{n}", y=kind)


@pytest.fixture(scope="module")
def molecules() -> list[Data]:
    """26 small graphs, one of one node, one of none."""
    generator = torch.Generator().manual_seed(0)
    graphs = [molecule(kind, n, generator) for n in range(4, 16) for kind in (0, 1)]
    graphs.append(Data(torch.eye(3)[:1], torch.empty(2, 0).long(), torch.empty(0, 2), name="atom", y=0))
    graphs.append(Data(torch.empty(0, 3), torch.empty(2, 0).long(), torch.empty(0, 2), name="nothing", y=0))
    return graphs


@pytest.fixture(scope="module")
def model(molecules: list[Data]) -> GenURL:
    return GenURL(random_state=0, epochs=2, config=SMALL).fit(molecules)


def shuffled(graph: Data, generator: torch.Generator) -> Data:
    """The same graph: its nodes in another order, and its edges."""
    n, e = int(graph.num_nodes or 0), graph.num_edges
    order, edges = torch.randperm(n, generator=generator), torch.randperm(e, generator=generator)
    assert graph.x is not None
    assert graph.edge_index is not None
    assert graph.edge_attr is not None
    return Data(graph.x[order], order.argsort()[graph.edge_index][:, edges], graph.edge_attr[edges])


def test_a_list_of_graphs_is_embedded_by_itself(model: GenURL, molecules: list[Data]) -> None:
    assert model.task_ == "graphs"
    assert model.embedding_.shape == (26, model.config_.encoder.dim)
    assert torch.isfinite(model.embedding_).all()
    assert [*model.node_id_[[0, -2, -1]]] == ["0-4", "atom", "nothing"]
    assert model.reading_[0].startswith("read list of Data as whole graphs: 26 graphs, 229 nodes")
    assert model.reading_[1] == "left out: y (labels)"
    assert model.n_features_in_ == 3
    # P: near graphs, no graph beside itself.
    assert int(model.graph_.edge_index.max()) < 26
    assert bool((model.graph_.edge_index[0] != model.graph_.edge_index[1]).all())
    found = GenURL(epochs=2, config=SMALL).resolve(molecules)
    assert found.task == "graphs"
    assert found.training.epochs == 2


def test_a_row_has_the_same_bits_whatever_comes_with_it(model: GenURL, molecules: list[Data]) -> None:
    assert torch.equal(model.transform(molecules), model.embedding_)
    assert torch.equal(model.transform(Batch.from_data_list(molecules)), model.embedding_)
    one = torch.cat([model.transform(molecules[g]) for g in (0, 9, 24, 25)])
    assert torch.equal(one, model.embedding_[[0, 9, 24, 25]])
    generator = torch.Generator().manual_seed(1)
    strange = molecule(1, 300, generator)
    for _ in range(4):
        index = torch.randint(26, (int(torch.randint(1, 12, (1,), generator=generator)),), generator=generator)
        found = model.transform([*(molecules[g] for g in index.tolist()), strange])
        assert torch.equal(found[:-1], model.embedding_[index])


def test_the_order_of_nodes_edges_and_graphs_changes_rounding_alone(model: GenURL, molecules: list[Data]) -> None:
    generator = torch.Generator().manual_seed(2)
    order = torch.randperm(26, generator=generator).tolist()
    found = model.transform([shuffled(molecules[g], generator) for g in order])
    torch.testing.assert_close(found, model.embedding_[order], rtol=1e-5, atol=1e-5)


def test_saved_and_loaded_it_gives_the_same_bits(model: GenURL, molecules: list[Data], tmp_path: Path) -> None:
    state = torch.get_rng_state()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.save(tmp_path / "model")
        loaded = GenURL.load(tmp_path / "model")
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(loaded.transform(molecules[3:9]), model.embedding_[3:9])
    assert loaded.task_ == "graphs"
    with pytest.raises(InputError, match=r"graphs: found 0 edge attributes; expected 2, as in the fit"):
        loaded.transform(Data(molecules[0].x, molecules[0].edge_index))
    # Its settings fit the same model again.
    again = GenURL.load(tmp_path / "model").fit(molecules)
    assert torch.equal(again.embedding_, model.embedding_)


def test_a_damaged_model_is_refused(model: GenURL, tmp_path: Path) -> None:
    model.save(tmp_path)
    note = (tmp_path / "model.json").read_text()
    (tmp_path / "model.json").write_text(note.replace('"hidden": 8', '"hidden": 9'))
    with pytest.raises(InputError, match="or is damaged"):
        GenURL.load(tmp_path)


def test_seeds_repeat_a_fit_and_differ(model: GenURL, molecules: list[Data]) -> None:
    estimator = GenURL(random_state=0, epochs=2, config=SMALL)
    state = torch.get_rng_state()
    found = clone(estimator).fit_transform(molecules)
    assert torch.equal(found, model.embedding_)
    assert torch.equal(torch.get_rng_state(), state)
    other = clone(estimator).set_params(random_state=1).fit_transform(molecules)
    assert not torch.allclose(other, found, atol=0.1)


def test_an_interrupted_fit_resumes_bit_for_bit(model: GenURL, molecules: list[Data], tmp_path: Path) -> None:
    def interrupt(epoch: int, loss: float) -> None:
        raise KeyboardInterrupt

    arguments: dict[str, Any] = {"random_state": 0, "epochs": 2, "config": SMALL, "checkpoint": tmp_path / "state"}
    with pytest.raises(KeyboardInterrupt):
        GenURL(**arguments).fit(molecules, callbacks=[interrupt])
    resumed = GenURL(**arguments, resume=True).fit(molecules)
    assert torch.equal(resumed.embedding_, model.embedding_)
    with pytest.raises(InputError):
        GenURL(**arguments, resume=True).fit(molecules[1:])


def test_attributes_of_edges_are_read(model: GenURL, molecules: list[Data]) -> None:
    graph = molecules[5].clone()
    graph.edge_attr = graph.edge_attr.flip(1)
    assert not torch.allclose(model.transform(graph), model.embedding_[5:6], atol=1e-3)


def test_frames_are_indexed_by_the_names_of_the_graphs(molecules: list[Data]) -> None:
    estimator = GenURL(random_state=0, epochs=1, config=SMALL).set_output(transform="pandas")
    found = estimator.fit_transform(molecules)
    assert isinstance(found, pd.DataFrame)
    assert [*found.index] == [graph.name for graph in molecules]
    assert [*found.columns] == [*estimator.get_feature_names_out()]
    new = estimator.transform(molecules[2:4])
    assert [*new.index] == ["0-5", "1-5"]
    np.testing.assert_array_equal(new.to_numpy(), found.to_numpy()[2:4])


def test_graphs_without_features_of_very_unequal_size(molecules: list[Data]) -> None:
    graphs = [to_networkx(graph, to_undirected=True) for graph in molecules]
    giant = nx.cycle_graph(20_000)
    model = GenURL(random_state=0, epochs=1, config=SMALL)
    assert isinstance(model.fit_transform([giant, *graphs]), np.ndarray)
    assert torch.isfinite(model.embedding_).all()
    assert torch.equal(torch.from_numpy(model.transform(graphs[7])), model.embedding_[8:9])


@pytest.mark.parametrize("graph", [nx.cycle_graph(5), nx.empty_graph(1), nx.empty_graph(4)], ids=str)
def test_graphs_that_are_all_alike_get_one_row(graph: nx.Graph) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = GenURL(random_state=0, epochs=1, config=SMALL).fit_transform([graph] * 6)
    assert np.isfinite(found).all()
    assert (found == found[0]).all()


def test_few_graphs_of_which_some_are_empty_are_fitted_by_the_defaults() -> None:
    """Empty graphs are in no batch: the default number of neighbours gives way to those that are left."""
    found = GenURL(random_state=0, epochs=2).fit_transform([nx.path_graph(2), nx.empty_graph(0), nx.star_graph(3)])
    assert found.shape[0] == 3
    assert np.isfinite(found).all()


def test_words_at_nodes_and_edges_are_read_as_in_the_fit(tmp_path: Path) -> None:
    graphs = []
    for g in range(12):
        graph = nx.cycle_graph(4 + g % 3)
        nx.set_node_attributes(graph, {node: "CNO"[(node * g) % 3] for node in graph}, "element")
        nx.set_edge_attributes(graph, {edge: "single" if sum(edge) % 2 else "double" for edge in graph.edges}, "bond")
        graphs.append(graph)
    model = GenURL(random_state=0, epochs=1, config=SMALL).fit(graphs)
    model.save(tmp_path)
    loaded = GenURL.load(tmp_path)
    assert loaded.resolve(graphs).task == "graphs"
    np.testing.assert_array_equal(loaded.transform(graphs[4]), model.embedding_[4:5].numpy())
    other = graphs[4].copy()
    nx.set_edge_attributes(other, "triple", "bond")
    assert not np.allclose(loaded.transform(other), model.embedding_[4:5], atol=1e-3)


def test_raw_columns_of_files_are_encoded_as_in_the_fit(tmp_path: Path) -> None:
    columns = {"feature": ["element", "bond"]}
    for g in range(8):
        graph = nx.cycle_graph(4 + g % 3)
        nx.set_node_attributes(graph, {node: "CNO"[(node * g) % 3] for node in graph}, "element")
        nx.set_edge_attributes(graph, {edge: "sd"[sum(edge) % 2] for edge in graph.edges}, "bond")
        for folder in (tmp_path / "all", *([tmp_path / "one"] if g == 5 else [])):
            folder.mkdir(exist_ok=True)
            nx.write_graphml(graph, folder / f"m{g}.graphml")
    graphs = datasets.read(tmp_path / "all", columns=columns)
    model = GenURL(random_state=0, epochs=1, config=SMALL).fit(graphs)
    assert [*model.node_id_] == [f"m{g}" for g in range(8)]
    assert model.feature_plan_ is not None
    assert model.feature_plan_.names == ["element=C", "element=N", "element=O"]
    assert len(model.reading_) == len({*model.reading_})
    model.save(tmp_path / "model")
    # One file has two of the three elements.
    new = datasets.read(tmp_path / "one", columns=columns)
    assert torch.equal(GenURL.load(tmp_path / "model").transform(new), model.embedding_[5:6])
    assert torch.equal(model.transform(graphs[[7, 2]]), model.embedding_[[7, 2]])


def graph_of(x: Tensor, **parts: Any) -> Data:
    return Data(x, torch.tensor([[0, 1], [1, 0]]), **parts)


@pytest.mark.parametrize(
    ("arguments", "given", "message"),
    [
        ({"task": "graph"}, "graphs", 'expected one graph (task="graphs" embeds several, a row each)'),
        ({"task": "graphs"}, "graph", "data: found 1 graph; expected at least 2 graphs"),
        ({"task": "graphs"}, "matrix", "data: found Tensor; expected many graphs"),
        ({"encoder": "gcn"}, "graphs", "found 'gcn'; expected gin"),
        ({"init": np.zeros((26, 2))}, "graphs", "init: found coordinates for whole graphs"),
        ({"task": "graphs", "metric": "precomputed"}, "matrix", "task graphs: found one graph"),
    ],
)
def test_what_does_not_fit_is_refused(
    arguments: dict[str, Any], given: str, message: str, molecules: list[Data]
) -> None:
    inputs = {"graphs": molecules, "graph": molecules[0], "matrix": torch.zeros(4, 4)}
    with pytest.raises(InputError) as error:
        GenURL(**arguments).fit(inputs[given])
    assert message in str(error.value)


def test_other_features_than_in_the_fit_are_refused(model: GenURL, molecules: list[Data]) -> None:
    with pytest.raises(InputError, match="found 2 node features; expected 3, as in the fit"):
        model.transform(graph_of(torch.rand(2, 2), edge_attr=torch.rand(2, 2)))
    with pytest.raises(InputError, match="data: found an empty list"):
        model.transform([])
    with pytest.raises(InputError, match="teacher: found one for the task graphs"):
        GenURL(task="graphs").fit(molecules, teacher=torch.rand(26, 3))
