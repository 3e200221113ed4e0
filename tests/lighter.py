"""Presets of few epochs and narrow layers: how well examples train is shown elsewhere than where they are run."""

from typing import Any

import pytest

from genurl_graph import config

# What presets, and settings of stored runs, ask for at most.
MOST = {"training.epochs": 3, "encoder.hidden": 64}


def lighten_presets(patch: pytest.MonkeyPatch) -> None:
    """Lower what every preset asks for, until `patch` is undone."""
    flatten = config.flatten

    def lighter(tree: Any) -> dict[str, Any]:
        found = flatten(tree)
        return found | {key: min(found[key], most) for key, most in MOST.items() if key in found}

    patch.setattr(config, "flatten", lighter)
