#!/usr/bin/env python3
"""Measures `rho0` of choose.py on a final network and shows a* and t of trained kinds.

  calibrate.py MODEL.safetensors|.npz      (tensors mu U w Wi bi Ws Wo bo; a prefix before the names is allowed)
"""
import sys, pathlib; sys.path.insert(0, str(pathlib.Path(__file__).parent))
import numpy as np, choose, measure
NAMES = 'mu U w Wi bi Ws Wo bo'.split()
def load(path):
    if path.endswith('.npz'): return {k: np.asarray(v, 'f') for k, v in np.load(path).items()}
    from safetensors.numpy import load_file
    t = load_file(path); return {n: next(v for k, v in t.items() if k.split('.')[-1] == n).astype('f') for n in NAMES}
if __name__ == '__main__':
    P = load(sys.argv[1]); here = pathlib.Path(__file__).parent / 'held-out'; rho = []
    for k in 'gloss descr gcide foldoc anarchism austen kjv manual'.split():
        c = np.load(here / f'{k}.npy')[:1000]; r = []
        for s in choose.KNOTS[1:]:
            x = measure.noisy(c, s, 17); f = choose.network(P, x, np.full(len(x), s)); r.append(float((f * f).sum(1).mean()))
        e = []
        for s in (.05, .1):
            x = measure.noisy(c[:512], s, 18); e.append(choose.evidence(P, x, s, choose.network(P, x, np.full(len(x), s))))
        rho.append(r); print(f'{k:10}', *[f'{v:.3f}' for v in r], '| a*, t, error at .05 and .1:', *[tuple(round(v, 3) for v in t) for t in e if t], flush=True)
    print('rho0 =', [1] + [round(float(v), 3) for v in np.mean(rho, 0)])
