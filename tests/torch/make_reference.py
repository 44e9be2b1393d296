"""Writes the reference files that kiln's tests compare themselves with, or checks them.

    python tests/torch/make_reference.py            # writes tests/torch/reference/
    python tests/torch/make_reference.py --check    # computes everything again and compares
    python tests/torch/make_reference.py --noise    # float32 against float64: what to tolerate

twin-NAME.safetensors: a narrow network with random weights, in evaluation mode. Tensors:
`weights/<name in the state dict>`, `images`, `logits`. The forward pass of the ImageNet families is
torchvision's own code, with fewer channels and for some with fewer blocks; `preact` and
`resnet20-projection` are those of networks.py.

steps-NAME.safetensors: five training steps with batch statistics and the mean cross entropy.
Tensors: `initial/<name>` before the first step, `images` and `targets` of the five batches, `loss`
of each step of SGD, `gradient/<name>` of the first batch, `sgd/<name>` and `adam/<name>` after five
steps of SGD (0.05, momentum 0.9, weight decay 5e-4) and of Adam (0.001), both from `initial`. The
seeds are those of choose_seeds.py, so that rounding does not decide on which side of 0 a ReLU is.

The counters `num_batches_tracked` are left out everywhere, and in `adam/` the biases that batch
normalisation takes away again (with the running means that they shift): rounding makes them. With
the same version of PyTorch on the same machine the files are the same to the last byte.
"""

import argparse
import copy
import math
from pathlib import Path

import networks
import torch
from torch import nn
from torch.nn import functional as F

try:
    from safetensors.torch import load_file, save_file
    from torchvision import models
    from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet
except ImportError as error:
    name = error.name
    raise SystemExit(f"{name} is missing; install it with: pip install {name}") from None

REFERENCE = Path(__file__).parent / "reference"
CLASSES = 10
STEPS = 5


def narrow(model, divisor, hidden=None):
    """Divides the channels of every layer, except the colours and the classes, in place; the hidden
    layers of a classifier, 4096 wide, get `hidden` units where that is given."""

    def divided(channels):
        if channels in (3, CLASSES):
            return channels
        return hidden if hidden and channels == 4096 else channels // divisor

    for module in list(model.modules()):
        for name, layer in list(module.named_children()):
            if isinstance(layer, nn.Conv2d):
                new = nn.Conv2d(
                    divided(layer.in_channels),
                    divided(layer.out_channels),
                    layer.kernel_size,
                    layer.stride,
                    layer.padding,
                    groups=layer.groups,
                    bias=layer.bias is not None,
                )
            elif isinstance(layer, nn.BatchNorm2d):
                new = nn.BatchNorm2d(divided(layer.num_features), layer.eps, layer.momentum)
            elif isinstance(layer, nn.Linear):
                new = nn.Linear(divided(layer.in_features), divided(layer.out_features))
            else:
                continue
            setattr(module, name, new)
    return model


def resnet(block, divisor, **groups):
    """torchvision's ResNet of one block per stage."""
    return narrow(ResNet(block, [1, 1, 1, 1], num_classes=CLASSES, **groups), divisor)


# Name, network, side of the images. 44 is a side at which the poolings of SqueezeNet round up.
TWINS = {
    "alexnet": (lambda: narrow(models.alexnet(num_classes=CLASSES), 32), 64),
    "vgg11": (lambda: narrow(models.vgg11(num_classes=CLASSES), 32, 32), 32),
    "vgg11_bn": (lambda: narrow(models.vgg11_bn(num_classes=CLASSES), 32, 32), 32),
    "resnet-basic": (lambda: resnet(BasicBlock, 8), 48),
    "resnet-bottleneck": (lambda: resnet(Bottleneck, 16), 48),
    "resnext": (lambda: resnet(Bottleneck, 16, groups=4, width_per_group=32), 48),
    "densenet": (
        lambda: models.DenseNet(
            growth_rate=4,
            block_config=(2, 2, 2, 2),
            num_init_features=8,
            bn_size=4,
            num_classes=CLASSES,
        ),
        64,
    ),
    "mobilenet_v2": (lambda: models.mobilenet_v2(num_classes=CLASSES, width_mult=0.1), 48),
    "squeezenet1_1": (lambda: narrow(models.squeezenet1_1(num_classes=CLASSES), 8), 44),
    "preact": (lambda: networks.preact_resnet18(width=4), 32),
    "resnet20-projection": (lambda: networks.resnet_cifar(20, 4, "projection"), 32),
}

# Name, network, shape of a batch, seed.
TRAININGS = {
    "lenet": (lambda: networks.LeNet(1, 16), (8, 1, 16, 16), 139),
    "resnet20": (lambda: networks.resnet_cifar(20, 4, "pad"), (4, 3, 16, 16), 280),
    "vgg11": (lambda: networks.vgg_cifar(11, 3), (4, 3, 32, 32), 236),
}


def prefixed(prefix, tensors):
    return {f"{prefix}/{name}": value for name, value in tensors.items()}


@torch.no_grad()
def scale_logits(model, images):
    """Brings the logits to the order of 1, by a power of two so that rounding has no say in it."""
    logits = copy.deepcopy(model)(images)
    last = [layer for layer in model.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))][-1]
    factor = 2.0 ** -round(math.log2(logits.std()))
    last.weight *= factor
    last.bias *= factor


def make_twin(name, dtype):
    build, side = TWINS[name]
    generator = torch.Generator().manual_seed(1)
    model = build()
    networks.randomise(model, generator)
    model.eval()
    images = torch.randn(2, 3, side, side, generator=generator)
    scale_logits(model, images)
    with torch.no_grad():
        logits = model.to(dtype)(images.to(dtype))
    weights = networks.named_state(model)
    return {**prefixed("weights", weights), "images": images, "logits": logits}


def train(model, images, targets, optimizer):
    """Trains on every batch once; returns the losses and the gradient of the first batch."""
    losses = []
    gradient = None
    for batch, classes in zip(images, targets):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(batch), classes)
        loss.backward()
        if gradient is None:
            gradient = {name: p.grad.clone() for name, p in model.named_parameters()}
        optimizer.step()
        losses.append(loss.detach())
    return torch.stack(losses), gradient


def biases_without_effect(model):
    """Names of the biases that batch normalisation takes away again, and of the running means that
    they shift. The gradient of such a bias is 0 but for rounding, of which Adam makes steps."""
    names = set()
    layers = list(model.named_modules())
    for (name, layer), (next_name, next_layer) in zip(layers, layers[1:]):
        convolution = isinstance(layer, nn.Conv2d) and layer.bias is not None
        if convolution and isinstance(next_layer, nn.BatchNorm2d):
            names |= {f"{name}.bias", f"{next_name}.running_mean"}
    return names


def make_steps(name, dtype, seed=None):
    build, shape, chosen = TRAININGS[name]
    generator = torch.Generator().manual_seed(chosen if seed is None else seed)
    initial = build()
    networks.randomise(initial, generator)
    images = torch.randn(STEPS, *shape, generator=generator)
    targets = torch.randint(CLASSES, (STEPS, shape[0]), generator=generator)
    scale_logits(initial, images[0])
    initial.to(dtype)
    with_sgd, with_adam = copy.deepcopy(initial), copy.deepcopy(initial)
    sgd = torch.optim.SGD(with_sgd.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    adam = torch.optim.Adam(with_adam.parameters(), lr=1e-3, betas=(0.9, 0.999), eps=1e-8)
    loss, gradient = train(with_sgd, images.to(dtype), targets, sgd)
    train(with_adam, images.to(dtype), targets, adam)
    after_adam = networks.named_state(with_adam)
    for bias in biases_without_effect(initial):
        del after_adam[bias]
    return {
        **prefixed("initial", networks.named_state(initial)),
        "images": images,
        "targets": targets,
        "loss": loss,
        **prefixed("gradient", gradient),
        **prefixed("sgd", networks.named_state(with_sgd)),
        **prefixed("adam", after_adam),
    }


def references(dtype=torch.float32):
    """Every file: its name and its tensors."""
    for name in TWINS:
        yield f"twin-{name}", make_twin(name, dtype)
    for name in TRAININGS:
        yield f"steps-{name}", make_steps(name, dtype)


def deviation(one, other):
    return (one.double() - other.double()).abs().max().item()


def write():
    REFERENCE.mkdir(exist_ok=True)
    for name, tensors in references():
        path = REFERENCE / f"{name}.safetensors"
        tensors = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
        save_file(tensors, path)
        print(f"{path.name:36} {len(tensors):4} tensors {path.stat().st_size:9,} bytes")


def check(tolerance):
    """Compares the files with a new computation; returns whether all agree."""
    agree = True
    for name, tensors in references():
        path = REFERENCE / f"{name}.safetensors"
        saved = load_file(path) if path.is_file() else {}
        if {n: t.shape for n, t in saved.items()} != {n: t.shape for n, t in tensors.items()}:
            print(f"{path.name:36} missing or with other tensors")
            agree = False
            continue
        worst = max(tensors, key=lambda n: deviation(saved[n], tensors[n]))
        largest = deviation(saved[worst], tensors[worst])
        good = largest <= tolerance
        agree &= good
        print(f"{path.name:36} max |difference| {largest:.1e} {'ok' if good else 'in ' + worst}")
    return agree


def show_noise():
    """Prints how far float32 is from float64, group by group, with the tensor that is worst."""
    for (name, single), (_, double) in zip(references(), references(torch.float64)):
        groups = {}
        for tensor in single:
            difference = deviation(single[tensor], double[tensor])
            groups.setdefault(tensor.split("/")[0], []).append((difference, tensor))
        for group in groups:
            difference, tensor = max(groups[group])
            if difference > 0:
                print(f"{name:26} {group:10} {difference:.1e}  worst in {tensor}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="compare instead of writing")
    mode.add_argument("--noise", action="store_true", help="show what rounding does")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="of --check [1e-4]")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    if arguments.noise:
        show_noise()
    elif not arguments.check:
        write()
    elif not check(arguments.tolerance):
        raise SystemExit("the reference files do not agree with this computation")


if __name__ == "__main__":
    main()
