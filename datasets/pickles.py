"""Raw files that are pickles (Planetoid's): looked through before anything else opens them."""

import pickle
from pathlib import Path
from typing import Any

from genurl_graph.exceptions import InputError

# Constructors of arrays, SciPy's CSR matrices and dictionaries of lists, under their old and new names.
_MODULES = {
    "_reconstruct": ("numpy.core.multiarray", "numpy._core.multiarray"),
    "scalar": ("numpy.core.multiarray", "numpy._core.multiarray"),
    "ndarray": ("numpy",),
    "dtype": ("numpy",),
    "csr_matrix": ("scipy.sparse.csr", "scipy.sparse._csr", "scipy.sparse"),
    "defaultdict": ("collections",),
    "list": ("builtins", "__builtin__"),
    "object": ("builtins", "__builtin__"),
    "_reconstructor": ("copy_reg", "copyreg"),
    "encode": ("_codecs",),
}


class _Checked(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module not in _MODULES.get(name, ()):
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return super().find_class(module, name)


def check_pickle(path: Path) -> None:
    """Refuse a pickle that would build anything but arrays, CSR matrices and containers; no code in it runs."""
    try:
        with open(path, "rb") as file:
            _Checked(file, encoding="latin1").load()
    except MemoryError:
        raise
    except Exception as error:  # a damaged pickle raises anything
        raise InputError(
            f"{path}: expected a pickle of arrays alone, and nothing of it was run: {type(error).__name__}: {error}"
        ) from error
