#!/usr/bin/env python3
"""Executes the notebooks of notebooks/ with the Go kernel.

    notebooks.py run [NAME...]      full size, in place: the only maker of committed outputs
    notebooks.py check [NAME...]    reduced size, on copies: what "make test" does
    notebooks.py same [NAME...]     reduced size at GOMAXPROCS 1, 2 and 7, and without
                                    assembler: the bytes must be equal

NAME is a notebook without ".ipynb"; none means all of them. The assembler kernels
and the Go code that stands in for them compute the same bits, so the bytes are
the same on every amd64 machine.
"""
import copy
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
MAX_BYTES = 2_000_000
MAX_COLUMNS = 100  # of a line of code, a tab being 4: what a cell shows beside JupyterLab's side bar
MAX_LINES = 22  # of a cell, but the first, which imports and sets parameters
MAX_FIRST = 45  # of the first
CELL_TIMEOUT = 600  # seconds; a cell that takes longer is stuck
MAX_Z = 4

METADATA = {
    "kernelspec": {"display_name": "Go (GoNB)", "language": "go", "name": "gonb"},
    "language_info": {"file_extension": ".go", "mimetype": "text/x-go", "name": "go"},
}


class Failure(Exception):
    """What is wrong with a notebook, in words for its author."""


def find(names):
    """The paths of the notebooks named, or of all."""
    if not names:
        return sorted(NOTEBOOKS.glob("*.ipynb"))
    paths = [NOTEBOOKS / (name.removesuffix(".ipynb") + ".ipynb") for name in names]
    for path in paths:
        if not path.is_file():
            sys.exit(f"notebooks: no notebook {path.relative_to(ROOT)}")
    return paths


def read(path):
    try:
        nb = nbformat.read(path, as_version=4)
    except Exception as err:
        raise Failure(f"is not a notebook: {err}") from err
    for i, cell in enumerate(nb.cells):
        cell.setdefault("id", f"cell-{i}")
    return nb


def code_cells(nb):
    """The code cells with their number, counted from 1 as JupyterLab's [1], [2], ..."""
    return enumerate((c for c in nb.cells if c.cell_type == "code" and c.source.strip()), 1)


def sources_hash(nb):
    """One word for the sources of all cells: outputs belong to exactly these."""
    text = json.dumps([[c.cell_type, c.source] for c in nb.cells])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def environment(name, reduced, state, procs=None, portable=False):
    env = dict(os.environ)
    env.pop("JPY_SESSION_NAME", None)  # this is not JupyterLab: nobody moves sliders
    env.pop("EBMKIT_REDUCED", None)
    env.update(EBMKIT_NOTEBOOK=name, EBMKIT_STATE=str(state), EBMKIT_RAW_ERROR="true")
    if reduced:
        env["EBMKIT_REDUCED"] = "1"
    if procs:
        env["GOMAXPROCS"] = str(procs)
    if portable:
        env["EBMKIT_PORTABLE"] = "1"
    return env


def execute(nb, name, cwd, env):
    """Runs all cells from the top in a new kernel; nb receives the outputs."""
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nb.metadata = nbformat.from_dict(METADATA)
    client = NotebookClient(
        nb,
        kernel_name="gonb",
        timeout=CELL_TIMEOUT,
        record_timing=False,
        resources={"metadata": {"path": str(cwd)}},
    )
    try:
        client.execute(env=env)
    except CellExecutionError:
        number, cell = last_run(nb)
        raise Failure(f"cell [{number}] failed:\n{quote(cell.source, 6)}\n{quote(error_text(cell), 40)}") from None
    except (CellTimeoutError, DeadKernelError) as err:
        number, _ = last_run(nb)
        raise Failure(f"cell [{number}]: {type(err).__name__}: {str(err).splitlines()[0]}") from None
    normalise(nb)


def last_run(nb):
    """The cell that ran last, and its number."""
    last = (0, None)
    for number, cell in code_cells(nb):
        if cell.outputs or cell.execution_count is not None:
            last = (number, cell)
    return last


def error_text(cell):
    parts = []
    for out in cell.outputs:
        if out.output_type == "stream" and out.name == "stderr":
            parts.append(out.text)
        elif out.output_type == "error":
            parts.append("\n".join(out.traceback) or f"{out.ename}: {out.evalue}")
    text = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(parts))
    return text


def quote(text, lines):
    kept = text.rstrip().splitlines()
    cut = kept[:lines] + ([f"... ({len(kept) - lines} more lines)"] if len(kept) > lines else [])
    return "\n".join("    | " + line for line in cut)


def resolve_returns(text):
    """What a terminal shows after the carriage returns: progress bars leave one line."""
    lines = []
    for line in text.split("\n"):
        shown = ""
        for part in line.split("\r"):
            shown = part + shown[len(part) :]
        lines.append(shown)
    return "\n".join(lines)


def normalise(nb):
    """Makes the same execution the same bytes, however the kernel cut its messages."""
    nb.metadata = nbformat.from_dict({**METADATA, "ebmkit": {"sources": sources_hash(nb)}})
    nb.nbformat, nb.nbformat_minor = 4, 5
    for cell in nb.cells:
        cell.metadata.pop("execution", None)
        cell.metadata.pop("collapsed", None)
        if cell.cell_type != "code":
            continue
        joined = []
        for out in cell.outputs:
            before = joined[-1] if joined else None
            if out.output_type == "stream" and before and before.output_type == "stream" and before.name == out.name:
                before.text += out.text
            else:
                joined.append(out)
        for out in joined:
            if out.output_type == "stream":
                out.text = resolve_returns(out.text)
        cell.outputs = joined


def to_bytes(nb):
    return (nbformat.writes(nb, version=4).rstrip("\n") + "\n").encode()


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for v in value.values():
            yield from strings(v)
    elif isinstance(value, list):
        for v in value:
            yield from strings(v)


def machine_paths():
    """Text that must not be in an output, because it names a place on this machine."""
    places = [str(ROOT), str(Path(tempfile.gettempdir()) / "gonb_"), tempfile.gettempdir() + "/ebmkit-"]
    home = str(Path.home())
    if home != "/":
        places.append(home + "/")
    return places


def check_sources(nb):
    """Code is read on a screen, a cell at a time."""
    for number, cell in code_cells(nb):
        lines = cell.source.splitlines()
        limit = MAX_FIRST if number == 1 else MAX_LINES
        if len(lines) > limit:
            raise Failure(f"cell [{number}] has {len(lines)} lines; {limit} are allowed: split it, or move what it does into a package")
        for i, line in enumerate(lines, 1):
            if len(line.expandtabs(4)) > MAX_COLUMNS:
                raise Failure(f"cell [{number}], line {i} has more than {MAX_COLUMNS} columns: {line.strip()[:60]} ...")


def check_outputs(nb):
    """What every executed notebook must satisfy, committed or just run."""
    check_sources(nb)
    for number, cell in code_cells(nb):
        if cell.execution_count != number:
            raise Failure(f"cell [{number}] has execution count {cell.execution_count}: not run from the top to the bottom")
        for out in cell.outputs:
            if out.output_type == "error":
                raise Failure(f"cell [{number}] has an error as output:\n{quote(error_text(cell), 10)}")
            if out.output_type == "stream" and out.name == "stderr":
                raise Failure(f"cell [{number}] writes to standard error:\n{quote(out.text, 10)}")
        for text in strings(cell.outputs):
            for place in machine_paths():
                if place in text:
                    raise Failure(f"cell [{number}] shows a path of this machine: {place}")
    size = len(to_bytes(nb))
    if size > MAX_BYTES:
        raise Failure(f"takes {size:,} bytes; {MAX_BYTES:,} are allowed: draw clouds and heat maps as PNG, thin long curves")


def read_checks(state, name):
    """The records that nb.Check left: one line of JSON each."""
    path = state / name / "checks.jsonl"
    if not path.exists():
        return []
    records = []
    for i, line in enumerate(path.read_text().splitlines(), 1):
        try:
            records.append(json.loads(line))
        except ValueError as err:
            raise Failure(f"checks.jsonl line {i}: {err}") from err
    return records


def check_passed(record):
    """What nb said, and for a check in standard errors its z-score worked out again."""
    if record.get("ok") is not True:
        return False
    if record.get("kind", "z") != "z":
        return True
    try:
        return record["se"] > 0 and abs(record["value"] - record["exact"]) < MAX_Z * record["se"]
    except (KeyError, TypeError):
        return False


def compare_sources(nb, committed):
    for i, (ours, theirs) in enumerate(zip(nb.cells, committed.cells), 1):
        if ours.source != theirs.source:
            raise Failure(f"cell {i} was changed by running it")
    if len(nb.cells) != len(committed.cells):
        raise Failure("running it changed the number of cells")


def run(path):
    """Full size, in place. The old file stays if anything is wrong."""
    name = path.stem
    state = NOTEBOOKS / ".state"
    shutil.rmtree(state / name, ignore_errors=True)
    nb = read(path)
    execute(nb, name, NOTEBOOKS, environment(name, False, state))
    check_outputs(nb)
    bad = [r for r in read_checks(state, name) if not check_passed(r)]
    if bad:
        raise Failure("these checks failed:\n" + "\n".join("    | " + json.dumps(r) for r in bad))
    data = to_bytes(nb)
    changed = data != path.read_bytes()
    if changed:
        temporary = path.with_suffix(".ipynb.new")
        temporary.write_bytes(data)
        os.replace(temporary, path)
    return f"{len(data):,} bytes, " + ("rewritten" if changed else "as before")


def run_copy(path, procs=None, portable=False):
    """Reduced size, in a temporary place: the executed notebook, the checks' records, all files made."""
    name = path.stem
    with tempfile.TemporaryDirectory(prefix="ebmkit-") as tmp:
        cwd = Path(tmp) / "notebooks"
        cwd.mkdir()
        if (ROOT / "data").is_dir():
            (Path(tmp) / "data").symlink_to(ROOT / "data")
        state = Path(tmp) / "state"
        nb = read(path)
        execute(nb, name, cwd, environment(name, True, state, procs, portable))
        files = {str(p.relative_to(cwd)): p.read_bytes() for p in sorted(cwd.rglob("*")) if p.is_file()}
        return nb, read_checks(state, name), files


def check(path):
    """The committed file, then a reduced run of a copy. Returns the records of its checks."""
    committed = read(path)
    stale = f'run "make notebooks NB={path.stem}"'
    if committed.metadata.get("ebmkit", {}).get("sources") != sources_hash(committed):
        raise Failure(f"its outputs were not made from its present cells: {stale}")
    check_outputs(committed)
    clean = copy.deepcopy(committed)
    normalise(clean)
    if to_bytes(clean) != path.read_bytes():
        raise Failure(f"was saved by something else than the notebook runner: {stale}")
    nb, records, _ = run_copy(path)
    check_outputs(nb)
    compare_sources(nb, committed)
    if any("nb.Check(" in c.source for _, c in code_cells(nb)) and not records:
        raise Failure("calls nb.Check, but no check was recorded")
    return records


def same(path):
    """The same bytes on any number of cores, the figures it exports included, and on either path."""
    first = None
    for procs in (1, 2, 7):
        nb, _, files = run_copy(path, procs)
        result = {"the notebook": to_bytes(nb), **files}
        if first is None:
            first = result
        differ = sorted(k for k in first.keys() | result.keys() if first.get(k) != result.get(k))
        if differ:
            raise Failure(f"GOMAXPROCS={procs} differs from 1 in {', '.join(differ)}")
    # The files that it exports say which path they come from; what is shown does not.
    nb, _, _ = run_copy(path, portable=True)
    if to_bytes(nb) != first["the notebook"]:
        raise Failure("EBMKIT_PORTABLE=1 differs from the assembler")
    return f"equal at GOMAXPROCS 1, 2 and 7, and without assembler ({len(first)} files)"


def each(action, paths, report):
    """Calls action on every path, two at a time, and report(path, result, failure) in order."""
    def guarded(path):
        try:
            return action(path), None
        except Failure as failure:
            return None, failure
    with ThreadPoolExecutor(max_workers=min(2, os.cpu_count() or 1)) as pool:
        for path, (result, failure) in zip(paths, pool.map(guarded, paths)):
            report(path, result, failure)


def main():
    actions = {"run": run, "check": check, "same": same}
    if len(sys.argv) < 2 or sys.argv[1] not in actions:
        sys.exit(__doc__)
    verb, failed = sys.argv[1], []

    def report(path, result, failure):
        if failure:
            failed.append(path)
            print(f"FAIL {path.stem}: {failure}", flush=True)
        elif verb == "check":
            for r in result:
                if not check_passed(r):
                    failed.append(path)
                    print(f"FAIL {path.stem}: check {json.dumps(r)}", flush=True)
            print(f"ok   {path.stem}: {len(result)} checks", flush=True)
        else:
            print(f"ok   {path.stem}: {result}", flush=True)

    paths = find(sys.argv[2:])
    if not paths:
        print("notebooks: none yet")
    each(actions[verb], paths, report)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
