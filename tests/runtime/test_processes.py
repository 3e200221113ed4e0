"""Two real processes: what they compute together is what one computes, up to the order of additions."""

import json
import socket
import textwrap

import numpy as np
import pytest
import torch

from genurl_graph import GenURL
from genurl_graph.datasets.synthetic import planted_graph
from genurl_graph.nn.layers import BatchNorm
from genurl_graph.runtime.processes import own_share, world_size
from tests.forked import run_together

# What each process begins with. `options` are those given to `run_two`, which returns what each of them keeps.
PRELUDE = """
import sys, json, torch
from genurl_graph import GenURL
from genurl_graph.datasets.synthetic import planted_graph
from genurl_graph.runtime.processes import process_group, rank, world_size
torch.set_num_threads(1)
folder, options = sys.argv[1], json.loads(sys.argv[2])
def keep(found):
    torch.save(found, f"{folder}/rank{rank()}.pt")
"""
WORKER = """
    with process_group("cpu"):
        assert world_size() == 2
        data = planted_graph(600, 4000, 8, 4, noise=0.5, seed=0)
        model = GenURL(random_state=0, **options).fit(data if "task" not in options else data.x)
        keep([model.embedding_, torch.tensor(model.loss_history_)])
"""

OPTIONS = {"n_components": 6, "encoder": "sign", "epochs": 2}
# Adam turns what rounding leaves of a gradient into whole steps: small ones.
CONFIG = {"encoder.hidden": 32, "sampling.batch_size": 200, "training.lr": 1e-3}

BARLOW = {"loss.name": "barlow", "loss.projector": 16}


def run_two(script, folder, **options):
    """Run a script in two processes; returns what each of them keeps in `folder`, if anything."""
    return run_several(2, script, folder, **options)


def run_several(count, script, folder, **options):
    """As `run_two`, in `count` processes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": "1"}
    arguments = [str(folder), json.dumps(options)]
    run_together(PRELUDE + textwrap.dedent(script), arguments, [shared | {"RANK": str(rank)} for rank in range(count)])
    return [torch.load(file, weights_only=True) for file in sorted(folder.glob("rank*.pt"))]


# Other halves of a batch are rounded elsewhere, in 8 bits.
@pytest.mark.parametrize(
    ("changes", "rtol"),
    [
        ({"config": CONFIG | {"training.precision": "bf16", "encoder.norm": "batch"}}, 0.01),
        ({"config": CONFIG | {"loss.per": "global"}}, 1e-4),
        ({"task": "reduce", "encoder": "mlp", "n_components": 2, "config": CONFIG}, 1e-4),
        ({"task": "reduce", "encoder": "linear", "config": CONFIG | BARLOW}, 1e-4),
    ],
    ids=["bf16", "global", "prototypes", "barlow"],
)
def test_two_processes_train_what_one_does(changes, rtol, tmp_path):
    options = OPTIONS | changes
    (first, losses), (second, other) = run_two(WORKER, tmp_path, **options)
    assert torch.equal(first, second)
    assert torch.equal(losses, other)
    data = planted_graph(600, 4000, 8, 4, noise=0.5, seed=0)
    alone = GenURL(random_state=0, **options).fit(data if "task" not in options else data.x)
    np.testing.assert_allclose(losses, alone.loss_history_, rtol=rtol)
    assert first.dtype == torch.float32


def test_statistics_of_a_batch_are_those_of_all_processes(tmp_path):
    script = """
        from genurl_graph.nn.layers import BatchNorm
        from genurl_graph.objectives.base import added_up
        from genurl_graph.runtime.processes import own_share
        from genurl_graph.losses import LossTerms
        torch.manual_seed(0)
        h, w = torch.randn(10, 3, dtype=torch.float64), torch.randn(10, 3, dtype=torch.float64)
        with process_group("cpu"):
            norm = BatchNorm(3).double()
            part = own_share(h).requires_grad_()
            loss = (norm(part).pow(3) * own_share(w)).sum()
            terms = added_up(LossTerms(loss, loss, loss * 0))
            loss.backward()
            keep([part.grad, terms.loss.detach(), norm.running_mean, norm.running_var])
    """
    found = run_two(script, tmp_path)
    torch.manual_seed(0)
    h, w = torch.randn(10, 3, dtype=torch.float64).requires_grad_(), torch.randn(10, 3, dtype=torch.float64)
    norm = torch.nn.BatchNorm1d(3).double()
    loss = (norm(h).pow(3) * w).sum()
    loss.backward()
    torch.testing.assert_close(torch.cat([part[0] for part in found]), h.grad)
    for _, total, mean, variance in found:
        torch.testing.assert_close(total, loss.detach())
        torch.testing.assert_close(mean, norm.running_mean)
        torch.testing.assert_close(variance, norm.running_var)


def test_alone_nothing_changes():
    assert world_size() == 1
    nodes = torch.arange(5)
    assert own_share(nodes) is nodes
    torch.manual_seed(0)
    h = torch.randn(8, 3)
    assert torch.equal(BatchNorm(3)(h), torch.nn.BatchNorm1d(3)(h))


def test_full_batches_are_refused(tmp_path):
    script = """
        import pytest
        from genurl_graph.exceptions import InputError
        data = planted_graph(100, 400, 8, 4)
        with process_group("cpu"):
            assert GenURL().resolve(data).encoder.name == "sign"
            for options, expected in (
                ({"encoder": "gcn"}, "several processes"),
                ({"config": {"sampling.batch_size": 3}}, "expected 2 for each"),
            ):
                with pytest.raises(InputError, match=expected):
                    GenURL(random_state=0, **options).fit(data)
    """
    run_two(script, tmp_path)
