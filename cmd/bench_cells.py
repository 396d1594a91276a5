#!/usr/bin/env python3
"""Times notebook cells on a warm Go kernel, as a person waits for them.

From sending the cell to the kernel's answer that it is idle again. Every run
changes one number in the cell, so nothing is answered from a binary made before.
Prints one line of JSON per kind of cell: seconds, minimum and median.
"""
import json
import os
import statistics
import sys
import time
from pathlib import Path

from jupyter_client.manager import start_new_kernel

ROOT = Path(__file__).resolve().parent.parent
RUNS = 15

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


def main():
    wanted = sys.argv[1:] or list(CELLS)
    env = dict(os.environ, EBMKIT_NOTEBOOK="bench", EBMKIT_RAW_ERROR="true")
    manager, client = start_new_kernel(kernel_name="gonb", env=env, cwd=str(ROOT))
    try:
        for name, cell in CELLS.items():
            if name not in wanted:
                continue
            for warm in range(3):
                run(client, cell.replace("@", str(1000 + warm)))
            times = [run(client, cell.replace("@", str(i))) for i in range(RUNS)]
            print(json.dumps({
                "w": "cell", "name": name, "unit": "s",
                "min": round(min(times), 4), "median": round(statistics.median(times), 4),
                "max": round(max(times), 4), "threads": os.cpu_count(), "check": {"runs": RUNS, "errors": 0},
            }), flush=True)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


if __name__ == "__main__":
    main()
