"""The words that a parameter takes: one list for signatures, checks, messages and explanations."""

import dataclasses
import re
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from genurl_graph import GenURL, distill
from genurl_graph.config import Config, choices
from genurl_graph.config.choices import words
from genurl_graph.config.metrics import METRICS
from genurl_graph.evaluation.splits import splits
from genurl_graph.exceptions import InputError
from genurl_graph.losses import LOSSES
from genurl_graph.nn.build import ENCODERS, IMAGES
from genurl_graph.nn.gnn import GNNS
from genurl_graph.objectives.distillation import MATCHING
from genurl_graph.tasks.resolve import resolve_config

STAGES = [type(getattr(Config(), field.name)) for field in dataclasses.fields(Config) if field.name != "task"]


def offered(function: Any, parameter: str) -> set[str]:
    """The words that a signature names for a parameter."""
    found, left = set(), [get_type_hints(function)[parameter]]
    while left:
        kind = left.pop()
        if get_origin(kind) is Literal:
            found |= set(get_args(kind))
        else:
            left += get_args(kind)
    return found


def test_the_words_are_those_of_the_code() -> None:
    assert set(words(choices.EncoderName)) == {*ENCODERS, *IMAGES}
    assert words(choices.GNNName) == GNNS
    assert words(choices.PairLossName) == tuple(LOSSES)
    assert words(choices.MatchingName) == tuple(MATCHING)


def test_signatures_offer_what_is_accepted() -> None:
    assert offered(GenURL.__init__, "task") == {"auto", *words(choices.TaskName)}
    assert offered(GenURL.__init__, "encoder") == {"auto", *words(choices.EncoderName)}
    assert offered(GenURL.__init__, "metric") == {"auto", *METRICS, "precomputed"}
    assert offered(GenURL.__init__, "device") == {"auto", "cpu", "cuda"}
    assert offered(GenURL.fit, "as_") == offered(GenURL.transform, "as_") == {*words(choices.InputKind)}
    assert offered(distill, "objective") == {*words(choices.LossName)}
    assert offered(splits, "protocol") == {"public", "random-10", "random-10-10-80"}


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.stage)
def test_explanations_name_every_word(stage: Any) -> None:
    lacking = []
    for name, (options, text) in stage.declared().items():
        for word in (word for option in options for word in get_args(option.kind)):
            if not re.search(rf"(?<![\w-]){word}(?![\w-])", text):
                lacking.append(f"{stage.stage}.{name}: {word}")
    assert lacking == []


@pytest.mark.parametrize(
    ("key", "near"), [("encoder.name", "gcn"), ("loss.per", "row"), ("encoder.pooling", "sum"), ("merge.how", "mix")]
)
def test_other_words_are_refused(key: str, near: str) -> None:
    with pytest.raises(InputError, match=rf"{key}: found '{near}s'; expected one of .*did you mean '{near}'"):
        Config().override({key: f"{near}s"})


def test_a_task_is_refused_before_anything_is_read() -> None:
    data: Any = None
    with pytest.raises(InputError, match=r"^task: found 'grph'; expected one of auto, graph, .*did you mean 'graph'"):
        resolve_config(data, "grph")
