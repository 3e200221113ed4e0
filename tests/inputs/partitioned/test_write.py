"""Prepared partitions hold what the input holds, under numbers that depend on nothing but the ids."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genurl_graph.exceptions import InputError
from genurl_graph.graph.edge_lists import add_inverses, clean_edges
from genurl_graph.inputs.input import Input, as_input
from genurl_graph.inputs.partitioned import Prepared, write_prepared
from genurl_graph.inputs.partitioned.folder import new_folder
from genurl_graph.inputs.partitioned.numbering import as_numbers, check_keys, id_keys


def drawn(n: int, entries: int, weighted: bool, seed: int = 0, names=None) -> Input:
    """A directed graph with self loops, of which each ordered pair is there once, as in every input."""
    generator = np.random.default_rng(seed)
    keys = np.unique(generator.integers(0, n * n, entries))
    edges = torch.from_numpy(np.stack(np.divmod(generator.permutation(keys), n)))
    weight = torch.rand(len(keys), generator=torch.Generator().manual_seed(seed)) if weighted else None
    x = torch.randn(n, 3, generator=torch.Generator().manual_seed(seed))
    return Input(x, edges, weight, n, "torch", names=names)


def in_memory(data: Input):
    """The edges as the similarities of a run in memory begin: cleaned, in both directions."""
    edges, weight = clean_edges("edge_index", data.edge_index, data.edge_weight, data.num_nodes, False)
    edges, weight = add_inverses(edges, weight, data.num_nodes, False)
    order = (edges[0] * data.num_nodes + edges[1]).argsort()
    return edges[:, order], weight[order]


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 30), st.integers(0, 120), st.booleans(), st.sampled_from([1, 3, 7]))
def test_rows_and_edges_are_those_of_the_input(tmp_path_factory, n, entries, weighted, count) -> None:
    data = drawn(n, entries, weighted)
    found = write_prepared(data, tmp_path_factory.mktemp("of") / "prepared", partitions=min(count, n))
    ids = np.concatenate([found.ids(part) for part in range(found.store.count)])
    assert sorted(ids) == list(range(n))
    assert np.array_equal(np.concatenate([*found.store.parts("x")]), data.x[ids])
    # The same graph under the new numbers, cleaned in memory.
    place = torch.empty(n, dtype=torch.long)
    place[torch.from_numpy(ids)] = torch.arange(n)
    edges, weight = in_memory(data._replace(edge_index=place[data.edge_index]))
    row, col, own = (np.concatenate(each) for each in zip(*map(found.edges, range(found.store.count)), strict=True))
    assert np.array_equal(np.stack([row, col]), edges)
    assert np.array_equal(own, weight)
    assert found.manifest.num_edges == edges.size(1)
    assert found.weighted == weighted


def test_numbers_do_not_depend_on_partitions_or_the_order_of_rows(tmp_path) -> None:
    names = [f"node {i}" for i in range(50)]
    data = drawn(50, 300, True, names=names)
    order = torch.randperm(50, generator=torch.Generator().manual_seed(1))
    other = data._replace(
        x=data.x[order], edge_index=order.argsort()[data.edge_index], names=[names[i] for i in order.tolist()]
    )
    one = write_prepared(data, tmp_path / "one", partitions=1).whole()
    for count in (3, 7):
        seven = write_prepared(other, tmp_path / str(count), partitions=count).whole()
        assert list(one.names) == list(seven.names)
        for a, b in zip(one[:3], seven[:3], strict=True):
            assert torch.equal(a, b)
    # Another seed, another order.
    assert list(write_prepared(data, tmp_path / "two", seed=1).whole().names) != list(one.names)


def test_labels_names_and_what_was_read_are_kept(tmp_path) -> None:
    data = drawn(20, 40, False, names=np.arange(100, 120))
    y = np.arange(20) % 3 - 1
    found = write_prepared(data, tmp_path / "prepared", rows=7, labels=torch.from_numpy(y), classes=["a", "b"])
    assert found.store.bounds == (0, 6, 13, 20)
    assert found.labelled
    assert found.manifest.classes == ("a", "b")
    ids = np.concatenate([found.ids(part) for part in range(3)])
    assert ids.dtype == np.int64
    assert np.array_equal(np.concatenate([*found.store.parts("y")]), y[ids - 100])
    assert found.store.load("col", 0).dtype == np.int32
    assert found.manifest == Prepared.open(tmp_path / "prepared").manifest
    assert not (tmp_path / "prepared" / "work").exists()
    assert [file.name for file in tmp_path.iterdir()] == ["prepared"]


def test_vectors_have_no_edges_and_sparse_features_become_rows(tmp_path) -> None:
    x = torch.eye(9)[:, :4].contiguous()
    dense = write_prepared(as_input(x), tmp_path / "dense", partitions=2)
    sparse = write_prepared(Input(x.to_sparse_csr(), None, None, 9, "torch"), tmp_path / "sparse", partitions=2)
    assert dense.manifest.num_edges == 0
    assert dense.whole().edge_index is None
    assert torch.equal(dense.whole().x, sparse.whole().x)
    assert dense.num_features == 4


def test_a_failure_leaves_what_was_there(tmp_path, monkeypatch) -> None:
    path = tmp_path / "prepared"
    write_prepared(drawn(20, 40, False), path, partitions=2)
    before = (path / "manifest.json").read_text()
    monkeypatch.setattr("genurl_graph.inputs.partitioned.write.join_edges", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_prepared(drawn(20, 40, True), path, partitions=3)
    assert (path / "manifest.json").read_text() == before
    assert [file.name for file in tmp_path.iterdir()] == ["prepared"]


def test_bad_input_is_named(tmp_path) -> None:
    data = drawn(20, 40, False)
    with pytest.raises(InputError, match="partitions: found 21; expected a number from 1 to 20"):
        write_prepared(data, tmp_path / "a", partitions=21)
    with pytest.raises(InputError, match=r"labels: found int64 of shape \[3\]; expected a whole number for each of 20"):
        write_prepared(data, tmp_path / "a", labels=np.arange(3))
    with pytest.raises(InputError, match="found distances; expected one graph, or vectors"):
        write_prepared(Input(None, None, None, 3, "torch", distances=np.eye(3)), tmp_path / "a")
    with pytest.raises(InputError, match="node id 'a' more than once; expected each id once"):
        write_prepared(data._replace(names=["a", "a", *range(18)]), tmp_path / "a")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("dear")
    with pytest.raises(InputError, match="found a folder that holds other files"):
        write_prepared(data, tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "dear"
    assert not (tmp_path / "a").exists()


def test_a_folder_that_is_none_of_ours_or_not_complete_is_refused(tmp_path) -> None:
    with pytest.raises(InputError, match="found nothing; expected a folder that genurl-graph prepare wrote"):
        Prepared.open(tmp_path / "absent")
    with pytest.raises(InputError, match=r"found no manifest\.json"):
        Prepared.open(tmp_path)
    path = tmp_path / "prepared"
    found = write_prepared(drawn(20, 40, False), path, partitions=2)
    found.store.file("x", 1).unlink()
    with pytest.raises(InputError, match=r"found no x.00001\.npy; expected all partitions that its manifest names"):
        Prepared.open(path)
    said = json.loads(Path(path / "manifest.json").read_text())
    for change, message in (
        ({"version": 2}, "version 2"),
        ({"format": "other"}, "the format 'other'"),
        ({"bounds": [0, 10, 10]}, r"bounds \[0, 10, 10\]; expected numbers of rows from 0 on"),
        ({"bounds": None}, "bounds None"),
        ({"bounds": [0, "b"]}, "no '>=' not supported"),
    ):
        (path / "manifest.json").write_text(json.dumps(said | change))
        with pytest.raises(InputError, match=f"found {message}"):
            Prepared.open(path)


def test_ids_are_the_same_as_numbers_and_as_text() -> None:
    numbers = np.array([0, 7, -3, 2**62, 2**63 - 1, -(2**63)], dtype=np.int64)
    text = np.array([*map(str, numbers), "007", "7.0", "-0", "x", "", str(2**63), str(-(2**63) - 1)], dtype=object)
    assert np.array_equal(id_keys(text, 5)[:6], id_keys(numbers, 5))
    assert np.array_equal(as_numbers(text[:6]), numbers)
    assert as_numbers(text).dtype == object
    # Everything else is a name, which has a hash of its own.
    assert len(set(id_keys(text, 5).tolist())) == len(text)
    assert not set(id_keys(text, 5).tolist()) & set(id_keys(text, 6).tolist())


def test_two_names_of_one_hash_are_told_from_an_id_that_repeats() -> None:
    keys = np.array([1, 4, 4, 9], dtype=np.uint64)
    with pytest.raises(InputError, match="ids 'b' and 'c', whose hashes are the same; expected another --seed"):
        check_keys("nodes", keys, np.array(["a", "b", "c", "d"], dtype=object))
    with pytest.raises(InputError, match="node id 'b' more than once"):
        check_keys("nodes", keys, np.array(["a", "b", "b", "d"], dtype=object))


def test_a_folder_stays_where_the_new_one_cannot_take_its_place(tmp_path, monkeypatch) -> None:
    path, replace = tmp_path / "prepared", os.replace
    write_prepared(drawn(20, 40, False), path)
    before = (path / "manifest.json").read_text()

    def refuse(source, target):
        if Path(target) == path and (Path(source) / "new").exists():
            raise OSError("no room")
        replace(source, target)

    def write() -> None:
        with new_folder(path) as folder:
            (folder / "new").touch()

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="no room"):
        write()
    assert (path / "manifest.json").read_text() == before
    assert [each.name for each in tmp_path.iterdir()] == ["prepared"]


def test_one_process_at_a_time_writes_a_folder_and_clears_what_a_killed_one_left(tmp_path) -> None:
    path = tmp_path / "prepared"
    write_prepared(drawn(20, 40, False), path)
    (tmp_path / ".prepared.0123abcd" / "x").mkdir(parents=True)
    (tmp_path / ".prepared.mine").mkdir()
    with new_folder(path), pytest.raises(InputError, match="another run that writes this file"), new_folder(path):
        pass
    assert sorted(each.name for each in tmp_path.iterdir()) == [".prepared.mine", "prepared"]
