"""The rows of an ablation: which settings vary, one at a time around a base or all together."""

import itertools
import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from genurl_graph.cli.options import parse_names
from genurl_graph.exceptions import InputError

if TYPE_CHECKING:
    from genurl_graph.config import Config

BASE = "preset"
FIXED: dict[str, Any] = {"merge.how": "mix", "merge.weighting": "given", "merge.propagation_weight": 0.0}
# Each name says where the edges of P, and of the graph that a GNN propagates over, come from.
MERGING: dict[str, dict[str, Any]] = {
    "adaptive": {"merge.how": "mix", "merge.weighting": "adaptive"},
    "given": FIXED,
    "adjacency": {**FIXED, "merge.feature_weight": 0.0, "merge.column_weight": 0.0},
    "features": {"merge.how": "mix", "merge.weighting": "none"},
    "columns": {"merge.column_weight": 30.0},
    "union": {"merge.how": "union"},
    "geodesic": {"merge.how": "geodesic"},
}
# What an ablation varies if it is not told otherwise.
GAMMA, NU, K = "0.5,1,2", "1,10,100", "5,15,30"

Settings = dict[str, Any]
Factors = dict[str, dict[str, Settings]]


class Row(NamedTuple):
    """One configuration.

    Attributes
    ----------
    name : str
        `BASE`, or its levels, "loss=kl, gamma=0.5".
    settings : dict
        Dotted keys in which it differs from the base: what ``--set`` takes.
    levels : dict
        Its level of each factor, as far as the grid names it.
    """

    name: str
    settings: Settings
    levels: dict[str, str]


def parse_factors(
    base: "Config", losses: str | None, gamma: str | None, nu: str | None, k: str | None, merging: str | None
) -> Factors:
    """Levels of each factor that is varied, by label, with the settings in which they differ from `base`.

    All factors vary, at default levels, if none is named.

    Raises
    ------
    InputError
        An unknown loss or merging mode, or something that is not a number > 0.
    """
    from genurl_graph.losses.pairwise import LOSSES

    if not any((losses, gamma, nu, k, merging)):
        losses, gamma, nu, k, merging = ",".join(LOSSES), GAMMA, NU, K, ",".join(MERGING)
    found: Factors = {}
    if losses:
        names = parse_names("--losses", "loss", losses, LOSSES)
        # Not all have a profiled form: each takes the scale that is its own.
        found["loss"] = {
            name: {} if name == base.loss.name else {"loss.name": name, "loss.scale": "auto"} for name in names
        }
    if gamma:
        # The profiled scale cancels gamma: it acts on the plain divergence alone.
        plain = {"loss.scale": 1.0} if isinstance(base.loss.scale, str) else {}
        found["gamma"] = {f"{value:g}": {"loss.gamma": value, **plain} for value in _numbers("--gamma", gamma, float)}
    if nu:
        found["nu"] = {f"{value:g}": {"loss.nu": value} for value in _numbers("--nu", nu, float)}
    if k:
        found["k"] = {str(value): {"neighbors.n_neighbors": value} for value in _numbers("--k", k, int)}
    if merging:
        names = parse_names("--merging", "mode", merging, MERGING)
        found["merging"] = {name: MERGING[name] for name in names}
    return {
        factor: {label: _changes(base, settings) for label, settings in levels.items()}
        for factor, levels in found.items()
    }


def one_at_a_time(factors: Factors) -> list[Row]:
    """The base, and every level of every factor that differs from it, all else as in the base."""
    same = {factor: label for factor, levels in factors.items() for label, settings in levels.items() if not settings}
    rows = [Row(BASE, {}, same)]
    for factor, levels in factors.items():
        rows += [Row(f"{factor}={label}", changes, {factor: label}) for label, changes in levels.items() if changes]
    return rows


def product(factors: Factors) -> list[Row]:
    """The base, and every combination of levels."""
    rows = [Row(BASE, {}, {})]
    for labels in itertools.product(*factors.values()):
        levels = dict(zip(factors, labels, strict=True))
        settings: Settings = {}
        for factor, label in levels.items():
            settings |= factors[factor][label]
        if settings:
            rows.append(Row(", ".join(f"{factor}={label}" for factor, label in levels.items()), settings, levels))
        else:
            rows[0] = Row(BASE, {}, levels)
    return rows


def assignments(settings: Settings) -> tuple[str, ...]:
    """The settings as ``--set`` takes them."""
    return tuple(f"{key}={value}" for key, value in settings.items())


def _changes(base: "Config", settings: Settings) -> Settings:
    now = base.to_dict()
    wanted = {key: tuple(key.split(".")) for key in settings}
    return {key: settings[key] for key, (stage, name) in wanted.items() if settings[key] != now[stage][name]}


def _numbers(option: str, text: str, kind: Callable[[str], float]) -> Iterable[Any]:
    expected = "numbers > 0" if kind is float else "whole numbers > 0"
    try:
        values = [kind(word) for word in text.split(",")]
    except ValueError:
        values = []
    if not values or not all(0 < value < math.inf for value in values):
        raise InputError(f"{option}: found {text!r}; expected {expected}, separated by commas")
    return dict.fromkeys(values)
