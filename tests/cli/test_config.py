"""``genurl-graph config``: every default, explained, and a file that changes nothing."""

import dataclasses
import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch_geometric.data import Data

from genurl_graph import GenURL
from genurl_graph.cli.config import LEFT_OUT, NAMED, TASKS
from genurl_graph.config import Config, load_preset
from genurl_graph.config.toml import flatten, read_toml, to_toml
from genurl_graph.inputs.edge_rows import EdgeEnds, EdgeSet
from genurl_graph.inputs.temporal import TemporalEdges


def ring(n: int, edges: bool) -> Data:
    """A ring whose nodes have noise as features."""
    node, generator = torch.arange(n), torch.Generator().manual_seed(0)
    x = torch.rand(n, 9, generator=generator)
    both = torch.stack([node, (node + 1) % n])
    return Data(x=x, edge_index=torch.cat([both, both.flip(0)], 1) if edges else None)


@pytest.mark.parametrize("task", list(TASKS))
@pytest.mark.parametrize("n", [12, 64])
def test_the_file_changes_nothing(run, task: str, n: int) -> None:
    Path("my.toml").write_text(run("config", "--task", task).stdout)
    family, *variants = task.split("-")
    if family == "distill":
        given = {"n_components": None, "encoder": {"gnn": "gcn", "cnn": "cnn"}.get("".join(variants), "auto")}
    else:
        encoder = "sign" if "sign" in variants else "mlp" if "mlp" in variants else "auto"
        given = {"n_components": 32 if "wide" in variants else None, "encoder": encoder}
    data: Any = ring(n, family in ("graph", "distill"))
    if family == "graphs":
        data = [ring(size, True) for size in range(3, n)]
    if family == "edges":
        node = torch.arange(n)
        data = EdgeSet(EdgeEnds(torch.stack([node, (node + 1) % n]), n), x=data.x)
    if family == "temporal":
        data = TemporalEdges.of(range(n - 1), range(1, n), range(n - 1))
    # Fewer nodes than default neighbours, too: the default still gives way.
    teacher = data if family == "distill" else None
    resolved = [
        GenURL(task=family, config=config, **given)._resolve(GenURL()._input(data), teacher)
        for config in ({"sampling.negatives": "batch"} if "sampled" in variants else None, "my.toml")
    ]
    assert resolved[0] == resolved[1]


def test_embed_gives_the_same_numbers(run, few_digits) -> None:
    Path("my.toml").write_text(run("config", "--task", "reduce").stdout)
    words = ("embed", "--dataset", "digits", "--epochs", 3, "--seed", 1, "--device", "cpu", "--quiet")
    run(*words, "--output", "a.npy")
    run(*words, "--output", "b.npy", "--config", "my.toml")
    assert np.array_equal(np.load("a.npy"), np.load("b.npy"))


@pytest.mark.parametrize("task", list(TASKS))
def test_every_key_stands_there_with_its_explanation(run, task: str) -> None:
    text = run("config", "--task", task).stdout
    expected = load_preset(*TASKS[task][1:]).override(NAMED.get(task, {}))
    # The keys that stand there as comments say why.
    for key in LEFT_OUT:
        name = key.split(".")[1]
        text = text.replace(f"\n# {name} = ", f"\n{name} = ")
    assert flatten(tomllib.loads(text)) == flatten(expected.to_dict())
    lines = text.splitlines()
    for field in dataclasses.fields(Config)[1:]:
        for name, meaning in getattr(expected, field.name).explanations().items():
            assert meaning
            values = [i for i, line in enumerate(lines) if line.startswith(f"{name} = ")]
            assert values, name
            assert all(lines[i - 1].startswith("# ") for i in values), name
    assert max(map(len, lines)) <= 120


def test_an_edited_file_is_heard_and_a_slip_is_named(run) -> None:
    text = run("config", "--task", "reduce").stdout
    Path("my.toml").write_text(text.replace("\nepochs = 200", "\nepochs = 7"))
    assert read_toml("my.toml")["training.epochs"] == 7
    Path("my.toml").write_text(text.replace("\nepochs = 200", "\nepoch = 7"))
    refused = run("embed", "--dataset", "digits", "--config", "my.toml", code=2)
    assert "found 'training.epoch'; expected one of" in refused.stderr
    assert sorted(path.name for path in Path().iterdir()) == ["my.toml"]


def test_long_text_is_wrapped_and_reads_back() -> None:
    text = to_toml(Config().override({"encoder.image": 'a "quoted" \\ path'}))
    assert flatten(tomllib.loads(text))["encoder.image"] == 'a "quoted" \\ path'


def test_a_named_set_of_settings(run, tmp_path):
    run(
        "embed", "--dataset", "karate", "--config", "shallow", "--epochs", 1, "--output", "z.npz", "--metrics", "m.json"
    )
    encoder = json.loads((tmp_path / "m.json").read_text())["config"]["encoder"]
    assert (encoder["layers"], encoder["dim"]) == (1, 512)
