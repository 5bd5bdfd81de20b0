"""Records 60 training steps of a small adaptive denoiser with PyTorch: adaptive-training.safetensors.

    python record_adaptive.py

The network is that of `AdaptiveWorkspace`, 64 wide with 8 hidden units; steps are those of AdamW without
decay under OneCycleLR, on batches of 16. Rows and noise come from two small tables by recorded indices.

The other adaptive fixtures were computed with NumPy and PyTorch from one trained network, 800 wide:
adaptive-model (its weights, in half precision), adaptive-golden (16 rows at three noise levels, what the
layers make of them and what comes out) and adaptive-gradient (8 hidden units, 4 rows: inputs, loss, all
gradients, weights after one step).
"""

import pathlib

import numpy
import torch
from safetensors.torch import save_file
from torch.nn.functional import silu

D, H, FEATURES, BATCH, STEPS, RATE = 64, 8, 8, 16, 60, 2e-3

torch.manual_seed(3)
torch.set_num_threads(1)

scales = torch.logspace(0, -1.2, D)
clean = torch.randn(96, D) * scales + 0.3 * torch.randn(D)
clean = clean / clean.norm(dim=1, keepdim=True)
noise = torch.randn(96, D)

mu = clean.mean(0)
w, u = numpy.linalg.eigh(numpy.cov((clean - mu).numpy().astype("d").T))
u = torch.tensor(u.astype("f"))
w = torch.tensor(numpy.maximum(w, 2e-5).astype("f"))
centres = torch.linspace(0, 0.3, FEATURES)


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = torch.nn.Linear(D, 2 * H)
        self.levels = torch.nn.Linear(FEATURES, 2 * H, bias=False)
        self.last = torch.nn.Linear(H, D)
        torch.nn.init.zeros_(self.last.weight)
        torch.nn.init.zeros_(self.last.bias)

    def forward(self, x):
        s = ((x * x).sum(1, keepdim=True) - 1).clamp(min=0).div(D).sqrt()
        v = w + s * s
        g = w / v
        y = (x - mu) @ u
        features = torch.exp(-(((s - centres) / (centres[1] - centres[0])) ** 2))
        p, q = (self.first(y * v.rsqrt()) + self.levels(features)).chunk(2, 1)
        residual = self.last(silu(p) * q)
        return (y * g + residual * (w * (1 - g)).sqrt()) @ u.T + mu


network = Network()
names = {
    "Wi": "first.weight",
    "bi": "first.bias",
    "Ws": "levels.weight",
    "Wo": "last.weight",
    "bo": "last.bias",
}


def weights(prefix):
    state = network.state_dict()
    return {f"{prefix}/{ours}": state[theirs].clone() for ours, theirs in names.items()}


tensors = dict(clean=clean, noise=noise, mu=mu, U=u, w=w) | weights("initial")
rows = torch.randint(0, 96, (STEPS, BATCH))
draws = torch.randint(0, 96, (STEPS, BATCH))
sigmas = torch.rand(STEPS, BATCH) * 0.3
optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=0.0)
schedule = torch.optim.lr_scheduler.OneCycleLR(
    optimizer, RATE, total_steps=STEPS + 1, pct_start=0.05
)
losses, rates = [], []
for step in range(STEPS):
    target, sigma = clean[rows[step]], sigmas[step][:, None]
    error = (network(target + sigma * noise[draws[step]]) - target).square().sum(1)
    loss = (error / (sigma[:, 0] + 0.03)).mean()
    optimizer.zero_grad()
    loss.backward()
    group = optimizer.param_groups[0]
    rates.append([group["lr"], group["betas"][0]])
    optimizer.step()
    schedule.step()
    losses.append(loss.item())
    if step + 1 in (1, 10, 60):
        tensors |= weights(f"after_{step + 1}")

tensors |= dict(
    rows=rows.float(),
    draws=draws.float(),
    sigmas=sigmas,
    losses=torch.tensor(losses),
    rates=torch.tensor(rates),
)
path = pathlib.Path(__file__).parent / "adaptive-training.safetensors"
save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
