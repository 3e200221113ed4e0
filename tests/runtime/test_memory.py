"""Out of memory: tried once more in less, then named. The shortage is a fake: allocations are made to fail."""

import numpy as np
import pytest
import torch
from torch_geometric.data import Data

import genurl_graph.graph.knn.tiles as tiles
from genurl_graph import GenURL, knn
from genurl_graph.exceptions import ShortMemoryError
from genurl_graph.runtime.memory import is_short_of_memory

CPU = RuntimeError(
    "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate "
    "8589934592 bytes. Error code 12 (Cannot allocate memory)"
)
GPU = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 139 GiB")
NUMPY = MemoryError("Unable to allocate 7.28 TiB for an array with shape (1000000, 1000000)")


class Short:
    """`_Tile` that fails, as often as asked for, with an error."""

    def __init__(self, error: BaseException, times: int) -> None:
        self.error, self.times, self.sides = error, times, []
        self.make = tiles._Tile

    def __call__(self, rows: int, cols: int, device: torch.device):
        self.sides.append(rows)
        if len(self.sides) <= self.times:
            raise self.error
        return self.make(rows, cols, device)


@pytest.mark.parametrize(
    ("error", "said"), [(CPU, "8589934592 bytes more were asked for"), (GPU, "20.00 MiB more"), (NUMPY, "7.28 TiB")]
)
def test_neighbours_are_searched_again_in_smaller_tiles(error, said, monkeypatch, one_thread) -> None:
    x = np.random.default_rng(0).standard_normal((3000, 5)).astype(np.float32)
    expected = knn(x, 4)
    short = Short(error, 1)
    monkeypatch.setattr(tiles, "_Tile", short)
    with pytest.warns(UserWarning, match=f"search for neighbours: out of memory .*{said}.* within 8 MiB instead of 64"):
        found = knn(x, 4, memory_mb=64)
    assert short.sides[1] < short.sides[0]
    assert torch.equal(found.indices, expected.indices)


def test_a_second_shortage_is_named(monkeypatch, one_thread) -> None:
    monkeypatch.setattr(tiles, "_Tile", Short(GPU, 2))
    x = np.random.default_rng(0).standard_normal((300, 5))
    message = r"neighbours of 300 among 300 rows of 5 features: out of memory .*neighbors\.memory_mb"
    with pytest.warns(UserWarning, match="trying once more"), pytest.raises(ShortMemoryError, match=message):
        knn(x, 4)


def test_other_errors_stay_what_they_are(monkeypatch, one_thread) -> None:
    monkeypatch.setattr(tiles, "_Tile", Short(RuntimeError("mat1 and mat2 shapes cannot be multiplied"), 1))
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        knn(np.eye(30), 4)
    assert not is_short_of_memory(ShortMemoryError("training: out of memory (DefaultCPUAllocator)"))


def test_training_names_the_stage_and_what_helps(monkeypatch) -> None:
    def fail(*_, **__):
        raise GPU

    node = torch.arange(20)
    data = Data(x=torch.rand(20, 4), edge_index=torch.stack([node, (node + 1) % 20]))
    monkeypatch.setattr(torch.optim.Adam, "step", fail)
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
