"""Drives a headless Chromium by its DevTools protocol, and records all errors."""

import base64
import json
import shutil
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import connect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1280,1250",
    "--remote-debugging-port=0",
)  # fmt: skip
_WAIT_S = 60.0


class Browser:
    """One tab. `errors` collects uncaught exceptions, failed requests, and errors logged to the console."""

    def __init__(self, profile: Path, *flags: str) -> None:
        assert CHROMIUM is not None
        self._process = subprocess.Popen(
            [CHROMIUM, *FLAGS, *flags, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.errors: list[Any] = []
        self._number = 0
        self._open = ExitStack()
        try:
            self._attach(self._port(profile))
        except BaseException:
            self.close()
            raise

    def _attach(self, port: int) -> None:
        tabs = httpx.get(f"http://127.0.0.1:{port}/json").json()
        page = next(tab for tab in tabs if tab["type"] == "page")
        self._socket = self._open.enter_context(connect(page["webSocketDebuggerUrl"], max_size=None))
        for domain in ("Page", "Runtime", "Log"):
            self._call(f"{domain}.enable")

    def close(self) -> None:
        self._open.close()
        self._process.terminate()
        self._process.wait(20)

    def open(self, url: str) -> None:
        self._call("Page.navigate", url=url)
        self.wait_for("document.readyState === 'complete'")

    def resize(self, width: int, height: int) -> None:
        """Show pages on a screen of this size in CSS pixels, as a telephone does below 500."""
        self._call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )

    def live_in(self, zone: str) -> None:
        """Have the clock of a time zone; empty for the machine's own."""
        self._call("Emulation.setTimezoneOverride", timezoneId=zone)

    def prefer(self, scheme: str) -> None:
        """The visitor's colour scheme: `light` or `dark`."""
        self._call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def screenshot(self, path: Path, *, whole: bool = True) -> None:
        """Save the whole page as PNG, or what the screen shows of it."""
        options: dict[str, Any] = {}
        if whole:
            size = self._call("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
            options = {"captureBeyondViewport": True, "clip": clip}
        path.write_bytes(base64.b64decode(self._call("Page.captureScreenshot", **options)["data"]))

    def evaluate(self, script: str) -> Any:
        found = self._call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, (script, found)
        return found["result"].get("value")

    def wait_for(self, condition: str, seconds: float = _WAIT_S) -> None:
        """Wait until the script is true; while a page is being replaced, it is not."""
        deadline = time.monotonic() + seconds
        while True:
            found = self._call("Runtime.evaluate", expression=f"!!({condition})", returnByValue=True)
            if found.get("result", {}).get("value") is True:
                return
            assert time.monotonic() < deadline, f"not within {seconds} s: {condition}\n{self.text()[:2000]}"
            time.sleep(0.05)

    def text(self) -> str:
        return str(self.evaluate("document.body ? document.body.innerText : ''"))

    def wait_for_text(self, text: str) -> None:
        self.wait_for(f"document.body && document.body.innerText.includes({json.dumps(text)})")

    def click(self, selector: str, text: str = "") -> None:
        """Click the first visible element that matches, as soon as there is one."""
        find = (
            f"[...document.querySelectorAll({json.dumps(selector)})]"
            f".find(one => one.offsetParent !== null && one.innerText.includes({json.dumps(text)}))"
        )
        self.wait_for(find)
        self.evaluate(f"{find}.click()")

    def drag(self, selector: str, start: float, end: float, height: float = 0.5) -> None:
        """Drag the mouse over an element, between shares of its width, at a share of its height; 0 to 0 clicks."""
        box = self.evaluate(
            f"(box => [box.x, box.y, box.width, box.height])"
            f"(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
        )
        y = box[1] + box[3] * height
        for kind, share in (
            ("mouseMoved", start), ("mousePressed", start), ("mouseMoved", (start + end) / 2), ("mouseMoved", end),
            ("mouseReleased", end),
        ):  # fmt: skip
            held = {"button": "left", "clickCount": 1} if kind != "mouseMoved" else {}
            buttons = 1 if kind != "mouseReleased" and held else int(kind == "mouseMoved")
            self._call("Input.dispatchMouseEvent", type=kind, x=box[0] + box[2] * share, y=y, buttons=buttons, **held)

    def press(self, key: str) -> None:
        text = {"Enter": "\r", "Tab": "\t", "Escape": ""}.get(key, key)
        code = {"Tab": 9, "Escape": 27, "Enter": 13}.get(key, 0)
        for kind in ("keyDown", "keyUp"):
            self._call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                windowsVirtualKeyCode=code,
                text=text if kind == "keyDown" else "",
            )

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message: dict[str, Any] = json.loads(self._socket.recv(timeout=_WAIT_S))
            if message.get("id") == self._number:
                assert "error" not in message or method == "Runtime.evaluate", message
                result: dict[str, Any] = message.get("result", {})
                return result
            self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        parameters = message.get("params", {})
        if message.get("method") == "Runtime.exceptionThrown":
            self.errors.append(parameters["exceptionDetails"])
        elif message.get("method") == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.errors.append(parameters["entry"])
        elif message.get("method") == "Runtime.consoleAPICalled" and parameters["type"] in {"error", "assert"}:
            self.errors.append(parameters["args"])

    def _port(self, profile: Path) -> int:
        deadline = time.monotonic() + _WAIT_S
        path = profile / "DevToolsActivePort"
        while not path.exists() or not path.read_text().strip():
            assert self._process.poll() is None, "Chromium has ended"
            assert time.monotonic() < deadline, "Chromium does not start"
            time.sleep(0.05)
        return int(path.read_text().splitlines()[0])
