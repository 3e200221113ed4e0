"""Batches that workers draw of their own rows estimate the sums over all pairs, as batches in memory do."""

import math

import pytest
import torch

from genurl_graph.config import Config
from genurl_graph.config.parameters import EncoderConfig, LossConfig, SamplingConfig
from genurl_graph.config.views import ViewConfig
from genurl_graph.graph.affinity import log_kernel
from genurl_graph.losses.pairwise import gkl_dense
from genurl_graph.objectives.base import embed_rows
from genurl_graph.objectives.partitioned import objective as module
from genurl_graph.objectives.partitioned.encoder import new_encoder
from genurl_graph.objectives.partitioned.held import Share, held_rows, held_similarities
from genurl_graph.objectives.partitioned.objective import PartitionedObjective
from genurl_graph.runtime.random import seeded
from tests.objectives.partitioned.works import write_work
from tests.runtime.test_processes import run_several

N, ISOLATED = 60, 7
CONFIG = Config(encoder=EncoderConfig("linear", dim=3))
# For each: the size of a batch, the weight of a node itself, and the loss.
CASES = {
    "all pairs": (N, 0.0, {"scale": "profile"}),
    "plane": (N, 0.0, {"scale": 0.7}),
    "rows": (N, 0.0, {"per": "row"}),
    "part": (24, 0.0, {"scale": 0.7}),
}


def similarities():
    generator = torch.Generator().manual_seed(0)
    p = torch.rand(N, N, generator=generator) * (torch.rand(N, N, generator=generator) < 0.15)
    p = torch.maximum(p, p.T).fill_diagonal_(0)
    p[ISOLATED] = p[:, ISOLATED] = 0
    return p


def features():
    return torch.randn(N, 5, generator=torch.Generator().manual_seed(1))


def write(folder, count):
    dense = similarities()
    edges = dense.nonzero().T
    return write_work(folder, [features()], edges, dense[edges[0], edges[1]], count)


def made(work, batch=N, self_weight=0.0, drop=0.0, **loss):
    """The objective of this process."""
    share = Share.of(N)
    edges, p = held_similarities(work, share)
    with seeded(1):
        encoder = new_encoder(CONFIG, 5)
    stages = (
        LossConfig(**{"temperature": 2.0, "nu": 1.5} | loss),
        SamplingConfig(negatives="batch", n_negatives=1, batch_size=batch),
        ViewConfig(self_weight=self_weight, drop_features=drop),
    )
    return PartitionedObjective(encoder, held_rows(work, ["average0"], share), None, edges, p, N, *stages)


def estimates(work, count=300):
    """Losses of many batches, of all cases."""
    with seeded(0):
        found = {}
        for name, (batch, weight, loss) in CASES.items():
            one = made(work, batch, weight, **loss)
            found[name] = torch.tensor([float(one().loss.detach()) for _ in range(count)])
        return found


def expected(name):
    _, _, loss = CASES[name]
    with seeded(1):
        encoder = new_encoder(CONFIG, 5)
    dense = similarities()
    z = embed_rows(encoder, module.HeldRows(features(), Share((0, N), 0)), torch.device("cpu")).double()
    log_q = log_kernel(torch.cdist(z, z).square() / 2.0, 1.5)
    return float(gkl_dense(dense, log_q, **loss)) / float(dense.sum())


ESTIMATES = """
    from tests.objectives.partitioned.test_objective import drawn_rows, estimates, write
    from pathlib import Path
    from genurl_graph.runtime.partitions import Store
    work = Store.of(Path(folder) / "work", 60, 4)
    with process_group("cpu"):
        keep({"losses": estimates(work, 120), "rows": drawn_rows(work)})
"""


def drawn_rows(work):
    """What a worker reads in two epochs: numbers of its nodes, rows and neighbours' rows, and similarities."""
    before, module.FETCHED = module.FETCHED, 200  # a few steps are fetched at a time
    try:
        with seeded(3):
            one = made(work, 24)
            assert one.ahead < one.steps
            first = one.held.share.span[0]
            found = []
            for _ in range(2 * one.steps):
                if not one._drawn:
                    one._draw()
                step = one._drawn.pop()
                found.append((step.nodes + first, *(one.held.rows(part).x for part in step[1:3]), step.p))
            return [torch.stack(part) for part in zip(*found, strict=True)]
    finally:
        module.FETCHED = before


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_batches_of_all_workers_estimate_the_dense_divergence(workers, tmp_path):
    work = write(tmp_path / "work", 4)
    if workers == 1:
        parts = [{"losses": estimates(work), "rows": drawn_rows(work)}]
    else:
        parts = run_several(workers, ESTIMATES, tmp_path)
    for name in CASES:
        losses = parts[0]["losses"][name]
        for other in parts:
            # Every worker knows the loss of the whole batch.
            assert torch.equal(other["losses"][name], losses)
        error = float(losses.std()) / math.sqrt(len(losses))
        assert float(losses.mean()) == pytest.approx(expected(name), abs=4 * error + 5e-3 * abs(expected(name))), name
    nodes, rows, ends, p = (torch.cat([part["rows"][k] for part in parts], 1) for k in range(4))
    check_rows(nodes, rows, ends, p, workers)


def check_rows(nodes, rows, ends, p, workers):
    x, dense = features(), similarities()
    assert torch.equal(rows, x[nodes])
    # Each row of x is another, so that a row tells whose it is.
    number = torch.cdist(ends, x).argmin(2)
    assert torch.equal(ends, x[number])
    alone = nodes == ISOLATED
    assert torch.equal(number[alone], nodes[alone])
    assert torch.equal(p[~alone], dense[nodes[~alone], number[~alone]])
    assert bool((p[~alone] > 0).all())
    # No node twice in a batch, as many of each worker.
    for batch in nodes:
        assert len(batch.unique()) == 24
    assert torch.equal(torch.bincount(nodes[0] * workers // N), torch.full((workers,), 24 // workers))
    # Almost as often as each other: orders have rests.
    times = torch.bincount(nodes.flatten(), minlength=N).double()
    assert float(times.min()) > 0.5 * float(times.mean())


def test_neighbours_are_drawn_in_proportion_to_p(tmp_path):
    one = made(write(tmp_path / "work", 3))
    dense = similarities()
    with seeded(0):
        ends, _ = one.neighbors.draw(torch.full((20_000,), 9))
    share = torch.bincount(ends, minlength=N) / 20_000
    torch.testing.assert_close(share, dense[9] / dense[9].sum(), rtol=0, atol=0.015)


@pytest.mark.parametrize("count", [1, 3, 7])
def test_rows_of_a_worker_are_those_of_the_partitions_that_they_lie_in(count, tmp_path):
    work = write(tmp_path, count)
    dense = similarities()
    rows, columns, values = [], [], []
    for worker in range(4):
        share = Share(tuple(N * k // 4 for k in range(5)), worker)
        start, stop = share.span
        rows.append(held_rows(work, ["average0", "average0"], share).x)
        edges, p = held_similarities(work, share)
        assert edges.first == start
        expected = dense[start:stop].nonzero().T
        assert torch.equal(edges.crow.diff(), torch.bincount(expected[0], minlength=stop - start))
        columns.append(edges.col.long() - expected[1])
        values.append(p - dense[start:stop][expected[0], expected[1]])
    assert torch.equal(torch.cat(rows), torch.cat([features()] * 2, 1))
    assert not torch.cat(columns).any()
    assert not torch.cat(values).any()


def test_a_node_may_be_its_own_neighbour_in_another_view(tmp_path):
    one = made(write(tmp_path, 3), self_weight=1.5, drop=0.5)
    seen = []
    one.encoder.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[2]))
    with seeded(0):
        ends, p = one.neighbors.draw(torch.arange(N))
        one()
    itself = ends == torch.arange(N)
    assert 1 < int(itself.sum()) < N
    assert bool((p[itself & (torch.arange(N) != ISOLATED)] == 1.5).all())
    assert not torch.equal(seen[0], seen[1])


def test_partitions_of_other_sizes_hold_the_same(tmp_path):
    first = made(write(tmp_path / "1", 1), 24, scale=0.7)
    second = made(write(tmp_path / "7", 7), 24, scale=0.7)
    with seeded(0):
        one = [float(first().loss.detach()) for _ in range(25)]
    with seeded(0):
        other = [float(second().loss.detach()) for _ in range(25)]
    assert one == other
    assert len(set(one)) == 25
