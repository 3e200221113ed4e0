"""Coordinates to start from: what may come, and by which names."""

import numpy as np
import pandas as pd
import pytest
import torch

from genurl_graph.exceptions import InputError
from genurl_graph.inputs.start import named_start, read_start


def test_arrays_tensors_and_lists_become_float32():
    given = np.arange(6.0).reshape(3, 2)
    for init in (given, given.astype(int), torch.from_numpy(given), given.tolist()):
        start = read_start(init, None, 3)
        assert start.z.dtype == torch.float32
        assert start.z.tolist() == given.tolist()
    start.z[0] = 9
    assert given[0, 0] == 0  # the caller's array is left alone


def test_frame_is_matched_by_names():
    frame = pd.DataFrame([[0.0, 1], [2, 3], [4, 5]], index=["c", "a", "b"])
    start = read_start(frame, np.array(["a", "b", "c"], dtype=object), 3)
    assert start.z[:, 0].tolist() == [2, 4, 0]
    numbered = read_start(frame.set_axis([2, 1, 0]), None, 3)
    assert numbered.z[:, 0].tolist() == [4, 2, 0]


def test_names_of_starts():
    assert [named_start(init) for init in (None, "auto", "spectral", np.zeros((3, 2)))] == [
        None,
        None,
        "spectral",
        None,
    ]
    assert read_start("pca", None, 3) is None
    with pytest.raises(InputError, match=r"init: found 'pcs'; expected one of auto, pca.*did you mean 'pca'"):
        named_start("pcs")


@pytest.mark.parametrize(
    ("init", "message"),
    [
        (np.zeros((2, 2)), r"init: found shape \[2, 2\]; expected \[3, f\]"),
        (np.zeros(3), r"init: found .*shape"),
        (np.array([["a", "b"]] * 3), "init: found"),
        (np.zeros((3, 2), dtype=complex), "init: found .*complex"),
        (np.array([[0, 1], [np.nan, 0], [0, 0]]), "1 NaN or infinite values, the first .* at row 1, column 0"),
        (np.full((3, 2), 1e300), "init: found 6 NaN or infinite values"),
        (torch.eye(3).to_sparse(), "init: found a sparse matrix; expected a dense one"),
        (pd.DataFrame(np.zeros((2, 2))), "init: found no row for 1 samples, the first 2; expected one"),
        (pd.DataFrame(np.zeros((3, 2)), index=[0, 1, 1]), "init: found the name 1 twice"),
    ],
)  # fmt: skip
def test_bad_starts(init, message):
    with pytest.raises(InputError, match=message):
        read_start(init, None, 3)
