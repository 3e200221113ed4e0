"""A model on disk and back, and what a fitted one can tell of its training."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from torch import Tensor, nn

from genurl_graph.config.toml import flatten
from genurl_graph.exceptions import wrong
from genurl_graph.inference.conventions import Conventions
from genurl_graph.inference.fitted import TrainedModel
from genurl_graph.inference.persistence import load_model, save_model


class Saved(Conventions):
    """`save` and `load` of `genurl_graph.estimator.GenURL`, and the embedding that its training started from."""

    def untrained_embedding(self) -> Tensor:
        """Embedding [n, d] by the same encoder with its initial weights: what the training started from."""
        model = getattr(self, "model_", None)
        if not isinstance(model, TrainedModel):
            raise wrong("untrained_embedding", "a model that was loaded or not fitted", "one that was fitted here")
        return model.untrained_embedding()

    def save(self, folder: str | Path) -> None:
        """Write the model to a folder: safetensors and JSON, no pickle. See `genurl_graph.inference.persistence`."""
        if not hasattr(self, "model_"):
            raise wrong("save", "a model that is not fitted", "a fitted one")
        save_model(self.model_, folder)

    @classmethod
    def load(cls, folder: str | Path, encoder: nn.Module | None = None) -> Self:
        """The model that `save` wrote; it transforms as the saved one did.

        An encoder that was the user's own needs one like it in `encoder`; a copy takes the saved weights.

        Raises
        ------
        InputError
            Not such a folder, or a damaged one; or another encoder than it needs.
        """
        fitted = load_model(folder, encoder)
        settings = flatten(fitted.config.to_dict())
        model = cls(
            n_components=fitted.config.encoder.dim,
            task=fitted.config.task,
            encoder=fitted.config.encoder.name if encoder is None else encoder,
            random_state=fitted.seed,
            config={k: v for k, v in settings.items() if (k, v) != ("encoder.init", "given")},
        )
        model._take(fitted)
        return model
