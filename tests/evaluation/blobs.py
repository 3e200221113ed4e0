"""Classes on columns of numbers, more or less apart."""

import numpy as np


def blobs(n=240, classes=4, dim=6, noise=0.3, seed=0):
    """Rows float32 [n, dim] around a random centre for each class, and labels [n]."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % classes
    return (3 * rng.normal(size=(classes, dim))[y] + noise * rng.normal(size=(n, dim))).astype(np.float32), y
