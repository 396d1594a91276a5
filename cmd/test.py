#!/usr/bin/env python3
"""All tests but those that need a browser: what "make test" runs.

Prints the failures in full, one line for everything else, and at the end
"N passed, N failed" (and ", N skipped" if some were).
"""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml
from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpecManager

import labserver
import notebooks

ROOT = Path(__file__).resolve().parent.parent


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def ok(self, count=1):
        self.passed += count

    def fail(self, what, details=""):
        self.failed += 1
        print(f"FAIL {what}", flush=True)
        if details.strip():
            print("\n".join("    " + line for line in details.rstrip().splitlines()), flush=True)

    def skip(self, what, why):
        self.skipped += 1
        print(f"SKIP {what}: {why}", flush=True)

    def expect(self, what, condition, details=""):
        if condition:
            self.ok()
        else:
            self.fail(what, str(details))


tally = Tally()


def section(title, work, *args):
    """Runs work(*args) and prints one line about it."""
    start, passed, failed = time.monotonic(), tally.passed, tally.failed
    try:
        work(*args)
    except Exception as err:  # a test that breaks has failed; the others still run
        tally.fail(title, f"{type(err).__name__}: {err}")
    word = "ok  " if tally.failed == failed else "FAIL"
    print(f"{word} {title}: {tally.passed - passed} passed, {tally.failed - failed} failed ({time.monotonic() - start:.0f} s)", flush=True)


def command(what, args, **env):
    """One command that must succeed and stay silent about problems."""
    done = subprocess.run(args, cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True)
    tally.expect(what, done.returncode == 0, done.stdout + done.stderr)


def go_list(template):
    done = subprocess.run(["go", "list", "-f", template, "./..."], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return [line for line in done.stdout.splitlines() if line]


def go_test(packages, *flags, **env):
    """go test; every test, example and fuzz seed that runs counts, subtests with the test they belong to."""
    if not packages:
        return
    process = subprocess.Popen(
        ["go", "test", "-json", "-vet=off", *flags, *packages],
        cwd=ROOT, env={**os.environ, **env}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
    said, failed_in = {}, set()
    for line in process.stdout:
        try:
            event = json.loads(line)
        except ValueError:
            said.setdefault(("go test", ""), []).append(line)
            continue
        package = event.get("Package") or event.get("ImportPath", "go test")
        test = event.get("Test", "").split("/")[0]
        action = event["Action"]
        if action in ("output", "build-output"):
            said.setdefault((package, test), []).append(event["Output"])
        elif "/" in event.get("Test", ""):
            continue
        elif test and action == "pass":
            tally.ok()
            said.pop((package, test), None)
        elif test and action == "skip" and "-short" in flags:
            said.pop((package, test), None)  # the full run has it
        elif test and action == "skip":
            reason = "".join(said.pop((package, test), [])).strip().splitlines()
            tally.skip(f"{package} {test}", reason[-2].strip() if len(reason) > 1 else "")
        elif test and action == "fail":
            failed_in.add(package)
            tally.fail(f"{package} {test}", "".join(said.pop((package, test), [])))
        elif action == "fail" and package not in failed_in:
            failed_in.add(package)
            texts = ["".join(text) for (p, _), text in said.items() if p.split(" ")[0] == package]
            tally.fail(package, "".join(texts))
    errors = process.stderr.read()
    if process.wait() and not failed_in:
        tally.fail("go test", errors + "".join(said.get(("go test", ""), [])))


def race():
    if not shutil.which(os.environ.get("CC", "cc")) and not shutil.which("gcc"):
        tally.skip("race detector", "needs a C compiler")
        return
    # Data races need goroutines: the packages that start some, or whose tests do.
    concurrent = go_list(
        "{{$p := .ImportPath}}{{range .Imports}}{{if or (eq . `sync`) (eq . `sync/atomic`) (eq . `github.com/ebmkit/hitchhiker/internal/par`)}}{{$p}} {{end}}{{end}}"
    )
    go_test(sorted({p.split()[0] for p in concurrent}), "-race", "-short", CGO_ENABLED="1")


def portable():
    # Assembly has a second path in Go: everything that uses it must hold there too.
    assembly = {line for line in go_list("{{if .SFiles}}{{.ImportPath}}{{end}}")}
    users = [line.split() for line in go_list("{{.ImportPath}} {{join .Deps ` `}}")]
    # The cache of test results does not see the variable, which is read at start-up.
    go_test([p[0] for p in users if assembly & set(p)], "-short", "-count=1", EBMKIT_PORTABLE="1")


def compose():
    """docker-compose.yml says what it must: nothing here can run it."""
    config = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    services = config["services"]
    tally.expect("compose: one service, lab", list(services) == ["lab"], services)
    lab = services["lab"]
    tally.expect("compose: ports only on 127.0.0.1", lab["ports"] and all(str(p).startswith("127.0.0.1:") for p in lab["ports"]), lab["ports"])
    tally.expect("compose: a token from the environment", "JUPYTER_TOKEN" in lab["environment"], lab["environment"])
    tally.expect("compose: not root", str(lab["user"]).split(":")[0] not in ("", "0", "root"), lab.get("user"))
    tally.expect("compose: notebooks are a volume", any(str(v).startswith("./notebooks:") for v in lab["volumes"]), lab["volumes"])
    test = lab["healthcheck"]["test"]
    tally.expect("compose: healthcheck is the tested script", test[0] == "CMD" and test[1].endswith("jupyter/healthcheck.sh"), test)
    docker = (ROOT / "Dockerfile").read_text().split("\n")
    users = [line.split()[1] for line in docker if line.startswith("USER ")]
    tally.expect("Dockerfile: the last user is not root", users and users[-1].split(":")[0] not in ("0", "root"), users)


def needs():
    """What is missing or too old is said in one line that names what to install."""
    tools = "sh readlink dirname cat git go python3".split()
    fakes = {
        "without git": ("git", None, "git is missing: install git"),
        "without Go": ("go", None, "Go is missing: install Go 1.26 or newer"),
        "with an old Go": ("go", "echo go1.25.9", "Go 1.26 or newer is needed, found go1.25.9"),
        "without Python": ("python3", None, "python3 is missing: install Python 3.10 or newer"),
        "with an old Python": ("python3", 'case "$2" in *version_info\\ *) exit 1;; *) echo 3.9.2;; esac', "Python 3.10 or newer is needed, found 3.9.2"),
        "without venv": ("python3", 'case "$2" in *ensurepip*) exit 1;; *%d*) echo 3.12.1;; esac', "Python's venv module is missing: install it"),
    }
    with tempfile.TemporaryDirectory(prefix="ebmkit-") as tmp:
        for what, (tool, script, want) in fakes.items():
            path = Path(tmp) / what
            path.mkdir()
            for name in tools:
                if name != tool:
                    (path / name).symlink_to(shutil.which(name))
                elif script:
                    (path / name).write_text(f"#!/bin/sh\n{script}\n")
                    (path / name).chmod(0o755)
            env = {**os.environ, "PATH": str(path)}
            env.pop("PYTHON", None)
            done = subprocess.run([ROOT / "jupyter/setup.sh", "lab"], env=env, capture_output=True, text=True)
            said = done.stdout + done.stderr
            tally.expect(f"set-up {what}", done.returncode == 1 and said.startswith(f"setup: {want}") and said.count("\n") == 1, said)
    for port in ("abc", "0", "-1", "65536", "8888.5", ""):
        done = subprocess.run([sys.executable, ROOT / "jupyter/freeport.py", port], capture_output=True, text=True)
        tally.expect(f'PORT="{port}" is refused', done.returncode == 1 and done.stderr.count("\n") == 1 and "is no port" in done.stderr, done.stderr)
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        taken = busy.getsockname()[1]
        if taken < 65535:
            done = subprocess.run([sys.executable, ROOT / "jupyter/freeport.py", str(taken)], capture_output=True, text=True)
            tally.expect("a busy port: the next free one", done.returncode == 0 and int(done.stdout) > taken and f"{taken} is busy" in done.stderr, done.stdout + done.stderr)


def make_help():
    """make help lists every target but those that only serve others."""
    text = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", text, re.M)) - {"setup"}
    shown = subprocess.run(["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True).stdout
    listed = set(re.findall(r"^  make ([a-z-]+) +\S", shown, re.M))
    tally.expect("make help lists every target", targets == listed, targets ^ listed)


def lab():
    """The native Lab starts and is found healthy by the script that Docker would call; a wrong token is not."""
    with tempfile.TemporaryDirectory(prefix="ebmkit-") as tmp:
        folder = Path(tmp) / "note books"
        folder.mkdir()
        with labserver.running(folder) as (_, port, token):
            def health(**env):
                done = subprocess.run([ROOT / "jupyter/healthcheck.sh"], env={**os.environ, **env}, capture_output=True, text=True)
                return done.returncode, done.stdout + done.stderr
            code, said = health(PORT=str(port), JUPYTER_TOKEN=token)
            tally.expect("healthcheck: healthy", code == 0, said)
            code, said = health(PORT=str(port), JUPYTER_TOKEN="")
            tally.expect("healthcheck: healthy by the token that start.sh kept", code == 0, said)
            code, said = health(PORT=str(port), JUPYTER_TOKEN="wrong")
            tally.expect("healthcheck: notices a wrong token", code == 1, said)
        code, said = health(PORT=str(port), JUPYTER_TOKEN=token)
        tally.expect("healthcheck: notices a stopped Lab", code == 1, said)


def kernel():
    """The kernel runs from a link and from a copy, finds the repository, the notebook's name, and no network."""
    cell = """import ("fmt"; "os"; "github.com/ebmkit/hitchhiker/ebmkit")
%%
s := ebmkit.NewStream(1, "kernel", 0)
fmt.Println(s != nil, os.Getenv("EBMKIT_NOTEBOOK"), os.Getenv("GOPROXY"), os.Getenv("EBMKIT_RECORDS"))
"""
    with tempfile.TemporaryDirectory(prefix="ebmkit-") as outside, tempfile.TemporaryDirectory(dir=ROOT / ".venv") as inside:
        linked, copied = Path(outside) / "a link/kernels/gonb", Path(inside) / "a copy/kernels/gonb"
        linked.parent.mkdir(parents=True)
        linked.symlink_to(ROOT / "jupyter/kernel")
        copied.parent.mkdir(parents=True)
        shutil.copytree(ROOT / "jupyter/kernel", copied)
        for place in (linked, copied):
            manager = KernelManager(kernel_name="gonb")
            manager.kernel_spec_manager = KernelSpecManager(kernel_dirs=[str(place.parent)])
            manager.start_kernel(cwd=outside, env={**os.environ, "JPY_SESSION_NAME": "some where/2-two words.ipynb"})
            client = manager.blocking_client()
            client.start_channels()
            try:
                client.wait_for_ready(60)
                said = []
                reply = client.execute_interactive(cell, timeout=300, output_hook=lambda m: said.append(m["content"].get("text", "")))
                tally.expect(f"kernel from {place.parent.parent.name}", reply["content"]["status"] == "ok", "".join(said))
                want = f"true 2-two words off {ROOT}/.venv/cells\n"
                tally.expect(f"kernel from {place.parent.parent.name}: its surroundings", "".join(said) == want, f"{''.join(said)}want {want}")
            finally:
                client.stop_channels()
                manager.shutdown_kernel(now=True)


def all_notebooks():
    paths = notebooks.find([])

    def report(path, records, failure):
        if failure:
            tally.fail(f"notebook {path.stem}", str(failure))
            return
        tally.ok()
        for record in records:
            tally.expect(f"notebook {path.stem}: check {record.get('name')}", notebooks.check_passed(record), json.dumps(record))

    notebooks.each(notebooks.check, paths, report)
    if not paths:
        return
    # One notebook shows that the number of cores changes nothing; "make reproduce" shows it for all.
    notebooks.each(notebooks.same, paths[:1], lambda path, _, failure: tally.expect(f"notebook {path.stem}: same bytes", not failure, failure))


def main():
    bin = ROOT / ".venv/bin"
    os.environ["PATH"] = f"{bin}:{os.environ['PATH']}"  # Go tests find a Python with NumPy
    section("go vet", command, "go vet", ["go", "vet", "./..."])
    section("go vet for arm64", lambda: command("go vet for arm64", ["go", "vet", "./..."], GOARCH="arm64", CGO_ENABLED="0"))
    section("staticcheck", command, "staticcheck", [str(bin / "staticcheck"), "./..."])
    section("Go tests", go_test, ["./..."])
    section("Go tests on the portable path", portable)
    section("Go tests with the race detector", race)
    section("compose file", compose)
    section("what the set-up says", needs)
    section("make help", make_help)
    section("JupyterLab and its healthcheck", lab)
    section("the Go kernel", kernel)
    section("notebooks", all_notebooks)
    section("README", command, "cmd/gallery.py check", [sys.executable, "cmd/gallery.py", "check"])
    skipped = f", {tally.skipped} skipped" if tally.skipped else ""
    print(f"\n{tally.passed} passed, {tally.failed} failed{skipped}")
    sys.exit(1 if tally.failed else 0)


if __name__ == "__main__":
    main()
