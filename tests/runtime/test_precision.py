"""Mixed precision: what is computed in 16 bits and what is not, on the CPU; the factor that fp16 needs."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch_geometric.data import Data

from genurl_graph import GenURL
from genurl_graph.config.parameters import TrainingConfig
from genurl_graph.exceptions import DivergenceError, InputError
from genurl_graph.losses.terms import LossTerms
from genurl_graph.runtime.precision import check_precision, lowered, network
from genurl_graph.runtime.random import seeded_globally
from genurl_graph.training import loop as training
from genurl_graph.training.checkpoint import Checkpoint
from genurl_graph.training.loop import train
from tests.resumed import assert_resumes

DRAW = np.random.default_rng(0)
ROWS = DRAW.random((60, 12), dtype=np.float32)
IMAGES = DRAW.random((40, 1, 8, 8), dtype=np.float32)


def graph(sparse=False):
    node = torch.arange(60)
    edges = torch.stack([node, (node + 1) % 60])
    x = torch.from_numpy(np.where(ROWS < 0.6, 0, ROWS)) if sparse else torch.from_numpy(ROWS)
    return Data(x=x.to_sparse_csr() if sparse else x, edge_index=torch.cat([edges, edges.flip(0)], 1))


SMALL = {"encoder.hidden": 16, "encoder.dim": 8, "sampling.batch_size": 16, "loss.projector": 16}
GRAPH = {"encoder.hidden": 16, "encoder.dim": 8, "sampling.batch_size": 16, "sampling.n_negatives": 16}
# Every way from input to loss.
CASES = {
    "gcn": ({"task": "graph", "encoder": "gcn", "config": GRAPH}, graph(), {}),
    "gcn, sparse": ({"task": "graph", "encoder": "gcn", "config": GRAPH}, graph(sparse=True), {}),
    "sage": ({"task": "graph", "encoder": "sage", "config": GRAPH}, graph(), {}),
    "gat": ({"task": "graph", "encoder": "gat", "config": GRAPH}, graph(), {}),
    "gin": ({"task": "graph", "encoder": "gin", "config": GRAPH}, graph(sparse=True), {}),
    "sign": ({"task": "graph", "encoder": "sign", "config": GRAPH}, graph(), {}),
    "mlp": ({"task": "reduce", "encoder": "mlp", "config": {"encoder.hidden": 16}}, ROWS, {}),
    "barlow": ({"task": "reduce", "encoder": "mlp", "config": SMALL | {"loss.name": "barlow"}}, ROWS, {}),
    "cnn": ({"task": "images", "encoder": "cnn", "config": SMALL}, IMAGES, {}),
    "queue": ({"task": "images", "encoder": "resnet", "config": SMALL | {"neighbors.queue": 16}}, IMAGES, {}),
    "batch": ({"task": "distill", "encoder": "mlp", "config": {"sampling.batch_size": 32}}, ROWS, {"teacher": ROWS}),
    "gnn": ({"task": "distill", "encoder": "gcn", "config": {"encoder.hidden": 16}}, graph(), {"teacher": ROWS}),
}


def fitted(case, precision, **more):
    options, x, extra = CASES[case]
    config = {"neighbors.n_neighbors": 5, "training.precision": precision} | options["config"]
    return GenURL(**options | {"config": config, "epochs": 2, "random_state": 0} | more).fit(x, **extra)


class Watch(TorchFunctionMode):
    """Dtypes of what torch's functions are given within autocast, and outside of it."""

    def __init__(self):
        self.inner, self.outer = set(), set()

    def __torch_function__(self, function, types, args=(), kwargs=None):
        found = {a.dtype for a in args if isinstance(a, torch.Tensor) and a.is_floating_point()}
        if torch.is_autocast_enabled("cpu"):
            self.inner |= found
        elif function is not torch.Tensor.float:
            self.outer |= found
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("case", list(CASES))
def test_networks_are_lowered_kernel_and_loss_are_not(case, monkeypatch):
    watch, step = Watch(), training._step

    def watched(objective, parallel, *args):
        def forward(progress):
            with watch:
                return parallel(progress)

        return step(objective, forward, *args)

    with monkeypatch.context() as patch:
        patch.setattr(training, "_step", watched)
        lower = fitted(case, "bf16")
    assert torch.bfloat16 in watch.inner
    # Calibration is in float64.
    assert torch.float32 in watch.outer
    assert watch.outer <= {torch.float32, torch.float64}
    assert lower.embedding_.dtype == torch.float32
    assert all(p.dtype == torch.float32 for p in lower.encoder_.parameters())
    exact = fitted(case, "float32")
    assert lower.loss_history_ != exact.loss_history_
    np.testing.assert_allclose(lower.loss_history_, exact.loss_history_, rtol=0.02)


def test_a_network_outside_of_a_step_is_as_ever():
    layer, x = nn.Linear(4, 3), torch.rand(5, 4)
    assert torch.equal(network(layer, x), layer(x))
    with lowered("bf16", x.device):
        found = network(layer, x)
    assert found.dtype == torch.float32
    assert torch.equal(found, found.bfloat16().float())
    assert torch.equal(network(layer, x), layer(x))


def test_interrupted_and_resumed_run_is_that_without_interruption(tmp_path):
    options, x, _ = CASES["gcn"]
    config = {"neighbors.n_neighbors": 5, "training.precision": "bf16"} | options["config"]
    model = partial(GenURL, **options | {"config": config, "random_state": 0, "epochs": 3})
    _, resumed = assert_resumes(model, x, tmp_path / "c")
    with pytest.raises(InputError, match=r"of another run: config.training.precision is 'bf16' there"):
        resumed.set_params(config=config | {"training.precision": "float32"}).fit(x)


def test_precisions_that_cannot_be_are_named():
    with pytest.raises(InputError, match=r"training.precision: found 'half'; expected one of float32, bf16, fp16"):
        fitted("mlp", "half")
    with pytest.raises(InputError, match="found fp16 on the CPU; expected float32 or bf16 there"):
        fitted("mlp", "fp16")


def test_a_gpu_without_bf16_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    with pytest.raises(InputError, match="found bf16 on a GPU that does not compute in it; expected fp16 or float32"):
        check_precision("bf16", torch.device("cuda"))
    check_precision("fp16", torch.device("cuda"))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("precision", ["bf16", "fp16"])
@pytest.mark.parametrize("case", list(CASES))
def test_on_a_gpu(case, precision):
    lower, exact = (fitted(case, each, device="cuda") for each in (precision, "float32"))
    np.testing.assert_allclose(lower.loss_history_, exact.loss_history_, rtol=0.05)
    assert bool(torch.isfinite(lower.embedding_).all())


class Steep(nn.Module):
    """A loss whose gradient is `slope`, seen through a layer in 16 bits."""

    def __init__(self, slope):
        super().__init__()
        self.layer, self.slope = nn.Linear(4, 1, bias=False), slope

    def forward(self, progress):
        z = network(self.layer, torch.rand(8, 4))
        loss = self.slope * z.square().mean()
        return LossTerms(loss, loss.detach(), loss.detach() * 0)


# GPUs are where fp16 is for, but the CPU computes in it, too.
@pytest.fixture
def fp16_anywhere(monkeypatch):
    monkeypatch.setattr(training, "check_precision", lambda precision, device: None)


FP16 = TrainingConfig(epochs=8, lr=0.05, precision="fp16", checkpoint_every=1)


def trained(slope, config=FP16, **options):
    with seeded_globally(0):
        module = Steep(slope)
        history = train(module, config, **options)
    return module.layer.weight.detach(), history


@pytest.mark.usefixtures("fp16_anywhere")
def test_fp16_keeps_gradients_below_its_smallest_number():
    # Adam's step does not depend on the scale of a gradient, as long as there is one.
    (small, _), (usual, _) = trained(1e-8), trained(1.0)
    with seeded_globally(0):
        start = Steep(1.0).layer.weight
    assert float((small - start).detach().abs().max()) > 0.05
    assert float((small - usual).detach().abs().max()) < 0.2


@pytest.mark.usefixtures("fp16_anywhere")
def test_fp16_leaves_out_steps_that_overflow_and_resumes_with_the_factor_it_found(tmp_path):
    # 65536 times this gradient is beyond fp16: the first steps only find the factor.
    slope = 20.0
    whole, history = trained(slope)
    checkpoint = Checkpoint(tmp_path / "c", {})

    # The second time no step was made so far.
    for last in (6, 2):

        def stop(epoch, loss, last=last):
            if epoch == last:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            trained(slope, checkpoint=checkpoint, callbacks=[stop])
        again, resumed = trained(slope, checkpoint=checkpoint, resume=True)
        assert torch.equal(again, whole)
        assert resumed == history
    with seeded_globally(0):
        start = Steep(slope).layer.weight
    first, _ = trained(slope, replace(FP16, epochs=1))
    assert torch.equal(first, start)
    assert not torch.equal(whole, start)


@pytest.mark.usefixtures("fp16_anywhere")
def test_fp16_does_not_hide_a_gradient_that_is_not_finite():
    class Broken(Steep):
        def forward(self, progress):
            found = super().forward(progress)
            # A root has an infinite slope at 0.
            return found._replace(loss=found.loss + (found.loss * 0).sqrt())

    with seeded_globally(0), pytest.raises(DivergenceError, match=r"the gradient of 'layer.weight' is not finite"):
        train(Broken(1.0), replace(FP16, epochs=40))
