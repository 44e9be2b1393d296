"""Compares the graphs that kiln writes as ONNX with kiln's own logits, by way of onnxruntime.

    cargo build --release --features onnx
    python tests/torch/onnx_check.py --models lenet,alexnet,resnet20
    python tests/torch/onnx_check.py --runs runs/latest

An untrained network is exported twice with one seed, as safetensors and as ONNX; `kiln predict`
computes the logits of the first and onnxruntime those of the second, for one image and for three.
A run is exported and predicted as it is, so its batch norms have statistics of their own. Without
--models and --runs every network is compared, and one that kiln refuses to write is no failure.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import numpy
    import onnxruntime
    from safetensors.numpy import load_file, save_file
except ImportError as error:
    name = error.name.split(".")[0]
    raise SystemExit(f"{name} is missing; install it with: pip install {name}") from None

BATCHES = (1, 3)
SEED = "7"
# What kiln says of a network with a layer that the exporter does not know.
REFUSAL = "cannot be written as ONNX"


class Refused(Exception):
    """A network that kiln does not write."""


def kiln(program, *arguments):
    command = [program, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        complaint = done.stderr.strip().removeprefix("error: ")
        if REFUSAL in complaint:
            raise Refused(complaint)
        raise SystemExit(f"{' '.join(command)} failed: {complaint}")
    return done.stdout


def export(program, what, folder, options=()):
    """Writes the graph of a run or a network and opens it."""
    path = folder / "network.onnx"
    kiln(program, "export", what, "--format", "onnx", "--output", path, "--force", *options)
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
    inputs, outputs = session.get_inputs(), session.get_outputs()
    names = [value.name for value in inputs + outputs]
    if names != ["images", "logits"]:
        raise SystemExit(f"{what}: the graph has {names} instead of images and logits")
    return session, inputs[0].shape[1:]


def deviation(program, session, shape, folder, source):
    """The largest difference of a logit, and the largest logit."""
    images, answer = folder / "images.safetensors", folder / "logits.safetensors"
    worst = largest = 0.0
    for batch in BATCHES:
        values = numpy.random.default_rng(batch).standard_normal((batch, *shape), numpy.float32)
        save_file({"images": values}, images)
        answer.unlink(missing_ok=True)
        kiln(program, "predict", *source, "--tensor", images, "--output", answer, "--force")
        ours = load_file(answer)["logits"]
        (theirs,) = session.run(["logits"], {"images": values})
        if ours.shape != theirs.shape:
            raise SystemExit(f"{source}: {theirs.shape} in ONNX, {ours.shape} in kiln")
        worst = max(worst, float(numpy.abs(ours - theirs).max()))
        largest = max(largest, float(numpy.abs(ours).max()))
    return worst, largest


def of_network(program, name, folder):
    session, shape = export(program, name, folder, ["--seed", SEED])
    weights = folder / "network.safetensors"
    kiln(program, "export", name, "--seed", SEED, "--output", weights, "--force")
    source = ["--model", name, "--weights", weights]
    return deviation(program, session, shape, folder, source)


def of_run(program, run, folder):
    session, shape = export(program, run, folder)
    return deviation(program, session, shape, folder, [run])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kiln", default="target/release/kiln", help="the program [%(default)s]")
    parser.add_argument("--models", help="networks, separated by commas [default: all]")
    parser.add_argument("--runs", nargs="*", default=[], help="run folders to compare as well")
    tolerance = "difference allowed, as a share of the largest logit [%(default)s]"
    parser.add_argument("--tolerance", type=float, default=1e-4, help=tolerance)
    arguments = parser.parse_args()
    program = arguments.kiln
    if arguments.models:
        names = arguments.models.split(",")
    elif arguments.runs:
        names = []
    else:
        rows = json.loads(kiln(program, "list", "models", "--format", "json"))
        names = [row["name"] for row in rows]
    compared = [(name, of_network) for name in names] + [(run, of_run) for run in arguments.runs]
    wrong, refused = [], []
    print(f"{'network':24} {'largest logit':>14} {'deviation':>10}")
    for name, compare in compared:
        with tempfile.TemporaryDirectory() as folder:
            try:
                worst, largest = compare(program, name, Path(folder))
            except Refused as error:
                refused.append(name)
                print(f"{name:24} {'-':>14} {'-':>10}  refused: {error}", flush=True)
                continue
        right = worst <= arguments.tolerance * largest
        wrong += [] if right else [name]
        verdict = "ok" if right else "WRONG"
        print(f"{name:24} {largest:14.4g} {worst:10.1e}  {verdict}", flush=True)
    print(f"{len(compared) - len(wrong) - len(refused)} agree, {len(refused)} refused")
    if wrong or (refused and arguments.models):
        sys.exit(f"without the same logits: {', '.join(wrong + refused)}")


if __name__ == "__main__":
    main()
