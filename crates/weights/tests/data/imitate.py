"""Writes, without PyTorch, files beside this script like those that it writes and kiln refuses."""

import collections
import io
import pathlib
import pickle
import sys
import types
import zipfile

HERE = pathlib.Path(__file__).parent


def named(module, name, kind=type):
    """A class or function that a pickle calls `module.name`."""
    made = type(name, (), {}) if kind is type else lambda *_: None
    made.__module__, made.__qualname__, made.__name__ = module, name, name
    setattr(sys.modules.setdefault(module, types.ModuleType(module)), name, made)
    return made


class Storage:
    def __init__(self, element, key, count):
        self.id = ("storage", named("torch", element), key, "cpu", count)


class Call:
    """What is read as `function(*arguments)`."""

    def __init__(self, module, function, *arguments):
        self.reduced = (named(module, function, "function"), arguments)

    def __reduce__(self):
        return self.reduced


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        return value.id if isinstance(value, Storage) else None


def tensor(element, key, count):
    storage = Storage(element, key, count)
    hooks = collections.OrderedDict()
    return Call("torch._utils", "_rebuild_tensor_v2", storage, 0, (count,), (1,), False, hooks)


def save(name, value, entries=("data/0",)):
    pickled = io.BytesIO()
    Pickler(pickled, 2).dump(value)
    with zipfile.ZipFile(HERE / name, "w") as archive:
        archive.writestr("imitated/data.pkl", pickled.getvalue())
        for entry in entries:
            archive.writestr(f"imitated/{entry}", bytes(16))
        archive.writestr("imitated/version", "3\n")


def weight(value):
    return {"fc.weight": value}


groups = [{"lr": 0.1, "params": [0, 1]}]
save("sgd.pth", {"state": {}, "param_groups": groups}, ())
save("adam.pth", {"state": {0: {"exp_avg": tensor("FloatStorage", "0", 4)}}, "param_groups": groups})
save("complex.pth", weight(tensor("ComplexFloatStorage", "0", 2)))
save("quantised.pth", weight(Call("torch._utils", "_rebuild_qtensor", Storage("QInt8Storage", "0", 4), 0)))
save("sparse.pth", weight(Call("torch._utils", "_rebuild_sparse_tensor", "coo", (tensor("FloatStorage", "0", 4),))))
save("strange.pth", weight(Call("torch._utils", "_rebuild_strange", tensor("FloatStorage", "0", 4))))
script = named("__torch__", "Net")()
script.__dict__.update(training=False, weight=tensor("FloatStorage", "0", 4))
save("script.pth", script, ("data/0", "code/__torch__.py", "constants.pkl"))
