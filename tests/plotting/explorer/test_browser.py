"""The explorer in a real browser: it draws, answers, and lets no text become markup."""

import csv
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from genurl_graph.inputs.collection.graph_set import as_collection_of
from genurl_graph.plotting.explorer.drawings import drawings
from genurl_graph.plotting.explorer.page import write_page
from genurl_graph.plotting.explorer.scene import Scene
from tests import chromium
from tests.chromium import text
from tests.plotting.explorer.three_classes import EVIL, PIXELS, N, drawn, lonely


def move_to(page: Any, node: int) -> Any:
    from selenium.webdriver.common.action_chains import ActionChains

    x, y = page.execute_script("return explorer.toPixel(arguments[0])", node)
    plot = page.find_element("id", "plot")
    size = plot.size
    actions = ActionChains(page, duration=50)
    dx, dy = round(x - size["width"] / 2), round(y - size["height"] / 2)
    # From beside it: a pointer that is there already does not move.
    return actions.move_to_element_with_offset(plot, dx + 40, dy).move_to_element_with_offset(plot, dx, dy)


def sources(scene: Scene, node: int) -> dict[str, list[int]]:
    """Neighbours of a node by edge source, straight from the merged graph."""
    assert scene.merged is not None
    row, col = scene.merged.edge_index
    bits = {"given": 1, "feature": 2, "both": 3}
    own = row == node
    return {key: sorted(col[own & (scene.merged.provenance == bit)].tolist()) for key, bit in bits.items()}


def test_points_are_drawn_in_the_colours_of_their_labels(page: Any) -> None:
    pixels = page.execute_script(PIXELS)
    assert min(pixels) > 20 * 10  # twenty points of each class: blue, orange, green
    assert text(page, "#status") == "60 points"
    found = drawn(page)
    assert [len({found[node]["colour"] for node in range(k, N, 3)}) for k in range(3)] == [1, 1, 1]
    assert len({one["colour"] for one in found.values()}) == 3


def test_a_pixel_has_the_colour_of_the_point_that_lies_there(page: Any, scene: Scene) -> None:
    # Beside its centre, under the overlay: the raster itself.
    node = lonely(scene)
    pixel, away = page.execute_script(
        """
        const [px, py] = explorer.toPixel(arguments[0]);
        const pen = document.getElementById('points').getContext('2d');
        const at = (x, y) => Array.from(pen.getImageData(Math.round(x), Math.round(y), 1, 1).data);
        return [at(px - 0.5, py - 0.5), at(px + 20, py + 20)];""",
        node,
    )
    colour = [int(drawn(page)[node]["colour"][i : i + 2], 16) for i in (1, 3, 5, 7)]
    paper = np.array(away[:3])
    mixed = paper + (np.array(colour[:3]) - paper) * colour[3] / 255
    assert np.abs(np.array(pixel[:3]) - mixed).max() <= 3
    assert away[:3] == [251, 251, 250]  # --paper


def test_sizes_and_a_filter_by_node(page: Any) -> None:
    page.execute_async_script(
        """
        const done = arguments[0], { state } = explorer;
        state.scale = new Float32Array(60).fill(1);
        state.scale[7] = 4;
        state.passes = new Uint8Array(60).fill(1);
        state.passes[8] = 0;
        explorer.select([7, 9]).then(done);"""
    )
    found = drawn(page)
    assert len(found) == 59
    assert 8 not in found
    assert found[7]["size"] / found[6]["size"] == pytest.approx(4, rel=0.1)
    # The selected ones last, the large one before the small one; the others are fainter.
    assert list(found)[-2:] == [7, 9]
    assert int(found[6]["colour"][7:], 16) < 0.2 * int(found[7]["colour"][7:], 16)
    x, y = page.execute_script("return explorer.toPixel(8)")
    assert page.execute_script("return explorer.pick(...arguments)", x, y) != 8
    assert text(page, "#status") == "59 of 60 points"


def test_layers_lie_below_and_above_the_points_and_in_the_picture(page: Any) -> None:
    under, over, plain, size = page.execute_async_script(
        """
        const done = arguments[0], { layers } = explorer;
        const fill = (colour, left) => (pen) => { pen.fillStyle = colour; pen.fillRect(left, 0, 30, 30); };
        layers.under.push(fill('rgb(10,20,30)', 200));
        layers.over.push(fill('rgb(40,50,60)', 300));
        explorer.repaint().then(() => {
          const at = (canvas, x, y) => Array.from(canvas.getContext('2d').getImageData(x, y, 1, 1).data).slice(0, 3);
          const [points, above] = ['points', 'overlay'].map((id) => document.getElementById(id));
          const picture = explorer.picture(2);
          done([
            [at(points, 210, 10), at(picture, 420, 20)],
            [at(above, 310, 10), at(picture, 620, 20)],
            at(picture, 800, 20),
            [picture.width / points.width, picture.height / points.height],
          ]);
        });"""
    )
    assert under == [[10, 20, 30]] * 2
    assert over == [[40, 50, 60]] * 2
    assert plain == [251, 251, 250]
    assert size == [2, 2]


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
    chromium.wait(page, "document.querySelectorAll('#found [role=option]').length === 11")  # node-1, node-10 to node-19
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
    chromium.wait(page, "new Set(explorer.drawn().map((one) => one.colour)).size > 20")
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


def test_a_browser_without_webgl_draws_and_the_page_evaluates_nothing(browser: Any, scene: Scene, folder: Path) -> None:
    source = """
        const own = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
          return /gl/.test(kind) ? null : own.call(this, kind, ...rest);
        };"""
    script = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})
    try:
        chromium.open_page(browser, folder / "page.html")
        assert min(browser.execute_script(PIXELS)) > 20 * 10
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
    policy = browser.execute_script("return document.querySelector('meta[http-equiv]').content")
    assert "unsafe" not in policy
    assert (folder / "page.html").stat().st_size < 200_000
