"""Trajectories on disk."""

import numpy as np
import pandas as pd
import pytest
import torch

from genurl_graph.exceptions import InputError
from genurl_graph.inputs.embeddings import read_embedding, write_embedding
from genurl_graph.inputs.temporal import Trajectory
from genurl_graph.inputs.temporal.trajectory_files import (
    check_trajectory_path,
    read_trajectory,
    trajectory_path,
    write_trajectory,
)

HERE = Trajectory(
    node=torch.tensor([0, 1, 0, 2]),
    window=torch.tensor([0, 0, 1, 4]),
    embedding=torch.randn(4, 3, generator=torch.Generator().manual_seed(0)),
    events=torch.tensor([1.0, 1.0, 3.0, 2.0]),
    starts=torch.tensor([10.0, 12.0, 14.0, 16.0, 18.0, 19.5], dtype=torch.float64),
    num_nodes=4,
)
NAMES = ["=1+1", "007", "c", "é"]


@pytest.mark.parametrize("suffix", [".npz", ".pt", ".csv", ".parquet"])
@pytest.mark.parametrize("names", [None, NAMES, [7, 5, 9, 1]], ids=["plain", "names", "numbers"])
def test_what_is_written_is_read(suffix, names, tmp_path) -> None:
    path = tmp_path / f"calls{suffix}"
    write_trajectory(path, HERE.invariant(), HERE, names, label=[0, 1, 0, -1])
    columns, found, _ = read_trajectory(path)
    assert found is not None
    for one, other in zip(found[:-1], HERE[:-1], strict=True):
        assert one.dtype == other.dtype
        assert torch.equal(one, other)
    assert found.num_nodes == 4
    assert columns["node_id"].tolist() == (names or [0, 1, 2, 3])
    assert np.array_equal(columns["embedding"], HERE.invariant().numpy())
    assert columns["label"].tolist() == [0, 1, 0, -1]
    # Whoever knows nothing of windows reads a row a node.
    assert read_embedding(path)["embedding"].shape == (4, 3)


def test_a_table_has_a_row_for_each_node_and_window(tmp_path) -> None:
    write_trajectory(tmp_path / "calls.csv", HERE.invariant(), HERE, NAMES)
    table = pd.read_csv(trajectory_path(tmp_path / "calls.csv"))
    assert table.columns.tolist() == ["node_id", "window", "window_start", "window_end", "events", "e0", "e1", "e2"]
    assert table.node_id.tolist() == ["'=1+1", "007", "'=1+1", "c"]
    assert table.window_end.tolist() == [12.0, 12.0, 14.0, 19.5]


@pytest.mark.parametrize("suffix", [".npz", ".pt", ".csv"])
def test_the_unit_of_the_times_is_kept_or_told_by_their_size(suffix, tmp_path) -> None:
    path = tmp_path / f"calls{suffix}"
    later = HERE._replace(starts=HERE.starts + 1.2e9)
    write_trajectory(path, HERE.invariant(), later, unit="seconds")
    assert read_trajectory(path).unit == "seconds"
    write_trajectory(path, HERE.invariant(), HERE)
    assert read_trajectory(path).unit == "numbers"


def test_an_embedding_without_windows_has_no_trajectory(tmp_path) -> None:
    for suffix in (".npz", ".npy", ".csv", ".pt"):
        write_embedding(tmp_path / f"plain{suffix}", HERE.invariant())
        assert read_trajectory(tmp_path / f"plain{suffix}").trajectory is None


def test_a_file_without_room_is_refused_before_any_work(tmp_path) -> None:
    with pytest.raises(InputError, match="cannot also hold windows"):
        check_trajectory_path(tmp_path / "calls.npy")
    (tmp_path / "calls-trajectory.csv").mkdir()
    with pytest.raises(InputError, match="a folder"):
        check_trajectory_path(tmp_path / "calls.csv")


def test_damaged_parts_are_refused(tmp_path) -> None:
    path = tmp_path / "calls.npz"
    write_trajectory(path, HERE.invariant(), HERE)
    held = dict(np.load(path))
    np.savez(path, **(held | {"trajectory_node": held["trajectory_node"] + 9}))
    with pytest.raises(InputError, match="do not fit together"):
        read_trajectory(path)
    del held["window_start"]
    np.savez(path, **held)
    with pytest.raises(InputError, match="without window_start"):
        read_trajectory(path)
    write_trajectory(tmp_path / "a.csv", HERE.invariant(), HERE, NAMES)
    table = pd.read_csv(tmp_path / "a-trajectory.csv", dtype={"node_id": str})
    table.assign(node_id="nobody").to_csv(tmp_path / "a-trajectory.csv", index=False)
    with pytest.raises(InputError, match="the node 'nobody'"):
        read_trajectory(tmp_path / "a.csv")
