"""config: presets, overrides and TOML, one source of every parameter."""

import dataclasses
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genurl_graph.config import Config, load_preset, read_settings
from genurl_graph.config.parameters import TrainingConfig
from genurl_graph.config.toml import flatten, parse_assignments, read_toml, to_toml
from genurl_graph.config.views import ViewConfig
from genurl_graph.exceptions import InputError

TASKS = ("graph", "graphs", "reduce")


@pytest.mark.parametrize("task", TASKS)
def test_presets_say_what_they_are_and_every_key_takes_effect(task: str) -> None:
    text = (resources.files("genurl_graph.config.presets") / f"{task}.toml").read_text(encoding="utf-8")
    assert text.startswith("#")
    config = flatten(load_preset(task).to_dict())
    assert config["task"] == task
    written = flatten(tomllib.loads(text))
    assert written
    assert {key: config[key] for key in written} == written


def test_an_unknown_task_is_named() -> None:
    with pytest.raises(
        InputError,
        match=r"task: found .grahp.; expected one of graph, reduce, .*, edges, triples .did you mean",
    ):
        load_preset("grahp")


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("loss.gamma", "0.5", 0.5),
        ("loss.gamma", 2, 2.0),
        ("loss.gamma", np.float32(0.5), 0.5),
        ("loss.scale", "profile", "profile"),
        ("loss.scale", "1", 1.0),
        ("similarity.perplexity", "auto", "auto"),
        ("similarity.perplexity", 30, 30.0),
        ("encoder.dim", "16", 16),
        ("encoder.dim", 16.0, 16),
        ("encoder.dim", np.int64(16), 16),
        ("encoder.name", "mlp", "mlp"),
        ("training.lr", "1e-4", 1e-4),
    ],
)
def test_override_converts_to_the_type_of_the_key(key: str, value: Any, expected: Any) -> None:
    before = Config()
    after = flatten(before.override({key: value}).to_dict())
    assert after[key] == expected
    assert type(after[key]) is type(expected)
    assert {k: v for k, v in after.items() if k != key} == {
        k: v for k, v in flatten(before.to_dict()).items() if k != key
    }
    assert before == Config()


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("encoder.dim", "two", "a whole number >= 1"),
        ("encoder.dim", 2.5, "a whole number >= 1"),
        ("encoder.dim", float("inf"), "a whole number >= 1"),
        ("encoder.dim", True, "a whole number >= 1"),
        ("encoder.dim", None, "a whole number >= 1"),
        ("encoder.dim", 0, "a whole number >= 1"),
        ("encoder.dropout", 1, r"a finite number in \[0, 1\)"),
        ("images.crop", 0, r"a finite number in \(0, 1\]"),
        ("loss.gamma", "0", "a finite number > 0"),
        ("loss.gamma", "nan", "a finite number > 0"),
        ("loss.gamma", [1.0], "a finite number > 0"),
        ("loss.scale", "profiel", "'auto' or 'profile' or a finite number > 0"),
        ("loss.per", "rows", r"one of global, row \(did you mean 'row'\?\)"),
        ("similarity.perplexity", 2, "'auto' or a finite number > 2"),
        ("encoder.image", 5, "a string"),
        ("loss", {"gamma": {"value": 1}}, "a finite number > 0"),
    ],
)
def test_wrong_values_are_refused(key: str, value: Any, expected: str) -> None:
    with pytest.raises(InputError, match=rf"^{key}.*: found .*; expected {expected}$"):
        Config().override(flatten({key: value}))


def test_a_stage_is_checked_when_it_is_made() -> None:
    assert TrainingConfig(epochs="3").epochs == 3  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"^training.lr: found -1.0; expected 'auto' or a finite number > 0$"):
        dataclasses.replace(TrainingConfig(), lr=-1.0)


def test_explanations_end_with_the_range() -> None:
    assert ViewConfig.explanations()["drop_edges"].endswith("leaves out; in [0, 1)")
    assert TrainingConfig.explanations()["lr"].endswith("; > 0")


@pytest.mark.parametrize(
    ("key", "nearest"),
    [("loss.gama", "loss.gamma"), ("gamma", "loss.gamma"), ("lr", "training.lr"), ("Encoder.dim", "encoder.dim")],
)
def test_unknown_keys_name_the_nearest(key: str, nearest: str) -> None:
    with pytest.raises(
        InputError, match=rf"config: found '{key}'; expected one of \d+ names .did you mean '{nearest}'?"
    ):
        Config().override({key: 1})


def test_a_configuration_of_another_task_is_refused() -> None:
    assert load_preset("graph").override({"task": "graph"}).task == "graph"
    with pytest.raises(InputError, match="task: found 'reduce'; expected 'graph'"):
        load_preset("graph").override({"task": "reduce"})


@pytest.mark.parametrize("task", TASKS)
def test_toml_round_trip(task: str, tmp_path: Path) -> None:
    config = load_preset(task).override(
        {"training.lr": 1e-7, "loss.scale": 1, "encoder.image": 'a "quoted" \\ path', "similarity.perplexity": 12.5}
    )
    file = tmp_path / "config.toml"
    file.write_text(to_toml(config), encoding="utf-8")
    assert Config(task=task).override(read_toml(file)) == config


def test_settings_are_named_or_of_a_file(tmp_path: Path) -> None:
    shallow = {"merge.feature_weight": 1.5, "encoder.layers": 1, "encoder.dim": 512, "loss.temperature": 2.0}
    assert read_settings("shallow") == read_settings(Path("shallow")) == shallow
    assert load_preset("graph").override(shallow).encoder.layers == 1
    assert load_preset("graph").override(read_settings("words")).merge.column_weight > 0
    file = tmp_path / "shallow.toml"
    file.write_text("loss.gamma = 2\n", encoding="utf-8")
    assert read_settings(file) == {"loss.gamma": 2}
    with pytest.raises(InputError, match="config file shalow"):
        read_settings("shalow")


def test_unreadable_toml_is_named(tmp_path: Path) -> None:
    for content in (b"[loss\n", b"\xff\xfe"):
        file = tmp_path / "bad.toml"
        file.write_bytes(content)
        with pytest.raises(InputError, match=r"bad\.toml"):
            read_toml(file)
    for missing in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(InputError, match="config file"):
            read_toml(missing)


def test_assignments() -> None:
    assert parse_assignments(["loss.gamma=0.5", " encoder.name = mlp ", "a=b=c"]) == {
        "loss.gamma": "0.5",
        "encoder.name": "mlp",
        "a": "b=c",
    }
    for wrong in ("loss.gamma", "=1", ""):
        with pytest.raises(InputError, match="expected KEY=VALUE"):
            parse_assignments([wrong])
