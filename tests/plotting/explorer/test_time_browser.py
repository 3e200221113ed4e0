"""Points that move with time, in a real browser: the slider, the play button, hover and colours on the way."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from genurl_graph.inputs.temporal.events import TemporalEdges
from genurl_graph.inputs.temporal.trajectory import Trajectory
from genurl_graph.plotting.explorer.colours import column, labels
from genurl_graph.plotting.explorer.page import write_page
from genurl_graph.plotting.explorer.scene import Scene
from genurl_graph.plotting.explorer.timeline import Timeline, contacts_in_windows, nearest_in_windows
from tests import chromium
from tests.chromium import text

N, W = 24, 4


def rows() -> Trajectory:
    """Nodes on a line that rises by 10 a window; even nodes rest in window 2, the last node comes in window 1."""
    window, node = torch.arange(W).repeat_interleave(N), torch.arange(N).repeat(W)
    kept = ((window != 2) | (node % 2 == 1)) & ((window > 0) | (node < N - 1))
    window, node = window[kept], node[kept]
    points = torch.stack([4.0 * node, 10.0 * window], dim=1)
    return Trajectory(node, window, points, torch.ones(len(node)), torch.arange(W + 1).double(), N)


@pytest.fixture(scope="module")
def scene(folder: Path) -> Scene:
    found = rows()
    line = Timeline(
        found,
        ["Mon", "Tue", "Wed", "</script>", "Fri"],
        [
            labels("State", "in the window", (found.node + found.window).numpy() % 2),
            column("Height", "", points(found)[:, 1]),
        ],
        contacts_in_windows(found, TemporalEdges.of([20, 21], [21, 20], [1.0, 1.5], num_nodes=N)),
    )
    moving = Scene(
        "moving",
        line.last_points().numpy(),
        columns=[labels("Label", "", np.arange(N) % 3)],
        node_id=[f"node-{i}" for i in range(N)],
        nearest=nearest_in_windows(found, 3, "euclidean"),
        nearest_about="in the window",
        timeline=line,
    )
    write_page(folder / "page.html", moving)
    return moving


@pytest.fixture
def page(browser: Any, scene: Scene, folder: Path) -> Iterator[Any]:
    with chromium.quiet_page(browser, folder / "page.html"):
        yield browser


def points(found: Trajectory) -> np.ndarray:
    return found.embedding.numpy()


def show(page: Any, window: int) -> None:
    page.execute_async_script("explorer.showWindow(arguments[0], 0).then(arguments[1])", window)


def drawn(page: Any) -> dict[tuple[float, float], str]:
    """Where points are drawn, and in which colours."""
    return {(one["x"], one["y"]): one["colour"] for one in page.execute_script("return explorer.drawn()")}


def opacity(colour: str) -> int:
    return int(colour[7:], 16)


def test_a_window_has_its_nodes_and_faint_those_that_rest_where_they_were(page: Any) -> None:
    assert text(page, "#when") == "Window 3 </script> to Fri"  # the last one at first
    show(page, 2)
    found = drawn(page)
    full = max(map(opacity, found.values()))
    assert {at for at, colour in found.items() if opacity(colour) == full} == {(4.0 * i, 20.0) for i in range(1, N, 2)}
    # Even ones stay where they were in window 1.
    assert {at for at, colour in found.items() if opacity(colour) < 0.4 * full} == {
        (4.0 * i, 10.0) for i in range(0, N, 2)
    }
    assert text(page, "#status") == "12 active, 24 points"
    show(page, 0)
    assert len(drawn(page)) == N - 1  # the last node has not come yet
    assert text(page, "#status") == "23 active, 23 of 24 points"
    # All windows have the same axes.
    low, high = page.execute_script(
        "const half = document.getElementById('plot').clientHeight / 2 * explorer.view.unit;"
        "return [explorer.view.y - half, explorer.view.y + half]"
    )
    assert low < 0 < 30 < high


def test_points_glide_and_a_play_ends_with_the_last_window(page: Any) -> None:
    show(page, 0)
    seen = page.execute_async_script("""
        const done = arguments[0], seen = [];
        const move = explorer.showWindow(1, 400);
        const look = () => seen.push(explorer.toPixel(1)[1]);
        const timer = setInterval(look, 20);
        move.then(() => { clearInterval(timer); look(); done(seen); });""")
    between = [y for y in seen if seen[-1] + 1 < y < max(seen) - 1]
    assert between  # on the way between both windows
    assert seen == sorted(seen, reverse=True)
    page.find_element("id", "play").click()
    assert text(page, "#play span") == "Pause"
    chromium.wait(page, "explorer.time.now === 3 && document.querySelector('#play span').textContent === 'Play'")
    # At its end it begins anew, by the keyboard; a step by hand stops it.
    page.execute_script("document.activeElement.blur()")
    body = page.find_element("tag name", "body")
    body.send_keys(" ")
    chromium.wait(page, "explorer.time.now === 0")
    body.send_keys("\ue012")  # the left arrow: nothing lies before window 0
    chromium.wait(page, "document.querySelector('#play span').textContent === 'Play'")
    body.send_keys("\ue014")
    chromium.wait(page, "document.getElementById('when').textContent === 'Window 1 Tue to Wed'")


def test_hover_and_click_find_points_where_they_are_now(page: Any) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    show(page, 1)
    plot = page.find_element("id", "plot")
    x, y = page.execute_script("return explorer.toPixel(5)")
    dx, dy = round(x - plot.size["width"] / 2), round(y - plot.size["height"] / 2)
    actions = ActionChains(page, duration=50).move_to_element_with_offset(plot, dx, dy + 40)
    actions.move_to_element_with_offset(plot, dx, dy).perform()
    chromium.wait(page, "!document.getElementById('tip').hidden")
    assert text(page, "#tip").startswith("node-5Label: 2Active in this windowNearest: node-")
    ActionChains(page, duration=50).click().perform()
    chromium.wait(page, "explorer.state.node === 5")
    shown = {int(row.get_attribute("data-node")) for row in page.find_elements("css selector", "#card [data-node]")}
    assert {4, 6} < shown
    assert "node-5" in text(page, "#card")
    # Its neighbours are those of the window: in window 2 the even ones rest.
    show(page, 2)
    shown = {int(row.get_attribute("data-node")) for row in page.find_elements("css selector", "#card [data-node]")}
    assert {3, 7} < shown
    assert all(node % 2 for node in shown)
    page.execute_script("explorer.choose(4)")
    assert "Last seen in window 1" in text(page, "#card")


def test_colours_and_counts_follow_the_window(page: Any) -> None:
    page.execute_async_script("explorer.chooseColumn(explorer.columns[1]).then(arguments[0])")
    show(page, 0)
    first = drawn(page)
    show(page, 1)
    second = drawn(page)
    assert first[(4.0, 0.0)] != second[(4.0, 10.0)]
    assert first[(4.0, 0.0)] == second[(8.0, 10.0)]
    counts = {row.text for row in page.find_elements("css selector", "#key .row")}
    assert counts == {"0\n12", "1\n12"}
    page.execute_async_script("explorer.chooseColumn(explorer.columns[2]).then(arguments[0])")
    assert len({*drawn(page).values()}) == 1  # all at one height
    assert "explorer" not in text(page, "#when")


def test_the_card_counts_events_of_the_window(page: Any) -> None:
    show(page, 1)
    page.execute_script("explorer.choose(20)")
    (row,) = page.find_elements("css selector", "#card [data-source=given] [data-node]")
    assert row.text == "node-21\n2"
    show(page, 3)
    assert text(page, "#card [data-source=given] .count") == "0"
    assert text(page, "#card [data-source=nearest] .count") == "3"


def test_a_node_that_has_not_come_yet_is_shown_when_it_comes(page: Any) -> None:
    show(page, 0)
    search = page.find_element("id", "search")
    search.send_keys(f"node-{N - 1}\n")
    chromium.wait(page, "explorer.time.now === 1")
    assert text(page, "#card h2") == f"node-{N - 1}"


def test_a_selection_is_saved_with_its_window(page: Any, folder: Path) -> None:
    show(page, 1)
    page.execute_script("explorer.select([0, 1])")
    page.find_element("id", "export").click()
    file = folder / "selection.csv"
    for _ in range(100):
        if file.exists():
            break
        page.execute_async_script("setTimeout(arguments[0], 50)")
    lines = file.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "node_id,x,y,window,Label,State,Height"
    assert lines[1] == "node-0,0,10,1,0,1,10"


def test_filters_and_edges_follow_the_window(page: Any) -> None:
    show(page, 1)
    page.execute_async_script("explorer.chooseColumn(explorer.columns[1]).then(arguments[0])")  # state in the window
    page.find_element("css selector", "#key .row").click()
    page.execute_async_script("explorer.repaint().then(arguments[0])")
    assert {node for node, *_ in places(page)} == {i for i in range(N) if (i + 1) % 2}
    show(page, 3)
    assert {node for node, *_ in places(page)} == {i for i in range(N) if (i + 3) % 2}
    show(page, 0)
    assert {node for node, *_ in places(page)} == {i for i in range(N - 1) if i % 2}
    page.find_element("css selector", "#all button").click()
    show(page, 1)
    page.find_element("id", "edges").click()
    assert page.execute_script("return explorer.currentEdges().parts.map(({total}) => total)") == [1]
    assert text(page, "#edge-key .about") == "Edges of this window"
    show(page, 2)
    assert page.execute_script("return explorer.currentEdges().parts.length") == 0


def places(page: Any) -> list[list[float]]:
    return list(page.execute_script("return explorer.drawn().map(({node, x, y}) => [node, x, y])"))
