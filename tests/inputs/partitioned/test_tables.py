"""Tables of any size give the partitions that the same tables give in memory, whatever files hold them."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genurl_graph.datasets.readers import node_tables, read
from genurl_graph.datasets.readers.node_tables import find_tables, read_any_blocks
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.input import as_input
from genurl_graph.inputs.partitioned import Blocks, arcs, nodes, prepare_tables, write_prepared
from genurl_graph.inputs.reading import ReadOptions


def tables(*paths, options=ReadOptions()):  # noqa: B008 - never changed
    return Blocks(find_tables(paths, "tables"), partial(read_any_blocks, options=options))


def prepare(folder, edges, features, options=ReadOptions(), **how):  # noqa: B008 - never changed
    made = (tables(*each, options=options) for each in (edges, features))
    return prepare_tables(*made, folder / "prepared", options, **how)


def same(one, other) -> None:
    """The same rows, edges and labels."""
    a, b = one.whole(), other.whole()
    assert list(map(str, a.names)) == list(map(str, b.names))
    assert torch.equal(a.x, b.x)
    assert torch.equal(a.edge_index, b.edge_index)
    assert one.weighted == other.weighted
    assert not one.weighted or torch.equal(a.edge_weight, b.edge_weight)
    assert one.labelled == other.labelled
    if one.labelled:
        assert np.array_equal(*(np.concatenate([*each.store.parts("y")]) for each in (one, other)))


@pytest.fixture
def small_blocks(monkeypatch):
    """Many blocks, chunks and buckets of small tables."""
    monkeypatch.setattr(node_tables, "BLOCK_CELLS", 64)
    monkeypatch.setattr(arcs, "CHUNK", 50)
    monkeypatch.setattr(nodes, "_BUCKET", 400)


def written(folder, n=60, lines=200, weighted=True, text=True, seed=0):
    """A table of edges with repeats, both directions and self loops, and one of nodes, with labels."""
    generator = np.random.default_rng(seed)
    ids = [f"v{i}" for i in range(n)] if text else [int(i) for i in generator.integers(-(2**62), 2**62, n)]
    ends = np.array(ids, dtype=object)[generator.integers(0, n, (lines, 2))]
    edges = pd.DataFrame({"source": ends[:, 0], "target": ends[:, 1]})
    if weighted:
        edges["weight"] = generator.integers(0, 8, lines) / 4
    features = pd.DataFrame(generator.standard_normal((n, 20)).astype(np.float32), columns=[f"x{i}" for i in range(20)])
    features.insert(0, "id", ids)
    features["label"] = np.array(["red", "green", "blue", ""], dtype=object)[generator.integers(0, 4, n)]
    folder.mkdir(exist_ok=True)
    edges.to_csv(folder / "edges.csv", index=False)
    features.to_csv(folder / "nodes.csv", index=False)
    return edges, features


@pytest.mark.parametrize("directed", [None, True])
@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_files_are_what_they_are_in_memory(tmp_path, small_blocks, directed, text, weighted) -> None:
    written(tmp_path / "data", lines=120, weighted=weighted, text=text)
    paths = [tmp_path / "data" / name for name in ("edges.csv", "nodes.csv")]
    data = read(*paths, options=ReadOptions(directed=directed))
    expected = write_prepared(
        as_input(data), tmp_path / "expected", partitions=1, labels=data.y, classes=data.label_names
    )
    options = ReadOptions(directed=directed)
    for count in (1, 5):
        each = prepare(tmp_path, paths[:1], paths[1:], options, partitions=count)
        same(expected, each)
        assert each.manifest.classes == ("blue", "green", "red")
        assert each.manifest.features == tuple(f"x{i}" for i in range(20))
        assert each.ids(0).dtype == (object if text else np.int64)


def test_many_files_of_any_order_and_format_are_one(tmp_path, small_blocks) -> None:
    edges, features = written(tmp_path / "data")
    one = prepare(tmp_path, [tmp_path / "data" / "edges.csv"], [tmp_path / "data" / "nodes.csv"], partitions=2)
    parts = tmp_path / "parts"
    for name in ("edges", "nodes"):
        (parts / name).mkdir(parents=True)
    # Backwards, columns turned around in one, an empty part, a hidden file and a mark of success beside them.
    edges[150:].to_parquet(parts / "edges" / "a.parquet")
    edges[:0].to_parquet(parts / "edges" / "b.parquet")
    edges[:150][["weight", "target", "source"]].to_csv(parts / "edges" / "c.csv.gz", index=False)
    features[40:].to_feather(parts / "nodes" / "a.feather")
    features[:40][features.columns[::-1]].to_parquet(parts / "nodes" / "b.parquet")
    for name in ("edges/_SUCCESS", "nodes/.a.parquet.crc", "nodes/c.csv"):
        (parts / name).touch()
    two = prepare(tmp_path / "parts", [parts / "edges"], [parts / "nodes" / "*"], partitions=2)
    same(one, two)
    lines = "\n".join(two.manifest.reading["lines"])
    assert "read edges/* as edges: source -> target, weight weight (3 files, 200 lines" in lines
    assert "labels in label (3 classes" in lines


@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.sampled_from([0.0, 0.5, 1.0, 3.0])), min_size=1),
    st.booleans(),
    st.sampled_from([None, True]),
)
def test_repeats_and_directions_are_summed_as_in_memory(tmp_path_factory, lines, weighted, directed) -> None:
    folder = tmp_path_factory.mktemp("of")
    frame = pd.DataFrame(lines, columns=["source", "target", "weight"])
    frame = frame if weighted else frame.drop(columns="weight")
    frame.to_csv(folder / "edges.csv", index=False)
    features = pd.DataFrame(np.random.default_rng(0).standard_normal((6, 17)), columns=[f"x{i}" for i in range(17)])
    features.insert(0, "id", range(6))
    features.to_csv(folder / "nodes.csv", index=False)
    paths = [folder / name for name in ("edges.csv", "nodes.csv")]
    expected = write_prepared(
        as_input(read(*paths, options=ReadOptions(directed=directed))), folder / "expected", partitions=2
    )
    options = ReadOptions(directed=directed)
    found = prepare(folder, paths[:1], paths[1:], options, partitions=2)
    row, col, weight = (np.concatenate(each) for each in zip(*map(found.edges, range(2)), strict=True))
    other = [np.concatenate(each) for each in zip(*map(expected.edges, range(2)), strict=True)]
    assert np.array_equal(np.stack([row, col, weight]), np.stack(other))


def test_nodes_without_a_row_are_counted_named_or_dropped(tmp_path, small_blocks) -> None:
    edges, _ = written(tmp_path / "data")
    edges.loc[170, "target"], edges.loc[180, "source"], edges.loc[190, "target"] = "w1", "w2", "w1"
    edges.to_csv(tmp_path / "more.csv", index=False)
    features = [tmp_path / "data" / "nodes.csv"]
    with pytest.raises(InputError) as error:
        prepare(tmp_path, [tmp_path / "more.csv"], features, partitions=3)
    assert "2 nodes without a row of features, such as 'w" in str(error.value)
    assert any(f"line {line}: found" in str(error.value) for line in (172, 182))
    assert "--drop-unknown leaves their edges out" in str(error.value)
    assert not (tmp_path / "prepared").exists()
    found = prepare(tmp_path, [tmp_path / "more.csv"], features, partitions=3, drop_unknown=True)
    edges.drop(index=[170, 180, 190]).to_csv(tmp_path / "less.csv", index=False)
    same(found, prepare(tmp_path / "data", [tmp_path / "less.csv"], features, partitions=3))
    assert "3 lines to 2 nodes without a row left out" in "\n".join(found.manifest.reading["lines"])


def test_columns_that_need_it_are_encoded_by_one_plan(tmp_path, small_blocks) -> None:
    _, features = written(tmp_path / "data")
    features["country"] = np.array(["DE", "FR"])[np.arange(60) % 2]
    features["age"] = np.where(np.arange(60) % 5 == 0, np.nan, np.arange(60.0))
    features.to_csv(tmp_path / "nodes.csv", index=False)
    paths = [tmp_path / "data" / "edges.csv", tmp_path / "nodes.csv"]
    monkey = prepare(tmp_path, paths[:1], paths[1:], partitions=3)
    assert monkey.manifest.plan is not None
    data = read(*paths)
    expected = as_input(data)
    # The plan is fitted on a sample, here on the first block: it has the same columns, but other constants.
    assert monkey.manifest.features == tuple(expected.plan.names)
    assert np.isfinite(np.concatenate([*monkey.store.parts("x")])).all()


BAD_NODES = {
    "id,a,b\nv0,1,2\nv0,3,4\n": "node id 'v0' more than once",
    "name,a,b\nv0,1,2\n,3,4\n": "an empty cell; expected the id of a node",
    "a,b\n1.5,2\n3.5,4\n": "found no column of ids; expected one, named by --column id=NAME",
    "id,label\nv0,red\nv1,green\n": "no feature columns beside the ids and labels",
}


@pytest.mark.parametrize("content", BAD_NODES)
def test_bad_tables_of_nodes_are_refused(tmp_path, content) -> None:
    (tmp_path / "edges.csv").write_text("source,target\nv0,v1\n")
    (tmp_path / "nodes.csv").write_text(content)
    with pytest.raises(InputError, match=BAD_NODES[content]):
        prepare(tmp_path, [tmp_path / "edges.csv"], [tmp_path / "nodes.csv"])
    assert not (tmp_path / "prepared").exists()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["edges.csv", "nodes.csv"]


def test_a_file_that_is_not_as_the_first_is_named(tmp_path, small_blocks) -> None:
    edges, features = written(tmp_path / "data")
    (tmp_path / "nodes").mkdir()
    features[:30].to_csv(tmp_path / "nodes" / "a.csv", index=False)
    other = features[30:]
    bad = {
        "no column 'x7' among": other.drop(columns="x7"),
        "an empty cell; expected a number": other.assign(x7=np.where(np.arange(30) == 20, np.nan, other.x7)),
    }
    for message, frame in bad.items():
        frame.to_parquet(tmp_path / "nodes" / "b.parquet", index=False)
        with pytest.raises(InputError, match=rf"b\.parquet.*{message}"):
            prepare(tmp_path, [tmp_path / "data" / "edges.csv"], [tmp_path / "nodes"])
    other.to_parquet(tmp_path / "nodes" / "b.parquet", index=False)
    edges.loc[120, "weight"] = -1
    edges.to_csv(tmp_path / "edges.csv", index=False)
    with pytest.raises(InputError, match=r"edges\.csv.*1 negative weight, the first \(-1\) of line 122"):
        prepare(tmp_path, [tmp_path / "edges.csv"], [tmp_path / "nodes"])


def test_what_is_no_table_is_named(tmp_path) -> None:
    with pytest.raises(InputError, match=r"edges: .*nowhere.csv does not exist"):
        find_tables([tmp_path / "nowhere.csv"], "edges")
    (tmp_path / "notes.docx").write_text("x")
    with pytest.raises(InputError, match=r"found 1 file, such as notes\.docx; expected tables"):
        find_tables([tmp_path], "edges")
    (tmp_path / "a.csv").touch()
    with pytest.raises(InputError, match="found nothing in 1 file; expected tables with rows"):
        find_tables([tmp_path / "*.csv"], "edges")


def test_files_of_a_header_alone_count_for_nothing_and_damage_is_named(tmp_path) -> None:
    written(tmp_path / "data")
    (tmp_path / "a.csv").write_text("source,target,weight\n")
    edges, features = [tmp_path / "a.csv", tmp_path / "data" / "edges.csv"], [tmp_path / "data" / "nodes.csv"]
    assert prepare(tmp_path, edges, features).manifest.num_edges
    with pytest.raises(InputError, match=r"a\.csv: found no rows"):
        prepare(tmp_path, edges[:1], features)
    for suffix in ("parquet", "arrow"):
        junk = tmp_path / f"junk.{suffix}"
        junk.write_text("hello")
        with pytest.raises(InputError, match=rf"junk\.{suffix}: found damage, or what pyarrow cannot read"):
            prepare(tmp_path, edges, [junk])


@pytest.mark.parametrize("raw", [True, False])
def test_new_tables_get_the_features_of_others(tmp_path, small_blocks, raw) -> None:
    _, features = written(tmp_path / "data")
    if raw:
        features["country"] = np.array(["DE", "FR"])[np.arange(60) % 2]
    features.to_csv(tmp_path / "nodes.csv", index=False)
    edges = tmp_path / "data" / "edges.csv"
    first = prepare(tmp_path, [edges], [tmp_path / "nodes.csv"])
    # Some of the rows, of another scale as a whole, in another order of columns, and with one that is new.
    few = features[:30].assign(new=1.5)[["new", *features.columns[::-1]]]
    few.to_csv(tmp_path / "few.csv", index=False)
    again = prepare(tmp_path / "data", [edges], [tmp_path / "few.csv"], like=first.manifest, drop_unknown=True)
    assert (again.manifest.plan is not None) == raw
    assert again.manifest.features == first.manifest.features
    rows = dict(zip(first.ids(0), first.store.load("x", 0), strict=True))
    assert all(
        np.array_equal(rows[name], row) for name, row in zip(again.ids(0), again.store.load("x", 0), strict=True)
    )
    features.drop(columns="x3").to_csv(tmp_path / "less.csv", index=False)
    with pytest.raises(InputError, match=r"less\.csv: found no column 'x3'"):
        prepare(tmp_path / "data", [edges], [tmp_path / "less.csv"], like=first.manifest)
