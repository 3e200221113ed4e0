"""``embed --tensorboard DIR``: the loss of every epoch, for TensorBoard to draw while the training goes on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genurl_graph.exceptions import InputError

if TYPE_CHECKING:
    from genurl_graph.training.loop import Callback

tensorboard = click.option(
    "--tensorboard",
    "events",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write the loss of each epoch there (extra: tensorboard).",
)


@contextmanager
def written(folder: Path | None) -> "Iterator[list[Callback]]":
    """Context with the callbacks that write to `folder`; without one there are none."""
    if folder is None:
        yield []
        return
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise InputError(
            "--tensorboard: the package tensorboard is not installed; pip install 'genurl-graph[tensorboard]'"
        ) from error
    try:
        writer = SummaryWriter(str(folder))
    except OSError as error:
        raise InputError(f"--tensorboard {folder}: cannot be written: {error.strerror}") from error

    def write(epoch: int, loss: float) -> None:
        writer.add_scalar("loss", loss, epoch)

    try:
        yield [write]
    finally:
        # What an interrupted training has written stays.
        writer.close()
