"""Finds seeds for the training references of make_reference.py.

    python tests/torch/choose_seeds.py --seeds 300

A ReLU whose input is within rounding of 0, or a pooling window with two equal maxima, sends the
gradient one way in one program and another way in the next, and five steps later the weights differ
by more than any tolerance. For every seed this measures the margin: the smallest distance of a ReLU
input from 0 and of a maximum from the second largest value, over all steps of both optimizers. The
best seeds are printed with the largest difference between float32 and float64.
"""

import argparse

import make_reference
import torch
from torch.overrides import TorchFunctionMode


class Margin(TorchFunctionMode):
    """Watches ReLU and max pooling and keeps the smallest margin."""

    def __init__(self):
        super().__init__()
        self.smallest = float("inf")

    def __torch_function__(self, function, types, args=(), kwargs=None):
        name = getattr(function, "__name__", "")
        if name == "relu":
            self.see(args[0].abs())
        elif name == "max_pool2d":
            windows = args[0].unfold(2, 2, 2).unfold(3, 2, 2).flatten(4)
            first, second = windows.topk(2).values.unbind(-1)
            # Where the maximum is 0, the ReLU before it passes no gradient on.
            self.see((first - second)[first > 0])
        return function(*args, **(kwargs or {}))

    @torch.no_grad()
    def see(self, distances):
        if distances.numel() > 0:
            self.smallest = min(self.smallest, distances.min().item())


def margin(name, seed):
    """The margin of a training."""
    with Margin() as watch:
        make_reference.make_steps(name, torch.float32, seed)
    return watch.smallest


def noise(name, seed):
    """The largest difference between float32 and float64, and the tensor that has it."""
    single = make_reference.make_steps(name, torch.float32, seed)
    double = make_reference.make_steps(name, torch.float64, seed)
    return max((make_reference.deviation(single[n], double[n]), n) for n in single)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=300, help="seeds tried [300]")
    parser.add_argument("--best", type=int, default=5, help="seeds shown [5]")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for name in make_reference.TRAININGS:
        margins = sorted((margin(name, seed), seed) for seed in range(1, arguments.seeds + 1))
        for distance, seed in margins[: -arguments.best - 1 : -1]:
            difference, tensor = noise(name, seed)
            print(f"{name:10} seed {seed:4}  margin {distance:.1e}  ", end="")
            print(f"float32 - float64 {difference:.1e} in {tensor}")


if __name__ == "__main__":
    main()
