"""Nothing is asked of the network: neither by imports nor by a whole run on data that is there."""

import subprocess
import sys

RUN = """
import socket, sys
def refuse(*words, **more):
    raise AssertionError("the network was asked")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = refuse
import pkgutil
import genurl_graph
from importlib import import_module
for module in pkgutil.walk_packages(genurl_graph.__path__, "genurl_graph."):
    if not module.name.endswith("__main__"):
        import_module(module.name)
from genurl_graph.cli import main
main(["embed", "--input", sys.argv[1], "--epochs", "1", "--dim", "4", "--quiet", "--output", sys.argv[2]])
"""


def test_imports_and_a_run_open_no_connection(tmp_path) -> None:
    (tmp_path / "ring.csv").write_text("".join(f"{i},{(i + 1) % 20}\n" for i in range(20)))
    words = [sys.executable, "-c", RUN, str(tmp_path / "ring.csv"), str(tmp_path / "z.npy")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "z.npy").exists()
