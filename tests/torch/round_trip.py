"""Takes a LeNet that kiln trained to PyTorch and back, and counts the same images both times.

    kiln train lenet --dataset mnist --data-dir DATA
    python tests/torch/round_trip.py --data-dir DATA --run runs/latest

There: `kiln export` writes the weights, PyTorch loads them and classifies the test images that it
reads and normalises by itself; `kiln eval` of the run must find the same confusion matrix. And
back: PyTorch saves its state dict, `kiln import` makes a run folder of it, and the confusion
matrices of that one must agree too. A run that was not trained on MNIST is only taken back, since
its own images are not files that PyTorch could read.
"""

import argparse
import gzip
import json
import sys
import tempfile
from pathlib import Path

import networks
import torch
from parity import kiln

try:
    import numpy
    from safetensors.torch import load_file
except ImportError as error:
    name = error.name
    raise SystemExit(f"{name} is missing; install it with: pip install {name}") from None

DATASET = "mnist"


# The calls of kiln, all in one place.


def export_weights(program, run, output):
    kiln(program, "export", run, "--format", "safetensors", "--output", output)


def import_weights(program, weights, data_dir, runs):
    """Makes a run folder of the weights and returns its path."""
    source = ["--model", "lenet", "--weights", weights, "--dataset", DATASET]
    kiln(program, "import", *source, "--data-dir", data_dir, "--output-dir", runs)
    folders = {manifest.parent.resolve() for manifest in runs.glob("*/run.json")}
    if len(folders) != 1:
        raise SystemExit(f"kiln import made {len(folders)} run folders instead of one")
    return folders.pop()


def confusion_in_kiln(program, run, data_dir):
    options = ["--split", "test", "--format", "json", "--data-dir", data_dir, "--offline"]
    report = json.loads(kiln(program, "eval", run, *options))
    return numpy.array(report["confusion"])


# The same in PyTorch.


def read_idx(folder, name):
    """A file in the IDX format, compressed or not, as an array of bytes."""
    plain, packed = folder / name, folder / f"{name}.gz"
    if plain.is_file():
        data = plain.read_bytes()
    elif packed.is_file():
        data = gzip.decompress(packed.read_bytes())
    else:
        raise SystemExit(f"there is neither {plain} nor {packed}")
    dimensions = data[3]
    if data[:3] != b"\x00\x00\x08":
        raise SystemExit(f"{name} is no IDX file of bytes")
    shape = numpy.frombuffer(data, ">u4", dimensions, 4)
    return numpy.frombuffer(data, numpy.uint8, offset=4 + 4 * dimensions).reshape(shape)


def normalisation(run):
    """The mean and the standard deviation that kiln keeps in run.json."""
    kept = json.loads((run / "run.json").read_text())["normalization"]
    channels, height, width = map(int, kept["input"].split("x"))
    mean = numpy.array(kept["mean"], numpy.float32)
    whole_image = kept["kind"] == "mean-image"
    mean = mean.reshape((channels, height, width) if whole_image else (channels, 1, 1))
    return mean, numpy.array(kept["std"], numpy.float32).reshape(channels, 1, 1)


@torch.no_grad()
def confusion_in_torch(model, run, data_dir):
    """Test images by true class (row) and predicted class (column)."""
    images = read_idx(data_dir / DATASET, "t10k-images-idx3-ubyte")
    labels = read_idx(data_dir / DATASET, "t10k-labels-idx1-ubyte")
    mean, std = normalisation(run)
    confusion = numpy.zeros((10, 10), int)
    for start in range(0, len(images), 500):
        pixels = images[start : start + 500, None].astype(numpy.float32) / numpy.float32(255)
        logits = model(torch.from_numpy((pixels - mean) / std))
        numpy.add.at(confusion, (labels[start : start + 500], logits.argmax(1).numpy()), 1)
    return confusion


def compare(title, program, run, model, data_dir):
    """Prints both counts and returns whether the confusion matrices are the same."""
    ours = confusion_in_kiln(program, run, data_dir)
    theirs = confusion_in_torch(model, run, data_dir)
    same = numpy.array_equal(ours, theirs)
    count = f"kiln {ours.trace()}, PyTorch {theirs.trace()} of {theirs.sum()} correct"
    print(f"{title:6} {count}, confusion matrices {'equal' if same else 'DIFFER'}", flush=True)
    return same


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kiln", default="target/release/kiln", help="the program [%(default)s]")
    parser.add_argument("--data-dir", type=Path, required=True, help="folder that has mnist/")
    parser.add_argument("--run", type=Path, required=True, help="run folder of a lenet")
    arguments = parser.parse_args()
    program, data_dir = arguments.kiln, arguments.data_dir
    run = arguments.run.resolve()
    if not (run / "run.json").is_file():
        raise SystemExit(f"{arguments.run} is no run folder: it has no run.json")
    settings = json.loads((run / "run.json").read_text())["settings"]
    if settings["model"]["name"] != "lenet":
        raise SystemExit(f"the run is of {settings['model']['name']}, not of lenet")
    torch.set_num_threads(1)
    same = True
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        export_weights(program, run, folder / "lenet.safetensors")
        model = networks.LeNet().eval()
        model.load_state_dict(load_file(folder / "lenet.safetensors"), strict=True)
        if settings["data"]["dataset"] == DATASET:
            same &= compare("there", program, run, model, data_dir)
        else:
            print(f"there  not counted: trained on {settings['data']['dataset']}", flush=True)
        torch.save(model.state_dict(), folder / "lenet.pth")
        imported = import_weights(program, folder / "lenet.pth", data_dir, folder / "runs")
        same &= compare("back", program, imported, model, data_dir)
    if not same:
        sys.exit("kiln and PyTorch disagree")


if __name__ == "__main__":
    main()
