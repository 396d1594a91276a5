#!/usr/bin/env python3
"""Pictures and table of contents of the README, from the executed notebooks.

    gallery.py          copy the pictures to docs/figures and rewrite the table
    gallery.py check    fail if the table is not what the notebooks say, or a link
                        of the README to a section of a notebook is dead

A notebook exports its figures to notebooks/figures. The README shows those that
it names as docs/figures/NAME.png. The table between the two marks of the README
has a line for each notebook: its name, its first heading and the section that
its "**Review**" line names.
"""
import json
import pathlib
import re
import shutil
import sys
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- notebooks -->", "<!-- end of notebooks -->"


def order(path):
    """Sections in the order of the review: 1.2 before 2 before 2.1 before 3.3a."""
    number, _, rest = path.stem.partition("-")
    digits = [int(n) for n in re.findall(r"\d+", number)]
    return digits, number, rest


def line(path):
    cells = json.loads(path.read_text(encoding="utf8"))["cells"]
    text = "".join(cells[0]["source"])
    title = re.search(r"^# (.+)$", text, re.M)
    review = re.search(r"\*\*Review\*\*:\s*(.+?)(?:\.\s+\*\*|\.?$)", text, re.M)
    if cells[0]["cell_type"] != "markdown" or not title or not review:
        sys.exit(f"{path.name}: the first cell needs a heading and a **Review** line")
    return f"| [{path.stem}](notebooks/{path.name}) | {title[1]} | {review[1]} |"


def table():
    rows = [line(p) for p in sorted((ROOT / "notebooks").glob("*.ipynb"), key=order)]
    return "\n".join([BEGIN, "| notebook | what it does | review |", "|---|---|---|", *rows, END])


def dead_links(text):
    """Links notebooks/NAME.ipynb#SECTION without a heading that Jupyter gives this
    anchor, or with nothing computed under it."""
    dead = []
    for name, anchor in re.findall(r"\(notebooks/([^)#]+)#([^)]+)\)", text):
        path, proved, inside = ROOT / "notebooks" / name, False, False
        cells = json.loads(path.read_text(encoding="utf8"))["cells"] if path.exists() else []
        for cell in cells:
            source = "".join(cell["source"])
            if cell["cell_type"] == "markdown":
                for heading in re.findall(r"^#+ (.+)$", source, re.M):
                    inside = heading.strip().replace(" ", "-") == urllib.parse.unquote(anchor)
            elif inside and cell["outputs"]:
                proved = True
        if not proved:
            dead.append(f"{name}#{anchor}")
    return dead


def main():
    readme = ROOT / "README.md"
    old = readme.read_text(encoding="utf8")
    new = re.sub(re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: table(), old, flags=re.S)
    if sys.argv[1:] == ["check"]:
        if new != old:
            sys.exit("README.md: the table of notebooks is stale, run make gallery")
        missing = [f for f in re.findall(r"\((docs/figures/[^)]+)\)", old) if not (ROOT / f).exists()]
        if missing:
            sys.exit(f"README.md shows {missing}, which make gallery has not made")
        if dead := dead_links(old):
            sys.exit(f"README.md links to {dead}: no heading of that name with a computation under it")
        return
    for name in re.findall(r"\(docs/figures/([^)]+)\)", old):
        made = ROOT / "notebooks" / "figures" / name
        if not made.exists():
            sys.exit(f"notebooks/figures/{name} is missing: run make notebooks first")
        (ROOT / "docs" / "figures").mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made, ROOT / "docs" / "figures" / name)
    readme.write_text(new, encoding="utf8")


main()
