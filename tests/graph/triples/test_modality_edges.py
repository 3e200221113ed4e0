import pytest
import torch

from genurl_graph.config import load_preset
from genurl_graph.graph.triples.modality_edges import modality_edges
from genurl_graph.graph.triples.near_rows import NearRows
from genurl_graph.graph.triples.relation_rows import RelationRows
from genurl_graph.inputs.triples import Modality, Triples

CONFIG = load_preset("triples").override({"similarity.perplexity": 10.0})
CPU = torch.device("cpu")


def groups(seed: int, n: int = 300, kinds: int = 6) -> tuple[RelationRows, torch.Tensor]:
    """Entities of some kinds, of which each relation joins two, and the kinds."""
    g = torch.Generator().manual_seed(seed)
    kind = torch.randint(kinds, (n,), generator=g)
    rows = []
    for relation in range(8):
        ends = [(kind == number).nonzero()[:, 0] for number in torch.randint(kinds, (2,), generator=g)]
        picked = [each[torch.randint(len(each), (150,), generator=g)] for each in ends]
        rows.append(torch.stack([picked[0], torch.full((150,), relation), picked[1]], 1))
    return RelationRows.of(Triples.of(torch.cat(rows), n, 8)), kind


def features(kind: torch.Tensor, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Informative ones and noise."""
    g = torch.Generator().manual_seed(seed + 100)
    told = torch.randn(6, 12, generator=g)[kind] + 0.5 * torch.randn(len(kind), 12, generator=g)
    return told, torch.randn(len(kind), 12, generator=g)


@pytest.mark.parametrize("seed", range(5))
def test_noise_gets_no_weight_and_informative_features_much(seed):
    rows, kind = groups(seed)
    told, noise = features(kind, seed)
    everyone = torch.arange(len(kind))
    parts = [Modality("told", everyone, told), Modality("noise", everyone, noise)]
    found = modality_edges(parts, rows, len(kind), CONFIG, seed, CPU)
    assert found.weights["told"] > 0.3
    assert found.weights["noise"] < 0.05
    total = torch.zeros(len(kind)).index_add_(0, found.edge_index[0], found.p)
    assert float(total.max()) <= 1 + 1e-5
    keys = found.edge_index[0] * len(kind) + found.edge_index[1]
    assert bool((keys.diff() > 0).all())


def test_noise_alone_leaves_no_rows():
    rows, kind = groups(1)
    everyone = torch.arange(len(kind))
    found = modality_edges([Modality("noise", everyone, features(kind, 1)[1])], rows, len(kind), CONFIG, 0, CPU)
    assert found.weights == {"noise": 0.0}
    assert NearRows.of(found.edge_index, found.p) is None


def test_entities_without_features_have_no_edges():
    rows, kind = groups(2)
    some = torch.arange(0, len(kind), 3)
    found = modality_edges([Modality("told", some, features(kind, 2)[0][some])], rows, len(kind), CONFIG, 0, CPU)
    assert bool(torch.isin(found.edge_index, some).all())
    near = NearRows.of(found.edge_index, found.p)
    assert near is not None
    assert near.entity.tolist() == some.tolist()
    row, other, p = near.ends(torch.tensor([5, 0]))
    assert row.unique().tolist() == [0, 1]
    assert torch.isin(other, some).all()
    assert float(p[row == 0].sum()) == pytest.approx(found.weights["told"], rel=1e-4)
