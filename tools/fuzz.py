"""Give the helpers bad input, one argument at a time, and see errors that name the argument: `make fuzz`.

`python tools/fuzz.py "mixup_data: x, ragged, 3"` tries one input again.
"""

import contextlib
import datetime
import decimal
import faulthandler
import io
import itertools
import multiprocessing
import os
import re
import sys
import tempfile
import warnings
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

ROUNDS = 3  # every kind of bad value is drawn anew in each
SECONDS = 300  # for one input: on a busy machine one that trains has taken more than a minute


class Call(NamedTuple):
    """A function, good arguments drawn from a generator, and what is bad for each: kinds, and how to make one.

    A bad value is made of the good one and the generator.
    """

    function: callable
    good: callable
    bad: dict


def hostile(method):
    """Objects of which one method fails."""

    def fail(self, *args, **kwargs):
        raise RuntimeError(f"{method} fails")

    return lambda good, rng: type("Hostile", (), {method: fail})()


def one_of(*values):
    return lambda good, rng: values[rng.integers(len(values))]


def array(change):
    """`change` of good numbers as an array of their own."""
    return lambda good, rng: change(np.array(good), rng)


def full(*dtypes_and_values):
    """The shape of good numbers, filled with something else."""

    def make(good, rng):
        dtype, value = dtypes_and_values[rng.integers(len(dtypes_and_values))]
        return np.full(np.shape(good), value, dtype)

    return make


def one_is(*values):
    """Good numbers, and one of `values` somewhere among them."""

    def make(good, rng):
        spoilt = np.array(good, float)
        spoilt.flat[rng.integers(spoilt.size)] = values[rng.integers(len(values))]
        return spoilt

    return make


def ragged(good, rng):
    some = np.array(good).tolist()
    some[rng.integers(len(some))] = [0, [[]]]
    return some


def nested(good, rng):
    endless = []
    endless.append(endless)
    return endless


def resized(good, rng):
    good = np.array(good)
    return np.resize(good, (len(good) + (1 if len(good) < 3 else rng.choice([-1, 1, 7])), *good.shape[1:]))


def masked(good, rng):
    return np.ma.array(good, mask=rng.random(np.shape(good)) < rng.choice([0.3, 1]))


def read_only(good, rng):
    good.flags.writeable = False
    return good


def without(kinds, *names):
    return {name: make for name, make in kinds.items() if name not in names}


# Wrong wherever it stands
ODD = {
    "an object": lambda good, rng: object(),
    "a class": one_of(int, float, np.ndarray, np.float64),
    "a module": one_of(np, sys),
    "a dict": one_of({}, {0: 1.0}, {"x": [1]}),
    "a set": one_of(set(), {1.0}, frozenset([1, 2])),
    "an ellipsis": one_of(..., NotImplemented),
    "a day": one_of(np.datetime64("2020-02-20"), datetime.date(2020, 2, 20), np.datetime64("NaT")),
    "a generator": lambda good, rng: (number for number in range(3)),
} | {f"hostile {name}": hostile(f"__{name}__") for name in ("array", "len", "float", "index", "eq", "bool", "hash")}
# Wrong for anything but a few
OBJECT = ODD | {
    "none": one_of(None),
    "text": one_of("", "1", "0.5", "nan", "a" * 10_000, "\0"),
    "bytes": one_of(b"", b"1"),
    "complex": one_of(1j, 0.5 + 0j, np.complex64(0.5)),
    "bool": one_of(True, False, np.True_, np.False_),
    "a decimal": one_of(decimal.Decimal("0.5"), decimal.Decimal("nan")),
    "a time": one_of(np.timedelta64(1), np.timedelta64(1, "s"), np.timedelta64("NaT"), datetime.timedelta(1)),
    "masked": one_of(np.ma.masked),
}
NUMBER = OBJECT | {
    "a list of it": lambda good, rng: [good],
    "an array of it": lambda good, rng: np.full((1,) * rng.integers(3), good),
}
REAL = NUMBER | {
    "nan": one_of(np.nan, float("nan"), np.float32("nan"), np.longdouble("nan")),
    "inf": one_of(np.inf, -np.inf, np.float32("inf"), -np.float16("inf")),
    "too long": lambda good, rng: (-1) ** int(rng.integers(2)) * 10 ** int(rng.integers(400, 9000)),
}
POSITIVE = REAL | {"negative": lambda good, rng: -(10 ** rng.uniform(-300, 300))}
SHARE = POSITIVE | {"too large": lambda good, rng: 1 + rng.choice([0, 10 ** rng.uniform(-15, 300)])}
LAM = POSITIVE | {"too large": lambda good, rng: 1 + 10 ** rng.uniform(-15, 300)}
ALPHA = POSITIVE | {"out of range": one_of(5e-324, 1e-301, 1.1e300, 1e308)}
INTEGER = without(REAL, "too long") | {
    "a fraction": one_of(0.5, 1.0, 1.5, 1e300, np.float32(2)),
    "negative": one_of(-1, np.int8(-1), -(2**40), -(10**400), -(10**5000)),
}
BOUNDED = INTEGER | {"too long": one_of(10**400, 10**5000)}
COUNT = BOUNDED | {"zero": one_of(0, np.int64(0))}
SEED = BOUNDED | {"too large": one_of(2**32, 2**63, 2**64)}
# None and sequences of integers are seeds.
RNG = without(INTEGER, "none", "a list of it", "an array of it") | {"floats": one_of([0.5], np.ones(2), np.array(1.0))}
KNOWN = without(NUMBER, "bool", "a decimal") | {"nan": REAL["nan"], "another": one_of("other", "Batch", 7, -1, 0.5)}
FUNCTION = without(OBJECT, "a class") | {"nan": REAL["nan"], "a list of it": NUMBER["a list of it"]}
TEXT = without(NUMBER, "text") | {"nan": REAL["nan"]}
TEXTS = OBJECT | {
    "none among them": lambda good, rng: [*good[1:], None],
    "a number among them": lambda good, rng: [1.5, *good[1:]],
}
EACH = {"another length": lambda good, rng: list(good)[1:] if rng.integers(2) else [*good, good[0]]}
# Wrong for numbers in an array
ARRAY = without(OBJECT, "bool", "complex") | {
    "a scalar": one_of(1, 0.5, np.float32(1), np.array(0.5), True),
    "empty": lambda good, rng: np.array(good)[:0] if rng.integers(2) else [],
    "ragged": ragged,
    "nested": nested,
    "a hostile row": lambda good, rng: [*np.array(good).tolist()[1:], hostile("__array__")(good, rng)],
    "texts": full((None, "a"), (None, "1"), ("S1", b"1"), (np.dtypes.StringDType(), "1")),
    "objects": full((object, None), (object, 1.0), (object, "a"), (object, object())),
    "days": full(("M8[D]", 0), ("M8[ns]", "NaT")),
    "times": full(("m8[s]", 1), ("m8", 1), ("m8[ns]", "NaT")),
    "records": full(([("a", float)], 0), ([("a", int), ("b", "S1")], 0)),
    "raw memory": full(("V1", b"a"), ("V8", b"a")),
}
FINITE = ARRAY | {
    "not finite": one_is(np.nan, np.inf, -np.inf),
    "complex": array(lambda good, rng: good + 1j),
    "masked": masked,
}
SHAPE = {
    "another length": resized,
    "an axis more": array(lambda good, rng: good[None] if rng.integers(2) else good[..., None]),
    "flat": array(lambda good, rng: good.ravel() if good.ndim > 1 else good[:, None]),
}
GREY = FINITE | SHAPE | {"out of range": one_is(-1, 1.5, 1e300, -0.0625), "fractions": one_is(1 / 3, 0.51)}
LABELS = ARRAY | {"class ids": lambda good, rng: rng.integers(2, 9, [len(good), *[1] * rng.integers(2)])}
IDS = FINITE | SHAPE | {"out of range": array(lambda good, rng: good + rng.choice([-100, 100, 2**40]))}
IDS |= {"fractions": array(lambda good, rng: good + rng.choice([0.0, 0.5])), "bools": array(lambda good, rng: good > 0)}
# Wrong for memory to write to: the second half of some whose first half is x
MEMORY = without(ARRAY, "none") | SHAPE | {
    "read-only": read_only,
    "of another dtype": lambda good, rng: good.astype(rng.choice([">f4", "f8", "f2", "i4", "c8", "O"])),
    "overlapping rows": lambda good, rng: as_strided(good, good.shape, (4 * rng.integers(good.shape[1]), 4)),
    "memory of x": lambda good, rng: as_strided(good.base.ravel()[rng.integers(good.size) :], good.shape, good.strides),
    "a list": lambda good, rng: good.tolist(),
    "a subclass": lambda good, rng: np.ma.array(good) if rng.integers(2) else good.view(np.matrix),
}  # fmt: skip


def table(*numbers):
    """What is wrong for a table with the columns that the good one has, of which `numbers` hold numbers."""

    def spoilt(*values):
        return lambda good, rng: good.astype({rng.choice(numbers): object}).assign(
            **{rng.choice(numbers): values[rng.integers(len(values))]}
        )

    return OBJECT | {
        "a column less": lambda good, rng: good.drop(columns=rng.choice(good.columns)),
        "a column twice": lambda good, rng: good[[*good.columns, rng.choice(numbers)]],
        "no rows": lambda good, rng: good[:0],
        "texts": spoilt("a", "1", None),
        "not finite": spoilt(np.nan, np.inf, -np.inf),
        "complex": spoilt(1j),
        "days": spoilt(np.datetime64("2020-02-20", "s")),
    }


def calls():
    """Every public function that takes arguments, by name."""
    import pandas as pd
    import tensorflow as tf
    from matplotlib.figure import Figure

    import mixup_helpers as mh
    from mixup_helpers import checks, evidence, exercises, figures, models, moving, pipelines, tables, trials

    def soft(rng, n=5):
        return rng.dirichlet(np.ones(3), n)

    def batch(rng, *left_out):
        memory = ((rng.random((2, rng.integers(2, 9), 5)) - 0.5) * 10 ** rng.uniform(-30, 30)).astype("f4")
        x, out = memory
        found = {"x": x, "y": soft(rng, len(x)), "alpha": 10 ** rng.uniform(-299, 299), "rng": 0, "out": out}
        return without(found, *left_out)

    def labels(rng):
        return {"y_a": soft(rng), "y_b": soft(rng), "lam": rng.choice([0.0, 1.0, rng.random()])}

    def cross_entropy(y_true, y_pred):
        with np.errstate(divide="ignore", invalid="ignore"):
            return -np.where(y_true > 0, y_true * np.log(y_pred), 0).sum(axis=1)

    def loss(rng):
        found = labels(rng) | {"loss_fn": cross_entropy, "y_a": np.eye(3), "y_b": np.eye(3)[::-1]}
        return found | {"y_pred": {0: found["y_b"], 1: found["y_a"]}.get(found["lam"], soft(rng, 3))}

    def rows(n=40):
        return np.random.default_rng(0).random((n, 4)), np.arange(n) % 2

    def ways(rng):
        shares = {name: rng.random() for name in ("label_smoothing", "dropout", "wrong_labels", "noise", "weight_decay")}
        return shares | {"seeds": [1, 2], "alpha": rng.random(), "lam_per": "batch", "partner": "class", "fresh": False,
                         "mix_labels": True, "n_train": 20, "n_validation": 4, "split_seed": 3, "model": "mlp",
                         "data": rows(), "dtype": "float32"}  # fmt: skip

    def batches(dtype="f4", batched=True):
        pairs = tf.data.Dataset.from_tensor_slices((np.ones(9, "f4"), np.ones(9, dtype)))
        return pairs.batch(3) if batched else pairs

    def compared(rng):
        low = rng.normal(size=3)
        return pd.DataFrame({"effect": low + 0.1, "low": low, "high": low + 0.2, "seeds": 20})

    def compare(rng):
        results = {"alpha": [0, 0, 1, 1], "seed": [0, 1] * 2, "metric": "nll", "value": rng.random(4)}
        return {"results": pd.DataFrame(results), "metric": "nll", "factor": "alpha", "baseline": 0, "by": (),
                "together": True, "held_out": rng.random()}  # fmt: skip

    def saved(rng):
        return {"results": compared(rng), "name": "fuzz", "stable": True}

    def loaded(rng):
        evidence.save(**saved(rng))
        return {"name": "fuzz"}

    def plane(rng):
        return {"predict": lambda points: (points[:, 0] > 0) * 0.9, "x": rng.normal(size=(5, 2)),
                "classes": rng.integers(0, 2, 5), "ax": axes}  # fmt: skip

    def digits(rng, n):
        return rng.integers(0, 17, (n, 8, 8)) / 16

    def lam(rng):
        return {"first": digits(rng, 10), "second": digits(rng, 10), "plain": rng.normal(size=160),
                "mixup": rng.normal(size=160), "lam": rng.random(), "pair": tuple(rng.integers(0, 10, 2))}  # fmt: skip

    def alpha(rng):
        alphas = (10 ** rng.uniform(-2, 2, 3)).tolist()
        return {"first": digits(rng, 3), "second": digits(rng, 3), "alphas": alphas, "rng": 0, "start": alphas[1],
                "draws": 50}  # fmt: skip

    def counts(rng):
        index = pd.MultiIndex.from_product([[0, 0.2], [1, 2], [0, 1]], names=["alpha", "epoch", "bin"])
        return pd.DataFrame({"right": 3, "wrong": 2, "sure": 4 * rng.random(8)}, index).reset_index()

    data = mh.MixUpDataset(np.ones((9, 2)), np.eye(9), 4, seed=0)
    one, two = (trials.Trials(range(2), alpha=0.2, data=rows()) for _ in range(2))
    axes = Figure().subplots()
    ax = {"ax": without(OBJECT, "none")}
    same_shape = {name: (ARRAY | SHAPE)[name] for name in ("hostile array", "a hostile row", "ragged", "nested", "none",
                                                           "a scalar", "another length", "flat")}  # fmt: skip
    sizes = OBJECT | {"spoilt": one_of([0], [-1], [1.5], [None], [10**400], [True], (8, "8"))}
    ends = {"low": REAL, "high": REAL}
    of_data = {f"x is {kind}": lambda good, rng, make=make: (make(good[0], rng), good[1]) for kind, make in
               (FINITE | EACH).items()}  # fmt: skip
    of_data |= {f"y is {kind}": lambda good, rng, make=make: (good[0], make(good[1], rng)) for kind, make in IDS.items()}
    several = without(OBJECT, "a dict", "a set", "a generator", "bytes") | {
        "spoilt": one_of([], [1, 1], [0.5], [-1], [2**32], [True], [None], ["1"], 3, {1.0}, [10**5000])
    }
    weights = FINITE | SHAPE | {"too large": one_is(1e200)}
    return {
        "mixup_data": Call(mh.mixup_data, batch, {"x": ARRAY | EACH, "y": ARRAY | EACH, "alpha": ALPHA, "rng": RNG,
                                                  "out": MEMORY}),
        "mix_labels": Call(mh.mix_labels, labels, {"y_a": LABELS | SHAPE, "y_b": LABELS | SHAPE, "lam": LAM}),
        "mixup_loss": Call(mh.mixup_loss, loss, {"loss_fn": FUNCTION, "y_a": same_shape, "y_b": same_shape, "lam": LAM}),
        "MixUpDataset": Call(
            lambda **those: list(mh.MixUpDataset(**those)), lambda rng: batch(rng, "rng", "out") | {"batch_size": 2, "seed": 0},
            {"x": ARRAY | EACH | {"masked": masked}, "y": LABELS | EACH | {"masked": masked}, "alpha": ALPHA,
             "batch_size": without(COUNT, "too long"), "seed": without(INTEGER, "none")},
        ),
        "MixUpDataset[]": Call(lambda index: data[index], lambda rng: {"index": rng.integers(3)},
                               {"index": without(INTEGER, "negative")}),
        "weighted_pairs": Call(
            tables.weighted_pairs, lambda rng: batch(rng, "out") | {"y": np.arange(5), "x": rng.random((5, 2))},
            {"x": ARRAY | EACH | {"masked": masked}, "alpha": ALPHA, "rng": RNG,
             "y": same_shape | {"masked": masked, "an axis more": SHAPE["an axis more"], "text": OBJECT["text"]}},
        ),
        "mixup_batches": Call(
            pipelines.mixup_batches, lambda rng: {"dataset": batches(), "alpha": 10 ** rng.uniform(-299, 299), "seed": 0},
            {"dataset": OBJECT | {
                "class ids": lambda good, rng: batches("i4"), "texts": lambda good, rng: batches("S1"),
                "one by one": lambda good, rng: batches(batched=False), "no pairs": lambda good, rng: good.map(lambda x, y: x),
            }, "alpha": ALPHA, "seed": INTEGER},
        ),
        "perceptron": Call(
            models.perceptron, lambda rng: {"input_shape": (2, 2), "hidden": [3], "classes": 2, "seed": 0},
            {"input_shape": sizes, "hidden": sizes, "classes": COUNT, "seed": SEED},
        ),
        "Trials": Call(trials.Trials, ways, {
            "seeds": several, "alpha": ALPHA, "lam_per": KNOWN, "partner": KNOWN, "mix_labels": KNOWN, "fresh": KNOWN,
            "label_smoothing": SHARE, "noise": POSITIVE, "dropout": SHARE, "weight_decay": POSITIVE,
            "wrong_labels": SHARE, "n_train": without(BOUNDED, "none") | {"another": one_of(0, 1, 27, 40, 41)},
            "n_validation": BOUNDED | {"another": one_of(1, 31, 40)}, "split_seed": without(SEED, "none"),
            "model": KNOWN | {"another": one_of("cnn", "other", None)}, "dtype": KNOWN,
            "data": without(OBJECT, "none") | of_data,
        }),
        "Trials.fit": Call(one.fit, lambda rng: {"epochs": 1, "after_epoch": None},
                           {"epochs": COUNT, "after_epoch": without(FUNCTION, "none")}),
        "Trials.logits": Call(one.logits, lambda rng: {"x": rng.random((2, 3, 4))}, {"x": FINITE | SHAPE}),
        "Trials.input_gradients": Call(
            one.input_gradients, lambda rng: {"x": rng.random((2, 3, 4)), "y": rng.integers(0, 2, (2, 3))},
            {"x": FINITE | SHAPE, "y": IDS},
        ),
        "train": Call(trials.train, lambda rng: {"trials": [one, two], "epochs": 1, "after_epoch": None}, {
            "trials": OBJECT | {"spoilt": one_of([], [one, one], [one, None], one)}, "epochs": COUNT,
            "after_epoch": without(FUNCTION, "none"),
        }),
        "check_mixup": Call(
            checks.check_mixup, lambda rng: {"fn": checks.from_pairs(mh.mixup_data), "shape": (4, 4), "error_rate": 0.01,
                                             "seed": int(rng.integers(2**32))},
            {"fn": FUNCTION, "error_rate": SHARE | {"zero": one_of(0, 0.0)}, "seed": INTEGER,
             "shape": OBJECT | {"spoilt": one_of((), (3, 5), (16, 0), (-4, -4), (16.0,), (True, 16), (10**400,), (2**70, 4),
                                                 ("16",), (10**5, 10**5))}},
        ),
        "from_pairs": Call(checks.from_pairs, lambda rng: {"fn": max}, {"fn": FUNCTION}),
        "from_keras": Call(checks.from_keras, lambda rng: {"layer": max}, {"layer": FUNCTION}),
        "from_timm": Call(checks.from_timm, lambda rng: {"mixup": max}, {"mixup": FUNCTION}),
        "from_torchvision": Call(checks.from_torchvision, lambda rng: {"transform": max}, {"transform": FUNCTION}),
        "measures": Call(
            evidence.measures, lambda rng: {"logits": rng.normal(size=(2, 9, 3)) * 10 ** rng.uniform(-9, 99),
                                            "labels": rng.integers(0, 3, (2, 9))},
            {"logits": FINITE | SHAPE, "labels": IDS},
        ),
        "rows": Call(evidence.rows, lambda rng: {"measured": {"nll": rng.random(2)}, "trials": one}, {
            "measured": OBJECT | {"spoilt": one_of({"nll": [1]}, {"nll": ["a", "b"]}, {"nll": [[1], 2]}, {"nll": None},
                                                   {1: [1, 2]}, {"nll": "a"}, {"nll": []})},
            "trials": OBJECT,
        }),
        "scores": Call(evidence.scores, lambda rng: {"trials": one}, {"trials": OBJECT}),
        "on_test_images": Call(evidence.on_test_images, lambda rng: {"trials": [one, two], "metrics": ["nll"]}, {
            "trials": OBJECT | {"spoilt": one_of([], [one, None], one)},
            "metrics": TEXTS | {"spoilt": one_of([], ["other"], "nll")},
        }),
        "interval": Call(
            evidence.interval, lambda rng: {"differences": rng.normal(size=5), "comparisons": 2, "held_out": rng.random()},
            {"differences": FINITE | {"flat": SHAPE["flat"], "one": one_of([1.0])}, "comparisons": COUNT,
             "held_out": SHARE},
        ),
        "compare": Call(evidence.compare, compare, {
            "results": table("value"), "metric": TEXT | {"another": one_of("other", "")},
            "factor": TEXT | {"another": one_of("other", "")}, "by": TEXTS | {"another": one_of("other", ["other"])},
            "baseline": without(NUMBER, "bool") | {"nan": REAL["nan"], "another": one_of(0.5, 2, "0")},
            "together": KNOWN, "held_out": SHARE,
        }),
        "verdict": Call(
            evidence.verdict, lambda rng: {"low": rng.random(3), "high": 1 + rng.random(3)},
            {"low": without(FINITE, "a scalar") | SHAPE | {"above": one_is(3)},
             "high": without(FINITE, "a scalar") | SHAPE | {"below": one_is(-3)}},
        ),
        "claim": Call(
            evidence.claim, lambda rng: {"text": "a", "compared": compared(rng), "chapter": "b", "sign": -1},
            {"text": TEXT, "compared": table("effect", "low", "high", "seeds"), "chapter": TEXT,
             "sign": REAL | {"another": one_of(0, 2, 0.5)}},
        ),
        "say": Call(
            evidence.say, lambda rng: {"row": evidence.claim("a", compared(rng), "b"), "digits": int(rng.integers(9))},
            {"row": OBJECT | {"a key less": lambda good, rng: without(good, rng.choice(["low", "claim", "verdict"]))},
             "digits": BOUNDED},
        ),
        "points": Call(evidence.points, lambda rng: dict(zip(["low", "effect", "high"], np.sort(rng.normal(size=3)))),
                       {"effect": REAL} | ends),
        "listing": Call(evidence.listing, lambda rng: {"compared": compared(rng)},
                        {"compared": table("effect", "low", "high")}),
        "per_thousand": Call(evidence.per_thousand, lambda rng: dict(zip(["low", "high"], np.sort(rng.random(2)))), ends),
        "per_thousand, in words": Call(evidence.per_thousand, lambda rng: {"low": 0, "high": 1, "what": "a", "done": "b"},
                                       {"what": TEXT, "done": TEXT}),
        "save": Call(evidence.save, saved, {"results": OBJECT | {"no rows": lambda good, rng: good[:0]}, "name": TEXT,
                                            "stable": KNOWN}),
        "load": Call(evidence.load, loaded, {"name": TEXT}),
        "exercises.check": Call(
            exercises.check, lambda rng: {"name": rng.choice(list(exercises.EXERCISES)).item(),
                                          "answer": OBJECT[rng.choice(list(OBJECT))](0, rng)},
            {"name": TEXT | {"another": one_of("other", "rivals-0", "")}},
        ),
        "Picture": Call(figures.Picture, lambda rng: {"png": b"", "sentence": "a"},
                        {"png": without(OBJECT, "bytes"), "sentence": TEXT}),
        "show": Call(figures.show, lambda rng: {"ax": axes, "sentence": "a"}, {"ax": OBJECT, "sentence": TEXT}),
        "digit_row": Call(
            figures.digit_row, lambda rng: {"images": digits(rng, 3), "captions": list("abc"), "ax": axes},
            {"images": FINITE | SHAPE, "captions": without(TEXTS, "none") | EACH} | ax,
        ),
        "label_bars": Call(
            figures.label_bars, lambda rng: {"label": soft(rng)[0], "names": list("abc"), "ax": axes},
            {"label": FINITE | SHAPE | {"out of range": GREY["out of range"]}, "names": TEXTS | EACH} | ax,
        ),
        "confidence_map": Call(figures.confidence_map, plane, {"predict": FUNCTION, "x": FINITE | SHAPE,
                                                               "classes": without(IDS, "bools", "fractions")} | ax),
        "intervals": Call(
            figures.intervals, lambda rng: {"compared": compared(rng).drop(columns="seeds"), "names": list("abc"),
                                            "ax": axes},
            {"compared": table("effect", "low", "high"), "names": TEXTS | EACH} | ax,
        ),
        "lam_slider": Call(moving.lam_slider, lam, {
            "first": GREY, "second": GREY, "plain": weights, "mixup": weights, "lam": LAM,
            "pair": OBJECT | {"spoilt": one_of((), (3,), (3, 10), (-1, 3), (3.0, 7), (True, 3), (1, 2, 3), "37")},
        }),
        "alpha_slider": Call(moving.alpha_slider, alpha, {
            "first": GREY, "second": GREY, "rng": RNG, "start": REAL | {"another": one_of(0.123, 0)},
            "alphas": OBJECT | {"spoilt": lambda good, rng: [*good, one_of(0, -1, np.nan, 1e301, "1", None, True)(0, rng)],
                                "empty": one_of([], ())},
            "draws": BOUNDED | {"too few": one_of(0, 1, 2)},
        }),
        "epoch_slider": Call(moving.epoch_slider, lambda rng: {"counts": counts(rng)},
                             {"counts": table("alpha", "epoch", "bin", "right", "wrong", "sure")}),
        "answers": Call(
            moving.answers, lambda rng: {"weights": rng.normal(size=160) * 10 ** rng.uniform(-9, 99),
                                         "images": digits(rng, 3)},
            {"weights": weights, "images": FINITE | {"flat": SHAPE["flat"], "out of range": GREY["out of range"]}},
        ),
    }  # fmt: skip


def inputs(table, rounds):
    """The names of all inputs, each of which can be made again from its name."""
    for name, call in table.items():
        yield from (f"{name}: good, {k}" for k in range(5 * rounds))
        for argument, kinds in call.bad.items():
            yield from (f"{name}: {argument}, {kind}, {k}" for kind in kinds for k in range(rounds))


def fault(table, given):
    """What is wrong with how the input named `given` is answered, or None."""
    name, _, how = given.rpartition(": ")
    *kind, _ = how.split(", ")
    call, rng = table[name], np.random.default_rng(list(given.encode()))
    arguments, raised = call.good(rng), None
    if kind != ["good"]:
        arguments[kind[0]] = call.bad[kind[0]][kind[1]](arguments[kind[0]], rng)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            answer = call.function(**arguments)
        except Exception as error:
            raised = error
    said = raised and f"{type(raised).__name__}: {raised}"
    if warned:
        return f"a warning: {warned[0].message}"
    if kind == ["good"]:
        return said or (f"NaN: {answer}" if has_nan(answer) else None)
    if raised is None:
        return f"taken silently, gives {answer!r:.99}"
    named = isinstance(raised, (TypeError, ValueError)) and re.search(rf"\b{kind[0]}\b", str(raised))
    return None if named else said


def has_nan(answer):
    if hasattr(answer, "to_dict"):
        answer = answer.to_dict("list")
    if isinstance(answer, dict):
        answer = list(answer.values())
    if isinstance(answer, (list, tuple)):
        return any(map(has_nan, answer))
    if isinstance(answer, str):
        return re.search(r"\bnan\b", answer) is not None
    values = np.asarray(answer)
    return values.dtype.kind in "fc" and bool(np.isnan(values).any())


def work(make_table, rounds, seconds, start, found):
    """Try the inputs from number `start` on. Each is named before it is tried, so that a process that dies tells."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
        table = make_table()
        for given in itertools.islice(inputs(table, rounds), start, None):
            found.send(given)
            faulthandler.dump_traceback_later(seconds, exit=True)
            found.send(fault(table, given))
            faulthandler.cancel_dump_traceback_later()
        found.send(None)


def tried(make_table, rounds, seconds):
    """All inputs and their faults; a process that crashes or hangs is one, and the next goes on behind it."""
    spawn, number = multiprocessing.get_context("spawn"), 0
    while True:
        found, sent = spawn.Pipe(duplex=False)
        process = spawn.Process(target=work, args=(make_table, rounds, seconds, number, sent))
        process.start()
        sent.close()
        given = None
        with contextlib.suppress(EOFError):
            while given := found.recv():
                wrong = found.recv()
                yield given, wrong
                number += 1
            return
        process.join()
        if given is None:
            raise RuntimeError(f"the process ended with {process.exitcode} before an input")
        yield given, f"no answer in {seconds} seconds, or the process died: exit code {process.exitcode}"
        number += 1


def again(given):
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        return fault(calls(), given)


def main(make_table=calls, rounds=ROUNDS, seconds=SECONDS):
    bad = good = faults = 0
    for given, wrong in tried(make_table, rounds, seconds):
        is_good = ": good, " in given
        good, bad = good + is_good, bad + (not is_good)
        if wrong:
            faults += 1
            print(f"{given}\n    {wrong}", flush=True)
    print(f"{good:,} good inputs")
    print(f"{bad:,} bad inputs, {faults} faults")
    return faults > 0


if __name__ == "__main__":
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ.pop("MIXUP_BOOK_CHECK", None)
    sys.exit(again(sys.argv[1]) if sys.argv[1:] else main())
