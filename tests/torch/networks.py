"""PyTorch definitions of kiln's networks for small images, parameter names included.

They are written from the papers and from kiln's documentation, independently of the Rust code, so
that the two can be compared:

- LeNet: Y. LeCun et al. 1998, as it is used today (ReLU, max pooling),
- ResNet for CIFAR: K. He et al. 2015, section 4.2, shortcuts A ("pad") and B ("projection"),
- VGG for CIFAR: the configurations A, B, D, E of K. Simonyan and A. Zisserman 2015 with batch
  normalisation and one linear layer,
- PreAct ResNet-18: K. He et al. 2016.

Print and check the parameter counts:

    python tests/torch/networks.py
"""

try:
    import torch
    from torch import nn
    from torch.nn import functional as F
except ImportError:
    raise SystemExit("PyTorch is missing; install it with: pip install torch") from None


class LeNet(nn.Module):
    """LeNet-5 with ReLU and max pooling; images smaller than 32x32 are padded by 2."""

    def __init__(self, channels=1, side=28, classes=10):
        super().__init__()
        padding = 2 if side < 32 else 0
        map_side = ((side + 2 * padding - 4) // 2 - 4) // 2
        self.conv1 = nn.Conv2d(channels, 6, 5, padding=padding)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * map_side * map_side, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.flatten(1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


def conv3x3(channels_in, channels_out, stride=1):
    """A 3x3 convolution without bias that keeps the size of the image at stride 1."""
    return nn.Conv2d(channels_in, channels_out, 3, stride=stride, padding=1, bias=False)


class PadShortcut(nn.Module):
    """Option A: every second pixel, and zero channels, half before and half after."""

    def __init__(self, channels_in, channels_out):
        super().__init__()
        self.new = channels_out - channels_in

    def forward(self, x):
        before = self.new // 2
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, before, self.new - before))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with batch normalisation beside a shortcut."""

    def __init__(self, channels_in, channels_out, stride, shortcut):
        super().__init__()
        self.conv1 = conv3x3(channels_in, channels_out, stride)
        self.bn1 = nn.BatchNorm2d(channels_out)
        self.conv2 = conv3x3(channels_out, channels_out)
        self.bn2 = nn.BatchNorm2d(channels_out)
        self.downsample = None
        if stride != 1 or channels_in != channels_out:
            if shortcut == "pad":
                self.downsample = PadShortcut(channels_in, channels_out)
            else:
                self.downsample = nn.Sequential(
                    nn.Conv2d(channels_in, channels_out, 1, stride=stride, bias=False),
                    nn.BatchNorm2d(channels_out),
                )

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.bn2(self.conv2(x))
        return F.relu(x + shortcut)


class PreActBlock(nn.Module):
    """Normalisation and ReLU before each convolution; a projection sees the activated input."""

    def __init__(self, channels_in, channels_out, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(channels_in)
        self.conv1 = conv3x3(channels_in, channels_out, stride)
        self.bn2 = nn.BatchNorm2d(channels_out)
        self.conv2 = conv3x3(channels_out, channels_out)
        self.downsample = None
        if stride != 1 or channels_in != channels_out:
            projection = nn.Conv2d(channels_in, channels_out, 1, stride=stride, bias=False)
            self.downsample = nn.Sequential(projection)

    def forward(self, x):
        active = F.relu(self.bn1(x))
        shortcut = x if self.downsample is None else self.downsample(active)
        x = self.conv1(active)
        x = self.conv2(F.relu(self.bn2(x)))
        return x + shortcut


class ResNetCifar(nn.Module):
    """Three stages of basic blocks, each of half the size and twice the channels."""

    def __init__(self, depth=20, width=16, shortcut="pad", classes=10):
        super().__init__()
        if depth % 6 != 2:
            raise ValueError(f"the depth must be 6n+2, not {depth}")
        if shortcut not in ("pad", "projection"):
            raise ValueError(f"the shortcut is 'pad' or 'projection', not '{shortcut}'")
        blocks = (depth - 2) // 6

        def stage(channels_in, channels_out, stride):
            rest = [BasicBlock(channels_out, channels_out, 1, shortcut) for _ in range(blocks - 1)]
            return nn.Sequential(BasicBlock(channels_in, channels_out, stride, shortcut), *rest)

        self.conv1 = conv3x3(3, width)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = stage(width, width, 1)
        self.layer2 = stage(width, 2 * width, 2)
        self.layer3 = stage(2 * width, 4 * width, 2)
        self.fc = nn.Linear(4 * width, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean((2, 3)))


class PreActResNet18(nn.Module):
    """Four stages of two pre-activation blocks; no normalisation after the last one."""

    def __init__(self, width=64, classes=10):
        super().__init__()

        def stage(channels_in, channels_out, stride):
            first = PreActBlock(channels_in, channels_out, stride)
            return nn.Sequential(first, PreActBlock(channels_out, channels_out, 1))

        self.conv1 = conv3x3(3, width)
        self.layer1 = stage(width, width, 1)
        self.layer2 = stage(width, 2 * width, 2)
        self.layer3 = stage(2 * width, 4 * width, 2)
        self.layer4 = stage(4 * width, 8 * width, 2)
        self.fc = nn.Linear(8 * width, classes)

    def forward(self, x):
        x = self.layer2(self.layer1(self.conv1(x)))
        x = self.layer4(self.layer3(x))
        return self.fc(x.mean((2, 3)))


# Convolutions of the five stages; each stage ends with a pooling.
VGG_STAGES = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}


class VggCifar(nn.Module):
    """VGG with batch normalisation for images of 32x32, which five poolings bring to 1x1."""

    def __init__(self, depth, width=64, classes=10):
        super().__init__()
        layers = []
        channels = 3
        for stage, convolutions in enumerate(VGG_STAGES[depth]):
            stage_width = width * min(2**stage, 8)
            for _ in range(convolutions):
                layers.append(nn.Conv2d(channels, stage_width, 3, padding=1))
                layers.append(nn.BatchNorm2d(stage_width))
                layers.append(nn.ReLU())
                channels = stage_width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(channels, classes)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


def resnet_cifar(depth=20, width=16, shortcut="pad", classes=10):
    """ResNet for CIFAR with `depth` layers that have weights."""
    return ResNetCifar(depth, width, shortcut, classes)


def vgg_cifar(depth, width=64, classes=10):
    """VGG for CIFAR of depth 11, 13, 16 or 19; `width` is that of the first stage."""
    return VggCifar(depth, width, classes)


def preact_resnet18(width=64, classes=10):
    """PreAct ResNet-18 for CIFAR."""
    return PreActResNet18(width, classes)


def parameter_count(model):
    """Number of learnable values."""
    return sum(parameter.numel() for parameter in model.parameters())


def named_state(model):
    """The state dict, without the counters of batch normalisation."""
    counter = "num_batches_tracked"
    state = model.state_dict()
    return {name: value for name, value in state.items() if not name.endswith(counter)}


@torch.no_grad()
def randomise(model, generator):
    """Gives every weight, bias and running statistic a random value of a size that keeps signals
    near 1, so that no tensor can be mistaken for its default or for another one."""
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            fan_in = module.weight[0].numel()
            module.weight.normal_(0, (2 / fan_in) ** 0.5, generator=generator)
            if module.bias is not None:
                module.bias.normal_(0, 0.1, generator=generator)
        elif isinstance(module, nn.BatchNorm2d):
            module.weight.uniform_(0.5, 1.5, generator=generator)
            module.bias.normal_(0, 0.2, generator=generator)
            module.running_mean.normal_(0, 0.2, generator=generator)
            module.running_var.uniform_(0.5, 1.5, generator=generator)


def main():
    expected = [
        ("lenet", LeNet(), 61_706),
        ("resnet20 pad", resnet_cifar(20), 269_722),
        ("resnet20 projection", resnet_cifar(20, shortcut="projection"), 272_474),
        ("resnet110 pad", resnet_cifar(110), 1_727_962),
        ("vgg11", vgg_cifar(11), 9_231_114),
        ("vgg16", vgg_cifar(16), 14_728_266),
        ("preact_resnet18", preact_resnet18(), 11_171_146),
    ]
    for name, model, count in expected:
        print(f"{name:20} {parameter_count(model):>12,}")
        assert parameter_count(model) == count, f"{name} should have {count:,} parameters"


if __name__ == "__main__":
    main()
