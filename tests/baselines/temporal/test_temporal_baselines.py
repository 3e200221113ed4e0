"""Baselines of dynamic graphs: what they learn, what they may look at, seeds, units, bad input."""

import subprocess
import sys

import pytest
import torch

from genurl_graph.baselines.settings import baseline_settings
from genurl_graph.baselines.temporal import TEMPORAL_BASELINES, get_temporal_baseline
from genurl_graph.baselines.temporal.last_events import LastEvents
from genurl_graph.evaluation.temporal_links.protocol import TemporalSplit, judge
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.temporal import TemporalEdges, Windows

NAMES = list(TEMPORAL_BASELINES)
N = 40
QUICK = {"dim": 16, "batch": 40, "lr": 1e-2, "epochs": 8, "patience": 8}
FEW = QUICK | {"epochs": 1}


def split_of(edges: TemporalEdges) -> TemporalSplit:
    return TemporalSplit.of(edges, Windows.of_equal_events(edges, 16))


def shifts(events: int = 800) -> TemporalEdges:
    """Ten of forty nodes have events; after each 200 events four of them are replaced."""
    generator = torch.Generator().manual_seed(0)
    time = torch.arange(events)
    ends = (torch.randint(10, (2, events), generator=generator) + 4 * (time // 200)) % N
    return TemporalEdges.of(ends[0], ends[1], time, num_nodes=N)


def groups(told: bool, events: int = 800) -> TemporalEdges:
    """Events inside two groups, of which the weight tells where it is `told`."""
    generator = torch.Generator().manual_seed(0)
    ends = torch.randint(N // 2, (2, events), generator=generator)
    group = torch.randint(2, (events,), generator=generator)
    return TemporalEdges.of(*(2 * ends + group), torch.arange(events), 2.0 * group - 1 if told else None, N)


@pytest.fixture(scope="module", params=NAMES)
def fitted(request):
    """A name, a split, and what is trained on it for one epoch."""
    split = split_of(shifts())
    return request.param, split, get_temporal_baseline(request.param, FEW)(split, 0, "cpu")


def scores(predictor, split, window):
    return predictor.scorer(split, window)(*torch.cartesian_prod(torch.arange(N), torch.arange(N)).T)


def with_other_events(split: TemporalSplit, first: int) -> TemporalSplit:
    """The same split with other events from event `first` on: other ends, and other times."""
    edges, generator = split.edges, torch.Generator().manual_seed(1)
    other = torch.randint(N, (2, len(edges) - first), generator=generator)
    time = torch.cat([edges.time[:first], 3 * edges.time[first:] + 5])
    source, target = (torch.cat([end[:first], o]) for end, o in zip(edges[:2], other, strict=True))
    return split._replace(edges=TemporalEdges(source, target, time, None, N))


@pytest.mark.parametrize("name", NAMES)
def test_nodes_that_were_active_are_expected_again(name):
    split = split_of(shifts())
    found = judge(split, get_temporal_baseline(name, QUICK)(split, 0, "cpu").scorers)[name]
    # A quarter of the nodes has all events; negatives among the rest are told.
    assert found.auc["random"] > 0.75
    assert found.mrr > 2 * sum(1 / k for k in range(1, N)) / (N - 1)


@pytest.mark.parametrize("name", NAMES)
def test_messages_tell_groups(name):
    """Half of the random negatives lie inside a group, and are told by nothing."""
    found = []
    for told in (True, False):
        split = split_of(groups(told))
        predictor = get_temporal_baseline(name, QUICK | {"epochs": 2})(split, 0, "cpu")
        found.append(judge(split, predictor.scorers)[name].auc["random"])
    assert found[0] > 0.65 > 0.6 > found[1]


def test_scores_do_not_see_the_window_or_what_comes_after(fitted):
    name, split, predictor = fitted
    window = split.first_test + 1
    own = scores(predictor, split, window)
    changed = with_other_events(split, int(split.windows.ptr[window]))
    assert torch.equal(scores(predictor, changed, window), own)
    # The other future is seen as soon as it is the past, and is forgotten with the first one.
    assert not torch.equal(scores(predictor, changed, window + 1), scores(predictor, split, window + 1))
    assert torch.equal(scores(predictor, split, window), own)
    # Nor does the training see the events of the test.
    changed = with_other_events(split, int(split.windows.ptr[split.first_test]))
    again = get_temporal_baseline(name, FEW)(changed, 0, "cpu")
    assert torch.equal(scores(again, changed, split.first_test), scores(predictor, split, split.first_test))


def test_windows_one_by_one_are_as_at_once(fitted):
    _, split, predictor = fitted
    last = len(split.windows) - 1
    at_once = scores(predictor, split, last)
    for window in (*range(split.first_val, last), last):
        found = scores(predictor, split, window)
    assert torch.equal(found, at_once)


def test_seeds_repeat_and_units_of_time_do_not_matter(fitted):
    name, split, predictor = fitted
    baseline = get_temporal_baseline(name, FEW)
    first = scores(predictor, split, split.first_test)
    torch.manual_seed(5)
    assert torch.equal(scores(baseline(split, 0, "cpu"), split, split.first_test), first)
    assert not torch.allclose(scores(baseline(split, 1, "cpu"), split, split.first_test), first)
    edges = split.edges
    later = split_of(TemporalEdges.of(edges.source, edges.target, 1024 * edges.time + 4096, num_nodes=N))
    by_time = get_temporal_baseline(name, FEW | {"clock": "time", "predict": "batch"})
    found, other = (scores(by_time(each, 0, "cpu"), each, split.first_test) for each in (split, later))
    assert torch.allclose(found, other, atol=1e-4)


def test_the_best_epoch_is_kept_and_the_training_ends():
    split = split_of(groups(False))
    found = get_temporal_baseline("graphmixer", QUICK | {"epochs": 20, "patience": 1})(split, 0, "cpu")
    assert found.precision[found.epoch] == max(found.precision)
    assert len(found.precision) <= found.epoch + 2 < 20
    short = get_temporal_baseline("graphmixer", QUICK | {"epochs": found.epoch + 1})(split, 0, "cpu")
    assert torch.equal(scores(short, split, split.first_test), scores(found, split, split.first_test))


def test_learnt_nodes_tell_repeated_partners():
    generator = torch.Generator().manual_seed(0)
    ends = torch.randint(N // 2, (1200,), generator=generator)
    split = split_of(TemporalEdges.of(2 * ends, 2 * ends + 1, torch.arange(1200), num_nodes=N))
    predictor = get_temporal_baseline("graphmixer", QUICK | {"nodes": "learnt", "epochs": 4})(split, 0, "cpu")
    assert judge(split, predictor.scorers)["graphmixer"].auc["random"] > 0.9


def test_last_events_are_those_of_a_loop():
    edges = shifts(300)
    last = LastEvents(edges, torch.device("cpu"))
    nodes = torch.tensor([3, 0, 39, 12])
    query, other, event = last(nodes, 250, 7)
    for k, node in enumerate(nodes.tolist()):
        wanted = []
        for e, (s, t) in enumerate(zip(edges.source[:250].tolist(), edges.target[:250].tolist(), strict=True)):
            wanted += [(e, b) for a, b in ((s, t), (t, s)) if a == node]
        found = [*zip(event[query == k].tolist(), other[query == k].tolist(), strict=True)]
        assert found == wanted[::-1][:7]


def test_bad_input_is_named():
    with pytest.raises(InputError, match="tgm"):
        get_temporal_baseline("tgm")
    with pytest.raises(InputError, match="tgn setting"):
        get_temporal_baseline("tgn", {"hidden": 3})
    split = split_of(shifts(300))
    for name, value in {"nodes": "all", "clock": "sun", "predict": "past"}.items():
        with pytest.raises(InputError, match=name):
            get_temporal_baseline("graphmixer", {name: value})(split, 0, "cpu")
    predictor = get_temporal_baseline("graphmixer", FEW)(split, 0, "cpu")
    ends = split.edges.source, split.edges.target
    more = split._replace(edges=TemporalEdges.of(*ends, split.edges.time, num_nodes=N + 1))
    with pytest.raises(InputError, match="41 nodes"):
        predictor.scorer(more, split.first_test)
    assert baseline_settings("tgn", None, {"epochs": "3"}, task="temporal")["epochs"] == 3


def test_nothing_heavy_is_imported():
    code = "import genurl_graph.baselines.temporal, sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
