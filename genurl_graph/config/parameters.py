"""Every parameter of a run, declared once: one frozen dataclass a stage, each field with its explanation.

The explanation beside a type says what the parameter means, its unit, and the values it takes; ``genurl-graph config``
prints it. Presets (``presets/*.toml``) overrule these defaults for a task.
"""

from __future__ import annotations

import dataclasses
from typing import Annotated, Literal, get_type_hints


@dataclasses.dataclass(frozen=True)
class NeighborConfig:
    """Feature-space kNN edges (`genurl_graph.graph.knn`)."""

    n_neighbors: Annotated[int, "nearest neighbours of each node in feature space, 1 to n - 1"] = 15
    metric: Annotated[
        str,
        "euclidean, cosine, or auto: cosine for features >= 0 such as bags of words and counts, else euclidean",
    ] = "auto"
    backend: Annotated[str, "search: exact, approximate, or auto, which chooses by the size"] = "auto"
    memory_mb: Annotated[int, "MiB that the search may take beside its input and its result"] = 512
    pca: Annotated[int, "principal components that are kept before the search; 0: all columns as they are"] = 0
    hops: Annotated[int, "times that vectors are averaged over the given edges before the search"] = 0
    source: Annotated[
        Literal["features", "encoder", "both"],
        "images: neighbours in a batch are found by features (pixels), by a slow copy of the encoder, or by both, at "
        "first by the features and in the end by the encoder",
    ] = "features"
    queue: Annotated[
        int,
        "images: so many of earlier batches are further nodes of a batch's graph, as a slow copy saw them; 0: none",
    ] = 0


@dataclasses.dataclass(frozen=True)
class MergeConfig:
    """How predefined and feature edges become one graph (`genurl_graph.graph.merge`)."""

    how: Annotated[str, "mix, union, or geodesic (shortest paths over both graphs)"] = "mix"
    cutoff: Annotated[Literal["auto"] | float, "longest geodesic; auto: two edges of median length"] = "auto"
    feature_weight: Annotated[float, "weight of a feature edge in P beside a predefined one of 1, >= 0"] = 0.3
    column_weight: Annotated[
        float,
        "weight in P of a node's edges to the columns of its features, all together, beside a predefined edge of 1; "
        "fades with the degree as feature edges do; for features >= 0, such as bags of words; 0: no such edges "
        "(genurl_graph.graph.bipartite)",
    ] = 0.0
    propagation_weight: Annotated[
        float, "weight of a feature edge in the graph that a GNN propagates over; 0: none there"
    ] = 0.0
    weighting: Annotated[
        Literal["given", "adaptive", "none"],
        "of given edges: given (their own weights), adaptive (as far as features bear them out, "
        "genurl_graph.graph.edge_reliability), or none (they do not count at all)",
    ] = "given"
    type_weights: Annotated[
        str, 'HeteroData: weights of relations against each other, such as "writes=2,cites=0.5"; 1 for all others'
    ] = ""


@dataclasses.dataclass(frozen=True)
class SimilarityConfig:
    """Calibration of the similarities P (`genurl_graph.graph.affinity`)."""

    perplexity: Annotated[Literal["auto"] | float, "effective number of neighbours, > 2; auto: n_neighbors"] = "auto"
    nu: Annotated[float, "degrees of freedom of the kernel of P, > 0; 100 is nearly Gaussian"] = 100.0
    among: Annotated[
        Literal["samples", "batch"],
        "distillation: neighbours among all samples, found once, or among those of each batch, found anew",
    ] = "samples"


@dataclasses.dataclass(frozen=True)
class ViewConfig:
    """Random views of the input, two a step (`genurl_graph.objectives.views`)."""

    drop_features: Annotated[float, "share of the features that a view leaves out, in [0, 1)"] = 0.0
    drop_edges: Annotated[float, "share of the edges that a view leaves out, in [0, 1)"] = 0.0
    drop_nodes: Annotated[
        float,
        "share of the nodes whose features a view hides from a GNN, in [0, 1); less where a node has few neighbours to "
        "stand in: times d / (1 + d), d its degree",
    ] = 0.0
    self_weight: Annotated[float, "weight in P of a node's pair with its own other view; 0: one view only"] = 0.0


@dataclasses.dataclass(frozen=True)
class ImageViewConfig:
    """Random views of images (`genurl_graph.objectives.views`)."""

    crop: Annotated[float, "least share of the area that is seen, in (0, 1]; 1: all of it"] = 1.0
    ratio: Annotated[float, "of the sides of that area: from this to its inverse, in (0, 1]"] = 0.75
    flip: Annotated[float, "probability of a mirrored image"] = 0.0
    jitter: Annotated[float, "largest change of brightness, contrast and saturation, as a share of each"] = 0.0
    hue: Annotated[float, "largest change of the hue, as a share of half the circle"] = 0.0
    grey: Annotated[float, "probability of a grey image"] = 0.0
    blur: Annotated[float, "probability of a blurred image"] = 0.0


@dataclasses.dataclass(frozen=True)
class EncoderConfig:
    """Network from nodes to embedding (`genurl_graph.nn.build`)."""

    name: Annotated[
        str,
        "graphs: gcn, sage, gat, gin, sign (in mini-batches) or mlp; vectors: free (a table of coordinates), mlp or "
        "linear; distillation and images: also cnn and resnet",
    ] = "gcn"
    normalize: Annotated[
        str,
        "input columns: auto, rows (sum 1), unit (rows of length 1), columns (standardised), none, or pca (of rows of "
        "unit length if neighbours are found by the cosine)",
    ] = "auto"
    dim: Annotated[int, "columns of the embedding"] = 2
    hidden: Annotated[int, "width of the hidden layers"] = 512
    layers: Annotated[int, "layers, the last one included"] = 2
    hops: Annotated[int, "sign: averages over the graph that it reads, beside the features themselves"] = 2
    memory_mb: Annotated[int, "sign: MiB of averaged features above which they are kept in a temporary file"] = 4096
    dropout: Annotated[float, "share of hidden units that a step leaves out, in [0, 1)"] = 0.0
    norm: Annotated[
        str, "batch normalisation: none, output (its columns only), hidden (layers only) or batch (both)"
    ] = "none"
    init: Annotated[
        str,
        "start of a free table: pca, spectral (eigenvectors of P) or random; of a network on components: pca or random",
    ] = "pca"
    anchors: Annotated[
        Literal["auto"] | int,
        "pictures by an mlp: places of a finished table of coordinates among which it chooses; 0: it learns "
        "coordinates by itself; auto: 1500, where a table can be had",
    ] = 0
    structure: Annotated[
        Literal["identity", "degree", "random_walk", "laplacian"],
        "input of nodes without features (genurl_graph.graph.structural_features): identity (one-hot) or laplacian; "
        "degree and random_walk are numbers that new graphs have, too",
    ] = "identity"
    structure_dim: Annotated[int, "steps of the walk, or eigenvectors"] = 16
    image: Annotated[
        str, "of rows of pixels that a cnn reads: HEIGHTxWIDTHxCHANNELS, or auto for square images; rows: no images"
    ] = "auto"
    momentum: Annotated[
        float, "images: share of its weights that the copy which finds neighbours keeps at every step, in [0, 1)"
    ] = 0.99


@dataclasses.dataclass(frozen=True)
class LossConfig:
    """Divergence between P and Q (`genurl_graph.losses`)."""

    name: Annotated[
        str,
        "gkl, kl, bce, huber, l2 or infonce; barlow with batches only; feature-l2, feature-cosine, rkd and seed in "
        "distillation only",
    ] = "gkl"
    gamma: Annotated[float, "weight of the repulsion; its best Q is P / gamma"] = 1.0
    scale: Annotated[
        Literal["auto", "profile"] | float,
        "factor of Q: a number, profile (the best one, as t-SNE has it), or auto, which the loss decides",
    ] = "auto"
    per: Annotated[str, "of the profile: global (one factor for all pairs) or row (one for each row)"] = "global"
    metric: Annotated[str, "distance of the embedding: euclidean (squared) or cosine"] = "euclidean"
    temperature: Annotated[float, "divides that distance, > 0"] = 1.0
    column_temperature: Annotated[float, "the same between nodes and feature columns (merge.column_weight)"] = 0.2
    nu: Annotated[float, "degrees of freedom of the kernel of Q, > 0; 1 is t-SNE's"] = 1.0
    exaggeration: Annotated[float, "factor of the attraction, > 0: more parts clusters, less keeps neighbourhoods"] = (
        1.0
    )
    offdiagonal: Annotated[float, "barlow: weight of the redundancy; the default is TLDR's"] = 3.9e-3
    projector: Annotated[int, "barlow and images: width of the projector that is trained along; 0: none"] = 0
    teacher_temperature: Annotated[float, "seed: of the teacher's distribution; the default is SEED's"] = 0.01
    queue: Annotated[int, "seed: features of earlier samples that are kept"] = 4096


@dataclasses.dataclass(frozen=True)
class SamplingConfig:
    """Sampled pairs that stand for all pairs (`genurl_graph.objectives.pair_sampling`)."""

    negatives: Annotated[
        str,
        "shared: the same columns for all rows; permuted: flat pairs, for few dimensions; all: every pair, for 1 or 2 "
        "dimensions (genurl_graph.objectives.all_pairs); auto: the last of these that can be had; batch: the pairs of "
        "a mini-batch (genurl_graph.objectives.mini_batch), for encoders that read each row alone, and for GNNs on "
        "graphs (genurl_graph.objectives.mini_batch)",
    ] = "shared"
    n_negatives: Annotated[
        Literal["auto"] | int, "sampled pairs of each node; auto: 512 shared, 20 permuted, all n - 1"
    ] = 512
    batch_size: Annotated[int, "nodes of a mini-batch, where there are batches, >= 2"] = 1024
    fanout: Annotated[
        str,
        "GNNs in batches: neighbours that are drawn for each node, of the batch first, then of these neighbours, and "
        "so on for each layer; the last number holds for further layers; -1: all",
    ] = "15,10"


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """The loop (`genurl_graph.training.loop`)."""

    epochs: Annotated[int, "passes over the data"] = 50
    lr: Annotated[
        Literal["auto"] | float,
        "step of Adam, > 0; auto: 1e-3 for networks; 1.5 for a table of coordinates, growing with sqrt(n) beyond "
        "10,000 as its extent does",
    ] = 1e-3
    schedule: Annotated[str, "of that step: constant, cosine or linear"] = "constant"
    precision: Annotated[
        Literal["float32", "bf16", "fp16"],
        "of the network's dense layers in training (genurl_graph.runtime.precision); fp16 on GPUs only; kernel, loss, "
        "weights and embedding are float32",
    ] = "float32"
    weight_decay: Annotated[float, "L2 penalty of Adam, >= 0"] = 0.0
    clip_norm: Annotated[float, "largest norm of the gradient; 0: not clipped"] = 0.0
    patience: Annotated[int, "epochs without a better loss before stopping; 0: never stops early"] = 0
    checkpoint_every: Annotated[int, "epochs between checkpoints"] = 10


def explanations(stage: type) -> dict[str, str]:
    """What each field of a stage means, by its name."""
    hints = get_type_hints(stage, include_extras=True)
    return {field.name: hints[field.name].__metadata__[0] for field in dataclasses.fields(stage)}
