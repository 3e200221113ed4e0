"""kill -9 at random moments, then --resume: nothing corrupt, and the result of an uninterrupted run."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from processes import Child, finish

# The graph is `write_graph`'s, beside the folder of the command. It has no labels, so that nothing is evaluated.
EMBED = (
    *("embed", "--input", "../graph.npz", "--dim", 4, "--seed", 1, "--device", "cpu", "--epochs", 20),
    *("--set", "training.checkpoint_every=1", "--output", "z.npz", "--metrics", "m.json", "--save-model", "model"),
)
COMPARE = (
    *("compare", "--dataset", "karate", "--methods", "genurl,untrained", "--seeds", 2, "--dim", 4, "--epochs", 5),
    *("--device", "cpu", "--metrics", "m.json", "--markdown", "m.md"),
)
OGB = (
    *("ogb", "--dataset", "ogbn-arxiv", "--seeds", 2, "--dim", 4, "--epochs", 4, "--probe-epochs", 4),
    *("--device", "cpu", "--report", "m.md"),
)
# What is measured, not computed, and when.
VARIABLE = ("seconds", "seconds_mean", "peak_memory_mb", "peak_gpu_memory_mb", "date", "command", "graph_seconds")


def write_graph(folder: Path) -> None:
    rng = np.random.default_rng(0)
    edges = np.unique(rng.integers(0, 60, (2, 300)), axis=1)
    np.savez(folder / "graph.npz", x=rng.standard_normal((60, 12)), edge_index=edges)


def forking() -> None:
    """Methods of ``compare`` in forked processes instead of new ones, which would spend the moments on imports.

    What a new process would not have, a forked one gives back: the locks. And one split instead of twenty.
    """
    from genurl_graph.evaluation import splits

    splits.REPEATS["random-10-10-80"] = 1
    fork = multiprocessing.get_context("fork")
    multiprocessing.get_context = lambda method=None: fork  # type: ignore[method-assign,assignment]
    os.register_at_fork(after_in_child=drop_locks)


def drop_locks() -> None:
    for entry in Path("/proc/self/fd").iterdir():
        try:
            if entry.readlink().name.endswith(".lock"):
                os.close(int(entry.name))
        except OSError:  # the descriptor of this listing
            continue


def steady(found: Any) -> Any:
    """A JSON value without what two equal runs may differ in."""
    if isinstance(found, dict):
        return {key: steady(value) for key, value in found.items() if key not in VARIABLE}
    return [steady(value) for value in found] if isinstance(found, list) else found


def results(folder: Path) -> dict[str, Any]:
    """All outputs that are there; each of them must be whole."""
    from genurl_graph.estimator import GenURL
    from genurl_graph.inputs.embeddings import read_embedding

    found: dict[str, Any] = {}
    if (folder / "m.json").exists():
        found["m.json"] = steady(json.loads((folder / "m.json").read_text()))
    if (folder / "z.npz").exists():
        found["z.npz"] = read_embedding(folder / "z.npz")["embedding"]
    if (folder / "model" / "model.json").exists():
        found["model"] = GenURL.load(folder / "model").embedding_.numpy()
    return found


def check_finished(folder: Path, whole: Path, after: object = "kills") -> None:
    """A finished run has left the results and the files of an uninterrupted one."""
    assert same(results(folder), results(whole)), f"{folder}: another result, after {after}"
    left, files = (sorted(str(path.relative_to(run)) for path in run.rglob("*")) for run in (folder, whole))
    assert left == files, f"{folder}: {left} instead of {files}"


def same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    """Whether two runs have left the same, to the last bit."""
    return a.keys() == b.keys() and all(
        np.array_equal(a[key], b[key]) if isinstance(a[key], np.ndarray) else a[key] == b[key] for key in a
    )


def undisturbed(scratch: Path) -> Path:
    """Folder of an ``embed`` that nothing has disturbed."""
    whole = scratch / "embed-whole"
    if not whole.exists():
        finish(EMBED, whole)
    return whole


def kill_and_resume(
    words: Sequence[object], kills: int, rng: random.Random, scratch: Path, before: Callable[[], object] | None = None
) -> str:
    """Kill a command `kills` times in all, at random moments; each run is resumed until it is finished."""
    name = str(words[0])
    whole = scratch / f"{name}-whole"
    started = time.monotonic()
    finish(words, whole, before)
    length = time.monotonic() - started
    done = runs = resumed = 0
    while done < kills:
        folder = scratch / f"{name}-{runs}"
        runs += 1
        go_on: tuple[str, ...] = ()
        while True:
            child = Child([*words, *go_on], folder, before)
            # A run may be killed several times; the last one is let alone.
            if done < kills and rng.random() < 0.7:
                deadline = child.started + rng.uniform(0, length)
                while time.monotonic() < deadline and child.running():
                    time.sleep(0.001)
                ended = child.kill() if child.running() else child.wait()
                done += ended.code < 0
            else:
                ended = child.wait()
            if ended.code == 0:
                break
            assert ended.code == -9, ended.printed
            results(folder)  # whatever is there is whole
            kept = name != "embed" or resumable(folder)
            go_on = ("--resume",) if kept else ()
            resumed += kept
        check_finished(folder, whole)
        shutil.rmtree(folder)
    return (
        f"{done} kills in {runs} runs, {resumed} resumed: every output whole, all results bit for bit those of an "
        "uninterrupted run, nothing left behind"
    )


def at_every_rename(scratch: Path) -> str:
    """Kill ``embed`` right before and right after each rename of a finished file, the moments that matter most."""
    words = list(EMBED)
    words[words.index(20)] = 3
    whole = scratch / "renames-whole"
    finish(words, whole)
    tried = 0
    for after in (False, True):
        for position in range(1000):

            def deadly(number: int = position, late: bool = after) -> None:
                rename, seen = os.replace, [0]

                def replace(*paths: Any) -> None:
                    seen[0] += 1
                    if late:
                        rename(*paths)
                    if seen[0] == number + 1:
                        os.kill(os.getpid(), signal.SIGKILL)
                    if not late:
                        rename(*paths)

                os.replace = replace  # type: ignore[assignment]

            folder = scratch / f"rename-{after}-{position}"
            ended = Child(words, folder, deadly).wait()
            if ended.code == 0:
                break  # fewer renames than that
            assert ended.code == -9, ended.printed
            tried += 1
            results_before = results_of_killed(folder)
            finish([*words, *(["--resume"] if resumable(folder) else [])], folder)
            check_finished(folder, whole, after=results_before)
    assert tried > 10
    return f"{tried} kills, before and after each rename: as above"


def resumable(folder: Path) -> bool:
    """Whether a killed ``embed`` left a state of its training, or the neighbours it had found."""
    from genurl_graph.training.checkpoint import Checkpoint

    return Checkpoint(folder / "z.npz.ckpt", {}).exists()


def results_of_killed(folder: Path) -> list[str]:
    """Outputs that a killed run has left, all whole but for a model of which one file is there: that is refused."""
    from genurl_graph.exceptions import InputError

    try:
        return list(results(folder))
    except InputError as error:
        if "different models" not in str(error) and "is damaged" not in str(error):
            raise
        return ["half a model, which is refused"]
