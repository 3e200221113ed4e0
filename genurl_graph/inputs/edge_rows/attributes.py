"""What the attributes of edges are: the key, labels, a split, features, and what is left out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from genurl_graph.exceptions import unknown, wrong
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.tables import names
from genurl_graph.inputs.tables.label_columns import named_labels, possible_labels
from genurl_graph.inputs.tables.labels import read_label_column
from genurl_graph.inputs.tables.table import Table
from genurl_graph.inputs.tables.values import is_missing, kind_of, to_numbers

# Names of columns that tell edges apart, or name what they were drawn from; names of streets tell nothing of another.
IDS = frozenset({"osmid", "osm_id", "edge_id", "edgeid", "way_id", "fid"})
MASKS = ("train_mask", "val_mask", "test_mask")
PARTS = {"train": 0, "training": 0, "val": 1, "valid": 1, "validation": 1, "dev": 1, "test": 2}
# A share of numbers among the cells of a column, above which the rest are missing ones, where files are nobody's own.
MOSTLY = 0.9
_LIST = r"^\s*\[\s*(?:'([^']*)'|\"([^\"]*)\"|([^,\]]*?))\s*(?:,.*)?\]\s*$"


class Attributes(NamedTuple):
    """Columns of m edges, each with its part.

    Attributes
    ----------
    features : list of str
    y : Tensor, int64, shape [m], or None
    label_names : list of str, or None
    label : str or None
        The column of `y`.
    masks : dict
        Of `MASKS`: Tensor, bool, shape [m].
    left_out : dict
        Why a column is none of these.
    """

    features: list[str]
    y: Tensor | None
    label_names: list[str] | None
    label: str | None
    masks: dict[str, Tensor]
    left_out: dict[str, str]


def tidy(frame: pd.DataFrame, *, lenient: bool = False) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Cells that are lists become their first entries, also of text such as ``['residential', 'tertiary']``.

    Parameters
    ----------
    frame : DataFrame
    lenient : bool
        Whether nobody could mend the cells: a few words in a column of numbers are then missing cells.

    Returns
    -------
    frame : DataFrame
    notes : tuple of str
        What was done.

    Examples
    --------
    >>> tidy(pd.DataFrame({"lanes": ["['2', '3']", "2"]}))[0].lanes.tolist()
    ['2', '2']
    """
    changed: dict[str, pd.Series] = {}
    notes = []
    for name in frame.columns:
        cells = frame[name]
        if cells.dtype != object and not isinstance(cells.dtype, pd.StringDtype):
            continue
        if any(isinstance(cell, dict | set) for cell in cells):
            frame = frame.drop(columns=name)
            notes.append(f"{name}: left out, as cells hold dictionaries or sets")
            continue
        first, count = _first_entries(cells)
        if count:
            notes.append(f"{name}: {count:,} list{'s' * (count > 1)}, of which the first entry counts")
        if lenient:
            first, strange = _mostly_numbers(first)
            if strange:
                cell = "1 cell is not a number and counts as missing"
                several = f"{strange:,} cells are not numbers and count as missing"
                notes.append(f"{name}: {cell if strange == 1 else several}")
        if first is not cells:
            changed[name] = first
    return (frame.assign(**changed) if changed else frame), tuple(notes)


def read_attributes(table: Table, options: ReadOptions, nodes: pd.Index, labelled: bool = False) -> Attributes:
    """Decide what the columns beside the ends, the key and the geometry are.

    Parameters
    ----------
    table : Table
        Without these columns.
    options : ReadOptions
    nodes : Index
        Names of the nodes: columns of these are no features.
    labelled : bool
        Whether the labels come from elsewhere.

    Raises
    ------
    InputError
        As of `genurl_graph.inputs.tables.labels.read_label_column`; a feature that the user names and that is none.
    """
    frame = table.frame
    columns = [*map(str, frame.columns)]
    given = {role: [name for name in said if name in columns] for role, said in options.columns.items()}
    left_out = dict.fromkeys(given.get("ignore", ()), "ignored") | dict.fromkeys(given.get("time", ()), "times")
    left_out |= dict.fromkeys(given.get("id", ()), "id of the edge")
    masks = _masks(frame, [name for name in columns if name not in left_out])
    split = next((name for name in columns if name not in left_out and _is_split(frame[name], name)), None)
    if split is not None and not masks:
        part = frame[split].map(lambda cell: PARTS.get(str(cell).strip().lower(), -1)).to_numpy()
        masks = {mask: torch.from_numpy(part == place) for place, mask in enumerate(MASKS)}
    taken = {*left_out, *masks, *([split] if split is not None else [])}
    said = next(iter(given.get("label", ())), None)
    free = [name for name in columns if name not in taken and name != said]
    label = None if labelled else said
    if said is not None and label is None:
        left_out[said] = "the label, of another table"
    for name, why in named_labels(table, free, said).items():
        if label is None and not labelled and not why:
            label = name
        else:
            left_out[name] = why or "a label by its name; the labels are elsewhere"
    free = [name for name in free if name not in left_out and name != label]
    asked = given.get("feature", [])
    left_out |= _no_features(table, [name for name in free if name not in asked], nodes, label is not None or labelled)
    features = [name for name in free if name not in left_out]
    if asked:
        strange = next((name for name in asked if name not in features), None)
        if strange is not None:
            found = left_out.get(strange, "the labels, or the split")
            raise wrong(f"{table.name}: --column feature={strange}", f"a column that is left out ({found})", "another")
        left_out |= {name: "not asked for" for name in features if name not in asked}
        features = asked
    y, label_names = (None, None) if label is None else read_label_column(table, label)[:2]
    return Attributes(features, y, label_names, label, masks, left_out)


def without_ends(options: ReadOptions, columns: Mapping[str, Any]) -> ReadOptions:
    """What is said of the columns that are left when those of `columns` are gone."""
    gone = {*columns.values()}
    rest = {role: kept for role, said in options.columns.items() if (kept := tuple(n for n in said if n not in gone))}
    return dataclasses.replace(options, columns=rest)


def check_features(options: ReadOptions, columns: list[str], where: str) -> None:
    """InputError where the user names a feature that the edges do not have."""
    for name in options.names("feature"):
        if name not in columns:
            raise unknown(f"{where}: feature of the edges", name, columns)


def _no_features(table: Table, free: list[str], nodes: pd.Index, labelled: bool) -> dict[str, str]:
    """Columns that are no features by their names or cells, and why."""
    found = possible_labels(table, free, "features", labelled)
    for name in free:
        cells, lower = table.frame[name], name.strip().lower()
        kind = kind_of(cells)
        if kind == "empty":
            found.setdefault(name, "empty")
        elif lower in IDS or (names.is_id(name) and lower != "name" and kind in ("whole", "text")):
            found.setdefault(name, "id of the edge")
        elif lower == "name":
            found.setdefault(name, "names")
        elif kind == "date":
            found.setdefault(name, "times")
        elif kind in ("whole", "text") and _are_nodes(cells, nodes):
            found.setdefault(name, "ids of nodes")
    return found


def _are_nodes(cells: pd.Series, nodes: pd.Index) -> bool:
    """Whether a column names nodes: many different ones, nearly all of them known, and no numbers from 0 on."""
    if kind_of(cells) == "whole" and isinstance(nodes, pd.RangeIndex):
        return False  # any count is among these
    own = pd.Index([*map(str, cells[~is_missing(cells)].unique())], dtype=object)
    if len(own) < max(20, len(nodes) // 5) or len(own) > len(nodes):
        return False
    return float(own.isin(pd.Index([*map(str, nodes)], dtype=object)).mean()) > MOSTLY


def _masks(frame: pd.DataFrame, columns: list[str]) -> dict[str, Tensor]:
    """Columns that are called as the parts of a split, of yes and no."""
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    found = {}
    for name in MASKS:
        if name in columns:
            cells = frame[name].map(lambda cell: words.get(str(cell).strip().lower().removesuffix(".0")))
            if cells.notna().all():
                found[name] = torch.tensor(cells.to_numpy(bool))
    return found


def _is_split(cells: pd.Series, name: str) -> bool:
    if name.strip().lower() not in ("split", "set", "subset", "fold", "partition"):
        return False
    values = {str(cell).strip().lower() for cell in cells.unique()}
    return "train" in {each[:5] for each in values} and {each for each in values if each} <= {*PARTS, "nan", "none"}


def _first_entries(cells: pd.Series) -> tuple[pd.Series, int]:
    count = 0
    if pd.api.types.infer_dtype(cells, skipna=True) not in ("string", "empty"):
        lists = cells.map(lambda cell: isinstance(cell, list | tuple | np.ndarray))
        count = int(lists.sum())
        if count:
            cells = cells.mask(lists, cells[lists].map(lambda cell: cell[0] if len(cell) else None))
    codes, distinct = pd.factorize(cells)
    texts = pd.Series(distinct, dtype=object)
    told = texts.map(lambda cell: isinstance(cell, str) and cell[:1] == "[" and cell[-1:] == "]").to_numpy(bool)
    if told.any():
        parts = texts[told].str.extract(_LIST)
        texts = texts.mask(told, parts[0].fillna(parts[1]).fillna(parts[2]))
        count += int(np.append(told, False)[codes].sum())
        cells = texts.reindex(codes).set_axis(cells.index)
    return cells, count


def _mostly_numbers(cells: pd.Series) -> tuple[pd.Series, int]:
    known = ~is_missing(cells)
    values = to_numbers(cells)
    strange = known & ~np.isfinite(values)
    count = int(strange.sum())
    if not count or count > (1 - MOSTLY) * known.sum():
        return cells, 0
    return pd.Series(values, index=cells.index), count
