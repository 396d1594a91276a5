#!/usr/bin/env python3
"""Times notebook cells and the workloads of the library: what "make bench" runs.

    bench.py [cell] [w1 w4 ...]    none means all

Prints one line of JSON per measurement: name, unit, minimum, median, maximum,
threads, and a check that says whether the answer was right.

Cells are timed on a warm Go kernel as a person waits for them: from sending the
cell to the kernel's word that it is idle again. Every run changes a number in the
cell, so that it is compiled and linked; "-again" names the same cell run again
without a change.

A workload w1 is a Go benchmark in any package, of this form:

    func BenchmarkW1(b *testing.B) {
        b.Run("ula-ring8", func(b *testing.B) {
            ...
            b.ReportMetric(nsPerStep, "ns/walker-step") // the unit of the line
            b.ReportMetric(z, "check-z")                // its check: {"z": ...}
        })
    }
"""
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from jupyter_client.manager import start_new_kernel

ROOT = Path(__file__).resolve().parent.parent
RUNS = 15  # of each cell
REPEATS = 5  # of each workload

CELLS = {
    "cell/bare": 'import "fmt"\n%%\nfmt.Println("run", @)\n',
    "cell/numeric": """import (
	"fmt"
	"gonum.org/v1/gonum/stat"
	"github.com/ebmkit/hitchhiker/ebmkit"
)
%%
s := ebmkit.NewStream(@, "bench", 0)
x := make([]float64, 10000)
for i := range x { x[i] = float64(s.Uint64()>>11) / (1 << 53) }
mean, sd := stat.MeanStdDev(x, nil)
fmt.Println(mean, sd)
""",
    "cell/figure": """import (
	"math"
	"github.com/ebmkit/hitchhiker/plotting"
	"github.com/ebmkit/hitchhiker/plotting/nb"
)
%%
x, y := make([]float64, 200), make([]float64, 200)
for i := range x {
	x[i] = float64(i) / 20
	y[i] = math.Sin(x[i] + @)
}
nb.Show(plotting.New().Line("sine", x, y), "A sine.")
""",
}


def wait_idle(client, msg_id, timeout=120):
    error = None
    while True:
        msg = client.get_iopub_msg(timeout=timeout)
        if msg["parent_header"].get("msg_id") != msg_id:
            continue
        if msg["msg_type"] == "error":
            error = "\n".join(msg["content"]["traceback"]) or msg["content"]["evalue"]
        if msg["msg_type"] == "stream" and msg["content"]["name"] == "stderr":
            error = (error or "") + msg["content"]["text"]
        if msg["msg_type"] == "status" and msg["content"]["execution_state"] == "idle":
            return error


def run(client, code):
    start = time.perf_counter()
    error = wait_idle(client, client.execute(code))
    elapsed = time.perf_counter() - start
    if error:
        sys.exit(f"bench: the cell failed:\n{code}\n{error}")
    return elapsed


def line(w, name, unit, values, check):
    print(json.dumps({
        "w": w, "name": name, "unit": unit,
        "min": min(values), "median": statistics.median(values), "max": max(values),
        "threads": int(os.environ.get("GOMAXPROCS") or os.cpu_count()), "check": check,
    }), flush=True)


def cells():
    env = dict(os.environ, EBMKIT_NOTEBOOK="bench", EBMKIT_RAW_ERROR="true")
    with tempfile.TemporaryDirectory(prefix="ebmkit-") as cwd:
        manager, client = start_new_kernel(kernel_name="gonb", env=env, cwd=cwd)
        try:
            for name, cell in CELLS.items():
                for warm in range(3):
                    run(client, cell.replace("@", str(1000 + warm)))
                times = [round(run(client, cell.replace("@", str(i))), 4) for i in range(RUNS)]
                line("cell", name, "s", times, {"runs": RUNS, "errors": 0})
                again = [round(run(client, cell.replace("@", "7")), 4) for _ in range(RUNS + 1)][1:]
                line("cell", name + "-again", "s", again, {"runs": RUNS, "errors": 0})
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)


def workloads(wanted):
    """Runs the Go benchmarks BenchmarkW<number> that are wanted (all if none)."""
    numbers = "|".join(w[1:] for w in wanted) or r"\d+"
    declared = re.compile(rf"^func BenchmarkW({numbers})\(", re.M)
    packages = sorted({"./" + str(p.parent.relative_to(ROOT)) for folder in ("ebmkit", "plotting", "data")
                       for p in (ROOT / folder).rglob("*_test.go") if declared.search(p.read_text())})
    if not packages:
        return
    done = subprocess.run(
        ["go", "test", "-run", "^$", "-bench", f"^BenchmarkW({numbers.replace(chr(92) + 'd', '[0-9]')})$", "-count", str(REPEATS), *packages],
        cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"bench: go test failed:\n{done.stdout}{done.stderr}")
    values, checks = {}, {}
    for text in done.stdout.splitlines():
        found = re.match(r"BenchmarkW(\d+)/(\S+?)(?:-\d+)?\s+\d+\s+(.*)", text)
        if not found:
            continue
        key = (f"w{found[1]}", found[2])
        fields = found[3].split()
        metrics = {unit: float(value) for value, unit in zip(fields[::2], fields[1::2])}
        checks.setdefault(key, {}).update({u.removeprefix("check-"): v for u, v in metrics.items() if u.startswith("check-")})
        own = [u for u in metrics if not u.startswith("check-") and u not in ("ns/op", "B/op", "allocs/op")]
        unit = own[0] if own else "ns/op"
        values.setdefault(key, (unit, []))[1].append(metrics[unit])
    for (w, name), (unit, measured) in values.items():
        line(w, f"{w}/{name}", unit, measured, checks[w, name])


def main():
    wanted = sys.argv[1:]
    bad = [w for w in wanted if w != "cell" and not re.fullmatch(r"w\d+", w)]
    if bad:
        sys.exit(f"bench: unknown workload {bad[0]!r}: say cell, w1, w2, ...")
    if not wanted or "cell" in wanted:
        cells()
    if not wanted or [w for w in wanted if w != "cell"]:
        workloads([w for w in wanted if w != "cell"])


if __name__ == "__main__":
    main()
