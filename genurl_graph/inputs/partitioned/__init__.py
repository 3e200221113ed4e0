"""A graph or vectors of any size as partitions of rows on disk: what `genurl-graph prepare` writes and others read."""

from genurl_graph.inputs.partitioned.blocks import Blocks
from genurl_graph.inputs.partitioned.manifest import Manifest
from genurl_graph.inputs.partitioned.prepared import Prepared
from genurl_graph.inputs.partitioned.tables import prepare_tables
from genurl_graph.inputs.partitioned.write import ROWS, write_prepared

__all__ = ["ROWS", "Blocks", "Manifest", "Prepared", "prepare_tables", "write_prepared"]
