"""What evaluations refuse, and how they say it."""

from functools import partial

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch_geometric.data import Data

from genurl_graph.evaluation.clustering import cluster
from genurl_graph.evaluation.links import link_scores, link_split
from genurl_graph.evaluation.minibatch_probe import linear_classifier, mlp_classifier
from genurl_graph.evaluation.preservation import preservation, reduce_scores
from genurl_graph.evaluation.probe import linear_probe
from genurl_graph.evaluation.protocols import evaluate_embedding, propagated_features, raw_features
from genurl_graph.evaluation.retrieval import retrieval_scores
from genurl_graph.evaluation.splits import Split, splits
from genurl_graph.evaluation.statistics import inner_accuracy, paired_difference
from genurl_graph.exceptions import InputError
from tests.evaluation.blobs import blobs

Z, Y = blobs(60)
NONE = np.empty(0, dtype=np.int64)
SPLIT = Split(np.arange(20), np.arange(20, 30), np.arange(30, 60))
ONE_CLASS = SPLIT._replace(train=np.flatnonzero(Y == 0)[:5], val=np.flatnonzero(Y == 0)[5:])
BROKEN = np.where(np.arange(60)[:, None] == 4, np.nan, Z)
DATA = Data(x=torch.from_numpy(Z), y=torch.from_numpy(Y))
RING = torch.stack([torch.arange(30), (torch.arange(30) + 1) % 30])
GRAPH = Data(x=torch.ones(30, 2), edge_index=RING)


def graph(edges: torch.Tensor, n: int) -> Data:
    return Data(edge_index=edges, num_nodes=n)


def masked(**masks: torch.Tensor) -> Data:
    return Data(y=DATA.y, **{f"{name}_mask": mask for name, mask in masks.items()})


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (cluster, (Z, Y[1:]), "embedding: found 60 rows; expected 59, one for each label"),
        (cluster, (Z, np.full(60, -1)), "no node with a label"),
        (linear_probe, (Z[1:], Y, SPLIT, "public"), "found 59 rows; expected 60"),
        (linear_probe, (Z, Y, ONE_CLASS, "public"), "fewer than two classes"),
        (linear_probe, (Z, Y, Split(np.arange(8), NONE, SPLIT.test), "random-10"), "at most 2 training nodes"),
        (inner_accuracy, (Z, Y, ONE_CLASS), "fewer than two classes"),
        (evaluate_embedding, (Z[1:], DATA), r"embedding: found shape \[59, 6\]; expected \[60, f\]"),
        (evaluate_embedding, (Z, Data(x=DATA.x)), "no labels"),
        (evaluate_embedding, (Z, DATA, "links"), "protocol: found 'links'; expected one of public, random-10"),
        (raw_features, (graph(RING, 30),), "without features"),
        (propagated_features, (Data(x=DATA.x),), "without edges"),
        (preservation, (np.zeros((4, 2)), np.zeros((5, 2)), 1), "embedding: found 5 rows; expected 4"),
        (preservation, (np.zeros((4, 2)), np.zeros((4, 2)), 2), "k: found 2; expected at least 1 and below n / 2 = 2"),
        (preservation, (np.array([[np.nan], [1]]), np.zeros((2, 2)), 1), "input: found 1 NaN or infinite values"),
        (preservation, (np.zeros(4), np.zeros((4, 2)), 1), r"input: found shape \[4\]; expected \[n, f\]"),
        (partial(preservation, metric="minkowski"), (np.eye(5), np.eye(5), 1), "metric: found 'minkowski'"),
        (reduce_scores, (np.eye(5), np.eye(5), np.zeros(4)), "found 5 rows; expected 4, one for each label"),
        (paired_difference, ([], []), "expected as many of both"),
        (paired_difference, ([1.0], [1.0, 2.0]), "found 1 and 2 values"),
        (paired_difference, ([1.0], [1.0], 1.0), "confidence: found 1.0"),
        (link_scores, (torch.ones(29, 6), link_split(GRAPH)), r"found shape \[29, 6\]; expected \[30, f\]"),
        (link_scores, (torch.ones(30), link_split(GRAPH)), r"found shape \[30\]"),
        (link_scores, (torch.full((30, 2), torch.nan), link_split(GRAPH)), "NaN or infinite"),
        (link_split, (Data(x=torch.ones(9, 2)),), "no edges; expected a graph"),
        (link_split, (Data(x=torch.ones(9, 2), edge_index=RING[:, :0]),), "0 undirected edges"),
        (link_split, (graph(RING[:, :19], 20),), "19 undirected edges.*at least 20"),
        (link_split, (graph(torch.arange(40).expand(2, 40), 40),), "40 self loops alone"),
        (link_split, (graph(torch.cat([RING[:, :15], RING[:, :15].flip(0)], 1), 30),), "15 undirected edges"),
        (link_split, (graph(torch.triu_indices(30, 30, 1), 30),), "0 pairs without an edge for 21 validation edges"),
    ],
)
def test_bad_input(function, arguments, message):
    with pytest.raises(InputError, match=message):
        function(*arguments)


@pytest.mark.parametrize("classifier", [linear_classifier, mlp_classifier])
@pytest.mark.parametrize(
    ("z", "y", "split", "message"),
    [
        (sp.csr_matrix(Z), Y, SPLIT, "found a sparse matrix; expected a dense one"),
        (BROKEN, Y, SPLIT, "NaN or infinite"),
        (Z[:-1], Y, SPLIT, "found 59 rows; expected 60"),
        (Z, np.zeros(60, dtype=int), SPLIT, "fewer than two classes"),
        (Z, Y, SPLIT._replace(val=NONE), "no validation nodes"),
    ],
)
def test_classifiers_in_batches(classifier, z, y, split, message):
    with pytest.raises(InputError, match=message):
        classifier(z, y, split, lambda labels, predicted: 0.0, epochs=1)


@pytest.mark.parametrize(
    ("protocol", "data", "n_repeats", "message"),
    [
        ("random-20", DATA, None, "found 'random-20'; expected one of public, random-10, random-10-10-80"),
        ("public", DATA, None, "without train, validation and test masks"),
        ("public", masked(**dict.fromkeys(("train", "val", "test"), torch.zeros(60) > 0)), None, "in train_mask"),
        ("random-10", Data(x=torch.ones(5, 1)), None, "no labels"),
        ("random-10", Data(y=torch.arange(30) % 4), None, "30 labelled nodes of 4 classes; expected at least 40"),
        ("random-10", Data(y=torch.zeros(100)), None, "found 1 class; expected at least 2"),
        ("random-10", DATA, 0, "n_repeats: found 0"),
    ],
)
def test_splits(protocol, data, n_repeats, message):
    with pytest.raises(InputError, match=message):
        list(splits(protocol, data, n_repeats=n_repeats))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y": np.zeros(5), "queries": [0]}, "queries and database: found one"),
        ({}, "neither labels nor the input"),
        ({"y": np.zeros(4)}, "found 5 rows; expected 4, one for each label"),
        ({"x": np.zeros((4, 1))}, "input: found 4 rows; expected 5"),
        ({"y": np.zeros(5), "queries": [0], "database": [5]}, "database: found rows 5 to 5; expected rows of 0 to 4"),
        ({"y": np.zeros(5), "queries": np.zeros(5, bool), "database": [1]}, "queries: found 0 entries"),
        ({"y": np.zeros(5), "queries": np.ones(4, bool), "database": [1]}, "queries: found a mask of 4"),
        ({"y": np.zeros(5), "metric": "dot"}, "metric: found 'dot'"),
    ],
)
def test_retrieval(arguments, message):
    with pytest.raises(InputError, match=message):
        retrieval_scores(np.eye(5), **arguments)
