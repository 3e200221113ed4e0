"""``embed --tensorboard``: what is written is the loss of the run."""

import json
import sys
from pathlib import Path

import pytest

WORDS = ("embed", "--dataset", "karate", "--dim", 8, "--epochs", 4, "--seed", 0, "--quiet", "--tensorboard", "events")


def test_the_loss_of_every_epoch_is_there(run) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run(*WORDS, "--metrics", "m.json")
    found = EventAccumulator("events")
    found.Reload()
    loss = found.Scalars("loss")
    assert [event.step for event in loss] == [1, 2, 3, 4]
    assert loss[-1].value == pytest.approx(json.loads(Path("m.json").read_text())["loss"], rel=1e-5)
    assert loss[-1].value < loss[0].value


def test_what_stands_in_the_way_is_named(run, monkeypatch) -> None:
    Path("events").write_text("a file")
    assert "--tensorboard events: cannot be written" in run(*WORDS, code=2).stderr
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    assert "pip install 'genurl-graph[tensorboard]'" in run(*WORDS, code=2).stderr
