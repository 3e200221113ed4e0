"""A run that is interrupted and resumed gives, bit for bit, what a run without interruption gives."""

import os
import signal

import pytest
import torch


def assert_resumes(model, x, path, at=2):
    """Fit ``model(**options)`` to `x` whole, and stopped by Ctrl-C after epoch `at`, then resumed; returns both."""

    def interrupt(epoch, loss):
        if epoch == at:
            os.kill(os.getpid(), signal.SIGINT)

    whole = model().fit(x)
    with pytest.raises(KeyboardInterrupt):
        model(checkpoint=path).fit(x, callbacks=[interrupt])
    resumed = model(checkpoint=path, resume=True).fit(x)
    assert resumed.loss_history_ == whole.loss_history_
    assert torch.equal(resumed.embedding_, whole.embedding_)
    return whole, resumed
