"""Files of torch.save without torch: the tests write what Python's users have."""
import io
import json
import pickle
import struct
import zipfile


def recipe_of(golden):
    """The YAML of a reference vector's configuration."""
    sections = {}
    for key, value in json.loads(golden.with_suffix(".json").read_text(encoding="utf-8"))["config"].items():
        section, name = key.split(".", 1)
        sections.setdefault(section, {})[name] = value
    return json.dumps(sections)


def tensors_of(golden):
    """Raw bytes and shape of each weight of a reference vector."""
    content = golden.with_suffix(".safetensors").read_bytes()
    size = struct.unpack_from("<Q", content)[0]
    header = json.loads(content[8:8 + size])
    out = {}
    for name, entry in header.items():
        if name.startswith("param/"):
            begin, end = entry["data_offsets"]
            out[name.removeprefix("param/")] = (tuple(entry["shape"]), content[8 + size + begin:8 + size + end])
    return out


def torch_zip(pickled, storages=()):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/byteorder", "little")
        for key, data in storages:
            archive.writestr(f"archive/data/{key}", data)
    return content.getvalue()


def write_checkpoint(file, weights, **more):
    """A file written by Python's pickle as torch.save would write it; weights are {name: (shape, float32 bytes)}."""
    class Tensor:
        def __init__(self, key, shape, count):
            self.key, self.shape, self.count = key, shape, count

    storages = []

    class Pickler(pickle._Pickler):  # the Python one lets names be written that are not installed
        def save(self, value, save_persistent_id=True):
            if isinstance(value, Tensor):
                strides, step = [], 1
                for n in reversed(value.shape):
                    strides.insert(0, step)
                    step *= n
                self.write(b"ctorch._utils\n_rebuild_tensor_v2\n(")
                self.write(b"(")
                super().save("storage")
                self.write(b"ctorch\nFloatStorage\n")
                for part in (value.key, "cpu", value.count):
                    super().save(part)
                self.write(b"tQ")
                for part in (0, tuple(value.shape), tuple(strides), False):
                    super().save(part)
                self.write(b"ccollections\nOrderedDict\n)RtR")
                return
            super().save(value, save_persistent_id)

    state = {}
    for i, (weight, (shape, data)) in enumerate(weights.items()):
        storages.append((str(i), data))
        state[weight] = Tensor(str(i), shape, len(data) // 4)
    content = io.BytesIO()
    Pickler(content, protocol=2).dump({"model_state": state, **more})
    file.write_bytes(torch_zip(content.getvalue(), storages))
    return file
