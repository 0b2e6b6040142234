#!/usr/bin/env python3
"""Writes tests/goldens/image_encoder_lite0.safetensors: what Python computes with the image encoder's weights.

    python3 -m venv V && V/bin/pip install torch==2.15.0 numpy pillow efficientnet-lite-pytorch==0.1.0
    V/bin/python tools/reference/image_encoder.py WEIGHTS.pth [--shared FOLDER] [--normalisation] OUT.safetensors

The net is the package's own. Pictures are drawn by draw() below, which the C++ test repeats, so none is stored; Pillow
scales them. With --shared, frames of the named clips below FOLDER/data are added: their features, not their pixels.
--normalisation, with --shared, writes nothing and prints how well each scaling of the input fits the statistics in the
stem's batch norm (docs/adr/0056).
"""
import argparse
import json
import pathlib
import struct
import subprocess

import efficientnet_lite_pytorch
import numpy
import PIL
import torch
from PIL import Image

SIDE = 224
# Height, width; the kinds of draw() go round. The first ones need no scaling.
IMAGES = [(224, 224), (224, 224), (224, 224), (224, 224), (224, 224)]
FRAMES = [(97, 131), (480, 270), (225, 401), (224, 299), (300, 227), (7, 5)]
# File below data/, number of the frame, height, width. All are yuv420p with square pixels, so ffmpeg converts nothing.
CLIPS = [("actions/pushing/c50156c74016.mp4", 70, 192, 408), ("actions/pointing/3cd417d0af6d.mp4", 60, 284, 192),
         ("actions/fight/28fbdb5ec079.mp4", 20, 192, 256), ("actions/streetlife/ee31f25c4c20.mp4", 40, 192, 256),
         ("captioned/travel/b9862aa2813c.mp4", 20, 160, 212),
         ("captioned/sports_actions/33e595e22a71.mp4", 25, 160, 212)]


def draw(kind, height, width):
    """uint8 [H,W,3]: ramps, a checkerboard and a disk in whole numbers below 2^32; kind 4 is noise."""
    y, x, c = numpy.meshgrid(*(numpy.arange(n, dtype=numpy.uint32) for n in (height, width, 3)), indexing="ij")
    if kind == 4:
        mixed = x * numpy.uint32(73856093) ^ y * numpy.uint32(19349663) ^ c * numpy.uint32(83492791)
        return ((mixed * numpy.uint32(2654435761)) >> numpy.uint32(24)).astype(numpy.uint8)
    ramp = x * (c + 1) * numpy.uint32(kind + 1) // numpy.uint32(2) + y * (3 - c)
    checks = ((x // numpy.uint32(8 << kind)) ^ (y // numpy.uint32(8 << kind))) * numpy.uint32(37 * kind)
    across, down = 2 * x.astype(numpy.int64) - width, 2 * y.astype(numpy.int64) - height
    inside = 4 * (across * across + down * down) < min(height, width) ** 2
    value = (ramp + checks) & numpy.uint32(255)
    return numpy.where(inside, numpy.uint32(255) - value, value).astype(numpy.uint8)


def read_frame(path, number, height, width):
    """uint8 [H,W,3] of one frame: planes from ffmpeg, made RGB here by BT.601 in whole numbers, chroma not smoothed."""
    data = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-i", path, "-vf", f"select=eq(n\\,{number})", "-frames:v", "1",
         "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"], stdout=subprocess.PIPE, check=True).stdout
    half = (height // 2, width // 2)
    planes = numpy.frombuffer(data, numpy.uint8).astype(numpy.int32)
    luma = planes[:height * width].reshape(height, width) - 16
    u, v = (plane.repeat(2, 0).repeat(2, 1) - 128 for plane in planes[height * width:].reshape(2, *half))
    rgb = [298 * luma + 409 * v, 298 * luma - 100 * u - 208 * v, 298 * luma + 516 * u]
    return numpy.stack([((plane + 128) >> 8).clip(0, 255) for plane in rgb], 2).astype(numpy.uint8)


def central_square(picture):
    """float32 [3,224,224] of 0 to 255: the short side to 224, bicubic with antialiasing, then the middle.
    The sizes are those of torchvision's Resize(224) and CenterCrop(224); Pillow works in float, without rounding."""
    height, width, _ = picture.shape
    short = min(height, width)
    size = (SIDE if width == short else SIDE * width // short, SIDE if height == short else SIDE * height // short)
    left, top = round((size[0] - SIDE) / 2), round((size[1] - SIDE) / 2)
    planes = []
    for channel in range(3):
        plane = Image.fromarray(picture[:, :, channel].astype(numpy.float32))
        if size != (width, height):
            plane = plane.resize(size, Image.Resampling.BICUBIC)
        planes.append(numpy.asarray(plane)[top:top + SIDE, left:left + SIDE].clip(0, 255))
    return numpy.stack(planes)


def run(net, pictures):
    """float32 features [N,1280] and logits [N,1000]."""
    images = torch.from_numpy(numpy.stack([central_square(p) for p in pictures]))
    with torch.inference_mode():
        features = net.extract_features((images - 127) / 128).mean((2, 3))
        return features.numpy(), net._fc(features).numpy()


def varied_frames(shared):
    """float32 [N,3,224,224] of 0 to 255: a frame of every fifth captioned clip, which are of every kind."""
    folder, frames = shared / "data/captioned", []
    for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()[::5]:
        data = subprocess.run(
            ["ffmpeg", "-nostdin", "-v", "error", "-ss", "4", "-i", folder / json.loads(line)["file"],
             "-vf", f"scale={SIDE}:{SIDE}:force_original_aspect_ratio=increase,crop={SIDE}:{SIDE}", "-frames:v", "1",
             "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], stdout=subprocess.PIPE, check=True).stdout
        frames.append(numpy.frombuffer(data, numpy.uint8).reshape(SIDE, SIDE, 3).transpose(2, 0, 1))
    return torch.from_numpy(numpy.stack(frames)).float()


def stem_fit(net, images):
    """For each scaling of the input: variance of the stem's output over the batch norm's; the live channels' median."""
    mean, std = (torch.tensor(t).view(3, 1, 1) for t in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    live = net._bn0.running_var > 1e-3
    for name, scaled in {"(x-127)/128": (images - 127) / 128, "x/255": images / 255,
                         "(x/255-mean)/std of ImageNet": (images / 255 - mean) / std}.items():
        with torch.inference_mode():
            ratio = net._conv_stem(scaled).var((0, 2, 3)) / net._bn0.running_var
        print(f"{name}: {ratio[live].median():.3f} (1 is a fit)")


def write_safetensors(path, tensors, metadata):
    header, data = {"__metadata__": metadata}, b""
    for name, array in tensors.items():
        raw = numpy.ascontiguousarray(array, "<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights")
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--shared", type=pathlib.Path)
    parser.add_argument("--normalisation", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    net = efficientnet_lite_pytorch.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=options.weights)
    net.eval()
    if options.normalisation:
        stem_fit(net, varied_frames(options.shared))
        return
    tensors = {}
    tensors["images.features"], tensors["images.logits"] = run(net, [draw(i, *s) for i, s in enumerate(IMAGES)])
    tensors["frames.features"], _ = run(net, [draw(i % 5, *s) for i, s in enumerate(FRAMES)])
    metadata = {"made_by": f"tools/reference/image_encoder.py, torch {torch.__version__}, Pillow {PIL.__version__}, "
                           "efficientnet-lite-pytorch 0.1.0",
                "images": json.dumps(IMAGES), "frames": json.dumps(FRAMES)}
    if options.shared:
        frames = [read_frame(options.shared / "data" / file, *rest) for file, *rest in CLIPS]
        tensors["clips.features"], _ = run(net, frames)
        metadata["clips"] = json.dumps(CLIPS)
    write_safetensors(options.out, tensors, metadata)


if __name__ == "__main__":
    main()
