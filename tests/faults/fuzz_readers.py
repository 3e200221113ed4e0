"""Broken files for every reader: each is read or refused with a message; no traceback, no hang, no memory blow-up.

    python tests/faults/fuzz_readers.py --minutes 10

Hypothesis damages valid files of every format (bits, cuts, repetitions, insertions of awkward numbers). The first file
that does harm is kept, and named. ``fuzz_atheris.py`` lets coverage choose the bytes instead.
"""

from __future__ import annotations

import argparse
import io
import json
import resource
import signal
import struct
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# A file of at most some kilobytes must not take longer (seconds of the processor, or of waiting), nor more than this
# beyond what the process has.
SECONDS, WAITING, MIB = 10, 300, 3000
AWKWARD = b'-1 1e999 nan inf 1_0 , " #'.split()
AWKWARD += [b"9" * 30, b"\0", b"\xff" * 8, b"\n", b"\xef\xbb\xbf", b"\x7f" * 4]
AWKWARD += [struct.pack("<Q", 2**62), struct.pack("<I", 2**31 - 1), struct.pack(">I", 2**31 - 1)]


def seeds() -> dict[str, bytes]:
    """A small valid file of every format, by its name."""
    import networkx
    import pandas
    import torch
    from PIL import Image
    from torch_geometric.data import Data

    def written(write: Callable[[Any], object]) -> bytes:
        buffer = io.BytesIO()
        write(buffer)
        return buffer.getvalue()

    rng = np.random.default_rng(0)
    x, edges = rng.standard_normal((6, 3)).astype(np.float32), np.array([[0, 1, 2], [1, 2, 3]])
    csr = {"data": np.ones(3), "indices": np.array([1, 2, 3]), "indptr": np.array([0, 1, 2, 3, 3, 3, 3])}
    csr["shape"] = np.array([6, 6])
    adjacency = {f"adj_{key}": value for key, value in csr.items()}
    attributes = {f"attr_{key}": value for key, value in csr.items()}
    ids = np.array(["a", "b", "c", "d", "e", "f"])
    graph = networkx.path_graph(4)
    networkx.set_node_attributes(graph, 1.5, "f")
    data = Data(x=torch.from_numpy(x), edge_index=torch.from_numpy(edges), y=torch.arange(6))
    sparse = torch.from_numpy(x).to_sparse_csr()
    pixels = rng.integers(0, 256, (5, 4, 4), dtype=np.uint8)
    table = pandas.DataFrame({"id": ids, "f": x[:, 0], "g": x[:, 1]})
    embedding = {"embedding": x, "node_id": ids, "label": np.arange(6)}
    idx = b"\0\0\x08\x03" + struct.pack(">3I", *pixels.shape) + pixels.tobytes()
    found = {
        "graph.npz": written(lambda b: np.savez(b, x=x, edge_index=edges, y=np.arange(6), node_id=ids)),
        "packed.npz": written(lambda b: np.savez_compressed(b, **adjacency, **attributes, labels=np.arange(6))),
        "matrix.npy": written(lambda b: np.save(b, x)),
        "edges.csv": b"source,target,weight\na,b,1\nb,c,0.5\nc,a,2\n",
        "matrix.csv": b"id,f,g,h\na,1,2,3\nb,4,5,6\nc,7,8,9\n",
        "matrix.tsv": b"1\t2\t3\t4\n5\t6\t7\t8\n",
        "edges.txt": b"# an edge list\n0 1\n1 2\n2 0\n",
        "graph.graphml": written(lambda b: networkx.write_graphml(graph, b)),
        "graph.gml": written(lambda b: networkx.write_gml(graph, b)),
        "graph.pt": written(lambda b: torch.save(data, b)),
        "old.pt": written(lambda b: torch.save({"x": sparse}, b, _use_new_zipfile_serialization=False)),
        "images-idx3-ubyte": idx,
        "features.parquet": written(lambda b: table.to_parquet(b)),
        "embedding.csv": b"node_id,label,e0,e1\na,0,1,2\nb,1,3,4\n",
        "embedding.npz": written(lambda b: np.savez(b, **embedding)),
        "embedding.pt": written(lambda b: torch.save({"embedding": torch.from_numpy(x)}, b)),
        "embedding.parquet": written(lambda b: pandas.DataFrame({"node_id": ids, "e0": x[:, 0]}).to_parquet(b)),
        "images/a.png": written(lambda b: Image.fromarray(pixels[0]).save(b, "PNG")),
        "config.toml": b'[loss]\ngamma = 0.5\n[training]\nepochs = 3\nlr = "auto"\n',
        "metrics.json": json.dumps({"run": {"command": "embed"}, "config": {}}).encode(),
    }
    import gzip

    return found | {"images-idx3-ubyte.gz": gzip.compress(idx)} | model_files() | graph_files()


def graph_files() -> dict[str, bytes]:
    """A small valid file of every format that `genurl_graph.datasets.readers.formats` reads."""
    import networkx
    import scipy.io
    import scipy.sparse
    import torch
    from torch_geometric.data import Data, HeteroData, TemporalData

    def written(write: Callable[[Any], object]) -> bytes:
        buffer = io.BytesIO()
        write(buffer)
        return buffer.getvalue()

    graph = networkx.path_graph(4)
    networkx.set_edge_attributes(graph, 1.5, "weight")
    networkx.set_node_attributes(graph, {i: f"name {i}" for i in graph}, "label")
    matrix = scipy.sparse.csc_matrix(networkx.to_numpy_array(graph))
    gephi = networkx.DiGraph(graph)
    gephi.nodes[0]["viz"] = {"size": 1.0, "color": {"r": 1, "g": 2, "b": 3}, "position": {"x": 1, "y": 2, "z": 3}}
    variables = {"network": matrix, "X": np.eye(4), "Y": np.array([[0], [1], [0], [1]])}
    hetero = HeteroData()
    hetero["user"].x, hetero["item"].num_nodes = torch.eye(3), 3
    hetero["user", "buys", "item"].edge_index = torch.tensor([[0, 1, 2], [1, 2, 0]])
    ends = torch.tensor([0, 1, 2, 0]), torch.tensor([1, 2, 0, 1])
    found = {
        "graph.gexf": written(lambda b: networkx.write_gexf(gephi, b)),
        "graph.net": written(lambda b: networkx.write_pajek(graph, b)),
        "graph.adjlist": written(lambda b: networkx.write_adjlist(graph, b)),
        "graph.edgelist": written(lambda b: networkx.write_edgelist(graph, b)),
        "graph.graph": b"4 3 011 1\n5 2 1\n6 1 1 3 2\n7 2 2 4 3\n8 3 3\n",
        "out.konect": b"% bip positive\n% 4 2 3\n1 1 2 100\n2 3 1 101\n1 2 1 102\n2 2 4 103\n",
        "graph.mtx": written(lambda b: scipy.io.mmwrite(b, matrix, symmetry="symmetric")),
        "array.mtx": written(lambda b: scipy.io.mmwrite(b, np.eye(3, 4))),
        "bare.mtx": b"\n2 1\n3 1 \n4 2\n",
        "graph.mat": written(lambda b: scipy.io.savemat(b, variables)),
        "packed.mat": written(lambda b: scipy.io.savemat(b, variables, do_compression=True)),
        "matrix.svm": b"1 1:0.5 3:2\n-1 2:1 # a comment\n1 1:1 2:1 3:1\n",
        "csr.npz": written(lambda b: scipy.sparse.save_npz(b, matrix.tocsr())),
        "coo.npz": written(lambda b: scipy.sparse.save_npz(b, matrix.tocoo(), compressed=False)),
        "hetero.pt": written(lambda b: torch.save(hetero, b)),
        "temporal.pt": written(lambda b: torch.save(TemporalData(src=ends[0], dst=ends[1], t=ends[0]), b)),
        "sparse.pt": written(lambda b: torch.save(Data(adj_t=torch.eye(4).roll(1, 0).to_sparse_csr()), b)),
    }
    try:
        import anndata
        import pandas
    except ImportError:
        return found
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pandas.option_context("future.infer_string", False):
            cells = anndata.AnnData(np.eye(4, 3, dtype=np.float32))
            cells.obsp["connectivities"] = matrix.tocsr()
            cells.write_h5ad(Path(folder) / "x.h5ad")
        return found | {"cells.h5ad": (Path(folder) / "x.h5ad").read_bytes()}


def model_files() -> dict[str, bytes]:
    """The files of a saved model, and a checkpoint."""
    import torch

    from genurl_graph.estimator import GenURL

    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder) / "run.ckpt"
        x = torch.rand(20, 3, generator=torch.Generator().manual_seed(0))
        model = GenURL(3, encoder="mlp", epochs=2, random_state=0, checkpoint=checkpoint, config={"encoder.hidden": 4})
        model.fit(x).save(Path(folder) / "model")
        names = ("model/model.json", "model/model.safetensors", "run.ckpt")
        return {name: (Path(folder) / name).read_bytes() for name in names}


def read(path: Path) -> None:
    """Give a file to the readers that its name means."""
    from genurl_graph import datasets
    from genurl_graph.config import load_preset
    from genurl_graph.config.toml import read_toml
    from genurl_graph.estimator import GenURL
    from genurl_graph.experiments.repeat import read_metrics
    from genurl_graph.inputs.embeddings import read_embedding
    from genurl_graph.training.checkpoint import Checkpoint

    name = path.name
    if path.parent.name == "model":
        GenURL.load(path.parent)
    elif name == "run.ckpt":
        Checkpoint(path, {}).stored_run()
    elif path.parent.name == "images":
        datasets.read(path.parent)
    elif name == "config.toml":
        load_preset("graph").override(read_toml(path))
    elif name == "metrics.json":
        read_metrics(path)
    elif name.startswith("embedding"):
        read_embedding(path)
    elif name == "features.parquet":
        datasets.read(path.with_name("edges.csv"), features=path)
    else:
        datasets.read(path)
        if path.suffix in (".csv", ".npy", ".tsv"):
            edges = path.with_name("ring.csv")
            edges.write_text("0,1\n1,2\n2,0\n")
            # A table may fit these edges or not: both readers see its bytes.
            for kind in ("features", "labels"):
                refused_or_read(lambda kind=kind: datasets.read(edges, **{kind: path}))


def refused_or_read(work: Callable[[], object]) -> bool:
    """Whether it was read; refusals are the package's own errors, and nothing else."""
    from genurl_graph.exceptions import InputError, ShortMemoryError

    try:
        work()
    except (InputError, ShortMemoryError) as error:
        if not str(error).strip():
            raise
        return False
    return True


class Slow(Exception):
    """A reader that takes longer than `SECONDS` or `WAITING`."""


def lay_out(files: dict[str, bytes], folder: Path) -> None:
    """All whole files: some are read together."""
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)


def attack(name: str, content: bytes, folder: Path) -> bool:
    """Replace a file of `lay_out`, read it, and put the whole one back; whether it was read."""
    path = folder / name
    whole = path.read_bytes()
    path.write_bytes(content)

    def slow(*_: object) -> None:
        raise Slow(f"{name}: {SECONDS} s of the processor, or {WAITING} s")

    before = {number: signal.signal(number, slow) for number in (signal.SIGPROF, signal.SIGALRM)}
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    signal.alarm(WAITING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return refused_or_read(lambda: read(path))
    finally:
        path.write_bytes(whole)
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)
        for number, handler in before.items():
            signal.signal(number, handler)


def damage(content: bytes, changes: list[tuple[int, int, int, int]]) -> bytes:
    """Apply changes (kind, place, length, which): flip a bit, cut, repeat, insert, overwrite, cut the end."""
    found = bytearray(content)
    for kind, place, length, which in changes:
        at = place % (len(found) + 1)
        part, awkward = found[at : at + length], AWKWARD[which % len(AWKWARD)]
        if kind == 0 and at < len(found):
            found[at] ^= 1 << which % 8
        elif kind == 1:
            del found[at : at + length]
        elif kind == 2:
            found[at:at] = part * (1 + which % 4)
        elif kind == 3:
            found[at:at] = awkward
        elif kind == 4:
            found[at : at + len(awkward)] = awkward
        elif kind == 5:
            del found[at:]
    return bytes(found)


CHANGES = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 1 << 14), st.integers(1, 64), st.integers(0, 255)),
    min_size=1,
    max_size=5,
)


def limit_memory() -> None:
    """Let a blow-up fail here, where it can be seen, and not in the machine."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MIB * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


def with_hypothesis(minutes: float, folder: Path, files: dict[str, bytes]) -> Counter[str]:
    """Rounds of examples until the time is over; counts of files by name and outcome."""
    counts: Counter[str] = Counter()
    # Of the processor: on a busy machine minutes of the clock say little.
    end = time.process_time() + 60 * minutes
    kept = folder / "last"

    @settings(max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(sorted(files)), CHANGES)
    def attempt(name: str, changes: list[tuple[int, int, int, int]]) -> None:
        content = damage(files[name], changes)
        kept.write_bytes(content)
        counts[f"{name} {'read' if attack(name, content, folder) else 'refused'}"] += 1

    while time.process_time() < end:
        attempt()
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10, help="of the processor's time")
    arguments = parser.parse_args()
    folder, files = Path(tempfile.mkdtemp(prefix="genurl-fuzz-")), seeds()
    lay_out(files, folder)
    for name, content in files.items():
        attack(name, content, folder)  # imports, before memory is limited
    limit_memory()
    try:
        counts = with_hypothesis(arguments.minutes, folder, files)
    except BaseException:
        print(f"the file that did it: {folder / 'last'}", file=sys.stderr)
        raise
    for line, count in sorted(counts.items()):
        print(f"{count:7,} {line}")
    print(f"{counts.total():7,} files, each of them read or refused with a message")
    return 0


if __name__ == "__main__":
    sys.exit(main())
