"""Data sets of events."""

import gzip

import pytest

from genurl_graph import datasets
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.temporal import EventSet


@pytest.mark.parametrize("name", ["CollegeMsg", "Bitcoin-OTC"])
def test_they_have_the_published_sizes(name, data_root) -> None:
    found, entry = datasets.load(name, data_root), datasets.info(name)
    assert isinstance(found, EventSet)
    assert found.name == name
    assert found.unit == "seconds"
    sizes = (found.num_events, found.num_nodes, found.edges.pairs().size(1))
    assert sizes == (entry.n_events, entry.n_nodes, entry.n_edges)
    assert bool((found.edges.time.diff() >= 0).all())


def test_ratings_are_weights_and_names_those_of_the_file(data_root) -> None:
    found = datasets.load("bitcoin-otc", data_root)
    assert found.edges.weight is not None
    assert (found.edges.weight.min(), found.edges.weight.max()) == (-10, 10)
    assert found.node_id is not None
    ends = (found.node_id[found.edges.source[0]], found.node_id[found.edges.target[0]])
    assert ends == ("6", "2")


@pytest.mark.parametrize("header", ["", "source,target,rating,time\n"], ids=["as downloaded", "with a header"])
def test_a_file_as_it_is_downloaded_will_do(header, tmp_path) -> None:
    (tmp_path / "dynamic").mkdir()
    text = header + "6,2,4,1289241911.72836\n6,5,-2,1289241941.53378\n1,15,1,1289243140.39049\n"
    (tmp_path / "dynamic" / "bitcoin_otc.csv.gz").write_bytes(gzip.compress(text.encode()))
    found = datasets.load("bitcoin-otc", tmp_path)
    assert found.node_id == ["1", "2", "5", "6", "15"]
    assert found.edges.weight.tolist() == [4, -2, 1]


def test_another_file_of_the_same_name_is_refused(tmp_path) -> None:
    (tmp_path / "dynamic").mkdir()
    (tmp_path / "dynamic" / "CollegeMsg.txt").write_text("1 2 7 1082040961\n3 4 7 1082155839\n")
    with pytest.raises(InputError, match="4 columns; expected 3: source, target, time"):
        datasets.load("collegemsg", tmp_path)


def test_where_they_cannot_be_downloaded_it_is_said_where_to_put_them(monkeypatch, tmp_path) -> None:
    from genurl_graph.datasets import download

    def offline(*_: object) -> None:
        raise OSError("no route")

    monkeypatch.setattr(download, "transfer", offline)
    with pytest.raises(InputError, match=r"(?s)no route.*CollegeMsg\.txt\.gz\nthere by hand, from\n") as caught:
        datasets.load("collegemsg", tmp_path)
    assert str(tmp_path / "dynamic") in str(caught.value)
