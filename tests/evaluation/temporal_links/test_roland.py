"""Ranks as ROLAND and EvolveGCN count them: what loops over sources find."""

import numpy as np
import pytest
import torch

from genurl_graph.evaluation.temporal_links.protocol import references
from genurl_graph.evaluation.temporal_links.roland import Snapshots, roland_figures, snapshot_split
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.temporal import TemporalEdges

N, CUT = 30, Snapshots(10.0, 0.5, 4, True)


@pytest.fixture(scope="module")
def split():
    generator = torch.Generator().manual_seed(0)
    time = 103 + 60 * torch.rand(200, generator=generator).double()
    ends = torch.randint(N, (2, 200), generator=generator)
    return snapshot_split(TemporalEdges.of(ends[0], ends[1], time, num_nodes=N), CUT)


def test_snapshots_begin_at_multiples_of_their_length(split):
    assert split.windows.starts[:-1].tolist() == [100.0, 110.0, 120.0, 130.0, 140.0, 150.0, 160.0]
    assert (split.first_val, split.first_test) == (3, 4)
    for window in range(7):
        time = split.windows.events(split.edges, window).time
        assert set((time // 10).tolist()) == {10.0 + window}
    with pytest.raises(InputError, match="7 snapshots"):
        snapshot_split(split.edges, CUT._replace(first_test=7))


def test_empty_snapshots_are_none():
    edges = TemporalEdges.of([0, 1, 0], [1, 2, 2], [5.0, 35.0, 36.0])
    assert snapshot_split(edges, CUT._replace(first_test=1)).windows.ptr.tolist() == [0, 1, 3]


def fixed(_, window):
    values = torch.rand(N, N, generator=torch.Generator().manual_seed(window)).double().mul(8).round()
    return {"drawn": lambda source, target: values[source, target]}


def test_rows_are_means_over_the_targets_of_a_source(split):
    windows = []
    for window in split.parts()["test"]:
        values = fixed(split, window)["drawn"](*torch.cartesian_prod(torch.arange(N), torch.arange(N)).T).view(N, N)
        now = split.windows.events(split.edges, window)
        pairs = {*zip(now.source.tolist(), now.target.tolist(), strict=True)}
        pairs |= {(t, s) for s, t in pairs}
        sources = []
        for u in {s for s, _ in pairs}:
            row = values[u].tolist()
            own = [row[t] for s, t in pairs if s == u]
            sources.append(np.mean([1 / (1 + sum(x > o for x in row) + (row.count(o) - 1) / 2) for o in own]))
        windows.append(np.mean(sources))
    found = roland_figures(split, fixed, both_ends=True)["drawn"]
    assert found.rows == pytest.approx(np.mean(windows), abs=1e-6)


def test_the_best_of_a_source_is_ranked_and_ties_are_no_favour(split):
    def oracle(split, window):
        now = split.windows.events(split.edges, window)
        known = torch.zeros(N, N).double()
        known[now.source, now.target] = 1.0
        # All right targets but one of each source have the lowest score: the best alone counts.
        known[torch.arange(N), known.argmax(1)] *= 2
        return {
            "oracle": lambda s, t: (known[s, t] == 2).double() - (known[s, t] == 1).double(),
            "constant": lambda s, t: torch.zeros(s.shape).double(),
        }

    found = roland_figures(split, oracle, both_ends=False)
    assert found["oracle"].best == 1.0
    assert found["constant"].best == pytest.approx(1 / 1001)
    assert found["constant"].rows == pytest.approx(1 / (1 + (N - 1) / 2), abs=1e-6)
    assert found["oracle"].rows < 1


def test_references_are_judged(split):
    found = roland_figures(split, references, both_ends=True, seed=3)
    assert found == roland_figures(split, references, both_ends=True, seed=3)
    assert all(0 < value <= 1 for figures in found.values() for value in figures)
