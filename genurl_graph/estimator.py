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

    Predefined edges are merged with feature-space kNN edges, calibrated similarities P live on the merged graph, and
    an encoder is trained so that the similarities Q of its embedding have the smallest sparse general
    Kullback-Leibler divergence from P. The equations are reconstructed; see the documentation of each stage.

    Parameters
    ----------
    n_components : int, optional
        Columns d of the embedding. By default the preset's: 384 for graphs, 2 for vectors, up to 800 for whole graphs.
    task : "auto", "graph", "reduce", "distill", "images", "graphs", "temporal", "edges" or "triples"
        "auto": input with edges is a graph, a plain matrix is reduced; with a teacher, either is distilled; many graphs
        are "graphs": each gets a row; edges with a time are "temporal": each node gets a row for each window of time.
        "images": an encoder of images learns from random views of them. "edges": each edge gets a row. "triples": edges
        have types, and each of these gets a vector as well.
    encoder : "auto", "gcn", "sage", "gat", "gin", "gine", "gatv2", "mlp", "cnn", "resnet", "free", or nn.Module
        "auto": the preset's, a GCN for graphs, an embedding table for vectors, an MLP for distillation, a CNN for
        images, a GIN for whole graphs. A module, for distillation and images only, reads rows, or images if `X` is
        [n, c, h, w]; a copy is trained (`encoder_`).
    n_neighbors : int, optional
        Feature-space neighbours of each node. More make the layout more global. By default the preset's 15, or
        n - 1 if there are fewer nodes.
    metric : str or callable
        Of the feature space: "euclidean", "cosine", "manhattan", "correlation", "chebyshev", "hamming" (codes),
        "jaccard" (0 and 1), or a function of two rows, which no saved model keeps (`genurl_graph.graph.knn.knn`).
        "auto": the preset's. "precomputed": `X` holds distances, dense [n, n] or sparse, whose stored entries are then
        the neighbours (`genurl_graph.inputs.precomputed`); `transform` takes those of new samples, [m, n].
    epochs : int, optional
        Full-batch steps. By default the preset's.
    device : "auto", "cpu" or "cuda"
    random_state : int, RandomState, numpy.random.Generator or torch.Generator, optional
        Seed; a generator draws one at each fit and so moves on, None draws one from torch's global generator. It is
        kept in ``seed_``. On the CPU two fits with one seed and one number of threads, on one machine with the same
        libraries, agree bit for bit, in several threads of a process, too: each has generators of its own. A module of
        the user's, whose dropout knows torch's global generator alone, runs in one thread at a time.
    config : mapping or path, optional
        Any other parameter by its dotted name, ``{"loss.gamma": 0.5}``, or a TOML file (`genurl_graph.config`).
    verbose : bool
        Show a progress bar on stderr (only on a terminal).
    checkpoint : path, optional
        File that keeps the state of the training; Ctrl-C leaves it ready for `resume`. Beside it, under the suffix
        ``.neighbors``, lie the neighbours that were found.
    resume : bool
        Continue from `checkpoint`; neighbours that were found already are not searched again.
    deterministic : bool
        Compute on one thread, so that on the CPU the result does not depend on the number of threads either. Costs
        little for 2-d maps of some ten thousand samples, half the speed for the rest.
    scale : "auto" or bool, whether numbers are standardised; "auto": as ``input.scale`` of `config` says
    exaggeration : float, optional
        Factor of the attraction. Larger values make clusters denser, as a smaller ``min_dist`` of UMAP does;
        1 keeps the order of near neighbours best. By default the preset's (``loss.exaggeration``).
    init : "auto", "pca", "spectral", "random", or array, Tensor or DataFrame [n, d], optional
        Start of an embedding table. None or "auto": the preset's. Coordinates count for their layout, not their scale,
        which is made small; a DataFrame is matched by names, which are in its index.
    n_epochs : int, optional
        UMAP's name of `epochs`; one of the two may be given.
    windows : int or str, optional
        Of events with a time: how many windows of equally many events, or how long each is ("7d"). By default 20.

    Attributes
    ----------
    model_ : FittedModel
        All that the fit leaves behind; the other attributes are its parts.
    embedding_ : Tensor, float32, shape [n, d], on the CPU
        Of events: the time-invariant part of each node, the mean over its windows.
    trajectory_ : Trajectory
        Of events: a row for each node and window (`genurl_graph.inputs.temporal.Trajectory`).
    relation_embedding_, relation_id_ : Tensor, float32, shape [2 R, d]; list of str
        Of typed edges: a row for each relation, then one for each inverse, and what they are called.
    encoder_ : nn.Module
        The trained encoder; the copy of the user's own module, where one was given.
    config_ : Config, resolved
    task_, encoder_name_, device_, seed_, n_features_in_, n_iter_, n_parameters_
    loss_history_ : list of float
        Loss of each epoch, per unit of similarity.
    graph_ : MergedGraph
        Edges of P with weights and sources, on the CPU: ``to_scipy()``, ``to_networkx(model.node_id_)``, ``to_data()``
        (`genurl_graph.graph.merged.MergedGraph`). Of several processes the first has all of them, each other
        those of the nodes whose neighbours it draws.
    graph_summary_ : dict
        Undirected edges by source, components before and after the merge.
    seconds_ : dict, of the stages ``graph`` and ``train``
    mass_ : float, mean row sum of P
    node_id_ : array [n]
        Names of the nodes, or of whole graphs: ``pandas.DataFrame(model.embedding_, index=model.node_id_)``.
    reading_ : tuple of str
        What `X` was read as, what became of its columns, and what was left out.
    node_slices_, node_widths_ : dict or None
        Of ``HeteroData``: first row of each node type in ``embedding_``, and the one after its last; its features.
    feature_plan_ : FeaturePlan or None, what becomes of each raw column (`genurl_graph.inputs.columns.plan`)
    knn_backend_, knn_recall_
        Which search found the kNN edges, and its recall if it was approximate.

    Examples
    --------
    >>> embedding = GenURL(random_state=0).fit_transform(data)  # PyG Data with x and edge_index
    >>> coordinates = GenURL(n_components=2).fit_transform(vectors)  # NumPy [n, f]
    >>> model = GenURL(random_state=0).fit(molecules)  # a list of Data: a row each
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
            What `X` is, where it may be several things (`genurl_graph.inputs.reading.ReadOptions`): "edges", "vectors"
            or "adjacency"; ``{"weight": "count", "label": "segment"}``; whether edges of a table have a direction.
        teacher : array or Tensor [n, t], nn.Module, or a fitted model
            Whose similarities the embedding is to have, instead of those of `X`: see
            `genurl_graph.tasks.distillation.as_teacher`.
        init : fitted GenURL, array or Tensor [m, d], or DataFrame, optional
            A finished 2-d map that this one goes on from (`genurl_graph.tasks.continuation`): its samples stay about
            where they were, new ones join them. An array: of the first m rows of `X`. Others are matched by names
            (``node_id_``, the index of a DataFrame). ``merge.identity_weight`` says how far samples are held.
        callbacks : sequence of callables
            Called as ``callback(epoch, loss)`` after each epoch.

        Raises
        ------
        InputError
            Unsuitable input or parameter (a ``ValueError``).
        DivergenceError, ShortMemoryError
            The training met a non-finite number; a stage found no memory.
        KeyboardInterrupt
            On Ctrl-C, with the checkpoint (if one was asked for) on disk.
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
        """`fit`, then the embedding: an array, a Tensor for torch and PyG, a dictionary by node type for HeteroData."""
        model = self.fit(X, y, **fit_params).model_
        assert isinstance(model, TrainedModel)
        return self._named(as_given(model.embedding, model.kind, model.node_slices), X, self.node_id_)

    def transform(
        self, X: Any, *, as_: InputKind | None = None, columns: Columns = None, directed: bool | None = None
    ) -> Any:
        """Embed new nodes or vectors by the trained encoder.

        Parameters
        ----------
        X : as in `fit`
            With the same features, or without any if there were none and ``encoder.structure`` is "degree" or
            "random_walk". A GNN needs the edges of the new graph; an MLP looks at each row alone.
            kNN edges, where the GNN propagates over them (``merge.propagation_weight``), are searched anew. Whole
            graphs: many, or one; the row of a graph is the same, to the bit, whatever graphs come with it.
        as_, columns, directed
            As in `fit`; what was said there holds where nothing is said here.

        Returns
        -------
        array or Tensor, float32, shape [n, d]; a dictionary of them by node type for HeteroData
            Of events, which must be later than those of the fit, the `Trajectory` of their windows. Nodes have the
            numbers of the fit, new ones the numbers after these. The model stays as it is; `update` moves it on.

        Raises
        ------
        NotFittedError, InputError
            Not fitted; other features than in `fit`, or no edges for a GNN.

        Notes
        -----
        An embedding table puts a new sample beside its nearest fitted ones (`genurl_graph.inference.placement`): at the
        same coordinates whatever other samples are transformed with it. Of new triples each entity gets a row: one of
        the fit its own, a new one by its triples with those of the fit (`genurl_graph.inference.triples.new_entities`).
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
        The CNN reads rows of square images, or images [n, c, h, w]; GNNs need edges, no other does.
    data : as in `GenURL.fit`
    objective : str
        "gkl" or any other loss of `genurl_graph.losses`, or a baseline of `genurl_graph.objectives.distillation`:
        "feature-l2", "feature-cosine", "rkd", "seed".
    n_components : int, optional
        Columns of the student's embedding; by default 32, or those of a module.
    config, **options
        Other arguments of `GenURL`: ``epochs``, ``random_state``, ``device``, ...

    Returns
    -------
    GenURL
        Fitted.

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
