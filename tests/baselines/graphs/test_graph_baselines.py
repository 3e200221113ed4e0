"""All baselines of whole graphs: seeds, order of graphs and nodes, settings, bad input; floors on MUTAG."""

import subprocess
import sys

import pytest
import torch

from genurl_graph import datasets
from genurl_graph.baselines.graphs import GRAPH_BASELINES, KERNELS, get_graph_baseline
from genurl_graph.baselines.graphs.common import GraphBatches, prepare
from genurl_graph.baselines.settings import baseline_settings
from genurl_graph.exceptions import InputError

TRAINED = [name for name in GRAPH_BASELINES if name not in KERNELS]
QUICK = {"epochs": 2, "hidden": 8, "batch": 8}


@pytest.mark.parametrize("name", TRAINED)
def test_embedding_repeats_by_seed(rings_and_stars, name):
    baseline = get_graph_baseline(name, QUICK)
    first = baseline(rings_and_stars, 0, "cpu")
    assert first.shape == (30, 8 * baseline_settings(name, task="graphs")["layers"] if name != "graphmae" else 8)
    assert first.dtype == torch.float32
    assert torch.equal(baseline(rings_and_stars, 0, "cpu"), first)
    assert not torch.allclose(baseline(rings_and_stars, 1, "cpu"), first)


@pytest.mark.parametrize("name", TRAINED)
def test_graphs_without_nodes_or_features_have_a_row(rings_and_stars, name):
    ptr = rings_and_stars.node_ptr
    bare = rings_and_stars._replace(
        x=None,
        node_ptr=torch.cat([ptr, ptr[-1:]]),
        edge_ptr=torch.cat([rings_and_stars.edge_ptr, rings_and_stars.edge_ptr[-1:]]),
    )
    z = get_graph_baseline(name, QUICK)(bare, 0, "cpu")
    assert len(z) == 31
    assert torch.isfinite(z).all()
    assert not z[-1].any()


@pytest.mark.parametrize("name", TRAINED)
def test_every_graph_with_nodes_is_drawn_once_an_epoch(rings_and_stars, name):
    given = prepare(name, rings_and_stars, "degrees", "cpu")
    batches = GraphBatches(given, 8)
    for _ in range(2):
        drawn = [batches.draw() for _ in range(batches.steps)]
        assert sorted(graphs.num_graphs for graphs in drawn) == [7, 7, 8, 8]
        assert sum(graphs.num_nodes for graphs in drawn) == given.num_nodes
        assert torch.equal(sum(g.x.sum(0) for g in drawn), given.x.sum(0))
    assert batches.left == []


def test_features_of_graphs_that_have_none(rings_and_stars):
    bare = rings_and_stars._replace(x=None)
    assert prepare("g", bare, "ones", "cpu").x.unique().tolist() == [1.0]
    assert torch.equal(prepare("g", bare, "degrees", "cpu").x.argmax(1), bare.degrees())
    assert prepare("g", rings_and_stars, "degrees", "cpu").x is rings_and_stars.x


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("grahpcl", {}, "baseline of whole graphs: found 'grahpcl'.*did you mean 'graphcl'"),
        ("grace", {}, "baseline of whole graphs: found 'grace'"),
        ("graphcl", {"drop_edges": 0.5}, "graphcl setting: found 'drop_edges'"),
        ("graphcl", {"drop": 1.0}, r"graphcl.drop: found 1.0; expected a finite number in \[0, 1\)"),
        ("wl", {"iterations": -1}, "wl.iterations: found -1"),
    ],
)
def test_bad_names_and_settings(name, changes, message):
    with pytest.raises(InputError, match=message):
        get_graph_baseline(name, changes)


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("infograph", {"features": "words"}, "infograph: features: found 'words'"),
        ("graphmae", {"readout": "median"}, "graphmae.readout: found 'median'"),
    ],
)
def test_bad_choices(rings_and_stars, name, changes, message):
    with pytest.raises(InputError, match=message):
        get_graph_baseline(name, changes)(rings_and_stars, 0, "cpu")


@pytest.mark.parametrize("name", TRAINED)
def test_one_graph_is_too_few(rings_and_stars, name):
    one = rings_and_stars.take(torch.tensor([0]))
    with pytest.raises(InputError, match=f"{name}: found 1 graphs that have nodes; expected at least 2"):
        get_graph_baseline(name, QUICK)(one, 0, "cpu")


def test_there_is_one_configuration_for_all_data_sets():
    for name in GRAPH_BASELINES:
        assert baseline_settings(name, "MUTAG", task="graphs") == baseline_settings(name, task="graphs")
    # GraphCL is also a method for nodes, with settings of its own.
    assert baseline_settings("graphcl", task="graphs") != baseline_settings("graphcl")


def test_the_registry_imports_nothing_heavy():
    code = "import sys, genurl_graph.baselines.graphs; print(sorted({'torch', 'grakel', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.data
@pytest.mark.parametrize("name", ["infograph", "graphcl"])
def test_floors_on_mutag(data_root, name):
    """Of 188 molecules 125 are of one class, 66.5 per cent; the papers say 89.0 and 86.8, with RBF support vectors."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    molecules = datasets.load("mutag", data_root)
    z = get_graph_baseline(name, {"epochs": 5})(molecules.collection, 0, "cpu")
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))
    assert cross_val_score(probe, z.numpy(), molecules.y.numpy(), cv=5).mean() > 0.78
