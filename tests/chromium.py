"""Headless Chromium for tests and benchmarks of the explorer, drawn by the CPU (SwiftShader)."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Debian's names, then others'.
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
DRIVERS = ("chromedriver", "chromium-driver")
FLAGS = (
    "--headless=new",
    "--no-sandbox",  # tests may run as root, where Chromium has none
    "--disable-gpu",
    "--enable-unsafe-swiftshader",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
)


def missing() -> str | None:
    """What is not installed, or None if a browser can be started."""
    try:
        import selenium  # noqa: F401
    except ImportError:
        return "the package selenium is not installed"
    for what, names in (("Chromium", BROWSERS), ("chromedriver", DRIVERS)):
        if not any(map(shutil.which, names)):
            return f"{what} is not installed (Debian: chromium, chromium-driver)"
    return None


def start(width: int = 1280, height: int = 900, *, dark: bool = False, downloads: Path | None = None) -> Any:
    """A new browser; whoever starts it calls ``quit``. Nothing is downloaded: the driver is named."""
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    browser, driver = (next(filter(None, map(shutil.which, names))) for names in (BROWSERS, DRIVERS))
    options = ChromeOptions()
    options.binary_location = browser
    for flag in (*FLAGS, f"--window-size={width},{height}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    if downloads is not None:
        options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    chrome = Chrome(options=options, service=Service(driver))
    chrome.set_script_timeout(300)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    # The size asked for is that of the page, not of the window with its frame.
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    return chrome


def open_page(chrome: Any, page: Path, seconds: float = 120) -> None:
    """Load an explorer and wait until it has drawn."""
    chrome.get(page.resolve().as_uri())
    wait(chrome, "document.documentElement.dataset.ready === 'true'", seconds)


def wait(chrome: Any, condition: str, seconds: float = 20) -> None:
    """Until an expression of JavaScript is true."""
    end = time.monotonic() + seconds
    while not chrome.execute_script(f"return Boolean({condition})"):
        if time.monotonic() > end:
            raise TimeoutError(f"after {seconds} s still not: {condition}")
        time.sleep(0.03)


@contextmanager
def quiet_page(chrome: Any, page: Path) -> Iterator[None]:
    """An explorer, freshly loaded; afterwards no error may stand in the console, and nothing may have been fetched."""
    chrome.get_log("browser")
    chrome.get_log("performance")
    open_page(chrome, page)
    yield
    assert [entry for entry in chrome.get_log("browser") if entry["level"] == "SEVERE"] == []
    events = [json.loads(entry["message"])["message"] for entry in chrome.get_log("performance")]
    urls = {e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"}
    assert {url.split(":")[0] for url in urls} <= {"file", "blob", "data"}


def text(chrome: Any, selector: str) -> str:
    """What an element says."""
    return str(chrome.execute_script("return document.querySelector(arguments[0]).textContent", selector))
