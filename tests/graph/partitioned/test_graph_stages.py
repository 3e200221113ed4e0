"""The graph by partitions is the graph in memory, to the last bit, whatever the partitions."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genurl_graph.config import load_preset
from genurl_graph.exceptions import InputError
from genurl_graph.graph import affinity
from genurl_graph.graph.edge_reliability import Measure, ranks, weighed_features
from genurl_graph.graph.partitioned import (
    average_partitions,
    edges,
    judge_edges,
    merge_partitions,
    partition_statistics,
    relate_neighbors,
    similarities,
    weigh_partitions,
)
from genurl_graph.graph.partitioned.averages import average_name
from genurl_graph.graph.propagation import propagated
from genurl_graph.graph.sources import share_of, uses_neighbors
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.normalize import column_statistics
from genurl_graph.inputs.partitioned import write_prepared
from genurl_graph.runtime.partitions import OneProcess, Store
from genurl_graph.tasks import graph
from genurl_graph.tasks.prepare import gather

CPU, HOPS = torch.device("cpu"), 2
PARTS = pytest.mark.parametrize("count", [1, 5])


def planted(n=300, classes=4, features=10, weighted=False, seed=0):
    """Nodes whose features tell their class well enough, with edges mostly within classes, and some without any."""
    g = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % classes
    x = torch.randn(n, features, generator=g) + 1.5 * torch.randn(classes, features, generator=g)[y]
    # The last row has equal ones among its neighbours.
    x[-3:] = x[-1]
    drawn = torch.randint(n - 20, (2, 6 * n), generator=g)
    kept = (y[drawn[0]] == y[drawn[1]]) | (torch.rand(6 * n, generator=g) < 0.15)
    # A node with edges to most others.
    hub = torch.stack([torch.zeros(n // 2, dtype=torch.long), torch.randint(1, n, (n // 2,), generator=g)])
    edge_index = torch.cat([drawn[:, kept], hub], 1)
    weight = 0.1 + torch.rand(edge_index.size(1), generator=g) if weighted else None
    return Input(x, edge_index, weight, n, "numpy")


def config_of(changes):
    chosen = {
        "merge.weighting": "adaptive",
        "merge.propagation_weight": 0.4,
        "merge.evidence": 0.7,
        "neighbors.n_neighbors": 8,
        "neighbors.metric": "euclidean",
        "neighbors.backend": "exact",
        "neighbors.pca": 0,
        "similarity.perplexity": 8.0,
    }
    return load_preset("graph", "sign").override(chosen | changes)


class Both:
    """A graph in memory, and the same one by partitions."""

    def __init__(self, path, count, changes=None, column_weight=None, **kind):
        self.prepared = write_prepared(planted(**kind), path / "prepared", partitions=count)
        self.given = self.prepared.store
        self.data = self.prepared.whole()._replace(column_weight=column_weight, measured={})
        self.config = config_of(changes or {})
        # Any will do, and to measure one takes longer than all the rest.
        metric, self.consistency = self.config.neighbors.metric, Measure(0.85, 0.003)
        self.data.known[metric if column_weight is None else f"{metric}, weighed"] = self.consistency
        self.sources = gather(self.data, self.config, 0, CPU)
        self.work = Store(path / "work", self.given.bounds)
        self.keep("weighed", weighed_features(self.data))
        if self.sources.neighbors is not None:
            self.keep("neighbors", self.sources.neighbors.indices.int())
            self.keep("distances", self.sources.neighbors.distances)
        self.launcher = OneProcess()

    def keep(self, name, rows):
        for part in range(self.work.count):
            self.work.save(name, part, rows[slice(*self.work.span(part))].numpy())

    def run(self):
        """All stages up to the merge; returns what they say."""
        merge, said = self.config.merge, {}
        if merge.weighting == "adaptive":
            features = (self.work, "weighed")
            metric = self.config.neighbors.metric
            how = metric, self.consistency, share_of(merge.evidence)
            said = judge_edges(self.launcher, self.given, self.work, features, *how)
        weigh_partitions(self.launcher, self.given, self.work, merge.weighting)
        if uses_neighbors(merge):
            relate_neighbors(self.launcher, self.work, self.config.similarity)
        return said, merge_partitions(self.launcher, self.given, self.work, merge)

    def whole(self, name):
        return torch.from_numpy(np.concatenate(list(self.work.parts(name))))

    def edges(self, names):
        parts = [edges.load_edges(self.work, names, part) for part in range(self.work.count)]
        return torch.cat([part[0] for part in parts], 1), torch.cat([part[1] for part in parts])

    def check(self, said, merged_said):
        """Compare what partitions have come to with the graph in memory."""
        n, sources = self.data.num_nodes, self.sources
        merged = graph.merged_graph(self.data, sources, self.config)
        expected = merged.similarities()
        assert all(map(torch.equal, self.edges(edges.MERGED), expected))
        spread = graph.propagation_edges(sources, n, self.config)
        assert all(map(torch.equal, self.edges(edges.SPREAD), spread[:2]))
        assert torch.equal(self.whole("degree"), sources.degree)
        counts = merged.summary()
        assert {key: merged_said[key] for key in counts} == counts
        for key, value in (merged.weight_shares() | {"total_weight": merged.total_weight()}).items():
            assert merged_said[key] == pytest.approx(value, rel=1e-12)
        if self.config.merge.weighting == "adaptive":
            assert torch.equal(self.whole("reliability"), sources.reliability)
            known = sources.summary()
            rounded = {"reliability_mean", "reliability_error"}
            assert {k: v for k, v in said.items() if k not in rounded} == {
                k: v for k, v in known.items() if k not in rounded
            }
            assert all(said[key] == pytest.approx(known[key], rel=1e-4, abs=1e-7) for key in rounded)
        return merged, spread


@PARTS
@pytest.mark.parametrize("kind", [{"weighted": True}, {"n": 150, "features": 3}])
def test_partitions_have_the_graph_of_memory(tmp_path, count, kind) -> None:
    both = Both(tmp_path, count, **kind)
    assert both.sources.reliability.std() > 0.01, "reliability is one number for all"
    both.check(*both.run())


@PARTS
def test_the_same_of_a_large_graph(tmp_path, count, monkeypatch) -> None:
    """Each edge is ranked among a few nodes, and rows are calibrated as a table."""
    monkeypatch.setattr(ranks, "_CELLS", 1)
    monkeypatch.setattr(ranks, "_BLOCK", 1)
    for module in (affinity, similarities):
        monkeypatch.setattr(module, "LARGE", 100)
    both = Both(tmp_path, count)
    assert both.sources.errors["edge_auc_error"] > 0
    both.check(*both.run())


@PARTS
def test_very_many_edges_are_judged_by_the_same_sample(tmp_path, count, monkeypatch) -> None:
    monkeypatch.setattr(ranks, "_MANY_EDGES", 10)
    monkeypatch.setattr(ranks, "_EDGES_A_NODE", 3)
    both = Both(tmp_path, count)
    said, _ = both.run()
    known = both.sources.summary()
    assert int(both.whole("auc_count").sum()) < both.sources.edge_index.size(1) * 0.7
    # Their mean is a sum in float64 over partitions, in memory one in float32.
    torch.testing.assert_close(both.whole("reliability"), both.sources.reliability, rtol=0, atol=1e-6)
    assert said["edge_auc"] == pytest.approx(known["edge_auc"], rel=1e-12)
    assert said["edge_auc_error"] == known["edge_auc_error"]


@pytest.mark.parametrize(
    "changes",
    [
        {"merge.weighting": "given", "merge.how": "union"},
        {"merge.weighting": "none"},
        {"merge.evidence": 0.0},
        {"merge.evidence": "none", "merge.propagation_weight": 0.0},
        {"merge.feature_weight": 0.0, "merge.propagation_power": 2.0},
        {"neighbors.metric": "cosine"},
    ],
)
def test_the_graph_of_memory_by_all_settings(tmp_path, changes) -> None:
    weight = torch.linspace(0.2, 1, 10)
    both = Both(tmp_path, 3, changes, column_weight=weight if "neighbors.metric" in changes else None)
    both.check(*both.run())


@PARTS
@pytest.mark.parametrize(("features", "weight"), [(1, 0.0), (10, 0.4)])
def test_averages_are_those_of_memory(tmp_path, count, features, weight) -> None:
    changes = {"merge.weighting": "given", "merge.propagation_weight": weight}
    both = Both(tmp_path, count, changes, features=features)
    _, spread = both.check(*both.run())
    x = both.data.x
    both.keep("average0", x)
    average_partitions(both.launcher, both.work, HOPS)
    found = torch.cat([both.whole(average_name(hop)) for hop in range(HOPS + 1)], 1)
    assert torch.equal(found, propagated(*spread[:2], x, HOPS))
    alone = both.whole("scale") == 1
    assert bool(alone.any()) == (weight == 0)
    assert torch.equal(found[alone, -features:], x[alone])


@given(st.integers(1, 60), st.integers(1, 8), st.integers(0, 9))
@settings(max_examples=40, deadline=None)
def test_statistics_are_those_of_all_rows(tmp_path_factory, n, count, seed) -> None:
    generator = np.random.default_rng(seed)
    x = (generator.normal(size=(n, 5)) * [1, 100, 1e-4, 0, 1] + [0, 1e4, 0, 3, 0]).astype(np.float32)
    x[:, 4] = x[:, 4] > 0
    store = Store.of(tmp_path_factory.mktemp("store"), n, count)
    for part in range(store.count):
        store.save("x", part, x[slice(*store.span(part))])
    found, expected = partition_statistics(OneProcess(), (store, "x")), column_statistics(torch.from_numpy(x))
    for key in ("mean", "scale"):
        torch.testing.assert_close(found[key], expected[key], rtol=1e-6, atol=1e-12)
    assert torch.isinf(found["scale"][3])


class Dead(Exception):
    pass


class Dies(OneProcess):
    """A launcher whose workers live for so many partitions."""

    def __init__(self, partitions):
        self.left = partitions

    def map(self, doing, function, parts, *shared, progress=False):
        parts = list(parts)
        found = super().map(doing, function, parts[: self.left], *shared)
        self.left -= len(found)
        if len(found) < len(parts):
            raise Dead
        return found


@pytest.mark.parametrize("partitions", [2, 8, 11, 17, 20, 25])
def test_a_run_goes_on_where_it_was_stopped(tmp_path, partitions) -> None:
    both = Both(tmp_path, 3, weighted=True)
    both.launcher = Dies(partitions)
    with pytest.raises(Dead):
        both.run()
    # What is left of nine stages, and the largest weight once more.
    both.launcher = Dies(9 * 3 - partitions + 3)
    both.check(*both.run())


def test_what_partitions_cannot_do_is_refused(tmp_path) -> None:
    both = Both(tmp_path, 2)
    arguments = both.launcher, both.given, both.work
    with pytest.raises(InputError, match=r"metric of partitions: found 'manhattan'; expected"):
        judge_edges(*arguments, (both.work, "weighed"), "manhattan", both.consistency)
    with pytest.raises(InputError, match=r"merge\.how: found geodesic with partitions; expected mix or union"):
        merge_partitions(*arguments, both.config.override({"merge.how": "geodesic"}).merge)
    bare = write_prepared(Input(both.data.x, None, None, both.data.num_nodes, "numpy"), tmp_path / "bare", partitions=2)
    with pytest.raises(InputError, match=r"edge reliability: found no edges; expected a graph"):
        judge_edges(
            both.launcher, bare.store, both.work.beside("bare"), (both.work, "weighed"), "cosine", both.consistency
        )
