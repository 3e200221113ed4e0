"""What scikit-learn expects of a transformer besides fit and transform: tags, names of columns in and out."""

from __future__ import annotations

from typing import Any

from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin


class Conventions(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Base of `genurl_graph.estimator.GenURL`; a subclass has a parameter `metric` and sets `embedding_` in fit."""

    metric: str

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.pairwise = self.metric == "precomputed"
        # Computed in float32 whatever comes in.
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    @property
    def _n_features_out(self) -> int:
        return int(self.embedding_.size(1))

    def _see_columns(self, X: Any, reset: bool) -> None:
        """Keep (`reset`), or compare with those of the fit, number and names of the columns of arrays and tables.

        Graphs and tensors have none that scikit-learn knows of.
        """
        from sklearn.utils.validation import validate_data

        if hasattr(X, "shape") and not hasattr(X, "layout") and len(X.shape) == 2:
            validate_data(self, X, reset=reset, skip_check_array=True)
        elif reset and hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
