"""The explorer of nodes that move, in headless Chromium: size of the page, time to load, frames while points glide.

    python tests/benchmarks/bench_time_page.py --folder out/explorer --screenshots docs

CollegeMsg in 14 windows of equally many messages (task temporal, seed 0), and 5,000 planted nodes in 12 windows. Pages
and trajectories stay in --folder, and those that are there are used again. As in bench_explorer.py there is no graphics
card in this, and a pixel of every frame is read back, so that no frame is counted that was not drawn.
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

import torch

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

import chromium  # noqa: E402  found by the line above
from shared import benchmark_parser, data_root, timed  # noqa: E402

from genurl_graph import GenURL, datasets  # noqa: E402
from genurl_graph.inference.drawing import plot_trajectory  # noqa: E402
from genurl_graph.inputs.temporal.trajectory import Trajectory  # noqa: E402
from genurl_graph.inputs.temporal.trajectory_files import read_trajectory, write_trajectory  # noqa: E402

WINDOWS = 14
STEPS = 5
# From one window to the next, as a play does it, with a pixel of each frame read back.
GLIDE = """
const [to, done] = arguments;
const pen = document.getElementById('points').getContext('2d');
let frames = 0, going = true;
const begin = performance.now();
const frame = () => {
  pen.getImageData(0, 0, 1, 1);
  frames += 1;
  if (going) requestAnimationFrame(frame);
};
requestAnimationFrame(frame);
explorer.showWindow(to, 700).then(() => { going = false; done([frames, performance.now() - begin]); });
"""
# The node that moves most of those that share events with three to eight others in the window.
CHOOSE = """
const { time, columns } = explorer;
const moved = columns.find((one) => one.name === 'Moved').values;
let best = -1;
moved.forEach((value, node) => {
  const row = time.last[node];
  const contacts = row < 0 ? 0 : time.contacts.ptr[row + 1] - time.contacts.ptr[row];
  if (time.active[node] && contacts > 2 && contacts < 9 && (best < 0 || value > moved[best])) best = node;
});
explorer.choose(best);
"""


def make_page(name: str, folder: Path) -> Path:
    """The trajectory, if it is not there yet, and its page by the command line."""
    path, page, root = folder / f"{name}.npz", folder / f"{name}-time.html", data_root()
    if not path.exists():
        if name == "planted":
            moving = planted(5_000, 12)
            write_trajectory(path, moving.invariant(), moving)
        else:
            events = datasets.load(name, root)
            model = GenURL(task="temporal", windows=WINDOWS, random_state=0).fit(events)
            write_trajectory(path, model.embedding_, model.trajectory_, events.node_id, unit=events.unit)
    words = [] if name == "planted" else ["--dataset", name, "--data-root", str(root)]
    command = [sys.executable, "-m", "genurl_graph.cli", "explore", str(path), *words, "--output", str(page)]
    seconds, _ = timed(lambda: subprocess.run([*command, "--quiet"], check=True))
    print(f"{name}: page made in {seconds.wall:.0f} s", file=sys.stderr)
    return page


def planted(nodes: int, windows: int) -> Trajectory:
    """Eight groups on a map; a fifth of the nodes changes to another group, and each rests now and then."""
    draw = torch.Generator().manual_seed(0)
    group = torch.randint(8, (nodes, 1), generator=draw).expand(nodes, windows).clone()
    change = torch.randint(2 * windows, (nodes, 1), generator=draw)
    later = (torch.arange(windows) >= change) & (torch.rand(nodes, 1, generator=draw) < 0.4)
    group[later] = (group[later] + 3) % 8
    node, window = (
        part.T.flatten() for part in torch.meshgrid(torch.arange(nodes), torch.arange(windows), indexing="ij")
    )
    kept = torch.rand(len(node), generator=draw) < 0.75
    node, window = node[kept], window[kept]
    angle = group[node, window] * torch.pi / 4
    own, jitter = torch.randn(nodes, 2, generator=draw), torch.randn(len(node), 2, generator=draw)
    z = 6 * torch.stack([angle.cos(), angle.sin()], dim=1) + own[node] + 0.2 * jitter
    return Trajectory(node, window, z, torch.ones(len(node)), torch.arange(windows + 1).double(), nodes)


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
            steps = [chrome.execute_async_script(GLIDE, to) for to in range(STEPS)][1:]
            run = {
                "ready_s": marks["ready"] / 1000,
                "fps": statistics.median(1000 * frames / took for frames, took in steps),
                # Beyond the 700 ms of the way itself: new colours, neighbours, counts.
                "beside_ms": statistics.median(took - 700 for _, took in steps),
            }
            errors = [entry for entry in chrome.get_log("browser") if entry["level"] == "SEVERE"]
            assert errors == [], errors
        finally:
            chrome.quit()
        runs.append(run)
    found = {key: round(statistics.median(run[key] for run in runs), 1) for key in runs[0]}
    return {**found, "page_mb": round(page.stat().st_size / 1e6, 1)}


def take_pictures(page: Path, path: Path, folder: Path) -> None:
    """Write the screenshot and the plots of the documentation."""
    from PIL import Image

    def small(source: Any, name: str) -> None:
        # A palette takes a third of the bytes.
        image = Image.open(source).convert("RGB")
        image.quantize(255, dither=Image.Dither.NONE).save(folder / f"{name}.png", optimize=True)

    events, stored = datasets.load("collegemsg", data_root()), read_trajectory(path)
    assert stored.trajectory is not None
    told: dict[str, Any] = {"unit": stored.unit, "names": events.node_id, "title": "CollegeMsg"}
    windows, ways = plot_trajectory(path.with_suffix(".png"), stored.trajectory, **told)
    small(windows, "collegemsg")
    small(ways, "collegemsg-trajectory")
    chrome = chromium.start(1280, 800)
    try:
        chromium.open_page(chrome, page)
        chrome.execute_async_script("explorer.showWindow(10).then(arguments[0])")
        chrome.execute_script(CHOOSE)
        time.sleep(1)
        small(io.BytesIO(chrome.get_screenshot_as_png()), "explorer-collegemsg")
    finally:
        chrome.quit()


def main() -> None:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--folder", type=Path, default=Path("out/explorer"), help="where pages and trajectories stay")
    parser.add_argument("--pages", default="collegemsg,planted")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--screenshots", type=Path, help="folder for the pictures of the documentation")
    options = parser.parse_args()
    if reason := chromium.missing():
        print(f"nothing measured: {reason}")
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    for name in options.pages.split(","):
        page, before = make_page(name, options.folder), os.getloadavg()[0]
        if options.repeats:
            print(name, json.dumps({**measure(page, options.repeats), "load_before": round(before, 1)}))
        if options.screenshots and name == "collegemsg":
            take_pictures(page, options.folder / f"{name}.npz", options.screenshots)


if __name__ == "__main__":
    main()
