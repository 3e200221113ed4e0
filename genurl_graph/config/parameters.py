"""Every parameter of a run, declared once: one frozen dataclass a stage, each field with its type, range and meaning.

The annotation is the one source: values are checked against it when a stage is made (`genurl_graph.config.fields`), and
``genurl-graph config`` prints it. Presets (``presets/*.toml``) overrule these defaults for a task. Views have a file of
their own, `genurl_graph.config.views`.
"""

from __future__ import annotations

import dataclasses
from typing import Annotated, Literal

from genurl_graph.config.choices import (
    Backend,
    EncoderName,
    How,
    LossName,
    Pooling,
    ScaleName,
    Structure,
    TextName,
)
from genurl_graph.config.fields import (
    Count,
    Natural,
    NonNegative,
    Positive,
    Probability,
    Range,
    Share,
    Stage,
)
from genurl_graph.config.metrics import MetricName, OwnMetric


@dataclasses.dataclass(frozen=True)
class InputConfig(Stage):
    """What becomes of the columns of the features (`genurl_graph.inputs.columns`)."""

    stage = "input"
    scale: Annotated[
        ScaleName,
        "numbers: columns (standardised robustly), none (as they are), or auto: standardised in tables with columns of "
        "other kinds, where columns are in different units, and beside edges if they are fewer than 16; never images",
    ] = "auto"
    text: Annotated[TextName, "columns of text: drop (left out), or tfidf (words hashed to 256 columns)"] = "drop"
    hash_columns: Annotated[
        Literal["auto"] | Natural,
        "sparse features: columns that they are hashed to for an encoder and for principal axes; 0: none; auto: 32768 "
        "where there are more than 65536",
    ] = "auto"


@dataclasses.dataclass(frozen=True)
class NeighborConfig(Stage):
    """Feature-space kNN edges (`genurl_graph.graph.knn`)."""

    stage = "neighbors"
    n_neighbors: Annotated[Count, "nearest neighbours of each node in feature space, at most n - 1"] = 15
    metric: Annotated[
        Literal["auto", MetricName, "precomputed"] | OwnMetric,
        "distance of the features, as in scikit-learn: euclidean, cosine, manhattan, correlation, chebyshev, hamming "
        "or jaccard; auto: cosine for bags of words and counts (many columns >= 0, mostly zero), else euclidean; "
        "precomputed: the input holds distances; in Python also a function of two rows",
    ] = "auto"
    backend: Annotated[Backend, "search: exact, approximate, or auto, which chooses by the size"] = "auto"
    memory_mb: Annotated[Count, "MiB that the search may take beside its input and its result"] = 512
    pca: Annotated[
        Literal["auto"] | Natural,
        "principal components that are kept before the search; 0: all columns as they are; auto: 50, or as many as "
        "hold 60 % of the variance",
    ] = 0
    hops: Annotated[Natural, "times that vectors are averaged over the given edges before the search"] = 0
    source: Annotated[
        Literal["features", "encoder", "both"],
        "images: neighbours in a batch are found by features (pixels), by an EMA encoder, or by both, at first by the "
        "features and in the end by the encoder",
    ] = "features"
    queue: Annotated[
        Natural,
        "images: size of the memory bank, which holds embeddings of earlier batches by an EMA encoder as further nodes "
        "of a batch's graph; 0: none",
    ] = 0


@dataclasses.dataclass(frozen=True)
class MergeConfig(Stage):
    """How predefined and kNN edges become one graph (`genurl_graph.graph.merge`)."""

    stage = "merge"
    how: Annotated[How, "mix, union, or geodesic (shortest paths over both graphs)"] = "mix"
    cutoff: Annotated[Literal["auto"] | Positive, "longest geodesic; auto: two edges of median length"] = "auto"
    feature_weight: Annotated[NonNegative, "weight of a kNN edge in P beside a predefined one of 1"] = 0.3
    column_weight: Annotated[
        NonNegative,
        "weight in P of a node's edges to the columns of its features, all together, beside a predefined edge of 1; "
        "fades with the degree as kNN edges do; for features >= 0, such as bags of words; 0: no such edges "
        "(genurl_graph.graph.bipartite)",
    ] = 0.0
    identity_weight: Annotated[
        NonNegative,
        "2-d maps that go on from a finished one (init of fit): weight in P of the identity edge that joins a sample "
        "with where it was, as a share of the mean total weight of a row; 0: no such edges",
    ] = 0.2
    propagation_weight: Annotated[
        NonNegative, "weight of a kNN edge in the graph that a GNN propagates over; 0: none there"
    ] = 0.0
    propagation_power: Annotated[
        Positive, "with weighting adaptive: power of what edges lack in reliability, by which kNN edges weigh there"
    ] = 1.0
    weighting: Annotated[
        Literal["given", "adaptive", "none"],
        "of given edges: given (their own weights), adaptive (as far as features bear them out, "
        "genurl_graph.graph.edge_reliability), or none (they do not count at all)",
    ] = "given"
    evidence: Annotated[
        Literal["auto", "none"] | Probability,
        "how far features count beside the edges: auto (as far as they are shown, without labels, to tell something, "
        "genurl_graph.graph.evidence), a number from 0 (not at all) to 1, or none (in full, nothing is "
        "measured)",
    ] = "none"
    edge_attributes: Annotated[
        Literal["auto", "none"] | Probability,
        "graphs whose edges have attributes: how far these weight the edges: auto (in full or by half, if they are "
        "shown, without labels, to tell close from less close ends and to make held-out edges easier to find, "
        "genurl_graph.graph.edge_attributes; else not), a number from 0 (not at all) to 1, or none (nothing is "
        "measured)",
    ] = "none"
    type_weights: Annotated[
        str, 'HeteroData: weights of relations against each other, such as "writes=2,cites=0.5"; 1 for all others'
    ] = ""


@dataclasses.dataclass(frozen=True)
class SimilarityConfig(Stage):
    """Calibration of the similarities P (`genurl_graph.graph.affinity`)."""

    stage = "similarity"
    perplexity: Annotated[
        Literal["auto"] | Annotated[float, Range("(2, inf)")], "effective number of neighbours; auto: n_neighbors"
    ] = "auto"
    nu: Annotated[Positive, "degrees of freedom of the kernel of P; 100 is nearly Gaussian"] = 100.0
    among: Annotated[
        Literal["samples", "batch"],
        "distillation: neighbours among all samples, found once, or among those of each batch, found anew",
    ] = "samples"


@dataclasses.dataclass(frozen=True)
class EncoderConfig(Stage):
    """Network from nodes to embedding (`genurl_graph.nn.build`)."""

    stage = "encoder"
    name: Annotated[
        Literal[EncoderName, "module"],
        "graphs: gcn, sage, gat, gin, gine and gatv2 (which read edge attributes), sign (in mini-batches) or mlp; "
        "vectors: free (an embedding table), mlp, linear or factorized-linear; distillation and images: also cnn and "
        "resnet, or module, the user's own",
    ] = "gcn"
    normalize: Annotated[
        Literal["auto", "rows", "unit", "columns", "pca", "none"],
        "input columns: auto, rows (sum 1), unit (rows of length 1), columns (standardised), none, or pca (of rows of "
        "unit length if neighbours are found by the cosine)",
    ] = "auto"
    dim: Annotated[Count, "columns of the embedding, those of encoder.skip included"] = 2
    skip: Annotated[
        Literal["auto"] | Natural,
        "graphs: columns of the embedding that hold principal components of the features, and as many again of their "
        "average over each number of steps of the encoder, beside the trained ones (genurl_graph.nn.skip); auto: up to "
        "two thirds of dim for all of them, as far as features are consistent, and more where edges are unreliable; "
        "collections of graphs: components of their descriptors (genurl_graph.graph.descriptors), at most",
    ] = 0
    structure_columns: Annotated[
        Literal["auto"] | Natural,
        "graphs: columns of the embedding that a second network learns from the given edges alone; auto: up to a third "
        "of dim, as far as the structure predicts edges better than the features do; of edges, an eighth",
    ] = 0
    structure_by: Annotated[
        Literal["network", "walk"],
        "graphs: what makes these columns: the second network, or walk (positions by where a random walk stays, "
        "genurl_graph.graph.spectral), which nothing is trained for",
    ] = "network"
    skip_deviation: Annotated[
        Positive,
        "standard deviation of the columns of skip and structure_columns, where the others have 1: their weight in "
        "cosines and k-means",
    ] = 0.1
    hidden: Annotated[Count, "width of the hidden layers"] = 512
    layers: Annotated[Count, "layers, the last one included"] = 2
    hops: Annotated[Natural, "sign: averages over the graph that it reads, beside the features themselves"] = 2
    memory_mb: Annotated[Natural, "sign: MiB of averaged features above which they are kept in a temporary file"] = 4096
    dropout: Annotated[Share, "share of hidden units that a step leaves out"] = 0.0
    norm: Annotated[
        Literal["none", "output", "hidden", "batch"],
        "batch normalisation: none, output (its columns only), hidden (layers only) or batch (both)",
    ] = "none"
    init: Annotated[
        Literal["pca", "spectral", "random", "given", "previous"],
        "start of an embedding table: pca, spectral (eigenvectors of P), random, given (coordinates of the user's own, "
        "init of GenURL) or previous (a finished map, init of fit); of a network on components: pca or random",
    ] = "pca"
    anchors: Annotated[
        Literal["auto"] | Natural,
        "2-d maps by an mlp: prototypes in a finished map among which it chooses; 0: it learns coordinates by itself; "
        "auto: 1500, where such a map can be had",
    ] = 0
    structure: Annotated[
        Literal["auto", Structure],
        "input of nodes without features (genurl_graph.graph.structural_features): identity (one-hot) or laplacian; "
        "roles, degree and random_walk are numbers that new graphs have, too; both: one-hot, and roles for skip; auto: "
        "both for GNNs and roles for other encoders, but identity in HeteroData and beside features",
    ] = "identity"
    beside: Annotated[
        Literal["auto", "always", "never"],
        "graphs: whether that input stands beside features, too: always, never, or auto: where they are few, or no "
        "full evidence (merge.evidence)",
    ] = "never"
    pooling: Annotated[
        Pooling,
        "collections of graphs: how the nodes of a graph become one row; all: log(1 + sum), mean and max side by side",
    ] = "sum"
    structure_dim: Annotated[Count, "steps of the walk, or eigenvectors"] = 16
    image: Annotated[
        str, "of rows of pixels that a cnn reads: HEIGHTxWIDTHxCHANNELS, or auto for square images; rows: no images"
    ] = "auto"
    momentum: Annotated[Share, "images: share of its weights that the EMA encoder keeps at every step"] = 0.99


@dataclasses.dataclass(frozen=True)
class LossConfig(Stage):
    """Divergence between P and Q (`genurl_graph.losses`)."""

    stage = "loss"
    name: Annotated[
        LossName | str,  # one of the user's own, too: docs/extending.md
        "gkl, kl, bce, huber, l2 or infonce; barlow with batches only; feature-l2, feature-cosine, rkd and seed in "
        "distillation only",
    ] = "gkl"
    gamma: Annotated[Positive, "weight of the repulsion; its best Q is P / gamma"] = 1.0
    scale: Annotated[
        Literal["auto", "profile"] | Positive,
        "factor of Q: a number, profile (the best one, as t-SNE has it), or auto, which the loss decides",
    ] = "auto"
    per: Annotated[
        Literal["global", "row"], "of the profile: global (one factor for all pairs) or row (one for each row)"
    ] = "global"
    metric: Annotated[Literal["euclidean", "cosine"], "distance of the embedding: euclidean (squared) or cosine"] = (
        "euclidean"
    )
    temperature: Annotated[Positive, "divides that distance"] = 1.0
    column_temperature: Annotated[Positive, "the same between nodes and feature columns (merge.column_weight)"] = 0.2
    nu: Annotated[Positive, "degrees of freedom of the kernel of Q; 1 is t-SNE's"] = 1.0
    exaggeration: Annotated[
        Positive, "factor of the attraction: larger values separate clusters, smaller ones keep neighbourhoods"
    ] = 1.0
    early_exaggeration: Annotated[
        Positive, "the same in the first step, from which it falls: more joins what belongs together"
    ] = 1.0
    early_share: Annotated[Probability, "share of the steps over which it falls; 0: none"] = 0.0
    late_exaggeration: Annotated[
        Literal["auto"] | Positive,
        "the same in the last steps: below 1 it fills holes inside clusters; auto: 0.5 from 10,000 samples on, nearer "
        "1 for fewer",
    ] = 1.0
    late_share: Annotated[Probability, "share of these steps; 0: none"] = 0.0
    offdiagonal: Annotated[NonNegative, "barlow: weight of the redundancy; the default is TLDR's"] = 3.9e-3
    projector: Annotated[Natural, "barlow and images: width of the projector that is trained along; 0: none"] = 0
    teacher_temperature: Annotated[Positive, "seed: of the teacher's distribution; the default is SEED's"] = 0.01
    queue: Annotated[Count, "seed: features of earlier samples that are kept"] = 4096


@dataclasses.dataclass(frozen=True)
class SamplingConfig(Stage):
    """Sampled pairs that stand for all pairs (`genurl_graph.objectives.pair_sampling`)."""

    stage = "sampling"
    negatives: Annotated[
        Literal["auto", "shared", "permuted", "all", "batch"],
        "shared: the same columns for all rows; permuted: flat pairs, for few dimensions; all: every pair, for 1 or 2 "
        "dimensions (genurl_graph.objectives.all_pairs); auto: the last of these that can be had; batch: the pairs of "
        "a mini-batch (genurl_graph.objectives.mini_batch), for encoders that read each row alone, and for GNNs on "
        "graphs",
    ] = "shared"
    n_negatives: Annotated[
        Literal["auto"] | Count,
        "sampled pairs of each node, 2 or more if shared; auto: 512 shared, 20 permuted, all n - 1",
    ] = 512
    batch_size: Annotated[Annotated[int, Range("[2, inf)")], "nodes of a mini-batch, where there are batches"] = 1024
    fanout: Annotated[
        str,
        "GNNs in batches: neighbours that are drawn for each node, of the batch first, then of these neighbours, and "
        "so on for each layer; the last number holds for further layers; -1: all",
    ] = "15,10"


@dataclasses.dataclass(frozen=True)
class TrainingConfig(Stage):
    """The loop (`genurl_graph.training.loop`)."""

    stage = "training"
    epochs: Annotated[Count, "passes over the data"] = 50
    lr: Annotated[
        Literal["auto"] | Positive,
        "step of Adam; auto: 1e-3 for networks; for an embedding table 3 at 10,000 samples, with sqrt(n) as its "
        "extent grows (1.5, and not less for fewer, where pairs are sampled)",
    ] = 1e-3
    schedule: Annotated[
        Literal["constant", "cosine", "linear", "plateau"],
        "of that step: constant, cosine, linear, or plateau (constant over the first half, then linear to 0)",
    ] = "constant"
    beta1: Annotated[Share, "Adam: decay of the mean of the gradients"] = 0.9
    beta2: Annotated[Share, "Adam: decay of the mean of their squares"] = 0.999
    precision: Annotated[
        Literal["float32", "bf16", "fp16"],
        "of the network's dense layers in training (genurl_graph.runtime.precision): float32, bf16, or fp16 on GPUs; "
        "kernel, loss, weights and embedding are float32",
    ] = "float32"
    weight_decay: Annotated[NonNegative, "L2 penalty of Adam"] = 0.0
    clip_norm: Annotated[NonNegative, "largest norm of the gradient; 0: not clipped"] = 0.0
    patience: Annotated[Natural, "epochs without a better loss before stopping; 0: never stops early"] = 0
    tolerance: Annotated[
        Share,
        "smallest part of its fall so far that the loss must fall by within 10 epochs, else the training ends; "
        "0: never; epochs that are asked for, or a schedule, set it to 0",
    ] = 0.0
    checkpoint_every: Annotated[Count, "epochs between checkpoints"] = 10
