"""Broken files chosen by coverage: libFuzzer changes whatever leads to lines of the readers that were not run before.

    pip install atheris
    python tests/faults/fuzz_atheris.py --minutes 10

Targets, their limits of time and memory, and the valid files to begin with are those of ``fuzz_readers.py``. atheris is
no dependency of the package nor of CI: it exists for Linux and some versions of Python. The first file that does harm
ends the run; it is kept, and named. `--corpus FOLDER` keeps what was found interesting, for a later run to go on from.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import atheris
import fuzz_readers


def lay_out(folder: Path) -> dict[str, bytes]:
    """The valid files, each read once while the modules of the readers are imported with counters of their branches."""
    with atheris.instrument_imports(include=["genurl_graph", "networkx.readwrite"], enable_loader_override=False):
        files = fuzz_readers.seeds()
        fuzz_readers.lay_out(files, folder)
        for name, content in files.items():
            fuzz_readers.attack(name, content, folder)
    return files


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10, help="of the clock")
    parser.add_argument("--corpus", type=Path, help="folder of inputs, read and added to")
    parser.add_argument("--again", type=Path, help="one input that did harm: give it to its reader, and nothing else")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="genurl-fuzz-"))
    files = lay_out(folder)
    names = sorted(files)
    fuzz_readers.limit_memory()

    def one(data: bytes) -> None:
        # The first byte says whose reader gets the rest.
        if data:
            fuzz_readers.attack(names[data[0] % len(names)], data[1:], folder)

    if arguments.again:
        one(arguments.again.read_bytes())
        return
    corpus = arguments.corpus or folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        (corpus / name.replace("/", "-")).write_bytes(bytes([number]) + files[name])
    print(f"inputs that do harm are kept in {folder}", file=sys.stderr)
    # Time and memory are limited by `attack` and `limit_memory`, which say which reader it was.
    limits = [f"-max_total_time={int(60 * arguments.minutes)}", "-timeout=0", "-rss_limit_mb=0", "-max_len=16384"]
    more = [f"-artifact_prefix={folder}/", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *limits, *more, str(corpus)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
