"""``genurl-graph doctor``: what this installation consists of, for users and for bug reports."""

import platform
import re
import sys
from collections.abc import Callable
from importlib.metadata import requires
from pathlib import Path

import click

from genurl_graph.cli import options
from genurl_graph.cli.report import Report
from genurl_graph.experiments.environment import memory, usable_cores, version_of

# Distribution -> what it is good for here.
OPTIONAL = {
    "torch-scatter": "faster segment operations in PyG (extra: scatter)",
    "pyarrow": "Parquet and Arrow files (extra: parquet)",
    "ray": "embedding by partition on several machines (extra: cluster)",
    "anndata": ".h5ad files (extra: anndata)",
    "scanpy": "plots of genurl_graph.scanpy (extra: scanpy)",
    "geopandas": "files of maps (extra: geo)",
    "timm": "pretrained networks for embed --backbone (extra: images)",
    "tensorboard": "embed --tensorboard (extra: tensorboard)",
    "pykeen": "a second evaluator of typed edges (extra: knowledge)",
    "graphssl": "baselines of compare (extra: peers)",
    "grakel": "Weisfeiler-Lehman kernel as a check of this package's own (extra: peers)",
    "umap-learn": "baseline of compare --task reduce (extra: peers)",
    "openTSNE": "baseline of compare --task reduce (extra: peers)",
    "pacmap": "baseline of compare --task reduce (extra: peers)",
    "torchdr": "baseline of compare --task reduce (extra: peers)",
}
# Conda names some distributions in another way.
OTHER_NAMES = {"faiss-cpu": "faiss"}


@click.command()
@options.data_root
def doctor(data_root: Path | None) -> None:
    """Show what is installed: versions, devices, optional packages and data sets.

    \b
    Examples:
      genurl-graph doctor
    """
    report = Report()
    section(report, "machine")
    fact(report, "python", f"{platform.python_version()} ({sys.executable})")
    fact(report, "platform", platform.platform())
    fact(report, "cores", f"{usable_cores()} usable")
    fact(report, "memory", attempt(memory))
    section(report, "required packages")
    required = [re.split("[^A-Za-z0-9._-]", need)[0] for need in requires("genurl-graph") or () if "extra" not in need]
    for name in ("genurl-graph", *required):
        found = version_of(name) or version_of(OTHER_NAMES.get(name, name))
        fact(report, name, found or "MISSING: pip install genurl-graph brings it")
    section(report, "devices")
    fact(report, "CUDA", attempt(cuda))
    fact(report, "threads", attempt(threads))
    section(report, "optional packages")
    for name, purpose in OPTIONAL.items():
        fact(report, name, f"{version_of(name) or 'not installed'} - {purpose}")
    fact(report, "segment paths", attempt(segment_paths))
    section(report, "data sets")
    data_sets(report, data_root)


def section(report: Report, title: str) -> None:
    report.line(f"\n{title}" if title != "machine" else title)


def fact(report: Report, name: str, value: str) -> None:
    report.line(f"  {name:<16} {value}")


def attempt(probe: Callable[[], str]) -> str:
    """What `probe` finds; a broken installation is a finding here, not a crash."""
    try:
        return probe()
    except Exception as error:
        return f"unknown ({type(error).__name__}: {error})"


def cuda() -> str:
    import torch

    if not torch.cuda.is_available():
        built = torch.version.cuda
        return "not available" + (f" (torch built for CUDA {built})" if built else " (torch built for CPU)")
    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return f"{torch.version.cuda}: {', '.join(names)}"


def threads() -> str:
    import torch

    return f"{torch.get_num_threads()} used by torch"


def segment_paths() -> str:
    import torch_geometric.typing

    active = torch_geometric.typing.WITH_TORCH_SCATTER
    return "torch-scatter is active" if active else "plain torch (torch-scatter is not active)"


def data_sets(report: Report, root: Path | None) -> None:
    from genurl_graph import datasets
    from genurl_graph.cli.datasets import presence

    folder = datasets.data_root(root)
    fact(report, "data root", f"{folder}{'' if folder.is_dir() else ' (does not exist yet)'}")
    states: dict[str, list[str]] = {}
    for name in datasets.names():
        states.setdefault(presence(datasets.info(name), folder), []).append(name)
    for state, found in states.items():
        fact(report, state, ", ".join(found))
