"""check_mixup finds what is wrong, says it in words, and leaves what is right alone."""

import importlib.util
import re
import subprocess
import sys
import types
import threading
import time
from collections import Counter
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mixup_helpers import checks, mixup_data
from mixup_helpers.checks import Report, check_mixup, from_keras, from_pairs, from_timm, from_torchvision


# What the reports of all that is checked below say otherwise than the first of them does, but for those that draw their
# own random numbers. `python tests/test_checks.py` writes it anew; then read what has changed.
REPORTS = Path(__file__).with_name("reports.txt")


def otherwise(name, lines, first):
    """What is said otherwise than in the first report; all of the first itself."""
    return [line for line in lines if name == "formula" or line not in first]


def known_report(name, fn):
    """The report of `fn`, which must read as it is known."""
    known = dict(block.partition("\n")[::2] for block in REPORTS.read_text(encoding="utf-8").strip().split("\n\n"))
    report = check_mixup(fn)
    if name in known:
        assert known[name].splitlines() == otherwise(name, str(report).splitlines(), known["formula"].splitlines())
    return report


def formula(x, y, alpha, rng, lam=None, index=None, label_lam=None, label_index=None):
    """MixUp as the paper writes it, each part of which a fault can replace."""
    if not 0 <= alpha < 1e9 or y.ndim == 1:
        raise ValueError("alpha out of range, or class ids")
    lam = (rng.beta(alpha, alpha) if alpha else 1.0) if lam is None else lam
    index = rng.permutation(len(x)) if index is None else index
    label_lam = lam if label_lam is None else label_lam
    label_index = index if label_index is None else label_index
    lam, label_lam = (value.astype(np.float32) if np.ndim(value) else float(value) for value in (lam, label_lam))
    lam_x = lam.reshape(-1, *[1] * (x.ndim - 1)) if np.ndim(lam) else lam
    lam_y = label_lam.reshape(-1, 1) if np.ndim(label_lam) else label_lam
    return lam_x * x + (1 - lam_x) * x[index], lam_y * y + (1 - lam_y) * y[label_index]


def per_row(x, y, alpha, rng):
    return formula(x, y, alpha, rng, lam=rng.beta(alpha, alpha, len(x)) if alpha > 0 else None)


def never_itself(x, y, alpha, rng):
    """Partners by a rolled random order: nobody is its own."""
    order = rng.permutation(len(x))
    index = np.empty_like(order)
    index[order] = np.roll(order, 1)
    return formula(x, y, alpha, rng, index=index)


def with_replacement(x, y, alpha, rng):
    return formula(x, y, alpha, rng, index=rng.integers(0, len(x), len(x)))


def class_ids_to_soft_labels(x, y, alpha, rng):
    return formula(x, np.eye(10, dtype=np.float32)[y] if y.ndim == 1 else y, alpha, rng)


def class_ids_to_few_classes(x, y, alpha, rng):
    """As many classes as rows: no class is left that belongs to no row."""
    return formula(x, np.eye(8, dtype=np.float32)[y] if y.ndim == 1 else y, alpha, rng)


def as_list(x, y, alpha, rng):
    return list(formula(x, y, alpha, rng))


def dataset(x, y, alpha, rng):
    """MixUpDataset's batch of all rows, put back in their order."""
    from mixup_helpers import MixUpDataset

    data = MixUpDataset(x, y, len(x), alpha, seed=int(rng.integers(2**32)))
    mixed_x, mixed_y = data[0]
    back = data._pass[1].argsort()
    return mixed_x[back], mixed_y[back]


RIGHT = {
    "formula": formula, "pairs": from_pairs(mixup_data), "per row": per_row, "never itself": never_itself,
    "with replacement": with_replacement, "as list": as_list, "class ids to soft labels": class_ids_to_soft_labels,
    "class ids to few classes": class_ids_to_few_classes, "dataset": dataset,
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_nothing_fails_that_is_right(name):
    report = known_report(name, RIGHT[name])
    assert report.failed == []
    assert report.choices == ["lam per batch or row"]
    report.raise_if_failed()


def test_what_is_right_is_said_property_by_property():
    report = check_mixup(formula)
    assert report["labels match images"] == "holds: the same rows with the same lam"
    assert report["lam per batch or row"] == "choice: one lam for a batch"
    assert report["uint8"] == "holds: uint8 images become float64, and are right"
    assert report["class ids"].startswith("holds: refused: ValueError: alpha out of range")
    assert check_mixup(class_ids_to_soft_labels)["class ids"] == "holds: turned into soft labels"


@pytest.mark.parametrize("shape", [(16,), (64,), (8, 8), (2, 2, 2, 2)])
def test_any_shape_of_input(shape):
    assert check_mixup(from_pairs(mixup_data), shape=shape).failed == []


def test_right_ones_fail_no_more_often_than_stated():
    # A rate at which 200 reports show whether it is twice as high.
    failures = sum(bool(check_mixup(formula, error_rate=0.05, seed=seed).failed) for seed in range(200))
    assert stats.binomtest(failures, 200, 0.05, "greater").pvalue > 0.01


def test_at_the_lowest_rate_only_what_is_exact_can_fail():
    assert check_mixup(formula, error_rate=1e-300).failed == []


def test_the_stated_rate_is_not_far_above_the_true_one():
    # At a rate that can be counted: neither more failures than stated, nor a test that never fails.
    failures = sum(bool(check_mixup(formula, error_rate=0.5, seed=seed).failed) for seed in range(60))
    assert 5 <= failures <= 40


def planted(**parts):
    """The formula with parts replaced, each made anew by a function of (n, alpha, rng)."""

    def fn(x, y, alpha, rng):
        return formula(x, y, alpha, rng, **{name: make(len(x), alpha, rng) for name, make in parts.items()})

    return fn


def beta(alpha, rng, n=None):
    return rng.beta(alpha, alpha, n) if alpha > 0 else np.ones(n or ())[()]


def one_minus_lam(x, y, alpha, rng):
    lam = beta(alpha, rng)
    return formula(x, y, alpha, rng, lam=lam, label_lam=1 - lam)


def sometimes_another_partner(x, y, alpha, rng):
    wrong = rng.random() < 0.5 and len(x) == 8
    return formula(x, y, alpha, rng, label_index=rng.permutation(len(x)) if wrong else None)


def promoting(x, y, alpha, rng):
    if not alpha >= 0 or y.ndim == 1:
        raise ValueError
    lam, index = np.atleast_1d(beta(alpha, rng)), rng.permutation(len(x))  # a float64 array
    lam_x = lam.reshape(-1, *[1] * (x.ndim - 1))
    return lam_x * x + (1 - lam_x) * x[index], lam * y + (1 - lam) * y[index]


def in_place(part):
    def fn(x, y, alpha, rng):
        mixed = formula(x, y, alpha, rng)
        (x, y)[part][...] = mixed[part]
        return mixed

    return fn


def averaging_ids(x, y, alpha, rng, first=0):
    """The rows before `first` stay unmixed."""
    lam, index = beta(alpha, rng), np.append(np.arange(first), first + rng.permutation(len(x) - first)).astype(int)
    return formula(x, np.eye(len(x)), alpha, rng, lam=lam, index=index)[0], lam * y + (1 - lam) * y[index]


def shuffling_ids(x, y, alpha, rng):
    mixed_x, _ = formula(x, np.eye(len(x)), alpha, rng)
    return (mixed_x, rng.permutation(y)) if y.ndim == 1 else formula(x, y, alpha, rng)


def wrong_soft_labels(x, y, alpha, rng):
    if y.ndim == 1:
        return formula(x, np.eye(10)[y], alpha, rng, label_index=np.arange(len(x)))
    return formula(x, y, alpha, rng)


def truncated_uint8(x, y, alpha, rng):
    if x.dtype == np.uint8:
        mixed_x, mixed_y = formula(x, y, alpha, rng, lam=np.uint8(beta(alpha, rng)))
        return mixed_x.astype(np.uint8), mixed_y
    return formula(x, y, alpha, rng)


def across_features(x, y, alpha, rng):
    lam, index = beta(alpha, rng), rng.permutation(x.shape[-1])
    return lam * x + (1 - lam) * x[..., index], formula(x, y, alpha, rng)[1]


def three_rows(x, y, alpha, rng):
    """The last partners mixed with the next ones in line: three rows, or two in a batch of two."""
    order, lam = rng.permutation(len(x)), beta(alpha, rng)
    place = order.argsort()
    partners = (np.float32(0.5) * (part[order[place - 1]] + part[order[place - 2]]) for part in (x, y))
    return tuple(np.float32(lam) * part + np.float32(1 - lam) * other for part, other in zip((x, y), partners))


def refusing_alpha(which, said):
    def fn(x, y, alpha, rng):
        if which(alpha):
            raise ValueError(said)
        return formula(x, y, alpha, rng)

    return fn


def extrapolating(x, y, alpha, rng):
    return formula(x, y, alpha, rng, lam=1 + beta(alpha, rng) if alpha else 1.0)


def dimmed_labels(x, y, alpha, rng):
    mixed_x, mixed_y = formula(x, y, alpha, rng)
    return mixed_x, np.float32(0.9) * mixed_y


def changed(then, when=lambda x, y: True):
    """The formula, and what `then` makes of its result in those calls."""

    def fn(x, y, alpha, rng):
        mixed = formula(x, y, alpha, rng)
        return then(*mixed) if when(x, y) else mixed

    return fn


def odd(x, y):
    return len(x) % 2 == 1


def whole(x, y):
    return x.dtype == np.uint8


def last_label_dimmed(mixed_x, mixed_y):
    mixed_y[-1] *= np.float32(0.9)
    return mixed_x, mixed_y


def one_pixel_off(mixed_x, mixed_y):
    mixed_x.reshape(len(mixed_x), -1)[:, 0] += np.float32(0.001)
    return mixed_x, mixed_y


def unevenly_smoothed(mixed_x, mixed_y):
    mixed_y = np.float32(0.8) * mixed_y + np.float32(0.02)
    mixed_y[:, 9] += mixed_y[:, 8]
    mixed_y[:, 8] = 0
    return mixed_x, mixed_y


def rounded_label_lam(x, y, alpha, rng):
    lam = beta(alpha, rng)
    return formula(x, y, alpha, rng, lam=lam, label_lam=np.round(lam, 2))


def three_classes_only(x, y, alpha, rng):
    mixed_x, mixed_y = formula(x, np.eye(10)[y] if y.ndim == 1 else y, alpha, rng)
    return mixed_x, mixed_y[:, :3] if y.ndim == 1 else mixed_y


def unfair_pairs(x, y, alpha, rng):
    """Any two rows, those of low number more often."""
    lam, (a, b) = np.float32(beta(alpha, rng)), np.sort(rng.integers(0, len(x), (4, len(x))), axis=0)[:2]
    return lam * x[a] + (1 - lam) * x[b], lam * y[a] + (1 - lam) * y[b]


def shifted_by_one_or_two(x, y, alpha, rng):
    return formula(x, y, alpha, rng, index=np.roll(np.arange(len(x)), rng.integers(1, 3)))


def first_row_alone(x, y, alpha, rng):
    return formula(x, y, alpha, rng, index=np.append(0, 1 + rng.permutation(len(x) - 1)))


def nan_for_negative(x, y, alpha, rng):
    return (x * np.nan, y) if alpha < 0 else formula(x, y, alpha, rng)


def nan_accepted(x, y, alpha, rng):
    return formula(x, y, 0.1 if np.isnan(alpha) else alpha, rng)


def noisy_labels(x, y, alpha, rng):
    mixed_x, mixed_y = formula(x, y, alpha, rng)
    return mixed_x, mixed_y + np.float32(1e-6) * np.random.default_rng().random(mixed_y.shape, np.float32)


class SharedState:
    """Keeps lam where other threads write theirs."""

    def __call__(self, x, y, alpha, rng):
        self.lam = beta(alpha, rng)
        if threading.current_thread() is not threading.main_thread():
            time.sleep(0.002)
        return formula(x, y, alpha, rng, lam=self.lam)


def sometimes(fault, share=0.25, right=formula):
    def fn(x, y, alpha, rng):
        return (fault if rng.random() < share else right)(x, y, alpha, rng)

    return fn


def accepting(x, y, alpha, rng):
    return formula(x, y, max(alpha, 0.1) if alpha else alpha, rng)


def mixing_at_zero(x, y, alpha, rng):
    return formula(x, y, max(alpha, 0.1) if alpha == 0 else alpha, rng)


def mixing_eight_at_zero(x, y, alpha, rng):
    return (mixing_at_zero if len(x) == 8 else formula)(x, y, alpha, rng)


def at_zero(then):
    return lambda x, y, alpha, rng: then(x, y, rng) if alpha == 0 else formula(x, y, alpha, rng)


def no_lam_at_zero(x, y, alpha, rng):
    if alpha != 0:
        lam = beta(alpha, rng)
    return formula(x, y, alpha, rng, lam=lam)


def labels_mixed_at_one_alone(x, y, alpha, rng):
    mixed_x, mixed_y = formula(x, y, alpha, rng)
    return mixed_x, mixed_y if alpha in (0, 1) else y


def keras_like(x, y, alpha, rng):
    """Underflow at a small alpha: both gammas are 0, and their share is set to one half."""
    return formula(x, y, alpha, rng, lam=0.5 if alpha < 0.01 else None)


def even_only(x, y, alpha, rng):
    assert len(x) % 2 == 0, "even batches only"
    return formula(x, y, alpha, rng)


def last_row_unmixed(x, y, alpha, rng):
    mixed_x, mixed_y = formula(x, y, alpha, rng)
    if len(x) % 2:
        mixed_y[-1] = y[-1]
    return mixed_x, mixed_y


def seeded_once(x, y, alpha, rng):
    return formula(x, y, alpha, np.random.default_rng([7, len(x)]))


def own_randomness(x, y, alpha, rng):
    return formula(x, y, alpha, np.random.default_rng())


class ReusedBuffer:
    def __init__(self):
        self.kept = {}

    def __call__(self, x, y, alpha, rng):
        mixed_x, mixed_y = formula(x, y, alpha, rng)
        out = self.kept.setdefault((x.shape, mixed_x.dtype), np.empty_like(mixed_x))
        out[...] = mixed_x
        return out, mixed_y


def biased(x, y, alpha, rng):
    index = np.minimum(rng.permutation(len(x)), rng.permutation(len(x)))
    return formula(x, y, alpha, rng, index=index)


FAULTS = {
    "labels with another permutation": (
        planted(label_index=lambda n, a, rng: rng.permutation(n)), "labels match images", "with other rows"),
    "the same, but only sometimes": (sometimes_another_partner, "labels match images", "batch of 8"),
    "labels with another lam": (
        planted(label_lam=lambda n, a, rng: beta(a, rng)), "labels match images", "with another lam"),
    "labels with 1 - lam": (one_minus_lam, "labels match images", "mixed with 1 - lam"),
    "lam uniform": (planted(lam=lambda n, a, rng: rng.random() if a else 1.0), "lam is Beta(alpha, alpha)", "uniform"),
    "lam uniform, drawn for each row": (
        planted(lam=lambda n, a, rng: rng.random(n) if a else np.ones(n)), "lam is Beta(alpha, alpha)", "uniform"),
    "lam always one half": (
        planted(lam=lambda n, a, rng: 0.5 if a else 1.0), "lam is Beta(alpha, alpha)", "always 0.50"),
    "alpha ignored": (
        planted(lam=lambda n, a, rng: rng.beta(0.3, 0.3) if a else 1.0), "lam is Beta(alpha, alpha)", "alpha 4"),
    "Beta(alpha, 1)": (
        planted(lam=lambda n, a, rng: rng.beta(a, 1) if a else 1.0), "lam is Beta(alpha, alpha)", "at alpha 0.3"),
    "Beta(alpha, alpha + 1)": (
        planted(lam=lambda n, a, rng: rng.beta(a, a + 1) if a else 1.0), "lam is Beta(alpha, alpha)", "at alpha"),
    "every other batch unmixed": (
        planted(lam=lambda n, a, rng: beta(a, rng) if rng.random() < 0.5 else 1.0),
        "lam is Beta(alpha, alpha)", "visibly mixed"),
    "lam rounded to an integer": (
        planted(lam=lambda n, a, rng: np.round(beta(a, rng))), "mixes", "rounded to 0 or 1"),
    "nothing mixed": (planted(lam=lambda n, a, rng: 1.0), "mixes", "comes back unmixed"),
    "nothing mixed at large alphas": (
        planted(lam=lambda n, a, rng: beta(a, rng) if a < 2 else 1.0), "mixes", "unmixed, also at alpha 4"),
    "alpha 1 refused": (
        refusing_alpha(lambda alpha: alpha == 1, "not 1"), "result", "a batch of 8 with alpha 1 raises ValueError: not 1"),
    "float64": (promoting, "float32", "float32 images become float64"),
    "images overwritten": (in_place(0), "inputs unchanged", "images"),
    "labels overwritten": (in_place(1), "inputs unchanged", "labels"),
    "class ids averaged": (averaging_ids, "class ids", "are averaged: the classes"),
    "class ids shuffled": (shuffling_ids, "class ids", "don't match"),
    "class ids to wrong soft labels": (wrong_soft_labels, "class ids", "don't match"),
    "lam cast to uint8": (truncated_uint8, "uint8", "pixels are off by up to"),
    "across the feature axis": (across_features, "convex images", "features"),
    "three rows": (three_rows, "convex images", "more than two rows"),
    "extrapolation": (extrapolating, "convex images", "-0."),
    "labels that don't sum to 1": (dimmed_labels, "label rows sum to 1", "sums to 0.90"),
    "negative alpha accepted": (accepting, "bad alpha", "alpha = -1 is accepted"),
    "alpha = 0 mixes": (mixing_at_zero, "alpha = 0", "mixes: of a batch of 2"),
    "alpha = 0 shuffles the labels": (
        at_zero(lambda x, y, rng: (x, rng.permutation(y))), "alpha = 0", "images stay whole, but labels of a batch of"),
    "alpha = 0 loses a row": (at_zero(lambda x, y, rng: (x[1:], y)), "alpha = 0", "became (1, 4, 4, 3)"),
    "alpha = 0 without a lam": (no_lam_at_zero, "alpha = 0", "raises UnboundLocalError"),
    "labels mixed at alpha 1 alone": (
        labels_mixed_at_one_alone, "labels match images", "at alpha 0.3 labels are mixed with other rows"),
    "alpha above 1 refused": (
        refusing_alpha(lambda alpha: alpha > 1, "at most 1"), "result", "a batch of 8 with alpha 4 raises ValueError: at most 1"),
    "one partner for all, drawn": (
        planted(index=lambda n, a, rng: np.full(n, rng.integers(n))), "partners", "the partner of all others"),
    "the first row or another is the partner of all": (
        planted(index=lambda n, a, rng: rng.choice([0, rng.integers(1, max(n, 2)) % n], n)), "partners",
        "not a fair choice: the rows were partners ["),
    "one half at a tiny alpha": (keras_like, "smaller alpha mixes less", "at alpha 0.001"),
    "odd batches": (even_only, "batch sizes", "AssertionError: even batches only"),
    "last row of odd batches": (last_row_unmixed, "batch sizes", "a batch of 3 is mixed wrongly"),
    "one partner for all": (
        planted(index=lambda n, a, rng: np.zeros(n, int)), "partners", "row 0 is the partner of several"),
    "partners of low number": (biased, "partners", "not a fair choice"),
    "generator ignored": (own_randomness, "seed", "equal generators give different results"),
    "one fixed seed": (seeded_once, "seed", "another seed gives the same"),
    "result overwritten later": (ReusedBuffer(), "seed", "overwritten by a later call"),
    "labels draw from elsewhere": (noisy_labels, "seed", "equal generators give different results"),
    "state shared by threads": (SharedState(), "seed", "four threads at once"),
    "labels not mixed": (planted(label_lam=lambda n, a, rng: 1.0), "labels match images", ", its label 1.00 of row "),
    "lam of the labels rounded": (rounded_label_lam, "labels match images", "with another lam"),
    "labels smoothed unevenly": (changed(unevenly_smoothed), "labels match images", "of row 0"),
    "labels that say nothing": (
        changed(lambda x, y: (x, np.full_like(y, 0.1))), "labels match images", "its label 0.10 of row 0 and 0.10 of"),
    "one label that doesn't sum to 1": (changed(last_label_dimmed), "label rows sum to 1", "sums to 0.90"),
    "images darkened": (changed(lambda x, y: (x / 2, y)), "convex images", "of a batch of 2, row 0 is 0."),
    "images black": (changed(lambda x, y: (0 * x, y)), "convex images", "row 0 is nothing of any row"),
    "uniform, but not at a tiny alpha": (
        planted(lam=lambda n, a, rng: rng.random() if a > 0.01 else beta(a, rng)),
        "smaller alpha mixes less", "at alpha 0.3 the lighter row's mean weight is 0.22"),
    "alpha = 0 mixes batches of 8": (mixing_eight_at_zero, "alpha = 0", "mixes: of a batch of 8"),
    "only NaN accepted": (nan_accepted, "bad alpha", "alpha = nan is accepted"),
    "NaN at a negative alpha": (nan_for_negative, "bad alpha", "alpha = -1 is accepted and gives NaN"),
    "odd batches dimmed": (changed(lambda x, y: (x / 2, y / 2), odd), "batch sizes", "a batch of 1 is mixed wrongly"),
    "odd batches with a pixel off": (changed(one_pixel_off, odd), "batch sizes", "a batch of 1 is mixed wrongly"),
    "odd batches lose a row": (
        changed(lambda x, y: (x[1:], y), odd), "batch sizes", "(1, 4, 4, 3) and (1, 10) became (0, 4, 4, 3)"),
    "odd batches lose a label": (
        changed(lambda x, y: (x, y[1:]), odd), "batch sizes", "became (1, 4, 4, 3) and (0, 10)"),
    "labels in float64": (changed(lambda x, y: (x, y.astype(float))), "float32", "float32 labels become float64"),
    "uint8 cropped": (changed(lambda x, y: (x[:, :2], y), whole), "uint8", "become (8, 2, 4, 3)"),
    "uint8 a little brighter": (changed(lambda x, y: (x + 1.5, y), whole), "uint8", "off by up to 2 grey values"),
    "uint8 brighter": (changed(lambda x, y: (x + 5, y), whole), "uint8", "off by up to 5 grey values"),
    "class ids to too few classes": (three_classes_only, "class ids", "become labels of shape (8, 3)"),
    "the first row is never a partner": (first_row_alone, "partners", "not a fair choice: the rows were partners [0, "),
    "shifted, the first row by none": (
        planted(index=lambda n, a, rng: np.maximum(np.arange(n) - 1, 0)),
        "partners", "row 0 is the partner of several"),
    "rolled by one or two": (shifted_by_one_or_two, "partners", "not a fair choice"),
    "class ids to wrong soft labels now and then": (
        sometimes(wrong_soft_labels, 0.2, class_ids_to_soft_labels), "class ids", "soft labels that don't match"),
    "class ids averaged, and half too large": (
        lambda *args: tuple(part + 0.5 * (part.ndim == 1) for part in averaging_ids(*args)), "class ids", "don't match"),
    "the next row every other time": (
        planted(index=lambda n, a, rng: rng.choice([np.roll(np.arange(n), -1), rng.permutation(n)])),
        "partners", "not a fair choice: partners were 1 to 7 rows further on [2"),
    "any two rows, but low ones more often": (unfair_pairs, "partners", "any two rows, but not a fair choice"),
    "labels with 1 - lam now and then": (sometimes(one_minus_lam, 0.02), "labels match images", "mixed with 1 - lam"),
    "a label dimmed now and then": (sometimes(dimmed_labels), "label rows sum to 1", "sums to 0.90"),
    "images overwritten now and then": (sometimes(in_place(0)), "inputs unchanged", "images"),
    "alpha = 0 mixes now and then": (sometimes(mixing_at_zero), "alpha = 0", "mixes: of a batch of"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_and_said(name):
    fn, failing, words = FAULTS[name]
    report = known_report(name, fn)
    assert failing in report.failed
    assert words in report[failing]
    with pytest.raises(AssertionError, match=failing.split("(")[0]):
        report.raise_if_failed()


@pytest.mark.parametrize("n", [1, 3, 7])
def test_a_batch_size_that_fails_is_named(n):
    def fn(x, y, alpha, rng):
        if len(x) == n:
            raise ValueError("not so many")
        return formula(x, y, alpha, rng)

    assert check_mixup(fn)["batch sizes"] == f"fails: a batch of {n} raises ValueError: not so many"


def test_the_tests_of_a_report_share_its_error_rate(monkeypatch):
    calls, levels = Counter(), []
    for name in ("kstest", "chisquare", "binomtest"):
        monkeypatch.setattr(stats, name, lambda *args, name=name, test=getattr(stats, name): calls.update([name]) or test(*args))
    begin = checks._Check.__init__
    monkeypatch.setattr(checks._Check, "__init__", lambda self, *args: levels.append(args[2]) or begin(self, *args))
    report = check_mixup(formula, error_rate=0.09)
    # A right one has to pass one of each two binomial tests; each mean weight is held against a bound.
    tests = calls["kstest"] + calls["chisquare"] + calls["binomtest"] / 2 + report["smaller alpha mixes less"].count("alpha")
    assert levels == [0.09 / tests]


def test_how_much_more_may_be_mixed_than_should():
    # Hoeffding's bound for the mean of 400 weights up to 1/2, at the share of the error rate that one of nine tests has.
    right = stats.beta(1.001, 0.001).cdf(0.5)
    slack = 0.5 * np.sqrt(np.log(9 / 0.001) / 800)
    for lighter, status in [(right + 0.99 * slack, "holds"), (right + 1.01 * slack, "fails")]:
        fn = planted(lam=lambda n, a, rng: 1 - lighter, index=lambda n, a, rng: np.roll(np.arange(n), 1))
        found = check_mixup(fn)["smaller alpha mixes less"]
        assert found.startswith(status) and f"mean weight is {lighter:.2f}" in found


def test_class_ids_are_compared_with_the_images():
    def fn(x, y, alpha, rng):
        return class_ids_to_soft_labels(x, y, alpha, rng) if y.ndim == 1 else one_minus_lam(x, y, alpha, rng)

    assert check_mixup(fn)["class ids"] == "holds: turned into soft labels"


def test_where_no_thread_can_start_one_after_the_other_is_enough(monkeypatch):
    monkeypatch.setattr(threading.Thread, "start", Mock(side_effect=RuntimeError("can't start new thread")))
    assert check_mixup(SharedState())["seed"] == check_mixup(formula)["seed"] == "holds: one seed gives one result"


def test_the_largest_input(monkeypatch):
    """Is taken; to check a MixUp with it takes a minute."""
    monkeypatch.setattr(checks, "_Check", Mock())
    check_mixup(formula, shape=(2500, 4000))
    checks._Check.assert_called_once()


def test_the_row_that_is_no_blend_is_named():
    def noisy(x, y, alpha, rng):
        mixed_x, mixed_y = formula(x, y, alpha, rng)
        mixed_x[-1] += np.float32(0.1) * rng.random(x.shape[1:], np.float32)
        return mixed_x, mixed_y

    assert "of a batch of 2, row 1 is no blend of rows" in str(check_mixup(noisy))


def test_the_smallest_example_is_shown():
    said = check_mixup(three_rows)["convex images"]
    assert re.fullmatch(r"fails: of a batch of 4, row \d is (0\.\d\d of row \d( and )?){3}: more than two rows", said)
    said = check_mixup(lambda *args: averaging_ids(*args, first=1))["class ids"]
    a, b, mean = re.search(r"the classes (\d) and (\d) become (\S+)", said).groups()
    assert float(a) < float(mean) < float(b)
    assert check_mixup(accepting)["bad alpha"] == "fails: alpha = -1 is accepted"


def test_the_draws_are_compared_with_what_they_should_be():
    said = check_mixup(planted(lam=lambda n, a, rng: rng.random() if a else 1.0))["lam is Beta(alpha, alpha)"]
    middle, wanted = re.search(r"alpha 0.3, lam looks uniform: (\d+)% of .*, and (\d+)% should", said).groups()
    below = stats.beta(0.3, 0.3).cdf
    assert int(wanted) == round(100 * (below(0.75) - below(0.25)) / (below(0.99) - below(0.01)))
    assert abs(int(middle) - 51) < 8
    said = check_mixup(planted(lam=lambda n, a, rng: rng.beta(a, 1) if a else 1.0))["lam is Beta(alpha, alpha)"]
    draws = np.random.default_rng(0).beta(0.3, 1, 100_000)
    draws = draws[(draws > 0.01) & (draws < 0.99)]
    mean, middle = map(float, re.search(r"the mean of lam is (\S+): (\d+)%", said).groups())
    assert mean == pytest.approx(draws.mean(), abs=0.05)
    assert middle == pytest.approx(100 * np.mean(abs(draws - 0.5) < 0.25), abs=8)


def test_what_mixes_nothing_fails_where_mixing_is_asked_for():
    report = check_mixup(planted(lam=lambda n, a, rng: 1.0))
    assert report.failed == ["mixes", "lam is Beta(alpha, alpha)", "partners", "seed"]
    assert report["lam is Beta(alpha, alpha)"].startswith("fails: at alpha 0.3, 0% of the rows are visibly mixed")
    assert report["partners"] == "fails: nothing is mixed"


@pytest.mark.parametrize(
    "name",
    ["labels with 1 - lam", "float64", "lam uniform", "class ids averaged", "odd batches", "images overwritten",
     "labels overwritten"],
)  # fmt: skip
def test_one_fault_is_one_failure(name):
    fn, failing, _ = FAULTS[name]
    expected = {
        "labels with 1 - lam": {"alpha = 0"}, "lam uniform": {"smaller alpha mixes less"},
        "class ids averaged": {"bad alpha"},
    }  # fmt: skip
    assert set(check_mixup(fn).failed) - expected.get(name, set()) <= {failing, "batch sizes"}


CHOICES = {
    "folded": (
        planted(lam=lambda n, a, rng: max(lam := beta(a, rng), 1 - lam)), "lam is Beta(alpha, alpha)", "folded"),
    "rolled": (planted(index=lambda n, a, rng: np.roll(np.arange(n), 1)), "partners", "rolled by 1"),
    "flipped": (planted(index=lambda n, a, rng: np.arange(n)[::-1]), "partners", "flipped"),
    "fixed": (planted(index=lambda n, a, rng: np.arange(n) ^ 1 if n % 2 == 0 else np.arange(n)), "partners", "same in"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHOICES)
def test_a_choice_is_no_fault(name):
    fn, chosen, words = CHOICES[name]
    report = known_report(name, fn)
    assert report.failed == []
    assert report.choices == sorted(["lam per batch or row", chosen], key=list(r[0] for r in report._rows).index)
    assert words in report[chosen]


def test_other_choices_are_said():
    def smoothing(x, y, alpha, rng):
        mixed_x, mixed_y = formula(x, y, alpha, rng)
        return mixed_x, np.float32(0.8) * mixed_y + np.float32(0.02)

    def smoothing_ids(x, y, alpha, rng):
        return smoothing(x, np.eye(10, dtype=np.float32)[y] if y.ndim == 1 else y, alpha, rng)

    def dusty(x, y, alpha, rng):
        mixed_x, mixed_y = formula(x, y, alpha, rng)
        return mixed_x, mixed_y + np.float32(1e-7)

    def refusing(x, y, alpha, rng):
        if alpha == 0 or x.dtype != np.float32:
            raise TypeError("not that")
        return formula(x, y, alpha, rng)

    def cut_off(x, y, alpha, rng):
        mixed_x, mixed_y = formula(x, y, alpha, rng)
        return mixed_x.astype(x.dtype), mixed_y

    def folded_at_four(x, y, alpha, rng):
        lam = beta(alpha, rng)
        return formula(x, y, alpha, rng, lam=max(lam, 1 - lam) if alpha == 4 else lam)

    def any_two(x, y, alpha, rng):
        a, b = np.array([rng.permutation(max(len(x), 2))[:2] % len(x) for _ in x]).T
        if not alpha >= 0 or y.ndim == 1:
            raise ValueError
        lam = np.float32(beta(alpha, rng))
        return lam * x[a] + (1 - lam) * x[b], lam * y[a] + (1 - lam) * y[b]

    smoothed = "choice: the same rows and lam, but labels are smoothed by 0.20 as well"
    assert check_mixup(smoothing)["labels match images"] == smoothed
    assert check_mixup(smoothing_ids)["class ids"] == "holds: turned into soft labels"
    assert check_mixup(dusty)["labels match images"] == "holds: the same rows with the same lam"
    assert check_mixup(refusing)["alpha = 0"] == "choice: refused: TypeError: not that"
    assert check_mixup(refusing)["uint8"] == "choice: refused: TypeError: not that"
    assert check_mixup(cut_off)["uint8"] == "holds: uint8 images become uint8, and are right"
    assert check_mixup(any_two)["partners"].startswith("choice: a row of the result is a blend of any two rows")
    for fn in (per_row, sometimes(per_row)):
        assert check_mixup(fn)["lam per batch or row"] == "choice: rows of one batch have different lam"
    assert check_mixup(folded_at_four)["lam is Beta(alpha, alpha)"].startswith("holds")


@pytest.mark.parametrize(
    ("fn", "words"),
    [
        (lambda x, y, alpha, rng: 1 / 0, "ZeroDivisionError"),
        (lambda x, y, alpha: (x, y), "TypeError"),
        (lambda x, y, alpha, rng: x, "not a pair"),
        (lambda x, y, alpha, rng: None, "NoneType"),
        (lambda x, y, alpha, rng: (x[:, 0], y), "images of shape"),
        (lambda x, y, alpha, rng: (x[:4], y), "images of shape"),
        (lambda x, y, alpha, rng: (x, y.argmax(1)), "labels of shape"),
        (lambda x, y, alpha, rng: ([x[0], x], y), "raises ValueError"),
        (lambda x, y, alpha, rng: (x, y[:, :8]), "labels of shape (8, 10) become (8, 8)"),
        (mixup_data, "not a pair"),
    ],
)
def test_what_cannot_be_checked_is_said_at_once(fn, words):
    def positional(x, y, alpha, rng):
        return fn(x, y, alpha, rng=rng) if fn is mixup_data else fn(x, y, alpha, rng)

    report = check_mixup(positional)
    assert report.failed == ["result"]
    assert words in report["result"]


def test_a_long_error_is_said_in_one_short_line():
    def fn(x, y, alpha, rng):
        raise ValueError("\n  " + 40 * "no " + "\nsecond line")

    said = check_mixup(fn)["result"]
    assert said.startswith("fails: a batch of 8 with alpha 1 raises ValueError: no no ") and said.endswith("no [...]")
    assert len(said) < 130 and "\n" not in said


def test_nan_fails_everywhere_that_looks_at_numbers():
    report = check_mixup(lambda x, y, alpha, rng: (x * np.nan, y * np.nan))
    for name in ("labels match images", "label rows sum to 1", "batch sizes", "alpha = 0", "uint8",
                 "smaller alpha mixes less"):  # fmt: skip
        assert name in report.failed
    assert report["convex images"] == "fails: of a batch of 2, row 0 is nan of row 0 and nan of row 1"


def test_a_fault_at_one_call_only_does_not_stop_the_rest():
    def moody(x, y, alpha, rng):
        if len(x) == 2:
            raise RuntimeError("two is company")
        return formula(x, y, alpha, rng)

    report = check_mixup(moody)
    assert "two is company" in report["convex images"]
    assert "seed" in report.passed


def test_the_report_reads_as_text_and_as_a_table():
    report = Report([("a", "holds", "1 < 2"), ("b", "fails", "no"), ("long", "choice", "either")])
    assert str(report) == repr(report) == "holds   a     1 < 2\nfails   b     no\nchoice  long  either"
    assert "<th>property</th>" in report._repr_html_() and "<td>1 &lt; 2</td>" in report._repr_html_()
    assert (report.passed, report.failed, report.choices) == (["a"], ["b"], ["long"])
    with pytest.raises(AssertionError, match="^b: no$"):
        report.raise_if_failed()
    with pytest.raises(KeyError, match="properties are a, b, long"):
        report["c"]


def test_one_seed_gives_one_report():
    assert str(check_mixup(per_row, seed=3)) == str(check_mixup(per_row, seed=3))
    assert str(check_mixup(per_row, seed=3)) != str(check_mixup(per_row, seed=4))


def test_the_seed_decides_images_too():
    def first_image(seed):
        seen = []
        check_mixup(lambda x, y, alpha, rng: seen.append(x[0]), seed=seed)
        return seen[0]

    assert np.array_equal(first_image(3), first_image(3)) and not np.array_equal(first_image(3), first_image(4))


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"fn": 3}, "fn"),
        ({"shape": 16}, "shape"),
        ({"shape": (0, 4)}, "each number of shape"),
        ({"shape": (3, 5)}, "shape"),
        ({"shape": (-4, -8)}, "each number of shape"),
        ({"shape": (4.5, 4)}, "each number of shape"),
        ({"shape": (True, 16)}, "each number of shape"),
        ({"shape": (10**5000,)}, "each number of shape"),
        ({"shape": (10**4, 10**4)}, "shape"),
        ({"error_rate": 0}, "error_rate"),
        ({"error_rate": 1e-301}, "error_rate"),
        ({"error_rate": 1.0}, "error_rate"),
        ({"error_rate": "1"}, "error_rate"),
        ({"error_rate": float("nan")}, "error_rate"),
        ({"seed": -1}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"seed": True}, "seed"),
    ],
)
def test_bad_arguments_are_named(wrong, name):
    with pytest.raises((TypeError, ValueError), match=f"^{name} "):
        check_mixup(**{"fn": formula, **wrong})


@pytest.mark.parametrize(
    ("form", "name"),
    [(from_pairs, "fn"), (from_keras, "layer"), (from_timm, "mixup"), (from_torchvision, "transform")],
)  # fmt: skip
def test_what_cannot_be_called_is_refused_at_once(form, name):
    with pytest.raises(TypeError, match=f"^{name} must be callable, got str"):
        form("MixUp")


def test_keras_layer(tf):
    from mixup_helpers._keras import keras

    x, y = np.random.default_rng(0).random((4, 2, 2, 3), np.float32), np.eye(4, dtype=np.float32)
    mix = from_keras(keras.layers.MixUp)
    (a, label), (b, _), (c, _) = (mix(x, y, 0.5, np.random.default_rng(seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)
    assert not np.array_equal(a, mix(x, y, 8.0, np.random.default_rng(0))[0])
    np.testing.assert_allclose(a.reshape(4, -1), label @ x.reshape(4, -1), atol=1e-6)


@pytest.fixture
def torch(monkeypatch):
    """The few things that the adapters ask of torch, made of NumPy's; `seeds` is what it was seeded with."""

    class Tensor:
        def __init__(self, array):
            self.array = array

        def permute(self, *axes):
            return Tensor(self.array.transpose(axes))

        def numpy(self):
            return self.array

    torch = types.SimpleNamespace(from_numpy=Tensor, seeds=[])
    torch.manual_seed = torch.seeds.append
    monkeypatch.setitem(sys.modules, "torch", torch)
    return torch


@pytest.mark.parametrize("form", [from_torchvision, from_timm])
def test_transforms_get_channels_first_and_tensors(torch, form):
    seen = []

    def make(**settings):
        def transform(x, y):
            seen.append((settings, x.array.copy(), y.array.copy()))
            x.array *= 2  # as some do: it must not be hidden
            return torch.from_numpy(x.array + 1), torch.from_numpy(y.array)

        return transform

    rng, state = np.random.default_rng(0), np.random.get_state()[1].copy()
    for shape in [(3, 4, 5, 2), (3, 7), (3, 4, 5)]:
        x, y = rng.random(shape, np.float32), np.eye(10, dtype=np.float32)[[4, 1, 7]]
        before = x.copy()
        mixed_x, mixed_y = form(make)(x, y, 0.3, rng)
        settings, got, labels = seen.pop()
        assert settings == {"num_classes": 10, "alpha" if form is from_torchvision else "mixup_alpha": 0.3}
        np.testing.assert_array_equal(got, np.moveaxis(before, -1, 1) if len(shape) == 4 else before)
        np.testing.assert_array_equal(labels, y if form is from_torchvision else [4, 1, 7])
        np.testing.assert_array_equal(mixed_x, 2 * before + 1)
        np.testing.assert_array_equal(x, 2 * before)
        np.testing.assert_array_equal(mixed_y, labels)
    form(make)(x, np.array([4, 1, 7]), 0.3, rng)
    np.testing.assert_array_equal(seen.pop()[2], [4, 1, 7])  # class ids stay what they are
    np.testing.assert_array_equal(np.random.get_state()[1], state)


def test_every_call_of_a_transform_has_a_seed_of_its_own(torch):
    drawn, rng = [], np.random.default_rng(0)
    x, y = np.ones((2, 8), np.float32), np.eye(2, dtype=np.float32)

    def make(**settings):
        return lambda x, y: drawn.append(np.random.random()) or (x, y)

    for run in range(50):
        from_torchvision(make)(x, y, 1.0, rng)
        from_timm(make)(x, y, 1.0, np.random.default_rng(run))
    assert len(set(torch.seeds)) == 50 and len(set(drawn[1::2])) == 50
    from_timm(make)(x, y, 1.0, np.random.default_rng(0))
    assert drawn[-1] == drawn[1]


def test_every_call_of_a_layer_has_a_seed_of_its_own():
    seeds, rng = [], np.random.default_rng(0)
    mix = from_keras(lambda alpha, seed: seeds.append(seed) or (lambda batch, training: batch))
    for _ in range(50):
        mix(np.ones((2, 8)), np.eye(2), 1.0, rng)
    assert len(set(seeds)) == 50


def test_torch_transforms():
    for package in ("torchvision", "timm"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    # In a process of its own: torch does not load beside TensorFlow.
    code = "import test_checks; test_checks.torch_transforms()"
    run = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def torch_transforms():
    import timm.data
    from torchvision.transforms import v2

    before = np.random.get_state()[1].copy()
    for fn in (from_torchvision(v2.MixUp), from_timm(timm.data.Mixup)):
        report = check_mixup(fn)
        assert {"convex images", "lam is Beta(alpha, alpha)", "seed"} <= set(report.passed)
        assert {"partners", "uint8", "alpha = 0"} <= set(report.choices)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_what_the_book_says_of_the_implementations_still_holds(tf):
    # Of those that the book's own set-up has; the chapter Others is executed where `make torch` has installed the rest.
    from mixup_helpers._keras import keras

    stored = pd.read_csv(Path(__file__).parent.parent / "book" / "results" / "others.csv")
    for name, fn in {"this book": from_pairs(mixup_data), "keras": from_keras(keras.layers.MixUp)}.items():
        report = check_mixup(fn)
        found = {prop: ("holds", "choice", "fails").index(report[prop].split(":")[0])
                 for prop in report.passed + report.choices + report.failed}
        rows = stored[stored.experiment == name]
        assert dict(zip(rows.setting, rows.value.astype(int))) == found


if __name__ == "__main__":
    everything = RIGHT | {name: fn for name, (fn, *_) in (FAULTS | CHOICES).items()}
    made = {name: {str(check_mixup(fn)) for _ in range(3)} for name, fn in everything.items()}
    reports = {name: reports.pop().splitlines() for name, reports in made.items() if len(reports) == 1}
    blocks = [[name, *otherwise(name, lines, reports["formula"])] for name, lines in reports.items()]
    REPORTS.write_text("\n\n".join("\n".join(block) for block in blocks) + "\n", encoding="utf-8")
