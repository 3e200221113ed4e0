"""A browser for each file, and a page that several of them look at."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from genurl_graph.plotting.explorer.page import write_page
from genurl_graph.plotting.explorer.scene import Scene
from tests import chromium
from tests.plotting.explorer.three_classes import three_classes


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("explorer")


@pytest.fixture(scope="module")
def browser(folder: Path) -> Iterator[Any]:
    if reason := chromium.missing():
        pytest.skip(reason)
    chrome = chromium.start(downloads=folder)
    yield chrome
    chrome.quit()


@pytest.fixture(scope="module")
def scene(folder: Path) -> Scene:
    found = three_classes()
    write_page(folder / "page.html", found)
    return found


@pytest.fixture
def page(browser: Any, scene: Scene, folder: Path) -> Iterator[Any]:
    with chromium.quiet_page(browser, folder / "page.html"):
        yield browser
        assert browser.title == scene.title
        assert browser.execute_script("return document.images.length") == 0
