"""Default strength `auto`: NumPy reference of what DECISION.md says.  Numbers live in TABLES only.

P: the network's parameters (mu, U, w, Wi, bi, Ws, Wo, bo).  x: rows divided by their scale, s: one level a row (0: clean row).
"""
import json, pathlib, sys
import numpy as np

D = 384
KNOTS = np.array([0, .01, .02, .03, .05, .07, .1, .15, .2, .3])
TABLES = dict(                      # at KNOTS, linear between, constant beyond .3; tables.json overrides
    floor=[0, .08, .12, .20, .40, .50, .60, .50, .42, .32],       # without evidence
    upper=[0, .15, .35, .50, .75, .85, .92, .90, .85, .70],       # when the rows are as predictable as trained text
    least=[0, .05, .10, .15, .30, .45, .60, .50, .42, .32],       # least that the ranking evidence may choose
    indomain=[0, .15, .35, .60, .85, .95, 1, 1, .95, .9],         # most that it may choose; like the training text
    rho0=[1, .986, .914, .829, .706, .612, .479, .324, .229, .141],   # mean |f|^2 of held-out trained rows
    gate_low=[.8, .95, .88, .82, .75, .70, .70, .74, .80, .88],
    gate_high=[1, 1.02, 1.0, .98, .96, .95, .95, .98, 1.0, 1.05],
    single=[0, 0, 0, 0, 0, .1, .25, .25, .25, .25],               # trust in the own confidence of a row among few
    accept=[9, 9, 9, 9, .995, 1.000, 1.002, 9, 9, 9],             # least a* of an in-domain request; 9: never
)
EVIDENCE = dict(pooled=32, rows=512, most=2048, low=.015, high=.125, spread=1.3, epsilon=1e-2, seed=977, blocks=8,
                error=.08, lost=1.5, pilot_error=.1, t=[0, .2, .4, .6, .8, .88, .93, 1], a=[0, .10, .28, .5, .65, .8, .95, 1])

try:
    refined = json.loads((pathlib.Path(__file__).parent / 'tables.json').read_text())
    TABLES.update(refined.get('tables', {})); EVIDENCE.update(refined.get('evidence', {}))
except FileNotFoundError: pass

def table(name, s): return np.interp(s, KNOTS, TABLES[name])

def network(P, x, s):
    s = np.asarray(s, 'f')[:, None]; v = P['w'] + s * s; g = P['w'] / v; nb = P['Ws'].shape[1]; cs = np.linspace(0, .3, nb).astype('f')
    y = (x - P['mu']) @ P['U']; z = y / np.sqrt(v)
    h = z @ P['Wi'].T + P['bi'] + np.exp(-((s - cs) / (cs[1] - cs[0])) ** 2) @ P['Ws'].T
    n = h.shape[1] // 2; p, q = h[:, :n], h[:, n:]
    r = (p / (1 + np.exp(-p)) * q) @ P['Wo'].T + P['bo']
    return (y * g + r * np.sqrt(P['w'] * (1 - g))) @ P['U'].T + P['mu']

def confidence(f, s):
    """how confident each row is: 0 like text of unknown kind, 1 like trained text (not clipped)"""
    c = (f * f).sum(1) / table('rho0', s); lo, hi = table('gate_low', s), table('gate_high', s)
    return (c - lo) / (hi - lo)

def common_level(x, s):
    """one level for all noisy rows when they may have one, else None.  x: rows at scale 1, s from their lengths"""
    q = ((x.astype('d') ** 2).sum(1) - 1) / D; m = max(q.mean(), 0)
    expected = np.sqrt(4 * m + 2 * D * m * m) / D                      # sd of q when all rows have the level sqrt(m)
    return float(np.sqrt(m)) if m > 0 and q.std() <= EVIDENCE['spread'] * expected else None

def solve(m):
    """a that ranks best, from the sums A, B, XX, XF, FF"""
    A, B, XX, XF, FF = m; top = B * XX - A * XF; rest = A * FF - B * XF
    return 0. if top <= 0 else 1. if rest <= 0 else top / (top + rest)

def evidence(P, x, level, f):
    """(a*, t, error of t) of the rows together; None when they cannot say.  x: noisy rows only, f = network(P, x, level)"""
    E = EVIDENCE; x, f = x[:E['most']], f[:E['most']]; n = len(x); s2 = float(level) ** 2
    if n < E['rows'] or not E['low'] <= level <= E['high']: return None
    b = np.where(np.random.default_rng(E['seed']).integers(0, 2, x.shape), 1, -1).astype('f')   # +-1, never from the noise's own stream
    ep = np.float32(E['epsilon'] * level); Jb = (network(P, x + ep * b, np.full(n, level)) - f) / ep   # the level stays
    astar = float((D - (b * Jb).sum(1)).sum() * s2 / max(((f - x) ** 2).sum(), 1e-12))
    sums = np.empty((n, 5)); h = n // 2
    for i, j in ((slice(0, h), slice(h, n)), (slice(h, n), slice(0, h))):    # covariance of the other half
        m = x[j].mean(0); C = (x[j] - m).T @ (x[j] - m) / (len(x[j]) - 1) - np.eye(D, dtype='f') * s2
        C = C.astype('f'); xC, fC = x[i] @ C, f[i] @ C; t = np.trace(C)
        sums[i] = np.stack([(xC * x[i]).sum(1) - s2 * t, (xC * f[i]).sum(1) - s2 * ((b[i] @ C) * Jb[i]).sum(1),
                            (xC * x[i]).sum(1), (xC * f[i]).sum(1), (fC * f[i]).sum(1)], 1)
    whole = sums.sum(0); k = E['blocks']
    left = np.array([solve(whole - sums[p].sum(0)) for p in np.array_split(np.arange(n), k)])
    return astar, solve(whole), float(np.sqrt((k - 1) / k * ((left - left.mean()) ** 2).sum()))

def auto(P, x, s, clean, level=None):
    """(a, f) of each row.  clean: rows that come back bit for bit (a = 0).  level: one for all noisy rows, given or pooled
    (rows that were normalised: the blind estimate of the request); None: common_level decides"""
    E = EVIDENCE; a = np.zeros(len(x)); f = x.copy(); d = ~clean; n = int(d.sum())
    if n == 0: return a.astype('f'), f
    sd = s[d].astype('d')
    if n >= E['pooled']:
        if level is None: level = common_level(x[d], sd)
        if level is not None: sd[:] = level               # one level for all, for the network too
    f[d] = network(P, x[d], sd); g = confidence(f[d], sd); lo, up = table('floor', sd), table('upper', sd)
    if n < E['pooled']: a[d] = lo + (up - lo) * table('single', sd) * np.clip(g, 0, 1)   # rows moved by different amounts lose neighbours
    else:
        a[d] = lo + (up - lo) * np.clip(g.mean(), 0, 1)
        e = evidence(P, x[d], level, f[d]) if level is not None else None
        if e:
            astar, t, error = e
            if astar >= table('accept', level): a[d] = table('indomain', level)
            elif error <= E['error']: a[d] = np.clip(np.interp(t, E['t'], E['a']), table('least', level), table('indomain', level))
    return a.astype('f'), f

def denoise(P, x, s, clean, level=None):
    a, f = auto(P, x, s, clean, level); a = a[:, None]
    return np.where(a > 0, (1 - a) * x + a * f, x).astype('f')

GRID = np.array([0, .005, .01, .015, .02, .03, .04, .05, .06, .07, .085, .1, .12, .14, .16, .18, .2, .23, .26, .3, .35, .4])

def likelihoods(P, u):
    """[grid, rows]: log-likelihood of each level for unit rows (the recipe's section 5)"""
    a, m = u @ P['U'], P['mu'] @ P['U']; w = np.where(P['w'] <= 2.1e-5, 1e-8, P['w']); L = []
    for s in GRID:
        k, v = np.sqrt(1 + D * s * s), w + s * s
        L.append(-.5 * ((a * k - m) ** 2 / v + np.log(v)).sum(1) + D * np.log(k))
    return np.array(L)

def blind_levels(P, u, pilots=(127, 223, 319)):
    """levels of rows of length one: (level of each row, the one level of all or None)"""
    L = likelihoods(P, u); own = GRID[L.argmax(0)]; T = L.sum(1); i = int(T.argmax()); n = len(u)
    lost = (L.max(0) - L[i]).mean()                       # what one level costs, in nats a row
    if n < EVIDENCE['pooled'] or lost > EVIDENCE['lost']: return own, None
    if pilots:                                            # know nothing of the kind of text, but are few
        p = float((u[:, list(pilots)].astype('d') ** 2).mean()); rest = 1 - D * p      # p = s^2/(1+384 s^2)
        if rest > 0 and np.sqrt(2 / (len(pilots) * n)) / rest <= EVIDENCE['pilot_error']: return own, float(np.sqrt(p / rest))
    if not 0 < i < len(GRID) - 1: return own, float(GRID[i])
    g, t = GRID[i - 1:i + 2], T[i - 1:i + 2]              # vertex of the parabola through three points
    d1, d2 = (t[1] - t[0]) / (g[1] - g[0]), (t[2] - t[1]) / (g[2] - g[1]); c = (d2 - d1) / (g[2] - g[0])
    return own, float(np.clip((g[0] + g[1]) / 2 - d1 / (2 * c), g[0], g[2]))
