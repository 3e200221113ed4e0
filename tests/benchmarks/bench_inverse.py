"""The way back from a 2-d map: how far `inverse_transform` is from the inputs of held-out samples, and off the map.

    python tests/benchmarks/bench_inverse.py --datasets digits,mnist,fashion-mnist,pbmc68k --umap 100

Fitted on 80 % of the rows. The other 20 % are placed by ``transform``, and their inputs are guessed from where they lie
alone. Errors are root mean squares, relative to that of the mean of all fitted inputs. Two bounds need the inputs
themselves: the nearest fitted input, and the mean of the 15 nearest. ``--umap N`` asks umap-learn's
``inverse_transform`` for the first N of them, which takes it minutes.

The second table is about places: points of a grid over the map and beyond it. The input of each is embedded again, and
the distance from where it lands is in kernel widths. Beyond the map (NaN) the limit is lifted for that.
"""

from __future__ import annotations

import warnings
from typing import Any

import map_data
import numpy as np
from shared import benchmark_parser, markdown_row, table_head, timed
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from genurl_graph import GenURL
from genurl_graph.inference import inverse

GRID, AROUND = 60, 0.3


def main() -> None:
    parser = benchmark_parser(__doc__, "digits,mnist,fashion-mnist,pbmc68k")
    parser.add_argument("--umap", type=int, default=0, metavar="N")
    arguments = parser.parse_args()
    columns = ("mean of all", "PCA, 2", "GenURL", "umap-learn", "nearest input", "15 nearest inputs")
    print(table_head("data", *columns, "off the map", "seconds"))
    places = []
    for name in arguments.datasets.split(","):
        x = map_data.load(name)[0]
        order = np.random.default_rng(0).permutation(len(x))
        fitted, held = x[order[: len(x) * 4 // 5]], x[order[len(x) * 4 // 5 :]]
        model = GenURL(random_state=0).fit(fitted)
        z = model.transform(held)
        seconds, found = timed(lambda model=model, z=z: model.inverse_transform(z))
        on = np.isfinite(found).all(1)
        near = NearestNeighbors(n_neighbors=15).fit(fitted).kneighbors(held, return_distance=False)
        pca = PCA(2).fit(fitted)
        guesses = {
            "PCA": pca.inverse_transform(pca.transform(held)),
            "GenURL": found,
            "nearest": fitted[near[:, 0]],
            "15": fitted[near].mean(1),
        }
        errors = {key: error(guess[on], held[on], fitted) for key, guess in guesses.items()}
        few = f"{umap_error(fitted, held[: arguments.umap]):.3f}" if arguments.umap else ""
        cells = ["1", *(f"{errors[key]:.3f}" for key in ("PCA", "GenURL")), few]
        cells += [f"{errors[key]:.3f}" for key in ("nearest", "15")]
        print(markdown_row(name, *cells, f"{np.sum(~on)} of {len(on)}", f"{seconds.wall:.2f}"), flush=True)
        places.append(markdown_row(name, *landings(model)))
    print("\n" + table_head("data", "on the map", "up to twice the limit", "beyond", "width of the map"))
    print("\n".join(places))


def error(guess: Any, truth: Any, fitted: Any) -> float:
    """Root mean square error, relative to that of the mean of the fitted rows."""
    return float(np.sqrt(((guess - truth) ** 2).mean() / ((fitted.mean(0) - truth) ** 2).mean()))


def umap_error(fitted: Any, held: Any) -> float:
    """The same of umap-learn's own way back from its own map."""
    import umap

    model = umap.UMAP(random_state=0, n_jobs=1).fit(fitted)
    return error(model.inverse_transform(model.transform(held)), held, fitted)


def landings(model: GenURL) -> list[str]:
    """Median distances from where inputs of a grid land: on the map, a little beyond its limit, and farther."""
    table = model.embedding_.numpy()
    low, high = table.min(0), table.max(0)
    margin = AROUND * (high - low).max()
    axes = [np.linspace(a - margin, b + margin, GRID, dtype=np.float32) for a, b in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
    distance = NearestNeighbors(n_neighbors=1).fit(table).kneighbors(grid)[0][:, 0]
    limit, before = inverse.reach(model.model_), inverse.LIMIT
    inverse.LIMIT = np.inf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        back = model.transform(model.inverse_transform(grid))
    inverse.LIMIT = before
    gone = np.linalg.norm(back - grid, axis=1)
    rings = (distance <= limit, (distance > limit) & (distance <= 2 * limit), distance > 2 * limit)
    return [*(f"{np.median(gone[ring]):.1f}" for ring in rings), f"{(high - low).max():.0f}"]


if __name__ == "__main__":
    main()
