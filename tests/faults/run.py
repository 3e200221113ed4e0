"""Faults on purpose, and what happened: a Markdown table. Exit code 1 if anything else happened than should.

    python tests/faults/run.py --kills 50 > faults.md

Needs Linux. As root a small disk is mounted for a full and a read-only one; else there are substitutes.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path

# Before torch: forked processes must not inherit threads, and results are compared bit for bit.
os.environ["OMP_NUM_THREADS"] = "1"
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

import files  # noqa: E402
import kills  # noqa: E402
import machine  # noqa: E402


def faults(scratch: Path, count: int, rng: random.Random) -> dict[str, Callable[[], str]]:
    """Each fault by its name; all return what happened, or raise."""
    from conftest import write_blocks

    root = write_blocks(scratch / "data")
    kills.write_graph(scratch)
    share = {"embed": -(-count // 2), "ogb": count // 4}
    share["compare"] = count - sum(share.values())
    on_ogb = (*kills.OGB, "--data-root", root)
    return {
        "kill -9, `embed`": partial(kills.kill_and_resume, kills.EMBED, share["embed"], rng, scratch),
        "kill -9 at renames, `embed`": partial(kills.at_every_rename, scratch),
        "kill -9, `compare`": partial(
            kills.kill_and_resume, kills.COMPARE, share["compare"], rng, scratch, kills.forking
        ),
        "kill -9, `ogb`": partial(kills.kill_and_resume, on_ogb, share["ogb"], rng, scratch),
        "full disk": partial(files.full_disk, scratch),
        "read-only folder": partial(files.read_only, scratch),
        "truncated checkpoint": partial(files.damaged_checkpoint, scratch, files.cut, "cut"),
        "flipped bit in a checkpoint": partial(files.damaged_checkpoint, scratch, files.flip, "flip"),
        "both checkpoints damaged": partial(files.two_damaged, scratch),
        "two runs, one output": partial(files.two_runs, scratch),
        "a network larger than memory": partial(machine.little_memory, scratch),
        "no memory in the kNN search (fake: its buffers raise)": partial(machine.short_search, scratch, False),
        "no GPU memory in the kNN search (fake, on the CPU)": partial(machine.short_search, scratch, True),
        "clock runs backwards": partial(machine.clocks, scratch),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50, help="kills at random moments, of all commands together")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--only", default="", help="faults whose name contains this")
    parser.add_argument("--skip", default="nothing", help="not those whose name contains this")
    arguments = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory(prefix="genurl-faults-") as scratch:
        chosen = faults(Path(scratch), arguments.kills, random.Random(arguments.seed))
        load_everything()
        print("| fault | what happened | s |\n|---|---|---:|", flush=True)
        for name, cause in chosen.items():
            if arguments.only not in name or arguments.skip in name:
                continue
            started = time.monotonic()
            try:
                found = cause()
            except Exception as error:
                traceback.print_exc()
                found, failed = f"**FAILED**: {(str(error) or repr(error)).splitlines()[0][:200]}", failed + 1
            print(f"| {name} | {found} | {time.monotonic() - started:.0f} |", flush=True)
    return int(failed > 0)


def load_everything() -> None:
    """What the commands import when they need it, so that forked processes have it."""
    import matplotlib.pyplot  # noqa: F401
    import narwhals._pandas_like.dataframe  # noqa: F401
    import networkx  # noqa: F401
    import ogb.nodeproppred  # noqa: F401
    import sklearn.cluster
    import sklearn.compose
    import sklearn.linear_model  # noqa: F401
    import torch._dynamo  # noqa: F401
    import torch_geometric.nn  # noqa: F401

    import genurl_graph

    for module in pkgutil.walk_packages(genurl_graph.__path__, "genurl_graph."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


if __name__ == "__main__":
    sys.exit(main())
