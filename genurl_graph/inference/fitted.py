"""A fitted model: all that embeds new samples, and all that a saved folder holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Generic, TypeVar

from torch import Tensor, nn

from genurl_graph.config import Config
from genurl_graph.graph.merge import MergedGraph
from genurl_graph.graph.projection import FeatureSpace
from genurl_graph.inference.known_nodes import FittedNodes
from genurl_graph.inference.temporal.fitted_time import FittedTime
from genurl_graph.inference.triples.fitted_triples import FittedTriples
from genurl_graph.inputs.columns import FeaturePlan
from genurl_graph.inputs.temporal.trajectory import Trajectory
from genurl_graph.nn.cnn import ModuleEncoder
from genurl_graph.objectives.base import Encoder

T = TypeVar("T")


@dataclass(eq=False, repr=False)
class FittedModel:
    """What a fit leaves behind.

    `genurl_graph.estimator.GenURL` holds one and shows its parts under their names and an underscore, where they are
    documented. Beside those: `statistics` of the encoder's input columns (`genurl_graph.tasks.encoder_input`), the
    `space` in which an embedding table finds the neighbours of a new sample, None if it cannot, and the `plan` that
    makes features of raw columns, None where they are read as they are. `n_features_in` counts the raw ones. Of many
    graphs, `edge_plan` is that of the attributes of edges; of events, `time` is the trajectory and what windows are
    read by; of typed edges, `facts` are the triples and what entities and relations are called.
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
    nodes: FittedNodes | None = None
    plan: FeaturePlan | None = None
    edge_plan: FeaturePlan | None = None
    time: FittedTime | None = None
    facts: FittedTriples | None = None

    def __repr__(self) -> str:
        rows, columns = self.embedding.shape
        epochs = f"{self.n_iter} epoch{'' if self.n_iter == 1 else 's'}"
        task, encoder = self.config.task, self.config.encoder.name
        return f"{type(self).__name__}(task {task}, encoder {encoder}, {epochs}, embedding [{rows}, {columns}])"

    @property
    def n_iter(self) -> int:
        """Epochs of the fit."""
        return len(self.loss_history)

    @property
    def n_features(self) -> int:
        """Columns of the features that the plan makes, or that are read as they are."""
        return self.n_features_in if self.plan is None else len(self.plan.names)

    @property
    def network(self) -> nn.Module:
        """The trained network; the copy of the user's own module, where one was given."""
        return self.encoder.module if isinstance(self.encoder, ModuleEncoder) else self.encoder


@dataclass(eq=False, kw_only=True, repr=False)
class TrainedModel(FittedModel):
    """A model that was fitted in this process, not loaded.

    It knows the training step `objective`, the weights of the encoder before the training (`initial`), the `graph` of P
    on the CPU and what the user handed in (`kind`: "torch" or "numpy").
    """

    objective: Any
    initial: dict[str, Tensor]
    graph: MergedGraph
    kind: str

    @property
    def n_parameters(self) -> int:
        """Fitted numbers: trained weights, those of a projector included, axes of components, and positions."""
        trained: int = sum(p.numel() for p in self.objective.parameters() if p.requires_grad)
        beside = (getattr(self.encoder, part, None) for part in ("components", "structure"))
        return trained + sum(int(table.numel()) for part in beside if part is not None for table in part.buffers())

    def untrained_embedding(self) -> Tensor:
        """Embedding [n, d] by the same encoder with its initial weights."""
        trained = {k: v.detach().clone() for k, v in self.encoder.state_dict().items()}
        self.encoder.load_state_dict(self.initial)
        try:
            found: Tensor = self.objective.embed().cpu()
        finally:
            self.encoder.load_state_dict(trained)
        return found


class FittedAttribute(Generic[T]):
    """A part of ``model_``, by default the one of the same name without "_" at its end; AttributeError before `fit`."""

    def __init__(self, path: str = "") -> None:
        self.path = path

    def __set_name__(self, owner: type, name: str) -> None:
        self.name, self.path = name, self.path or name.removesuffix("_")

    def __get__(self, instance: Any, owner: type) -> T:
        if instance is None:
            return self  # type: ignore[return-value]
        if not hasattr(instance, "model_"):
            raise AttributeError(f"{self.name}: {owner.__name__} is not fitted yet; call fit first")
        try:
            part: T = attrgetter(self.path)(instance.model_)
        except AttributeError as error:
            model = instance.model_
            kind = "a loaded model" if type(model) is FittedModel else f"a model of task {model.config.task}"
            raise AttributeError(f"{self.name}: {kind} has none") from error
        return part


class FittedAttributes:
    """The public names of the parts of ``model_``; `genurl_graph.estimator.GenURL` documents them."""

    model_: FittedModel
    embedding_ = FittedAttribute[Tensor]()
    encoder_ = FittedAttribute[nn.Module]("network")
    config_ = FittedAttribute[Config]()
    task_ = FittedAttribute[str]("config.task")
    encoder_name_ = FittedAttribute[str]("config.encoder.name")
    device_ = FittedAttribute[str]()
    feature_plan_ = FittedAttribute[FeaturePlan | None]("plan")
    seed_ = FittedAttribute[int]()
    n_iter_ = FittedAttribute[int]()
    n_parameters_ = FittedAttribute[int]()
    loss_history_ = FittedAttribute[list[float]]()
    graph_ = FittedAttribute[MergedGraph]()
    graph_summary_ = FittedAttribute[dict[str, Any]]()
    seconds_ = FittedAttribute[dict[str, float]]()
    mass_ = FittedAttribute[float]()
    statistics_ = FittedAttribute[dict[str, Tensor]]()
    node_slices_ = FittedAttribute[Mapping[str, Sequence[int]] | None]()
    node_widths_ = FittedAttribute[dict[str, int] | None]()
    knn_backend_ = FittedAttribute[str | None]()
    knn_recall_ = FittedAttribute[float | None]()
    trajectory_ = FittedAttribute[Trajectory]("time.trajectory")
