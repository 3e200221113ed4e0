"""Two real processes: what they compute together is what one computes, up to the order of additions."""

import json
import socket

import numpy as np
import pytest
import torch

from genurl_graph import GenURL
from genurl_graph.datasets.synthetic import planted_graph
from genurl_graph.nn.layers import BatchNorm
from genurl_graph.runtime.processes import own_share, world_size
from tests.forked import run_together

# What each process does: fit, and leave its result in a file of its own.
WORKER = """
    import sys, json, torch
    from genurl_graph import GenURL
    from genurl_graph.datasets.synthetic import planted_graph
    from genurl_graph.runtime.processes import process_group, rank, world_size
    torch.set_num_threads(1)
    options, target = json.loads(sys.argv[1]), sys.argv[2]
    with process_group("cpu"):
        assert world_size() == 2
        data = planted_graph(600, 4000, 8, 4, noise=0.5, seed=0)
        model = GenURL(random_state=0, **options).fit(data if "task" not in options else data.x)
        torch.save([model.embedding_, torch.tensor(model.loss_history_)], f"{target}{rank()}")
"""

OPTIONS = {"n_components": 6, "encoder": "sign", "epochs": 2}
# Adam turns what rounding leaves of a gradient into whole steps: small ones.
CONFIG = {"encoder.hidden": 32, "sampling.batch_size": 200, "training.lr": 1e-3}


def run_two(script, *arguments):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": "1"}
    run_together(script, arguments, [shared | {"RANK": str(rank)} for rank in range(2)])


# Other halves of a batch are rounded elsewhere, in 8 bits.
@pytest.mark.parametrize(
    ("changes", "rtol"),
    [
        ({"config": CONFIG | {"training.precision": "bf16", "encoder.norm": "batch"}}, 0.01),
        ({"task": "reduce", "encoder": "mlp", "n_components": 2, "config": CONFIG}, 1e-4),
    ],
    ids=["bf16", "prototypes"],
)
def test_two_processes_train_what_one_does(changes, rtol, tmp_path):
    options = OPTIONS | changes
    run_two(WORKER, json.dumps(options), str(tmp_path / "rank"))
    (first, losses), (second, other) = (torch.load(tmp_path / f"rank{r}", weights_only=True) for r in range(2))
    assert torch.equal(first, second)
    assert torch.equal(losses, other)
    data = planted_graph(600, 4000, 8, 4, noise=0.5, seed=0)
    alone = GenURL(random_state=0, **options).fit(data if "task" not in options else data.x)
    np.testing.assert_allclose(losses, alone.loss_history_, rtol=rtol)
    assert first.dtype == torch.float32


def test_statistics_of_a_batch_are_those_of_all_processes(tmp_path):
    script = """
        import sys, torch
        from genurl_graph.nn.layers import BatchNorm
        from genurl_graph.objectives.base import added_up
        from genurl_graph.runtime.processes import own_share, process_group, rank
        from genurl_graph.losses import LossTerms
        torch.manual_seed(0)
        h, w = torch.randn(10, 3, dtype=torch.float64), torch.randn(10, 3, dtype=torch.float64)
        with process_group("cpu"):
            norm = BatchNorm(3).double()
            part = own_share(h).requires_grad_()
            loss = (norm(part).pow(3) * own_share(w)).sum()
            terms = added_up(LossTerms(loss, loss, loss * 0))
            loss.backward()
            torch.save([part.grad, terms.loss.detach(), norm.running_mean, norm.running_var], sys.argv[1] + str(rank()))
    """
    run_two(script, str(tmp_path / "rank"))
    found = [torch.load(tmp_path / f"rank{r}", weights_only=True) for r in range(2)]
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
        from genurl_graph import GenURL
        from genurl_graph.datasets.synthetic import planted_graph
        from genurl_graph.runtime.processes import process_group
        from genurl_graph.exceptions import InputError
        data = planted_graph(100, 400, 8, 4)
        with process_group("cpu"):
            assert GenURL().resolve(data).encoder.name == "sign"
            for options, expected in (
                ({"encoder": "gcn"}, "several processes"),
                ({"config": {"sampling.batch_size": 3}}, "expected 2 for each"),
            ):
                try:
                    GenURL(random_state=0, **options).fit(data)
                except InputError as error:
                    assert expected in str(error), error
                else:
                    raise AssertionError(options)
    """
    run_two(script)
