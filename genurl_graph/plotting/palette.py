"""The colours of points, and what explains them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from genurl_graph.exceptions import unknown, wrong
from genurl_graph.plotting.labels import Classes, Values, read_labels

if TYPE_CHECKING:
    from matplotlib.colors import Colormap, Normalize

    Cmap = str | Colormap | Sequence[Any] | Mapping[Any, Any] | None
    Norm = str | Normalize | None

Array = npt.NDArray[Any]

ONE = "#3b6ea8"  # all points, without labels
MISSING = "#d2d2d2"
MAX_NAMED = 60  # classes in a legend
PALE = 0.6  # share of white in the colours of classes without a name
NUMBERS = "viridis"

# Sixty colours. The first ten were exchanged until they differed most, each later one is the farthest from those before
# it, from white and from the grey of missing labels. Distances are those of OKLab, the smallest of what normal and
# (1.6-fold) protanope, deuteranope and tritanope eyes see (Machado et al. 2009, doi 10.1109/TVCG.2009.113). Times 100,
# the smallest between any of the first ten is 17, and 11 to colour-blind eyes; of matplotlib's tab10 it is 11 and 0.7.
# Of twenty it is 10 and 6 (tab20: 5 and 0.7).
_HEX = (
    "48a8fc a8000c cca800 2448c0 009078 78f06c f054b4 9060f0 842484 a86c18 786090 84a878 f0b4fc fc84a8 90cc78 cc6060 "
    "9c3c60 7884d8 9c9000 3c603c 3c6cc0 c0a8d8 fcc000 cc003c cc9054 c03ca8 d884e4 6c48d8 9c0060 fca860 249cc0 54e49c "
    "b47890 6c3c9c b46cfc fc6018 6c8454 246c78 606c30 90cce4 c00c78 60c084 90b4fc 6c6cd8 b4609c 9c5454 a848c0 d860e4 "
    "00b454 b4300c c078c0 84489c d8cc90 b4c03c 24c0cc e49cc0 e4789c d8783c 78e4e4 fc786c"
)
PALETTE = tuple(f"#{one}" for one in _HEX.split())


class Paint(NamedTuple):
    """Colours of points, and what explains them.

    Attributes
    ----------
    colours : array, float, shape [n, 3], or [3] for all points
    known : array, bool, shape [n], or None
        Points with a label of their own; the others, in grey, lie under them. None: all.
    entries : tuple of (name, colour), of the legend
    scale : ScalarMappable or None, of the colour bar
    share : array, float, shape [n], or None
        Where each point lies on the colour map, in [0, 1]; NaN: missing.
    title : str or None, of either
    dates : bool
    """

    colours: Array
    known: Array | None = None
    entries: tuple[tuple[str, Any], ...] = ()
    scale: Any = None
    share: Array | None = None
    title: str | None = None
    dates: bool = False


def paint(
    labels: Any,
    n: int,
    cmap: Cmap = None,
    norm: Norm = None,
    title: str | None = None,
) -> Paint:
    """Choose a colour for each of n points; arguments and errors as of `genurl_graph.plotting.scatter`."""
    from matplotlib.colors import to_rgb

    if labels is None:
        if cmap is not None or norm is not None or title is not None:
            raise wrong("cmap, norm or label", "no labels", "labels to colour by")
        return Paint(np.array(to_rgb(ONE)))
    if title is None:
        name = getattr(labels, "name", None)
        title = name if isinstance(name, str) and name else None
    found = read_labels(labels, n, numbers=norm is not None)
    if isinstance(found, Values):
        return _paint_values(found, cmap, norm, title)
    if norm is not None:
        raise wrong("norm", "labels that are classes", "numbers or dates for it to scale")
    used = np.bincount(found.codes[found.codes >= 0], minlength=len(found.keys))
    if cmap is not None and (used > 0).sum() > MAX_NAMED and not isinstance(cmap, Mapping | list | tuple):
        values = np.where(found.codes >= 0, found.codes, np.nan)
        about = f"{title or 'class'} ({(used > 0).sum():,} of them, by number)"
        return _paint_values(Values(values), cmap, None, about)
    return _paint_classes(found, used, cmap, title)


def _paint_classes(found: Classes, used: Array, cmap: Any, title: str | None) -> Paint:
    from matplotlib.colors import to_rgb

    # A class has the same colour in the map of a part of the points.
    colours = class_colours(found.keys, used > 0, cmap)
    present = np.flatnonzero(used)
    if cmap is None and len(found.keys) > len(PALETTE) >= len(present):
        colours[present] = _palette(len(present))  # else two of them might share one
    other = np.empty(0, dtype=np.int64)
    if len(present) > MAX_NAMED:
        by_size = present[np.argsort(-used[present], kind="stable")]
        present, other = np.sort(by_size[: MAX_NAMED - 1]), by_size[MAX_NAMED - 1 :]
        if cmap is None:
            colours[present] = _palette(len(present))
            colours[other] = PALE + (1 - PALE) * _palette(len(other))
    entries = [(str(found.keys[one]), colours[one]) for one in present]
    if len(other):
        entries.append((f"{len(other):,} more classes" + (", pale" if cmap is None else ""), None))
    table = np.vstack([colours, to_rgb(MISSING)])
    known = found.codes >= 0
    if not known.all():
        entries.append((found.missing, table[-1]))
    return Paint(table[found.codes], None if known.all() else known, tuple(entries), title=title)


def _palette(count: int) -> Array:
    from matplotlib.colors import to_rgb

    return np.array([to_rgb(PALETTE[one % len(PALETTE)]) for one in range(count)]).reshape(count, 3)


def class_colours(keys: Sequence[Any], used: Array, cmap: Any) -> Array:
    """A colour for each class, float [c, 3]; `used` [c] are those that have points."""
    from matplotlib.colors import ListedColormap, to_rgb

    if cmap is None:
        return _palette(len(keys))
    if isinstance(cmap, Mapping):
        given = {key: cmap.get(key, cmap.get(str(key))) for key in keys}
        without = [str(key) for key, one in zip(keys, used, strict=True) if one and given[key] is None]
        if without:
            more = "" if len(without) == 1 else f" and {len(without) - 1:,} more"
            raise wrong("cmap", f"no colour for {without[0]!r}{more}", "one for each class")
        chosen = [MISSING if given[key] is None else given[key] for key in keys]
    elif not isinstance(cmap, str) and isinstance(cmap, Sequence):
        if not cmap:
            raise wrong("cmap", "no colours", "at least one")
        chosen = [cmap[one % len(cmap)] for one in range(len(keys))]
    else:
        known = colour_map(cmap)
        if isinstance(known, ListedColormap) and known.N < 64:
            chosen = [known(one % known.N) for one in range(len(keys))]
        else:
            chosen = list(known(np.linspace(0, 1, max(len(keys), 2)))[: len(keys)])
    colours = np.zeros((len(keys), 3))
    for at, one in enumerate(chosen):
        try:
            colours[at] = to_rgb(one)
        except (ValueError, TypeError) as error:
            raise wrong("cmap", f"{one!r} for {str(keys[at])!r}", "a colour of matplotlib") from error
    return colours


def colour_map(cmap: Any) -> Colormap:
    """A colour map of matplotlib by its name, or the one that is given; InputError for anything else."""
    from matplotlib import colormaps
    from matplotlib.colors import Colormap

    if isinstance(cmap, Colormap):
        return cmap
    if not isinstance(cmap, str):
        raise wrong("cmap", f"{type(cmap).__name__} for labels that are numbers or dates", "a colour map or its name")
    if cmap not in colormaps:
        raise unknown("cmap", cmap, colormaps)
    return colormaps[cmap]


def _paint_values(found: Values, cmap: Any, norm: Any, title: str | None) -> Paint:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize, to_rgb
    from matplotlib.scale import get_scale_names

    if isinstance(norm, str) and norm not in get_scale_names():
        raise unknown("norm", norm, get_scale_names())
    if norm is not None and not isinstance(norm, str | Normalize):
        expected = "a Normalize of matplotlib.colors, or a name like 'log'"
        raise wrong("norm", f"{norm!r}", expected)
    missing = np.array(to_rgb(MISSING))
    known = np.isfinite(found.values)
    title = title if title is not None or found.dates else "label"
    if not known.any():
        return Paint(np.tile(missing, (len(known), 1)), entries=(("missing", missing),))
    given: Any = norm
    scale: Any = ScalarMappable(given, colour_map(NUMBERS if cmap is None else cmap))
    try:
        scale.set_array(np.ma.masked_invalid(found.values))
        scale.autoscale_None()
        # A logarithm has no place for zeros.
        share: Any = np.ma.masked_invalid(scale.norm(scale.get_array()))
        colours = scale.cmap(share.filled(0.0))[:, :3]
    except ValueError as error:
        raise wrong("norm", f"numbers that it cannot scale ({error})", "some that it can") from error
    spread = bool(np.ptp(found.values[known]))
    known = ~np.ma.getmaskarray(share)
    if not known.any() or (spread and scale.norm.vmin == scale.norm.vmax):
        raise wrong("norm", "numbers that it cannot scale", "some that it can")
    colours[~known] = missing
    if not known.all():
        title = f"{title} (grey: missing)" if title else "grey: missing"
    # A norm with steps counts colours, of which there is no mean.
    mean = share.astype(np.float64).filled(np.nan) if share.dtype.kind == "f" else None
    return Paint(colours, None if known.all() else known, (), scale, mean, title, found.dates)
