"""``embed --devices 2``: what one process computes, and what happens when one of two dies."""

import json
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.datasets import load_digits

from genurl_graph.cli import launch, main
from tests.forked import ForkedCommand


@pytest.fixture
def embed(tmp_path, monkeypatch, one_thread):
    """``embed`` of digits without labels, whose evaluation would take most of the time; processes are forked."""
    own = tmp_path / "digits.npy"
    np.save(own, load_digits().data[:1200] / 16)
    given = ["--input", str(own), "--encoder", "linear", "--seed", "0", "--set", "sampling.batch_size=600"]
    given += ["--output", str(tmp_path / "z.npz"), "--metrics", str(tmp_path / "m.json")]
    monkeypatch.setattr(launch.subprocess, "Popen", ForkedCommand)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")

    def call(*more):
        words = ["embed", *given, *more]
        monkeypatch.setattr(launch.sys, "argv", ["genurl-graph", *words])
        return CliRunner().invoke(main, words)

    return call


def test_two_processes_write_what_one_writes(embed, tmp_path, capfd):
    more = ["--epochs", "2", "--set", "training.lr=1e-3", "--devices"]
    assert embed(*more, "2").exit_code == 0, capfd.readouterr()
    # One of them speaks.
    assert len(re.findall("trustworthiness", capfd.readouterr().out)) == 1
    two, other = result(tmp_path)
    alone = embed(*more, "1")
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


def test_a_dead_worker_ends_the_run_and_leaves_a_checkpoint(embed, tmp_path, monkeypatch):
    checkpoint, started = tmp_path / "z.npz.ckpt", []

    class Watched(ForkedCommand):
        def __init__(self, *words, **more):
            super().__init__(*words, **more)
            started.append(self)

    monkeypatch.setattr(launch.subprocess, "Popen", Watched)
    killer = threading.Thread(target=kill_the_second_after, args=(checkpoint, started))
    killer.start()
    done = embed("--epochs", "4000", "--set", "training.checkpoint_every=1", "--devices", "2")
    killer.join()
    assert done.exit_code == 1
    assert "process 1 of 2 was ended by SIGKILL" in done.output
    assert f"--resume continues from {checkpoint}" in done.output
    # The first process is ended, or has noticed by itself that the second is gone.
    assert started[0].returncode in (-signal.SIGTERM, 1)
    assert started[1].returncode == -signal.SIGKILL
    assert not (tmp_path / "z.npz").exists()


def kill_the_second_after(checkpoint: Path, started: list[ForkedCommand]) -> None:
    until = time.monotonic() + 200
    while not checkpoint.exists() and time.monotonic() < until:
        time.sleep(0.05)
    started[1].kill()
