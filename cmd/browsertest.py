#!/usr/bin/env python3
"""Every notebook in a real JupyterLab in a headless Chromium: what "make test-browser" runs.

    browsertest.py [NAME...]          with the network, then again with the network cut
    browsertest.py --here [NAME...]   once, with the network as it is
    browsertest.py --cut [NAME...]    once, after bringing up the loopback of a new network namespace

NAME is a notebook without ".ipynb"; none means all of them.
Pictures for a person to look at go to screenshots/. The last line is
"N passed, N failed" (and ", N skipped" if some were).
"""
import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlparse

import nbformat
from playwright.sync_api import sync_playwright

import labserver
import notebooks

ROOT = Path(__file__).resolve().parent.parent
CHART = "application/vnd.ebmkit.echarts.v1+json"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# Chromium calls home unless told not to, and needs no sandbox for our own pages.
FLAGS = """--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
           --disable-component-update --disable-sync --disable-default-apps""".split()
RUN_TIMEOUT = 300_000  # ms for "Run All" of one notebook

INTERRUPT = '''import (
	"fmt"
	"time"
)
%%
fmt.Println("started")
for {
	time.Sleep(time.Millisecond)
}
'''

# What a hostile notebook would carry in its outputs.
HOSTILE = [
    nbformat.v4.new_output("display_data", data={"text/html": "<b>harmless</b><script>window.hostile = 'script'</script><img src=x onerror=\"window.hostile = 'onerror'\">"}),
    nbformat.v4.new_output("display_data", data={"application/javascript": "window.hostile = 'javascript'"}),
    nbformat.v4.new_output("display_data", data={"image/svg+xml": "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9' onload=\"window.hostile = 'svg'\"></svg>"}),
    nbformat.v4.new_output("display_data", data={CHART: json.dumps({"width": 400, "height": 300, "option": {
        "title": {"text": "<img src=x onerror=\"window.hostile = 'chart'\">"}, "xAxis": {}, "yAxis": {},
        "tooltip": {"show": True, "alwaysShowContent": True, "trigger": "axis", "renderMode": "html", "formatter": "<img src=x onerror=\"window.hostile = 'tooltip'\">"},
        "series": [{"type": "line", "data": [[0, 0], [1, 1]]}]}})}),
]


class Test:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def expect(self, what, condition, details=""):
        if condition:
            self.passed += 1
            return True
        self.failed += 1
        print(f"FAIL {what}", flush=True)
        for line in str(details).rstrip().splitlines():
            print("    " + line, flush=True)
        return False

    def skip(self, what, why):
        self.skipped += 1
        print(f"SKIP {what}: {why}", flush=True)


class Lab:
    """One browser page on a running Lab. Notes what the page asks of other hosts and what it complains about."""

    def __init__(self, browser, address, token):
        self.address, self.token = address, token
        self.context = browser.new_context(viewport={"width": 1280, "height": 900})
        self.page = self.context.new_page()
        self.outside, self.complaints = [], []
        self.page.on("request", lambda request: self.note_request(request.url))
        self.page.on("websocket", lambda ws: self.note_request(ws.url))
        self.page.on("console", lambda m: m.type == "error" and self.complaints.append(f"console: {m.text} {m.location.get('url', '')}"))
        self.page.on("pageerror", lambda e: self.complaints.append(f"page: {e}"))

    def note_request(self, url):
        parts = urlparse(url)
        if parts.scheme in ("data", "blob", "about", "chrome-error"):
            return
        if parts.netloc != urlparse(self.address).netloc:
            self.outside.append(url)

    def open(self, path):
        self.page.goto(f"{self.address}/lab/tree/{path}?reset&token={self.token}")
        self.page.wait_for_function(
            """path => {
                const app = window.jupyterapp;
                const panel = app && app.shell.currentWidget;
                return panel && panel.context && panel.context.path === path && panel.context.isReady && panel.content.widgets.length > 0;
            }""", arg=path, timeout=60_000)
        self.page.wait_for_function("() => !document.querySelector('#jupyterlab-splash, #main-logo')", timeout=30_000)

    def kernel_ready(self):
        """The kernel has answered. Its status is not asked: GoNB tells it with the first cell only."""
        self.page.wait_for_function(
            """() => jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.connectionStatus === 'connected'""",
            timeout=60_000)
        self.page.evaluate("async () => { await jupyterapp.shell.currentWidget.sessionContext.session.kernel.info; }")

    def decline_kernel(self):
        dialog = self.page.locator(".jp-Dialog:has-text('Select Kernel')")
        dialog.wait_for(timeout=30_000)
        dialog.locator("button:has-text('No Kernel'), button:has-text('Cancel')").first.click()
        dialog.wait_for(state="detached")

    def run_all(self):
        self.kernel_ready()
        self.page.set_default_timeout(RUN_TIMEOUT)
        self.page.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells')")
        self.page.wait_for_function(
            """() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle' &&
                     !document.querySelector('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-InputArea-prompt')?.textContent.includes('*')""",
            timeout=RUN_TIMEOUT)
        self.page.wait_for_timeout(500)  # the last charts are drawn

    def save(self):
        self.page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")

    def settle(self):
        """Scrolls through, so that everything lazy is drawn, and gives charts time to finish moving."""
        self.page.evaluate(
            """async () => {
                for (const cell of jupyterapp.shell.currentWidget.content.widgets) {
                    cell.node.scrollIntoView();
                    await new Promise(done => setTimeout(done, 50));
                }
                jupyterapp.shell.currentWidget.content.widgets[0].node.scrollIntoView();
            }""")
        self.page.wait_for_timeout(1200)

    def outputs(self):
        """For each code cell: the MIME types of its outputs, errors, and what is really drawn."""
        return self.page.evaluate(
            """() => jupyterapp.shell.currentWidget.content.widgets.filter(c => c.model.type === 'code').map(cell => {
                const outputs = cell.model.outputs.toJSON();
                const area = cell.outputArea.node;
                const big = node => { const r = node.getBoundingClientRect(); return r.width > 40 && r.height > 40; };
                return {
                    mimes: outputs.map(o => Object.keys(o.data || {})),
                    errors: outputs.filter(o => o.output_type === 'error' || o.name === 'stderr').map(o => JSON.stringify(o).slice(0, 2000)),
                    text: outputs.filter(o => o.output_type === 'stream').map(o => [].concat(o.text).join('')).join(''),
                    count: cell.model.executionCount,
                    hostile: cell.model.id === 'hostile',
                    charts: [...area.querySelectorAll('canvas, .jp-OutputArea-output svg')].filter(big).length,
                    images: [...area.querySelectorAll('img')].filter(i => i.complete && i.naturalWidth > 0 && big(i)).length,
                    broken: [...area.querySelectorAll('img')].filter(i => i.complete && i.naturalWidth === 0).length,
                };
            })""")

    def screenshot(self, path):
        """The whole notebook, however long."""
        height = self.page.evaluate(
            """() => Math.max(...[...jupyterapp.shell.currentWidget.node.querySelectorAll('*')].map(n => n.scrollHeight))""")
        self.page.set_viewport_size({"width": 1280, "height": int(min(max(height + 160, 900), 16000))})
        self.page.evaluate("() => jupyterapp.shell.currentWidget.node.querySelectorAll('*').forEach(n => { n.scrollTop = 0; })")
        self.page.wait_for_timeout(600)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path)
        self.page.set_viewport_size({"width": 1280, "height": 900})

    def close(self):
        self.context.close()


def quiet(test, lab, what):
    """No outside request and no complaint in the console."""
    test.expect(f"{what}: asks no other host", not lab.outside, "\n".join(lab.outside[:10]))
    test.expect(f"{what}: no error in the console", not lab.complaints, "\n".join(lab.complaints[:10]))


def drawn(test, lab, what, static_will_do=False):
    """Every chart and every picture of the notebook is on the screen."""
    lab.settle()
    for number, cell in enumerate(lab.outputs(), 1):
        if cell["hostile"]:
            continue
        charts = sum(CHART in mimes for mimes in cell["mimes"])
        pictures = sum(any(m.startswith("image/") for m in mimes) and CHART not in mimes for mimes in cell["mimes"])
        seen = cell["charts"] + cell["images"]
        if charts:
            have = seen if static_will_do else cell["charts"]
            test.expect(f"{what}: cell {number} draws its {charts} charts", have >= charts, cell)
        if pictures:
            test.expect(f"{what}: cell {number} shows its {pictures} figures", seen >= charts + pictures and not cell["broken"], cell)


def test_notebook(test, browser, server, folder, name, pictures):
    address, _, token = server
    path = folder / f"{name}.ipynb"
    # 1. Run All.
    lab = Lab(browser, address, token)
    try:
        lab.open(path.name)
        lab.run_all()
        cells = lab.outputs()
        for number, cell in enumerate(cells, 1):
            if cell["errors"]:
                test.expect(f"{name}: cell {number} runs", False, "\n".join(cell["errors"]))
        counts = [c["count"] for c in cells if c["count"] is not None]
        test.expect(f"{name}: Run All runs every cell", counts == list(range(1, len(counts) + 1)) and counts, counts)
        drawn(test, lab, name)
        lab.screenshot(pictures / f"{name}.png")
        lab.save()
        quiet(test, lab, name)
    finally:
        lab.close()
    shutdown_kernels(address, token)

    # 2. Saved and opened again without a kernel. The copy names none, so that
    # JupyterLab asks, and is told to go without.
    saved = nbformat.read(path, as_version=4)
    saved.metadata = nbformat.from_dict({})
    nbformat.write(saved, path)
    before = notebooks.to_bytes(saved)
    lab = Lab(browser, address, token)
    try:
        lab.open(path.name)
        lab.decline_kernel()
        drawn(test, lab, f"{name}, reopened")
        test.expect(f"{name}, reopened: there is no kernel", not kernels(address, token), kernels(address, token))
        test.expect(f"{name}, reopened: the file is as it was", notebooks.to_bytes(nbformat.read(path, as_version=4)) == before)
        lab.screenshot(pictures / f"{name}-reopened.png")
        quiet(test, lab, f"{name}, reopened")
    finally:
        lab.close()
    shutdown_kernels(address, token)

    # 3. A copy by somebody else, hence untrusted, with hostile outputs added.
    saved.cells.append(nbformat.v4.new_code_cell("// hostile", outputs=HOSTILE, id="hostile"))
    saved.metadata = nbformat.from_dict(notebooks.METADATA)
    untrusted = folder / f"{name}-untrusted.ipynb"
    nbformat.write(saved, untrusted)
    lab = Lab(browser, address, token)
    try:
        lab.open(untrusted.name)
        trusted = lab.page.evaluate("() => jupyterapp.shell.currentWidget.content.widgets.some(c => c.model.type === 'code' && c.model.trusted && c.model.outputs.length > 0)")
        test.expect(f"{name}, untrusted: is not trusted", not trusted)
        drawn(test, lab, f"{name}, untrusted", static_will_do=True)
        for node in lab.page.query_selector_all(".jp-OutputArea-output canvas"):
            if node.is_visible():
                node.hover()  # brings up tooltips
                lab.page.wait_for_timeout(50)
        lab.page.wait_for_timeout(300)
        ran = lab.page.evaluate("() => window.hostile")
        test.expect(f"{name}, untrusted: runs no script of its own", ran is None, f"ran: {ran}")
        lab.screenshot(pictures / f"{name}-untrusted.png")
        hostile = lab.page.evaluate("() => jupyterapp.shell.currentWidget.content.widgets.find(c => c.model.id === 'hostile').node.querySelectorAll('canvas').length")
        test.expect(f"{name}, untrusted: a hostile chart is drawn as a chart", hostile == 1, hostile)
        # The test itself is put to the test: trusted, the same outputs do run.
        lab.page.evaluate("() => { jupyterapp.shell.currentWidget.content.widgets.find(c => c.model.id === 'hostile').model.trusted = true; }")
        lab.page.wait_for_timeout(500)
        ran = lab.page.evaluate("() => window.hostile")
        test.expect(f"{name}, trusted: the hostile outputs are such", ran is not None, "a trusted script did not run: this test shows nothing")
        test.expect(f"{name}, trusted: charts run no script even then", ran not in ("chart", "tooltip"), ran)
        # The hostile outputs may be complained about; other hosts may not be asked.
        test.expect(f"{name}, untrusted: asks no other host", not lab.outside, "\n".join(lab.outside[:10]))
    finally:
        lab.close()
    untrusted.unlink()
    shutdown_kernels(address, token)


def test_interrupt(test, browser, server, folder):
    address, _, token = server
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(INTERRUPT, id="loop")], metadata=notebooks.METADATA)
    nbformat.write(nb, folder / "interrupt.ipynb")
    lab = Lab(browser, address, token)
    try:
        lab.open("interrupt.ipynb")
        lab.kernel_ready()
        lab.page.evaluate("() => { jupyterapp.commands.execute('notebook:run-all-cells'); }")
        lab.page.wait_for_function("() => document.querySelector('.jp-OutputArea-output')?.textContent.includes('started')", timeout=60_000)
        seconds = lab.page.evaluate(
            """async () => {
                const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
                const start = performance.now();
                await jupyterapp.commands.execute('notebook:interrupt-kernel');
                while (kernel.status !== 'idle' && performance.now() - start < 10000) await new Promise(done => setTimeout(done, 5));
                return (performance.now() - start) / 1000;
            }""")
        test.expect("interrupt: the kernel is back within a second", seconds < 1, f"{seconds:.2f} s")
        test.expect("interrupt: partial results stay", "started" in lab.outputs()[0]["text"], lab.outputs()[0])
    finally:
        lab.close()
    shutdown_kernels(address, token)
    (folder / "interrupt.ipynb").unlink()


def ask(address, token, method, path):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(address + path, method=method, headers={"Authorization": f"token {token}"})
    with opener.open(request, timeout=30) as answer:
        return answer.read()


def kernels(address, token):
    return [kernel["id"] for kernel in json.loads(ask(address, token, "GET", "/api/kernels"))]


def shutdown_kernels(address, token):
    for kernel in kernels(address, token):
        ask(address, token, "DELETE", f"/api/kernels/{kernel}")


def bring_up_loopback():
    """A new network namespace has a loopback interface that is down; ip(8) may not be there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(s, 0x8913, request))[1]  # SIOCGIFFLAGS
        fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", flags | 1))  # SIOCSIFFLAGS, IFF_UP


def network_is_cut():
    try:
        socket.create_connection(("192.0.2.1", 80), timeout=2).close()
    except OSError as err:
        return "unreachable" in str(err).lower()
    return False


def once(label, names):
    test = Test()
    if not CHROMIUM:
        sys.exit('browsertest: Chromium is missing: install it (Debian: apt-get install chromium) or name it in CHROMIUM')
    names = [p.stem for p in notebooks.find(names)]
    pictures = ROOT / "screenshots" / label
    shutil.rmtree(pictures, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="ebmkit-") as tmp, sync_playwright() as playwright:
        folder = Path(tmp) / "notebooks"
        folder.mkdir()
        if (ROOT / "data").is_dir():
            (Path(tmp) / "data").symlink_to(ROOT / "data")
        for name in names:
            shutil.copy(ROOT / "notebooks" / f"{name}.ipynb", folder)
        # Its own home: nobody's settings, and no signature makes a notebook trusted.
        env = {"JUPYTER_CONFIG_DIR": f"{tmp}/home/config", "JUPYTER_DATA_DIR": f"{tmp}/home/data", "JUPYTER_RUNTIME_DIR": f"{tmp}/home/runtime", "EBMKIT_REDUCED": "1"}
        with labserver.running(folder, "--LabApp.expose_app_in_browser=True", env=env) as server:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            try:
                for name in names:
                    start = time.monotonic()
                    failed = test.failed
                    try:
                        test_notebook(test, browser, server, folder, name, pictures)
                    except Exception as err:  # a notebook that breaks the test has failed; the others still run
                        test.expect(f"{name}", False, f"{type(err).__name__}: {err}")
                    word = "ok  " if test.failed == failed else "FAIL"
                    print(f"{word} {name}, {label} ({time.monotonic() - start:.0f} s)", flush=True)
                test_interrupt(test, browser, server, folder)
            finally:
                browser.close()
    return test


def main():
    flag, names = None, sys.argv[1:]
    if names and names[0] in ("--here", "--cut"):
        flag, *names = names
    if flag == "--cut":
        bring_up_loopback()
        test = once("network-cut", names)
        test.expect("the network was really cut", network_is_cut())
    else:
        test = once("network", names)
        if flag is None:
            cut_network(test, names)
    skipped = f", {test.skipped} skipped" if test.skipped else ""
    print(f"\n{test.passed} passed, {test.failed} failed{skipped}")
    sys.exit(1 if test.failed else 0)


def cut_network(test, names):
    """The same once more in a network namespace that has only a loopback."""
    if subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode:
        test.skip("network cut", "this machine forbids new network namespaces")
        return
    done = subprocess.run(["unshare", "-rn", sys.executable, __file__, "--cut", *names], stdout=subprocess.PIPE, text=True)
    *report, last = done.stdout.rstrip().splitlines() or ["0 passed, 1 failed"]
    print("\n".join(report).rstrip(), flush=True)
    numbers = [int(part.split()[0]) for part in last.split(", ")]
    test.passed += numbers[0]
    test.failed += numbers[1]


if __name__ == "__main__":
    main()
