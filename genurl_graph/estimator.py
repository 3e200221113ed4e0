"""`GenURL`: the toolkit behind scikit-learn's interface."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from sklearn.utils.validation import check_is_fitted
from torch import nn

from genurl_graph.config import Config
from genurl_graph.config.choices import DeviceName, EncoderName, InputKind, LossName, TaskName
from genurl_graph.config.metrics import Distance, MetricName
from genurl_graph.exceptions import wrong
from genurl_graph.graph.edge_attributes import attributes_line
from genurl_graph.inference.fit import fit_model
from genurl_graph.inference.fitted import FittedAttributes, TrainedModel
from genurl_graph.inference.temporal.update import Updates
from genurl_graph.inference.transform import as_given, embed_new
from genurl_graph.inference.triples.completion import Completion
from genurl_graph.inputs.embeddings import read_embedding
from genurl_graph.inputs.hetero import weigh
from genurl_graph.inputs.reading import Columns, ReadOptions
from genurl_graph.runtime.devices import choose_device
from genurl_graph.runtime.random import RandomState
from genurl_graph.tasks.distillation import as_teacher
from genurl_graph.training.loop import Callback


class GenURL(FittedAttributes, Completion, Updates):
    """Unsupervised embedding of the nodes of a graph, of vectors, or of whole graphs, after GenURL (arXiv 2110.14553).

    Predefined edges are merged with kNN edges of the features, and similarities P are calibrated on the merged graph.
    An encoder is trained to minimise the sparse general Kullback-Leibler divergence between P and the similarities Q
    of its embedding. The equations are reconstructed; see the documentation of each stage.

    Parameters
    ----------
    n_components : int, optional
        Number of columns d of the embedding. By default 384 for graphs, 2 for vectors, up to 800 for whole graphs.
    task : "auto", "graph", "reduce", "distill", "images", "graphs", "temporal", "edges" or "triples"
        What gets a row. "graph": each node. "reduce": each row of a matrix. "distill": each sample, as similar as for a
        teacher. "images": each image. "graphs": each of many graphs. "temporal": each node in each window of time.
        "edges": each edge. "triples": each entity, and each relation gets a vector. "auto" decides by the input, but
        "images" have to be named, and "edges" or "triples" too where a plain graph would be possible.
    encoder : "auto", "gcn", "sage", "gat", "gin", "gine", "gatv2", "mlp", "cnn", "resnet", "free", or nn.Module
        "auto": a GCN for graphs, an embedding table for vectors, an MLP for distillation, a CNN for images, a GIN for
        whole graphs. You can pass your own module for distillation and images. It reads rows, or images if `X` is
        [n, c, h, w]; a copy of it is trained (`encoder_`).
    n_neighbors : int, optional
        Number of kNN edges of each node. More neighbours make the layout more global. By default, the preset decides
        (15 for graphs, 20 for 2-d maps); at most n - 1.
    metric : str or callable
        Distance between rows of features: "euclidean", "cosine", "manhattan", "correlation", "chebyshev", "hamming"
        (codes), "jaccard" (0 and 1), or a function of two rows, which is not saved (`genurl_graph.graph.knn.knn`).
        "auto": the preset decides. "precomputed": `X` holds distances, dense [n, n] or sparse; stored entries are then
        the neighbours (`genurl_graph.inputs.precomputed`), and `transform` takes those of new samples, [m, n].
    epochs : int, optional
        Passes over the data. By default, the preset decides.
    device : "auto", "cpu" or "cuda"
    random_state : int, RandomState, numpy.random.Generator or torch.Generator, optional
        Seed, stored in ``seed_``. A generator gives a new seed at each fit; None takes one from torch's global
        generator. On the CPU, fits with the same seed and number of threads agree bit for bit on the same machine with
        the same libraries, also if they run in several threads. (Your own module uses torch's global generator for
        dropout, so it runs in one thread at a time.)
    config : mapping or path, optional
        Any other parameter by its dotted name, ``{"loss.gamma": 0.5}``, or a TOML file (`genurl_graph.config`).
    verbose : bool
        Show a progress bar, on a terminal or in a notebook. The logger "genurl_graph" hears of each stage in any case.
    checkpoint : path, optional
        File for the state of the training, from which `resume` continues after Ctrl-C. The neighbours that were found
        are stored beside it, with the suffix ``.neighbors``.
    resume : bool
        Continue from `checkpoint`. Neighbours that were found are not searched again.
    deterministic : bool
        Compute on one thread, so that the result on the CPU does not depend on the number of threads. For 2-d maps of
        some ten thousand samples this costs little, otherwise half the speed.
    scale : "auto" or bool
        Whether numbers are standardised. "auto": as ``input.scale`` of `config` says.
    exaggeration : float, optional
        Factor of the attraction. Larger values make clusters denser, like a smaller ``min_dist`` in UMAP;
        1 best keeps the order of near neighbours. By default, the preset decides (``loss.exaggeration``).
    init : "auto", "pca", "spectral", "random", or array, Tensor or DataFrame [n, d], optional
        Initial embedding table. None or "auto": the preset decides. Only the layout of coordinates counts, not their
        scale. The rows of a DataFrame are matched by its index.
    n_epochs : int, optional
        Same as `epochs`, for users of UMAP. Set only one of the two.
    windows : int or str, optional
        For events with a time: the number of windows, each with about the same number of events, or their length
        ("7d"). By default 20.

    Attributes
    ----------
    model_ : FittedModel
        Everything that the fit has learned; the other attributes are its parts.
    embedding_ : Tensor, float32, shape [n, d], on the CPU
        For events: the time-invariant part of each node, which is the mean over its windows.
    trajectory_ : Trajectory
        For events: a row for each node and window (`genurl_graph.inputs.temporal.Trajectory`).
    relation_embedding_, relation_id_ : Tensor, float32, shape [2 R, d]; list of str
        For typed edges: a row for each relation, then one for each inverse, and their names.
    encoder_ : nn.Module
        The trained encoder, or the trained copy of your own module.
    config_ : Config, resolved
    task_, encoder_name_, device_, seed_, n_features_in_, n_iter_, n_parameters_
    loss_history_ : list of float
        Loss of each epoch, per unit of similarity.
    graph_ : MergedGraph
        Edges of P with weights and sources, on the CPU: ``to_scipy()``, ``to_networkx(model.node_id_)``, ``to_data()``
        (`genurl_graph.graph.merged.MergedGraph`). With several processes, the first holds all edges, and the others
        only those of the nodes whose neighbours they draw.
    graph_summary_ : dict
        Number of undirected edges by source, and of components before and after the merge.
    seconds_ : dict, of the stages ``graph`` and ``train``
    mass_ : float, mean row sum of P
    node_id_ : array [n]
        Ids of the nodes, or of whole graphs: ``pandas.DataFrame(model.embedding_, index=model.node_id_)``.
    reading_ : tuple of str
        How `X` was read, what happened to its columns, and what was left out.
    node_slices_, node_widths_ : dict or None
        For ``HeteroData``, of each node type: its rows in ``embedding_`` (first, last plus one); number of features.
    feature_plan_ : FeaturePlan or None
        What happens to each raw column (`genurl_graph.inputs.columns.plan`).
    knn_backend_, knn_recall_
        Which search found the kNN edges, and its recall if it was approximate.

    Examples
    --------
    >>> embedding = GenURL(random_state=0).fit_transform(data)  # PyG Data with x and edge_index
    >>> coordinates = GenURL(n_components=2).fit_transform(vectors)  # NumPy [n, f]
    >>> model = GenURL(random_state=0).fit(molecules)  # a list of Data, a row for each
    >>> model.transform(molecules[:1])
    """

    def __init__(
        self,
        n_components: int | None = None,
        task: Literal["auto", TaskName] = "auto",
        encoder: Literal["auto", EncoderName] | nn.Module = "auto",
        n_neighbors: int | None = None,
        metric: Literal["auto", MetricName, "precomputed"] | Distance = "auto",
        epochs: int | None = None,
        device: DeviceName = "auto",
        random_state: RandomState = None,
        config: Mapping[str, Any] | str | Path | None = None,
        verbose: bool = False,
        checkpoint: str | Path | None = None,
        resume: bool = False,
        deterministic: bool = False,
        scale: bool | Literal["auto"] = "auto",
        exaggeration: float | None = None,
        init: Any = None,
        n_epochs: int | None = None,
        windows: str | int | None = None,
    ) -> None:
        self.n_components = n_components
        self.task = task
        self.encoder = encoder
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.epochs = epochs
        self.device = device
        self.random_state = random_state
        self.config = config
        self.verbose = verbose
        self.checkpoint = checkpoint
        self.resume = resume
        self.deterministic = deterministic
        self.scale = scale
        self.exaggeration = exaggeration
        self.init = init
        self.n_epochs = n_epochs
        self.windows = windows

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        as_: InputKind | None = None,
        columns: Columns = None,
        directed: bool | None = None,
        teacher: Any = None,
        init: Any = None,
        callbacks: Sequence[Callback] = (),
    ) -> GenURL:
        """Learn the embedding of `X`; labels are not used.

        Parameters
        ----------
        X : Data, HeteroData, graph of networkx, igraph or DGL, DataFrame, list of pairs, array, sparse matrix or Tensor
            As in `genurl_graph.inputs.input.as_input` and, for HeteroData, `genurl_graph.inputs.hetero`. Many graphs,
            a list of Data or of networkx graphs, a PyG data set or a Batch, as in
            `genurl_graph.inputs.collection.convert.as_collection`.
        y : ignored
        as_, columns, directed
            How to read `X` if it is ambiguous (`genurl_graph.inputs.reading.ReadOptions`): "edges", "vectors" or
            "adjacency"; ``{"weight": "count", "label": "segment"}``; whether the edges of a table are directed.
        teacher : array or Tensor [n, t], nn.Module, or a fitted model
            The embedding learns the similarities of this teacher instead of those of `X`; see
            `genurl_graph.tasks.distillation.as_teacher`.
        init : fitted GenURL, array or Tensor [m, d], or DataFrame, optional
            A finished 2-d map to continue (`genurl_graph.tasks.continuation`): its samples stay about where they were,
            and new ones join them. An array belongs to the first m rows of `X`; otherwise rows are matched by name
            (``node_id_``, the index of a DataFrame). ``merge.identity_weight`` sets how firmly samples are held.
        callbacks : sequence of callables
            Called as ``callback(epoch, loss)`` after each epoch.

        Raises
        ------
        InputError
            Unsuitable input or parameter (a ``ValueError``).
        DivergenceError, ShortMemoryError
            The training met a non-finite number; a stage ran out of memory.
        KeyboardInterrupt
            On Ctrl-C, after the checkpoint was written (if you asked for one).
        """
        data = self._read(X, ReadOptions.of(as_, columns, directed=directed), teacher, init)
        if teacher is None and self.task == "distill":
            raise wrong("task distill", "no teacher", "fit(X, teacher=...)")
        device, seed = choose_device(self.device), self._seed()
        started = time.perf_counter()
        config = self._resolve(data, teacher)
        data = weigh(data, config.merge.type_weights)
        self.model_ = fit_model(
            data,
            config,
            seed,
            device,
            teacher=None if teacher is None else as_teacher(teacher, X, data),
            module=self.encoder if isinstance(self.encoder, nn.Module) else None,
            checkpoint=self.checkpoint,
            resume=self.resume,
            callbacks=callbacks,
            progress=self.verbose,
            deterministic=self.deterministic,
            started=started,
        )
        self.n_features_in_ = self.model_.n_features_in
        if "edge_attributes" in self.model_.graph_summary:
            self.reading_ += (attributes_line(self.model_.graph_summary["edge_attributes"]),)
        return self

    def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> Any:
        """Fit, and return the embedding: an array, a Tensor for torch and PyG, a dict by node type for HeteroData."""
        model = self.fit(X, y, **fit_params).model_
        assert isinstance(model, TrainedModel)
        return self._named(as_given(model.embedding, model.kind, model.node_slices), X, self.node_id_)

    def transform(
        self, X: Any, *, as_: InputKind | None = None, columns: Columns = None, directed: bool | None = None
    ) -> Any:
        """Embed new nodes, vectors or graphs with the trained encoder.

        Parameters
        ----------
        X : as in `fit`
            It must have the same features, or none if there were none and ``encoder.structure`` is "degree" or
            "random_walk". A GNN needs the edges of the new graph; an MLP reads each row alone. If the GNN propagates
            over kNN edges (``merge.propagation_weight``), they are searched again. Whole graphs: one or many; the row
            of a graph does not depend on the graphs that come with it.
        as_, columns, directed
            As in `fit`. What you leave out is taken from `fit`.

        Returns
        -------
        array or Tensor, float32, shape [n, d]; a dictionary of them by node type for HeteroData
            For events, which must be later than those of the fit, the `Trajectory` of their windows. Nodes keep their
            numbers, and new ones follow. The model does not change; `update` also continues the model.

        Raises
        ------
        NotFittedError, InputError
            Not fitted; other features than in `fit`, or no edges for a GNN.

        Notes
        -----
        An embedding table puts a new sample near its nearest fitted ones (`genurl_graph.inference.placement`); other
        samples in `X` do not change its coordinates. With triples, an entity of the fit keeps its row, and a new one
        is placed by its triples with those of the fit (`genurl_graph.inference.triples.new_entities`).
        """
        check_is_fitted(self)
        options = self._said(X, as_, columns, directed)
        z, names = embed_new(self.model_, self._features_of(X, options), options)
        return self._named(z, X, names)

    def resolve(
        self, X: Any, *, as_: InputKind | None = None, columns: Columns = None, directed: bool | None = None
    ) -> Config:
        """The configuration that `fit` would run with on `X`, without running it."""
        return self._resolve(self._input(X, ReadOptions.of(as_, columns, directed=directed)))


def distill(
    teacher: Any,
    student: EncoderName | nn.Module,
    data: Any,
    *,
    objective: LossName = "gkl",
    n_components: int | None = None,
    config: dict[str, Any] | None = None,
    **options: Any,
) -> GenURL:
    """Train a student, without labels, to have the same similarities between samples as its teacher.

    P holds the calibrated similarities between nearest neighbours of the teacher's features, Q those of the student's
    embedding, and the student minimises GKL(P || Q). Their numbers of columns may differ. This is
    ``GenURL(task="distill", encoder=student).fit(data, teacher=teacher)``.

    Parameters
    ----------
    teacher : array or Tensor [n, t], nn.Module, fitted model, or path
        Stored features, one row for each sample; a network, called batch by batch; a model with ``transform`` (such as
        a fitted `GenURL`), which is applied to `data`; or the path of features (.npy, .npz, .csv, ...) or of a folder
        written by `GenURL.save`.
    student : "mlp", "linear", "cnn", "gcn", "sage", "gat", "gin" or nn.Module
        The CNN reads rows of square images, or images [n, c, h, w]. Only GNNs need edges.
    data : as in `GenURL.fit`
    objective : str
        "gkl" or any other loss of `genurl_graph.losses`, or a baseline of `genurl_graph.objectives.distillation`:
        "feature-l2", "feature-cosine", "rkd", "seed".
    n_components : int, optional
        Columns of the student's embedding; by default 32, or those that a module has.
    config, **options
        Other arguments of `GenURL`: ``epochs``, ``random_state``, ``device``, ...

    Returns
    -------
    GenURL
        Fitted.

    Raises
    ------
    InputError
        As in `GenURL.fit`; also if teacher rows and samples differ in number, or teacher features are constant.

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
