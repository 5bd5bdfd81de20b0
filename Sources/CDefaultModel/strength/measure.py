#!/usr/bin/env python3
"""The three measures of a denoiser of embeddings, beside doing nothing and beside Wiener.

  measure.py noise CLEAN.npy --sigma .1 -o NOISY.npy [--seed 5] [--kind gauss] [--rows 2000]
  measure.py table CLEAN.npy [--rows 2000] NOISY.npy OUT.npy ...     a triple for each file
  measure.py run   CLEAN.npy ... --command 'denoiser ... {input} ... {output} ...'
                   [--constants constants.npz] [--seeds 5,7,8] [--sigmas 0,.01,...] [--kind gauss]

CLEAN.npy: float32, rows of length one.  A triple is  cosine to clean / nn10 / q :
  nn10  overlap of the ten nearest neighbours (without the row itself): clean rows among clean rows
        against denoised rows among denoised rows
  q     overlap of the eleven nearest clean rows (the row itself included): of the clean row against of
        the denoised row
All by cosine.  `run` makes the noise, calls the command for every level and seed ({input}, {output},
{sigma} are filled in; .npy of float32) and prints noisy, Wiener and output, the difference from noisy
and its worst.  constants.npz holds mu, U, w (train.py writes it); without it Wiener is left out.
Kinds of noise: gauss laplace elliptical rows (a level of its own for each row) normalised half double
tenfold (scaled after the noise) drop (10 % of the elements zeroed after the noise) int8 int4 (noise, then
quantised, symmetric) int8only int4only droponly (no noise) float16.
"""
import argparse, pathlib, shlex, subprocess, sys, tempfile
import numpy as np

SIGMAS = (0, .01, .02, .03, .05, .07, .1, .15, .2, .3)

def unit(x): return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)

def top(scores, k):
    return np.argpartition(-scores, k - 1, axis=1)[:, :k]

def overlap(a, b):
    """Mean share of common members of two tables of indices."""
    n = len(a); m = np.zeros((n, max(a.max(), b.max()) + 1), bool); r = np.arange(n)[:, None]
    m[r, a] = True
    return m[r, b].mean(1)

class Clean:
    """A store of clean rows with its neighbours, found once."""
    def __init__(self, c):
        self.c = unit(np.asarray(c, 'f')); s = self.c @ self.c.T
        self.q = top(s, 11); np.fill_diagonal(s, -9); self.nn = top(s, 10)
    def rows(self, out):
        """cosine, nn10, q of each row"""
        o = unit(np.asarray(out, 'f'))
        cos = (o * self.c).sum(1); q = overlap(self.q, top(o @ self.c.T, 11))
        s = o @ o.T; np.fill_diagonal(s, -9)
        return np.stack([cos, overlap(self.nn, top(s, 10)), q], 1)
    def triple(self, out): return self.rows(out).mean(0)

def quantised(x, levels):
    scale = np.abs(x).max(1, keepdims=True) / levels
    return np.round(x / scale) * scale

def noisy(c, sigma, seed=5, kind='gauss'):
    g = np.random.default_rng([seed, int(round(sigma * 1e4))]); n = g.standard_normal(c.shape)
    if kind.endswith('only'): n[:] = 0
    if kind == 'laplace': n = g.laplace(size=c.shape) / np.sqrt(2)
    if kind == 'elliptical':
        d = np.exp(.5 * g.standard_normal(c.shape[1])); n = n * d / np.sqrt((d * d).mean())
    if kind == 'rows': n = n * g.uniform(.2, 2.2, (len(c), 1))
    x = c + sigma * n
    if kind == 'normalised': x = unit(x)
    x = x * dict(half=.5, double=2, tenfold=10).get(kind, 1)
    if kind.startswith('drop'): x = x * (g.random(c.shape) >= .1)
    if kind.startswith('int8'): x = quantised(x, 127)
    if kind.startswith('int4'): x = quantised(x, 7)
    if kind == 'float16': x = x.astype('float16')
    return x.astype('f')

def wiener(K, x):
    s2 = np.maximum((x * x).sum(1, keepdims=True) - 1, 0) / x.shape[1]
    y = (x - K['mu']) @ K['U']; return (y * (K['w'] / (K['w'] + s2))) @ K['U'].T + K['mu']

def text(t): return '/'.join(f'{v:.3f}' for v in t)

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('what', choices=('noise', 'table', 'run')); p.add_argument('files', nargs='+')
    p.add_argument('--sigma', type=float, default=.1); p.add_argument('--seed', type=int, default=5)
    p.add_argument('--kind', default='gauss'); p.add_argument('--rows', type=int, default=2000)
    p.add_argument('-o', '--output'); p.add_argument('--command'); p.add_argument('--constants')
    p.add_argument('--seeds', default='5'); p.add_argument('--sigmas', default=','.join(map(str, SIGMAS)))
    a = p.parse_args()
    load = lambda f: np.load(f)[:a.rows].astype('f')
    if a.what == 'noise':
        return np.save(a.output, noisy(load(a.files[0]), a.sigma, a.seed, a.kind))
    if a.what == 'table':
        store = Clean(load(a.files[0]))
        for f in a.files[1:]: print(text(store.triple(load(f))), f)
        return
    K = np.load(a.constants) if a.constants else None
    for f in a.files:
        c = load(f); store = Clean(c); worst = np.full(3, 9.); name = pathlib.Path(f).stem
        for s in map(float, a.sigmas.split(',')):
            per = []
            for seed in map(int, a.seeds.split(',')):
                x = noisy(c, s, seed, a.kind)
                with tempfile.TemporaryDirectory() as d:
                    np.save(f'{d}/in.npy', x)
                    subprocess.run([w.format(input=f'{d}/in.npy', output=f'{d}/out.npy', sigma=s)
                                    for w in shlex.split(a.command)], check=True)
                    out = np.load(f'{d}/out.npy')
                per.append((store.triple(x), store.triple(wiener(K, x)) if K is not None else (np.nan,) * 3,
                            store.triple(out), float((out == x).all(1).mean())))
            n, w, o = (np.mean([t[i] for t in per], 0) for i in range(3))
            spread = np.ptp([t[2] for t in per], 0); worst = np.minimum(worst, o - n)
            print(f'{name:12} {s:<5} noisy {text(n)}  wiener {text(w)}  out {text(o)}  '
                  f'out-noisy {" ".join(f"{v:+.3f}" for v in o - n)}  spread {text(spread)}  '
                  f'untouched {np.mean([t[3] for t in per]):.3f}', flush=True)
        print(f'{name:12} worst {" ".join(f"{v:+.4f}" for v in worst)}', flush=True)

if __name__ == '__main__': main()
