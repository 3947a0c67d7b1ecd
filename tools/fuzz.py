"""Give the helpers bad input, one argument at a time, and see an error that names the argument: `make fuzz`.

`python tools/fuzz.py "mixup_data x: ragged 3"` tries one input again.
"""

import contextlib
import datetime
import decimal
import faulthandler
import functools
import io
import multiprocessing
import os
import re
import sys
import tempfile
import warnings
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

ROUNDS = 5  # of every kind of bad value for every argument, each drawn anew
SECONDS = 60  # for one input; the first that trains has to compile


class Call(NamedTuple):
    """A function, good arguments for it, drawn from a generator, and which kinds of values are bad for which."""

    name: str
    function: callable
    good: callable
    bad: dict


def failing(method):
    """An object with a method that fails."""

    def fail(self, *args, **kwargs):
        raise RuntimeError(f"{method} fails")

    return type("Hostile", (), {"__getitem__": fail, method: fail})()


def nested(good, rng):
    around = []
    around.append(around)
    return around


def ragged(good, rng):
    some = np.asarray(good).tolist()
    some[rng.integers(len(some))] = [some[0], [[]]]
    return some


def spoilt(value):
    """Good numbers with `value` somewhere among them."""

    def spoil(good, rng):
        array = np.array(good, float)
        array.flat[rng.integers(array.size)] = value
        return array

    return spoil


def read_only(good, rng):
    good.flags.writeable = False
    return good


def size(rng):
    return 10 ** rng.uniform(-9, 9)


# Wrong wherever it stands
KINDS = {
    "an object": lambda good, rng: object(),
    "a class": lambda good, rng: rng.choice([int, float, np.ndarray, np.float64]),
    "a module": lambda good, rng: np,
    "a dict": lambda good, rng: dict.fromkeys(range(rng.integers(9)), 1.0),
    "a set": lambda good, rng: set(range(rng.integers(9))),
    "an ellipsis": lambda good, rng: ...,
    "a day": lambda good, rng: rng.choice([np.datetime64("2020", "D"), datetime.date(2020, 1, 1)]),
    **{
        f"hostile {name}": lambda good, rng, name=name: failing(f"__{name}__")
        for name in ("array", "len", "float", "index", "iter", "eq", "bool", "hash")
    },
}
ODD = set(KINDS)

# Wrong for a number
KINDS |= {
    "none": lambda good, rng: None,
    "text": lambda good, rng: rng.choice(["", "1", "0.5", "nan", "batch", "a" * 10_000]).item(),
    "bytes": lambda good, rng: rng.choice([b"", b"1", b"0.5"]),
    "complex": lambda good, rng: rng.choice([1j, np.complex64(1)]),
    "bool": lambda good, rng: bool(rng.integers(2)),
    "a NumPy bool": lambda good, rng: np.bool_(rng.integers(2)),
    "a decimal": lambda good, rng: decimal.Decimal("0.5"),
    "a time": lambda good, rng: np.timedelta64(rng.integers(9), rng.choice(["s", "D", "generic"])),
    "masked": lambda good, rng: np.ma.masked,
    "a list of it": lambda good, rng: [good],
    "an array of it": lambda good, rng: np.full((1,) * rng.integers(3), good),
    "nan": lambda good, rng: rng.choice([float("nan"), np.float32("nan")]),
    "inf": lambda good, rng: rng.choice([-1, 1]) * rng.choice([float("inf"), np.float32("inf")]),
    "not finite": lambda good, rng: 10 ** int(rng.integers(400, 5000)) * int(rng.choice([-1, 1])),
}
NUMBER = set(KINDS) - {"nan", "inf", "not finite"}
REAL = set(KINDS)

KINDS |= {
    "negative": lambda good, rng: -size(rng),
    "a negative integer": lambda good, rng: -int(10 ** rng.uniform(0, 5000 if rng.integers(2) else 9)),
    "1 and more": lambda good, rng: 1 + rng.choice([0, 1e-9, size(rng)]),
    "above 1": lambda good, rng: rng.choice([1 + 1e-12, 1 + size(rng)]),
    "no alpha": lambda good, rng: rng.choice([5e-324, 1e-301, 1.1e300, 1e308]),
    "0": lambda good, rng: rng.choice([0, 0.0]),
    "a fraction": lambda good, rng: rng.choice([0.5, 1.0, 2.0, size(rng)]),
    "a large integer": lambda good, rng: 2**32 + int(10 ** rng.uniform(0, 9)),
    "a huge integer": lambda good, rng: 10 ** int(rng.integers(400, 9000)),
}
POSITIVE = REAL | {"negative"}
SHARE = POSITIVE | {"1 and more"}
WEIGHT = POSITIVE | {"above 1"}
ALPHA = POSITIVE | {"no alpha"}
INTEGER = NUMBER | {"nan", "inf", "a fraction", "a negative integer"}
COUNT = INTEGER | {"0"}
SEED = INTEGER | {"a large integer", "a huge integer"}
RNG = ODD | {"text", "bytes", "complex", "bool", "a NumPy bool", "a time", "nan", "inf", "a fraction", "negative"}
OTHER = ODD | {"none", "text", "bytes", "nan", "complex", "a list of it", "an array of it", "a day"}  # of a few values
FUNCTION = ODD - {"a class"} | {"none", "text", "nan", "a list of it", "bytes"}
TEXT = ODD | {"none", "bytes", "nan", "bool", "a list of it", "an array of it"}

# Wrong for numbers in an array; `good` is one, of at least two rows
KINDS |= {
    "a scalar": lambda good, rng: rng.choice([0, 1.0, np.float32(1)]),
    "empty": lambda good, rng: np.asarray(good)[:0],
    "ragged": ragged,
    "nested without end": nested,
    "a row that fails": lambda good, rng: [*np.asarray(good).tolist()[1:], failing("__array__")],
    "texts": lambda good, rng: np.full(np.shape(good), rng.choice(["a", "1", ""])),
    "objects": lambda good, rng: np.full(np.shape(good), rng.choice([None, "a", failing("__float__")]), object),
    "days": lambda good, rng: np.zeros(np.shape(good), rng.choice(["M8[D]", "M8[ns]"])),
    "times": lambda good, rng: np.zeros(np.shape(good), rng.choice(["m8[s]", "m8[D]"])),
    "records": lambda good, rng: np.zeros(np.shape(good), rng.choice([[("a", float)], [("a", int), ("b", "S1")]])),
    "raw memory": lambda good, rng: np.zeros(np.shape(good), f"V{rng.integers(1, 9)}"),
    "a generator": lambda good, rng: (row for row in np.asarray(good)),
}
ARRAY = ODD | {"none", "text", "bytes"} | (set(KINDS) - REAL - POSITIVE - SHARE - WEIGHT - ALPHA - COUNT - SEED)
KINDS |= {
    "another length": lambda good, rng: np.resize(good, (len(good) + rng.choice([-1, 1, 7]), *np.shape(good)[1:])),
    "another shape": lambda good, rng: np.asarray(good)[(*[...] * rng.integers(2), None)],
    "a mask": lambda good, rng: np.ma.array(good, mask=rng.random(np.shape(good)) < rng.choice([0.1, 1])),
    "nan among them": spoilt(np.nan),
    "inf among them": spoilt(np.inf),
    "-inf among them": spoilt(-np.inf),
    "complex numbers": lambda good, rng: np.asarray(good) + 1j,
    "fractions": lambda good, rng: np.asarray(good) + 0.5,
    "a negative one": lambda good, rng: np.asarray(good) - np.max(good) - rng.integers(1, 9),
    "a large one": spoilt(1e6),
    "class ids": lambda good, rng: rng.integers(0, 9, rng.choice([(len(good),), (len(good), 1)][0])) + 2,
    "one of another length": lambda good, rng: list(good)[:-1],
    "twice the same": lambda good, rng: [*good, *good],
    "none among them": lambda good, rng: [*list(good)[1:], None],
    "text among them": lambda good, rng: [*list(good)[1:], "a"],
}
FINITE = ARRAY | {"nan among them", "inf among them", "-inf among them", "complex numbers", "a mask"}

# Wrong for memory to write to; `good` is the second half of memory whose first half is `x`
KINDS |= {
    "read-only": read_only,
    "another dtype": lambda good, rng: good.astype(rng.choice([">f4", "f8", "f2", "i4", "c8", "O"])),
    "rows that overlap": lambda good, rng: as_strided(good, good.shape, (4 * rng.integers(good.shape[1]), 4)),
    "memory of x": lambda good, rng: good.base.ravel()[(at := rng.integers(good.size)) : at + good.size].reshape(
        good.shape
    ),
    "a list": lambda good, rng: good.tolist(),
    "a masked array": lambda good, rng: np.ma.array(good),
    "a matrix": lambda good, rng: good.view(np.matrix),
}
MEMORY = (ARRAY - {"none"}) | {"read-only", "another dtype", "rows that overlap", "memory of x", "a list"}
MEMORY |= {"a masked array", "a matrix", "another length", "another shape"}
