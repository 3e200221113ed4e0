"""Moving about the map in a real browser: drag, wheel, fingers, keys, another window."""

from typing import Any

import numpy as np
import pytest

from genurl_graph.plotting.explorer.scene import Scene
from tests import chromium
from tests.plotting.explorer.three_classes import PIXELS, SETTLED, N, drawn, lonely


def drag(page: Any, dx: int, dy: int) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    plot = page.find_element("id", "plot")
    start = ActionChains(page, duration=30).move_to_element_with_offset(plot, 90, 300)
    start.click_and_hold().move_by_offset(dx // 2, dy // 2).move_by_offset(
        dx - dx // 2, dy - dy // 2
    ).release().perform()
    page.execute_async_script(SETTLED)


def test_a_drag_moves_the_map_and_chooses_nothing(page: Any) -> None:
    before = np.array(page.execute_script("return explorer.toPixel(11)"))
    drag(page, 60, -40)
    after = np.array(page.execute_script("return explorer.toPixel(11)"))
    np.testing.assert_allclose(after - before, [60, -40], atol=4.5)  # a click may wander up to four pixels
    assert page.execute_script("return explorer.state.node") == -1
    # Points are found where they are drawn now.
    assert page.execute_script("return explorer.pick(...arguments)", *after.tolist()) == 11
    page.find_element("tag name", "body").send_keys("0")
    page.execute_async_script(SETTLED)
    np.testing.assert_allclose(page.execute_script("return explorer.toPixel(11)"), before, atol=1e-6)


def test_the_wheel_zooms_about_the_pointer_and_points_grow(page: Any) -> None:
    x, y = 300, 260
    before = drawn(page)[0]["size"]
    place = "return [explorer.view.x + (arguments[0] - plot.clientWidth / 2) * explorer.view.unit, explorer.view.unit]"
    place = place.replace("plot.", "document.getElementById('plot').")
    data, unit = page.execute_script(place, x)
    event = {"type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": -500}
    for _ in range(5):
        page.execute_cdp_cmd("Input.dispatchMouseEvent", event)
    chromium.wait(page, f"explorer.view.unit < {unit / 5}")
    page.execute_async_script(SETTLED)
    assert page.execute_script(place, x)[0] == pytest.approx(data, abs=unit / 10)
    assert drawn(page)[0]["size"] > 1.2 * before


def test_two_fingers_zoom_and_one_drags(page: Any) -> None:
    before = page.execute_script("return { ...explorer.view }")

    def touch(kind: str, *places: tuple[int, int]) -> None:
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(places)]
        page.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", (400, 400), (500, 400))
    touch("touchMove", (350, 400), (550, 400))
    touch("touchEnd")
    chromium.wait(page, f"explorer.view.unit < {before['unit']} * 0.6")
    view = page.execute_script("return { ...explorer.view }")
    assert view["unit"] == pytest.approx(before["unit"] / 2, rel=0.01)
    touch("touchStart", (400, 400))
    touch("touchMove", (430, 410))
    touch("touchEnd")
    chromium.wait(page, f"explorer.view.x < {view['x']}")
    moved = page.execute_script("return { ...explorer.view }")
    assert (view["x"] - moved["x"]) / view["unit"] == pytest.approx(30, abs=1)
    assert page.execute_script("return explorer.state.node") == -1


def test_discs_are_cut_at_the_edges_of_the_map(page: Any, scene: Scene) -> None:
    node = lonely(scene)
    corner = page.execute_async_script(
        """
        const [x, y, done] = arguments;
        const plot = document.getElementById('plot'), { unit } = explorer.view;
        const pen = document.getElementById('points').getContext('2d');
        // The node in the corner at the top left, then at the bottom right.
        const found = [];
        const at = async (side, px, py) => {
          const [half, rise] = [plot.clientWidth * unit / 2, plot.clientHeight * unit / 2];
          await explorer.look({ x: x - side * half, y: y + side * rise });
          found.push(Array.from(pen.getImageData(px, py, 1, 1).data));
        };
        at(-1, 0, 0)
          .then(() => at(1, plot.clientWidth - 1, plot.clientHeight - 1))
          .then(() => done(found));""",
        *scene.points[node].tolist(),
    )
    assert corner[0] == corner[1] != [251, 251, 250, 255]


def test_keys_zoom_and_move(page: Any, scene: Scene) -> None:
    node = lonely(scene)
    before = page.execute_script("return { ...explorer.view }")
    body = page.find_element("tag name", "body")
    body.send_keys("+")
    chromium.wait(page, f"explorer.view.unit < {before['unit']} * 0.7")
    width, height = (page.find_element("id", "plot").size[side] for side in ("width", "height"))
    expected = [
        width / 2 + (float(scene.points[node, 0]) - before["x"]) / before["unit"] * 1.5,
        height / 2 - (float(scene.points[node, 1]) - before["y"]) / before["unit"] * 1.5,
    ]
    assert page.execute_script("return explorer.toPixel(arguments[0])", node) == pytest.approx(expected, abs=0.01)
    body.send_keys("\ue014")  # the right arrow
    expected[0] -= width / 10
    assert page.execute_script("return explorer.toPixel(arguments[0])", node) == pytest.approx(expected, abs=0.01)


def test_the_map_follows_the_window_and_the_resolution(page: Any) -> None:
    size = {"width": 900, "height": 700, "deviceScaleFactor": 2, "mobile": False}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        chromium.wait(
            page, "document.getElementById('points').width === 2 * document.getElementById('plot').clientWidth"
        )
        width, height = page.execute_script(
            "const p = document.getElementById('plot'); return [p.clientWidth, p.clientHeight]"
        )
        pixels = np.array(page.execute_script(f"return [...Array({N}).keys()].map(explorer.toPixel)"))
        assert (pixels > 0).all()  # everything is still seen
        assert (pixels < [width, height]).all()
        assert min(page.execute_script(PIXELS)) > 20 * 30
    finally:
        size |= {"width": 1280, "height": 900, "deviceScaleFactor": 1}
        page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
