"""The table of typed edges pairs differences by seed, and models see the training triples alone."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from genurl_graph.evaluation.triples.protocol import Figures
from genurl_graph.evaluation.triples.scorers import Frequency
from genurl_graph.exceptions import InputError
from genurl_graph.experiments.runs import Order
from genurl_graph.experiments.sources import Source
from genurl_graph.experiments.triples import methods, source
from genurl_graph.experiments.triples.methods import FIGURES, OWN, fit_scorer, judge_method
from genurl_graph.experiments.triples.table import TripleComparison, TripleTable
from genurl_graph.inputs.triples import Modality, Triples, TripleSet


def planted(with_test: bool = True) -> TripleSet:
    generator = torch.Generator().manual_seed(0)
    rows = torch.stack([torch.randint(size, (300,), generator=generator) for size in (25, 3, 25)], 1)
    every = Triples.of(rows, 25, 3)
    part = torch.arange(len(every)) % 10
    modality = Modality("table", torch.arange(20), torch.rand(20, 4, generator=generator))
    if not with_test:
        return TripleSet(every, modalities=(modality,))
    train, valid, test, gone = every.chosen(part > 2), *(every.chosen(part == k) for k in range(3))
    return TripleSet(train, valid=valid, test=test, known=gone, modalities=(modality,))


def order(method: str, **changes: Any) -> Order:
    return Order(method, (0,), {"device": "cpu"}, changes)


def test_names_are_those_of_the_protocol() -> None:
    assert tuple(FIGURES) == Figures._fields


def test_runs_are_paired_and_taken_up_again(tmp_path: Path) -> None:
    header = {"dataset": "UMLS", "protocol": "triples", "seeds": [0, 1]}
    around = {"device": "cpu", "threads": 1}
    table = TripleTable(header, around, {"genurl": {}, "transe": {}}, tmp_path / "m.json")
    for shift in (0.0, 0.1):
        for name, own in (("genurl", 0.8), ("transe", 0.7)):
            spent = {"seconds": 1.0, "cpu_seconds": 2.0, "peak_memory_mb": 5.0}
            table.add(name, dict.fromkeys(FIGURES, own + shift) | spent)
    row = table.rows()["transe"]
    assert row["mean"]["mrr"] == pytest.approx(0.75)
    assert row["difference"]["hits10"] == pytest.approx(dict.fromkeys(("mean", "low", "high"), -0.1))
    titles, _, cells = table.table()
    shown = dict(zip(titles, cells, strict=True))
    assert (shown["MRR"], shown["MRR, from genurl [95 %]"]) == ("75.0 ± 7.1", "-10.0 [-10.0, -10.0]")
    again = TripleTable(header, around, table.configuration, tmp_path / "m.json")
    again.resume()
    assert again.runs == table.runs


def test_models_see_no_test_triples(monkeypatch: pytest.MonkeyPatch) -> None:
    data, seen = planted(), []

    class Spy:
        def fit(self, given: TripleSet) -> Any:
            seen.append(given)
            return SimpleNamespace(model_=SimpleNamespace(encoder=Frequency(given.triples)))

    monkeypatch.setattr(methods, "make_estimator", lambda **options: Spy())
    for method in OWN:
        fit_scorer(order(method), data, 0)
    assert all(given.valid is given.test is given.known is None for given in seen)
    assert [len(given.modalities) for given in seen] == [1, 0]
    baseline = lambda *_: lambda given, seed, device: seen.append(given)  # noqa: E731
    monkeypatch.setattr(methods, "get_triple_baseline", baseline)
    fit_scorer(order("distmult"), data, 0)
    assert seen[-1].test is None
    assert seen[-1].valid is data.valid


def test_a_method_is_judged_with_its_seconds() -> None:
    found = judge_method(order("frequency"), planted(), 0)
    assert found.keys() == {*FIGURES, "seconds", "cpu_seconds"}
    trained = judge_method(order("distmult", epochs=1, dim=4), planted(), 0)
    assert 0 < trained["mrr"] < 1


def test_what_is_held_out_is_said() -> None:
    data = planted()
    assert list(source.split_lines(data)) == [
        f"{len(data.triples):,} / {len(data.valid):,} / {len(data.test):,} triples for training / validation / test"
    ]
    assert "5 % and 10 % of the triples are held out" in next(source.split_lines(planted(with_test=False)))
    gone = int(data.test.head[0])
    few = data.triples.chosen((data.triples.head != gone) & (data.triples.tail != gone))
    strange = [*source.split_lines(TripleSet(few, test=data.test))][1]
    assert "that the training lacks" in strange
    assert source.describe_triples(data).endswith("table: 4 features of 20 entities")


def test_other_data_and_rows_are_refused() -> None:
    with pytest.raises(InputError, match="without relations"):
        source.triples_of(object())
    bare = TripleSet(planted().triples)
    with pytest.raises(InputError, match="triples-only needs features of the entities"):
        TripleComparison(Source("umls", None), bare, protocol="triples").check(["triples-only"])
