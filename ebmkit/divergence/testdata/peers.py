"""Writes peers.txt, the values of POT, SciPy and NumPy that the tests compare
with. Run: python3 peers.py > peers.txt (numpy, scipy, POT 0.9.7)."""
import numpy as np
import ot
from scipy import stats
from scipy.spatial.distance import cdist


def points(n, d, a, b, mod):
    """Numbers that every language makes alike: (a i + b mod `mod`)/64."""
    i = np.arange(n * d)
    return ((a * i + b) % mod / 64).reshape(n, d)


def show(name, value):
    print(f"{name} {float(value):.17g}")


x, y = points(50, 1, 7919, 13, 1009)[:, 0], points(50, 1, 104729, 77, 787)[:, 0]
z = points(37, 1, 104729, 77, 787)[:, 0]
wx, wz = 1 + points(50, 1, 31, 5, 101)[:, 0], 1 + points(37, 1, 57, 3, 97)[:, 0]
show("w1-equal", stats.wasserstein_distance(x, y))
show("w1-unequal", stats.wasserstein_distance(x, z))
show("w1-weighted", stats.wasserstein_distance(x, z, wx, wz))
show("w2-equal", np.sqrt(ot.emd2_1d(x, y)))
show("w2-unequal", np.sqrt(ot.emd2_1d(x, z)))
show("w2-weighted", np.sqrt(ot.emd2_1d(x, z, wx / wx.sum(), wz / wz.sum())))
show("energy-1d", stats.energy_distance(x, z) ** 2)

X, Y = points(60, 2, 7919, 13, 211), points(45, 2, 104729, 77, 233)
a, b = np.full(60, 1 / 60), np.full(45, 1 / 45)
M = ot.dist(X, Y)
for eps in (1.0, 0.1):
    P = ot.sinkhorn(a, b, M, eps, method="sinkhorn_log", numItermax=200000, stopThr=1e-14)
    show(f"sinkhorn-{eps}", (P * M).sum())
    show(f"sinkhorn-{eps}-p00", P[0, 0])
show("emd2", ot.emd2(a, b, M))
k = lambda u, v: np.exp(-cdist(u, v, "sqeuclidean") / 2 / 0.7**2)
n, m = len(X), len(Y)
show("mmd2-unbiased", (k(X, X).sum() - n) / n / (n - 1) + (k(Y, Y).sum() - m) / m / (m - 1) - 2 * k(X, Y).mean())
show("mmd2-biased", k(X, X).mean() + k(Y, Y).mean() - 2 * k(X, Y).mean())
show("energy-unbiased", 2 * cdist(X, Y).mean() - cdist(X, X).sum() / n / (n - 1) - cdist(Y, Y).sum() / m / (m - 1))
show("energy-biased", 2 * cdist(X, Y).mean() - cdist(X, X).mean() - cdist(Y, Y).mean())
