"""The explorer in headless Chromium: size of the page, time to load, frames per second while it is panned.

    python tests/benchmarks/bench_explorer.py --folder out/explorer --screenshots docs

Cora (graph task, brought to two dimensions), Fashion-MNIST's 60,000 training images (reduction task) and 100,000
random points. Pages and embeddings stay in --folder, and embeddings that are there are used again. The screenshots
also show a table of invented papers.

There is no graphics card in this: Chromium puts the page together on the cores that run everything else. A drag of the
mouse moves the map in every frame, all points are drawn in every frame, and a pixel of each is read back, so that no
frame is counted that was not drawn. "fps" is frames by time, at most the 60 of the screen; "script" is what the page's
own code takes for a frame.
"""

from __future__ import annotations

import io
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

import chromium  # noqa: E402  found by the line above
from shared import benchmark_parser, data_root, timed  # noqa: E402

from genurl_graph import GenURL, datasets  # noqa: E402
from genurl_graph.inputs.embeddings import write_embedding  # noqa: E402

FRAMES = 90
PAPERS = "papers.csv"
# Drags the map as a mouse does, and reads a pixel of each frame back.
PAN = """
const [frames, done] = arguments;
const canvas = document.getElementById('points');
const pen = canvas.getContext('2d');
const mouse = (type, i) => canvas.dispatchEvent(new PointerEvent(type,
  { bubbles: true, pointerId: 1, pointerType: 'mouse', clientX: 600 + 3 * i, clientY: 400 + 2 * i, buttons: 1 }));
const before = explorer.view.x;
const script = [];
let begin, called, i = 0;
// Functions that wait for a frame run in the order in which they asked: the watch, the page's drawing, the next move.
const move = () => {
  requestAnimationFrame(() => { called = performance.now(); });
  mouse('pointermove', ++i);
  requestAnimationFrame(() => {
    pen.getImageData(0, 0, 1, 1);
    script.push(performance.now() - called);
    if (i < frames) return move();
    mouse('pointerup', i);
    done({ fps: 1000 * frames / (performance.now() - begin), script, moved: explorer.view.x - before });
  });
};
mouse('pointerdown', 0);
requestAnimationFrame(() => {
  begin = performance.now();
  move();
});
"""
RECOLOUR = """
const done = arguments[0];
const begin = performance.now();
explorer.chooseColumn(explorer.columns[explorer.columns.length - 1]).then(() => done(performance.now() - begin));
"""
POINT = """
const [node, done] = arguments;
const [x, y] = explorer.toPixel(node);
const layer = document.getElementById('points');
const tip = document.getElementById('tip');
const begin = performance.now();
const look = () => (tip.hidden ? requestAnimationFrame(look) : done(performance.now() - begin));
layer.dispatchEvent(new PointerEvent('pointermove', { bubbles: true, pointerType: 'mouse', clientX: x, clientY: y }));
look();
"""


def make_page(name: str, folder: Path) -> Path:
    """The embedding, if it is not there yet, and its page by the command line."""
    embedding, page, root = folder / f"{name}.npz", folder / f"{name}.html", data_root()
    if name == "papers":
        write_papers(folder / PAPERS)
    if not embedding.exists():
        z, label, node_id = make_embedding(name, root, folder)
        write_embedding(embedding, z, node_id=node_id, label=label)
    words = ["--dataset", name, "--data-root", str(root)]
    if name == "random":
        words = []
    if name == "papers":
        words = ["--input", str(folder / PAPERS), "--color-by", "published", "--size-by", "citations"]
    command = [sys.executable, "-m", "genurl_graph.cli", "explore", str(embedding), *words, "--output", str(page)]
    seconds, _ = timed(lambda: subprocess.run([*command, "--quiet"], check=True))
    print(f"{name}: page made in {seconds.wall:.0f} s", file=sys.stderr)
    return page


def make_embedding(name: str, root: Path, folder: Path) -> tuple[Any, Any, Any]:
    """Points, their labels, and their names if they have some."""
    if name == "random":
        rng = np.random.default_rng(0)
        group = rng.integers(0, 12, 100_000)
        return 6 * rng.standard_normal((12, 2))[group] + rng.standard_normal((len(group), 2)), group, None
    if name == "papers":
        model = GenURL(n_components=2, random_state=0)
        z = model.fit_transform(pd.read_csv(folder / PAPERS, index_col="id"))
        return z, None, model.node_id_
    data = datasets.load(name, root)
    return GenURL(random_state=0).fit_transform(data), data.y, data.get("node_id")


def write_papers(path: Path, n: int = 300) -> None:
    """A table of invented papers of four topics: a date, citations, and how much each topic has to do with it."""
    rng = np.random.default_rng(0)
    topic, cited = np.arange(n) % 4, rng.lognormal(2, 1.2, n).round().astype(int)
    shares = rng.dirichlet(np.ones(4), n) + 2 * np.eye(4)[topic]
    days = pd.Timestamp("2000-01-01") + pd.to_timedelta(np.sort(rng.integers(0, 7300, n)), unit="D")
    table = pd.DataFrame(shares.round(3), columns=["biology", "computing", "physics", "society"])
    table.insert(0, "published", days.strftime("%Y-%m-%d"))
    table.insert(1, "citations", cited)
    table.rename_axis("id").rename("paper-{}".format).to_csv(path)


def measure(page: Path, repeats: int) -> dict[str, Any]:
    """Figures of one page, medians over fresh browsers."""
    runs = []
    for _ in range(repeats):
        chrome = chromium.start(1400, 900)
        try:
            chromium.open_page(chrome, page)
            marks = dict(
                chrome.execute_script("return performance.getEntriesByType('mark').map(m => [m.name, m.startTime])")
            )
            pan = chrome.execute_async_script(PAN, FRAMES)
            assert abs(pan["moved"]) > 0, "the map was not moved"
            run = {
                "ready_s": marks["ready"] / 1000,
                "fps": pan["fps"],
                "script_ms": statistics.median(pan["script"]),
                "point_ms": chrome.execute_async_script(POINT, 7),
                "recolour_ms": chrome.execute_async_script(RECOLOUR),
            }
            errors = [entry for entry in chrome.get_log("browser") if entry["level"] == "SEVERE"]
            assert errors == [], errors
        finally:
            chrome.quit()
        runs.append(run)
    found = {key: round(statistics.median(run[key] for run in runs), 2) for key in runs[0]}
    return {**found, "page_mb": round(page.stat().st_size / 1e6, 1)}


# The screenshots of the documentation: the page of a data set, dark or not, and what is done there first.
SCENES = {
    "python-modules-explorer": ("python-modules", False, "document.getElementById('edges').click();"),
    "explorer-cora": (
        "cora",
        False,
        """
        explorer.chooseSize(explorer.columns.find((one) => one.name === 'Degree'));
        document.getElementById('edges').click();
        document.querySelector('#edge-key .row').click();
        explorer.choose(95);""",
    ),
    "explorer-fashion": (
        "fashion-mnist-test",
        True,
        "document.getElementById('images').click(); explorer.choose(1234);",
    ),
    "explorer-columns": (
        "papers",
        False,
        """
        const low = document.querySelector('.slide input');
        low.value = 0.4 * low.max;
        low.dispatchEvent(new Event('input'));""",
    ),
}


def take_screenshots(folder: Path, pictures: Path) -> None:
    """Write the screenshots of the documentation."""
    from PIL import Image

    for name, (data, dark, action) in SCENES.items():
        page = make_page(data, folder)
        chrome = chromium.start(1280, 800, dark=dark)
        try:
            chromium.open_page(chrome, page)
            chrome.execute_script(action)
            time.sleep(1)
            image = Image.open(io.BytesIO(chrome.get_screenshot_as_png())).convert("RGB")
            # A palette takes a third of the bytes; found in rounds, or classes of few pixels would share a colour.
            image.quantize(256, kmeans=2, dither=Image.Dither.NONE).save(pictures / f"{name}.png", optimize=True)
        finally:
            chrome.quit()


def main() -> None:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--folder", type=Path, default=Path("out/explorer"), help="where pages and embeddings stay")
    parser.add_argument("--pages", default="cora,fashion-mnist-train,random")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--screenshots", type=Path, help="folder for screenshots of the pages")
    parser.add_argument("--output", type=Path, help="figures as JSON")
    options = parser.parse_args()
    if reason := chromium.missing():
        print(f"nothing measured: {reason}")
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    pages = {name: make_page(name, options.folder) for name in filter(None, options.pages.split(","))}
    figures = {}
    for name, page in pages.items():
        before = os.getloadavg()[0]
        figures[name] = {**measure(page, options.repeats), "load_before": round(before, 1)}
        print(name, json.dumps(figures[name]))
    if options.output:
        options.output.write_text(json.dumps(figures, indent=2) + "\n")
    if options.screenshots:
        take_screenshots(options.folder, options.screenshots)


if __name__ == "__main__":
    main()
