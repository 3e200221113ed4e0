"""Out of memory is named. The shortage is a fake: allocations are made to fail."""

import numpy as np
import pytest
import torch
from torch_geometric.data import Data

from genurl_graph import GenURL, knn
from genurl_graph.exceptions import ShortMemoryError
from genurl_graph.graph.knn import exact
from genurl_graph.runtime.memory import is_short_of_memory

CPU = RuntimeError(
    "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate "
    "8589934592 bytes. Error code 12 (Cannot allocate memory)"
)
GPU = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 139 GiB")
NUMPY = MemoryError("Unable to allocate 7.28 TiB for an array with shape (1000000, 1000000)")


def raising(error):
    def fail(*_, **__):
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "said"), [(CPU, "8589934592 bytes more were asked for"), (GPU, "20.00 MiB more"), (NUMPY, "7.28 TiB")]
)
def test_a_shortage_of_the_search_is_named(error, said, monkeypatch, one_thread) -> None:
    monkeypatch.setattr(exact.ProductTiles, "scores", raising(error))
    message = rf"neighbours of 300 among 300 rows of 5 features: out of memory .*{said}.*neighbors\.memory_mb"
    with pytest.raises(ShortMemoryError, match=message):
        knn(np.random.default_rng(0).standard_normal((300, 5)), 4)


def test_other_errors_stay_what_they_are(monkeypatch, one_thread) -> None:
    error = RuntimeError("mat1 and mat2 shapes cannot be multiplied")
    monkeypatch.setattr(exact.ProductTiles, "scores", raising(error))
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        knn(np.eye(30), 4)
    assert not is_short_of_memory(ShortMemoryError("training: out of memory (DefaultCPUAllocator)"))


def test_training_names_the_stage_and_what_helps(monkeypatch) -> None:
    node = torch.arange(20)
    data = Data(x=torch.rand(20, 4), edge_index=torch.stack([node, (node + 1) % 20]))
    monkeypatch.setattr(torch.optim.Adam, "step", raising(GPU))
    message = r"task graph, encoder gcn: out of memory \(20\.00 MiB more .*encoder\.hidden"
    with pytest.raises(ShortMemoryError, match=message):
        GenURL(epochs=2, device="cpu").fit(data)


def test_a_real_shortage_of_the_cpu_is_recognised() -> None:
    with pytest.raises(RuntimeError) as found:
        torch.empty(2**55, dtype=torch.uint8)
    assert is_short_of_memory(found.value)
    with pytest.raises(MemoryError) as numpy_found:
        np.empty(2**60, dtype=np.uint8)
    assert is_short_of_memory(numpy_found.value)
