"""Training on partitions: as good as in memory, by any number of workers, and after an interruption."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from genurl_graph import GenURL
from genurl_graph.config import Config, complete_settings
from genurl_graph.datasets.synthetic import planted_graph
from genurl_graph.exceptions import InputError
from genurl_graph.nn.skip import sample_rows
from genurl_graph.objectives.partitioned import embed_part, load_encoder, train, train_partitions
from genurl_graph.objectives.partitioned.encoder import ENCODER, UNTRAINED
from genurl_graph.objectives.partitioned.train import CHECKPOINT
from genurl_graph.runtime.partitions import Store
from tests.objectives.partitioned.works import write_work
from tests.runtime.test_processes import run_several

N, EPOCHS, KILLED = 1200, 6, 4
CONFIG = {"encoder.hidden": 64, "encoder.skip": 0, "encoder.dropout": 0.1, "training.lr": 1e-2}
CONFIG |= {"sampling.batch_size": 240, "sampling.negatives": "batch"}
OPTIONS = {"n_components": 8, "encoder": "sign", "epochs": EPOCHS, "config": CONFIG}


@pytest.fixture(scope="module")
def fitted():
    """A planted graph, and the model of one process in memory."""
    data = planted_graph(N, 7000, 16, 4, noise=1.0, seed=0)
    return data.y.numpy(), GenURL(random_state=0, **OPTIONS).fit(data)


@pytest.fixture(scope="module")
def ended(fitted, tmp_path_factory):
    """``ended(workers)``: the folder of a run of so many workers, and the losses that each of them knows."""
    found = {}

    def get(workers):
        if workers not in found:
            folder = tmp_path_factory.mktemp("run")
            work = write(fitted[1], folder / "work", 5)
            found[workers] = work, trained_by(workers, folder)
        return found[workers]

    return get


def trained_by(workers, folder, killed=0):
    """The losses that each worker knows after the training."""
    if workers == 1:
        return [train_partitions(*read(folder / "work"), 0, "cpu")]
    return [found.tolist() for found in run_several(workers, TRAIN, folder, killed=killed)]


def write(model, folder, count, **changes):
    """What a fit read, in an order of the nodes drawn at random."""
    features, graph = model.model_.objective.features, model.graph_
    order = torch.randperm(N, generator=torch.Generator().manual_seed(0))
    edges, p = order.argsort()[graph.edge_index], graph.edge_weight
    # The graph keeps edges that weigh nothing; P does not.
    kept = (p > 0).nonzero().squeeze(1)
    by_row = kept[(edges[0] * N + edges[1])[kept].argsort()]
    work = write_work(folder, features.x[order].chunk(features.parts, 1), edges[:, by_row], p[by_row], count)
    np.save(folder / "order.npy", order.numpy())
    (folder / "config.json").write_text(json.dumps(model.config_.override(changes).to_dict()))
    return work


def read(folder, count=5):
    """The store and the configuration of a run."""
    stored = json.loads((Path(folder) / "config.json").read_text())
    return Store.of(Path(folder), N, count), Config(task="graph").override(complete_settings(stored))


def embedded(work, name=ENCODER):
    """Embedding of all nodes, in the order of the data."""
    parts = [embed_part(part, work, read(work.path)[1], work.path / name) for part in range(work.count)]
    return torch.cat(parts).numpy()[np.load(work.path / "order.npy").argsort()]


def accuracy(z, y):
    """Share of the nodes whose ten nearest nodes are mostly of their class."""
    z = z / np.linalg.norm(z, axis=1, keepdims=True)
    nearness = z @ z.T
    np.fill_diagonal(nearness, -np.inf)
    near = np.argpartition(-nearness, 10, axis=1)[:, :10]
    return float((np.eye(y.max() + 1)[y[near]].sum(1).argmax(1) == y).mean())


TRAIN = """
    import os
    from genurl_graph.objectives.partitioned import train_partitions
    from tests.objectives.partitioned.test_train import read

    def killed(epoch, loss):
        if epoch == options["killed"] and rank() == world_size() - 1:
            os._exit(1)

    with process_group("cpu"):
        losses = train_partitions(*read(f"{folder}/work"), 0, "cpu", callbacks=[killed])
        keep(torch.tensor(losses, dtype=torch.float64))
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_train_as_well_as_one_process_in_memory(workers, fitted, ended):
    y, model = fitted
    work, losses = ended(workers)
    for other in losses:
        assert other == losses[0]
    # Other batches, of the same size.
    np.testing.assert_allclose(losses[0], model.loss_history_, rtol=0.03)
    reached, begun = (accuracy(z.numpy(), y) for z in (model.embedding_, model.model_.untrained_embedding()))
    assert accuracy(embedded(work), y) > reached - 0.15 * (reached - begun)
    assert accuracy(embedded(work, UNTRAINED), y) < reached - 0.5 * (reached - begun)


def test_a_killed_training_goes_on_with_any_number_of_workers(ended, tmp_path):
    work, (whole, _) = ended(2)
    stopped = tmp_path / "2" / "work"
    shutil.copytree(work.path, stopped, ignore=shutil.ignore_patterns("encoder*", "training*", "untrained*"))
    with pytest.raises(AssertionError, match=r"ended without an answer|another process is gone"):
        trained_by(2, stopped.parent, killed=KILLED)
    assert not (stopped / ENCODER).exists()
    for workers in (1, 3, 2):
        folder = stopped.parent if workers == 2 else tmp_path / str(workers)
        if workers != 2:
            shutil.copytree(stopped, folder / "work")
        losses, *others = trained_by(workers, folder)
        assert all(other == losses for other in others)
        # The epoch in which a worker died is repeated.
        assert losses[: KILLED - 1] == whole[: KILLED - 1]
        assert len(losses) == EPOCHS
        assert losses[-1] < losses[0]
        config = read(work.path)[1]
        mine, theirs = (load_encoder(path / ENCODER, config).state_dict() for path in (folder / "work", work.path))
        # As many workers go on as if nothing had happened.
        same = all(torch.equal(mine[name], theirs[name]) for name in theirs)
        assert same == (workers == 2)
    assert losses == whole


def test_a_finished_training_is_not_repeated(ended, monkeypatch):
    work, (losses, *_) = ended(1)
    before = (work.path / ENCODER).stat().st_mtime_ns
    assert train_partitions(*read(work.path), 0, "cpu", callbacks=[lambda *_: pytest.fail("it trains")]) == losses
    assert (work.path / ENCODER).stat().st_mtime_ns == before


@pytest.mark.parametrize("encoder", ["sign", "mlp", "linear"])
def test_partitions_are_embedded_as_the_encoder_embeds_all_rows(encoder, fitted, tmp_path):
    found = []
    for count in (1, 3, 7):
        changes = {"encoder.name": encoder, "training.epochs": 1, "encoder.skip": 2 if encoder == "sign" else 0}
        work = write(fitted[1], tmp_path / str(count), count, **changes)
        config = read(work.path, count)[1]
        train_partitions(work, config, 0, "cpu")
        found.append(torch.cat([embed_part(part, work, config, work.path / ENCODER) for part in range(count)]))
    # Products of fewer rows may be rounded otherwise.
    np.testing.assert_allclose(found[1], found[0], rtol=0, atol=1e-5)
    np.testing.assert_allclose(found[2], found[0], rtol=0, atol=1e-5)
    assert found[0].shape == (N, 8)
    assert len(found[0][:, -1].unique()) > N / 2


SAMPLED = """
    from genurl_graph.objectives.partitioned import train
    from tests.objectives.partitioned.test_train import read
    train.SAMPLED = 30_000
    with process_group("cpu"):
        train.train_partitions(*read(f"{folder}/work"), 0, "cpu")
"""


def test_principal_axes_are_those_of_a_sample_of_all_rows(fitted, tmp_path, monkeypatch):
    """They depend neither on the number of workers nor on who holds which row."""
    found = []
    for workers in (1, 2):
        folder = tmp_path / str(workers)
        folder.mkdir()
        changes = {"encoder.skip": 2, "training.epochs": 1, "sampling.batch_size": 600}
        work = write(fitted[1], folder / "work", 5, **changes)
        if workers == 1:
            monkeypatch.setattr(train, "SAMPLED", 30_000)
            train_partitions(*read(work.path), 0, "cpu")
        else:
            run_several(2, SAMPLED, folder)
        found.append(load_encoder(work.path / ENCODER, read(work.path)[1]).components)
    torch.testing.assert_close(found[0].axes, found[1].axes, rtol=0, atol=0)
    x = np.concatenate(list(work.parts("average1")))
    rows = sample_rows(N, 30_000 // (3 * x.shape[1]))
    assert len(rows) < N
    columns = torch.from_numpy(x)[rows] @ found[0].axes[1] - found[0].mean[1]
    torch.testing.assert_close(columns.std(0), torch.full((2,), found[0].deviation), rtol=2e-3, atol=0)


def test_what_partitions_do_not_train_is_said(fitted, ended, tmp_path):
    work, config = read(write(fitted[1], tmp_path / "work", 3, **{"training.epochs": 1}).path, 3)
    with pytest.raises(InputError, match="encoder: found 'gcn'; expected sign, mlp or linear"):
        train_partitions(work, config.override({"encoder.name": "gcn"}), 0, "cpu")
    shutil.copy(ended(1)[0].path / CHECKPOINT, work.path / CHECKPOINT)
    with pytest.raises(InputError, match="is of another run: seed is 0 there and 1 here"):
        train_partitions(work, config, 1, "cpu")
    (work.path / CHECKPOINT).unlink()
    work.file("p", 1).unlink()
    with pytest.raises(InputError, match="no partition 1 of 'p'"):
        train_partitions(work, config, 0, "cpu")


def test_an_encoder_file_that_is_damaged_or_of_another_run_is_named(ended, tmp_path):
    work, config = read(ended(1)[0].path)
    path = tmp_path / ENCODER
    with pytest.raises(InputError, match="is missing or damaged"):
        load_encoder(path, config)
    path.write_bytes((work.path / ENCODER).read_bytes()[:-100])
    with pytest.raises(InputError, match="is missing or damaged"):
        load_encoder(path, config)
    shutil.copy(work.path / ENCODER, path)
    with pytest.raises(InputError, match="does not fit this configuration"):
        load_encoder(path, config.override({"encoder.hidden": 32}))
