"""Draws in `kiln playground` with a real pointer, keys and touches, in a
headless Chromium, and checks what the page shows.

    pip install websocket-client
    kiln train lenet --dataset mnist --epochs 3
    kiln train mlp --dataset mnist --epochs 3
    python tests/playground_browser.py target/release/kiln RUN_OF_LENET RUN_OF_MLP --shots FOLDER

RUN may be a path. A third run, of colour pictures, is tried by itself where
one is given. Screenshots go to FOLDER where one is named.
"""

import argparse
import base64
import contextlib
import json
import math
import pathlib
import shutil
import signal
import struct
import subprocess
import tempfile
import time
import urllib.request
import zlib

import websocket

# Strokes on a board of 28 x 28.
DIGITS = {
    "1": [[(15, 5), (13, 23)]],
    "7": [[(8, 6), (20, 6), (12, 23)]],
    "0": [[(14 + 6 * math.sin(at / 5), 14 - 8.5 * math.cos(at / 5)) for at in range(33)]],
    "4": [[(10, 5), (8, 14), (19, 14)], [(17, 5), (16, 23)]],
    "2": [[(8, 9), (11, 5), (16, 5), (19, 9), (17, 14), (8, 22), (20, 22)]],
}


class Page:
    """A page of a browser, spoken to by the DevTools protocol."""

    def __init__(self, port):
        targets = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/json"))
        address = next(t["webSocketDebuggerUrl"] for t in targets if t["type"] == "page")
        self.socket = websocket.create_connection(address, timeout=30, suppress_origin=True)
        self.number = 0
        self.complaints = []
        for domain in ["Page", "Runtime", "Log", "DOM"]:
            self.call(f"{domain}.enable")

    def call(self, method, **params):
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": params}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("method") == "Runtime.exceptionThrown":
                self.complaints.append(message["params"]["exceptionDetails"]["exception"]["description"])
            if message.get("method") == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
                self.complaints.append(message["params"]["entry"]["text"])
            if message.get("id") == self.number:
                assert "error" not in message, (method, message)
                return message["result"]

    def js(self, text):
        result = self.call("Runtime.evaluate", expression=text, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, (text, result)
        return result["result"].get("value")

    def until(self, condition):
        for _ in range(300):
            if self.js(condition):
                return
            time.sleep(0.02)
        raise AssertionError(f"not within 6 seconds: {condition}")

    def settled(self):
        """Waits until every network has answered to what is on the board."""
        # A frame takes what changed, another asks.
        self.js("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        self.until("models.every(model => !model.busy && !model.wanted)")

    def open(self, address):
        self.call("Page.navigate", url=address)
        self.until("document.readyState === 'complete' && typeof models !== 'undefined' && models.length > 0")

    def size(self, width, height, dark=False, touch=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=touch)
        self.call("Emulation.setTouchEmulationEnabled", enabled=touch)
        self.call("Emulation.setScrollbarsHidden", hidden=True)
        scheme = "dark" if dark else "light"
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        time.sleep(0.3)

    def shot(self, path):
        self.js("scrollTo(0, 0)")
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        image = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(image["data"]))

    def frame(self, selector):
        self.js(f"document.querySelector('{selector}').scrollIntoView({{block: 'center'}})")
        text = f"(({{x, y, width, height}}) => [x, y, width, height])(document.querySelector('{selector}').getBoundingClientRect())"
        return self.js(text)

    def pointer(self, kind, x, y):
        held = {"button": "left", "buttons": 1, "clickCount": 1} if kind != "mouseReleased" else {"button": "left", "clickCount": 1}
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **held)

    def click(self, selector):
        x, y, width, height = self.frame(selector)
        for kind in ["mousePressed", "mouseReleased"]:
            self.pointer(kind, x + width / 2, y + height / 2)

    def drag_slider(self, selector, share):
        """Takes the handle of a slider in its middle to a share of its width."""
        x, y, width, height = self.frame(selector)
        self.pointer("mousePressed", x + width / 2, y + height / 2)
        self.pointer("mouseMoved", x + width * (0.5 + share) / 2, y + height / 2)
        self.pointer("mouseMoved", x + width * share, y + height / 2)
        self.pointer("mouseReleased", x + width * share, y + height / 2)

    def press(self, key, code=None, **more):
        text = {"text": key} if len(key) == 1 else {}
        for kind in ["keyDown", "keyUp"]:
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=code or key, **(text if kind == "keyDown" else {}), **more)

    def draw(self, strokes, touch=False, held=None):
        x, y, width, height = self.frame("#board")
        place = lambda point: (x + point[0] / 28 * width, y + point[1] / 28 * height)
        for stroke in strokes:
            points = [place(point) for point in stroke]
            path = [points[0]]
            for (ax, ay), (bx, by) in zip(points, points[1:]):
                path += [(ax + (bx - ax) * part / 6, ay + (by - ay) * part / 6) for part in range(1, 7)]
            if touch:
                send = lambda kind, at: self.call("Input.dispatchTouchEvent", type=kind, touchPoints=at)
                send("touchStart", [{"x": path[0][0], "y": path[0][1]}])
                for at in path[1:]:
                    send("touchMove", [{"x": at[0], "y": at[1]}])
                send("touchEnd", [])
                continue
            self.pointer("mousePressed", *path[0])
            for at in path[1:]:
                self.pointer("mouseMoved", *at)
                time.sleep(0.02)
            if held:
                held()
            self.pointer("mouseReleased", *path[-1])
        self.settled()

    def clear(self):
        self.click("#clear")
        self.settled()
        assert self.predicted() == ["" for _ in self.predicted()]

    def predicted(self):
        return self.js("models.map(model => model.root.dataset.predicted)")

    def shown(self, run=0):
        """What is in every map and in the input of a network, as one text."""
        return self.js(f"models[{run}].root.querySelectorAll('canvas').length + [...models[{run}].root.querySelectorAll('canvas')].map(canvas => canvas.toDataURL()).join()")


@contextlib.contextmanager
def playground(kiln, runs):
    command = [kiln, "playground", "--port", "0", *runs]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


@contextlib.contextmanager
def browser():
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        command = [program, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            port = pathlib.Path(folder, "DevToolsActivePort")
            while not port.exists() or not port.read_text().strip():
                time.sleep(0.05)
            yield Page(int(port.read_text().split()[0]))
        finally:
            process.terminate()
            process.wait()


def png(path, width, height, colour):
    """Writes a picture; `colour` gives red, green and blue of each pixel."""
    rows = b"".join(b"\0" + bytes(v for x in range(width) for v in colour(x, y)) for y in range(height))
    part = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b""))


def choose_file(page, path):
    root = page.call("DOM.getDocument")["root"]["nodeId"]
    node = page.call("DOM.querySelector", nodeId=root, selector="#file")["nodeId"]
    page.call("DOM.setFileInputFiles", files=[str(path)], nodeId=node)


def check_drawing(page):
    for digit, strokes in DIGITS.items():
        page.clear()
        count = "models[0].answers"
        before, during = page.js(count), []
        page.draw(strokes, held=lambda: during.append(page.js(count) - before))
        said = page.predicted()
        print(f"drew {digit}: {said}, {during[-1]} answers before the last stroke ended")
        assert said[0] == digit and during[-1] > 1, (digit, said, during)
    page.clear()
    page.draw(DIGITS["7"])
    assert page.js("getComputedStyle(document.querySelector('#hint')).display") == "none"
    # What is written on the page, not what the script holds.
    assert page.js("document.querySelector('.says strong').textContent") == "7"
    bars = page.js("[...document.querySelectorAll('.model')].map(model => [...model.querySelectorAll('.bars li')].map(bar => parseFloat(bar.lastChild.textContent)))")
    assert all(len(shares) == 10 and abs(sum(shares) - 100) < 0.6 for shares in bars), bars
    tiles = page.js("models[0].layers.map(layer => layer.tiles.length)")
    assert tiles[0] == 6 and tiles[3] == 16, tiles


def check_sliders(page):
    for slider, share in [("#x", 0.8), ("#y", 0.3), ("#turn", 0.75), ("#zoom", 0.3)]:
        before, value = page.shown(), page.js(f"document.querySelector('{slider}').value")
        page.drag_slider(slider, share)
        page.settled()
        after = page.js(f"document.querySelector('{slider}').value")
        print(f"{slider} from {value} to {after}: {page.predicted()}")
        assert after != value and page.shown() != before, slider
    page.click("#straight")
    page.settled()
    assert page.predicted()[0] == "7"
    before = page.shown()
    page.js("document.querySelector('#x').focus()")
    page.press("ArrowRight")
    page.settled()
    assert page.js("document.querySelector('#x').value") == "1" and page.shown() != before
    page.click("#straight")


def check_keys_and_touch(page):
    page.clear()
    page.js("document.querySelector('#board').focus()")
    for _ in range(10):
        page.press("ArrowUp")
    page.press(" ", "Space")
    for _ in range(20):
        page.press("ArrowDown")
    page.press(" ", "Space")
    page.settled()
    print(f"a line drawn with keys: {page.predicted()}")
    assert page.predicted()[0] == "1"
    page.press("z", "KeyZ", modifiers=2)
    page.settled()
    assert page.predicted()[0] == ""
    page.size(390, 844, touch=True)
    page.draw(DIGITS["0"], touch=True)
    print(f"a ring drawn with a finger: {page.predicted()}")
    assert page.predicted()[0] == "0"
    assert page.js("document.documentElement.scrollWidth") <= 390
    page.size(1400, 900)


def check_pictures(page, folder):
    page.clear()
    one = folder / "one.png"
    png(one, 60, 90, lambda x, y: (20, 20, 60) if 26 < x < 34 and 15 < y < 75 else (250, 245, 240))
    choose_file(page, one)
    page.until("models[0].root.dataset.predicted !== ''")
    page.settled()
    print(f"a picture of a dark 1 on light paper: {page.predicted()}")
    assert page.predicted()[0] == "1"
    no_picture = folder / "text.png"
    no_picture.write_text("no picture")
    choose_file(page, no_picture)
    page.until("!document.querySelector('#notice').hidden")
    assert "is no picture" in page.js("document.querySelector('#notice').textContent")


def check_colour(page, folder, shots):
    street = folder / "picture.png"
    png(street, 64, 48, lambda x, y: (200, 40, 30) if (x - 32) ** 2 + (y - 24) ** 2 < 200 else (60, 120 + y, 200))
    choose_file(page, street)
    page.until("models[0].root.dataset.predicted !== ''")
    page.settled()
    before = page.shown()
    print(f"a colour picture: {page.predicted()}")
    page.draw([[(4, 4), (24, 24)]])
    assert page.shown() != before
    closed = "[...models[0].root.querySelectorAll('details')].findIndex(layer => !layer.open)"
    assert page.js(closed) > 0
    at = page.js(closed)
    page.js(f"models[0].layers[{at}].root.id = 'closed'")
    page.click("#closed summary")
    page.until(f"models[0].layers[{at}].tiles.length > 0")
    if shots:
        page.shot(shots / "colour-1400.png")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kiln")
    parser.add_argument("runs", nargs="+")
    parser.add_argument("--shots", type=pathlib.Path)
    given = parser.parse_args()
    if given.shots:
        given.shots.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, browser() as page:
        folder = pathlib.Path(folder)
        with playground(given.kiln, given.runs[:2]) as (_, address):
            page.size(1400, 900)
            page.open(address)
            assert page.js("getComputedStyle(document.querySelector('#hint')).display") != "none"
            if given.shots:
                page.shot(given.shots / "empty-1400.png")
            check_drawing(page)
            if given.shots:
                for width, dark in [(1400, False), (1400, True), (1024, False), (390, False), (390, True)]:
                    page.size(width, 900, dark)
                    page.settled()
                    page.shot(given.shots / f"seven-{width}{'-dark' if dark else ''}.png")
                page.size(1400, 900)
            check_sliders(page)
            check_keys_and_touch(page)
            check_pictures(page, folder)
            assert not page.complaints, page.complaints
        page.clear()
        page.js("stroke([100, 100], [300, 300])")
        page.until("document.querySelector('#notice').textContent.includes('is kiln still running')")
        if len(given.runs) > 2:
            with playground(given.kiln, given.runs[2:3]) as (_, address):
                page.open(address)
                # What was refused while nobody answered.
                page.complaints.clear()
                check_colour(page, folder, given.shots)
            assert not page.complaints, page.complaints
    print("all is as it should be")


if __name__ == "__main__":
    main()
