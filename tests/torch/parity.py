"""Compares kiln's full-size ImageNet networks with torchvision's, number by number.

    cargo build --release
    python tests/torch/parity.py --models resnet50,vgg16
    python tests/torch/parity.py --markdown

Every network gets random weights in torchvision; kiln reads the same weights and the same images
through `kiln predict`. The deviation is the largest difference of the logits, divided by the
largest logit. Parameters and multiply-accumulates (MACs), which kiln counts for 224x224, must be
those that torchvision publishes. Nothing is downloaded. The exit code is 0 only if all is well.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import networks
import torch

try:
    from safetensors.torch import load_file, save_file
    from torchvision import models
except ImportError as error:
    name = error.name
    raise SystemExit(f"{name} is missing; install it with: pip install {name}") from None

MODELS = """
    alexnet vgg11 vgg13 vgg16 vgg19 vgg11_bn vgg13_bn vgg16_bn vgg19_bn
    resnet18 resnet34 resnet50 resnet101 resnet152 wide_resnet50_2
    resnext50_32x4d resnext101_32x8d densenet121 densenet169 densenet201 densenet161
    mobilenet_v2 squeezenet1_1
""".split()

COLUMNS = [
    ("model", 16),
    ("parameters", 11),
    ("in kiln", 11),
    ("published", 11),
    ("GMACs in kiln", 13),
    ("published", 9),
    ("deviation", 9),
    ("", 6),
]


def kiln(program, *arguments):
    """Runs kiln and returns what it printed; its own message explains a failure."""
    command = [program, *map(str, arguments)]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        raise SystemExit(f"{program} cannot be run: {error.strerror}") from None
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr.strip()}")
    return done.stdout


def predict(program, name, weights, images, output):
    """The logits that kiln computes."""
    files = ["--weights", weights, "--tensor", images, "--output", output, "--force"]
    kiln(program, "predict", "--model", name, *files)
    return load_file(output)["logits"]


def summary(program, name):
    """The parameters and MACs that kiln counts."""
    counts = json.loads(kiln(program, "summary", name, "--format", "json"))
    return counts["params"], counts["macs"]


def save_weights(model, folder, pth):
    """Writes the whole state dict, counters of batch normalisation included."""
    state = {name: value.contiguous() for name, value in model.state_dict().items()}
    if pth:
        path = folder / "weights.pth"
        torch.save(state, path)
    else:
        path = folder / "weights.safetensors"
        save_file(state, path)
    return path


def deviation(theirs, ours):
    """The largest difference in units of the largest logit; infinite where a number is none."""
    if theirs.shape != ours.shape or not ours.isfinite().all():
        return float("inf")
    return ((theirs - ours).abs().max() / theirs.abs().max()).item()


@torch.no_grad()
def compare(name, arguments):
    """One row of the table, and whether the network agrees."""
    generator = torch.Generator().manual_seed(1)
    model = models.get_model(name, weights=None).eval()
    networks.randomise(model, generator)
    side = arguments.side
    images = torch.randn(arguments.batch, 3, side, side, generator=generator)
    theirs = model(images)
    parameters = networks.parameter_count(model)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        weights = save_weights(model, folder, arguments.pth)
        del model
        save_file({"images": images}, folder / "in.safetensors")
        files = weights, folder / "in.safetensors", folder / "out.safetensors"
        ours = predict(arguments.kiln, name, *files)
    our_parameters, our_macs = summary(arguments.kiln, name)
    published = models.get_model_weights(name)["IMAGENET1K_V1"].meta
    differs = deviation(theirs, ours)
    good = (
        differs <= arguments.tolerance
        and parameters == our_parameters == published["num_params"]
        and round(our_macs / 1e9, 3) == published["_ops"]
    )
    row = [
        name,
        f"{parameters:,}",
        f"{our_parameters:,}",
        f"{published['num_params']:,}",
        f"{our_macs / 1e9:.3f}",
        f"{published['_ops']:.3f}",
        f"{differs:.1e}",
        "ok" if good else "DIFFER",
    ]
    return row, good


def print_row(cells, markdown):
    if markdown:
        line = "| " + " | ".join(cells) + " |"
    else:
        first, *rest = zip(cells, COLUMNS)
        padded = [first[0].ljust(first[1][1])]
        padded += [cell.rjust(width) for cell, (_, width) in rest]
        line = "  ".join(padded)
    print(line, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kiln", default="target/release/kiln", help="the program [%(default)s]")
    parser.add_argument("--models", default=",".join(MODELS), help="separated by commas [all]")
    parser.add_argument("--side", type=int, default=224, help="side of the images [%(default)s]")
    parser.add_argument("--batch", type=int, default=1, help="images [%(default)s]")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="deviation [%(default)s]")
    parser.add_argument("--pth", action="store_true", help="weights as .pth, not safetensors")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    arguments = parser.parse_args()
    chosen = [name.strip() for name in arguments.models.split(",") if name.strip()]
    unknown = [name for name in chosen if name not in MODELS]
    if unknown:
        parser.error(f"not among the models: {', '.join(unknown)}")
    torch.set_num_threads(1)
    print_row([title for title, _ in COLUMNS], arguments.markdown)
    if arguments.markdown:
        print_row(["---"] + ["---:"] * (len(COLUMNS) - 2) + ["---"], True)
    failed = []
    for name in chosen:
        row, good = compare(name, arguments)
        print_row(row, arguments.markdown)
        if not good:
            failed.append(name)
    if failed:
        sys.exit(f"these differ: {', '.join(failed)}")


if __name__ == "__main__":
    main()
