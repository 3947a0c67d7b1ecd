"""check_mixup finds what is wrong, says it in words, and leaves what is right alone."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mixup_helpers import mixup_data
from mixup_helpers.checks import Report, check_mixup, from_keras, from_pairs, from_timm, from_torchvision


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


def dataset(x, y, alpha, rng):
    """MixUpDataset's batch of all rows, put back in their order."""
    from mixup_helpers import MixUpDataset

    data = MixUpDataset(x, y, len(x), alpha, seed=int(rng.integers(2**32)))
    mixed_x, mixed_y = data[0]
    back = data._order.argsort()
    return mixed_x[back], mixed_y[back]


RIGHT = [formula, from_pairs(mixup_data), per_row, never_itself, with_replacement, class_ids_to_soft_labels, dataset]


@pytest.mark.parametrize("fn", RIGHT)
def test_nothing_fails_that_is_right(fn):
    report = check_mixup(fn)
    assert report.failed == []
    assert report.choices == ["lam per batch or row"]
    report.raise_if_failed()


@pytest.mark.parametrize("shape", [(16,), (64,), (8, 8), (2, 2, 2, 2)])
def test_any_shape_of_input(shape):
    assert check_mixup(from_pairs(mixup_data), shape=shape).failed == []


def test_right_ones_fail_no_more_often_than_stated():
    failures = sum(bool(check_mixup(formula, seed=seed).failed) for seed in range(1000))
    assert stats.binomtest(failures, 1000, 0.001, "greater").pvalue > 0.01


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


def averaging_ids(x, y, alpha, rng):
    lam, index = beta(alpha, rng), rng.permutation(len(x))
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
    x, y = formula(x, y, alpha, rng)
    return formula(x, y, alpha, rng)


def extrapolating(x, y, alpha, rng):
    return formula(x, y, alpha, rng, lam=1 + beta(alpha, rng) if alpha else 1.0)


def dimmed_labels(x, y, alpha, rng):
    mixed_x, mixed_y = formula(x, y, alpha, rng)
    return mixed_x, np.float32(0.9) * mixed_y


def accepting(x, y, alpha, rng):
    return formula(x, y, max(alpha, 0.1) if alpha else alpha, rng)


def mixing_at_zero(x, y, alpha, rng):
    return formula(x, y, max(alpha, 0.1) if alpha == 0 else alpha, rng)


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
    "one half at a tiny alpha": (keras_like, "smaller alpha mixes less", "at alpha 0.001"),
    "odd batches": (even_only, "batch sizes", "AssertionError: even batches only"),
    "last row of odd batches": (last_row_unmixed, "batch sizes", "a batch of 3 is mixed wrongly"),
    "one partner for all": (
        planted(index=lambda n, a, rng: np.zeros(n, int)), "partners", "row 0 is the partner of several"),
    "partners of low number": (biased, "partners", "not a fair choice"),
    "generator ignored": (own_randomness, "seed", "equal generators give different results"),
    "one fixed seed": (seeded_once, "seed", "another seed gives the same"),
    "result overwritten later": (ReusedBuffer(), "seed", "overwritten by a later call"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_and_said(name):
    fn, failing, words = FAULTS[name]
    report = check_mixup(fn)
    assert failing in report.failed
    assert words in report[failing]
    with pytest.raises(AssertionError, match=failing.split("(")[0]):
        report.raise_if_failed()


@pytest.mark.parametrize("name", ["labels with 1 - lam", "float64", "lam uniform", "class ids averaged", "odd batches"])
def test_one_fault_is_one_failure(name):
    fn, failing, _ = FAULTS[name]
    expected = {"lam uniform": {"smaller alpha mixes less"}, "class ids averaged": {"bad alpha"}}
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
    report = check_mixup(fn)
    assert report.failed == []
    assert report.choices == sorted(["lam per batch or row", chosen], key=list(r[0] for r in report._rows).index)
    assert words in report[chosen]


def test_other_choices_are_said():
    def smoothing(x, y, alpha, rng):
        mixed_x, mixed_y = formula(x, y, alpha, rng)
        return mixed_x, np.float32(0.8) * mixed_y + np.float32(0.02)

    def refusing(x, y, alpha, rng):
        if alpha == 0 or x.dtype != np.float32:
            raise TypeError("not that")
        return formula(x, y, alpha, rng)

    def any_two(x, y, alpha, rng):
        a, b = np.array([rng.permutation(max(len(x), 2))[:2] % len(x) for _ in x]).T
        if not alpha >= 0 or y.ndim == 1:
            raise ValueError
        lam = np.float32(beta(alpha, rng))
        return lam * x[a] + (1 - lam) * x[b], lam * y[a] + (1 - lam) * y[b]

    assert check_mixup(smoothing)["labels match images"].startswith("choice: the same rows and lam, but labels are")
    assert check_mixup(refusing)["alpha = 0"] == "choice: refused: TypeError: not that"
    assert check_mixup(refusing)["uint8"] == "choice: refused: TypeError: not that"
    assert check_mixup(any_two)["partners"].startswith("choice: a row of the result is a blend of any two rows")
    assert check_mixup(per_row)["lam per batch or row"] == "choice: rows of one batch have different lam"


@pytest.mark.parametrize(
    ("fn", "words"),
    [
        (lambda x, y, alpha, rng: 1 / 0, "ZeroDivisionError"),
        (lambda x, y, alpha: (x, y), "TypeError"),
        (lambda x, y, alpha, rng: x, "not a pair"),
        (lambda x, y, alpha, rng: None, "NoneType"),
        (lambda x, y, alpha, rng: (x[:, 0], y), "images of shape"),
        (lambda x, y, alpha, rng: (x, y.argmax(1)), "labels of shape"),
        (mixup_data, "not a pair"),
    ],
)
def test_what_cannot_be_checked_is_said_at_once(fn, words):
    def positional(x, y, alpha, rng):
        return fn(x, y, alpha, rng=rng) if fn is mixup_data else fn(x, y, alpha, rng)

    report = check_mixup(positional)
    assert report.failed == ["result"]
    assert words in report["result"]


def test_nan_fails_everywhere_that_looks_at_numbers():
    report = check_mixup(lambda x, y, alpha, rng: (x * np.nan, y * np.nan))
    for name in ("convex images", "labels match images", "label rows sum to 1", "batch sizes", "alpha = 0", "uint8"):
        assert name in report.failed


def test_a_fault_at_one_call_only_does_not_stop_the_rest():
    def moody(x, y, alpha, rng):
        if len(x) == 2:
            raise RuntimeError("two is company")
        return formula(x, y, alpha, rng)

    report = check_mixup(moody)
    assert "two is company" in report["convex images"]
    assert "seed" in report.passed


def test_the_report_reads_as_text_and_as_a_table():
    report = Report([("a", "holds", "1 < 2"), ("b", "fails", "no")])
    assert str(report) == "holds   a  1 < 2\nfails   b  no"
    assert "<td>1 &lt; 2</td>" in report._repr_html_()
    assert (report.passed, report.failed, report.choices) == (["a"], ["b"], [])
    with pytest.raises(AssertionError, match="^b: no$"):
        report.raise_if_failed()
    with pytest.raises(KeyError, match="properties are a, b"):
        report["c"]


def test_one_seed_gives_one_report():
    assert str(check_mixup(per_row, seed=3)) == str(check_mixup(per_row, seed=3))
    assert str(check_mixup(per_row, seed=3)) != str(check_mixup(per_row, seed=4))


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"fn": 3}, "fn"),
        ({"shape": 16}, "shape"),
        ({"shape": (0, 4)}, "shape"),
        ({"shape": (3, 5)}, "shape"),
        ({"error_rate": 0}, "error_rate"),
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


def test_keras_layer():
    from mixup_helpers._keras import keras

    x, y = np.random.default_rng(0).random((4, 2, 2, 3), np.float32), np.eye(4, dtype=np.float32)
    mix = from_keras(keras.layers.MixUp)
    (a, label), (b, _), (c, _) = (mix(x, y, 0.5, np.random.default_rng(seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)
    np.testing.assert_allclose(a.reshape(4, -1), label @ x.reshape(4, -1), atol=1e-6)


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


def test_what_the_book_says_of_the_implementations_still_holds():
    # Of those that the book's own set-up has; the chapter Others is executed where `make torch` has installed the rest.
    from mixup_helpers._keras import keras

    stored = pd.read_csv(Path(__file__).parent.parent / "book" / "results" / "others.csv")
    for name, fn in {"this book": from_pairs(mixup_data), "keras": from_keras(keras.layers.MixUp)}.items():
        report = check_mixup(fn)
        found = {prop: ("holds", "choice", "fails").index(report[prop].split(":")[0])
                 for prop in report.passed + report.choices + report.failed}
        rows = stored[stored.experiment == name]
        assert dict(zip(rows.setting, rows.value.astype(int))) == found
