"""What the baselines on our loop share: the graph as encoders read it, encoder and views, the call of the loop."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from genurl_graph.config.choices import EncoderName
from genurl_graph.config.parameters import EncoderConfig, TrainingConfig
from genurl_graph.exceptions import unknown, wrong
from genurl_graph.graph.merge import predefined_graph
from genurl_graph.graph.propagation import Propagation
from genurl_graph.inputs.columns import FeatureOptions
from genurl_graph.inputs.input import as_input
from genurl_graph.inputs.normalize import column_statistics, is_bag, normalize_features
from genurl_graph.inputs.sparse import identity
from genurl_graph.nn.features import Features, keep_features
from genurl_graph.nn.gnn import GNN
from genurl_graph.nn.layers import PReLU
from genurl_graph.nn.mlp import MLP
from genurl_graph.runtime.devices import choose_device
from genurl_graph.training.loop import train


class Graph(NamedTuple):
    """Input of a baseline: the undirected graph and its features (the identity where there are none)."""

    features: Features
    propagation: Propagation
    num_nodes: int


def prepare(name: str, data: Any, normalize: str) -> Graph:
    """Read `data` as our encoders do: sparse features stay sparse, edges hold both ways.

    Parameters
    ----------
    name : str
        Of the baseline, for messages.
    data : Data
    normalize : "auto", "none", "rows", "unit" or "columns"
        As in `genurl_graph.inputs.normalize.normalize_features`; "auto": rows of bags of words, columns of others.

    Raises
    ------
    InputError
        No edges, unknown normalisation, or data that `genurl_graph.inputs.input.as_input` refuses.
    """
    given = as_input(data, features=FeatureOptions())
    n = given.num_nodes
    if given.edge_index is None or given.edge_index.numel() == 0:
        raise wrong(name, "a data set without edges", "a graph")
    merged = predefined_graph(given)
    if given.x is None:
        x = identity(n)
    else:
        if normalize not in ("auto", "rows", "unit", "columns", "none"):
            raise unknown(f"{name}: normalize", normalize, ("auto", "rows", "unit", "columns", "none"))
        scaled = given.plan is not None and given.plan.is_scaled
        own = "none" if scaled else "rows" if is_bag(given.x) else "columns"
        how = own if normalize == "auto" else normalize
        x = normalize_features(given.x, how, column_statistics(given.x) if how == "columns" else {})
    return Graph(Features(x), Propagation(merged.edge_index, merged.edge_weight, n), n)


def make_encoder(
    name: Literal[EncoderName, "module"],
    in_dim: int,
    dim: int,
    hidden: int,
    layers: int,
    activation: str = "relu",
    last: bool = False,
) -> GNN | MLP:
    """Make one of our encoders with the activations of a paper.

    Parameters
    ----------
    name : "gcn", "gat" or "mlp"
        An MLP has batch normalisation, as in CCA-SSG's code.
    in_dim, dim, hidden, layers : int
    activation : "relu" or "prelu"
        "prelu" is one slope for all layers.
    last : bool
        Whether an activation follows the last layer.

    Raises
    ------
    InputError
        Unknown encoder or activation.
    """
    if name not in ("gcn", "gat", "mlp"):
        raise unknown("encoder", name, ("gcn", "gat", "mlp"))
    if activation not in ("relu", "prelu"):
        raise unknown("activation", activation, ("relu", "prelu"))
    config = EncoderConfig(name, dim=dim, hidden=hidden, layers=layers, norm="batch" if name == "mlp" else "none")
    encoder = MLP(config, in_dim) if name == "mlp" else GNN(config, in_dim)
    act: nn.Module = nn.ReLU() if activation == "relu" else PReLU()
    encoder.acts = nn.ModuleList([act if last or i < layers - 1 else nn.Identity() for i in range(len(encoder.acts))])
    return encoder


class BaselineObjective(nn.Module):
    """Encoder and input of a baseline; subclasses add ``forward(progress) -> LossTerms``."""

    def __init__(self, encoder: GNN | MLP, graph: Graph) -> None:
        super().__init__()
        self.encoder = encoder
        self.features, self.propagation, self.num_nodes = graph

    def view(self, drop_features: float = 0.0, drop_edges: float = 0.0) -> Tensor:
        """Output [n, d] of the encoder on the graph without some columns and edges, drawn anew at each call."""
        z: Tensor = self.encoder(self.features, *self.draw(drop_features, drop_edges))
        return z

    def draw(self, drop_features: float, drop_edges: float) -> tuple[Any, Tensor | None]:
        """A view as encoders read it: the graph without some edges, and which columns are kept."""
        keep = keep_features(self.features.num_features, drop_features, self.propagation.weight.device)
        return self.encoder.operator(self.propagation, drop_edges), keep

    @torch.no_grad()
    def embed(self) -> Tensor:
        """Embedding [n, d] of the whole graph, in evaluation mode."""
        self.eval()
        return self.view()


def fit(
    objective: Any,
    settings: dict[str, Any],
    device: str | torch.device,
    schedule: Literal["constant", "cosine"] = "constant",
    optimizer_class: type[torch.optim.Adam] = torch.optim.Adam,
) -> Tensor:
    """Train an objective on the one loop and embed; float32 [n, d] on the CPU.

    Parameters
    ----------
    objective : BaselineObjective, or another module with ``embed``
    settings : dict
        Of them ``epochs``, ``lr`` and ``weight_decay`` are read.
    device : str or torch.device
    schedule : "constant" or "cosine"
        Decay of the learning rate.
    optimizer_class : type
        `torch.optim.Adam` or a subclass.
    """
    objective.to(choose_device(device))
    names = ("epochs", "lr", "weight_decay")
    config = TrainingConfig(**{name: settings[name] for name in names}, schedule=schedule)
    train(objective, config, optimizer_class=optimizer_class)
    z: Tensor = objective.embed()
    return z.cpu()
