"""A model of events that moves on with its stream."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from genurl_graph.exceptions import wrong
from genurl_graph.inference.saved import Saved
from genurl_graph.inference.temporal.later import follow
from genurl_graph.inputs.reading import Columns


class Updates(Saved):
    """`update` of `genurl_graph.estimator.GenURL`."""

    def update(
        self, X: Any, *, windows: str | int | None = None, as_: str | None = None, columns: Columns = None
    ) -> Self:
        """Embed later events as further windows of ``trajectory_``, without touching the windows before.

        Parameters
        ----------
        X, as_, columns
            As in `fit`. No event may be earlier than the last one so far. Nodes are found by their names, or by their
            numbers where they have none; new ones come after the others. A list of snapshots follows the last one.
        windows : int or str, optional
            As in `fit`; by default windows like the fitted ones, of the same length or of about as many events.

        Raises
        ------
        NotFittedError, InputError
            Not fitted; no model of events; events before the last one; other columns than in the fit.

        Examples
        --------
        >>> model = GenURL(windows=20).fit(messages, columns={"time": "sent"})
        >>> model.update(messages_of_today).trajectory_.num_windows
        21
        """
        check_is_fitted(self)
        if self.model_.config.task != "temporal":
            raise wrong(
                "update", f"a model of the task {self.model_.config.task}", "one of events with a time (task temporal)"
            )
        later = follow(self.model_, X, self._said(X, as_, columns, None), windows)
        self.model_.time, self.node_id_ = later.time, np.concatenate([self.node_id_, later.new])
        self.model_.embedding = later.time.trajectory.invariant()
        return self
