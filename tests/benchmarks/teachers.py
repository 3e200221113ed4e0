"""The two teachers of bench_distillation.py: one small CNN, trained with labels or by SimCLR, on our loop."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genurl_graph.config.parameters import TrainingConfig
from genurl_graph.losses.terms import LossTerms
from genurl_graph.runtime.devices import seeded
from genurl_graph.training.loop import train

WIDTH = 128
BATCH = 256
EPOCHS = {"labels": 5, "simclr": 6}


class TeacherCNN(nn.Module):
    """Images [b, 1, 28, 28] to features [b, 128]; 0.9 million parameters, 17 times those of the student."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv2d(1, 32, 5, stride=2, padding=2, bias=False), nn.BatchNorm2d(32), nn.ReLU()),
            *(nn.Conv2d(32, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(64, 128, 3, padding=1, bias=False), nn.BatchNorm2d(128), nn.ReLU(), nn.Flatten()),
            *(nn.Linear(128 * 7 * 7, WIDTH, bias=False), nn.BatchNorm1d(WIDTH), nn.ReLU()),
        )

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)


class Labelled(nn.Module):
    """Cross-entropy of a linear classifier on top of an encoder, on batches."""

    def __init__(self, encoder: nn.Module, width: int, x: Tensor, y: Tensor, batch: int = BATCH) -> None:
        super().__init__()
        self.encoder, self.head = encoder, nn.Linear(width, int(y.max()) + 1)
        self.x, self.y, self.batch = x, y, batch
        self.steps = math.ceil(len(x) / batch)

    def forward(self, progress: float = 0.0) -> LossTerms:
        rows = torch.randperm(len(self.x))[: self.batch]
        loss = F.cross_entropy(self.head(self.encoder(self.x[rows])), self.y[rows])
        return LossTerms(loss, loss, torch.zeros(()))


class SimCLR(nn.Module):
    """InfoNCE of two random crops of each image (arXiv 2002.05709), temperature 0.2, one projector of 128 columns."""

    def __init__(self, encoder: nn.Module, width: int, x: Tensor) -> None:
        super().__init__()
        self.encoder = encoder
        self.projector = nn.Sequential(nn.Linear(width, 128), nn.ReLU(), nn.Linear(128, 64))
        self.x = x
        self.steps = math.ceil(len(x) / BATCH)

    def forward(self, progress: float = 0.0) -> LossTerms:
        images = self.x[torch.randperm(len(self.x))[:BATCH]]
        both = torch.cat([crops(images), crops(images)])
        z = F.normalize(self.projector(self.encoder(both)), dim=1)
        scores = (z @ z.T / 0.2).fill_diagonal_(-math.inf)
        n = len(images)
        loss = F.cross_entropy(scores, torch.cat([torch.arange(n, 2 * n), torch.arange(n)]))
        return LossTerms(loss, loss, torch.zeros(()))


def crops(images: Tensor) -> Tensor:
    """A random window of each image, 0.6 to 1 of its sides, half of them mirrored, brightness times 0.6 to 1.4."""
    b = len(images)
    side = torch.empty(b, 2).uniform_(0.6, 1.0)
    shift = (torch.rand(b, 2) * 2 - 1) * (1 - side)
    theta = torch.zeros(b, 2, 3)
    theta[:, 0, 0] = side[:, 0] * (1 - 2 * torch.randint(0, 2, (b,)))
    theta[:, 1, 1] = side[:, 1]
    theta[:, :, 2] = shift
    seen = F.grid_sample(images, F.affine_grid(theta, list(images.shape), align_corners=False), align_corners=False)
    return seen * torch.empty(b, 1, 1, 1).uniform_(0.6, 1.4)


@torch.no_grad()
def features(encoder: nn.Module, images: Tensor) -> np.ndarray:
    encoder.eval()
    return torch.cat([encoder(part) for part in images.split(1000)]).numpy()


def teacher_features(kind: str, folder: Path, x: Tensor, y: Tensor, sets: dict[str, Tensor]) -> dict[str, np.ndarray]:
    """Features of each set of images by the teacher `kind`, trained once on `x` and kept in `folder`."""
    path = folder / f"teacher-{kind}.npz"
    if not path.is_file():
        with seeded(0):
            encoder = TeacherCNN()
            if kind == "labels":
                objective: nn.Module = Labelled(encoder, WIDTH, x, y)
            else:
                objective = SimCLR(encoder, WIDTH, x[:10_000])
            config = TrainingConfig(epochs=EPOCHS[kind], lr=2e-3, schedule="cosine")
            train(
                objective,
                config,
                callbacks=[lambda e, v: print(f"teacher {kind}: epoch {e}, loss {v:.3f}", flush=True)],
            )
        np.savez(path, **{name: features(encoder, images) for name, images in sets.items()})
    with np.load(path) as archive:
        return {name: archive[name] for name in sets}
