"""The explorer in a real browser: it draws, answers, and lets no text become markup."""

import csv
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from genurl_graph.graph.knn import knn
from genurl_graph.graph.merge import merge_graphs
from genurl_graph.inputs.collection.graph_set import as_collection_of
from genurl_graph.plotting.explorer.colours import column, labels
from genurl_graph.plotting.explorer.drawings import drawings
from genurl_graph.plotting.explorer.page import write_page
from genurl_graph.plotting.explorer.scene import Scene
from tests import chromium

pytest.importorskip("plotly")
EVIL = "</script><img src=x onerror=\"document.title='broken'\"><!--\u2028"
N = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("explorer")


@pytest.fixture(scope="module")
def scene(folder: Path) -> Scene:
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
    found = Scene(
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
    write_page(folder / "page.html", found)
    return found


@pytest.fixture(scope="module")
def browser(folder: Path) -> Iterator[Any]:
    if reason := chromium.missing():
        pytest.skip(reason)
    chrome = chromium.start(downloads=folder)
    yield chrome
    chrome.quit()


@pytest.fixture
def page(browser: Any, scene: Scene, folder: Path) -> Iterator[Any]:
    """The page, freshly loaded; afterwards no error may stand in the console, and nothing may have been fetched."""
    browser.get_log("browser")
    browser.get_log("performance")
    chromium.open_page(browser, folder / "page.html")
    yield browser
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = {e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"}
    assert {url.split(":")[0] for url in urls} <= {"file", "blob", "data"}
    assert browser.title == scene.title
    assert browser.execute_script("return document.images.length") == 0


def text(page: Any, selector: str) -> str:
    return str(page.execute_script("return document.querySelector(arguments[0]).textContent", selector))


def move_to(page: Any, node: int) -> Any:
    from selenium.webdriver.common.action_chains import ActionChains

    x, y = page.execute_script("return explorer.toPixel(arguments[0])", node)
    plot = page.find_element("id", "plot")
    size = plot.size
    actions = ActionChains(page, duration=50)
    dx, dy = round(x - size["width"] / 2), round(y - size["height"] / 2)
    # From beside it: a pointer that is there already does not move.
    return actions.move_to_element_with_offset(plot, dx + 40, dy).move_to_element_with_offset(plot, dx, dy)


def lonely(scene: Scene) -> int:
    """The point farthest from its nearest one: no other can be hit instead."""
    distances = np.linalg.norm(scene.points[:, None] - scene.points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    return int(distances.min(1).argmax())


def sources(scene: Scene, node: int) -> dict[str, list[int]]:
    """Neighbours of a node by edge source, straight from the merged graph."""
    assert scene.merged is not None
    row, col = scene.merged.edge_index
    bits = {"given": 1, "feature": 2, "both": 3}
    own = row == node
    return {key: sorted(col[own & (scene.merged.provenance == bit)].tolist()) for key, bit in bits.items()}


# Pixels by their strongest colour (blue, red, green), and the sum of their opacities.
PIXELS = """
const gl = document.querySelector('#plot canvas').getContext('webgl');
const found = new Uint8Array(4 * gl.drawingBufferWidth * gl.drawingBufferHeight);
gl.readPixels(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight, gl.RGBA, gl.UNSIGNED_BYTE, found);
const seen = [0, 0, 0, 0];
for (let i = 0; i < found.length; i += 4) {
  const [r, g, b, a] = found.subarray(i, i + 4);
  if (a > 100) seen[b > r && b > g ? 0 : r > g && r > b ? 1 : 2] += 1;
  seen[3] += a;
}
return seen;"""


def test_points_are_drawn_in_the_colours_of_their_labels(page: Any) -> None:
    pixels = page.execute_script(PIXELS)
    assert min(pixels[:3]) > 20 * 10  # twenty points of each class: blue, orange, green
    assert text(page, "#status") == "60 points"
    # The frame that is timed at the start leaves no trace.
    page.execute_async_script("explorer.chooseColumn(explorer.columns[0]).then(arguments[0])")
    assert page.execute_script(PIXELS) == pixels


def test_a_slow_machine_draws_a_part_while_the_map_moves(browser: Any, folder: Path) -> None:
    points = np.random.default_rng(0).standard_normal((20_000, 2)).astype(np.float32)
    write_page(folder / "many.html", Scene("many", points))
    chromium.open_page(browser, folder / "many.html")
    drawn = browser.execute_async_script("""
        const done = arguments[0];
        explorer.state.share = 0.3;
        const counts = [];
        const own = WebGLRenderingContext.prototype;
        for (const [name, at] of [['drawArrays', 2], ['drawElements', 1]]) {
          const call = own[name];
          own[name] = function (...given) { counts.push(given[at]); return call.apply(this, given); };
        }
        const layer = () => document.querySelector('.dragcover') || document.querySelector('.nsewdrag');
        const at = { bubbles: true, cancelable: true, view: window, clientY: 300, buttons: 1 };
        const mouse = (type, x) => layer().dispatchEvent(new MouseEvent(type, { ...at, clientX: x }));
        mouse('mousedown', 300);
        [310, 330, 350].forEach((x) => mouse('mousemove', x));
        mouse('mouseup', 350);
        setTimeout(() => done(counts), 500);""")
    assert 6_000 in drawn
    assert drawn[-1] == 20_000


def test_hover_names_the_node_and_a_click_shows_its_neighbours_by_source(page: Any, scene: Scene) -> None:
    node = lonely(scene)
    assert scene.node_id is not None
    move_to(page, node).perform()
    chromium.wait(page, "!document.getElementById('tip').hidden")
    shown = text(page, "#tip")
    assert shown.startswith(scene.node_id[node])
    assert "Label: " in shown
    assert scene.nearest is not None
    assert ", ".join(scene.node_id[i] for i in scene.nearest[node].tolist()) in shown
    move_to(page, node).click().perform()
    chromium.wait(page, f"explorer.state.node === {node}")
    for key, expected in sources(scene, node).items():
        rows = page.find_elements("css selector", f"[data-source={key}] [data-node]")
        assert sorted(int(row.get_attribute("data-node")) for row in rows) == expected, key
        assert text(page, f"[data-source={key}] .count") == str(len(expected))
    assert sum(map(len, sources(scene, node).values())) >= 4


def test_search_by_keyboard_finds_hostile_names_and_shows_them_as_text(page: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    body = page.find_element("tag name", "body")
    body.send_keys("/")
    field = page.switch_to.active_element
    assert field.get_attribute("id") == "search"
    field.send_keys("node-1")
    chromium.wait(page, "document.querySelectorAll('#found li').length === 11")  # node-1, node-10 to node-19
    field.send_keys(Keys.ARROW_DOWN, Keys.ENTER)
    assert text(page, "#card h2") == "node-10"
    field.clear()
    field.send_keys("</script>", Keys.ENTER)
    assert text(page, "#card h2") == EVIL
    assert text(page, "#title") == f"Scene {EVIL}"
    assert EVIL in text(page, "#key")
    field.clear()
    field.send_keys("nobody")
    assert "No node" in text(page, "#found")


def test_the_legend_hides_categories_and_other_columns_colour(page: Any) -> None:
    page.find_element("css selector", "#key .row").click()
    chromium.wait(page, "document.getElementById('status').textContent === '40 of 60 points'")
    page.find_element("css selector", "#all button").click()
    chromium.wait(page, "document.getElementById('status').textContent === '60 points'")
    page.execute_script(
        "const s = document.getElementById('colour'); s.value = 1; s.dispatchEvent(new Event('change'))"
    )
    chromium.wait(page, "document.querySelector('#key .bar')")
    colours = page.execute_script("return explorer.plot.data[0].marker.color")
    assert len(set(colours)) > 20
    assert "the second coordinate" in text(page, "#about")


def test_a_lasso_is_saved_as_csv_without_formulas(page: Any, scene: Scene, folder: Path) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    pixels = np.array(page.execute_script(f"return [...Array({N}).keys()].map(explorer.toPixel)"))
    page.find_element("id", "lasso").click()
    plot = page.find_element("id", "plot")
    w, h = plot.size["width"], plot.size["height"]
    half = w // 2
    around = ActionChains(page, duration=20).move_to_element_with_offset(plot, 4 - half, 4 - h // 2).click_and_hold()
    for dx, dy in ((half - 4, 0), (0, h - 8), (4 - half, 0)):
        around = around.move_by_offset(dx, dy)
    around.release().perform()
    chromium.wait(page, "explorer.state.selected")
    selected = np.array(page.execute_script("return Array.from(explorer.state.selected)")) > 0
    clear = np.abs(pixels[:, 0] - half) > 4  # of points on the line either may be right
    assert (selected == (pixels[:, 0] < half))[clear].all()
    assert 10 < selected.sum() < 50
    assert text(page, "#selection h2") == f"{selected.sum()} selected"
    page.execute_script("explorer.select([0, 1, 2, 3, 4, 5])")
    assert text(page, "#selection h2") == "6 selected"
    page.find_element("id", "export").click()
    file, end = folder / "selection.csv", time.monotonic() + 10
    while not file.exists() and time.monotonic() < end:
        time.sleep(0.05)
    with file.open(newline="", encoding="utf-8") as stream:
        header, *rows = list(csv.reader(stream))
    assert header == ["node_id", "x", "y", "Label", "Height"]
    assert [row[0] for row in rows[3:6]] == [EVIL, "'=HYPERLINK(1)", "-7"]
    assert {row[3] for row in rows} == {"cat", EVIL, "'+dog"}
    np.testing.assert_allclose(np.array([row[1:3] for row in rows], dtype=float), scene.points[:6], rtol=1e-6)


def test_zoom_keeps_the_overlay_on_the_points(page: Any, scene: Scene) -> None:
    node = lonely(scene)
    before = page.execute_script("return explorer.toPixel(arguments[0])", node)
    page.find_element("tag name", "body").send_keys("+")
    chromium.wait(page, f"Math.abs(explorer.toPixel({node})[0] - {before[0]}) > 1")
    expected = page.execute_script(
        "const l = explorer.plot._fullLayout; const [x, y] = arguments;"
        "return [l.xaxis._offset + l.xaxis.d2p(x), l.yaxis._offset + l.yaxis.d2p(y)]",
        *scene.points[node].tolist(),
    )
    assert page.execute_script("return explorer.toPixel(arguments[0])", node) == pytest.approx(expected, abs=0.5)


def test_the_chosen_graph_is_drawn(browser: Any, folder: Path) -> None:
    # A triangle with an atom of another kind, and a graph without nodes.
    edges = torch.tensor([[0, 1, 2, 1, 2, 0], [1, 2, 0, 0, 1, 2]])
    graphs = as_collection_of(edges, torch.tensor([3, 0]), torch.eye(2)[[0, 0, 1]])
    points = np.array([[0, 0], [1, 1]], dtype=np.float32)
    write_page(folder / "graphs.html", Scene("graphs", points, drawings=drawings(graphs, ["C", EVIL])))
    chromium.open_page(browser, folder / "graphs.html")
    browser.execute_script("explorer.choose(0)")
    assert len(browser.find_elements("css selector", "#card .graph circle")) == 3
    assert len(browser.find_elements("css selector", "#card .graph line")) == 3
    fills = {circle.get_attribute("fill") for circle in browser.find_elements("css selector", "#card .graph circle")}
    assert len(fills) == 2
    assert text(browser, "#card .kinds") == f"C \N{MULTIPLICATION SIGN} 2{EVIL} \N{MULTIPLICATION SIGN} 1"
    drawn = browser.find_element("css selector", "#card .graph svg").size
    assert drawn["width"] == drawn["height"] > 200
    browser.execute_script("explorer.choose(1)")
    assert browser.find_elements("css selector", "#card .graph svg") == []
    assert text(browser, "#card .graph") == "A graph without nodes"


def test_without_webgl_it_says_so(browser: Any, scene: Scene, folder: Path) -> None:
    source = """
        const own = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
          return /gl/.test(kind) ? null : own.call(this, kind, ...rest);
        };"""
    script = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})
    try:
        browser.get((folder / "page.html").as_uri())
        chromium.wait(browser, "!document.getElementById('trouble').hidden")
        assert "WebGL" in text(browser, "#trouble")
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
