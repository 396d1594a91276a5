#!/usr/bin/env python3
"""Times notebook cells and the workloads of the library: what "make bench" runs.

    bench.py [cell] [compare] [w1 w4 ...]    none means all

Prints one line of JSON per measurement: name, unit, minimum, median, maximum,
threads, and a check that says whether the answer was right. At the end the rows
go into data/benchmarks.csv with the name of the machine: those of the same name
are replaced, others stay. Notebooks show times from that file only.

Cells are timed on a warm Go kernel as a person waits for them: from sending the
cell to the kernel's word that it is idle again. Every run changes a number in the
cell, so that it is compiled and linked; "-again" names the same cell run again
without a change.

"compare" trains and samples the models of notebook 3.5 (BenchmarkCompare). A
workload w1 is a Go benchmark in any package, of this form:

    func BenchmarkW1(b *testing.B) {
        b.Run("ula-ring8", func(b *testing.B) {
            ...
            b.ReportMetric(nsPerStep, "ns/walker-step") // the unit of the line
            b.ReportMetric(z, "check-z")                // its check: {"z": ...}
        })
    }
"""
import datetime
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUNS = 15  # of each cell
REPEATS = 5  # of each workload
LONG = 3  # of those that take seconds
TABLE = ROOT / "data" / "benchmarks.csv"
HEADER = "workload,name,unit,min,median,max,threads,cpu,go,date"
rows = []  # of the table, as line() has them

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
    row = {
        "w": w, "name": name, "unit": unit,
        "min": min(values), "median": statistics.median(values), "max": max(values),
        "threads": int(os.environ.get("GOMAXPROCS") or os.cpu_count()),
    }
    rows.append(row)
    print(json.dumps({**row, "check": check}), flush=True)


def processor():
    """The model of the processor, without the commas that the table has."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        text = ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.M)
    name = found[1] if found else platform.processor() or platform.machine()
    return " ".join(name.replace(",", " ").split()) or "unknown"


def natural(name):
    """Sorts w2 before w11."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name) if part]


def merge(old, new, cpu, go, date):
    """The text of the table: the rows of old, those of the same name replaced."""
    lines = old.splitlines()
    if lines and lines[0] != HEADER:
        sys.exit(f"bench: {TABLE.relative_to(ROOT)} does not begin with {HEADER}")
    table = {text.split(",")[1]: text for text in lines[1:]}
    for r in new:
        numbers = ",".join(f"{r[key]:.6g}" for key in ("min", "median", "max"))
        table[r["name"]] = f'{r["w"]},{r["name"]},{r["unit"]},{numbers},{r["threads"]},{cpu},{go},{date}'
    return "\n".join([HEADER, *(table[name] for name in sorted(table, key=natural))]) + "\n"


def save():
    """Writes the rows into the table, all or none."""
    if not rows:
        return
    go = subprocess.run(["go", "env", "GOVERSION"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    date = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    text = merge(TABLE.read_text() if TABLE.exists() else "", rows, processor(), go, date)
    part = TABLE.with_suffix(".part")
    part.write_text(text)
    part.replace(TABLE)


def cells():
    from jupyter_client.manager import start_new_kernel

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
    numbers = "|".join(w[1:] for w in wanted) or "[0-9]+"
    benchmarks(f"W({numbers})", "-count", str(REPEATS))


def benchmarks(pattern, *flags):
    """Runs the Go benchmarks Benchmark<pattern> of all packages, a line for each part."""
    declared = re.compile(rf"^func Benchmark{pattern}\(", re.M)
    packages = sorted({"./" + str(p.parent.relative_to(ROOT)) for folder in ("ebmkit", "plotting", "data")
                       for p in (ROOT / folder).rglob("*_test.go") if declared.search(p.read_text())})
    if not packages:
        return
    done = subprocess.run(
        ["go", "test", "-run", "^$", "-bench", f"^Benchmark{pattern}$", *flags, *packages],
        cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"bench: go test failed:\n{done.stdout}{done.stderr}")
    values, checks = {}, {}
    for text in done.stdout.splitlines():
        found = re.match(r"Benchmark(W\d+|[A-Z][a-z]+)/(\S+?)(?:-\d+)?\s+\d+\s+(.*)", text)
        if not found:
            continue
        key = (found[1].lower(), found[2])
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
    bad = [w for w in wanted if w not in ("cell", "compare") and not re.fullmatch(r"w\d+", w)]
    if bad:
        sys.exit(f"bench: unknown workload {bad[0]!r}: say cell, compare, w1, w2, ...")
    if not wanted or "cell" in wanted:
        cells()
    if not wanted or "compare" in wanted:
        benchmarks("Compare", "-benchtime", "1x", "-timeout", "30m", "-count", str(LONG))
    if not wanted or any(w.startswith("w") for w in wanted):
        workloads([w for w in wanted if w.startswith("w")])
    save()


if __name__ == "__main__":
    main()
