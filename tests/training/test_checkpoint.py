"""Checkpoints: what is not of this run, or not whole, is refused with a clear message."""

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

import genurl_graph.training.checkpoint as module_under_test
from genurl_graph.exceptions import InputError
from genurl_graph.graph.knn import Neighbors
from genurl_graph.training.checkpoint import Checkpoint, find_difference

CPU = torch.device("cpu")
RUN = {"config": {"loss": {"gamma": 0.5}, "training": {"epochs": 10}}, "seed": 3, "x": [6, 2]}


def trained(width=2):
    """A module and its optimiser after one step."""
    torch.manual_seed(0)
    module = nn.Linear(width, 3)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.1)
    module(torch.ones(1, width)).sum().backward()
    optimizer.step()
    return module, optimizer


@pytest.fixture
def saved(tmp_path):
    checkpoint = Checkpoint(tmp_path / "run.ckpt", RUN)
    checkpoint.save(*trained(), [0.5, 0.25])
    return checkpoint


def rewrite(checkpoint, change):
    """Change the tensors of a checkpoint, and keep its note."""
    with safe_open(str(checkpoint.path), framework="pt") as file:
        note = file.metadata()
    tensors = load_file(checkpoint.path)
    change(tensors)
    note["checksum"] = str(module_under_test._checksum_of_all(tensors, note["run"]))
    save_file(tensors, checkpoint.path, metadata=note)


def test_everything_comes_back(saved):
    state = torch.get_rng_state()
    module, optimizer = nn.Linear(2, 3), None
    optimizer = torch.optim.Adam(module.parameters(), lr=0.7)
    torch.rand(5)
    assert saved.restore(module, optimizer) == [0.5, 0.25]
    reference, reference_optimizer = trained()
    assert all(torch.equal(a, b) for a, b in zip(module.parameters(), reference.parameters(), strict=True))
    for index, expected in reference_optimizer.state_dict()["state"].items():
        assert all(torch.equal(optimizer.state_dict()["state"][index][key], expected[key]) for key in expected)
    assert optimizer.param_groups[0]["lr"] == 0.7  # the learning rate is the configuration's, not the file's
    assert torch.equal(torch.get_rng_state(), state)
    assert saved.stored_run() == RUN


def test_another_run_is_refused_with_the_first_difference(saved):
    other = {**RUN, "config": {"loss": {"gamma": 1.0}, "training": {"epochs": 10}}}
    with pytest.raises(InputError, match=r"another run: config\.loss\.gamma is 0\.5 there and 1\.0 here"):
        Checkpoint(saved.path, other).restore(*trained())
    with pytest.raises(InputError, match="seed is 3 there and None here"):
        Checkpoint(saved.path, {k: v for k, v in RUN.items() if k != "seed"}).restore(*trained())


def test_number_of_epochs_may_differ(saved):
    longer = {**RUN, "config": {"loss": {"gamma": 0.5}, "training": {"epochs": 99}}}
    assert Checkpoint(saved.path, longer).restore(*trained()) == [0.5, 0.25]


@pytest.mark.parametrize("keep", [0, 5, 100, -1])
def test_truncated_file_is_damaged(saved, keep):
    saved.path.write_bytes(saved.path.read_bytes()[:keep])
    with pytest.raises(InputError, match="is damaged"):
        saved.restore(*trained())


def test_other_files_are_refused(saved):
    saved.path.write_bytes(b"\x80\x04 a pickle, say " * 20)
    with pytest.raises(InputError, match="is damaged"):
        saved.restore(*trained())
    save_file({"weight": torch.ones(2)}, saved.path)
    with pytest.raises(InputError, match="format None; expected '2'"):
        saved.restore(*trained())
    save_file({"weight": torch.ones(2)}, saved.path, metadata={"format": "2", "run": "[1"})
    with pytest.raises(InputError, match="is damaged"):
        saved.restore(*trained())


@pytest.mark.parametrize(
    "change",
    [
        lambda tensors: tensors.pop("model.bias"),
        lambda tensors: tensors.pop("optimizer.0.exp_avg"),
        lambda tensors: tensors.pop("history"),
        lambda tensors: tensors.update({"rng.cpu": torch.ones(3)}),
        lambda tensors: tensors.update({"optimizer.1.exp_avg": torch.ones(7)}),
        lambda tensors: tensors.update({"optimizer.x.exp_avg": torch.ones(3)}),
        lambda tensors: tensors.update({"optimizer.9.exp_avg": torch.ones(3)}),
    ],
)
def test_state_that_does_not_fit_is_refused(saved, change):
    rewrite(saved, change)
    state = torch.get_rng_state()
    with pytest.raises(InputError, match="does not fit this run"):
        saved.restore(*trained())
    torch.set_rng_state(state)


def test_model_of_other_sizes_is_refused(saved):
    with pytest.raises(InputError, match="does not fit this run"):
        saved.restore(*trained(width=5))


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(InputError, match="there is no checkpoint"):
        Checkpoint(tmp_path / "none", RUN).restore(*trained())
    with pytest.raises(InputError, match="there is no checkpoint"):
        Checkpoint(tmp_path, RUN).restore(*trained())
    with pytest.raises(InputError, match="cannot be written"):
        Checkpoint(tmp_path / "no" / "folder", RUN).save(*trained(), [1.0])


def test_interrupted_write_leaves_the_previous_checkpoint(saved, monkeypatch):
    def half(path, tensors, note):
        with open(path, "wb") as file:
            file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(module_under_test, "save_tensors", half)
    with pytest.raises(KeyboardInterrupt):
        saved.save(*trained(), [9.0])
    assert saved.restore(*trained()) == [0.5, 0.25]
    assert [path.name for path in saved.path.parent.iterdir()] == ["run.ckpt"]


def damaged(path, position):
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


def test_any_flipped_bit_is_noticed(saved):
    whole = saved.path.read_bytes()
    # Header (names, shapes, run, checksum itself) and tensors; the generator's state alone is 5,000 bytes.
    for position in [*range(0, 1500, 7), *range(1500, len(whole), 97), len(whole) - 1]:
        damaged(saved.path, position)
        if chr(whole[position]) == " ":  # the header's padding says nothing
            continue
        # A bit of the format's number makes another format, which is said as well.
        with pytest.raises(InputError, match=r"is damaged|format"):
            saved.restore(*trained())
        saved.path.write_bytes(whole)


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "gone"])
def test_the_checkpoint_before_a_damaged_one_is_used(saved, damage):
    saved.save(*trained(), [0.5, 0.25, 0.125])
    assert sorted(path.name for path in saved.path.parent.iterdir()) == ["run.ckpt", "run.ckpt.previous"]
    assert saved.restore(*trained()) == [0.5, 0.25, 0.125]
    if damage == "flip":
        damaged(saved.path, -3)
    elif damage == "gone":  # the process was killed between the two renames
        saved.path.unlink()
        assert saved.exists()
        assert saved.restore(*trained()) == [0.5, 0.25]
        return
    else:
        saved.path.write_bytes(saved.path.read_bytes()[: 100 if damage == "cut" else 0])
    with pytest.warns(UserWarning, match=r"run\.ckpt is damaged .*; going on from .*run\.ckpt\.previous"):
        assert saved.restore(*trained()) == [0.5, 0.25]
    damaged(saved.previous, -3)
    with pytest.raises(InputError, match=r"run\.ckpt is damaged .* and checkpoint .*run\.ckpt\.previous is damaged"):
        saved.restore(*trained())
    saved.remove()
    assert not saved.exists()
    assert not list(saved.path.parent.iterdir())


@pytest.fixture
def found():
    return Neighbors(torch.tensor([[1, 2], [0, 2]]), torch.tensor([[0.5, 1.0], [0.5, 2.0]]), "approximate", 0.75)


def test_neighbors_are_kept_beside_it(tmp_path, found):
    checkpoint = Checkpoint(tmp_path / "run.ckpt", RUN)
    assert checkpoint.neighbors(CPU) is None
    checkpoint.save_neighbors(found)
    again = checkpoint.neighbors(CPU)
    assert torch.equal(again.indices, found.indices)
    assert torch.equal(again.distances, found.distances)
    assert again[2:] == found[2:]
    assert checkpoint.exists()
    assert not checkpoint.trained()
    assert checkpoint.stored_run() == RUN
    with pytest.raises(InputError, match="another run: seed is 3 there and 4 here"):
        Checkpoint(tmp_path / "run.ckpt", {**RUN, "seed": 4}).neighbors(CPU)
    checkpoint.remove()
    assert not list(tmp_path.iterdir())


def test_damaged_neighbors_are_searched_again(tmp_path, found):
    checkpoint = Checkpoint(tmp_path / "run.ckpt", RUN)
    checkpoint.save_neighbors(found)
    damaged(checkpoint.search, -1)
    with pytest.warns(UserWarning, match="damaged .*searched again"):
        assert checkpoint.neighbors(CPU) is None


def test_a_perplexity_that_an_earlier_version_left_auto_is_no_difference() -> None:
    now = {"config": {"similarity": {"perplexity": 15.0}, "loss": {"scale": "profile"}}}
    stored = {"config": {"similarity": {"perplexity": "auto"}, "loss": {"scale": "profile"}}}
    assert find_difference(stored, now) is None
    stored["config"]["loss"]["scale"] = "auto"
    assert "config.loss.scale is 'auto' there" in str(find_difference(stored, now))


def test_what_parts_of_a_model_share_is_written_once_and_comes_back(tmp_path):
    def model() -> tuple[nn.Module, torch.optim.Optimizer]:
        main, optimizer = trained()
        main.register_buffer("table", torch.randn(4, 2))
        return nn.ModuleDict({"main": main, "part": nn.ModuleList([main])}), optimizer

    (first, steps), (second, others) = model(), model()
    with torch.no_grad():
        first["main"].weight += 1
    path = tmp_path / "shared.ckpt"
    Checkpoint(path, {}).save(first, steps, [0.5])
    assert Checkpoint(path, {}).restore(second, others) == [0.5]
    assert all(torch.equal(value, second.state_dict()[name]) for name, value in first.state_dict().items())
    with safe_open(str(path), framework="pt") as file:
        assert sum(key.endswith("table") for key in file.keys()) == 1  # noqa: SIM118 - not a dict
