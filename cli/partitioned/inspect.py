"""What ``genurl-graph inspect`` shows of a prepared folder, and of an embedding by partition."""

from pathlib import Path
from typing import Any

from genurl_graph.cli.partitioned.embed import describe_prepared, is_folder


def is_partitioned(path: Path) -> bool:
    """Whether a path is a folder of partitions of either kind."""
    return is_folder(path) or is_folder(path, "output")


def inspect_folder(path: Path) -> dict[str, Any]:
    """What there is to say of a folder of partitions: ``file``, ``error``, ``lines``, and figures for a program."""
    from genurl_graph.exceptions import InputError

    try:
        found = _inspect_prepared(path) if is_folder(path) else _inspect_output(path)
    except InputError as error:
        return {"file": str(path), "error": str(error), "lines": []}
    return {"file": str(path), "error": None, **found}


def _inspect_prepared(path: Path) -> dict[str, Any]:
    import numpy as np

    from genurl_graph.inputs.partitioned import Prepared

    prepared = Prepared.open(path)
    store, manifest = prepared.store, prepared.manifest
    degree = np.diff(store.load("crow", 0))
    ids, size = prepared.ids(0)[:5].tolist(), sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    quantiles = np.quantile(degree, [0, 0.5, 0.99, 1]).tolist() if len(degree) else [0] * 4
    figures = {
        "nodes": prepared.num_nodes,
        "edges": manifest.num_edges,
        "features": prepared.num_features,
        "partitions": store.count,
        "weighted": manifest.weighted,
        "labelled": manifest.labelled,
        "bytes": size,
        "ids": ids,
        "degree": dict(zip(("lowest", "median", "99 %", "highest"), quantiles, strict=True)),
    }
    lines = [
        describe_prepared(path.name, prepared),
        f"{store.size(0):,} nodes in the first partition, {size / 1e6:,.1f} MB in all",
        "neighbours of a node in the first partition: "
        + ", ".join(f"{name} {value:g}" for name, value in figures["degree"].items()),
        f"first nodes: {', '.join(map(str, ids))}",
    ]
    return {"lines": [*lines, *manifest.reading.get("lines", ())], "prepared": figures}


def _inspect_output(path: Path) -> dict[str, Any]:
    from genurl_graph.inference.partitioned.output import Output

    output = Output.open(path)
    record = output.record
    first = output.rows(3)
    lines = [
        f"embedding of {output.num_nodes:,} nodes, {record['dim']} columns, in "
        f"{len(record['bounds']) - 1:,} partitions, of {record['prepared']}",
        f"first nodes: {', '.join(map(str, first['node_id'].tolist()))}",
    ]
    stages = [f"  {name:<22} {seconds:8.1f} s" for name, seconds in record.get("seconds", {}).items()]
    return {"lines": [*lines, *(["seconds by stage", *stages] if stages else [])], "embedding": record}
