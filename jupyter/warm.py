"""Builds one program in a kernel that imports whatever cells import.

After it, the cells of every notebook, in any kernel, are built by replaying this
one build (see cmd/cellgo), until a library file changes. It also shows that the
kernel works.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

from jupyter_client.manager import start_new_kernel

ROOT = Path(__file__).resolve().parent.parent
STANDARD = """bufio bytes cmp context errors fmt image image/color image/png io maps math math/bits math/cmplx
    math/rand/v2 os path/filepath slices sort strconv strings sync time
    gonum.org/v1/gonum/floats gonum.org/v1/gonum/mat gonum.org/v1/gonum/stat gonum.org/v1/gonum/stat/distuv""".split()


def packages():
    """The packages of the repository that compile and that a cell may import."""
    folders = [f"./{f}/..." for f in ("ebmkit", "plotting", "data") if (ROOT / f).is_dir()]
    template = "{{if and (not .Error) (not .DepsErrors) .GoFiles (ne .Name `main`)}}{{.ImportPath}}{{end}}"
    listed = subprocess.run(["go", "list", "-e", "-deps=false", "-f", template, *folders], cwd=ROOT, capture_output=True, text=True)
    return [p for p in listed.stdout.split() if "internal" not in p.split("/")]


def main():
    imports = "\n".join(f'\t_ "{p}"' for p in STANDARD + packages())
    with tempfile.TemporaryDirectory(prefix="ebmkit-") as tmp:
        source = Path(tmp) / "main.go"
        # GoNB keeps one blank import only, so that this cell is a shell command in
        # the cells' directory. It builds twice, each time another program: the
        # first build compiles what is new, the second can be replayed.
        build = 'go build -o "$GONB_TMP_DIR/$(basename "$GONB_TMP_DIR")"'
        manager, client = start_new_kernel(kernel_name="gonb", cwd=tmp)
        try:
            for number in (1, 2):
                source.write_text(f"package main\n\nimport (\n{imports}\n)\n\nfunc main() {{ println({number}) }}\n")
                run(client, f'!*cp "{source}" main.go && {build}')
            run(client, "%%\nprintln(3)")
        finally:
            client.stop_channels()
            manager.shutdown_kernel()


def run(client, code):
    said = []
    reply = client.execute_interactive(code, timeout=600, store_history=False, output_hook=lambda m: said.append(m["content"].get("text", "")))
    if reply["content"]["status"] != "ok":
        sys.exit(f"warm: {''.join(said)}")


if __name__ == "__main__":
    main()
