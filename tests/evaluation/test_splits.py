"""Splits: sizes, disjointness, repeatability, public masks."""

import numpy as np
import pytest
import torch
from torch_geometric.data import Data

from genurl_graph.evaluation.splits import default_protocol, splits


def labelled(n=203, classes=4):
    return Data(y=torch.arange(n) % classes)


@pytest.mark.parametrize(
    ("protocol", "sizes", "repeats"), [("random-10", (20, 0, 183), 3), ("random-10-10-80", (20, 20, 163), 20)]
)
def test_random_splits_divide_all_nodes(protocol, sizes, repeats):
    found = list(splits(protocol, labelled(), seed=1))
    assert len(found) == repeats
    for split in found:
        assert tuple(len(part) for part in split) == sizes
        assert np.array_equal(np.sort(np.concatenate(split)), np.arange(203))
    assert len({tuple(split.train) for split in found}) == repeats
    again = list(splits(protocol, labelled(), seed=1, n_repeats=2))
    assert len(again) == 2
    for a, b in zip(again, found, strict=False):
        assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
    other = next(iter(splits(protocol, labelled(), seed=2)))
    assert not np.array_equal(other.train, found[0].train)


def test_nodes_without_label_are_in_no_part():
    data = labelled()
    data.y[:50] = -1
    for split in splits("random-10-10-80", data, n_repeats=2):
        assert np.array_equal(np.sort(np.concatenate(split)), np.arange(50, 203))
    masks = dict(
        zip(("train_mask", "val_mask", "test_mask"), torch.eye(3, dtype=torch.bool).repeat(1, 68), strict=True)
    )
    data = Data(y=data.y, **{name: mask[:203] for name, mask in masks.items()})
    (split,) = splits("public", data)
    assert np.array_equal(np.sort(np.concatenate(split)), np.arange(50, 203))


def test_public_masks_with_one_column():
    train, val, test = torch.zeros(3, 9, dtype=torch.bool)
    train[:3], val[3:5], test[6:] = True, True, True
    data = Data(y=torch.arange(9) % 2, train_mask=train, val_mask=val, test_mask=test)
    assert default_protocol(data) == "public"
    assert default_protocol(labelled()) == "random-10-10-80"
    (split,) = splits("public", data, seed=5)
    assert [part.tolist() for part in split] == [[0, 1, 2], [3, 4], [6, 7, 8]]


def test_public_masks_with_several_columns_share_one_test_mask():
    train = torch.eye(6, dtype=torch.bool)[:, :3]
    val = torch.eye(6, dtype=torch.bool)[:, [3, 4, 3]]
    test = torch.eye(6, dtype=torch.bool)[:, 5]
    found = list(splits("public", Data(y=torch.arange(6) % 2, train_mask=train, val_mask=val, test_mask=test)))
    assert [[part.tolist() for part in split] for split in found] == [
        [[0], [3], [5]],
        [[1], [4], [5]],
        [[2], [3], [5]],
    ]


def test_tiny_data_sets_train_on_two_classes():
    data = Data(y=torch.arange(34) // 17)
    for split in splits("random-10-10-80", data):
        assert len(set(data.y[split.train].tolist())) == 2
