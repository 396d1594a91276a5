#!/usr/bin/env python3
"""Pictures and table of contents of the README, from the executed notebooks.

    gallery.py          write the pictures to docs/figures, gallery and table to the
                        README
    gallery.py check    fail if pictures, gallery or table are not what the notebooks
                        say, or a link of the README to a section of a notebook is dead

A picture is the figure that a notebook shows under a heading, as it is stored in the
notebook. The table has a line for each notebook: its name, its first heading and the
section that its "**Review**" line names.
"""
import base64
import json
import pathlib
import re
import sys
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
COLUMNS = 3  # of the gallery

# The pictures: notebook, heading, which of the figures under it, what it shows. The
# first one stands at the top of the README.
PICTURES = {
    "figure-1": ("2-energy-based-models", "Figure 1, with the formula that draws it", 0, "Figure 1, with the right formula"),
    "ising": ("1.2-boltzmann-ising-hopfield", "Below, at and above the critical temperature", 0, "Magnets below, at and above the critical temperature"),
    "recall": ("1.2-boltzmann-ising-hopfield", "Recall, step by step", 0, "A memory completes what is left of a letter"),
    "ring": ("0-start-here", "Look from above", 0, "An energy from above, with samples"),
    "latent": ("3.1-variational-autoencoder", "Latent space", 1, "Digits over the plane of codes of an autoencoder"),
    "game": ("3.2-generative-adversarial-network", "Proposition 3.1 with networks: a ring of eight", 0, "A generator and its discriminator find eight modes"),
    "figure-4": ("3.3a-fokker-planck-and-score", "Figure 4: two divergences, and what samples see of them", 0, "Figure 4, with the exact curves"),
    "figure-5": ("3.3b-score-based-diffusion", "Figure 5, from real densities", 0, "Figure 5, computed: data to noise and back"),
    "interpolant": ("3.3c-stochastic-interpolants", "Generate: particles and density on a timeline", 0, "Two modes become five along a learned interpolant"),
    "flows": ("3.4-normalizing-flows", "Four kinds of layers learn the same moons", 1, "Four normalizing flows and their draws"),
    "comparison": ("3.5-comparison", "A ring of eight modes with unequal masses", 0, "Six generative models on one budget"),
    "biased-limit": ("4b-langevin", "The biased limit", 0, "How wrong Langevin sampling is, and where it ends"),
    "banana": ("4c-hmc-gibbs-tempering", "A landscape: trajectories against a random walk", 0, "Trajectories against a random walk"),
    "work": ("5b-free-energy", "Drag a trap", 1, "The work of dragging a trap, and Jarzynski's average"),
    "walkers": ("6a-contrastive-divergence", "The walkers have an equation", 0, "Walkers of contrastive divergence, and their equation"),
    "masses": ("6b-beyond-contrastive-divergence", "A network in the plane", 0, "CD and PCD lose masses that weighted walkers keep"),
}


def marks(name):
    return f"<!-- {name} -->", f"<!-- end of {name} -->"


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


def between(name, lines):
    begin, end = marks(name)
    return "\n".join([begin, *lines, end])


def table():
    rows = [line(p) for p in sorted((ROOT / "notebooks").glob("*.ipynb"), key=order)]
    return between("notebooks", ["| notebook | what it does | review |", "|---|---|---|", *rows])


def picture(name):
    """File name and bytes of one of PICTURES: curves where the notebook has them."""
    notebook, heading, k, _ = PICTURES[name]
    path = ROOT / "notebooks" / f"{notebook}.ipynb"
    if not path.exists():
        sys.exit(f"{notebook}.ipynb, which has the picture {name}, does not exist")
    found, inside = [], False
    for cell in json.loads(path.read_text(encoding="utf8"))["cells"]:
        if cell["cell_type"] == "markdown":
            for h in re.findall(r"^#+ (.+)$", "".join(cell["source"]), re.M):
                inside = h.strip() == heading
        elif inside:
            found += [o["data"] for o in cell["outputs"] if "image/png" in o.get("data", {})]
    if k >= len(found):
        sys.exit(f"{notebook}.ipynb shows {len(found)} figures under {heading!r}, the README wants number {k + 1}")
    if svg := found[k].get("image/svg+xml"):
        return f"{name}.svg", "".join(svg).encode()
    return f"{name}.png", base64.b64decode(found[k]["image/png"])


def gallery():
    """A table of pictures, each a link to its notebook."""
    lines, names = ["<table>"], list(PICTURES)[1:]
    for i in range(0, len(names), COLUMNS):
        lines.append("<tr>")
        for name in names[i : i + COLUMNS]:
            notebook, heading, _, text = PICTURES[name]
            link = f"notebooks/{notebook}.ipynb#{heading.replace(' ', '-')}"
            lines.append(f'<td align="center"><a href="{link}"><img src="docs/figures/{picture(name)[0]}" width="270" alt="{text}"></a><br>{text}</td>')
        lines.append("</tr>")
    return between("gallery", [*lines, "</table>"])


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
    old = new = readme.read_text(encoding="utf8")
    for name, made in ("notebooks", table), ("gallery", gallery):
        begin, end = marks(name)
        if old.count(begin) != 1 or old.count(end) != 1:
            sys.exit(f"README.md needs {begin} and {end} once")
        new = re.sub(re.escape(begin) + ".*?" + re.escape(end), lambda _: made(), new, flags=re.S)
    folder = ROOT / "docs" / "figures"
    files = dict(picture(n) for n in PICTURES)
    shown = set(re.findall(r"docs/figures/([^)\"]+)", new))
    if shown != set(files):
        sys.exit(f"README.md shows {sorted(shown - set(files))}, gallery.py has {sorted(set(files) - shown)}")
    if sys.argv[1:] == ["check"]:
        there = {p.name: p.read_bytes() for p in folder.iterdir()} if folder.exists() else {}
        if new != old or there != files:
            stale = [n for n in {**files, **there} if files.get(n) != there.get(n)]
            sys.exit(f"README.md or its pictures {stale} are stale: run make gallery")
        if dead := dead_links(old):
            sys.exit(f"README.md links to {dead}: no heading of that name with a computation under it")
        return
    folder.mkdir(parents=True, exist_ok=True)
    for p in folder.iterdir():
        p.unlink()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    readme.write_text(new, encoding="utf8")


main()
