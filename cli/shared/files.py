"""The files of one training and of a table of runs."""

from pathlib import Path
from typing import NamedTuple

import click

from genurl_graph.cli.shared.replaced import announce
from genurl_graph.exceptions import InputError


class TableFiles(NamedTuple):
    """Files that a table of runs is written to, and whether it goes on with what an interrupted one left there."""

    metrics: Path | None
    markdown: Path | None
    plot: Path | None
    resume: bool

    def prepare(self, *more: Path | None) -> None:
        """Find out before any run whether the results can be written; let no other run write the same files."""
        from genurl_graph.plotting import PLOT_SUFFIXES
        from genurl_graph.runtime.files import check_output

        for path, suffixes in ((self.metrics, (".json",)), (self.markdown, (".md",)), (self.plot, PLOT_SUFFIXES)):
            if path:
                check_output(path, suffixes)
        announce(self.metrics, self.markdown, self.plot, *more)
        lock(self.metrics, self.markdown, self.plot, *more)


class TrainingFiles(NamedTuple):
    """Files that one training is written to, and whether it goes on from its checkpoint."""

    output: Path
    metrics: Path | None
    save_model: Path | None
    resume: bool
    plot: Path | None = None

    @property
    def checkpoint(self) -> Path:
        """Where an interrupted training is kept."""
        return self.output.with_name(self.output.name + ".ckpt")

    def check(self, dim: int | None, timed: bool = False, typed: bool = False) -> None:
        """Find out before the training whether its results can be written: two of events, and of `typed` edges."""
        from genurl_graph.inputs.embeddings import check_embedding_path
        from genurl_graph.inputs.temporal.trajectory_files import check_trajectory_path, trajectory_path
        from genurl_graph.inputs.triples.relation_files import check_relation_path, relation_path
        from genurl_graph.plotting import PLOT_SUFFIXES
        from genurl_graph.runtime.files import check_folder, check_output
        from genurl_graph.training.checkpoint import Checkpoint

        checks = {timed: check_trajectory_path, typed: check_relation_path}
        checks.get(True, check_embedding_path)(self.output)
        for path, suffixes in ((self.metrics, (".json",)), (self.plot, PLOT_SUFFIXES)):
            if path:
                check_output(path, suffixes)
        if self.plot and dim == 1:
            raise InputError("--plot draws two dimensions, but --dim is 1; leave one of them out")
        if self.save_model:
            check_folder(self.save_model)
        if self.resume and not Checkpoint(self.checkpoint, {}).exists():
            raise InputError(f"--resume: there is no checkpoint {self.checkpoint} to continue from")
        beside = {timed: trajectory_path, typed: relation_path}.get(True)
        second = self.plot and self.plot.with_name(f"{self.plot.stem}-trajectory{self.plot.suffix}") if timed else None
        announce(self.output, beside and beside(self.output), self.metrics, self.plot, second, self.save_model)


def lock(*paths: Path | None) -> None:
    """Let no other run write these files until this command ends."""
    from genurl_graph.runtime.files import exclusive

    click.get_current_context().with_resource(exclusive(*(path for path in paths if path)))
