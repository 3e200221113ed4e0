"""The protocol edges of GenURL and of what needs no training, in one process: of the user's own edges, too."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from genurl_graph.evaluation.edges.figures import FIXED, LABEL_READERS, REFERENCES
from genurl_graph.exceptions import wrong
from genurl_graph.experiments.edges.table import EdgeComparison, EdgeTable, earlier_of, embed_edges, judge_reader
from genurl_graph.experiments.environment import peak_mb
from genurl_graph.experiments.probe_table import REFERENCE, ComparedMethods
from genurl_graph.experiments.results import Cell
from genurl_graph.experiments.runs import Order, progress_bar
from genurl_graph.experiments.sources import Source

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

    from genurl_graph.inputs.edge_rows import EdgeSet


class EdgeRows(EdgeTable):
    """The table of one process, whose memory is that of all rows."""

    def columns(self) -> dict[str, Cell]:
        left_out = {"peak MB"} | ({"seconds"} if self.header.get("embedding") else set())
        return {title: cell for title, cell in super().columns().items() if title not in left_out}


class EdgeEvaluation(EdgeComparison):
    """GenURL, or the embedding of a file, beside the rows without training."""

    table = EdgeRows
    methods = (REFERENCE, *REFERENCES)

    def rows(self) -> list[str]:
        """Rows that these edges have."""
        return [name for name in self.methods if name != "raw" or self.data.x is not None]

    def _settings(self, method: str, model: dict[str, Any], changes: dict[str, Any] | None) -> dict[str, Any]:
        return {} if self.header.get("embedding") else super()._settings(method, model, changes)

    def run_here(
        self, results: ComparedMethods, model: dict[str, Any], quiet: bool, embedding: "Tensor | None" = None
    ) -> None:
        """Add the runs of all seeds; with an `embedding` [m, d] nothing is trained."""
        # Embeddings that no seed changes, and the seconds to them.
        options, fixed = self.options(REFERENCE, model), {} if embedding is None else {REFERENCE: (embedding, 0.0)}

        def figures(name: str, seed: int) -> dict[str, Any]:
            if name in LABEL_READERS:
                return judge_reader(name, self.judge, seed)
            z, seconds = fixed.get(name) or embed_edges(Order(name, (seed,), options, {}), self.data, seed)
            earlier = earlier_of(results, name) if name in fixed else None
            if name in FIXED:
                fixed[name] = z, seconds
            own = self.judge.embedding(z, seed, earlier)
            return {**own, "seconds": seconds, "peak_memory_mb": peak_mb()}

        with progress_bar(len(results.header["seeds"]), quiet) as shown:
            for seed in results.header["seeds"]:
                for name, found in [(name, figures(name, seed)) for name in results.runs]:
                    results.add(name, found)
                shown.update()


def stored_edges(path: Path, name: str, data: "EdgeSet") -> "Tensor":
    """The rows of a file in the order of the edges of a data set: by ends and keys where it has them.

    Parallel edges that no key tells apart stand in the order in which they came.

    Raises
    ------
    InputError
        As of `genurl_graph.inputs.edge_rows.files.read_edge_embedding`; rows of other edges.
    """
    import pandas as pd
    import torch

    from genurl_graph.inputs.edge_rows.files import ENDS, columns_of, read_edge_embedding

    found, own = read_edge_embedding(path), columns_of(data.edges)
    if len(found["embedding"]) != len(data):
        raise wrong(path, f"{len(found['embedding']):,} rows", f"{len(data):,}, the edges of data set {name}")
    names = [each for each in ENDS if each in found and each in own]
    if not names:
        return torch.from_numpy(found["embedding"])

    def index(columns: dict[str, Any]) -> "pd.MultiIndex":
        table = pd.DataFrame({each: columns[each].astype(str) for each in names})
        return pd.MultiIndex.from_frame(table.assign(repeat=table.groupby(names).cumcount()))

    order = index(found).get_indexer(index(own))
    if (order < 0).any():
        lacking = ", ".join(str(own[each][int((order < 0).argmax())]) for each in names)
        raise wrong(path, f"no row of the edge {lacking}", f"a row for each edge of data set {name}")
    return torch.from_numpy(found["embedding"][order])


def repeat_edges(stored: dict[str, Any], data: "EdgeSet", model: dict[str, Any], quiet: bool) -> dict[str, Any]:
    """The rows of the same table, now."""
    seeds = stored["seeds"][: len(stored["methods"][REFERENCE]["seconds"])]
    results = EdgeRows({**stored, "seeds": seeds}, stored["environment"], stored["configuration"], None)
    evaluation = EdgeEvaluation(Source(stored["dataset"], None), data, protocol=stored["protocol"])
    evaluation.judge_by(stored["blocks"])
    evaluation.run_here(results, model, quiet)
    return results.runs
