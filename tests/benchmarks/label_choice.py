"""Labels choose between settings without a look at test nodes: what `--select` of bench_nodes.py does.

The value is chosen that has the highest mean, over the first CHOOSING seeds, of the accuracy inside the training and
validation nodes of a public split (`genurl_graph.evaluation.statistics`), or of the validation accuracy where splits
are random. A value that is not chosen is never tested.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import Any

# Seeds of each value.
CHOOSING = 3


def inner(z: Any, data: Any, protocol: str | None, seed: int, repeats: int | None) -> float:
    """Accuracy of an embedding in [0, 1], without the test nodes."""
    from genurl_graph.evaluation.protocols import probe_embedding
    from genurl_graph.evaluation.splits import default_protocol, splits
    from genurl_graph.evaluation.statistics import inner_accuracy

    if (protocol or default_protocol(data)) == "public":
        return statistics.fmean(inner_accuracy(z, data.y, split) for split in splits("public", data))
    return float(probe_embedding(z, data, protocol, seed=seed, n_repeats=repeats)["val"])


def parse_select(text: str | None) -> dict[str, dict[str, Any]]:
    """``"KEY=A,B"`` to ``{"KEY=A": {KEY: A}, "KEY=B": {KEY: B}}``; nothing for None.

    Values of ``config`` are named sets of settings (``presets/method-NAME.toml``), and "preset", which changes nothing.
    """
    from genurl_graph.config import read_method
    from genurl_graph.config.toml import parse_assignments

    def change(key: str, value: str) -> dict[str, Any]:
        if key != "config":
            return {key: value}
        found = {} if value == "preset" else read_method(value)
        if found is None:
            raise SystemExit(f"--select config: found {value!r}; expected preset or the name of a method")
        return found

    pairs = parse_assignments([] if text is None else [text]).items()
    return {
        f"{key}={value}": change(key, value) for key, values in pairs for value in map(str.strip, values.split(","))
    }


def choose(found: dict[str, dict[str, Any]], tried: Iterable[str]) -> str | None:
    """The value of highest mean, the first among equals; None if a seed of one is missing."""
    try:
        means = {v: statistics.fmean(found[v][str(seed)]["val"] for seed in range(CHOOSING)) for v in tried}
    except KeyError:
        return None
    return max(means, key=lambda value: means[value])
