"""Every parameter of a run, declared once: one frozen dataclass a stage.

The estimator, the command line (``--set loss.gamma=0.5``), the TOML presets and the file of resolved
parameters stored beside each result all read these classes; nothing else declares a default.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
import numbers
import tomllib
import types
from collections.abc import Callable, Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from genurl_graph.exceptions import InputError


@dataclasses.dataclass(frozen=True)
class NeighborConfig:
    """Feature-space kNN edges (`genurl_graph.neighbors`)."""

    n_neighbors: int = 15
    metric: str = "auto"  # auto: cosine for features >= 0 (bags of words, counts), else euclidean
    backend: str = "auto"
    memory_mb: int = 512
    pca: int = 0  # principal components kept before kNN; 0: all columns as they are
    hops: int = 0  # times the vectors are averaged over the given edges before kNN
    # Images: found in a batch by their features (pixels), by a slow copy of the encoder, or by both, at first by the
    # features, in the end by the encoder
    source: Literal["features", "encoder", "both"] = "features"


@dataclasses.dataclass(frozen=True)
class MergeConfig:
    """How predefined and feature edges become one graph (`genurl_graph.graph`)."""

    how: str = "mix"  # mix, union or geodesic
    cutoff: Literal["auto"] | float = "auto"  # longest geodesic; auto: two edges of median length
    feature_weight: float = 0.3  # weight of a feature edge in P beside a predefined one of 1
    propagation_weight: float = 0.0  # the same in the graph that a GNN propagates over; 0: none there
    # adaptive: given edges count as far as features bear them out (`genurl_graph.agreement`); none: not at all
    weighting: Literal["given", "adaptive", "none"] = "given"
    type_weights: str = (
        ""  # HeteroData: weights of relations against each other, "writes=2,cites=0.5"; 1 for all others
    )


@dataclasses.dataclass(frozen=True)
class SimilarityConfig:
    """Calibration of the similarities P (`genurl_graph.similarity`)."""

    perplexity: Literal["auto"] | float = "auto"  # effective number of neighbours; auto: n_neighbors
    nu: float = 100.0
    # Distillation: neighbours among all samples, found once, or among those of each batch, found anew
    among: Literal["samples", "batch"] = "samples"


@dataclasses.dataclass(frozen=True)
class ViewConfig:
    """Random views of the input, two a step (`genurl_graph.views`)."""

    drop_features: float = 0.0
    drop_edges: float = 0.0
    self_weight: float = 0.0  # weight in P of a node's pair with its own other view; 0: one view only


@dataclasses.dataclass(frozen=True)
class ImageViewConfig:
    """Random views of images (`genurl_graph.augment`)."""

    crop: float = 1.0  # least share of the area that is seen; 1: all of it
    ratio: float = 0.75  # of the sides of that area: from here to its inverse
    flip: float = 0.0  # probability of a mirrored image
    jitter: float = 0.0  # largest change of brightness, contrast and saturation, as a share of each
    hue: float = 0.0  # largest change of the hue, as a share of half the circle
    grey: float = 0.0  # probability of a grey image
    blur: float = 0.0  # probability of a blurred image


@dataclasses.dataclass(frozen=True)
class EncoderConfig:
    """Network from nodes to embedding (`genurl_graph.encoders`)."""

    name: str = "gcn"
    # input columns: auto, rows (sum 1), columns (standardised), none, or pca (of rows of unit length if neighbours are
    # found by the cosine)
    normalize: str = "auto"
    dim: int = 2
    hidden: int = 512
    layers: int = 2
    hops: int = 2  # sign: averages over the graph that it reads, beside the features themselves
    memory_mb: int = 4096  # sign: more than this of averaged features is kept in a temporary file
    dropout: float = 0.0
    norm: str = "none"  # batch normalisation: none, output (its columns only), hidden (layers only), batch (both)
    init: str = "pca"  # start of the free table, and of an MLP or linear map that reads components: pca or random
    # Input of nodes without features (`genurl_graph.structure`): one-hot, or numbers that new graphs have, too
    structure: Literal["identity", "degree", "random_walk", "laplacian"] = "identity"
    structure_dim: int = 16  # steps of the walk, or eigenvectors
    # Of rows of pixels that a cnn reads: HEIGHTxWIDTHxCHANNELS, or auto for square images; rows: no images
    image: str = "auto"
    momentum: float = 0.99  # images: share of its weights that the copy which finds neighbours keeps at every step


@dataclasses.dataclass(frozen=True)
class LossConfig:
    """Divergence between P and Q (`genurl_graph.losses`)."""

    name: str = "gkl"  # barlow: with batches only; feature-l2, feature-cosine, rkd, seed: distillation only
    gamma: float = 1.0
    scale: Literal["auto", "profile"] | float = "auto"
    per: str = "global"
    metric: str = "euclidean"  # distance of the embedding: euclidean (squared) or cosine
    temperature: float = 1.0  # divides that distance
    nu: float = 1.0
    exaggeration: float = 1.0  # factor of the attraction: more parts clusters, less keeps neighbourhoods
    offdiagonal: float = 3.9e-3  # barlow: weight of the redundancy; TLDR's
    projector: int = 0  # barlow and images: width of the projector that is trained along; 0: none
    teacher_temperature: float = 0.01  # seed: of the teacher's distribution; SEED's own value
    queue: int = 4096  # seed: features of earlier samples


@dataclasses.dataclass(frozen=True)
class SamplingConfig:
    """Sampled pairs that stand for all pairs (`genurl_graph.sampling`)."""

    # shared: the same columns for all rows; permuted: flat pairs, for few dimensions; all: every pair, for 1 or 2
    # dimensions (`genurl_graph.all_pairs`); auto: the last of these that can be had; batch: the pairs of a mini-batch
    # (`genurl_graph.batches`), for encoders that read each row alone
    negatives: str = "shared"
    n_negatives: Literal["auto"] | int = 512  # for each node; auto: 512 shared, 20 permuted, all n - 1
    batch_size: int = 1024


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """The loop (`genurl_graph.training`)."""

    epochs: int = 50
    # auto: 1e-3 for networks; 1.5 for a table of coordinates, growing with sqrt(n) beyond 10,000 as its extent does
    lr: Literal["auto"] | float = 1e-3
    schedule: str = "constant"  # constant | cosine | linear
    weight_decay: float = 0.0
    clip_norm: float = 0.0  # largest norm of the gradient; 0: not clipped
    patience: int = 0  # epochs without a better loss before stopping; 0: never stops early
    checkpoint_every: int = 10  # epochs between checkpoints


@dataclasses.dataclass(frozen=True)
class Config:
    """All stages of a run, resolved; `task` says which recipe reads them."""

    task: str = "graph"
    neighbors: NeighborConfig = NeighborConfig()
    merge: MergeConfig = MergeConfig()
    similarity: SimilarityConfig = SimilarityConfig()
    views: ViewConfig = ViewConfig()
    images: ImageViewConfig = ImageViewConfig()
    encoder: EncoderConfig = EncoderConfig()
    loss: LossConfig = LossConfig()
    sampling: SamplingConfig = SamplingConfig()
    training: TrainingConfig = TrainingConfig()

    def to_dict(self) -> dict[str, Any]:
        """Nested plain dictionary, as stored beside results."""
        return dataclasses.asdict(self)

    def override(self, values: Mapping[str, Any]) -> Config:
        """A copy with some values replaced.

        Parameters
        ----------
        values : mapping
            Dotted keys, ``{"loss.gamma": 0.5}``. Strings are converted to the type of the key.

        Raises
        ------
        InputError
            An unknown key (the nearest is named), or a value of the wrong type.
        """
        stages = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name != "task"}
        changes: dict[str, dict[str, Any]] = {}
        known = [f"{s}.{f.name}" for s, stage in stages.items() for f in dataclasses.fields(stage)]
        for key, value in values.items():
            if key == "task":
                if value != self.task:
                    raise InputError(f"config: task is {value!r} but this run's task is {self.task!r}")
                continue
            if key not in known:
                # The name without its stage is the commonest slip: "gamma" for "loss.gamma".
                near = [k for k in known if k.endswith(f".{key}")]
                near = near or difflib.get_close_matches(key, known, n=1, cutoff=0.5)
                hint = f"; did you mean {near[0]!r}?" if near else f"; expected one of {', '.join(known)}"
                raise InputError(f"config: unknown key {key!r}{hint}")
            stage, name = key.split(".")
            kind = get_type_hints(type(stages[stage]))[name]
            changes.setdefault(stage, {})[name] = _convert(key, value, kind)
        return dataclasses.replace(self, **{s: dataclasses.replace(stages[s], **c) for s, c in changes.items()})


def load_preset(task: str, *variants: str) -> Config:
    """Documented defaults of a task, ``presets/<task>.toml``; those of variants (``<task>-<variant>``) on top.

    Raises
    ------
    InputError
        Unknown task.
    """
    folder = resources.files("genurl_graph.presets")
    if not (folder / f"{task}.toml").is_file():
        raise InputError(f"task: unknown {task!r}; expected one of graph, reduce, distill, images")
    config = Config(task=task)
    for name in (f"{task}.toml", *(f"{task}-{variant}.toml" for variant in variants)):
        config = config.override(flatten(tomllib.loads((folder / name).read_text(encoding="utf-8"))))
    return config


def read_method(name: str) -> dict[str, Any] | None:
    """Dotted keys of a published method, ``presets/method-<name>.toml``; None if there is none."""
    file = resources.files("genurl_graph.presets") / f"method-{name}.toml"
    return flatten(tomllib.loads(file.read_text(encoding="utf-8"))) if file.is_file() else None


def read_toml(path: str | Path) -> dict[str, Any]:
    """Dotted keys of a TOML file.

    Raises
    ------
    InputError
        The file cannot be read or is not TOML.
    """
    try:
        return flatten(tomllib.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"config file {path}: {error}") from error


def flatten(tree: Mapping[str, Any]) -> dict[str, Any]:
    """``{"loss": {"gamma": 1}}`` to ``{"loss.gamma": 1}``."""
    out: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            out.update({f"{key}.{name}": leaf for name, leaf in value.items()})
        else:
            out[key] = value
    return out


def to_toml(config: Config) -> str:
    """The configuration as TOML that `read_toml` reads back."""
    lines = [f"task = {_literal(config.task)}"]
    for stage, values in config.to_dict().items():
        if isinstance(values, dict):
            lines += ["", f"[{stage}]"]
            lines += [f"{name} = {_literal(value)}" for name, value in values.items()]
    return "\n".join(lines) + "\n"


def _literal(value: str | float) -> str:
    # JSON escapes strings as TOML does.
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def parse_assignments(assignments: Iterable[str]) -> dict[str, str]:
    """``["loss.gamma=0.5"]`` (of ``--set``) to ``{"loss.gamma": "0.5"}``."""
    out: dict[str, str] = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise InputError(f"--set: found {text!r}; expected KEY=VALUE, such as loss.gamma=0.5")
        out[key.strip()] = value.strip()
    return out


def _convert(key: str, value: Any, kind: Any) -> Any:
    """`value` as `kind` (int, float, str, Literal or a union of them); bool, NaN and lossy conversions are refused."""
    if key == "merge.type_weights" and isinstance(value, Mapping):
        # A table in TOML, a dictionary in Python; PyG's relations are tuples.
        pairs = ((name if isinstance(name, str) else "__".join(name), weight) for name, weight in value.items())
        value = ",".join(f"{name}={weight}" for name, weight in pairs)
    options = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)
    names = []
    for option in options:
        if get_origin(option) is Literal:
            if value in get_args(option):
                return value
            names += [repr(choice) for choice in get_args(option)]
        elif option is str:
            if isinstance(value, str):
                return value
            names.append("a string")
        else:
            number = _number(value, option)
            if number is not None:
                return number
            names.append("a whole number" if option is int else "a finite number")
    raise InputError(f"config: {key} is {value!r}; expected {' or '.join(names)}")


def _number(value: Any, kind: Callable[[Any], int | float]) -> int | float | None:
    """`value`, a number or its text, as int or float; None if it is not one."""
    if isinstance(value, bool) or not isinstance(value, str | numbers.Real):
        return None
    try:
        number = kind(value)
    except (ValueError, OverflowError):
        return None
    if not math.isfinite(number) or (not isinstance(value, str) and number != value):
        return None
    return number
