"""What is embedded: a data set of the registry, or the user's own files."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from genurl_graph.cli import options

if TYPE_CHECKING:
    from torch_geometric.data import Data

Command = TypeVar("Command", bound=Callable[..., Any])


def source(command: Command) -> Command:
    """The options that name it; the command makes a `Source` of their values."""
    for option in reversed(
        (
            click.option("--dataset", metavar="NAME", help="A data set of the registry: see genurl-graph datasets."),
            click.option(
                "--input", "own", type=options.PATH, help="Your own graph, edge list, matrix or images, instead."
            ),
            click.option("--features", type=options.PATH, help="With --input: table of node features."),
            click.option(
                "--labels", type=options.PATH, help="With --input: table of node labels, for the evaluation only."
            ),
            options.data_root,
        )
    ):
        command = option(command)
    return command


backbone = click.option(
    "--backbone",
    metavar="NAME",
    help="Images only: embed what this trained network of timm's makes of them. Needs the extra images.",
)


class Source(NamedTuple):
    """A data set by its name, or the files of `own` data."""

    dataset: str | None
    own: Path | None
    features: Path | None = None
    labels: Path | None = None
    data_root: Path | None = None
    backbone: str | None = None

    def check(self) -> None:
        if (self.dataset is None) == (self.own is None):
            raise click.UsageError("Give one of --dataset NAME and --input PATH.")
        for flag, value in (("--features", self.features), ("--labels", self.labels)):
            if value is not None and self.own is None:
                raise click.UsageError(f"{flag} goes with --input; a data set of the registry has its own.")

    @property
    def name(self) -> str:
        """The canonical name of the data set, or the file's own without its suffix."""
        if self.own is not None:
            return self.own.stem
        from genurl_graph import datasets

        assert self.dataset is not None
        return datasets.info(self.dataset).name

    def load(self, progress: bool = False) -> "Data":
        from genurl_graph import datasets

        if self.own is not None:
            return seen_by(self.backbone, datasets.read(self.own, self.features, self.labels), progress)
        assert self.dataset is not None
        return seen_by(self.backbone, datasets.load(self.dataset, self.data_root), progress)

    def record(self) -> dict[str, str | None]:
        """What finds the same data again; `recorded` takes it back. The data root is left to the machine."""
        files = {"input": self.own, "features": self.features, "labels": self.labels}
        return {"dataset": None if self.dataset is None else self.name, "backbone": self.backbone} | {
            key: None if path is None else str(path.resolve()) for key, path in files.items()
        }

    @classmethod
    def recorded(cls, record: dict[str, str | None], data_root: Path | None) -> "Source":
        own, features, labels = (
            None if record[key] is None else Path(str(record[key])) for key in ("input", "features", "labels")
        )
        return cls(record["dataset"], own, features, labels, data_root, record.get("backbone"))


def seen_by(backbone: str | None, data: "Data", progress: bool = False) -> "Data":
    """Images with what a network of timm's makes of them in the place of pixels; other data as it is without one."""
    if backbone is None:
        return data
    from genurl_graph.exceptions import InputError
    from genurl_graph.inputs.images import image_shape
    from genurl_graph.nn.pretrained import features_of, timm_backbone

    if data.x is None:
        raise InputError("--backbone: found no images; expected a folder of images, files of MNIST's format or pixels")
    shape = getattr(data, "image_shape", None) or image_shape("auto", data.x.size(1))
    seen = data.clone()
    seen.image_shape = shape
    seen.x = features_of(timm_backbone(backbone, shape[2]), seen, progress=progress)
    del seen.image_shape
    return seen
