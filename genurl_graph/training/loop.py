"""The one training loop: precision, progress, stopping, checkpoints. It knows no task, loss or encoder.

A module that returns `LossTerms` when called with the progress in [0, 1) is all it asks for. One that learns from
batches says in its attribute `steps` how many make an epoch; it draws them itself, anew at every call.
"""

from __future__ import annotations

import logging
import math
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from types import FrameType, TracebackType
from typing import Any, NoReturn

import torch
from torch import Tensor, nn
from torch.amp import GradScaler

from genurl_graph.config.parameters import TrainingConfig
from genurl_graph.exceptions import DivergenceError, wrong
from genurl_graph.runtime.precision import check_precision, lowered
from genurl_graph.runtime.processes import any_of, connected, in_parallel, rank
from genurl_graph.runtime.progress import new_bar
from genurl_graph.runtime.workers import few_threads
from genurl_graph.training.checkpoint import Checkpoint

Callback = Callable[[int, float], None]

log = logging.getLogger(__name__)

# Weights for each thread that updates them: threads that share less mostly wait. No weight depends on their number.
_NUMBERS = 1 << 16

# Epochs whose mean loss is compared with that of as many before them.
_WINDOW = 10


class DeferredInterrupt:
    """Context in which the first SIGINT or SIGTERM sets `requested`; a second one raises at once.

    Outside the main thread, where Python delivers no signals, nothing is changed.

    Examples
    --------
    >>> with DeferredInterrupt() as interrupt:
    ...     while not interrupt.requested:
    ...         step()
    """

    _SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.requested = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> DeferredInterrupt:
        if threading.current_thread() is threading.main_thread():
            self._before = {s: signal.signal(s, self._handle) for s in self._SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            # None: a handler that was not installed from Python, which Python cannot put back.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True


def train(
    objective: nn.Module,
    config: TrainingConfig,
    *,
    checkpoint: Checkpoint | None = None,
    resume: bool = False,
    callbacks: Sequence[Callback] = (),
    progress: bool = False,
    optimizer_class: type[torch.optim.Adam] = torch.optim.Adam,
) -> list[float]:
    """Minimise `objective`.

    Random numbers come from the run's generators (`genurl_graph.runtime.random`); their state is part of the
    checkpoint, so that a resumed run continues bit for bit on the CPU, with the same objective, number of threads,
    machine and libraries.

    Parameters
    ----------
    objective : nn.Module
        ``objective(progress) -> LossTerms``; an epoch is ``objective.steps`` calls, or one where that is not given.
    config : TrainingConfig
    checkpoint : Checkpoint, optional
        Where the state is saved: every ``checkpoint_every`` epochs, at the end, and on Ctrl-C.
    resume : bool
        Continue from the checkpoint.
    callbacks : sequence of callables
        Called as ``callback(epoch, loss)`` after each epoch, counted from 1. One that raises StopIteration ends the
        training.
    progress : bool
        Show a progress bar (on a terminal or in a notebook).
    optimizer_class : type
        `torch.optim.Adam`, or a subclass such as `torch.optim.AdamW`.

    Returns
    -------
    list of float
        The mean loss of every epoch, resumed ones included.

    Raises
    ------
    DivergenceError
        A quantity became NaN or infinite; the message says which.
    InputError
        A checkpoint that is missing or of another run.
    LostProcessError
        Another of several processes has ended (`genurl_graph.runtime.processes`).
    KeyboardInterrupt
        On Ctrl-C, after the checkpoint is written.
    """
    parameters = [p for p in objective.parameters() if p.requires_grad]
    check_precision(config.precision, parameters[0].device)
    # fp16 loses gradients below 6e-8: they are multiplied before, divided afterwards. Else it does nothing.
    scaler = GradScaler(parameters[0].device.type, enabled=config.precision == "fp16")
    optimizer = optimizer_class(
        parameters, lr=float(config.lr), betas=(config.beta1, config.beta2), weight_decay=config.weight_decay
    )
    steps = int(getattr(objective, "steps", 1))
    history: list[float] = []
    if resume:
        if checkpoint is None:
            raise wrong("resume", "no checkpoint", "one")
        history = checkpoint.restore(objective, optimizer, scaler)

    objective.train()
    parallel = in_parallel(objective)
    with DeferredInterrupt() as interrupt, _bar(config.epochs, len(history), progress) as bar:
        while len(history) < config.epochs and not _ended(history, config):
            epoch = len(history)
            with connected(f"training stopped at epoch {epoch + 1}"):
                losses = [
                    _step(objective, parallel, optimizer, scaler, parameters, epoch, k / steps, config)
                    for k in range(steps)
                ]
            history.append(math.fsum(losses) / steps)
            log.debug("epoch %d of %d: loss %.4g", len(history), config.epochs, history[-1])
            bar.set_postfix_str(f"loss {history[-1]:.4f}", refresh=False)
            bar.update()
            ended = _call(callbacks, len(history), history[-1])
            with connected(f"training stopped at epoch {epoch + 1}"):
                stop = any_of(interrupt.requested, parameters[0].device)
            due = ended or len(history) % config.checkpoint_every == 0 or len(history) == config.epochs
            if checkpoint is not None and (due or stop) and rank() == 0:
                checkpoint.save(objective, optimizer, history, scaler)
                log.info("checkpoint after epoch %d", len(history))
            if stop:
                raise KeyboardInterrupt
            if ended:
                break
    return history


def _step(
    objective: nn.Module,
    parallel: nn.Module,
    optimizer: torch.optim.Optimizer,
    scaler: GradScaler,
    parameters: Sequence[Tensor],
    epoch: int,
    part: float,
    config: TrainingConfig,
) -> float:
    progress = (epoch + part) / config.epochs
    for group in optimizer.param_groups:
        group["lr"] = float(config.lr) * _decay(progress, config.schedule)
    for parameter in parameters:
        parameter.grad = None
    with lowered(config.precision, parameters[0].device):
        terms = parallel(progress)
    loss = float(terms.loss.detach())
    if not math.isfinite(loss):
        _diverged(objective, terms._asdict(), epoch)
    scaler.scale(terms.loss).backward()
    scaler.unscale_(optimizer)
    # Before the step: a gradient that is not finite must not reach the weights, nor a checkpoint.
    threads = max(1, sum(p.numel() for p in parameters) // _NUMBERS)
    with few_threads(threads) if config.clip_norm == 0 else nullcontext():
        norm = torch.nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
        finite = math.isfinite(float(norm))
    # Too large a factor is not the gradient's fault: `scaler` leaves this step out and takes half of it.
    if not finite and (not scaler.is_enabled() or scaler.get_scale() < 1):
        _bad_gradient(objective, epoch)
    if config.clip_norm > 0 and finite:
        torch.nn.utils.clip_grads_with_norm_(parameters, config.clip_norm, norm)
    with few_threads(threads):
        scaler.step(optimizer)
    scaler.update()
    return loss


def _call(callbacks: Sequence[Callback], epoch: int, loss: float) -> bool:
    """Call the callbacks after an epoch; whether one of them ends the training."""
    try:
        for callback in callbacks:
            callback(epoch, loss)
    except StopIteration:
        return True
    return False


def _diverged(objective: nn.Module, terms: dict[str, Tensor], epoch: int) -> NoReturn:
    """Name the first quantity that is not finite: weights, then the two parts of the loss, then their sum."""
    for name, parameter in objective.named_parameters():
        if not bool(torch.isfinite(parameter).all()):
            raise DivergenceError(
                f"training stopped at epoch {epoch + 1}: the weights {name!r} are not finite; try a smaller training.lr"
            )
    values = {name: float(value.detach()) for name, value in terms.items()}
    name = next((n for n in ("attraction", "repulsion") if not math.isfinite(values[n])), "sum")
    raise DivergenceError(
        f"training stopped at epoch {epoch + 1}: the {name} of the loss is {values.get(name, values['loss'])} although "
        "all weights are finite; try a smaller training.lr, or check the scale of the features"
    )


def _bad_gradient(objective: nn.Module, epoch: int) -> NoReturn:
    """Name the weights whose gradient is not finite; all of them, together, if only the norm overflows."""
    bad = [
        name
        for name, p in objective.named_parameters()
        if p.grad is not None and not bool(torch.isfinite(p.grad).all())
    ]
    raise DivergenceError(
        f"training stopped at epoch {epoch + 1}: the gradient of {repr(bad[0]) if bad else 'all weights together'} is "
        "not finite although the loss is; try a smaller training.lr, or check the scale of the features"
    )


def _decay(progress: float, schedule: str) -> float:
    if schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * progress))
    if schedule == "plateau":
        return min(1.0, 2 * (1 - progress))
    return 1.0 - progress if schedule == "linear" else 1.0


def _ended(history: list[float], config: TrainingConfig) -> bool:
    """Whether the losses so far end the training before its last epoch; a resumed run ends where it would have."""
    return _stalled(history, config.patience) or _settled(history, config.tolerance)


def _stalled(history: list[float], patience: int) -> bool:
    """No new minimum of the loss within the last `patience` epochs."""
    if patience <= 0 or len(history) <= patience:
        return False
    return min(history[-patience:]) >= min(history[:-patience])


def _settled(history: list[float], tolerance: float) -> bool:
    """The mean loss of the last `_WINDOW` epochs is below that of those before by too small a part of its whole fall.

    Means, because the loss of a step depends on the views and the pairs that it drew.
    """
    if tolerance <= 0 or len(history) < 2 * _WINDOW:
        return False
    last, before = (math.fsum(part) / _WINDOW for part in (history[-_WINDOW:], history[-2 * _WINDOW : -_WINDOW]))
    return before - last <= tolerance * max(0.0, history[0] - last)


def _bar(epochs: int, done: int, show: bool) -> Any:
    return new_bar(show, total=epochs, initial=done, desc="train", unit="epoch")
