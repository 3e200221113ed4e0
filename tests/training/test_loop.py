"""The loop: repeatability, interruption and continuation, divergence, stopping."""

import os
import signal
from dataclasses import replace

import pytest
import torch
from torch import nn

from genurl_graph.config.parameters import TrainingConfig
from genurl_graph.exceptions import DivergenceError, InputError
from genurl_graph.losses.terms import LossTerms
from genurl_graph.runtime.devices import choose_device
from genurl_graph.runtime.random import randn, seeded
from genurl_graph.training.checkpoint import Checkpoint
from genurl_graph.training.loop import train

CONFIG = TrainingConfig(epochs=12, lr=0.05, checkpoint_every=5)


class Noisy(nn.Module):
    """Distance of the weights from a point that is drawn anew at every step."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(4))

    def forward(self, progress):
        attraction = (self.weight - 3 - 0.1 * randn(4)).square().sum()
        return LossTerms(attraction, attraction, attraction * 0)


class Scripted(nn.Module):
    """Terms from a function of the epoch and the weights."""

    def __init__(self, terms):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2))
        self.terms, self.epoch = terms, 0

    def forward(self, progress):
        self.epoch += 1
        attraction, repulsion = self.terms(self.epoch, self.weight)
        return LossTerms(attraction + repulsion, attraction, repulsion)


def run(seed=0, config=CONFIG, **options):
    module = Noisy()
    with seeded(seed):
        history = train(module, config, **options)
    return history, module.weight.detach()


@pytest.mark.parametrize("schedule", ["constant", "cosine", "linear"])
def test_loss_falls_and_a_seed_repeats_it_exactly(schedule):
    config = replace(CONFIG, epochs=40, lr=0.2, schedule=schedule)
    history, weight = run(0, config)
    assert history[-1] < 0.5 * history[0]
    again, same = run(0, config)
    assert history == again
    assert torch.equal(weight, same)
    assert run(1, config)[0] != history


def test_callers_random_state_is_left_alone():
    before = torch.get_rng_state()
    run()
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_and_resumed_run_is_that_without_interruption(tmp_path, number):
    whole, weight = run()
    checkpoint = Checkpoint(tmp_path / "run.ckpt", {"seed": 0})
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    seen = []

    def interrupt(epoch, loss):
        seen.append(loss)
        if epoch == 7:  # neither the first nor a multiple of checkpoint_every
            os.kill(os.getpid(), number)

    with pytest.raises(KeyboardInterrupt):
        run(checkpoint=checkpoint, callbacks=[interrupt])
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers
    assert seen == whole[:7]
    # Another seed: the random state must come from the checkpoint.
    history, resumed = run(seed=99, checkpoint=checkpoint, resume=True)
    assert history == whole
    assert torch.equal(resumed, weight)


def test_second_interrupt_does_not_wait(tmp_path):
    checkpoint = Checkpoint(tmp_path / "run.ckpt", {})

    def twice(epoch, loss):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run(checkpoint=checkpoint, callbacks=[twice])
    assert not checkpoint.exists()


def test_finished_run_can_be_prolonged(tmp_path):
    checkpoint = Checkpoint(tmp_path / "run.ckpt", {"training": {"epochs": 1}})
    first, _ = run(config=replace(CONFIG, epochs=8), checkpoint=checkpoint)
    more, _ = run(config=CONFIG, checkpoint=checkpoint, resume=True)
    assert len(more) == 12
    assert more == run()[0]
    assert more[:8] == first


def test_callbacks_get_every_epoch_and_its_loss():
    seen = []
    history, _ = run(callbacks=[lambda epoch, loss: seen.append((epoch, loss))])
    assert seen == list(enumerate(history, start=1))


def nan_after(epoch, value, normal):
    return value * torch.nan if epoch == 3 else normal


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        (lambda e, w: (nan_after(e, w.sum(), w.sum()), w.sum() * 0), "epoch 3: the attraction of the loss is nan"),
        (lambda e, w: (w.sum(), w.sum() * (torch.inf if e == 3 else 0)), "epoch 3: the repulsion of the loss is inf"),
        # sqrt has an infinite derivative at 0: the loss stays finite, its gradient does not.
        (
            lambda e, w: (w.sum(), ((w - w.detach()).sum() * (e > 1)).abs().sqrt()),
            "gradient of 'weight' is not",
        ),
    ],
)
def test_divergence_names_the_quantity(terms, message):
    module = Scripted(terms)
    with pytest.raises(DivergenceError, match=message):
        train(module, CONFIG)
    assert torch.isfinite(module.weight).all()


def test_divergence_names_ruined_weights():
    module = Scripted(lambda e, w: (w.sum(), w.sum() * 0))

    def ruin(epoch, loss):
        if epoch == 2:
            module.weight.data[0] = torch.nan

    with pytest.raises(DivergenceError, match="epoch 3: the weights 'weight' are not finite"):
        train(module, CONFIG, callbacks=[ruin])


def test_patience_stops_when_the_loss_no_longer_falls():
    losses = [5.0, 4.0, 3.0, 3.5, 3.2, 2.9, 3.0, 3.0, 3.0, 1.0, 1.0, 1.0]
    module = Scripted(lambda e, w: (w.sum() * 0 + losses[e - 1], w.sum() * 0))
    assert train(module, replace(CONFIG, patience=3)) == pytest.approx(losses[:9])
    module.epoch = 0
    assert len(train(module, CONFIG)) == 12


def test_tolerance_ends_the_training_where_the_loss_has_settled():
    # Falls by 9 in all; the mean of epochs 11 to 20 is below that of the first ten by far, that of 21 to 30 is not.
    losses = [10.0 * 0.8**e + 1 + 0.01 * (e % 2) for e in range(60)]
    means = [sum(losses[e - 10 : e]) / 10 for e in range(10, 61)]
    expected = next(e for e in range(20, 60) if means[e - 20] - means[e - 10] <= 0.05 * (losses[0] - means[e - 10]))
    module = Scripted(lambda e, w: (w.sum() * 0 + losses[e - 1], w.sum() * 0))
    config = replace(CONFIG, epochs=60, tolerance=0.05)
    assert 20 < expected < 40
    assert train(module, config) == pytest.approx(losses[:expected])
    module.epoch = 0
    assert len(train(module, replace(config, tolerance=0.0))) == 60
    flat = Scripted(lambda e, w: (w.sum() * 0 + 1.0 + e, w.sum() * 0))
    assert len(train(flat, config)) == 20, "a loss that does not fall at all"


def test_a_resumed_training_ends_where_it_would_have(tmp_path):
    config = replace(CONFIG, epochs=60, tolerance=0.05, checkpoint_every=7)
    script = lambda e, w: (w.sum() * 0 + 10.0 * 0.8 ** (e - 1), w.sum() * 0)  # noqa: E731
    whole = train(Scripted(script), config)

    def interrupt(epoch, loss):
        if epoch == 16:
            raise StopIteration

    module, checkpoint = Scripted(script), Checkpoint(tmp_path / "run", {})
    train(module, config, checkpoint=checkpoint, callbacks=[interrupt])
    assert train(module, config, checkpoint=checkpoint, resume=True) == whole


def test_gradients_are_clipped_to_the_norm():
    norms = []

    def terms(epoch, weight):
        return (1000 * weight).sum(), weight.sum() * 0

    module = Scripted(terms)
    train(module, replace(CONFIG, clip_norm=0.5), callbacks=[lambda e, loss: norms.append(module.weight.grad.norm())])
    assert torch.stack(norms).tolist() == pytest.approx([0.5] * 12, rel=1e-4)


def test_resume_needs_a_checkpoint(tmp_path):
    with pytest.raises(InputError, match="resume: found no checkpoint"):
        run(resume=True)
    with pytest.raises(InputError, match="there is no checkpoint"):
        run(checkpoint=Checkpoint(tmp_path / "none.ckpt", {}), resume=True)


def test_device_names():
    assert choose_device("cpu").type == "cpu"
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(InputError, match="device: found 'gpu'; expected one of auto, cpu, cuda"):
        choose_device("gpu")
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="finds no CUDA"):
            choose_device("cuda")
