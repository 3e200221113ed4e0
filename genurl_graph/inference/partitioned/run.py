"""One run by partitions: from a prepared folder to an embedding by partition, in a work folder that can be resumed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genurl_graph.exceptions import InputError, wrong
from genurl_graph.inference.fitted import FittedModel
from genurl_graph.inference.partitioned.output import FILE, Output, part_file, write_part
from genurl_graph.inference.partitioned.transform import settings_of_transform
from genurl_graph.inputs.partitioned import Prepared
from genurl_graph.objectives.partitioned import embed_part, load_encoder
from genurl_graph.objectives.partitioned.encoder import ENCODER, UNTRAINED, save_encoder
from genurl_graph.runtime.partitions import Launcher, Store, run_stage
from genurl_graph.runtime.partitions.record import Recorded
from genurl_graph.runtime.random import check_seed, draw_seed
from genurl_graph.tasks.partitioned.recipe import build_graph, train_encoder, with_statistics
from genurl_graph.tasks.partitioned.resolve import resolve_run
from genurl_graph.tasks.partitioned.rows import input_rows
from genurl_graph.tasks.partitioned.sample import plan_of
from genurl_graph.tasks.partitioned.settings import SETTINGS, TENSORS, RunSettings, checksum_of
from genurl_graph.tasks.resolve import collect_settings
from genurl_graph.training.checkpoint import checksum

STAGES = "stages.jsonl"
# Rows by the encoder before its training; partitions of the output that are written.
_BEFORE, _WRITTEN = "untrained", "written"


def work_folder(output: Path) -> Path:
    """Where a run keeps what it needs to go on: beside its output."""
    return output.with_name(output.name + ".work")


def check_work_folder(folder: Path) -> None:
    """InputError where a folder is about to be replaced that is no work folder."""
    held = {file.name for file in folder.iterdir()} if folder.is_dir() else set()
    if held and held.isdisjoint((STAGES, SETTINGS, TENSORS)):
        expected = "the work of an earlier run, or nothing; name another output"
        raise wrong(folder, f"a folder that holds {min(held)}", expected)


@dataclass
class PartitionedRun:
    """A run on a prepared folder: `embedding_run` or `transforming_run` begins one, or takes up an interrupted one.

    Attributes
    ----------
    prepared : Prepared
    output : Path
        Folder of the embedding.
    work : Store
        Everything between: it is removed by `finish`.
    settings : RunSettings
    launcher : Recorded
    device : str
        "auto", "cpu" or "cuda": of each worker.
    progress : bool
    """

    prepared: Prepared
    output: Path
    work: Store
    settings: RunSettings
    launcher: Recorded
    device: str = "auto"
    progress: bool = False

    def fit(self) -> dict[str, Any]:
        """Build the graph, and train the encoder. The summary of the graph, with ``knn_recall`` and ``losses``."""
        summary = self._build_graph()
        shared = (self.launcher, self.work, self.settings)
        return summary | {"losses": train_encoder(*shared, device=self.device, progress=self.progress)}

    def transform(self) -> dict[str, Any]:
        """Build the graph that the encoder of a model reads. The summary of the graph, with ``knn_recall``."""
        if self.settings.config.encoder.name == "sign":
            return self._build_graph()
        # It reads rows alone.
        input_rows(self.launcher, self.prepared, self.work, self.settings, self.progress)
        return {"knn_recall": None}

    def _build_graph(self) -> dict[str, Any]:
        return build_graph(self.launcher, self.prepared, self.work, self.settings, progress=self.progress)

    def write(self) -> None:
        """Embed, and write the embedding by partition."""
        # An earlier embedding is no longer complete once the first of its partitions is replaced.
        (self.output / FILE).unlink(missing_ok=True)
        for part in range(self.work.count):
            # What was written may have been removed since: the output is the user's folder.
            if not part_file(self.output, part).is_file():
                self.work.file(_WRITTEN, part).unlink(missing_ok=True)
        shared = (self.prepared, self.output, self.settings, self.device)
        run_stage(self.launcher, self.work, "embedding", write_rows, [_WRITTEN], *shared, progress=self.progress)

    def untrained_rows(self, most: int) -> Tensor:
        """The first `most` rows [m, d] as the encoder embeds them before its training."""
        count = int(np.searchsorted(self.work.bounds, min(most, self.work.num_rows)))
        shared = (self.settings, self.device)
        missing = [part for part in range(count) if not self.work.has([_BEFORE], part)]
        self.launcher.map("untrained encoder", embed_untrained, missing, self.work, *shared, progress=self.progress)
        return torch.cat([torch.from_numpy(self.work.load(_BEFORE, part)) for part in range(count)])[:most]

    def model(self, summary: Mapping[str, Any]) -> FittedModel:
        """The encoder as a model that embeds other graphs, in memory or by partitions; it holds no row of this one."""
        settings, plan = self.settings, self.prepared.manifest.plan
        weight = {} if settings.column_weight is None else {"weight": settings.column_weight}
        return FittedModel(
            encoder=load_encoder(self.work.path / ENCODER, settings.config),
            config=settings.config,
            embedding=torch.empty(0, settings.config.encoder.dim),
            statistics=settings.statistics | weight,
            space=None,
            seed=settings.seed,
            n_features_in=self.prepared.num_features if plan is None else len(plan["columns"]),
            loss_history=list(summary["losses"]),
            graph_summary={key: value for key, value in summary.items() if key not in ("losses", "knn_recall")},
            seconds=self.seconds(),
            knn_backend=settings.config.neighbors.backend,
            knn_recall=summary["knn_recall"],
            mass=float(summary.get("total_weight", 0.0)) / self.prepared.num_nodes,
            plan=plan_of(self.prepared),
        )

    def seconds(self) -> dict[str, float]:
        """Wall-clock time of each stage, over all runs that had a part in it."""
        found: dict[str, float] = {}
        for stage in self.launcher.stages():
            found[stage.name] = round(found.get(stage.name, 0.0) + stage.seconds, 3)
        return found

    def finish(self, record: Mapping[str, Any]) -> Output:
        """Write the manifest of the embedding with a record of the run, and remove the work folder."""
        found = Output.write(self.output, self.prepared, self.settings.config.encoder.dim, dict(record))
        shutil.rmtree(self.work.path, ignore_errors=True)
        return found


def embedding_run(
    prepared: Prepared,
    output: Path,
    launcher: Launcher,
    config: Mapping[str, Any] | str | Path | None = None,
    arguments: Mapping[str, Any] | None = None,
    *,
    seed: int | None = None,
    **how: Any,
) -> PartitionedRun:
    """A run that trains an encoder: its settings are resolved, or read if it goes on.

    Parameters
    ----------
    prepared, launcher
        All workers see the folders under the same absolute path.
    output : Path
        Folder of the embedding; beside it lies the work folder, ``OUTPUT.work``.
    config, arguments
        As of `genurl_graph.tasks.partitioned.resolve.resolve_run`.
    seed : int, optional
        Drawn by default; of a run that goes on, its own.
    **how
        ``device``; ``progress``, whether stages show a progress bar; ``told``, a function that is called with a line of
        text after each stage; ``resume``: go on from the work folder, which is removed otherwise.

    Raises
    ------
    InputError
        As of `resolve_run`; nothing to go on from, or a run of other settings.

    Examples
    --------
    >>> run = embedding_run(Prepared.open("prepared"), Path("embedded"), OneProcess(), seed=0)  # doctest: +SKIP
    >>> summary = run.fit()  # doctest: +SKIP
    >>> run.write()  # doctest: +SKIP
    >>> run.finish(summary).rows(5)["embedding"].shape  # doctest: +SKIP
    (5, 384)
    """

    def resolve(prepared: Prepared) -> RunSettings:
        drawn = draw_seed(None) if seed is None else check_seed(seed)
        return resolve_run(prepared, config, arguments, seed=drawn)

    return _begin(prepared, output, launcher, resolve, collect_settings(config, arguments), seed, **how)


def transforming_run(
    model: FittedModel, prepared: Prepared, output: Path, launcher: Launcher, **how: Any
) -> PartitionedRun:
    """A run whose encoder is that of a model: `PartitionedRun.transform` takes the place of a fit.

    Arguments and errors as of `embedding_run` and `settings_of_transform`.
    """
    # The same model, whatever the folder that it lies in is called.
    asked = {"model": checksum(*model.encoder.state_dict().values()), "config": model.config.to_dict()}

    def resolve(prepared: Prepared) -> RunSettings:
        return settings_of_transform(model, prepared)._replace(asked=asked)

    run = _begin(prepared, output, launcher, resolve, asked, None, **how)
    axes = model.statistics.get("axes")
    columns = model.n_features if axes is None else int(axes.size(1))
    save_encoder(run.work.path / ENCODER, model.encoder, {"columns": columns}, model.loss_history)
    return run


def _begin(
    prepared: Prepared,
    output: Path,
    launcher: Launcher,
    resolve: Callable[[Prepared], RunSettings],
    asked: dict[str, Any],
    seed: int | None,
    *,
    device: str = "auto",
    progress: bool = False,
    resume: bool = False,
    told: Callable[[str], None] = lambda _: None,
) -> PartitionedRun:
    # Workers have other working directories.
    folder, output, path = work_folder(output).resolve(), output.resolve(), prepared.store.path.resolve()
    prepared = Prepared(Store(path, prepared.store.bounds), prepared.manifest)
    recorded = Recorded(launcher, folder / STAGES, told)
    if resume:
        if not folder.is_dir():
            raise InputError(f"--resume: there is no work folder {folder} to continue from")
        settings = RunSettings.load(folder)
        settings.check_same(asked, seed, checksum_of(prepared), folder)
    else:
        check_work_folder(folder)
        settings = resolve(prepared)
        if folder.is_dir():
            told(f"begins anew: what an interrupted run left in {folder} is removed (--resume goes on from it)")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / STAGES).touch()  # by which the folder is known, whenever the run ends
        settings = with_statistics(recorded, prepared, settings, progress)
        settings.save(folder)
    return PartitionedRun(prepared, output, Store(folder, prepared.store.bounds), settings, recorded, device, progress)


def write_rows(part: int, work: Store, prepared: Prepared, output: Path, settings: RunSettings, device: str) -> None:
    """Stage function of `PartitionedRun.write`."""
    write_part(output, part, prepared, embed_part(part, work, settings.config, work.path / ENCODER, device))
    work.save(_WRITTEN, part, np.array([part]))


def embed_untrained(part: int, work: Store, settings: RunSettings, device: str) -> None:
    """Stage function of `PartitionedRun.untrained_rows`."""
    work.save(_BEFORE, part, embed_part(part, work, settings.config, work.path / UNTRAINED, device))
