"""A fitted model: all that embeds new samples, and all that a saved folder holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from genurl_graph.config import Config
from genurl_graph.nn.cnn import ModuleEncoder

if TYPE_CHECKING:
    from genurl_graph.graph.merge import MergedGraph
    from genurl_graph.graph.projection import FeatureSpace
    from genurl_graph.objectives.base import Encoder


@dataclass(eq=False)
class FittedModel:
    """What a fit leaves behind. `genurl_graph.estimator.GenURL` holds one and shows its parts as ``embedding_`` etc.

    Attributes
    ----------
    encoder : Encoder
        Trained.
    config : Config
        Resolved.
    embedding : Tensor, float32, shape [n, d], on the CPU
    statistics : dict of Tensor
        Of the encoder's input columns (`genurl_graph.tasks.encoder_input.encoder_input`).
    space : FeatureSpace or None
        Where an embedding table finds the fitted neighbours of a new sample; None if it cannot.
    seed : int
    n_features_in : int
    loss_history : list of float
        Loss of each epoch.
    graph_summary : dict
        Undirected edges by source, components before and after the merge.
    seconds : dict
        Seconds of the stages ``graph`` and ``train``.
    knn_backend : str or None
        Which search found the kNN edges; None without a search.
    knn_recall : float or None
        Its recall, if it was approximate.
    mass : float
        Mean row sum of P.
    node_slices, node_widths : dict or None
        Of ``HeteroData``: rows of each node type in the embedding, and its number of features.
    device : str
        Where `encoder` is.
    """

    encoder: Encoder
    config: Config
    embedding: Tensor
    statistics: dict[str, Tensor]
    space: FeatureSpace | None
    seed: int
    n_features_in: int
    loss_history: list[float]
    graph_summary: dict[str, Any]
    seconds: dict[str, float]
    knn_backend: str | None
    knn_recall: float | None
    mass: float
    node_slices: Mapping[str, Sequence[int]] | None = None
    node_widths: dict[str, int] | None = None
    device: str = "cpu"

    @property
    def task(self) -> str:
        """Task of the fit."""
        return self.config.task

    @property
    def encoder_name(self) -> str:
        """Name of the encoder; "module" for the user's own."""
        return self.config.encoder.name

    @property
    def n_iter(self) -> int:
        """Epochs of the fit."""
        return len(self.loss_history)

    @property
    def network(self) -> nn.Module:
        """The trained network; the copy of the user's own module, where one was given."""
        return self.encoder.module if isinstance(self.encoder, ModuleEncoder) else self.encoder


@dataclass(eq=False, kw_only=True)
class TrainedModel(FittedModel):
    """A model that was fitted in this process, not loaded.

    Attributes
    ----------
    objective : nn.Module
        The training step, with the graph that it trains on.
    initial : dict of Tensor
        Weights of the encoder before the training.
    graph : MergedGraph
        Edges of P with weights and sources, on the CPU.
    kind : str
        What the user handed in: "torch" or "numpy".
    """

    objective: Any
    initial: dict[str, Tensor]
    graph: MergedGraph
    kind: str

    @property
    def n_parameters(self) -> int:
        """Trained numbers, those of a projector included."""
        return sum(p.numel() for p in self.objective.parameters() if p.requires_grad)

    def untrained_embedding(self) -> Tensor:
        """Embedding [n, d] by the same encoder with its initial weights."""
        trained = {k: v.detach().clone() for k, v in self.encoder.state_dict().items()}
        self.encoder.load_state_dict(self.initial)
        try:
            found: Tensor = self.objective.embed().cpu()
        finally:
            self.encoder.load_state_dict(trained)
        return found
