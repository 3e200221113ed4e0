"""A page that several tests look at: three classes on a map, with names that are hostile; and what is drawn of it."""

from typing import Any

import numpy as np
import torch

from genurl_graph.graph.knn import knn
from genurl_graph.graph.merge import merge_graphs
from genurl_graph.plotting.explorer.colours import column, labels
from genurl_graph.plotting.explorer.scene import Scene

EVIL = "</script><img src=x onerror=\"document.title='broken'\"><!--\u2028"
N = 60

# Pixels that are not paper, by their strongest colour (blue, red, green).
PIXELS = """
const pen = document.getElementById('points').getContext('2d');
const found = pen.getImageData(0, 0, pen.canvas.width, pen.canvas.height).data;
const paper = found.slice(0, 3);
const seen = [0, 0, 0];
for (let i = 0; i < found.length; i += 4) {
  const [r, g, b] = found.subarray(i, i + 3);
  if (Math.abs(r - paper[0]) + Math.abs(g - paper[1]) + Math.abs(b - paper[2]) < 100) continue;
  seen[b > r && b > g ? 0 : r > g && r > b ? 1 : 2] += 1;
}
return seen;"""
SETTLED = "explorer.repaint().then(arguments[arguments.length - 1]);"


def three_classes() -> Scene:
    """Three classes on a map, a ring of predefined edges, names that are hostile."""
    rng = np.random.default_rng(0)
    y = np.arange(N) % 3
    points = (np.array([[0, 0], [8, 0], [4, 7]])[y] + rng.standard_normal((N, 2))).astype(np.float32)
    names = [f"node-{i}" for i in range(N)]
    names[3], names[4], names[5] = EVIL, "=HYPERLINK(1)", "-7"
    ring = torch.arange(N)
    given = torch.stack([ring, (ring + 3) % N])
    nearest = knn(torch.from_numpy(points), 4).indices
    near = torch.stack([ring.repeat_interleave(4), nearest.reshape(-1)])
    merged = merge_graphs(given, None, near, torch.full((4 * N,), 0.5), num_nodes=N, how="union")
    return Scene(
        title=f"Scene {EVIL}",
        points=points,
        notes=[EVIL],
        columns=[
            labels("Label", EVIL, [("cat", EVIL, "+dog")[code] for code in y]),
            column("Height", "the second coordinate", points[:, 1]),
        ],
        node_id=names,
        nearest=nearest,
        merged=merged,
    )


def lonely(scene: Scene) -> int:
    """The point farthest from its nearest one: no other can be hit instead."""
    distances = np.linalg.norm(scene.points[:, None] - scene.points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    return int(distances.min(1).argmax())


def drawn(page: Any) -> dict[int, dict[str, Any]]:
    """Nodes as they are drawn now."""
    return {one["node"]: one for one in page.execute_script("return explorer.drawn()")}
