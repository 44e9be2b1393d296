"""Measures how kiln's speed depends on batch size, threads, image size and network.

    python bench/scaling.py --output scaling.md

Every number comes from a `kiln bench` process of its own. The README beside this file says what is
measured.
"""

import argparse
import sys

from common import (
    circumstances,
    cores,
    count,
    default_kiln,
    markdown,
    publish,
    run_kiln,
    steps_within,
)

BATCHES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
SIZES = [32, 64, 96, 128, 160, 192, 224]
SIZED = "resnet18"
SIZED_BATCH = 8
NETWORKS = [
    "softmax", "mlp", "lenet", "cnn-ntu", "alexnet-cifar", "resnet20", "resnet56", "vgg11-bn-cifar",
    "resnet18-cifar", "mobilenet_v2-cifar",
]  # fmt: skip
MODES = ["infer", "train"]


def measure(net, mode, threads, batch_size, arguments, *more):
    """A record of `kiln bench` with as many steps as fit into the time."""
    common = ["--threads", threads, "--backend", arguments.backend, *more]
    if batch_size:
        common += ["--batch-size", batch_size]

    def run(warmup, iters):
        steps = ["--warmup", warmup, "--iters", iters]
        return run_kiln(arguments.kiln, net, mode, *steps, *common)

    probe = run(1, 3)
    record = run(*steps_within(arguments.seconds, probe["step_time"] / 1e3, arguments.iters))
    print(f"{net} {mode} {' '.join(map(str, common))}: {record['samples_per_sec']}", file=sys.stderr)
    return record


def batches(arguments):
    """Images/s over the batch size, for each network, mode and number of threads."""
    columns = [
        (net, mode, threads)
        for net in arguments.nets
        for mode in MODES
        for threads in arguments.threads
    ]
    head = ["batch"] + [f"{net} {mode}, {threads} threads" for net, mode, threads in columns]
    rows = []
    for batch_size in arguments.batches:
        speeds = [measure(*column, batch_size, arguments) for column in columns]
        rows.append([batch_size, *(count(record["samples_per_sec"]) for record in speeds)])
    return "## Images/s over the batch size\n\n" + markdown(head, rows)


def sizes(arguments):
    """Images/s over the side of the images."""
    threads = max(arguments.threads)
    head = ["image", "GMAC", "infer img/s", "of peak", "train img/s", "of peak", "train MB"]
    rows = []
    for side in SIZES:
        more = ["--image-size", side]
        infer, train = (
            measure(SIZED, mode, threads, SIZED_BATCH, arguments, *more) for mode in MODES
        )
        rows.append([f"{side}x{side}", count(infer["gmacs"]), *speeds(infer), *speeds(train)])
        rows[-1].append(memory(train))
    title = f"## Image size: {SIZED}, batch {SIZED_BATCH}, {threads} threads\n\n"
    return title + markdown(head, rows)


def networks(arguments):
    """Images/s of networks from small to large."""
    threads = max(arguments.threads)
    head = ["network", "batch", "parameters", "MMAC"]
    head += ["infer img/s", "of peak", "train img/s", "of peak", "train MB"]
    rows = []
    for net in NETWORKS:
        infer, train = (measure(net, mode, threads, None, arguments) for mode in MODES)
        facts = [f"{infer['param_count']:,}", count(infer["gmacs"] * 1e3)]
        rows.append([f"`{net}`", infer["batch_size"], *facts, *speeds(infer), *speeds(train)])
        rows[-1].append(memory(train))
    return f"## Networks, {threads} threads\n\n" + markdown(head, rows)


def speeds(record):
    return [count(record["samples_per_sec"]), f"{100 * record['peak_share']:.0f} %"]


def memory(record):
    return "-" if record["memory_mb"] is None else count(record["memory_mb"])


TABLES = {"batches": batches, "sizes": sizes, "networks": networks}


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    numbers = lambda text: [int(number) for number in text.split(",")]  # noqa: E731
    names = lambda text: text.split(",")  # noqa: E731
    parser.add_argument("--tables", type=names, default=list(TABLES), metavar="A,B,...")
    parser.add_argument("--nets", type=names, default=["lenet", "resnet20"], help="of the batches")
    parser.add_argument("--batches", type=numbers, default=BATCHES)
    parser.add_argument("--threads", type=numbers, default=sorted({1, cores()}))
    parser.add_argument("--iters", type=int, default=100, help="most timed steps in a process")
    parser.add_argument("--seconds", type=float, default=4, help="most seconds of timed steps")
    parser.add_argument("--backend", default="flex")
    parser.add_argument("--kiln", default=default_kiln(), help="the program [default: %(default)s]")
    parser.add_argument("--output", metavar="FILE", help="where the Markdown goes as well")
    arguments = parser.parse_args()
    for table in arguments.tables:
        if table not in TABLES:
            parser.error(f"--tables: '{table}' is none of {', '.join(TABLES)}")
    return arguments


def main():
    arguments = parse()
    tables = [TABLES[table](arguments) for table in arguments.tables]
    facts = circumstances(arguments.kiln, f"backend: {arguments.backend}")
    publish("\n\n".join([facts, *tables]), arguments.output)


if __name__ == "__main__":
    main()
