"""The registry: names, near misses, and no torch for a listing."""

import subprocess
import sys

import pytest

from genurl_graph import datasets
from genurl_graph.exceptions import InputError


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("cora", "Cora"),
        ("CORA", "Cora"),
        ("photo", "Amazon-Photo"),
        ("amazon_photo", "Amazon-Photo"),
        ("Amazon Photo", "Amazon-Photo"),
        ("cs", "Coauthor-CS"),
        ("coauthor-cs", "Coauthor-CS"),
        ("cora-ml", "Cora_ML"),
        ("ROMAN EMPIRE", "Roman-empire"),
        ("arxiv", "ogbn-arxiv"),
        ("ogbn_products", "ogbn-products"),
        ("film", "Actor"),
        ("mnist", "MNIST-test"),
        ("fashion_mnist", "Fashion-MNIST-test"),
        ("FashionMNIST", "Fashion-MNIST-test"),
        ("mnist-train", "MNIST-train"),
        ("pbmc68k_reduced", "pbmc68k"),
        ("imdb-b", "IMDB-BINARY"),
        ("ptc", "PTC_MR"),
        ("collab", "ogbl-collab"),
        ("collegemsg", "CollegeMsg"),
        ("bitcoin-otc", "Bitcoin-OTC"),
        ("codex-s", "CoDEx-S"),
        ("umls", "UMLS"),
        ("python_modules", "python-modules"),
    ],
)
def test_names_ignore_case_and_separators(query: str, name: str):
    assert datasets.info(query).name == name


@pytest.mark.parametrize(
    ("query", "offer"),
    [("pubmd", "PubMed"), ("cora-mll", "Cora_ML"), ("minesweper", "Minesweeper"), ("corra", "Cora")],
)
def test_unknown_name_offers_the_nearest(query: str, offer: str):
    with pytest.raises(InputError, match=f"data set: found '{query}'; expected one of .*did you mean '{offer}'"):
        datasets.info(query)


def test_name_far_from_all_lists_all():
    with pytest.raises(InputError, match=r"expected one of Cora, .*, digits$"):
        datasets.info("zzzzzz")


@pytest.mark.parametrize(
    ("name", "edges", "direction"),
    # The citations of arXiv are loaded in both directions.
    [("cora", 5278, False), ("ogbn-arxiv", 1_157_799, False), ("texas", 325, True), ("bitcoin-otc", 35_592, False)],
)
def test_an_undirected_edge_counts_once(name: str, edges: int, direction: bool):
    assert (datasets.info(name).n_distinct_edges, datasets.info(name).directed) == (edges, direction)


def test_every_entry_is_complete_and_every_alias_is_its_own():
    entries = [datasets.info(name) for name in datasets.names()]
    assert len(entries) == 53
    for entry in entries:
        assert entry.origin
        assert entry.licence
        assert entry.citation
        assert entry.n_nodes > 0
        assert len(entry.classes) in (0, entry.n_classes)
        assert len(entry.urls) in (1, len(entry.files)) or not entry.files or entry.by_hand
        assert all(file.startswith(entry.folder + "/") for file in entry.files)
        assert all(datasets.info(alias) is entry for alias in entry.aliases)


def test_data_root_argument_then_variable_then_cache(monkeypatch: pytest.MonkeyPatch, tmp_path):
    monkeypatch.setenv("GENURL_DATA", str(tmp_path / "variable"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert datasets.data_root(tmp_path / "argument") == tmp_path / "argument"
    assert datasets.data_root() == tmp_path / "variable"
    monkeypatch.delenv("GENURL_DATA")
    assert datasets.data_root() == tmp_path / "cache" / "genurl-graph"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert datasets.data_root() == tmp_path / ".cache" / "genurl-graph"


def test_listing_imports_nothing_heavy():
    code = (
        "import sys; from genurl_graph import datasets; [datasets.info(n) for n in datasets.names()];"
        "print([m for m in ('torch', 'torch_geometric', 'numpy', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
