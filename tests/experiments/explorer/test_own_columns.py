"""Columns of a user's own: what each is, and whose words name the clusters."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch_geometric.data import Data

from genurl_graph import datasets
from genurl_graph.exceptions import InputError
from genurl_graph.experiments.explorer.own_columns import column_of_cells, feature_columns, read_columns
from genurl_graph.experiments.explorer.texts import name_clusters
from genurl_graph.experiments.explorer.thumbnails import image_files, thumbnails
from genurl_graph.plotting.explorer.colours import Categories, Numbers, column


def test_cells_are_numbers_dates_or_text(tmp_path: Path) -> None:
    lines = ["id,age,seen,when,kind,year", "a,1.5,2020-01-02,2020-01-01 12:00,x,01/02/2020", "b,NA,,NA,?,03/04/2020"]
    (tmp_path / "own.csv").write_text("\n".join(lines))
    found = {one.name: one for one in read_columns(tmp_path / "own.csv", ["b", "a"])}
    age, seen, when, kind, year = (found[name] for name in ("age", "seen", "when", "kind", "year"))
    assert isinstance(age, Numbers)
    np.testing.assert_array_equal(age.values, [np.nan, 1.5])
    assert isinstance(seen, Numbers)
    assert seen.dates
    np.testing.assert_array_equal(seen.values, [np.nan, 18263])
    assert isinstance(when, Numbers)
    np.testing.assert_array_equal(when.values, [np.nan, 18262.5])
    assert isinstance(kind, Categories)
    assert (kind.names, kind.codes.tolist()) == (["x"], [-1, 0])
    assert isinstance(year, Categories)  # which of both is the day, nobody can say
    assert year.about == "From own.csv"
    with pytest.raises(InputError, match="infinite"):
        column_of_cells("n", "", pd.Series(["inf", "1"]))


def test_the_table_of_the_features_is_shown_as_it_was_read(tmp_path: Path) -> None:
    rows = [f"n{i},{i / 7:.3f},{'red' if i % 2 else 'blue'},2020-01-{i + 1:02d}" for i in range(20)]
    (tmp_path / "x.csv").write_text("id,size,team,joined\n" + "\n".join(rows))
    data = datasets.read(tmp_path / "x.csv")
    found = feature_columns(data, ["size"])
    assert [one.name for one in found] == ["team", "joined"]
    team: Any = found[0]
    assert team.names == ["blue", "red"]
    assert isinstance(found[1], Numbers)
    assert found[1].dates
    assert feature_columns(Data(x=torch.ones(3, 2))) == []
    wide = pd.DataFrame(np.ones((3, 41)), columns=[f"w{i}" for i in range(41)])
    assert feature_columns(Data(feature_table=wide)) == []
    odd = pd.DataFrame({"list": [[1], [2]], "flag": [True, False]})
    assert [one.name for one in feature_columns(Data(feature_table=odd))] == ["flag"]


def test_clusters_are_named_by_text_else_features_else_ids() -> None:
    clusters = Categories("Cluster", "", np.array([0, 0, 0, 1, 1, 1]), ["1", "2"])
    titles = [f"a study of {what} number {i}" for i, what in enumerate(["graphs"] * 3 + ["images"] * 3)]
    own = [column("title", "", titles), column("kind", "", ["x", "x", "y", "y", "y", "z"])]
    ids = [f"net.{i}" for i in "abc"] + [f"file.{i}" for i in "abc"]
    data = Data(x=torch.tensor([[2.0, 0]] * 3 + [[0, 0.5]] * 3), feature_names=["apple", "pear"])

    def names(*given: Any) -> list[str]:
        return list(name_clusters(clusters, *given).names)

    assert names(own, ids, data, None) == ["graphs", "images"]
    assert names(own[1:], ids, data, None) == ["apple", "pear"]
    assert names(own, ids, data, "ids") == ["net", "file"]
    assert names([], ids, None, None) == ["net", "file"]
    assert names([], list("012345"), None, None) == ["1", "2"]
    with pytest.raises(InputError, match=r"--words: found 'titel'; expected one of title, kind, ids \(did you mean"):
        names(own, ids, None, "titel")


def test_images_are_found_by_id_in_a_folder_or_by_the_data(tmp_path: Path) -> None:
    from PIL import Image

    (tmp_path / "sub").mkdir()
    for name in ("a.png", "sub/b.jpg"):
        Image.new("L", (4, 4)).save(tmp_path / name)
    files = image_files(tmp_path, ["a", "sub/b.jpg", "c", "sub/b", "a.png"])
    assert [None if one is None else one.name for one in files] == ["a.png", "b.jpg", None, "b.jpg", "a.png"]
    found = thumbnails(None, None, ["a", "c"], tmp_path)
    assert found is not None
    assert found.nodes.tolist() == [0]
    for folder, match in ((tmp_path / "no", "no such folder"), (tmp_path / "a.png", "a file; expected a folder")):
        with pytest.raises(InputError, match=match):
            image_files(folder, ["a"])
    with pytest.raises(InputError, match="no image of a point's id, such as 'x'"):
        image_files(tmp_path, ["x"])
    rows = Data(x=torch.rand(3, 16), image_shape=(4, 4, 1))
    assert thumbnails(rows, None, list("012"), None) is not None
    assert thumbnails(rows.clone().update({"image_shape": None}), "cora", list("012"), None) is None
    digits = thumbnails(Data(x=torch.rand(2, 64)), "digits", list("01"), None)
    assert digits is not None
    assert digits.tile == (8, 8)
