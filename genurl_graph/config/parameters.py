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
        "scaling of number columns: columns (standardised robustly), none (unchanged), or auto (standardised if the "
        "table also has other kinds of columns, if columns have different units, or if a graph has fewer than 16 of "
        "them; never for images)",
    ] = "auto"
    text: Annotated[TextName, "text columns: drop (left out), or tfidf (words hashed to 256 columns)"] = "drop"
    hash_columns: Annotated[
        Literal["auto"] | Natural,
        "sparse features are hashed to this number of columns for encoders and principal axes; 0: not hashed; auto: "
        "32768 if there are more than 65536",
    ] = "auto"


@dataclasses.dataclass(frozen=True)
class NeighborConfig(Stage):
    """Feature-space kNN edges (`genurl_graph.graph.knn`)."""

    stage = "neighbors"
    n_neighbors: Annotated[Count, "number of kNN edges of each node, at most n - 1"] = 15
    metric: Annotated[
        Literal["auto", MetricName, "precomputed"] | OwnMetric,
        "distance between features, as in scikit-learn: euclidean, cosine, manhattan, correlation, chebyshev, hamming "
        "or jaccard; auto: cosine for bags of words and counts (many columns >= 0, mostly zero), and where it predicts "
        "the edges of a graph better than euclidean does, else euclidean; "
        "precomputed: the input holds distances; in Python also a function of two rows",
    ] = "auto"
    backend: Annotated[Backend, "neighbour search: exact, approximate, or auto (by the size of the data)"] = "auto"
    memory_mb: Annotated[Count, "memory of the search in MiB, on top of its input and its result"] = 512
    pca: Annotated[
        Literal["auto"] | Natural,
        "number of principal components used in the search; 0: all columns unchanged; auto: 50, or as many as explain "
        "60 % of the variance",
    ] = 0
    hops: Annotated[Natural, "how often vectors are averaged over the predefined edges before the search"] = 0
    source: Annotated[
        Literal["features", "encoder", "both"],
        "images: how neighbours in a batch are found: by features (pixels), by an EMA encoder, or by both (moving "
        "from features to the encoder)",
    ] = "features"
    queue: Annotated[
        Natural,
        "images: size of the memory bank, whose embeddings of earlier batches (by an EMA encoder) are further nodes "
        "in the graph of a batch; 0: none",
    ] = 0


@dataclasses.dataclass(frozen=True)
class MergeConfig(Stage):
    """How predefined and kNN edges become one graph (`genurl_graph.graph.merge`)."""

    stage = "merge"
    how: Annotated[How, "mix, union, or geodesic (shortest paths over both graphs)"] = "mix"
    cutoff: Annotated[Literal["auto"] | Positive, "longest geodesic; auto: twice the median edge length"] = "auto"
    feature_weight: Annotated[NonNegative, "weight of a kNN edge in P; a predefined edge has 1"] = 0.3
    column_weight: Annotated[
        NonNegative,
        "total weight in P of a node's edges to its feature columns, where a predefined edge has 1; falls with the "
        "degree as for kNN edges; for features >= 0, such as bags of words; 0: no such edges "
        "(genurl_graph.graph.bipartite)",
    ] = 0.0
    identity_weight: Annotated[
        NonNegative,
        "2-d maps that continue a finished one (init of fit): weight in P of the identity edge between a sample and "
        "its old position, as a share of the mean total weight of a row; 0: no such edges",
    ] = 0.2
    propagation_weight: Annotated[
        NonNegative, "weight of a kNN edge in the graph that a GNN propagates over; 0: none there"
    ] = 0.0
    propagation_power: Annotated[
        Annotated[float, Range("[1, inf)")],
        "with weighting adaptive: kNN edges weigh there (1 - edge reliability) (1 - its mean)^(this - 1)",
    ] = 1.0
    weighting: Annotated[
        Literal["given", "adaptive", "none"],
        "weights of predefined edges: given (their own), adaptive (times their reliability, measured by features, "
        "genurl_graph.graph.edge_reliability), or none (they are not used)",
    ] = "given"
    evidence: Annotated[
        Literal["auto", "none"] | Probability,
        "weight of the features beside the edges: auto (measured without labels, genurl_graph.graph.evidence), a "
        "number from 0 (not used) to 1 (in full), or none (in full, without measuring)",
    ] = "none"
    edge_attributes: Annotated[
        Literal["auto", "none"] | Probability,
        "graphs with edge attributes: how strongly these change edge weights: auto (fully, by half or not at all, as "
        "tests without labels show, genurl_graph.graph.edge_attributes), a number from 0 (not at all) to 1, or none "
        "(not at all, without tests)",
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
        "distillation: neighbours among all samples (found once), or among those of a batch (found for each batch)",
    ] = "samples"


@dataclasses.dataclass(frozen=True)
class EncoderConfig(Stage):
    """Network from nodes to embedding (`genurl_graph.nn.build`)."""

    stage = "encoder"
    name: Annotated[
        Literal[EncoderName, "module"],
        "graphs: gcn, sage, gat, gin, gine and gatv2 (which read edge attributes), sign (in mini-batches) or mlp; "
        "vectors: free (an embedding table), mlp, linear or factorized-linear; distillation and images: also cnn, "
        "resnet, or module (your own)",
    ] = "gcn"
    normalize: Annotated[
        Literal["auto", "rows", "unit", "columns", "pca", "none"],
        "input columns: auto, rows (sum 1), unit (rows of length 1), columns (standardised), none, or pca (of rows of "
        "unit length if neighbours are found by the cosine)",
    ] = "auto"
    dim: Annotated[Count, "number of columns of the embedding, including those of encoder.skip"] = 2
    skip: Annotated[
        Literal["auto"] | Natural,
        "graphs: number of columns with principal components of the features, beside the trained ones, and as many "
        "for each averaging step of the encoder (genurl_graph.nn.skip); auto: up to two thirds of dim in all, "
        "depending on feature consistency, and more if edges are unreliable; many graphs: largest number of "
        "components of their descriptors (genurl_graph.graph.descriptors)",
    ] = 0
    structure_columns: Annotated[
        Literal["auto"] | Natural,
        "graphs: number of columns with positions of the nodes, by where a random walk over the predefined edges stays "
        "(genurl_graph.graph.spectral); auto: up to a third of dim, depending on how well the structure predicts "
        "edges, and on whether the features predict them as well; for edges as rows, an eighth",
    ] = 0
    skip_deviation: Annotated[
        Positive,
        "standard deviation of the columns of skip (trained ones have 1), which is their weight in cosines and k-means",
    ] = 0.1
    structure_deviation: Annotated[Positive, "root mean square of the columns of structure_columns, likewise"] = 0.1
    hidden: Annotated[Count, "width of the hidden layers"] = 512
    layers: Annotated[Count, "number of layers, including the last one"] = 2
    hops: Annotated[Natural, "sign: number of averages over the graph that it reads beside the features"] = 2
    memory_mb: Annotated[Natural, "sign: averaged features above this size in MiB are kept in a temporary file"] = 4096
    dropout: Annotated[Share, "share of hidden units that are dropped in a step"] = 0.0
    norm: Annotated[
        Literal["none", "output", "hidden", "batch"],
        "batch normalisation: none, output (its columns only), hidden (layers only) or batch (both)",
    ] = "none"
    init: Annotated[
        Literal["pca", "spectral", "random", "given", "previous"],
        "start of an embedding table: pca, spectral (eigenvectors of P), random, given (your own coordinates, init of "
        "GenURL) or previous (a finished map, init of fit); start of a network on components: pca or random",
    ] = "pca"
    anchors: Annotated[
        Literal["auto"] | Natural,
        "2-d maps by an mlp: number of prototypes in a finished map among which it chooses; 0: it outputs coordinates "
        "directly; auto: 1500, if such a map is possible",
    ] = 0
    structure: Annotated[
        Literal["auto", Structure],
        "input for nodes without features (genurl_graph.graph.structural_features): identity (one-hot) or laplacian; "
        "roles, degree or random_walk, which also work for new graphs; both (one-hot, and roles for skip); auto: both "
        "for GNNs and roles for other encoders, but identity in HeteroData and beside features",
    ] = "identity"
    beside: Annotated[
        Literal["auto", "always", "never", "apart"],
        "graphs: whether that input is also used beside features: always; never; apart (the network reads it alone; "
        "features are components beside what it trains); auto: always if there are few features or their evidence "
        "(merge.evidence) is below 1, apart if it is undecided",
    ] = "never"
    pooling: Annotated[
        Pooling,
        "many graphs: how the nodes of a graph become one row; all: log(1 + sum), mean and max side by side",
    ] = "sum"
    structure_dim: Annotated[Count, "number of steps of the walk, or of eigenvectors"] = 16
    image: Annotated[
        str, "shape of images in rows of pixels: HEIGHTxWIDTHxCHANNELS, or auto for square images; rows: no images"
    ] = "auto"
    momentum: Annotated[Share, "images: share of its weights that the EMA encoder keeps in each step"] = 0.99


@dataclasses.dataclass(frozen=True)
class LossConfig(Stage):
    """Divergence between P and Q (`genurl_graph.losses`)."""

    stage = "loss"
    name: Annotated[
        LossName | str,  # one of the user's own, too: docs/extending.md
        "gkl, kl, bce, huber, l2 or infonce; barlow with batches only; feature-l2, feature-cosine, rkd and seed in "
        "distillation only",
    ] = "gkl"
    gamma: Annotated[Positive, "weight of the repulsion; the best Q is P / gamma"] = 1.0
    scale: Annotated[
        Literal["auto", "profile"] | Positive,
        "factor of Q: a number, profile (the best factor, as in t-SNE), or auto (the loss decides)",
    ] = "auto"
    per: Annotated[
        Literal["global", "row"], "for scale profile: global (one factor for all pairs) or row (one for each row)"
    ] = "global"
    metric: Annotated[Literal["euclidean", "cosine"], "distance in the embedding: euclidean (squared) or cosine"] = (
        "euclidean"
    )
    temperature: Annotated[Positive, "this distance is divided by it"] = 1.0
    column_temperature: Annotated[
        Positive, "the same for distances between nodes and feature columns (merge.column_weight)"
    ] = 0.2
    nu: Annotated[Positive, "degrees of freedom of the kernel of Q; 1 is t-SNE's"] = 1.0
    exaggeration: Annotated[
        Positive, "factor of the attraction: larger values separate clusters, smaller ones keep neighbourhoods"
    ] = 1.0
    early_exaggeration: Annotated[
        Positive, "the same in the first step, after which it falls; larger values join the parts of clusters"
    ] = 1.0
    early_share: Annotated[Probability, "share of the steps during which it falls; 0: none"] = 0.0
    late_exaggeration: Annotated[
        Literal["auto"] | Positive,
        "the same in the last steps; below 1 it fills holes inside clusters; auto: 0.5 from 10,000 samples on, closer "
        "to 1 for fewer",
    ] = 1.0
    late_share: Annotated[Probability, "share of these last steps; 0: none"] = 0.0
    offdiagonal: Annotated[NonNegative, "barlow: weight of the redundancy; the default is TLDR's"] = 3.9e-3
    projector: Annotated[
        Natural, "barlow and images: width of the projector, which is dropped after training; 0: none"
    ] = 0
    teacher_temperature: Annotated[
        Positive, "seed: temperature of the teacher's distribution; the default is SEED's"
    ] = 0.01
    queue: Annotated[Count, "seed: number of features of earlier samples that are kept"] = 4096


@dataclasses.dataclass(frozen=True)
class SamplingConfig(Stage):
    """Sampled pairs that stand for all pairs (`genurl_graph.objectives.pair_sampling`)."""

    stage = "sampling"
    negatives: Annotated[
        Literal["auto", "shared", "permuted", "all", "batch"],
        "shared: the same columns for all rows; permuted: flat pairs, for few dimensions; all: every pair, for 1 or 2 "
        "dimensions (genurl_graph.objectives.all_pairs); auto: the last of these that is possible; batch: the pairs "
        "of a mini-batch (genurl_graph.objectives.mini_batch), for encoders that read each row alone, and for GNNs on "
        "graphs",
    ] = "shared"
    n_negatives: Annotated[
        Literal["auto"] | Count,
        "sampled pairs of each node, 2 or more if shared; auto: 512 shared, 20 permuted, all n - 1",
    ] = 512
    batch_size: Annotated[Annotated[int, Range("[2, inf)")], "number of nodes in a mini-batch"] = 1024
    fanout: Annotated[
        str,
        "GNNs in batches: number of neighbours drawn for each node of the batch, then for each of these neighbours, "
        "and so on for each layer; the last number is used for further layers; -1: all",
    ] = "15,10"


@dataclasses.dataclass(frozen=True)
class TrainingConfig(Stage):
    """The loop (`genurl_graph.training.loop`)."""

    stage = "training"
    epochs: Annotated[Count, "number of passes over the data"] = 50
    lr: Annotated[
        Literal["auto"] | Positive,
        "learning rate of Adam; auto: 1e-3 for networks; for an embedding table 3 at 10,000 samples, growing with "
        "sqrt(n) like the map (if pairs are sampled, 1.5, and not less for fewer)",
    ] = 1e-3
    schedule: Annotated[
        Literal["constant", "cosine", "linear", "plateau"],
        "course of the learning rate: constant, cosine, linear, or plateau (constant in the first half, then linear "
        "to 0)",
    ] = "constant"
    beta1: Annotated[Share, "Adam: decay of the mean of the gradients"] = 0.9
    beta2: Annotated[Share, "Adam: decay of the mean of the squared gradients"] = 0.999
    precision: Annotated[
        Literal["float32", "bf16", "fp16"],
        "precision of the network's dense layers in training (genurl_graph.runtime.precision): float32, bf16, or fp16 "
        "on GPUs; kernel, loss, weights and embedding stay float32",
    ] = "float32"
    weight_decay: Annotated[NonNegative, "L2 penalty of Adam"] = 0.0
    clip_norm: Annotated[NonNegative, "gradients are clipped to this norm; 0: not clipped"] = 0.0
    patience: Annotated[Natural, "epochs without a better loss before stopping; 0: never stops early"] = 0
    tolerance: Annotated[
        Share,
        "training ends when the loss falls within 10 epochs by less than this share of its whole fall so far; 0: "
        "never; set to 0 if you set the epochs or a schedule",
    ] = 0.0
    checkpoint_every: Annotated[Count, "number of epochs between checkpoints"] = 10
