"""The graph of the standard library: modules, imports, words and families."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from genurl_graph.datasets.python_modules.contents import read_module
from genurl_graph.datasets.python_modules.sources import find_modules

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from genurl_graph.datasets.registry import DatasetInfo

# Words in fewer modules say little about families, and so do those of more than half of them.
LEAST_MODULES, LARGEST_SHARE = 5, 0.5
# Random splits: as many modules of each family train, as many validate, and the others test.
SPLITS, TRAINED = 5, 5


def load_python_modules(entry: DatasetInfo | None = None, root: Path | None = None) -> Data:
    """Graph of the public modules of the running Python's standard library.

    The sources are parsed and never run. The same Python gives the same graph; another version has other modules.

    Parameters
    ----------
    entry, root
        Of the registry; nothing is read from there.

    Returns
    -------
    Data
        x float32 [n, words]: tf-idf of the words of docstrings and of names of classes and functions.
        edge_index int64 [2, E]: from a module to those that it imports, without self-loops.
        y int64 [n]: the family, one or more chapters of the library reference; -1 for modules of no family. Neither
        features nor edges are made from it. label_names, node_id and feature_names: families, modules and words.
        train_mask, val_mask, test_mask boolean [n, 5]: random splits, 5 modules of each family to train on.

    Raises
    ------
    InputError
        If this Python has no sources of its standard library, or damaged ones.

    Examples
    --------
    >>> from genurl_graph import datasets
    >>> data = datasets.load("python-modules")
    >>> importer, imported = data.edge_index
    >>> "decimal" in [data.node_id[i] for i in imported[importer == data.node_id.index("statistics")]]
    True
    """
    from torch_geometric.data import Data

    files = find_modules()
    names = list(files)
    at = {name: i for i, name in enumerate(names)}
    contents = [read_module(name, file, at) for name, file in files.items()]
    edges = [(i, at[target]) for i, found in enumerate(contents) for target in sorted(found.imports)]
    y, label_names = families(names)
    x, words = count_words(found.words for found in contents)
    data = Data(
        x=x,
        edge_index=torch.tensor(edges).t().contiguous(),
        y=y,
        node_id=names,
        label_names=label_names,
        feature_names=words,
    )
    for part, mask in split(y).items():
        data[f"{part}_mask"] = mask
    return data


def families(names: Iterable[str]) -> tuple[Tensor, list[str]]:
    """Family of each module, int64 [n], -1 where it has none; and the families' names."""
    stored = tomllib.loads(Path(__file__).with_name("families.toml").read_text(encoding="utf-8"))["family"]
    family_of = {module: i for i, family in enumerate(stored) for module in family["modules"]}
    found = []
    for name in names:
        while name and name not in family_of:
            name = name.rpartition(".")[0]
        found.append(family_of.get(name, -1))
    return torch.tensor(found), [family["name"] for family in stored]


def count_words(documents: Iterable[list[str]]) -> tuple[Tensor, list[str]]:
    """tf-idf of the words of n modules, float32 [n, words]; and the words, in alphabetical order."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer

    def meaningful(words: list[str]) -> list[str]:
        return [word for word in words if word not in ENGLISH_STOP_WORDS]

    counted: Any = TfidfVectorizer(
        analyzer=meaningful, min_df=LEAST_MODULES, max_df=LARGEST_SHARE, sublinear_tf=True, dtype=np.float32
    )
    x = torch.from_numpy(counted.fit_transform(documents).toarray())
    return x, counted.get_feature_names_out().tolist()


def split(y: Tensor) -> dict[str, Tensor]:
    """Masks [n, SPLITS] of the parts "train", "val" and "test", drawn in each family by a fixed seed."""
    generator = torch.Generator().manual_seed(0)
    masks = {part: torch.zeros(len(y), SPLITS, dtype=torch.bool) for part in ("train", "val", "test")}
    for column in range(SPLITS):
        for family in range(int(y.max()) + 1):
            members = (y == family).nonzero().squeeze(1)
            members = members[torch.randperm(len(members), generator=generator)]
            for part, chosen in zip(masks, members.tensor_split([TRAINED, 2 * TRAINED]), strict=True):
                masks[part][chosen, column] = True
    return masks
