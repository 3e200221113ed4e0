"""The 2-d map of the entities of typed edges, with as many of their names as there is room for."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genurl_graph.estimator import GenURL
    from genurl_graph.inputs.triples import TripleSet


def draw_entities(path: Path, name: str, estimator: "GenURL", data: "TripleSet") -> dict[str, Path]:
    """Draw entities, the names of those with most triples first; the file by what it shows."""
    import torch

    from genurl_graph.experiments.sources import named_labels
    from genurl_graph.inference.drawing import as_map
    from genurl_graph.plotting import PLOT_SUFFIXES, scatter
    from genurl_graph.plotting.canvas import save_figure
    from genurl_graph.plotting.names import write_names
    from genurl_graph.runtime.files import check_output

    target, z, n = check_output(path, PLOT_SUFFIXES), estimator.embedding_, data.num_nodes
    points, how = as_map(z, estimator.seed_)
    told = f"{n:,} entities, {data.triples.num_relations:,} relations, seed {estimator.seed_}"
    axes = scatter(points, named_labels(data), title=name, subtitle=f"{told}; {how}" if how else told)
    degree = torch.bincount(torch.cat([data.triples.head, data.triples.tail]), minlength=n)
    ids: Any = range(n) if data.entity_id is None else data.entity_id
    write_names(axes, points, ids, degree)
    save_figure(axes.figure, target)
    return {"plot": path}
