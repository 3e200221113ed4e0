"""Who works on partitions: the options of it, and the launcher that they describe."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from genurl_graph.cli import INTERRUPTED, Stop, options
from genurl_graph.exceptions import LostProcessError, ShortMemoryError, wrong

if TYPE_CHECKING:
    from genurl_graph.runtime.partitions import Launcher

# Workers with libraries take some 0.5 GB: they would say so themselves, once they are there, which may take minutes.
LEAST_MEMORY = 600 * 10**6
UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
UNITS |= {f"{unit}I": 2 ** (10 * power) for power, unit in enumerate("KMGT", start=1)}


def parse_memory(text: str) -> int:
    """Bytes of such an amount as "2GB", "1.5G" or "800MiB"; InputError for anything else."""
    found = re.fullmatch(r"\s*(\d+\.?\d*|\.\d+)\s*([kmgt]?i?)b?\s*", text, re.IGNORECASE)
    unit = None if found is None else UNITS.get(found[2].upper())
    if found is None or unit is None or float(found[1]) == 0:
        raise wrong("--memory-per-worker", repr(text), "an amount such as 2GB or 1500MiB")
    return int(float(found[1]) * unit)


class Workers(NamedTuple):
    """Who is to work on partitions."""

    cluster: str | None
    workers: int | None
    memory_per_worker: int | None

    def given(self) -> list[str]:
        """The options that were given."""
        return [f"--{name.replace('_', '-')}" for name, value in self._asdict().items() if value is not None]

    def refuse(self) -> None:
        """Refuse the options where no prepared folder is named."""
        for option in self.given():
            raise click.UsageError(f"{option} goes with a prepared folder as --input (genurl-graph prepare).")

    @contextmanager
    def launcher(
        self, devices: int | None = None, gpu: bool = False, told: Callable[[str], None] = lambda _: None
    ) -> "Iterator[Launcher]":
        """The launcher; `devices` are processes of this machine that train together, None where no option says so.

        `told` is called with a line about the cluster, where there is one.
        """
        from genurl_graph.runtime.partitions import OneProcess

        several = devices is not None and devices > 1
        if self.cluster is not None and several:
            raise click.UsageError("Give one of --cluster and --devices; --workers says how many of the cluster work.")
        if self.memory_per_worker is not None and self.memory_per_worker < LEAST_MEMORY:
            found = f"{self.memory_per_worker / 1e9:.2f} GB"
            raise wrong("--memory-per-worker", found, "0.6 GB or more, most of which Python and its libraries take")
        if self.cluster is not None:
            from genurl_graph.runtime.partitions.ray_cluster import RayCluster

            with RayCluster(self.cluster, self.workers or 4, self.memory_per_worker, gpu) as cluster:
                told(cluster.describe())
                yield cluster
            return
        if self.workers is not None:
            here = "--cluster local" if devices is None else "--devices N"
            raise click.UsageError(f"--workers goes with --cluster; processes of this machine: {here}.")
        if devices is not None and several:
            from genurl_graph.runtime.partitions.local_processes import LocalProcesses

            with LocalProcesses(devices, self.memory_per_worker, gpu) as processes:
                yield processes
            return
        if self.memory_per_worker is not None:
            also = "" if devices is None else ", or with --devices of two or more"
            raise click.UsageError(f"--memory-per-worker goes with --cluster{also}.")
        yield OneProcess()


def _memory(_: click.Context, __: click.Parameter, text: str | None) -> int | None:
    return None if text is None else parse_memory(text)


def workers(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options of who works on partitions, which the command takes as one argument, `among`."""
    decorate: Callable[..., Callable[..., Any]] = options.gathered(
        "among",
        Workers,
        click.option(
            "--cluster",
            metavar="auto|local|ADDRESS",
            help="Prepared folders: let the workers of this Ray cluster work; auto: of the one that runs here, or of "
            "one started on this machine, as local always is. Needs the extra cluster.",
        ),
        click.option("--workers", type=click.IntRange(min=1), help="With --cluster: how many. [default: 4]"),
        click.option(
            "--memory-per-worker",
            metavar="SIZE",
            callback=_memory,
            help="With --cluster or --devices: what each may take, such as 2GB; a run that needs more ends.",
        ),
    )
    return decorate(command)


@contextmanager
def interruptible(work: Path) -> Iterator[None]:
    """Context in which Ctrl-C, a lost worker or short memory end with advice on how to go on."""
    try:
        yield
    except (KeyboardInterrupt, LostProcessError, ShortMemoryError) as error:
        advice = "nothing was kept"
        if (work / "settings.json").is_file():
            advice = f"the same command with --resume, also with other workers, continues from {work}"
        if isinstance(error, KeyboardInterrupt):
            raise Stop(f"interrupted; {advice}", INTERRUPTED) from error
        raise type(error)(f"{error}; {advice}") from error
