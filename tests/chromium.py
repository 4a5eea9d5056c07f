"""Drive a headless Chromium over its debugging pipe: open a page, measure it, and hear all that it complains of."""

import base64
import json
import os
import shutil
import signal
import subprocess
import tempfile

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")


def path_or_skip() -> str:
    """Chromium's path. Without one the test is skipped, or fails where ``FERRY_CHROMIUM_REQUIRED`` is set."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        message = "there is no chromium on PATH"
        if os.environ.get("FERRY_CHROMIUM_REQUIRED"):
            pytest.fail(message)
        pytest.skip(message)
    return found


class Chromium:
    """A browser of its own, with a profile of its own, until the ``with`` block ends."""

    def __init__(self, path: str):
        self._path = path

    def __enter__(self) -> "Chromium":
        self._profile = tempfile.mkdtemp(prefix="ferry-chromium-")
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        # It reads commands from descriptor 3 and answers on 4. As root, which CI often is, it has no sandbox.
        command = [
            self._path, "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu",
            "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
            f"--user-data-dir={self._profile}",
        ]  # fmt: skip
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}', "chromium", *command],
            pass_fds=(theirs_in, theirs_out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        self._out, self._in = os.fdopen(ours_out, "wb", buffering=0), os.fdopen(ours_in, "rb")
        self._number, self._session, self._pending = 0, None, b""
        self.events = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")
        return self

    def __exit__(self, *_):
        self._out.close()
        # Its children write to the profile too, and may outlive it by a moment.
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._in.close()
        shutil.rmtree(self._profile, ignore_errors=True)

    def ask(self, method: str, **parameters):
        """Send a command and wait for its answer; events that come before it are kept."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._out.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def _next(self):
        while b"\0" not in self._pending:
            read = os.read(self._in.fileno(), 1 << 16)
            assert read, "the browser ended"
            self._pending += read
        line, self._pending = self._pending.split(b"\0", 1)
        return json.loads(line)

    def open(self, path, width: int, dark: bool = False) -> None:
        """Show the file in a window ``width`` CSS pixels wide and wait until it is loaded."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 500)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", media="", features=[scheme])
        self.events.clear()
        self.ask("Page.navigate", url=path.resolve().as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next())

    def evaluate(self, expression: str):
        """The value of a JavaScript expression on the page."""
        return self.ask("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def complaints(self):
        """What was written to the console or the browser's log, exceptions included."""
        told = ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
        return [event for event in self.events if event.get("method") in told]

    def requests(self):
        """The addresses that the page asked for."""
        asked = [event for event in self.events if event.get("method") == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in asked]

    def screenshot(self) -> bytes:
        """The whole page as a PNG."""
        made = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        return base64.b64decode(made["data"])

    def pdf(self) -> bytes:
        """The page as it is printed."""
        return base64.b64decode(self.ask("Page.printToPDF", printBackground=True)["data"])
