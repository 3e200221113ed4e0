"""CCA-SSG: the loss against its formula over dense matrices, and what its settings do."""

import pytest
import torch

from genurl_graph.baselines import get_baseline
from genurl_graph.baselines.cca_ssg import cca_ssg_loss
from genurl_graph.baselines.common import prepare


def written_out(a, b, lambd):
    """The objective of the paper with matrices Z of columns of mean 0 and length 1; its first term halved."""

    def z(h):
        return (h - h.mean(0)) / h.std(0, correction=0) / len(h) ** 0.5

    eye = torch.eye(a.size(1), dtype=a.dtype)
    apart = sum(torch.linalg.matrix_norm(z(h).T @ z(h) - eye) ** 2 for h in (a, b))
    return torch.linalg.matrix_norm(z(a) - z(b)) ** 2 / 2 + lambd * apart


@pytest.mark.parametrize("lambd", [0.0, 1e-3, 0.7])
def test_loss_and_gradient_are_those_of_the_formula(lambd):
    generator = torch.Generator().manual_seed(1)
    a, b = (torch.randn(12, 5, dtype=torch.float64, generator=generator).requires_grad_() for _ in range(2))
    terms = cca_ssg_loss(a, b, lambd)
    expected = written_out(a, b, lambd)
    torch.testing.assert_close(terms.loss, expected)
    torch.testing.assert_close(terms.attraction + terms.repulsion, terms.loss)
    for found, wanted in zip(
        torch.autograd.grad(terms.loss, (a, b)), torch.autograd.grad(expected, (a, b)), strict=True
    ):
        torch.testing.assert_close(found, wanted)
    assert torch.autograd.gradcheck(lambda u, v: cca_ssg_loss(u, v, lambd).loss, (a, b))


def test_a_constant_column_has_finite_gradients():
    a, b = (torch.randn(9, 3) for _ in range(2))
    a[:, 1] = 2.0
    a.requires_grad_()
    loss = cca_ssg_loss(a, b, 0.1).loss
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(a.grad).all()


def test_sparse_and_dense_features_give_the_same_embedding(graph):
    assert prepare("cca-ssg", graph, "auto").features.x.layout == torch.sparse_csr
    baseline = get_baseline("cca-ssg", {"epochs": 2, "dim": 4, "hidden": 8})
    sparse = baseline(graph, 0, "cpu")
    torch.testing.assert_close(baseline(graph, 0, "cpu"), sparse)
    graph.x = graph.x.to_sparse_csr()
    torch.testing.assert_close(baseline(graph, 0, "cpu"), sparse)


@pytest.mark.parametrize("changes", [{"layers": 1}, {"encoder": "mlp"}])
def test_the_papers_other_encoders_train(graph, changes):
    trained, start = (
        get_baseline("cca-ssg", {"dim": 8, "hidden": 16, "epochs": epochs, **changes})(graph, 0, "cpu")
        for epochs in (20, 1)
    )
    assert not torch.allclose(trained, start, atol=1e-3)
