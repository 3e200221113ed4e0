"""Another prepared folder through a trained encoder, by partitions: no training, and no similarities P."""

from __future__ import annotations

from genurl_graph.exceptions import wrong
from genurl_graph.graph.edge_reliability import Measure, measure_consistency
from genurl_graph.graph.knn_edges import feature_space
from genurl_graph.inference.fitted import FittedModel
from genurl_graph.inputs.partitioned import Prepared
from genurl_graph.tasks.graph import settings_of_new
from genurl_graph.tasks.partitioned.resolve import ENCODERS
from genurl_graph.tasks.partitioned.sample import MOST_NODES, sample_input
from genurl_graph.tasks.partitioned.settings import RunSettings, checksum_of


def settings_of_transform(model: FittedModel, prepared: Prepared, most: int = MOST_NODES) -> RunSettings:
    """Settings by which a prepared folder goes through a model that was fitted on another graph.

    They are those of the model. Feature consistency, by which the edges of the new graph are judged, is measured on a
    sample of it (`sample_input`), as `genurl_graph.estimator.GenURL.transform` measures it on the graph.

    Parameters
    ----------
    model : FittedModel
        Of the graph task, with an encoder that reads each row alone; fitted by partitions or in memory.
    prepared : Prepared
    most : int
        Nodes of the sample, at most.

    Raises
    ------
    InputError
        Another task, encoder or number of features.
    """
    c = model.config
    if c.task != "graph" or c.encoder.name not in ENCODERS:
        found = f"task {c.task}, encoder {c.encoder.name}"
        raise wrong("model for a prepared folder", found, f"task graph with one of {', '.join(ENCODERS)}")
    if prepared.num_features != model.n_features:
        expected = f"{model.n_features}, as of the model (prepare --like FOLDER, that of the model, makes them alike)"
        raise wrong(f"transform: {prepared.store.path}", f"{prepared.num_features} features", expected)
    weight = model.statistics.get("weight")
    data = sample_input(prepared, most)._replace(column_weight=weight)
    config = settings_of_new(c, prepared.num_nodes)
    judged = config.merge.weighting == "adaptive"
    return RunSettings(
        config=config,
        seed=model.seed,
        column_weight=weight,
        consistency=measure_consistency(data, config.neighbors.metric) if judged else Measure(0.5, 0.0),
        projection=feature_space(data, config, model.seed).projection if config.neighbors.pca else None,
        statistics={key: value for key, value in model.statistics.items() if key != "weight"},
        told={"n_sample": data.num_nodes},
        asked={},
        prepared=checksum_of(prepared),
    )
