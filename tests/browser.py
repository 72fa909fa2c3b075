"""A headless Chromium behind ChromeDriver, spoken to in plain W3C WebDriver."""

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key of an element's id in the standard


class Browser:
    """One browser window.

    Args:
        port: where ChromeDriver listens.
        size: (width, height) of the window in pixels.
    """

    def __init__(self, port: int, size: tuple[int, int]) -> None:
        self.root = f"http://127.0.0.1:{port}"
        options = {
            "args": ["--headless=new", "--no-sandbox", "--disable-gpu", f"--window-size={size[0]},{size[1]}"],
            "binary": shutil.which("chromium"),
            "mobileEmulation": {"deviceMetrics": {"width": size[0], "height": size[1], "pixelRatio": 1}},
        }
        asked = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        session = self.call("POST", "/session", {"capabilities": {"alwaysMatch": asked}})
        self.root += f"/session/{session['sessionId']}"

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send one command and return its value."""
        data = json.dumps(body or {}).encode() if method == "POST" else None
        request = Request(self.root + path, data, {"Content-Type": "application/json"}, method=method)  # noqa: S310
        with urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.load(answer)["value"]

    def open(self, url: str) -> None:
        """Go to a page."""
        self.call("POST", "/url", {"url": url})

    def run(self, script: str, *arguments: Any) -> Any:
        """Run JavaScript in the page and return what it returns."""
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def wait_for(self, script: str, seconds: float = 20) -> Any:
        """Run JavaScript until it returns something."""
        end = time.monotonic() + seconds
        while not (found := self.run(script)):
            if time.monotonic() > end:
                raise TimeoutError(f"{script} gave nothing in {seconds} s")
            time.sleep(0.1)
        return found

    def overflowing(self) -> list[str]:
        """Return the elements that hang over the right edge of the page, unless they lie in a box that scrolls."""
        found: list[str] = self.run(
            """const width = document.documentElement.clientWidth;
            const clips = (one) => getComputedStyle(one).overflowX !== "visible";
            const scrolls = (one) => one && (clips(one) || scrolls(one.parentElement));
            return [...document.querySelectorAll("body *")]
              .filter((one) => one.getBoundingClientRect().right > width + 1 && !scrolls(one))
              .map((one) => one.outerHTML.slice(0, 100));"""
        )
        return found

    def choose(self, selector: str, paths: list[Path]) -> None:
        """Choose files in an input field."""
        found = self.call("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]
        self.call("POST", f"/element/{found}/value", {"text": "\n".join(map(str, paths))})

    def drop(self, selector: str, path: Path) -> None:
        """Drop a file on an element."""
        self.run(
            """const bytes = Uint8Array.from(atob(arguments[1]), (one) => one.charCodeAt(0));
            const data = new DataTransfer();
            data.items.add(new File([bytes], arguments[2], {type: "image/png"}));
            document.querySelector(arguments[0]).dispatchEvent(
              new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));""",
            selector,
            base64.b64encode(path.read_bytes()).decode(),
            path.name,
        )

    def screenshot(self, path: Path) -> None:
        """Write what the window shows as PNG."""
        path.write_bytes(base64.b64decode(self.call("GET", "/screenshot")))

    def messages(self) -> list[str]:
        """Return what the page wrote to the console since the last call, errors among it."""
        return [entry["message"] for entry in self.call("POST", "/se/log", {"type": "browser"})]


@contextmanager
def browser(port: int, size: tuple[int, int] = (1100, 800)) -> Iterator[Browser]:
    """Start ChromeDriver and a browser, and end both."""
    driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S607
    try:
        window = _started(port, size)
        try:
            yield window
        finally:
            window.call("DELETE", "")
    finally:
        driver.terminate()
        driver.wait()


def _started(port: int, size: tuple[int, int]) -> Browser:
    for _ in range(100):
        try:
            return Browser(port, size)
        except (URLError, ConnectionError):
            time.sleep(0.1)
    raise TimeoutError("ChromeDriver did not start")
