"""``embed --devices 2``: what one process computes, and what happens when one of two dies."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.datasets import load_digits

from genurl_graph.cli import launch, main

ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}


def words(folder, *more):
    """``embed`` of digits without labels: an evaluation would take most of the time."""
    own = folder / "digits.npy"
    np.save(own, load_digits().data[:1200] / 16)
    given = ["--input", str(own), "--encoder", "linear", "--seed", "0", "--set", "sampling.batch_size=600"]
    return ["embed", *given, "--output", str(folder / "z.npz"), "--metrics", str(folder / "m.json"), *more]


def command(folder, *more):
    return [sys.executable, "-m", "genurl_graph.cli", *words(folder, *more)]


def test_two_processes_write_what_one_writes(tmp_path, one_thread):
    more = ["--epochs", "2", "--set", "training.lr=1e-3", "--devices"]
    done = subprocess.run(
        command(tmp_path, *more, "2"), env=ENVIRONMENT, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stderr
    # One of them speaks.
    assert len(re.findall("trustworthiness", done.stdout)) == 1
    two, other = result(tmp_path)
    alone = CliRunner().invoke(main, words(tmp_path, *more, "1"))
    assert alone.exit_code == 0, alone.output
    one, metrics = result(tmp_path)
    assert (metrics["run"]["processes"], other["run"]["processes"]) == (1, 2)
    np.testing.assert_allclose(two, one, atol=2e-3 * np.abs(one).max())
    assert other["loss"] == pytest.approx(metrics["loss"], rel=1e-4)
    assert other["config"] == metrics["config"]


def result(folder):
    return np.load(folder / "z.npz")["embedding"], json.loads((folder / "m.json").read_text())


@pytest.mark.parametrize("code", [0, 2])
def test_bad_input_is_said_once_and_ends_with_2(tmp_path, monkeypatch, capfd, code):
    # Stands for the command in both processes: whatever it is given, it says the same.
    stub = tmp_path / "python"
    stub.write_text(f"#!/bin/sh\necho \"rank $RANK of $WORLD_SIZE: unknown key 'loss.gama'\" >&2\nexit {code}\n")
    stub.chmod(0o755)
    monkeypatch.setattr(launch.sys, "executable", str(stub))
    monkeypatch.setattr(launch.sys, "argv", ["genurl-graph", "embed", "--set", "loss.gama=1"])
    with pytest.raises(SystemExit) as ended:
        launch.relaunch(2, tmp_path / "z.npz.ckpt")
    assert ended.value.code == code
    assert capfd.readouterr().err == "rank 0 of 2: unknown key 'loss.gama'\n"


@pytest.mark.parametrize(("codes", "speaks"), [((2, 2), 0), ((1, 2), 1), ((2, 1), 1)])
def test_whose_message_is_shown_when_the_second_process_ends_first(codes, speaks):
    late = f"import sys, time; time.sleep(1); sys.exit({codes[0]})"
    workers = [subprocess.Popen([sys.executable, "-c", late])]
    workers.append(subprocess.Popen([sys.executable, "-c", f"raise SystemExit({codes[1]})"]))
    workers[1].wait()
    assert launch.first_failed(workers) == speaks


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="looks for the worker in /proc")
def test_a_dead_worker_ends_the_run_and_leaves_a_checkpoint(tmp_path):
    long = ["--epochs", "4000", "--set", "training.checkpoint_every=1", "--devices", "2"]
    run = subprocess.Popen(command(tmp_path, *long), env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
    checkpoint = tmp_path / "z.npz.ckpt"
    try:
        until = time.monotonic() + 200
        while not checkpoint.exists() and time.monotonic() < until:
            assert run.poll() is None
            time.sleep(0.2)
        assert checkpoint.exists()
        os.kill(_worker(run.pid, "1"), signal.SIGKILL)
        _, errors = run.communicate(timeout=100)
    finally:
        run.kill()
    assert run.returncode == 1
    assert "process 1 of 2 was ended by SIGKILL" in errors
    assert f"--resume continues from {checkpoint}" in errors
    assert not (tmp_path / "z.npz").exists()


def _worker(parent, rank):
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as stat, open(f"/proc/{name}/environ", "rb") as environment:
                mine = int(stat.read().rpartition(")")[2].split()[1]) == parent
                if mine and f"RANK={rank}".encode() in environment.read().split(b"\0"):
                    return int(name)
        except OSError:
            continue
    raise AssertionError("no such worker")
