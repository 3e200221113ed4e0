"""Maps of data that change over time: what stays is found where it was, and each map is as good as one of its own."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.manifold import trustworthiness

from genurl_graph import GenURL, align_maps
from genurl_graph.exceptions import InputError

SIZE, STEP, WINDOWS = 300, 75, 3


@pytest.fixture(scope="module")
def windows():
    """Windows over 450 samples of six groups, a quarter new in each, while the groups drift."""
    rng = np.random.default_rng(0)
    total = SIZE + STEP * (WINDOWS - 1)
    centre, drift = rng.normal(size=(2, 6, 20)) * [[[3.0]], [[0.4]]]
    group, noise = rng.integers(0, 6, total), rng.normal(size=(total, 20))
    return [
        ((centre + t * drift)[group] + noise)[t * STEP : t * STEP + SIZE].astype(np.float32) for t in range(WINDOWS)
    ]


def relations():
    return [{i: i - STEP for i in range(STEP, SIZE)}] * (WINDOWS - 1)


def moved(before, after):
    radius = float((before - before.mean(0)).square().sum(1).mean().sqrt())
    return float((before - after).norm(dim=1).median()) / radius


@pytest.mark.usefixtures("one_thread")
def test_drifting_groups_stay_near_and_maps_are_as_good_as_their_own(windows):
    model = GenURL(random_state=0)
    maps = align_maps(model, windows, relations())
    assert not hasattr(model, "model_")
    fresh = [clone(model).fit(x) for x in windows]
    for t in range(1, WINDOWS):
        before, after = (maps[t - 1].embedding_[STEP:], maps[t].embedding_[: SIZE - STEP])
        assert moved(before, after) < 0.1
        assert moved(fresh[t - 1].embedding_[STEP:], fresh[t].embedding_[: SIZE - STEP]) > 0.2
    for x, kept, own in zip(windows, maps, fresh, strict=True):
        kept, own = (trustworthiness(x, m.embedding_, n_neighbors=10) for m in (kept, own))
        assert kept > own - 0.01


def test_names_and_pairs_say_the_same(windows):
    model = GenURL(random_state=0, epochs=5, deterministic=True)
    by_rows = align_maps(model, windows, relations())
    pairs = [np.array(list(relation.items())) for relation in relations()]
    by_pairs = align_maps(model, windows, pairs)
    named = [pd.DataFrame(x, index=[f"day {t * STEP + i}" for i in range(SIZE)]) for t, x in enumerate(windows)]
    by_names = align_maps(model, named)
    for one, two, three in zip(by_rows, by_pairs, by_names, strict=True):
        assert torch.equal(one.embedding_, two.embedding_)
        assert torch.equal(one.embedding_, three.embedding_)


@pytest.mark.parametrize(
    ("relation", "message"),
    [
        (None, "relations: found none, and samples without names"),
        ([{0: 0}] * 2, "relations: found 2 for 2 windows; expected 1, one less"),
        ([{300: 0}], r"relations: found pairs of shape \[1, 2\]; expected pairs of rows, the first of them below 300"),
        ([{}], r"relations: found pairs of shape \[0\]"),
        ([[(0, 5), (1, 5)]], "init: found the name 5 twice"),
        ([{0: 999}], "init of fit: found row 999 of 300 samples; expected rows below 300"),
    ],
)
def test_bad_relations(windows, relation, message):
    with pytest.raises(InputError, match=message):
        align_maps(GenURL(epochs=1, random_state=0), windows[:2], relation)
