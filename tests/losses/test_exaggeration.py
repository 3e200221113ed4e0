"""The schedule of the attraction: its limits, its order, and what it does to a map."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genurl_graph import GenURL
from genurl_graph.config import load_preset
from genurl_graph.config.parameters import LossConfig
from genurl_graph.losses.exaggeration import exaggeration_at, resolve_late

PRESET = replace(load_preset("reduce").loss, late_exaggeration=0.5)
factors = st.floats(0.1, 50)
shares = st.floats(0, 0.5)
progress = st.floats(0, 1, exclude_max=True)


def test_without_phases_it_is_constant():
    assert {exaggeration_at(LossConfig(exaggeration=2.5), t) for t in np.linspace(0, 1, 50, endpoint=False)} == {2.5}


def test_falls_stays_and_ends_below():
    loss = replace(
        PRESET, exaggeration=1.0, early_exaggeration=9.0, early_share=0.5, late_exaggeration=0.5, late_share=0.1
    )
    assert [exaggeration_at(loss, t) for t in (0.0, 0.25, 0.5, 0.89, 0.91, 0.999)] == [9, 5, 1, 1, 0.5, 0.5]


@given(factors, factors, shares, factors, shares, progress, progress)
def test_never_rises(between, early, early_share, late, late_share, one, other):
    loss = LossConfig(
        exaggeration=between,
        early_exaggeration=early,
        early_share=early_share,
        late_exaggeration=late,
        late_share=late_share,
    )
    first, second = sorted((one, other))
    assert exaggeration_at(loss, first) >= exaggeration_at(loss, second) - 1e-12
    assert min(between, late) <= exaggeration_at(loss, one) <= max(between, early) + 1e-12


def test_fewer_samples_are_spread_less():
    auto = load_preset("reduce").loss
    factors_of = [resolve_late(auto, n) for n in (30, 1_000, 9_999, 10_000, 1_000_000)]
    assert factors_of == sorted(factors_of, reverse=True)
    assert (factors_of[-1], factors_of[-2]) == (0.5, 0.5)
    assert factors_of[2] == pytest.approx(0.5, abs=1e-4)
    assert 0.7 < factors_of[0] < 1
    assert resolve_late(replace(auto, late_exaggeration=0.9), 30) == 0.9


def test_whole_run_may_be_one_phase():
    loss = LossConfig(early_exaggeration=3.0, early_share=1.0)
    assert exaggeration_at(loss, 0.5) == 2.0
    assert exaggeration_at(LossConfig(late_exaggeration=0.5, late_share=1.0), 0.0) == 0.5


def test_a_map_that_goes_on_does_not_assemble_again():
    x = np.random.default_rng(0).normal(size=(60, 5))
    first = GenURL(2, epochs=2, random_state=0).fit(x)
    second = GenURL(2, epochs=2, random_state=0).fit(x, init=first)
    assert (first.config_.loss.early_share, second.config_.loss.early_share) == (PRESET.early_share, 0)
    assert second.config_.loss.late_share == PRESET.late_share


@pytest.mark.parametrize("key", ["early_share", "late_share"])
def test_share_beyond_one_is_refused(key):
    with pytest.raises(ValueError, match=rf"loss.{key}: found 1.5"):
        GenURL(2, config={f"loss.{key}": 1.5}).fit(np.eye(30, 4))


def test_phases_join_the_digits_and_fill_them():
    from genurl_graph import datasets
    from genurl_graph.evaluation.preservation import reduce_scores

    digits = datasets.load("digits")
    x, y = digits.x[:900], digits.y[:900]

    def mean_scores(config):
        maps = [GenURL(2, random_state=seed, config=config).fit(x).embedding_ for seed in range(2)]
        runs = [reduce_scores(x, z, y) for z in maps]
        return {key: np.mean([run[key] for run in runs]) for key in runs[0] if key != "how"}

    phases, without = mean_scores({}), mean_scores({"loss.early_share": 0.0, "loss.late_share": 0.0})
    assert phases["pieces"] < without["pieces"] - 0.2
    assert phases["largest_piece"] > without["largest_piece"] + 0.01
    assert phases["continuity"] > without["continuity"]
    assert phases["trustworthiness"] > 0.985
    assert phases["knn_accuracy"] > 0.975


def test_step_reports_the_factor_of_its_phase():
    from genurl_graph.graph.affinity import similarities
    from genurl_graph.graph.knn import knn_graph
    from genurl_graph.nn.table import EmbeddingTable
    from genurl_graph.objectives.full_batch import PairwiseObjective

    torch.manual_seed(0)
    x = torch.randn(60, 5)
    edges, p = similarities(*knn_graph(x, 10), 60, 10.0)
    config = replace(load_preset("reduce"), loss=PRESET)
    sampling = replace(config.sampling, negatives="permuted", n_negatives=59)
    objective = PairwiseObjective(
        EmbeddingTable(torch.randn(60, 2)), None, None, edges, p, 60, config.loss, sampling, config.views
    )
    first, middle, last = (objective(t).attraction.item() for t in (0.0, 0.7, 0.95))
    assert first / middle == pytest.approx(PRESET.early_exaggeration / PRESET.exaggeration, rel=1e-4)
    assert last / middle == pytest.approx(PRESET.late_exaggeration / PRESET.exaggeration, rel=1e-4)
