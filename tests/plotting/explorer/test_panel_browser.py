"""What the explorer's panel does, in a real browser: names, search, filters, sizes, images, edges, the picture."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from genurl_graph.graph.merge import FEATURE, PREDEFINED, MergedGraph
from genurl_graph.plotting.explorer.colours import column, labels
from genurl_graph.plotting.explorer.page import write_page
from genurl_graph.plotting.explorer.scene import Scene
from genurl_graph.plotting.explorer.sprites import sprites_of_pixels
from tests import chromium
from tests.chromium import text

N = 90
LONG = "a category whose name is far too long for half a line of the legend, and " + "unbroken" * 8
CENTRES = np.array([[0.0, 0], [9, 0], [4, 8]])
KINDS = ("cat", "dog", LONG)


def graph(n: int, m: int, seed: int = 0) -> MergedGraph:
    """Edges from i to i + 1, i + 2, ...: the odd distances predefined, the even ones by kNN; in both directions."""
    step = torch.arange(m) // n + 1
    one = torch.arange(m) % n
    other = (one + step) % n
    bits = torch.where(step % 2 == 1, PREDEFINED, FEATURE).to(torch.uint8)
    weight = torch.linspace(0.1, 1, m)
    both = torch.cat([torch.stack([one, other]), torch.stack([other, one])], 1)
    return MergedGraph(both, weight.repeat(2), bits.repeat(2), n)


@pytest.fixture(scope="module")
def scene(folder: Path) -> Scene:
    rng = np.random.default_rng(0)
    y = np.arange(N) % 3
    points = (CENTRES[y] + rng.standard_normal((N, 2))).astype(np.float32)
    age = np.where(np.arange(N) == 5, np.nan, np.arange(N) + 0.5)
    seen = np.datetime64("2020-01-01T00:00") + np.arange(N) * np.timedelta64(12, "h")
    # The image of point i is all of one grey.
    greys = torch.arange(N)[:, None].expand(N, 256) / N
    found = Scene(
        title="Panel / test",
        points=points,
        columns=[
            labels("Label", "kinds", [KINDS[code] for code in y]),
            column("Age", "in years", age),
            column("Seen", "when", seen),
            column("Title", "free text", [f"report {i} on {'trees' if i % 9 == 0 else 'stones'}" for i in range(N)]),
            column("Count", "a whole number", np.arange(N)),
            column("Cites", "from 0 on", np.r_[np.zeros(30), 2.0 ** (np.arange(60) / 4)].round()),
            column("Nothing", "", np.full(N, np.nan)),
        ],
        node_id=[f"node-{i}" for i in range(N)],
        merged=graph(N, 2 * N),
        images=sprites_of_pixels(greys, (16, 16, 1)),
    )
    write_page(folder / "page.html", found)
    return found


@pytest.fixture
def page(browser: Any, scene: Scene, folder: Path) -> Iterator[Any]:
    with chromium.quiet_page(browser, folder / "page.html"):
        yield browser


def drawn(page: Any) -> dict[int, dict[str, Any]]:
    """What is drawn, by node."""
    page.execute_async_script("explorer.repaint().then(arguments[0])")
    return {one["node"]: one for one in page.execute_script("return explorer.drawn()")}


def colour_by(page: Any, name: str) -> None:
    script = "explorer.chooseColumn(explorer.columns.find((one) => one.name === arguments[0])).then(arguments[1])"
    page.execute_async_script(script, name)


def type_search(page: Any, words: str) -> list[str]:
    """The lines that a search finds."""
    script = "const s = document.getElementById('search'); s.value = arguments[0]; s.dispatchEvent(new Event('input'))"
    page.execute_script(script, words)
    return [item.text for item in page.find_elements("css selector", "#found li")]


def test_names_stand_in_the_middle_of_their_points_and_go_with_them(page: Any) -> None:
    drawn(page)
    found = page.execute_script("return explorer.names().map(({code, px, py}) => [code, px, py])")
    names = page.execute_script("return explorer.columns[0].names")
    assert len(found) == 3
    for code, *place in found:
        assert np.hypot(*(np.array(place) - CENTRES[KINDS.index(names[code])])) < 1.5
    page.find_element("css selector", "#key .row").click()
    drawn(page)
    left = page.execute_script("return explorer.names().map(({code}) => code)")
    assert sorted(left) == [1, 2]
    # They are there to be seen, those of the points too, as few are in sight; N takes them away.
    dark = "const [pen] = [document.getElementById('overlay').getContext('2d')]; const {width, height} = pen.canvas;"
    dark += "const seen = pen.getImageData(0, 0, width, height).data; let sum = 0;"
    dark += "for (let i = 3; i < seen.length; i += 4) sum += seen[i] > 0; return sum"
    close = page.execute_script(dark)
    page.execute_script("explorer.look({unit: 1e-3})")
    drawn(page)
    far = page.execute_script(dark)
    assert close > 2000 > far
    page.execute_script("explorer.look({unit: 0.02})")
    drawn(page)
    assert page.execute_script(dark) > 500
    page.find_element("tag name", "body").send_keys("n")
    drawn(page)
    assert page.execute_script(dark) == 0
    assert not page.find_element("id", "names").is_selected()


def test_a_search_looks_into_all_columns(page: Any) -> None:
    lines = type_search(page, "trees")
    assert lines[:2] == ["node-0\nTitle: report 0 on trees", "node-9\nTitle: report 9 on trees"]
    assert lines[-1] == "Select all 10"
    assert type_search(page, "node-7")[0].startswith("node-7\n")
    assert len(type_search(page, "dog")) == 31
    assert type_search(page, "title: dog") == ["No node has this in its id or in a column"]
    assert type_search(page, "age: 7.5") == ["node-7\nAge: 7.5"]
    assert type_search(page, "2020-01-03")[:2] == ["node-4\nSeen: 2020-01-03", "node-5\nSeen: 2020-01-03 12:00"]
    type_search(page, "label: cat")
    page.execute_script(
        "document.querySelector('#found .all').dispatchEvent(new MouseEvent('mousedown', {bubbles: true}))"
    )
    assert text(page, "#selection h2") == "60 selected"  # "cat" and "a category..."
    type_search(page, "dog")
    page.find_element("id", "search").send_keys("\ue008\ue007")  # Shift + Enter
    assert text(page, "#selection h2") == "30 selected"


def test_ranges_and_categories_filter_together_until_they_are_taken_away(page: Any) -> None:
    colour_by(page, "Age")
    low, high = page.find_elements("css selector", ".slide input")
    page.execute_script("arguments[0].value = 250; arguments[0].dispatchEvent(new Event('input'))", low)
    assert min(drawn(page)) == 45  # the middle of 0.5 to 89.5
    assert text(page, "#status") == "45 of 90 points"
    high.send_keys("\ue012" * 3)  # the left arrow, by keyboard
    assert max(drawn(page)) == 88
    assert page.execute_script("return document.activeElement") == high
    colour_by(page, "Label")
    page.execute_script("document.querySelector('#key .row').click()")
    found = drawn(page)
    first = page.execute_script("return explorer.columns[0].names[0]")
    assert set(found) == {i for i in range(45, 89) if KINDS[i % 3] != first}
    chips = page.find_elements("css selector", "#filters .chip")
    assert [chip.text.splitlines()[0] for chip in chips] == ["Label: 2 of 3 shown", "Age: 45 to 88.97"]
    chips[1].click()
    assert len(drawn(page)) == 60
    page.find_element("css selector", "#filters .chip").click()
    assert len(drawn(page)) == 90
    assert not page.find_element("id", "filters").is_displayed()
    # A node of unknown age is in no range.
    colour_by(page, "Age")
    page.find_elements("css selector", ".slide input")[1].send_keys("\ue012")
    assert set(range(N)) - set(drawn(page)) == {5, 89}


def test_a_selection_hides_the_others(page: Any) -> None:
    page.execute_script("explorer.select([3, 4, 8])")
    page.find_element("id", "alone").click()
    assert set(drawn(page)) == {3, 4, 8}
    assert not page.find_element("id", "selection").is_displayed()
    page.find_element("css selector", "#filters .chip").click()
    assert len(drawn(page)) == 90


def test_areas_grow_with_the_column_of_sizes(page: Any) -> None:
    assert len({one["size"] for one in drawn(page).values()}) == 1
    page.execute_script("const s = document.getElementById('size'); s.value = 1; s.dispatchEvent(new Event('change'))")
    found = drawn(page)
    sizes = np.array([found[i]["size"] for i in range(N)])
    known = np.arange(N) != 5
    assert (np.diff(sizes[known]) >= 0).all()
    assert sizes[-1] / sizes[0] == pytest.approx(2.6 / 0.55, rel=0.1)
    middle = (sizes[45] ** 2 - sizes[0] ** 2) / (sizes[-1] ** 2 - sizes[0] ** 2)
    assert middle == pytest.approx(0.5, abs=0.12)  # areas, not diameters; sizes come in steps
    assert sizes[5] == sizes[0]
    assert text(page, "#sizes") == "Size0.54589.5"


def test_dates_are_a_scale(page: Any) -> None:
    colour_by(page, "Seen")
    assert text(page, "#key .ends") == "2020-01-012020-01-232020-02-14"
    found = drawn(page)
    assert found[0]["colour"] != found[45]["colour"] != found[89]["colour"]
    # A range ends with the whole day: two points each.
    script = "const h = document.querySelectorAll('.slide input'); h[0].value = 100; h[1].value = 400;"
    page.execute_script(script + "for (const one of h) one.dispatchEvent(new Event('input'))")
    assert text(page, "#filters .chip").startswith("Seen: 2020-01-09 to 2020-02-05")
    left = set(drawn(page))
    assert left == set(range(2 * 8, 2 * 35 + 2))
    page.execute_script("explorer.choose(1)")
    assert "2020-01-01 12:00" in text(page, "#card dl")
    # Free text is told and searched, but no colours.
    options = [one.text for one in page.find_elements("css selector", "#colour option")]
    assert options == ["Label", "Age", "Seen", "Count", "Cites"]  # nor has a column that knows nothing
    assert "report 1 on stones" in text(page, "#card dl")


def test_numbers_of_many_magnitudes_have_a_logarithmic_scale(page: Any) -> None:
    colour_by(page, "Cites")
    assert text(page, "#about") == "from 0 on (logarithmic scale)"
    low, middle, high = (text(page, f"#key .ends :nth-child({i})") for i in (1, 2, 3))
    largest = round(2 ** (59 / 4))
    assert (low, high) == ("0", f"{largest:,}")
    assert float(middle) == pytest.approx(np.sqrt(largest + 1) - 1, rel=1e-3)
    found = drawn(page)
    assert len({found[i]["colour"] for i in range(30, N)}) > 40
    page.execute_script(
        "const [s] = document.querySelectorAll('.slide input'); s.value = 250; s.dispatchEvent(new Event('input'))"
    )
    assert min(drawn(page)) == next(i for i in range(30, N) if round(2 ** ((i - 30) / 4)) >= float(middle))
    colour_by(page, "Age")
    assert text(page, "#about") == "in years"


def test_the_legend_is_not_cut(page: Any) -> None:
    rows = page.find_elements("css selector", "#key .row .name")
    assert {row.text for row in rows} == set(KINDS)
    inside = "const [e, k] = [arguments[0], document.getElementById('key')].map((one) => one.getBoundingClientRect());"
    for row in rows:
        assert page.execute_script(inside + "return e.right <= k.right && arguments[0].scrollWidth <= e.width + 1", row)


def test_what_is_unknown_is_neither_found_nor_left_out_of_a_filter(browser: Any, folder: Path) -> None:
    born = np.array(["2020-01-01", "2021-05-06", "NaT"] * 20, dtype="datetime64[D]")
    titles = column("Title", "", [f"title {i}" for i in range(60)])
    kinds = labels("Kind", "", ["a", "b", ""] * 20)
    points = np.random.default_rng(0).standard_normal((60, 2)).astype(np.float32)
    columns = [kinds, column("Born", "", born), titles, column("Day", "", 20230101 + np.arange(60))]
    write_page(folder / "unknown.html", Scene("unknown", points, columns=columns, color_by="Title"))
    chromium.open_page(browser, folder / "unknown.html")
    # A column of text that was asked for is in the list, too.
    script = "return document.getElementById('colour').selectedOptions[0]?.textContent"
    assert browser.execute_script(script) == "Title"
    assert type_search(browser, "day: 20230115") == ["14\nDay: 20,230,115"]  # more digits than 32 bits hold
    assert type_search(browser, "born: unkn") == ["No node has this in its id or in a column"]
    colour_by(browser, "Kind")
    browser.execute_script("document.querySelector('#key .row').click()")
    assert text(browser, "#filters .chip").startswith("Kind: 1 of 2 shown")  # and those of no kind
    assert len(drawn(browser)) == 40


def test_edges_are_counted_by_source_and_follow_filters_and_selection(page: Any) -> None:
    def parts() -> dict[str, int]:
        drawn(page)
        return {one["key"]: one["total"] for one in page.execute_script("return explorer.currentEdges().parts")}

    page.find_element("id", "edges").click()
    assert parts() == {"given": N, "feature": N}
    assert text(page, "#edge-key .about") == "Edges of the points on the map"
    page.execute_script("explorer.select([0])")
    assert parts() == {"given": 2, "feature": 2}
    page.execute_script("explorer.select([45], true)")  # beside it, as by Shift and the lasso
    assert parts() == {"given": 4, "feature": 4}
    page.execute_script("explorer.state.selected = null; document.querySelector('#key .row').click()")
    assert sum(parts().values()) == 60  # within two thirds of the ring: 30 edges each
    page.find_element("css selector", "#edge-key .row").click()
    drawn(page)
    lists = page.execute_script("return explorer.currentEdges().parts.map(({list}) => list.length)")
    assert sorted(lists) == [0, 90]
    page.find_element("id", "edges").click()
    assert not page.find_element("id", "edge-key").is_displayed()
    assert page.execute_script("return explorer.layers.under.length") == 0


def test_of_many_edges_a_part_is_drawn_and_that_is_said(browser: Any, folder: Path) -> None:
    points = np.random.default_rng(0).standard_normal((300, 2)).astype(np.float32)
    write_page(folder / "edges.html", Scene("edges", points, merged=graph(300, 30_000)))
    chromium.open_page(browser, folder / "edges.html")
    browser.find_element("id", "edges").click()
    found = browser.execute_script(
        "return explorer.currentEdges().parts.map((one) => [one.total, one.list.length / 3])"
    )
    assert sum(total for total, _ in found) == 30_000
    assert sum(count for _, count in found) == pytest.approx(20_000, rel=0.03)
    said = text(browser, "#edge-key .about")
    assert (
        said == f"{int(sum(count for _, count in found)):,} of 30,000 edges of the points on the map, drawn at random"
    )


def test_images_stand_in_the_card_and_on_the_map(page: Any) -> None:
    page.execute_script("explorer.choose(60)")
    chromium.wait(page, "document.querySelector('#card canvas')")
    grey = "const c = document.querySelector('#card canvas'), pen = c.getContext('2d');"
    grey += "return pen.getImageData(c.width / 2, c.height / 2, 1, 1).data[0]"
    assert page.execute_script(grey) == pytest.approx(255 * 60 / 89, abs=4)
    page.execute_script("explorer.choose(-1)")
    page.find_element("id", "names").click()
    page.find_element("id", "images").click()
    drawn(page)
    seen = page.execute_script("""
        const pen = document.getElementById('overlay').getContext('2d'), ratio = devicePixelRatio;
        return [...Array(90).keys()].map((node) => {
          const [px, py] = explorer.toPixel(node);
          return Array.from(pen.getImageData(px * ratio, py * ratio, 1, 1).data);
        });""")
    greys = [i for i, (r, g, b, a) in enumerate(seen) if a == 255 and abs(r - 255 * i / 89) < 5 and r == g == b]
    assert len(greys) >= 15  # as many as have room beside each other


def test_the_picture_has_the_map_and_the_legend(page: Any, folder: Path) -> None:
    page.find_element("id", "save").click()
    file, end = folder / "Panel-test.png", time.monotonic() + 10
    while not file.exists() and time.monotonic() < end:
        time.sleep(0.05)
    with Image.open(file) as image:
        pixels = np.asarray(image.convert("RGB")).astype(np.int16)
    width = 2 * page.execute_script("return document.getElementById('plot').clientWidth")
    assert pixels.shape[1] > width + 300
    for colour in ((59, 125, 216), (240, 138, 36), (44, 160, 90)):
        # In the legend, and on the map, where points are a little transparent.
        for part, far, count in ((pixels[::2, width::2], 6, 25), (pixels[::3, :width:3], 80, 30)):
            assert (np.abs(part - np.array(colour, dtype=np.int16)) < far).all(2).sum() > count
    colour_by(page, "Age")
    size = page.execute_script("const c = explorer.pictureWithLegend(); return [c.width, c.height]")
    assert size[1] == pixels.shape[0]
