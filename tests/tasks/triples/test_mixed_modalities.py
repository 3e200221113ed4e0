"""Tests of features of several kinds, of which some are scaled and others not."""

import numpy as np
import pandas as pd
import pytest

from genurl_graph import GenURL

FACTS = pd.DataFrame([(f"p{i}", "knows", f"p{(i + 1) % 12}") for i in range(12)], columns=["head", "relation", "tail"])


@pytest.mark.parametrize(
    ("kinds", "scale"), [(("table",), "columns"), (("vectors",), "none"), (("table", "vectors"), "auto")]
)
def test_scale_is_told_where_it_holds_for_all(kinds, scale):
    draw = np.random.default_rng(0)
    names = [f"p{i}" for i in range(12)]
    table = pd.DataFrame({"id": names, "age": draw.integers(20, 60, 12), "income": draw.normal(30_000, 5_000, 12)})
    held = {"table": table, "vectors": (names, draw.normal(size=(12, 20)).astype("float32"))}
    model = GenURL(task="triples", n_components=8, epochs=1, random_state=0)
    data = (FACTS, {kind: held[kind] for kind in kinds})
    assert model.resolve(data).input.scale == scale
    again = GenURL(task="triples", n_components=8, epochs=1, random_state=0, config={"input.scale": scale}).fit(data)
    assert np.array_equal(again.embedding_, model.fit(data).embedding_)
