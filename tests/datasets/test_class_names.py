"""Names of classes: one for each class, and as many samples under each name as its makers counted."""

import tomllib
from pathlib import Path

import pytest
import torch

from genurl_graph import datasets
from tests.datasets.test_loaders import present

NAMED = tomllib.loads(Path(datasets.__file__).with_name("class_names.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMED)
def test_each_class_has_a_name_of_its_own(name: str) -> None:
    entry = datasets.info(name)
    assert (entry.name, entry.classes) == (name, tuple(NAMED[name]))
    assert len(set(entry.classes)) == len(entry.classes) == entry.n_classes


def test_categories_of_arxiv_have_the_order_of_ogb() -> None:
    assert datasets.info("ogbn-arxiv").classes[0] == "Numerical Analysis (cs.NA)"
    assert datasets.info("ogbn-arxiv").classes[24] == "Machine Learning (cs.LG)"


# What the makers counted, and how many more the files have.
COUNTED = {
    "CiteSeer": {"Databases": 701, "Information Retrieval": 668, "Agents": 596, "Artificial Intelligence": 249 + 15},
    "Minesweeper": {"mine": 2000},
    "PTC_MR": {"carcinogenic": 152},
    "PROTEINS": {"enzyme": 663},
    "NCI1": {"active": 2057},
}


@pytest.mark.data
@pytest.mark.parametrize("name", COUNTED)
def test_classes_are_as_large_as_their_makers_counted(data_root: Path, name: str) -> None:
    data = datasets.load(name, present(data_root, name))
    found = dict(zip(data.label_names, torch.bincount(data.y).tolist(), strict=True))
    assert COUNTED[name].items() <= found.items()


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "near", "far"),
    [
        ("Amazon-Photo", ("Lenses", "Flashes"), ("Video Surveillance", "Flashes")),
        ("Coauthor-CS", ("Databases", "Data Mining"), ("Databases", "Robotics")),
        ("Coauthor-CS", ("Game Theory", "Theoretical Computer Science"), ("Game Theory", "Networks")),
        ("Cora_ML", ("Rule Learning", "Case Based"), ("Rule Learning", "Genetic Algorithms")),
    ],
)
def test_links_agree_with_the_names(data_root: Path, name: str, near: tuple[str, str], far: tuple[str, str]) -> None:
    data = datasets.load(name, present(data_root, name))
    first, second = data.y[data.edge_index]

    def share(pair: tuple[str, str]) -> float:
        a, b = (data.label_names.index(each) for each in pair)
        return float(((first == a) & (second == b)).sum() / ((data.y == b).sum() * (data.y == a).sum()))

    assert share(near) > 10 * share(far)
