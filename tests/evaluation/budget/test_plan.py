"""Plans depend on sizes alone, keep what fits, and cut in a fixed order."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_geometric.data import Data

from genurl_graph.evaluation.budget.plan import (
    BUDGET,
    NODES_A_CLASS,
    WIDE,
    Plan,
    Width,
    cluster_seconds,
    nodes_to_cluster,
    plan_probes,
)

TITLES = {"raw": "raw features", "propagated": "propagated features"}


def labelled(n: int, classes: int, **more) -> Data:
    return Data(y=torch.arange(n) % classes, num_nodes=n, **more)


def rows(columns: int, features: int) -> dict[str, Width]:
    own = Width(columns, columns, "embedding")
    return {"embedding": own, "untrained": own, "raw": Width(features, features, "features")}


def test_small_data_are_looked_at_as_a_whole() -> None:
    plan = plan_probes(labelled(1797, 10), "random-10-10-80", rows(32, 64))
    assert plan == Plan(20, 20)
    assert plan.cuts(1797, rows(32, 64), TITLES) == []


def test_two_thousand_small_images_are_projected_first_and_split_less_often_then() -> None:
    widths = rows(128, 3072)
    plan = plan_probes(labelled(2000, 10), "random-10-10-80", widths)
    assert plan.columns == WIDE
    assert plan.nodes is plan.clustered is None
    assert 3 <= plan.splits < 20
    assert plan.cuts(2000, widths, TITLES) == [
        "raw features: first 256 principal components",
        f"accuracy over {plan.splits} of 20 splits into training and test labels",
    ]


def test_of_a_million_nodes_a_sample_is_split() -> None:
    plan = plan_probes(labelled(1_000_000, 40), "random-10-10-80", rows(128, 100))
    assert plan.columns is None
    assert plan.splits < 20
    assert plan.nodes is not None
    assert plan.clustered is not None
    assert f"{plan.nodes:,} random nodes of 1,000,000" in plan.cuts(1_000_000, rows(128, 100), TITLES)


def test_splits_of_the_data_set_are_counted_and_cut_too() -> None:
    n = 20_000
    masks = torch.rand(n, 10, generator=torch.Generator().manual_seed(0))
    data = labelled(n, 5, train_mask=masks < 0.5, val_mask=(masks >= 0.5) & (masks < 0.7), test_mask=masks >= 0.7)
    plan = plan_probes(data, "public", rows(128, 300))
    assert plan.of == 10
    assert plan.splits < 10


def test_without_a_budget_nothing_is_cut() -> None:
    assert plan_probes(labelled(1_000_000, 40), "random-10-10-80", rows(128, 5000), budget=None) == Plan(
        20, 20, budget=None
    )
    assert nodes_to_cluster(10**7, 128, 40, None) is None


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1_000, 300_000),
    classes=st.integers(2, 20),
    columns=st.integers(1, 256),
    features=st.integers(1, 5_000),
    budget=st.floats(0.5, 60),
)
def test_a_larger_budget_never_looks_at_less(n: int, classes: int, columns: int, features: int, budget: float) -> None:
    data, widths = labelled(n, classes), rows(columns, features)
    small, large = (plan_probes(data, "random-10-10-80", widths, budget=b) for b in (budget, 2 * budget))
    assert 1 <= small.splits <= small.of == 20
    assert small == plan_probes(data, "random-10-10-80", widths, seed=7, budget=budget)
    work = [(plan.splits * (plan.nodes or n), plan.clustered or n) for plan in (small, large)]
    assert work[0][1] <= work[1][1]
    # With all columns again, a split costs more, so that there may be fewer of them; never fewer nodes.
    assert (small.nodes or n) <= (large.nodes or n)
    for plan in (small, large):
        assert plan.nodes is None or plan.nodes >= NODES_A_CLASS * classes
    if small.clustered is None:
        floor = NODES_A_CLASS * classes > 200_000 or n <= 5_000
        assert floor or cluster_seconds(n, columns, classes) <= budget / 4


def test_a_record_gives_the_plan_back() -> None:
    plan = Plan(3, 20, 256, None, 5000, BUDGET)
    assert Plan.recorded({**plan._asdict(), "left_out": ["3 of 20 splits"]}) == plan


def test_sparse_rows_cost_by_their_stored_numbers() -> None:
    sparse, dense = Width(5000, 50, "features"), Width(5000, 5000, "features")
    assert sparse.seconds(500, 5000, 5) < dense.seconds(500, 5000, 5)
    assert sparse.projected(256) == Width(256, 256, "features")
    assert Width(5000, 5000, "embedding").projected(256).columns == 5000
    assert math.isclose(dense.seconds(500, 5000, 5) - dense.seconds(500, 0, 5), 1.2e-8 * 5000 * 5000)
    assert dense.seconds(500, 5000, 5, crossed=True) > dense.seconds(500, 5000, 5)


@pytest.mark.parametrize("protocol", ["random-10", "random-10-10-80"])
def test_sizes_of_splits_are_those_of_labelled_nodes(protocol: str) -> None:
    data = labelled(100_000, 5)
    data.y[np.random.default_rng(0).random(100_000) < 0.98] = -1
    few = plan_probes(data, protocol, rows(64, 64))
    assert few.splits > plan_probes(labelled(100_000, 5), protocol, rows(64, 64)).splits
