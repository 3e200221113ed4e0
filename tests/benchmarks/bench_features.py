"""The same graphs with the same words as other kinds of features: GenURL beside rows without training and CCA-SSG.

    python tests/benchmarks/bench_features.py --datasets cora,citeseer --seeds 3

How dense features of real graphs look, made of words of which it is known what they are worth: tf-idf; principal
components as they are, standardised, or as few as eight; and rows of unit length in other axes and away from the
origin, as networks that read texts leave them. "shuffled": components of other nodes, which tell nothing. The data set
"sentences" is planted: vectors of words that tell their class, in a text that joins each word with some after it.

Linear probe by random-10-10-80, in per cent, three splits a seed; mean and unbiased deviation over seeds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shared import benchmark_parser, difference, markdown_row, one_thread_a_process, percent, table_head

WIDTH, FEW, SPLITS = 100, 8, 3
ROWS = ("genurl", "untrained", "propagated", "raw", "cca-ssg")


def main() -> int:
    """Print a row for each data set and kind of features."""
    parser = benchmark_parser(__doc__, "cora,citeseer", seeds=3)
    parser.add_argument("--kinds", default=",".join(KINDS), metavar="NAME,...")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change the preset")
    options = parser.parse_args()
    one_thread_a_process()
    from genurl_graph.config.toml import parse_assignments

    asked, changes = options.kinds.split(","), parse_assignments(options.set)
    for kind in asked:
        if kind not in KINDS:
            parser.error(f"--kinds: {kind!r} is none of {', '.join(KINDS)}")
    print(table_head("data set", "features", "metric", *ROWS, "GenURL less propagated", "less CCA-SSG"))
    for name in options.datasets.split(","):
        kinds = ["vectors"] if name == "sentences" else asked
        for kind in kinds:
            data = sentences() if name == "sentences" else of_kind(name, kind, options.data_root)
            runs, metric = dict[str, list[float]](), ""
            for seed in range(options.seeds):
                rows, metric = embeddings(data, seed, changes)
                for row, z in rows.items():
                    runs.setdefault(row, []).append(accuracy(z, data, seed))
            cells = [percent([value / 100 for value in runs[row]]) for row in ROWS]
            less = (difference(runs["genurl"], runs[row]) for row in ("propagated", "cca-ssg"))
            print(markdown_row(name, kind, metric, *cells, *less), flush=True)
    return 0


def embeddings(data: Any, seed: int, changes: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Embeddings of all rows, and the metric of the features."""
    from genurl_graph.baselines import get_baseline
    from genurl_graph.estimator import GenURL
    from genurl_graph.experiments.scores import fixed_embedding

    model = GenURL(task="graph", random_state=seed, config=changes).fit(data)
    own = {"genurl": model.embedding_, "untrained": model.untrained_embedding()}
    fixed = {row: fixed_embedding(row, data) for row in ("propagated", "raw")}
    return own | fixed | {"cca-ssg": get_baseline("cca-ssg")(data, seed, "cpu")}, str(model.config_.neighbors.metric)


def accuracy(z: Any, data: Any, seed: int) -> float:
    from genurl_graph.evaluation.protocols import probe_embedding

    return 100 * float(probe_embedding(z, data, "random-10-10-80", seed=seed, n_repeats=SPLITS)["test"])


def sentences(n: int = 3000, classes: int = 10, words: int = 300, columns: int = 100) -> Any:
    """A text as a graph: the class of a word makes those of the next more or less likely, and edges join each word with
    the next and, of a third of the words, with another of the next five. Vectors of words lie around their class."""
    import numpy as np
    import torch
    from torch_geometric.data import Data
    from torch_geometric.utils import to_undirected

    r = np.random.default_rng(0)
    follows = r.dirichlet(np.full(classes, 0.5), classes).cumsum(1)
    y = np.zeros(n, dtype=np.int64)
    for i in range(1, n):
        y[i] = np.searchsorted(follows[y[i - 1]], r.random()).clip(0, classes - 1)
    vectors = 0.15 * r.standard_normal((classes, 1, columns)) + r.standard_normal((classes, words, columns))
    # Zipf's law
    often = 1 / np.arange(1, words + 1)
    word = r.choice(words, size=n, p=often / often.sum())
    start = r.integers(n - 6, size=n // 3)
    ends = np.stack([np.append(np.arange(n - 1), start), np.append(np.arange(1, n), start + r.integers(2, 6, n // 3))])
    x = vectors[y, word] + 0.3 * r.standard_normal((n, columns))
    edges = to_undirected(torch.from_numpy(ends))
    return Data(x=torch.from_numpy(x).float(), edge_index=edges, y=torch.from_numpy(y), num_nodes=n, name="sentences")


def of_kind(name: str, kind: str, root: Path | None) -> Any:
    """A data set with its words as another kind of features."""
    import numpy as np
    import scipy.sparse
    import torch
    from torch_geometric.data import Data

    from genurl_graph import datasets
    from genurl_graph.inputs.sparse import to_scipy_or_numpy

    data = datasets.load(name, root)
    words = scipy.sparse.csr_matrix(to_scipy_or_numpy(data.x), dtype=np.float32)
    x = np.ascontiguousarray(KINDS[kind](words), dtype=np.float32)
    return Data(x=torch.from_numpy(x), edge_index=data.edge_index, y=data.y, num_nodes=data.num_nodes, name=data.name)


def components(words: Any, count: int = WIDTH) -> Any:
    from sklearn.decomposition import TruncatedSVD

    return TruncatedSVD(count, random_state=0).fit_transform(words)


def tfidf(words: Any) -> Any:
    from sklearn.feature_extraction.text import TfidfTransformer

    return TfidfTransformer().fit_transform(words).toarray()


def standardised(words: Any) -> Any:
    x = components(words)
    return (x - x.mean(0)) / x.std(0)


def embedded(words: Any) -> Any:
    """Unit rows in axes drawn at random, which are no right angles, all on one side of the origin."""
    import numpy as np
    from sklearn.preprocessing import normalize

    generator = np.random.default_rng(0)
    x = normalize(components(words)) @ generator.standard_normal((WIDTH, WIDTH)) / WIDTH**0.5
    return x + 3 * x.std() * generator.standard_normal(WIDTH)


def shuffled(words: Any) -> Any:
    import numpy as np

    x = components(words)
    return x[np.random.default_rng(0).permutation(len(x))]


KINDS: dict[str, Callable[[Any], Any]] = {
    "words": lambda words: words.toarray(),
    "tf-idf": tfidf,
    "components": components,
    "standardised": standardised,
    "embedded": embedded,
    # Without the first, which is little else than the length of the text.
    "few": lambda words: components(words, FEW + 1)[:, 1:],
    "shuffled": shuffled,
}

if __name__ == "__main__":
    sys.exit(main())
