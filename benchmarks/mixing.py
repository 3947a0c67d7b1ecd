"""What mixing a batch costs beside the plain formula and other libraries: in turns, each size in its own process.

What was tried for `mixup_data` and not taken: a scratch aligned to 64 bytes (10% faster at 1797x8x8, 2% at
128x32x32x3, for three obscure lines), a scratch kept between calls (no difference), rows one by one (faster for
rows larger than a block only, where it is done), blocks by fancy indexing in one loop (5 to 25% slower), blocks
three times as large (2 to 6% faster at 128x32x32x3, but more than 1 MB on two threads), and a second thread for
batches of less than 32 MB of float32 (up to 70% slower, and at 128x32x32x3 not faster even if it is kept between
calls; at 256x224x224x3 it saves a quarter).

One trick was faster. NumPy gathers the partners, multiplies them and adds them in three passes over memory; SciPy's
compiled sparse product, `csr_matvecs`, does it in one: 45% faster at 128x32x32x3, where it would be ahead of timm, 20%
at 1797x8x8, 5 to 20% slower at 256x224x224x3, with the formula's bits on x86-64. It is a private function, takes no
float16, and rounds otherwise where its compiler fuses multiply and add. Its public form allocates the result, turns
-0.0 into 0.0, and is no faster than timm.
"""

import argparse
import importlib.util
import json
import subprocess
import sys
import time
import tracemalloc

import numpy as np

SIZES = [(256, 224, 224, 3), (128, 32, 32, 3), (1797, 8, 8), (32, 8, 8)]
BATCHES = [(n, 32, 32, 3) for n in (8, 32, 128, 512, 2048)]
IMAGES = [(64, side, side, 3) for side in (8, 32, 96, 224)]
DTYPES = ["float16", "float32", "float64", "uint8"]


def formula(x, y, rng):
    """MixUp as everybody writes it, with its random numbers and its labels."""
    lam = rng.beta(1, 1)
    index = rng.permutation(len(x))
    return lam * x + (1 - lam) * x[index], y, y[index], lam


def our_ways(x, y):
    from mixup_helpers import mixup_data

    rng, other = np.random.default_rng(0), x.copy()
    out, total = mixup_data(x, y, rng=0)[0], np.empty_like(x)
    return {
        "formula": lambda: formula(x, y, rng),
        "mixup_data": lambda: mixup_data(x, y, rng=rng),
        "mixup_data, out": lambda: mixup_data(x, y, rng=rng, out=out),
        "np.add, out": lambda: np.add(x, other, out=total),  # the floor: two arrays read, one written
    }


def keras_ways(x, y):
    from mixup_helpers._keras import keras, tf

    layer = keras.layers.MixUp(1.0, seed=0)
    batch = {"images": tf.constant(x if x.ndim == 4 else x[..., None]), "labels": tf.constant(y)}
    options, compiled = tf.data.Options(), tf.function(layer)
    options.experimental_optimization.apply_default_optimizations = False  # they work ahead, in the time of others
    mapped = iter(tf.data.Dataset.from_tensors(batch).repeat().map(layer).with_options(options))
    return {"eager": lambda: layer(batch), "tf.function": lambda: compiled(batch), "tf.data": lambda: next(mapped)}


def on_threads(name, way):
    """`way` as torch runs it, on all processors, and on one, as NumPy works."""
    import torch

    def on(number):
        torch.set_num_threads(number)
        return way()

    everything = torch.get_num_threads()
    return {name: lambda: on(everything), f"{name}, one thread": lambda: on(1)}


def torchvision_ways(x, y):
    import torch
    from torchvision.transforms import v2

    mix, y = v2.MixUp(alpha=1.0, num_classes=10), torch.tensor(y.argmax(axis=1))
    x = torch.tensor(x if x.ndim == 4 else x[..., None])  # it takes four axes only
    return on_threads("MixUp", lambda: mix(x, y))


def timm_ways(x, y):
    import timm.data
    import torch

    mix = timm.data.Mixup(mixup_alpha=1.0, label_smoothing=0, num_classes=10)
    x, y = torch.tensor(x), torch.tensor(y.argmax(axis=1))
    return on_threads("Mixup", lambda: mix(x, y)) if len(x) % 2 == 0 else {}  # it takes no odd batches


def skbio_ways(x, y):
    from skbio import table

    flat, rng = x.reshape(len(x), -1), np.random.default_rng(0)
    return {"mixup": lambda: table.mixup(flat, len(flat), y, alpha=1.0, seed=rng)}


LIBRARIES = {"keras": keras_ways, "torchvision": torchvision_ways, "timm": timm_ways, "skbio": skbio_ways}


def measure(shape, dtype, heap, library):
    """One row for each way: median time, its ratio to the formula's, and what it takes of memory at its peak."""
    if heap == "after large arrays":
        np.ones(28 * 2**20, "uint8")  # freed at once: from now on glibc keeps memory up to this size
    rng = np.random.default_rng(0)
    x = (255 * rng.random(shape, "float32")).astype(dtype)
    y = np.eye(10, dtype="float32")[rng.integers(0, 10, shape[0])]
    ways = our_ways(x, y) | (LIBRARIES[library](x, y) if library in LIBRARIES else {})
    once = {name: min(timed(way, 1) for _ in range(3)) for name, way in ways.items()}
    turns = {name: max(1, int(0.005 / seconds)) for name, seconds in once.items()}
    rounds = int(np.clip(4 / sum(once[name] * turns[name] for name in ways), 7, 60))
    spent = {name: np.empty(rounds) for name in ways}
    for r in range(rounds):
        for name in rng.permutation(list(ways)):
            spent[name][r] = timed(ways[name], turns[name])
    rows = []
    for name, way in ways.items():
        ratio = np.percentile(spent[name] / spent["formula"], [50, 25, 75])
        tracemalloc.start()
        way()
        extra = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
        row = {"way": name, "ms": 1000 * np.median(spent[name])}
        row |= dict(zip(["ratio", "low", "high"], ratio, strict=True))
        row["floor"] = np.median(spent[name] / spent["np.add, out"])
        row["peak_mib"] = extra  # of NumPy's memory; TensorFlow's and torch's own is not seen
        rows.append(row)
    return rows


def timed(way, times):
    start = time.perf_counter()
    for _ in range(times):
        way()
    return (time.perf_counter() - start) / times


def main():
    import table  # not at the top: a process that measures has asked for as little memory as can be

    runs = [(shape, "float32", heap, "numpy") for shape in SIZES for heap in ("fresh", "after large arrays")]
    runs += [(shape, "float32", "fresh", "numpy") for shape in BATCHES + IMAGES]
    runs += [((128, 32, 32, 3), dtype, "fresh", "numpy") for dtype in DTYPES]
    there = [name for name in LIBRARIES if importlib.util.find_spec(name)]
    runs += [(shape, "float32", "fresh", name) for name in there for shape in SIZES]
    rows = []
    for shape, dtype, heap, library in dict.fromkeys(runs):
        asked = json.dumps([shape, dtype, heap, library])
        done = subprocess.run([sys.executable, __file__, "--one", asked], capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{asked} failed:\n{done.stderr}")
        known = {"shape": "x".join(map(str, shape)), "dtype": dtype, "heap": heap, "library": library}
        rows += [known | row for row in json.loads(done.stdout.splitlines()[-1])]
        print(*[f"{v:.3g}" if isinstance(v, float) else v for v in rows[-1].values()])
    table.write("mixing", rows)
    missing = sorted(set(LIBRARIES) - set(there))
    print("not installed:", ", ".join(missing) or "nothing is missing")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    if asked := parser.parse_args().one:
        print(json.dumps(measure(*json.loads(asked))))
    else:
        main()
