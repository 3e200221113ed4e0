"""What ``genurl-graph evaluate`` reads of an embedding by partition."""

from pathlib import Path
from typing import TYPE_CHECKING

from genurl_graph.cli.partitioned.embed import check_words, is_folder
from genurl_graph.exceptions import wrong
from genurl_graph.experiments.sources import Source

if TYPE_CHECKING:
    from torch import Tensor
    from torch_geometric.data import Data


def sampled_rows(embedding: Path, source: Source, full: bool) -> "tuple[Tensor, Data, str, str]":
    """Rows of an embedding by partition, the data of the same nodes, what these are called, and which rows they are.

    InputError where the source is not the prepared folder that was embedded; without one, that one is read.
    """
    import torch

    from genurl_graph.inference.partitioned.output import Output
    from genurl_graph.inference.partitioned.sampled import MOST_ROWS, sampled_data
    from genurl_graph.inputs.partitioned import Prepared

    check_words(source)
    if source.dataset is not None:
        raise wrong("--dataset", "an embedding by partition", "--input FOLDER, or neither: it knows what it is of")
    output = Output.open(embedding)
    folder = Path(output.record["prepared"]) if source.own is None else source.own
    if not is_folder(folder):
        raise wrong(folder, "no prepared folder", f"the one that {embedding} is of (name it by --input)")
    prepared = Prepared.open(folder)
    if list(prepared.store.bounds) != output.record["bounds"]:
        found = f"{prepared.num_nodes:,} nodes (partitions: {prepared.store.count:,})"
        expected = f"those of {embedding}: {output.num_nodes:,} ({len(output.record['bounds']) - 1:,})"
        raise wrong(folder, found, expected)
    data = sampled_data(prepared, None if full else MOST_ROWS)
    rows = output.rows(data.num_nodes)
    if rows["node_id"][:1].tolist() != prepared.ids(0)[:1].tolist():
        raise wrong(folder, f"the node {prepared.ids(0)[0]!r} first", f"{rows['node_id'][0]!r}, as in {embedding}")
    told = f"the first {data.num_nodes:,} of {output.num_nodes:,} rows, a random sample; --full uses all"
    told = told if data.num_nodes < output.num_nodes else f"all {data.num_nodes:,} rows"
    return torch.from_numpy(rows["embedding"]), data, folder.name, told
