"""Arrays too large for one process: kept in partitions of rows, worked on partition by partition by a launcher."""

from genurl_graph.runtime.partitions.launcher import Launcher, OneProcess, Worked
from genurl_graph.runtime.partitions.stage import run_stage
from genurl_graph.runtime.partitions.store import Store

__all__ = ["Launcher", "OneProcess", "Store", "Worked", "run_stage"]
