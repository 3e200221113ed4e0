import pytest
import torch

from genurl_graph import datasets
from genurl_graph.datasets.planted_knowledge import planted_knowledge
from genurl_graph.evaluation.triples.protocol import judge_triples
from genurl_graph.evaluation.triples.scorers import Frequency
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.triples import Triples
from genurl_graph.inputs.triples.convert import as_triples
from genurl_graph.runtime.random import seeded
from genurl_graph.tasks.triples import build, resolve_triples
from genurl_graph.training.loop import train

CPU = torch.device("cpu")
FEW = Triples.of([(0, 0, 1), (1, 0, 2), (2, 1, 0)])


def fitted(data, asked=None, seed=0):
    config = resolve_triples(data, asked or {})
    with seeded(seed):
        problem = build(data, config, seed, CPU)
        train(problem.objective, config.training)
    return problem


def test_umls_is_learned(data_root, one_thread):
    if not (data_root / "knowledge" / "UMLS").is_dir():
        pytest.skip(f"no UMLS under {data_root}")
    umls = datasets.load("umls", data_root)
    problem = fitted(as_triples(umls), {"encoder.dim": 128, "training.epochs": 20})
    found = judge_triples(problem.objective.encoder.eval(), umls)
    # The whole model, four times as wide and twice as long, has .95.
    assert found.mrr > 0.85 > 0.75 > judge_triples(Frequency(umls.triples), umls).mrr
    summary = problem.summary(as_triples(umls))
    assert summary["n_triples"] == len(umls.triples)


def test_a_seed_gives_the_same_bits():
    data = as_triples(FEW)
    first, again = (fitted(data, {"encoder.dim": 8, "training.epochs": 2}).objective for _ in range(2))
    assert torch.equal(first.embed(), again.embed())
    assert not torch.equal(first.embed(), fitted(data, {"encoder.dim": 8, "training.epochs": 2}, 1).objective.embed())


def test_every_parameter_is_resolved():
    config = resolve_triples(as_triples(FEW), {})
    assert config.sampling.negatives == "all"
    assert config.sampling.n_negatives == 2
    assert config.similarity.perplexity == 10
    assert config.training.epochs == 40
    many = Triples.of([(k, 0, k + 1) for k in range(200_000)])
    config = resolve_triples(as_triples(many), {})
    assert (config.sampling.negatives, config.sampling.n_negatives, config.encoder.dim) == ("shared", 4096, 128)
    assert config.training.epochs == 5


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"encoder.name": "gcn"}, "encoder"),
        ({"encoder.dim": 3}, "even number"),
        ({"sampling.negatives": "batch"}, "all or shared"),
        ({"triples.readout": "transe"}, "readout"),
    ],
)
def test_what_cannot_be_is_refused(asked, message):
    with pytest.raises(InputError, match=message):
        resolve_triples(as_triples(FEW), asked)


def test_a_sparse_graph_is_not_far_below_counts():
    graph = planted_knowledge(300, 6000, kept=0.1, seed=3)
    data = as_triples(graph)
    few = {"encoder.dim": 32, "training.epochs": 10, "triples.modality_weight": 0}
    plain, shrunk = (fitted(data, {**few, "triples.prior": prior}).objective.encoder.eval() for prior in (0, 10))
    # Vectors are the same to the bit: the prior changes scores alone.
    assert torch.equal(plain.table, shrunk.table)
    found = [judge_triples(scorer, graph).mrr for scorer in (plain, shrunk, Frequency(graph.triples))]
    assert found[1] > 2 * found[0]
    assert found[1] > 0.8 * found[2]
