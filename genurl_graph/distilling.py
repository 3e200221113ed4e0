"""`distill`: a teacher, a student and data, in one call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from genurl_graph.estimator import GenURL
from genurl_graph.io import read_embedding


def distill(
    teacher: Any,
    student: str | nn.Module,
    data: Any,
    *,
    objective: str = "gkl",
    n_components: int | None = None,
    config: dict[str, Any] | None = None,
    **options: Any,
) -> GenURL:
    """Train a student so that its samples are as similar as those of its teacher; no labels.

    P are the calibrated similarities of the teacher's nearest neighbours, Q those of the student's embedding, and the
    student minimises GKL(P || Q). Teacher and student may have any numbers of columns. This is
    ``GenURL(task="distill", encoder=student).fit(data, teacher=teacher)``.

    Parameters
    ----------
    teacher : array or Tensor [n, t], nn.Module, fitted model, or path
        Stored features, one row for each sample; a network, asked batch by batch; a model with ``transform`` (a GNN
        embedding by `GenURL`, say), which reads `data`; or the path of features (.npy, .npz, .csv, ...) or of a folder
        that `GenURL.save` wrote.
    student : "mlp", "linear", "cnn", "gcn", "sage", "gat", "gin" or nn.Module
        The CNN reads rows of square images, or images [n, c, h, w]; GNNs need edges. All others need none, neither here
        nor in ``transform``.
    data : as in `GenURL.fit`
    objective : str
        "gkl" or any other loss of `genurl_graph.losses`, or a baseline of `genurl_graph.matching`: "feature-l2",
        "feature-cosine", "rkd", "seed".
    n_components : int, optional
        Columns of the student's embedding; by default 32, or those of a module.
    config : dict, optional
        Any other parameter by its dotted name, as of `GenURL`.
    **options
        Other arguments of `GenURL`: ``epochs``, ``random_state``, ``device``, ...

    Returns
    -------
    GenURL
        Fitted: ``transform``, ``save``, ``embedding_``, ``encoder_``.

    Raises
    ------
    InputError
        As of `GenURL.fit`: teacher rows that are not as many as samples, constant teacher features, and others.

    Examples
    --------
    >>> student = distill(features, "mlp", vectors, random_state=0)
    >>> student.transform(new_vectors)
    """
    if isinstance(teacher, str | Path):
        path = Path(teacher)
        teacher = GenURL.load(path) if path.is_dir() else read_embedding(path)["embedding"]
    model = GenURL(
        n_components, task="distill", encoder=student, config={**(config or {}), "loss.name": objective}, **options
    )
    return model.fit(data, teacher=teacher)
