"""Locks: one run a file, named where it stands in the way, gone with its process."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from genurl_graph.exceptions import InputError
from genurl_graph.runtime.files import exclusive

HOLDER = """
import sys, time
from genurl_graph.runtime.files import exclusive
with exclusive(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path):
    """Another process that holds the lock of ``z.npz``."""
    words = [sys.executable, "-c", HOLDER, str(tmp_path / "z.npz")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_other_process_is_named_and_its_death_frees_the_file(tmp_path: Path, holder) -> None:
    message = rf"z\.npz: found another run that writes this file, process {holder.pid} \(-c .*name another file"
    with pytest.raises(InputError, match=message), exclusive(tmp_path / "other.npz", tmp_path / "z.npz"):
        pass
    with exclusive(tmp_path / "other.npz"):  # not kept by the failed attempt
        pass
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / ".z.npz.lock").exists()
    with exclusive(tmp_path / "z.npz"):
        assert str(os.getpid()) in (tmp_path / ".z.npz.lock").read_text()
    assert list(tmp_path.iterdir()) == []


def test_what_killed_runs_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    kept = ["z.npz", ".z.0123abcd.json", ".zz.0123abcd.npz", ".z.0123abcg.npz", ".z.0123abcd.npz.txt"]
    for name in [*kept, ".z.0123abcd.npz", ".z.ffffffff.npz"]:
        (tmp_path / name).touch()
    inner = tmp_path / ".z.ffffffff.npz.part"
    inner.mkdir()
    (inner / ".tmpVKBzry").touch()
    with exclusive(tmp_path / "z.npz"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)


def test_one_at_a_time_among_many_threads(tmp_path: Path) -> None:
    inside: list[int] = []
    seen: list[int] = []

    def run(thread: int) -> None:
        done = 0
        while done < 20:
            with suppress(InputError), exclusive(tmp_path / "z.npz"):
                inside.append(thread)
                seen.append(len(inside))
                inside.remove(thread)
                done += 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(run, range(8)))
    assert seen == [1] * 160
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found nothing at"), exclusive(tmp_path / "no" / "z.npz"):
        pass


def test_leftovers_inside_of_a_folder(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    for name in ("model.json", ".model.0123abcd.json", ".model.0123abcd.safetensors.part", ".hidden"):
        (model / name).touch()
    with exclusive(model):
        pass
    assert sorted(path.name for path in model.iterdir()) == [".hidden", "model.json"]
