"""What helpers ask of their arguments, beyond what the mixing asks: each check names the argument."""

import math
import numbers

import numpy as np

from mixup_helpers.mixing import _NO_NUMBERS, _as_batch, _as_float


def as_finite(value, name):
    """`value` as an array of finite real numbers with at least one row."""
    array = _as_batch(value, name)
    refuse_mask(array, name)
    if array.dtype.kind == "c":
        raise TypeError(f"{name} must hold real numbers, got dtype {array.dtype}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite")
    return np.asarray(array)


def refuse_mask(value, name):
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array, and its mask would be lost: fill it first")


def as_number(value, name, least=-np.inf):
    """`value` as a finite float, of at least `least`."""
    value = _as_float(value, name)
    if not least <= value or not np.isfinite(value):
        raise ValueError(f"{name} must be finite" + f", {least} or more" * (least > -np.inf) + f", got {value}")
    return value


def as_int(value, name, least, most=math.inf):
    if isinstance(value, _NO_NUMBERS) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be an integer, got {type(value).__name__}")
    if not least <= value <= most:
        got = value if abs(int(value)) < 10**99 else "a huge number"  # Python refuses to write the longest
        raise ValueError(f"{name} must be at least {least}{f' and at most {most}' * (most < math.inf)}, got {got}")
    return int(value)


def as_share(value, name):
    value = _as_float(value, name)
    if not 0 <= value < 1:
        raise ValueError(f"{name} must be at least 0 and below 1, got {value}")
    return value


def one_of(value, name, known):
    # Others compare in ways of their own: arrays, or a timedelta of 1, which equals True.
    if not isinstance(value, (str, bool, np.bool)) or value not in known:
        raise ValueError(f"{name} must be one of {', '.join(map(str, known))}, got {value!r}")
    return value


def as_text(value, name):
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string, got {type(value).__name__}")
    return value


def as_texts(value, name):
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"{name} must be a list of strings, got {type(value).__name__}")
    return [as_text(one, f"each of {name}") for one in value]


def as_function(value, name):
    if not callable(value):
        raise TypeError(f"{name} must be callable, got {type(value).__name__}")
    return value


def as_table(value, name, columns=(), numbers=()):
    """`value` as a table that has rows, the `columns`, and in the columns `numbers` finite numbers."""
    import pandas as pd  # whoever has a table has pandas

    if not isinstance(value, pd.DataFrame):
        raise TypeError(f"{name} must be a pandas.DataFrame, got {type(value).__name__}")
    if not len(value):
        raise ValueError(f"{name} has no rows")
    for column in (*columns, *numbers):
        if list(value).count(column) != 1:
            raise ValueError(f"{name} has no column {column!r}, or two")
    for column in numbers:
        as_finite(value[column], f"{name}[{column!r}]")
    return value
