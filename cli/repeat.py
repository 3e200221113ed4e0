"""Runs again from what their files hold: ``embed`` and ``distill`` here, tables of many runs in `repeat_tables`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genurl_graph.cli import options
from genurl_graph.cli.report import Report, describe
from genurl_graph.cli.source import Source
from genurl_graph.exceptions import InputError

if TYPE_CHECKING:
    from torch import Tensor
    from torch_geometric.data import Data

OTHER_CONFIGURATION = "config: this version makes another configuration of the stored one; expected the same"


def repeat_run(stored: dict[str, Any], data_root: Path | None, output: Path | None, report: Report) -> dict[str, Any]:
    """Contents of the metrics file of the same run of embed or distill, now."""
    from genurl_graph.cli.distill import evaluate as evaluate_student
    from genurl_graph.cli.embed import write_embedding
    from genurl_graph.cli.embed_report import collect
    from genurl_graph.cli.scores import evaluate
    from genurl_graph.runtime.files import to_json

    source = Source.recorded(stored["run"], data_root)
    data = source.load(progress=not report.quiet)
    report.line(describe(source.name, data))
    use_threads(stored["environment"]["threads"])
    estimator = options.make_estimator(**options.repeated(stored["config"], stored["device"]), seed=stored["seed"])
    teacher, more = None, {key: stored["run"][key] for key in ("command", "teacher") if key in stored["run"]}
    if stored["run"]["command"] == "distill":
        teacher, more["teacher_crc32"] = teach(Path(stored["run"]["teacher"]), data)
    estimator.fit(data, teacher=teacher)
    if estimator.config_.to_dict() != stored["config"]:
        raise InputError(OTHER_CONFIGURATION)
    scores = evaluate(estimator, data) if teacher is None else evaluate_student(estimator, teacher, data)
    if output:
        write_embedding(output, estimator.embedding_, data, own_file=source.own is not None)
    # As a file gives them back, so that they can be compared with those of one.
    figures: dict[str, Any] = json.loads(to_json(collect(source, data, estimator, scores, {}, more)))
    return figures


def teach(path: Path, data: "Data") -> "tuple[Tensor, int]":
    """The teacher's features of the samples, and their checksum."""
    from genurl_graph.cli.distill import teach as features_of
    from genurl_graph.training.checkpoint import checksum

    if not path.exists():
        raise InputError(f"teacher: there is no {path} any more")
    taught = features_of(path, data)
    return taught, checksum(taught)


def use_threads(number: int) -> None:
    """As many threads as there were, if this machine has the cores."""
    import torch

    from genurl_graph.cli.machine import usable_cores

    torch.set_num_threads(min(number, usable_cores()))
