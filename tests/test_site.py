"""The documentation as a reader opens it from disk: navigation, search, every internal link and every picture."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import torch

from genurl_graph.datasets.loaders import LOADERS
from tests import chromium
from tests.lighter import lighten_presets

REPOSITORY = Path(__file__).resolve().parent.parent


class Page(HTMLParser):
    """Ids of a page, where its links lead, and what it shows."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.pictures: list[str] = []
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.ids |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag == "img":
            self.pictures.append(found["src"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built documentation, its gallery drawn after few epochs of narrow layers, from a part of the digits."""
    pytest.importorskip("mkdocs", reason="the extra docs is not installed")
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    digits = LOADERS["digits"]
    work = tmp_path_factory.mktemp("documentation")
    with pytest.MonkeyPatch.context() as patch:
        lighten_presets(patch)
        patch.setitem(LOADERS, "digits", lambda *words: digits(*words).subgraph(torch.arange(400)))
        patch.setenv("GENURL_DOCS_CACHE", str(work / "gallery"))
        settings = load_config(str(REPOSITORY / "mkdocs.yml"), site_dir=str(work / "site"))
        settings.plugins.on_startup(command="build", dirty=False)
        build(settings)
    return work / "site"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    """Every page but that for missing ones, which only a server shows."""
    return {file: Page(file) for file in sorted(site.rglob("*.html")) if file.name != "404.html"}


def test_every_internal_link_leads_somewhere(site: Path, pages: dict[Path, Page]) -> None:
    broken, followed = [], 0
    for file, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            followed += 1
            to = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            if not to.is_file():  # a folder would be shown as a listing
                broken.append(f"{file.relative_to(site)}: {link}")
            elif parts.fragment and to in pages and unquote(parts.fragment) not in pages[to].ids:
                broken.append(f"{file.relative_to(site)}: {link} (no such heading)")
    assert broken == []
    assert followed > 1000


def test_every_page_can_be_reached_from_the_first(site: Path, pages: dict[Path, Page]) -> None:
    reached, ahead = set(), [site / "index.html"]
    while ahead:
        file = ahead.pop()
        if file in pages and file not in reached:
            reached.add(file)
            ahead += [(file.parent / unquote(urlsplit(link).path)).resolve() for link in pages[file].links]
    assert reached == set(pages)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if why := chromium.missing():
        pytest.skip(why)
    chrome = chromium.start()
    yield chrome
    chrome.quit()


def requests(chrome: Any) -> list[str]:
    """Addresses that were asked for since the last call."""
    messages = [json.loads(entry["message"])["message"] for entry in chrome.get_log("performance")]
    return [
        message["params"]["request"]["url"] for message in messages if message["method"] == "Network.requestWillBeSent"
    ]


def test_pages_open_from_disk_with_every_picture(site: Path, pages: dict[Path, Page], browser: Any) -> None:
    requests(browser)
    shown, missing = 0, []
    # Pages of text alone are left out: each takes half a second to draw, and says nothing that these do not.
    for file, page in ((file, page) for file, page in pages.items() if page.pictures):
        browser.get(file.as_uri())
        found = browser.execute_async_script(
            "const done = arguments[0], all = [...document.images];"
            "all.forEach(image => { image.loading = 'eager'; });"
            "Promise.all(all.map(image => image.decode().then(() => null, () => image.src)))"
            ".then(failed => done([document.title, all.length, failed.filter(Boolean)]));"
        )
        assert found[0], file
        assert found[1] == len(page.pictures), file
        missing += found[2]
        shown += found[1]
    assert missing == []
    assert shown >= 15
    assert [address for address in requests(browser) if not address.startswith(("file:", "data:", "about:"))] == []
    assert [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_navigation_leads_from_page_to_page(site: Path, browser: Any) -> None:
    browser.get((site / "index.html").as_uri())
    titles = [link.text for link in browser.find_elements("css selector", ".md-tabs__link")]
    assert len(titles) >= 4
    for title in titles[1:]:
        browser.find_element("link text", title).click()
        chromium.wait(browser, "document.querySelector('.md-tabs__item--active')")
        assert browser.find_element("css selector", ".md-tabs__item--active").text == title
        assert browser.current_url.endswith(".html")
    browser.find_element("css selector", ".md-footer__link--prev").click()
    chromium.wait(browser, "document.querySelector('.md-footer__link--next')")
    assert browser.find_element("css selector", "article h1").text


@pytest.mark.parametrize(("words", "page"), [("trustworthiness", "reduction"), ("planted_graph", "datasets")])
def test_search_finds_a_page_without_a_server(site: Path, browser: Any, words: str, page: str) -> None:
    browser.get((site / "index.html").as_uri())
    field = browser.find_element("css selector", ".md-search__input")
    field.click()
    field.send_keys(words)
    chromium.wait(browser, "document.querySelector('.md-search-result__link')")
    browser.execute_script(
        "const links = [...document.querySelectorAll('.md-search-result__link')];"
        "links.find(link => link.href.includes(arguments[0])).click();",
        f"/{page}.html?h={words}",
    )
    chromium.wait(browser, "document.querySelector('article mark')")
    assert browser.find_element("css selector", "article mark").get_attribute("textContent") == words
