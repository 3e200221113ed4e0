"""Rows of an ablation: one factor at a time, all combinations, and what cannot be varied."""

import pytest

from genurl_graph.config import load_preset
from genurl_graph.exceptions import InputError
from genurl_graph.experiments.ablation import BASE, one_at_a_time, parse_factors, product
from genurl_graph.losses.pairwise import LOSSES


def factors(**given):
    names = ("losses", "gamma", "nu", "k", "merging")
    return parse_factors(load_preset("graph"), *(given.get(name) for name in names))


def test_one_factor_at_a_time_around_the_preset() -> None:
    rows = one_at_a_time(factors(losses="gkl,kl", gamma="0.5,1", nu="10,1", k="5,15", merging="adaptive,geodesic"))
    assert [row.name for row in rows] == [BASE, "loss=kl", "gamma=0.5", "gamma=1", "nu=1", "k=5", "merging=geodesic"]
    # What the preset does anyway is its own row.
    assert rows[0].levels == {"loss": "gkl", "nu": "10", "k": "15", "merging": "adaptive"}
    assert rows[1].settings == {"loss.name": "kl", "loss.scale": "auto"}
    # Under the profiled scale gamma would change nothing.
    assert rows[2].settings == {"loss.gamma": 0.5, "loss.scale": 1.0}
    assert rows[3].settings == {"loss.scale": 1.0}
    assert rows[2].options({"assignments": ()})["assignments"] == ("loss.gamma=0.5", "loss.scale=1.0")
    assert rows[6].settings == {"merge.how": "geodesic"}


def test_all_combinations() -> None:
    rows = product(factors(losses="gkl,kl", nu="1,10"))
    assert [row.name for row in rows] == [BASE, "loss=gkl, nu=1", "loss=kl, nu=1", "loss=kl, nu=10"]
    assert rows[0].levels == {"loss": "gkl", "nu": "10"}
    assert rows[2].settings == {"loss.name": "kl", "loss.scale": "auto", "loss.nu": 1.0}
    # The preset is there even where no combination is its own.
    assert [row.name for row in product(factors(nu="1"))] == [BASE, "nu=1"]


def test_everything_varies_by_default() -> None:
    found = factors()
    assert list(found) == ["loss", "gamma", "nu", "k", "merging"]
    assert list(found["loss"]) == list(LOSSES)
    assert {"adaptive", "given", "adjacency", "features", "geodesic"} <= set(found["merging"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"losses": "gkl,huberr"}, r"--losses: found 'huberr'.*\(did you mean 'huber'\?\)"),
        ({"losses": ","}, "--losses: found no loss"),
        ({"merging": "geo"}, "--merging: found 'geo'"),
        ({"gamma": "1,x"}, "--gamma: found '1,x'; expected numbers > 0"),
        ({"nu": "0"}, "--nu: found '0'"),
        ({"nu": "inf"}, "--nu: found 'inf'"),
        ({"k": "2.5"}, "--k: found '2.5'; expected whole numbers > 0"),
    ],
)
def test_bad_levels(given: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        factors(**given)


def test_of_whole_graphs_each_edge_source_can_be_left_out() -> None:
    rows = one_at_a_time(parse_factors(load_preset("graphs"), None, None, None, None, "both,views,neighbors"))
    assert [row.settings for row in rows] == [{}, {"merge.feature_weight": 0.0}, {"views.self_weight": 0.0}]
    with pytest.raises(InputError, match="found 'adjacency'; expected one of both, views, neighbors"):
        parse_factors(load_preset("graphs"), None, None, None, None, "adjacency")
