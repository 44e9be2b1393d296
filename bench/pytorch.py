"""Compares the speed and the memory of kiln with PyTorch eager, network by network.

    python bench/pytorch.py --rounds 5 --output results.md

Each round runs one PyTorch process and one `kiln bench` process after each other, with the same
threads, batch, warm-up and number of timed steps. The README beside this file says what is compared.
"""

import argparse
import json
import statistics
import sys
import time

from common import (
    ROOT,
    circumstances,
    cores,
    count,
    default_kiln,
    markdown,
    megabytes,
    output,
    publish,
    run_kiln,
    steps_within,
)

LEARNING_RATE = 1e-3
MOMENTUM = 0.9

# Name in kiln, shape of an image, classes, images in a batch.
NETS = {
    "mlp": ((1, 28, 28), 10, 128),
    "lenet": ((1, 28, 28), 10, 128),
    "cnn-ntu": ((1, 28, 28), 10, 128),
    "vgg11-bn-cifar": ((3, 32, 32), 10, 64),
    "resnet20": ((3, 32, 32), 10, 128),
    "resnet18-cifar": ((3, 32, 32), 10, 64),
    "alexnet": ((3, 224, 224), 1000, 16),
}


def build(name):
    """The PyTorch network that kiln calls `name`."""
    sys.path.insert(0, str(ROOT / "tests" / "torch"))
    import networks
    from torch import nn

    def mlp():
        sizes = (28 * 28, 256, 84, 10)
        layers = [nn.Flatten()]
        for size, following in zip(sizes, sizes[1:]):
            layers += [nn.Linear(size, following), nn.ReLU()]
        return nn.Sequential(*layers[:-1])

    def cnn_ntu():
        return nn.Sequential(
            nn.Conv2d(1, 32, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(64 * 7 * 7, 1024),
            nn.ReLU(),
            nn.Linear(1024, 10),
        )

    def resnet18():
        stages = []
        channels = 64
        for width in (64, 128, 256, 512):
            stride = 1 if width == 64 else 2
            stages.append(networks.BasicBlock(channels, width, stride, "projection"))
            stages.append(networks.BasicBlock(width, width, 1, "projection"))
            channels = width
        stem = [networks.conv3x3(3, 64), nn.BatchNorm2d(64), nn.ReLU()]
        return nn.Sequential(
            *stem, *stages, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10)
        )

    def alexnet():
        features = nn.Sequential(
            nn.Conv2d(3, 64, 11, stride=4, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(64, 192, 5, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(192, 384, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2),
        )
        classifier = nn.Sequential(
            nn.Dropout(),
            nn.Linear(256 * 6 * 6, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Linear(4096, 1000),
        )
        return nn.Sequential(features, nn.AdaptiveAvgPool2d(6), nn.Flatten(), classifier)

    builders = {
        "mlp": mlp,
        "lenet": networks.LeNet,
        "cnn-ntu": cnn_ntu,
        "vgg11-bn-cifar": lambda: networks.vgg_cifar(11),
        "resnet20": lambda: networks.resnet_cifar(20),
        "resnet18-cifar": resnet18,
        "alexnet": alexnet,
    }
    return builders[name]()


def measure(name, mode, threads, warmup, iters):
    """Times PyTorch in this process; the result has the keys of `kiln bench`."""
    import torch
    from torch import nn

    imported = megabytes()
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    shape, classes, batch_size = NETS[name]
    model = build(name)
    images = torch.randn(batch_size, *shape)
    labels = torch.randint(classes, (batch_size,))
    loss = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM)

    def train():
        optimizer.zero_grad(set_to_none=True)
        loss(model(images), labels).backward()
        optimizer.step()

    def infer():
        with torch.inference_mode():
            model(images)

    step = train if mode == "train" else infer
    model.train(mode == "train")
    times = []
    for number in range(warmup + iters):
        start = time.perf_counter()
        step()
        if number >= warmup:
            times.append(time.perf_counter() - start)
    median = statistics.median(times)
    return {
        "samples_per_sec": batch_size / median,
        "step_time": median * 1e3,
        "memory_mb": megabytes(),
        "param_count": sum(value.numel() for value in model.parameters() if value.requires_grad),
        "threads": torch.get_num_threads(),
        "version": torch.__version__,
        "imported_mb": imported,
    }


def run_torch(name, mode, threads, warmup, iters):
    """`measure` in a process of its own."""
    command = [sys.executable, __file__, "--child", name, mode, threads, warmup, iters]
    return json.loads(output(list(map(str, command))))


def compare(name, mode, arguments):
    """The rounds of one network in one mode: pairs of PyTorch's and kiln's measurements."""
    batch_size = NETS[name][2]

    def both(warmup, iters):
        pytorch = run_torch(name, mode, arguments.threads, warmup, iters)
        kiln = run_kiln(
            arguments.kiln, name, mode,
            "--batch-size", batch_size, "--threads", arguments.threads,
            "--warmup", warmup, "--iters", iters,
        )  # fmt: skip
        for key in ("param_count", "threads"):
            if pytorch[key] != kiln[key]:
                raise SystemExit(f"{name}: {key} is {pytorch[key]} in PyTorch, {kiln[key]} in kiln")
        return pytorch, kiln

    slowest = max(one["step_time"] for one in both(1, 3)) / 1e3
    warmup, iters = steps_within(arguments.seconds, slowest, arguments.iters)
    rounds = []
    for number in range(arguments.rounds):
        rounds.append(both(warmup, iters))
        pytorch, kiln = (count(one["samples_per_sec"]) for one in rounds[-1])
        print(
            f"{name} {mode} round {number + 1}: PyTorch {pytorch}, kiln {kiln} images/s",
            file=sys.stderr,
        )
    return rounds


def cells(rounds):
    """Images/s of both, their ratio with its spread, and memory of both."""
    if not rounds:
        return ["", "", "", ""]

    def middle(key, which):
        values = [pair[which][key] for pair in rounds if pair[which][key] is not None]
        return count(statistics.median(values)) if values else "-"

    ratios = [kiln["samples_per_sec"] / torch["samples_per_sec"] for torch, kiln in rounds]
    spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
    memory = f"{middle('memory_mb', 0)} : {middle('memory_mb', 1)}"
    return [middle("samples_per_sec", 0), middle("samples_per_sec", 1), spread, memory]


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )

    def listed(known):
        def parse_list(text):
            names = text.split(",")
            for name in names:
                if name not in known:
                    raise argparse.ArgumentTypeError(f"'{name}' is none of {', '.join(known)}")
            return names

        return parse_list

    parser.add_argument("--nets", type=listed(NETS), default=list(NETS), metavar="A,B,...")
    parser.add_argument("--modes", type=listed(["train", "infer"]), default=["train", "infer"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=cores())
    parser.add_argument("--iters", type=int, default=200, help="most timed steps in a process")
    parser.add_argument("--seconds", type=float, default=8, help="most seconds of timed steps")
    parser.add_argument("--kiln", default=default_kiln(), help="the program [default: %(default)s]")
    parser.add_argument("--output", metavar="FILE", help="where the Markdown goes as well")
    return parser.parse_args()


def main():
    if sys.argv[1:2] == ["--child"]:
        name, mode, threads, warmup, iters = sys.argv[2:]
        print(json.dumps(measure(name, mode, int(threads), int(warmup), int(iters))))
        return
    arguments = parse()
    rows = []
    pytorch = None
    for name in arguments.nets:
        measured = {mode: compare(name, mode, arguments) for mode in arguments.modes}
        pytorch = next(iter(measured.values()))[0][0]
        shape, _, batch_size = NETS[name]
        modes = [cell for mode in arguments.modes for cell in cells(measured[mode])]
        rows.append([f"`{name}`", "x".join(map(str, shape)), batch_size, *modes])
    head = ["network", "input", "batch"]
    for mode in arguments.modes:
        head += [f"{mode} PyTorch img/s", "kiln img/s", "kiln/PyTorch", "MB PyTorch : kiln"]
    facts = circumstances(
        arguments.kiln,
        f"PyTorch: {pytorch['version']}, eager; {count(pytorch['imported_mb'] or 0)} MB once imported",
        f"{arguments.threads} threads, {arguments.rounds} round(s), medians; in brackets the smallest "
        "and the largest ratio of a round",
    )
    publish(f"{facts}\n\n{markdown(head, rows)}", arguments.output)


if __name__ == "__main__":
    main()
