"""Write arviz.json: what ArviZ and emcee say about draws that Go can make again.

Versions (requirements.txt): arviz-stats 0.8.0, arviz 0.23.4, emcee 3.1.6,
numpy 2.4.6, scipy 1.17.1, Python 3.11.

    python -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/python regenerate.py > arviz.json

The draws are not stored. A case is a few numbers; draws() below and draws() in
arviz_test.go turn them into the same bits with integer arithmetic, +, *, / and
floor only, and `bits` (the xor of all draws' bit patterns, rotated by position)
proves it. Numbers are written as Python's repr, which reads back exactly.

ArviZ is asked through arviz-stats 0.8.0. One number differs between the two
packages named ArviZ: the Monte Carlo error of a standard deviation. 0.8.0 takes
the effective sample size of the draws, 0.23.4 that of their squared deviations,
which is what the formula's derivation needs; both are stored.
"""
import json
import math
import struct
import sys
import warnings

import arviz
import arviz_stats
import emcee
import numpy as np
from arviz.stats import diagnostics as old
from arviz_stats.base import array_stats as az

warnings.filterwarnings("ignore")
np.seterr(all="ignore")

MASK = (1 << 64) - 1

# chains, draws: the shape. Per chain c and draw t, with y the AR(1) recursion
# y' = phi y + noise, a draw is
#   scale * (offset + shift c + trend t + (1 + spread c) y), floored to a multiple of quantum.
# heavy: noise with tails of index 1. frozen: so many chains keep their first draw.
CASES = [
    dict(name="independent", chains=4, draws=250),
    dict(name="AR(1) 0.5", chains=4, draws=400, phi=0.5),
    dict(name="AR(1) 0.95", chains=4, draws=500, phi=0.95),
    dict(name="AR(1) 0.9, long", chains=4, draws=5000, phi=0.9),
    dict(name="near unit root", chains=2, draws=200, phi=0.999),
    dict(name="antithetic -0.3", chains=4, draws=300, phi=-0.3),
    dict(name="antithetic -0.9", chains=4, draws=300, phi=-0.9),
    dict(name="antithetic -0.999", chains=2, draws=64, phi=-0.999),
    dict(name="odd length", chains=3, draws=101, phi=0.5),
    dict(name="one chain", chains=1, draws=200, phi=0.5),
    dict(name="one chain, odd", chains=1, draws=33, phi=0.2),
    dict(name="four modes", chains=4, draws=100, phi=0.5, shift=10.0),
    dict(name="four widths", chains=4, draws=100, spread=3.0),
    dict(name="trend", chains=2, draws=150, trend=0.05),
    dict(name="ties", chains=4, draws=200, phi=0.5, quantum=1.0),
    dict(name="ties, odd", chains=3, draws=77, phi=0.5, quantum=0.5),
    dict(name="two values", chains=2, draws=50, offset=1.0, quantum=4.0),
    dict(name="rare event", chains=2, draws=120, quantum=2.0, offset=3.9),
    dict(name="heavy tails", chains=4, draws=250, heavy=True),
    dict(name="heavy tails, correlated", chains=4, draws=251, phi=0.7, heavy=True),
    dict(name="one frozen chain of four", chains=4, draws=60, frozen=1),
    dict(name="all chains frozen apart", chains=4, draws=20, frozen=4),
    dict(name="constant", chains=4, draws=20, offset=2.5, spread=-1.0, frozen=4, flat=True),
    dict(name="large offset", chains=4, draws=100, phi=0.5, offset=1e8),
    dict(name="unit scale", chains=4, draws=100, phi=0.5, seed=100),
    dict(name="small scale", chains=4, draws=100, phi=0.5, seed=100, scale=2.0**-30),
    dict(name="many short chains", chains=50, draws=10, phi=0.5),
    dict(name="4 draws", chains=2, draws=4),
    dict(name="5 draws", chains=2, draws=5),
    dict(name="7 draws", chains=1, draws=7),
    dict(name="8 draws", chains=2, draws=8, phi=0.8),
]
DEFAULTS = dict(phi=0.0, shift=0.0, spread=0.0, trend=0.0, offset=0.0, scale=1.0,
                quantum=0.0, heavy=False, flat=False, frozen=0)


class SplitMix:
    def __init__(self, seed):
        self.s = seed

    def uniform(self):
        self.s = (self.s + 0x9E3779B97F4A7C15) & MASK
        z = self.s
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        z ^= z >> 31
        return (z >> 11) / 9007199254740992.0

    def noise(self, heavy):
        if heavy:
            u = self.uniform()
            return (u - 0.5) / (u * (1.0 - u))
        total = 0.0
        for _ in range(12):
            total += self.uniform()
        return total - 6.0


def draws(case, seed):
    rng = SplitMix(seed)
    x = np.empty((case["chains"], case["draws"]))
    for c in range(case["chains"]):
        y = 0.0
        for t in range(case["draws"]):
            y = case["phi"] * y + rng.noise(case["heavy"])
            if case["flat"]:
                y = 0.0
            v = case["offset"] + case["shift"] * c
            v = v + case["trend"] * t
            v = v + (1.0 + case["spread"] * c) * y
            v = v * case["scale"]
            if case["quantum"] > 0:
                v = math.floor(v / case["quantum"]) * case["quantum"]
            x[c, t] = x[c, 0] if c < case["frozen"] and t > 0 else v
    return x


def fingerprint(x):
    h = 0
    for v in x.ravel():
        b = struct.unpack("<Q", struct.pack("<d", float(v)))[0]
        h = ((h << 1 | h >> 63) & MASK) ^ b
    return f"{h:016x}"


def values(x):
    kw = dict(chain_axis=0, draw_axis=1)
    v = {
        "mean": x.mean(), "sd": x.std(ddof=1),
        "rhat": az.rhat(x, **kw),
        "rhat_bulk": az.rhat(x, method="z_scale", **kw),
        "rhat_folded": az.rhat(x, method="folded", **kw) if x.shape[1] % 2 == 0 else None,
        "ess_bulk": az.ess(x, **kw),
        "ess_tail": az.ess(x, method="tail", prob=(0.05, 0.95), **kw),
        "ess_mean": az.ess(x, method="mean", **kw),
        "ess_sd": az.ess(x, method="sd", **kw),
        "mcse_mean": az.mcse(x, **kw),
        "mcse_sd_0.8.0": az.mcse(x, method="sd", **kw),
        "mcse_sd_0.23.4": old._mcse_sd(x),
        "bfmi": list(az.bfmi(x, **kw)),
        "emcee_tau": emcee.autocorr.integrated_time(x[0], tol=0, quiet=True)[0],
    }
    for p in (0.05, 0.1, 0.5, 0.9, 0.95):
        v[f"quantile_{p}"] = np.quantile(x, p)
        v[f"ess_quantile_{p}"] = az.ess(x, method="quantile", prob=p, **kw)
        v[f"mcse_quantile_{p}"] = az.mcse(x, method="quantile", prob=p, **kw)
    return {k: [repr(float(e)) for e in w] if isinstance(w, list) else repr(float(w))
            for k, w in v.items() if w is not None}


def main():
    out = []
    for i, case in enumerate(CASES):
        case = DEFAULTS | {"seed": i + 1} | case
        x = draws(case, case["seed"])
        out.append(case | {"bits": fingerprint(x), "want": values(x)})
    versions = {m.__name__: m.__version__ for m in (arviz, arviz_stats, emcee, np)}
    json.dump({"versions": versions, "cases": out}, sys.stdout, indent=1)
    print()


main()
