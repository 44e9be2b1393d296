"""Writes reference/optimizers.safetensors, the numbers that tests/optimizers.rs compares kiln with.

    python tests/torch/optimizers.py            # writes the file
    python tests/torch/optimizers.py --check    # computes everything again and compares

Optimizers: twenty steps of a small network (scale and shift after a normalisation over the batch,
convolution with bias, tanh, mean pooling, linear layer, mean cross entropy) in float64, from `initial/`,
over five batches `images` and `targets` in turn; `after/CASE/NAME` are the parameters in float32.
torch.optim's own code where it has the optimizer. What it lacks is written out here from the paper:
Lion (Chen et al. 2023, algorithm 2), Lookahead (Zhang et al. 2019, algorithm 1), momentum as a running
mean, and Adam without the correction of its biases. torch.optim.Muon runs in float64 instead of
bfloat16; what its bfloat16 does to the result is printed.

Schedules: `rates/CASE` are the rates of 200 steps, 10 epochs of 20, at the full rate 0.1;
`losses` are the validation losses of the epochs.

The file's metadata holds kiln's settings of each case, as TOML over the row's defaults, and
`defaults/ROW`, the defaults of torch.optim.
"""

import argparse
import inspect
import math
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import optim
from torch.nn import functional as F
from torch.optim import _muon as muon
from torch.optim import lr_scheduler as schedulers

try:
    from safetensors import safe_open
    from safetensors.torch import save_file
except ImportError as error:
    name = error.name
    raise SystemExit(f"{name} is missing; install it with: pip install {name}") from None

FILE = Path(__file__).parent / "reference" / "optimizers.safetensors"
STEPS = 20
SHAPES = {
    "norm.weight": (2,),
    "norm.bias": (2,),
    "conv.weight": (4, 2, 3, 3),
    "conv.bias": (4,),
    "linear.weight": (3, 36),
    "linear.bias": (3,),
}
EPOCHS, PER_EPOCH, RATE = 10, 20, 0.1
LOSSES = [1.0, 0.8, 0.9, 0.81, 0.85, 0.7, 0.70001, 0.9, 0.8, 0.75]


def draw():
    """The first parameters and the batches, in float64 but representable in float32."""
    generator = torch.Generator().manual_seed(1)

    def normal(*shape):
        return torch.randn(*shape, generator=generator).double()

    initial = {name: normal(*shape) * 0.3 for name, shape in SHAPES.items()}
    initial["norm.weight"] += 1
    initial = {name: value.float().double() for name, value in initial.items()}
    images = normal(5, 8, 2, 6, 6)
    targets = torch.randint(0, 3, (5, 8), generator=generator)
    return initial, images, targets


def loss(parameters, images, targets):
    x = F.batch_norm(
        images, None, None, parameters["norm.weight"], parameters["norm.bias"], training=True
    )
    kernel = parameters["conv.weight"].reshape(SHAPES["conv.weight"])
    x = torch.tanh(F.conv2d(x, kernel, parameters["conv.bias"], padding=1))
    x = F.avg_pool2d(x, 2).flatten(1)
    x = F.linear(x, parameters["linear.weight"], parameters["linear.bias"])
    return F.cross_entropy(x, targets)


class Written:
    """An optimizer that is written out: `rule(w, g, state, lr)` changes a parameter."""

    def __init__(self, rule, groups, lr):
        self.rule, self.groups, self.lr = rule, groups, lr
        self.states = {}

    def step(self):
        for group in self.groups:
            for w in group["params"]:
                state = self.states.setdefault(id(w), {"t": 0})
                state["t"] += 1
                with torch.no_grad():
                    self.rule(w, w.grad.clone(), state, self.lr, group["weight_decay"])


def ema(w, g, state, lr, decay):
    g += decay * w
    v = state.setdefault("v", torch.zeros_like(w))
    v.mul_(0.9).add_(0.1 * g)
    w -= lr * v


def uncorrected(w, g, state, lr, decay):
    g += decay * w
    m = state.setdefault("m", torch.zeros_like(w))
    v = state.setdefault("v", torch.zeros_like(w))
    m.mul_(0.9).add_((1 - 0.9) * g)
    v.mul_(0.999).add_((1 - 0.999) * g * g)
    w -= lr * m / (v.sqrt() + 1e-8)


def lion(w, g, state, lr, decay):
    m = state.setdefault("m", torch.zeros_like(w))
    along = 0.9 * m + (1 - 0.9) * g
    # In float32 the sign is another where this is 0 but for rounding.
    assert along.abs().min() > 1e-8, along.abs().min()
    w.copy_(w - lr * (along.sign() + decay * w))
    m.mul_(0.99).add_((1 - 0.99) * g)


class Lookahead:
    """Slow weights around any optimizer."""

    def __init__(self, inner, parameters, every, alpha):
        self.inner, self.parameters, self.every, self.alpha = inner, parameters, every, alpha
        self.slow = [p.detach().clone() for p in parameters]
        self.count = 0

    def step(self):
        self.inner.step()
        self.count += 1
        if self.count % self.every == 0:
            with torch.no_grad():
                for fast, slow in zip(self.parameters, self.slow):
                    slow += self.alpha * (fast - slow)
                    fast.copy_(slow)


class Both:
    """Two optimizers of different parameters."""

    def __init__(self, *optimizers):
        self.optimizers = optimizers

    def step(self):
        for optimizer in self.optimizers:
            optimizer.step()


class Switched:
    """SGD with another momentum in its first steps."""

    def __init__(self, inner, start, steps):
        self.inner, self.start, self.steps, self.count = inner, start, steps, 0

    def step(self):
        for group in self.inner.param_groups:
            group["momentum"] = self.start if self.count < self.steps else 0.9
        self.inner.step()
        self.count += 1


def build_muon(parameters, groups, lr):
    decay = {id(p): group["weight_decay"] for group in groups for p in group["params"]}
    matrices = [p for p in parameters if p.ndim == 2]
    rest = [p for p in parameters if p.ndim != 2]

    def divided(chosen):
        return [{"params": [p], "weight_decay": decay[id(p)]} for p in chosen]

    return Both(optim.Muon(divided(matrices), lr=lr), optim.AdamW(divided(rest), lr=3e-4))


def own(rule):
    return lambda parameters, groups, lr: Written(rule, groups, lr)


def torchs(kind, **numbers):
    return lambda parameters, groups, lr: kind(groups, lr=lr, **numbers)


def around(kind, every=5, alpha=0.5, **numbers):
    def build(parameters, groups, lr):
        return Lookahead(kind(groups, lr=lr, **numbers), parameters, every, alpha)

    return build


# Case: row, learning rate, the optimizer, and further settings of kiln's.
OPTIMIZERS = {
    "gd": ("gd", 0.1, torchs(optim.SGD), {}),
    "sgd": ("sgd", 0.1, torchs(optim.SGD), {}),
    "momentum": ("momentum", 0.05, torchs(optim.SGD, momentum=0.9), {}),
    "momentum, 0.1 at first": (
        "momentum",
        0.05,
        lambda parameters, groups, lr: Switched(
            optim.SGD(groups, lr=lr, momentum=0.1), 0.1, 8
        ),
        {"momentum_start": 0.1, "momentum_switch_steps": 8},
    ),
    "momentum-ema": ("momentum-ema", 0.3, own(ema), {}),
    "nesterov": ("nesterov", 0.05, torchs(optim.SGD, momentum=0.9, nesterov=True), {}),
    "adagrad": ("adagrad", 0.05, torchs(optim.Adagrad), {}),
    "rmsprop": ("rmsprop", 0.005, torchs(optim.RMSprop), {}),
    "rmsprop with momentum": (
        "rmsprop",
        0.001,
        torchs(optim.RMSprop, momentum=0.9),
        {"momentum": 0.9},
    ),
    "adam": ("adam", 0.01, torchs(optim.Adam), {}),
    "adam-uncorrected": ("adam-uncorrected", 0.003, own(uncorrected), {}),
    "adamw": ("adamw", 0.01, torchs(optim.AdamW), {}),
    "lookahead": ("lookahead", 0.01, around(optim.Adam), {}),
    "lookahead over momentum": (
        "momentum",
        0.05,
        around(optim.SGD, every=6, alpha=0.8, momentum=0.9),
        {"lookahead": 6, "lookahead_alpha": 0.8},
    ),
    "lion": ("lion", 0.003, own(lion), {}),
    "muon": ("muon", 0.02, build_muon, {}),
}
DECAYS = {"": (0.0, "weights"), ", decay": (0.05, "weights"), ", decay of all": (0.05, "all")}


def train(case, decay, decay_of):
    row, lr, build, _ = OPTIMIZERS[case]
    initial, images, targets = draw()
    flat = row == "muon"
    parameters = {}
    for key, value in initial.items():
        value = value.flatten(1) if flat and value.ndim > 2 else value.clone()
        parameters[key] = value.requires_grad_()
    of = {True: [], False: []}
    for parameter in parameters.values():
        of[decay_of == "all" or parameter.ndim >= 2].append(parameter)
    groups = [
        {"params": of[True], "weight_decay": decay},
        {"params": of[False], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    optimizer = build(list(parameters.values()), groups, lr)
    for step in range(STEPS):
        for parameter in parameters.values():
            parameter.grad = None
        loss(parameters, images[step % 5], targets[step % 5]).backward()
        optimizer.step()
    return {
        key: value.detach().reshape(SHAPES[key]).float() for key, value in parameters.items()
    }


def in_float64():
    """torch.optim.Muon's iteration without its bfloat16."""
    source = inspect.getsource(muon._zeropower_via_newtonschulz)
    assert "torch.bfloat16" in source
    exec(source.replace("torch.bfloat16", "torch.float64"), muon.__dict__)


def interpolated(knots):
    epochs, factors = zip(*knots)
    return lambda step: float(np.interp(step / PER_EPOCH, epochs, factors))


# Case: row, kiln's settings, and the scheduler of torch for so many steps after a warm-up.
SCHEDULES = {
    "constant": ("constant", {}, lambda o, n: schedulers.ConstantLR(o, factor=1.0)),
    "annealing": (
        "annealing",
        {"annealing_epochs": 2.0},
        lambda o, n: schedulers.LambdaLR(o, lambda step: 2 / (2 + step / PER_EPOCH)),
    ),
    "step": (
        "step",
        {"step_epochs": 3, "gamma": 0.5},
        lambda o, n: schedulers.StepLR(o, 3 * PER_EPOCH, gamma=0.5),
    ),
    "multi-step": (
        "multi-step",
        {"milestones": [3, 7]},
        lambda o, n: schedulers.MultiStepLR(
            o, [(epoch - EPOCHS) * PER_EPOCH + n for epoch in (3, 7)]
        ),
    ),
    "exponential": (
        "exponential",
        {"gamma": 0.8},
        lambda o, n: schedulers.ExponentialLR(o, 0.8 ** (1 / PER_EPOCH)),
    ),
    "cosine": (
        "cosine",
        {"min_lr": 0.001},
        lambda o, n: schedulers.CosineAnnealingLR(o, n, eta_min=0.001),
    ),
    "cosine, restarts": (
        "cosine",
        {"min_lr": 0.001, "restart_epochs": 2, "restart_factor": 2.0},
        lambda o, n: schedulers.CosineAnnealingWarmRestarts(
            o, 2 * PER_EPOCH, T_mult=2, eta_min=0.001
        ),
    ),
    "cosine, even restarts": (
        "cosine",
        {"restart_epochs": 3},
        lambda o, n: schedulers.CosineAnnealingWarmRestarts(o, 3 * PER_EPOCH),
    ),
    "linear": (
        "linear",
        {"min_lr": 0.001},
        lambda o, n: schedulers.LinearLR(o, 1.0, 0.01, total_iters=n),
    ),
    "polynomial": (
        "polynomial",
        {"power": 0.9},
        lambda o, n: schedulers.PolynomialLR(o, n, power=0.9),
    ),
}
ALONE = {
    "one-cycle": (
        "one-cycle",
        {},
        lambda o, n: schedulers.OneCycleLR(o, RATE, total_steps=n, cycle_momentum=False),
    ),
    "one-cycle, other numbers": (
        "one-cycle",
        {"peak": 0.45, "rise": 10.0, "fall": 100.0},
        lambda o, n: schedulers.OneCycleLR(
            o,
            RATE,
            total_steps=n,
            pct_start=0.45,
            div_factor=10,
            final_div_factor=100,
            cycle_momentum=False,
        ),
    ),
    "piecewise-linear": (
        "piecewise-linear",
        {"knots": "0:0.1,2.5:1,7:0.2,9:0.2"},
        lambda o, n: schedulers.LambdaLR(
            o, interpolated([(0, 0.1), (2.5, 1), (7, 0.2), (9, 0.2)])
        ),
    ),
}


def followed(build, warmup_epochs):
    """The rates of all steps."""
    optimizer = optim.SGD([torch.zeros(1, requires_grad=True)], lr=RATE)
    total, warm = EPOCHS * PER_EPOCH, warmup_epochs * PER_EPOCH
    if warm:
        rising = schedulers.LinearLR(optimizer, 1 / warm, 1.0, total_iters=warm - 1)
        after = build(optimizer, total - warm)
        scheduler = schedulers.SequentialLR(optimizer, [rising, after], [warm])
    else:
        scheduler = build(optimizer, total)
    rates = []
    for step in range(total):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step + 1 < total:
            scheduler.step()
    return rates


def plateau():
    optimizer = optim.SGD([torch.zeros(1, requires_grad=True)], lr=RATE)
    scheduler = schedulers.ReduceLROnPlateau(optimizer, factor=0.2, patience=1, min_lr=0.005)
    rates = []
    for validation in LOSSES:
        rates += [optimizer.param_groups[0]["lr"]] * PER_EPOCH
        scheduler.step(validation)
    return rates


def toml(settings):
    def value(value):
        return f'"{value}"' if isinstance(value, str) else repr(value)

    return "\n".join(f"{key} = {value(number)}" for key, number in settings.items())


def defaults():
    """The defaults of torch.optim by kiln's keys; SGD's rate and momentum are not compared."""
    names = {"eps": "epsilon", "lr": "lr", "weight_decay": "weight_decay"}
    rows = {
        "adagrad": (optim.Adagrad, names),
        "rmsprop": (optim.RMSprop, names | {"alpha": "alpha", "momentum": "momentum"}),
        "adam": (optim.Adam, names),
        "adamw": (optim.AdamW, names),
        "muon": (optim.Muon, {k: k for k in ("lr", "weight_decay", "momentum")}),
    }
    found = {}
    for row, (kind, keys) in rows.items():
        numbers = kind([torch.zeros(2, 2, requires_grad=True)]).defaults
        settings = {ours: float(numbers[theirs]) for theirs, ours in keys.items()}
        if "betas" in numbers:
            settings |= dict(zip(("beta1", "beta2"), numbers["betas"]))
        found[f"defaults/{row}"] = toml(settings)
    return found


def make():
    initial, images, targets = draw()
    tensors = {f"initial/{key}": value.float() for key, value in initial.items()}
    tensors |= {"images": images.float(), "targets": targets}
    metadata = defaults()
    rounded = train("muon", 0.05, "weights")
    in_float64()
    exact = train("muon", 0.05, "weights")
    print("bfloat16 changes Muon's parameters after 20 steps by at most", end=" ")
    print(max((rounded[key] - exact[key]).abs().max().item() for key in exact))
    for case, (row, lr, _, more) in OPTIMIZERS.items():
        for suffix, (decay, of) in DECAYS.items():
            after = train(case, decay, of)
            tensors |= {f"after/{case}{suffix}/{key}": value for key, value in after.items()}
            settings = {"name": row, "lr": lr, "weight_decay": decay, "decay": of} | more
            metadata[f"optimizer/{case}{suffix}"] = toml(settings)

    def rates(case, row, settings, values):
        assert len(values) == EPOCHS * PER_EPOCH and all(map(math.isfinite, values))
        tensors[f"rates/{case}"] = torch.tensor(values, dtype=torch.float64)
        metadata[f"schedule/{case}"] = toml({"name": row} | settings)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case, (row, settings, build) in SCHEDULES.items():
            rates(case, row, settings, followed(build, 0))
            warm = settings | {"warmup_epochs": 2.0}
            rates(f"{case}, warm-up", row, warm, followed(build, 2))
        for case, (row, settings, build) in ALONE.items():
            rates(case, row, settings, followed(build, 0))
    settings = {"gamma": 0.2, "patience": 1, "min_lr": 0.005}
    rates("reduce-on-plateau", "reduce-on-plateau", settings, plateau())
    tensors["losses"] = torch.tensor(LOSSES, dtype=torch.float64)
    return {key: value.contiguous() for key, value in tensors.items()}, metadata


def check(tensors, metadata):
    with safe_open(FILE, "pt") as file:
        assert file.metadata() == metadata, "other settings"
        assert set(file.keys()) == set(tensors), "other tensors"
        worst = max(
            (file.get_tensor(key) - value).abs().max().item() for key, value in tensors.items()
        )
    print(f"{len(tensors)} tensors, the largest difference is {worst:.1e}")
    assert worst < 1e-6


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    torch.set_default_dtype(torch.float32)
    tensors, metadata = make()
    if arguments.check:
        check(tensors, metadata)
    else:
        save_file(tensors, FILE, metadata=metadata)
        print(f"{FILE}: {FILE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
