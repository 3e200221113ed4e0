"""Classifiers on a frozen embedding of millions of rows: logistic regression and a small MLP, in mini-batches.

`genurl_graph.evaluation.probe` is for what scikit-learn fits in reasonable time. Here extra memory is bounded by the
training rows and a batch, any device will do, and the package's own loop trains.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genurl_graph.config.parameters import EncoderConfig, TrainingConfig
from genurl_graph.evaluation.ogb import Array, Metric
from genurl_graph.evaluation.splits import Index, Split, check_labels
from genurl_graph.exceptions import wrong
from genurl_graph.inputs.sparse import to_scipy_or_numpy
from genurl_graph.inputs.validation import check_matrix
from genurl_graph.losses.terms import LossTerms
from genurl_graph.nn.features import Features
from genurl_graph.nn.mlp import MLP
from genurl_graph.runtime.devices import choose_device
from genurl_graph.runtime.random import global_draws, randperm, seeded
from genurl_graph.training.loop import Callback, train

# Penalties of the logistic regression, lambda of `mean loss + lambda / 2 |W|^2`, from the strongest to none.
PENALTIES = (1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 1e-5, 0.0)
HIDDEN, LAYERS, DROPOUT = 256, 3, 0.5
BATCH, EPOCHS = 1024, 60
LR_LINEAR, LR_MLP = 1e-1, 1e-3
# Rows that are standardised and classified at a time.
CHUNK = 1 << 16


class ProbeResult(NamedTuple):
    """Scores of a classifier on frozen rows.

    Attributes
    ----------
    val, test : float
        Score by the metric, with the classifier that validation nodes chose.
    parameters : int
        Of the chosen classifier.
    chosen : float
        The penalty (linear) or the epoch (MLP) that validation nodes chose.
    """

    val: float
    test: float
    parameters: int
    chosen: float


def settings(epochs: int | None = None) -> dict[str, Any]:
    """All that decides what the classifiers learn, for the record."""
    return {
        "epochs": EPOCHS if epochs is None else epochs,
        "batch": BATCH,
        "linear": {"penalties": list(PENALTIES), "lr": LR_LINEAR},
        "mlp": {"layers": LAYERS, "hidden": HIDDEN, "dropout": DROPOUT, "lr": LR_MLP},
    }


def linear_classifier(
    z: Any,
    y: Any,
    split: Split,
    metric: Metric,
    *,
    seed: int = 0,
    device: str = "auto",
    epochs: int = EPOCHS,
) -> ProbeResult:
    """Multinomial logistic regression on standardised columns; validation nodes choose the L2 penalty.

    Parameters
    ----------
    z : Tensor or array, float, shape [n, d]
    y : Tensor or array, int, shape [n]
    split : Split
    metric : callable
        ``metric(labels, predicted)`` in [0, 1], such as `genurl_graph.evaluation.ogb.official_accuracy`.
    seed : int
        Of the order of rows.
    device : "auto", "cpu" or "cuda"
    epochs : int
        Passes over the training nodes; the learning rate falls to 0 over them.

    Returns
    -------
    ProbeResult
        Of the strongest penalty among those that are best on validation nodes.

    Raises
    ------
    InputError
        Sparse rows, rows that are not finite or do not match the labels, a split without validation nodes, or fewer
        than two classes to learn.
    """
    rows = FrozenRows(z, y, split, device)
    with seeded(seed):
        model = LinearPath(rows.z.size(1), rows.classes)
        rows.fit(model, TrainingConfig(epochs=epochs, lr=LR_LINEAR, schedule="cosine"))
    val = [metric(rows.y[split.val], predicted) for predicted in rows.predict(model, split.val)]
    best = int(np.argmax(val))
    test = metric(rows.y[split.test], rows.predict(model, split.test)[best])
    return ProbeResult(val[best], test, (rows.z.size(1) + 1) * rows.classes, PENALTIES[best])


def mlp_classifier(
    z: Any,
    y: Any,
    split: Split,
    metric: Metric,
    *,
    seed: int = 0,
    device: str = "auto",
    epochs: int = EPOCHS,
) -> ProbeResult:
    """An MLP with batch normalisation and dropout on standardised columns; validation nodes choose the epoch.

    Arguments and errors are those of `linear_classifier`; the learning rate is constant.

    Returns
    -------
    ProbeResult
        Of the first epoch among those that are best on validation nodes. Test nodes are read once, for it.
    """
    rows = FrozenRows(z, y, split, device)
    best: tuple[float, int, dict[str, Tensor]] = (-1.0, 0, {})
    with seeded(seed):
        model = Network(rows.z.size(1), rows.classes)

        def keep_best(epoch: int, loss: float) -> None:
            nonlocal best
            found = metric(rows.y[split.val], rows.predict(model, split.val)[0])
            if found > best[0]:
                best = found, epoch, {key: value.clone() for key, value in model.state_dict().items()}

        rows.fit(model, TrainingConfig(epochs=epochs, lr=LR_MLP), [keep_best])
    val, epoch, state = best
    model.load_state_dict(state)
    test = metric(rows.y[split.test], rows.predict(model, split.test)[0])
    return ProbeResult(val, test, sum(p.numel() for p in model.parameters()), epoch)


class FrozenRows:
    """A frozen embedding, its labels and a split; columns are standardised batch by batch.

    Parameters and errors are those of `linear_classifier`. The embedding stays on the CPU, batches go to `device`.
    """

    def __init__(self, z: Any, y: Any, split: Split, device: str) -> None:
        found = to_scipy_or_numpy(check_matrix(z, "embedding", sparse=False))
        self.y, self.split, self.device = check_labels(y, len(found)), split, choose_device(device)
        if len(split.val) == 0:
            raise wrong("frozen probes", "no validation nodes", "some, which choose the classifier")
        if len(np.unique(self.y[split.train])) < 2:
            raise wrong("frozen probes", "fewer than two classes among the training nodes", "at least two")
        self.z, self.classes = torch.from_numpy(found.astype(np.float32, copy=False)), int(self.y.max()) + 1
        parts = torch.split(self.z, CHUNK)
        # Mean and deviation of all nodes, no labels; in float64, and around the mean, so that nothing cancels.
        mean = torch.stack([part.double().sum(0) for part in parts]).sum(0) / len(self.z)
        squares = torch.stack([(part.double() - mean).square().sum(0) for part in parts]).sum(0)
        scale = (squares / len(self.z)).sqrt()
        scale[scale == 0] = 1.0
        self.mean, self.scale = mean.float().to(self.device), scale.float().to(self.device)

    def __getitem__(self, index: Tensor) -> Tensor:
        """Standardised rows, float32 [m, d], on the device."""
        return (self.z[index].to(self.device) - self.mean) / self.scale

    def fit(self, model: LinearPath | Network, config: TrainingConfig, callbacks: Sequence[Callback] = ()) -> None:
        """Train a classifier on the training nodes."""
        label = torch.from_numpy(self.y[self.split.train].astype(np.int64)).to(self.device)
        rows = self[torch.from_numpy(self.split.train)]
        train(Classification(model.to(self.device), rows, label), config, callbacks=callbacks)

    @torch.no_grad()
    def predict(self, model: LinearPath | Network, index: Index) -> Array:
        """Predicted labels, int64 [classifiers, m]."""
        was = model.training
        model.eval()
        parts = [model(self[part]).argmax(-1).cpu() for part in torch.split(torch.from_numpy(index), CHUNK)]
        model.train(was)
        found: Array = torch.cat(parts).T.numpy()
        return found


class LinearPath(nn.Module):
    """Multinomial logistic regressions of all `PENALTIES` side by side: one pass over the data trains them all."""

    def __init__(self, dim: int, classes: int) -> None:
        super().__init__()
        self.classes = classes
        self.weight = nn.Parameter(torch.zeros(dim, len(PENALTIES) * classes))
        self.bias = nn.Parameter(torch.zeros(len(PENALTIES) * classes))

    def forward(self, rows: Tensor) -> Tensor:
        """Logits, shape [m, penalties, classes]."""
        return torch.addmm(self.bias, rows, self.weight).view(len(rows), len(PENALTIES), self.classes)

    def penalty(self) -> Tensor:
        norms = self.weight.square().sum(0).view(len(PENALTIES), self.classes).sum(1)
        return torch.dot(norms.new_tensor(PENALTIES), norms) / 2


class Network(nn.Module):
    """A perceptron with batch normalisation and dropout, `LAYERS` linear maps in all."""

    def __init__(self, dim: int, classes: int) -> None:
        super().__init__()
        config = EncoderConfig("mlp", dim=classes, hidden=HIDDEN, layers=LAYERS, dropout=DROPOUT, norm="hidden")
        with global_draws():
            self.net = MLP(config, dim)

    def forward(self, rows: Tensor) -> Tensor:
        """Logits, shape [m, 1, classes]."""
        logits: Tensor = self.net(Features(rows))
        return logits[:, None]

    def penalty(self) -> Tensor:
        return self.net.input.weight.new_zeros(())


class Classification(nn.Module):
    """Cross-entropy of batches of labelled rows, every row once an epoch: the objective of the loop.

    Attributes
    ----------
    steps : int
        Batches of an epoch.
    """

    def __init__(self, classifier: LinearPath | Network, rows: Tensor, label: Tensor) -> None:
        super().__init__()
        self.classifier, self.rows, self.label = classifier, rows, label
        self.steps = math.ceil(len(rows) / BATCH)
        self.batches: list[Tensor] = []

    def forward(self, progress: float = 0.0) -> LossTerms:
        """Loss of one batch."""
        if not self.batches:
            order = randperm(len(self.rows)).to(self.rows.device)
            # Batches of equal size but for one row: batch normalisation has no use for a small rest.
            self.batches = list(torch.tensor_split(order, self.steps))
        index = self.batches.pop()
        logits = self.classifier(self.rows[index])
        label = self.label[index].repeat_interleave(logits.size(1))
        # The classifiers have no weight in common: the sum of their means trains each as if it were alone.
        fit = F.cross_entropy(logits.flatten(0, 1), label, reduction="sum") / len(index)
        penalty = self.classifier.penalty()
        return LossTerms(fit + penalty, fit, penalty)
