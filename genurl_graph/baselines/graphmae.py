"""GraphMAE: hide the features of some nodes, rebuild them from the graph, judge by the angle (arXiv 2205.10803)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity

from genurl_graph.baselines.common import BaselineObjective, Graph, fit, make_encoder, prepare
from genurl_graph.exceptions import unknown, wrong
from genurl_graph.inputs.sparse import constant_product, csr_rows, csr_tensor
from genurl_graph.losses.terms import LossTerms
from genurl_graph.nn.features import Features
from genurl_graph.nn.gnn import GNN
from genurl_graph.nn.layers import PReLU, dropout
from genurl_graph.runtime.random import rand, randint, randperm, seeded_globally


def scaled_cosine_error(x: Tensor, z: Tensor, gamma: float) -> Tensor:
    """``mean_i (1 - cos(x_i, z_i))^gamma``: equation 2 of arXiv 2205.10803.

    Parameters
    ----------
    x, z : Tensor, float, shape [m, f]
        Features, and what was rebuilt of them. The length of a row means nothing; a row of zeros has the error 1.
    gamma : float
        >= 1; the larger, the less easy rows count.
    """
    return (1 - cosine_similarity(x, z, dim=1)).clamp_min(0).pow(gamma).mean()


class HiddenRows:
    """Features some of whose rows stand for others, as input of an encoder.

    Parameters
    ----------
    features : Features or DroppedEntries
    source : Tensor, int64, shape [n]
        The row that each node shows.
    token : Tensor, shape [f]
        What hidden nodes show in its place.
    hidden : Tensor, bool, shape [n]
    """

    def __init__(self, features: Features | DroppedEntries, source: Tensor, token: Tensor, hidden: Tensor) -> None:
        self.features, self.source, self.token, self.hidden = features, source, token, hidden

    def matmul(self, w: Tensor, keep: Tensor | None = None) -> Tensor:
        """``(x * keep) @ w`` of the rows as they are shown; sparse features stay sparse."""
        w = w if keep is None else w * keep[:, None]
        h = self.features.matmul(w).index_select(0, self.source)
        return torch.where(self.hidden[:, None], self.token @ w, h)


class DroppedEntries:
    """Features of which a share of the entries is dropped, the others scaled up: dropout that keeps sparse ones sparse.

    Parameters
    ----------
    features : Features
    share : float
    order : Tensor, int64, shape [entries], optional
        Of sparse features: which entry each entry of the transpose is (`entry_order`).
    """

    def __init__(self, features: Features, share: float, order: Tensor | None) -> None:
        self.features, self.share, self.order = features, share, order

    def matmul(self, w: Tensor) -> Tensor:
        """``x @ w`` with entries dropped anew; sparse features stay sparse."""
        x, x_t, (n, f) = self.features.x, self.features.x_t, self.features.x.shape
        if x_t is None or self.order is None:
            return dropout(x, self.share, training=True) @ w
        kept = x.values() * (rand(x.values().numel(), x.device) >= self.share) / (1 - self.share)
        given = csr_tensor(x.crow_indices(), x.col_indices(), kept, (n, f))
        other = csr_tensor(x_t.crow_indices(), x_t.col_indices(), kept[self.order], (f, n))
        return constant_product(given, other, w)


def entry_order(features: Features) -> Tensor | None:
    """Which entry of sparse features each entry of their transpose is, int64; None for dense ones."""
    if features.x_t is None:
        return None
    # Stable: entries of a column stay in the order of their rows, as in the transpose.
    return features.x.col_indices().argsort(stable=True)


class GraphMAE(BaselineObjective):
    """GraphMAE on our encoders.

    Parameters
    ----------
    encoder : GNN
    graph : Graph
    settings : dict
        ``mask``, share of nodes that are hidden, of which a share ``replace`` shows the features of another node and
        the others the [MASK] token; ``gamma`` of the error; ``drop_features``, dropout of input entries.

    Notes
    -----
    The decoder is a layer of the encoder's kind. Its propagation comes before its linear map, which is the same
    function, so that only hidden nodes have rows as wide as the features. The [DMASK] token is learnt.
    """

    def __init__(self, encoder: GNN, graph: Graph, settings: dict[str, Any]) -> None:
        super().__init__(encoder, graph)
        n, dim, f = graph.num_nodes, settings["dim"], graph.features.num_features
        self.n_hidden = max(1, round(settings["mask"] * n))
        self.n_replaced = round(settings["replace"] * self.n_hidden)
        self.gamma, self.drop = settings["gamma"], settings["drop_features"]
        self.token, self.decoder_token = nn.Parameter(torch.zeros(f)), nn.Parameter(torch.zeros(dim))
        self.bridge = nn.Linear(dim, dim, bias=False)
        decoder = make_encoder(encoder.conv, dim, dim, dim, 1)
        assert isinstance(decoder, GNN)
        self.mix = decoder.convs[0]
        self.rebuild = nn.Linear(dim, f)
        # As graph convolutions begin. With a bias that is not 0 training finds it first, and the rows collapse.
        nn.init.xavier_uniform_(self.rebuild.weight)
        nn.init.zeros_(self.rebuild.bias)
        self.register_buffer("order", entry_order(graph.features), persistent=False)
        self.order: Tensor | None

    def forward(self, progress: float = 0.0) -> LossTerms:
        """Loss of one step."""
        device = self.propagation.weight.device
        operator = self.encoder.operator(self.propagation)
        chosen = randperm(self.num_nodes, device)[: self.n_hidden]
        swapped, tokens = chosen[: self.n_replaced], chosen[self.n_replaced :]
        source = torch.arange(self.num_nodes, device=device)
        source[swapped] = randint(self.num_nodes, (len(swapped),), device)
        shown = DroppedEntries(self.features, self.drop, self.order) if self.drop else self.features
        h = self.encoder(HiddenRows(shown, source, self.token, _marked(tokens, self.num_nodes)), operator)
        h = self.bridge(h)
        h = torch.where(_marked(chosen, self.num_nodes)[:, None], self.decoder_token, h)
        rebuilt = self.rebuild(self.mix(h, operator)[chosen])
        loss = scaled_cosine_error(self._rows(chosen), rebuilt, self.gamma)
        return LossTerms(loss, loss, loss * 0)

    def _rows(self, index: Tensor) -> Tensor:
        """Features of some nodes, dense [m, f]."""
        x = self.features.x
        return x[index] if self.features.x_t is None else csr_rows(x, index).to_dense()


def _marked(index: Tensor, n: int) -> Tensor:
    """Bool [n], true at `index`."""
    return torch.zeros(n, dtype=torch.bool, device=index.device).index_fill_(0, index, True)


def gat_layers(encoder: GNN, dim: int, layers: int, heads: int, drop: float) -> None:
    """Give a GAT encoder several heads beside each other in every layer, and dropout of their weights."""
    from torch_geometric.nn import GATConv

    if dim % heads:
        raise wrong("graphmae.heads", f"{heads} heads for {dim} columns", "a number that divides them")
    for i in range(layers):
        conv = GATConv(dim, dim // heads, heads=heads, dropout=drop)
        if i == 0:
            # The encoder's input layer is the linear map of all heads.
            conv.lin = nn.Identity()
        encoder.convs[i] = conv


def embed(name: str, data: Any, seed: int, device: str | torch.device, settings: dict[str, Any]) -> Tensor:
    """Embedding [n, dim] by GraphMAE's encoder; see `genurl_graph.baselines.get_baseline`.

    Adam and a cosine decay of the learning rate, as in the authors' code.
    """
    if settings["encoder"] not in ("gcn", "gat"):
        raise unknown("graphmae.encoder", settings["encoder"], ("gcn", "gat"))
    graph = prepare(name, data, settings["normalize"])
    dim, layers = settings["dim"], settings["layers"]
    with seeded_globally(seed):
        encoder = make_encoder(settings["encoder"], graph.features.num_features, dim, dim, layers)
        assert isinstance(encoder, GNN)
        if settings["encoder"] == "gat":
            gat_layers(encoder, dim, layers, settings["heads"], settings["drop_attention"])
        # Dropout of what every layer reads; of the input, by `DroppedEntries`.
        encoder.dropout = settings["drop_features"]
        encoder.acts = nn.ModuleList(PReLU() for _ in range(layers))
        return fit(GraphMAE(encoder, graph, settings), settings, device, schedule="cosine")
