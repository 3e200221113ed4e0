"""A run that a test kills: squares of all partitions on a cluster, one after the other and slowly."""

import sys
from pathlib import Path

from genurl_graph.runtime.partitions import Store, run_stage
from genurl_graph.runtime.partitions.ray_cluster import RayCluster
from tests.runtime.partitions.work import square

if __name__ == "__main__":
    address, folder = sys.argv[1:]
    with RayCluster(address, workers=1) as launcher:
        run_stage(launcher, Store.of(Path(folder), 40, 8), "squares", square, ["square"], {}, 0.5)
