"""Writes the files beside this script with PyTorch 2 and safetensors.

The network of tests/common/mod.rs, its weights quarters and so exact in every float type.
"""

import pathlib
import pickle
import zipfile

import torch
from safetensors.torch import save_file
from torch import nn

HERE = pathlib.Path(__file__).parent


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 2, 2), nn.BatchNorm2d(2))
        self.fc = nn.Linear(8, 3)

    def forward(self, images):
        return self.fc(torch.relu(self.features(images)).flatten(1))


class Strange:
    pass


def save(name, state, **options):
    torch.save(state, HERE / name, **options)


net = Net().eval()
with torch.no_grad():
    for tensor in net.state_dict().values():
        count = tensor.numel()
        if tensor.is_floating_point():
            tensor.copy_((torch.arange(count) - count // 3).reshape(tensor.shape) / 4)
    net.features[1].running_var.copy_(torch.tensor([0.5, 2.0]))
state = dict(net.state_dict())
floats = {name: tensor for name, tensor in state.items() if tensor.is_floating_point()}

save("plain.pth", state)
save("legacy.pth", state, _use_new_zipfile_serialization=False)
save("nested.pth", {"epoch": 3, "state_dict": {"module." + name: tensor for name, tensor in state.items()}})
save("compiled.pth", {"net": {"_orig_mod." + name: tensor for name, tensor in state.items()}, "lr": 0.1})
dtypes = [torch.float16, torch.bfloat16, torch.float64]
mixed = {name: tensor.to(dtypes[at % 3]) for at, (name, tensor) in enumerate(floats.items())}
save("mixed.pth", mixed)
save_file(mixed, HERE / "mixed.safetensors")
save_file(floats, HERE / "plain.safetensors")
save_file({"module." + name: tensor for name, tensor in state.items()}, HERE / "wrapped.safetensors")
save_file({**floats, "steps": torch.tensor([1, 2])}, HERE / "integers.safetensors")
save("integers.pth", {**floats, "steps": torch.tensor([1, 2])})
save("nan.pth", {**floats, "fc.bias": torch.tensor([0.0, float("nan"), 1.0])})

images = torch.arange(18).reshape(2, 1, 3, 3) / 8
with torch.no_grad():
    save_file({"images": images, "logits": net(images)}, HERE / "forward.safetensors")

for name, value in {"list": [1, 2], "int": 7, "object": Strange(), "dictionary": {"a": 1}}.items():
    (HERE / f"{name}.pkl").write_bytes(pickle.dumps(value))
with zipfile.ZipFile(HERE / "no_pickle.zip", "w") as archive:
    archive.writestr("readme.txt", "nothing here")
