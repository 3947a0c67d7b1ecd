"""weighted_pairs against the formula, a slow independent version, and the loss of the soft label."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats
from scipy.special import log_softmax

from mixup_helpers.tables import weighted_pairs


def batch(n, seed=0, dtype="float64"):
    x = np.random.default_rng(seed).integers(0, 9, (n, 3)).astype(dtype)
    return x, np.arange(n)


def one_by_one(x, y, alpha, seed):
    """The definition, row by row, with weights and partners drawn as documented: first all lam, then the partners."""
    rng = np.random.default_rng(seed)
    lam, index = rng.beta(alpha, alpha, size=len(x)), rng.permutation(len(x))
    rows = []
    for i, j in enumerate(index):
        blend = [lam[i] * a + (1 - lam[i]) * b for a, b in zip(x[i], x[j], strict=True)]
        rows += [(i, blend, y[i], lam[i]), (len(x) + i, blend, y[j], 1 - lam[i])]
    return [list(column) for column in zip(*sorted(rows))][1:]


@pytest.mark.parametrize("alpha", [0.05, 0.2, 1, 8])
def test_equals_the_definition_row_by_row(alpha):
    for seed, n in enumerate([1, 2, 7, 40]):
        x, y = batch(n, seed)
        for ours, theirs in zip(weighted_pairs(x, y, alpha, rng=seed), one_by_one(x, y, alpha, seed), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_two_weighted_losses_are_the_loss_of_the_soft_label(seed):
    rng = np.random.default_rng(seed)
    n, classes = rng.integers(2, 30), rng.integers(2, 6)
    x, y = rng.normal(size=(n, 4)), rng.integers(0, classes, n)
    mixed_x, labels, weight = weighted_pairs(x, y, rng.choice([0.1, 0.2, 1, 5]), rng=rng)
    log_p = log_softmax(mixed_x @ rng.normal(size=(4, classes)), axis=1)  # any fixed model
    hard = -weight * log_p[np.arange(2 * n), labels]
    soft = weight[:n, None] * np.eye(classes)[labels[:n]] + weight[n:, None] * np.eye(classes)[labels[n:]]
    np.testing.assert_allclose(soft.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(hard[:n] + hard[n:], -np.sum(soft * log_p[:n], axis=1), rtol=0, atol=1e-12)


def test_the_halves_hold_the_same_rows_and_the_partners_are_a_permutation():
    x, y = batch(50)
    mixed_x, labels, weight = weighted_pairs(x, y, 1, rng=0)
    np.testing.assert_array_equal(mixed_x[:50], mixed_x[50:])
    np.testing.assert_array_equal(labels[:50], y)
    assert sorted(labels[50:]) == sorted(y) and not np.array_equal(labels[50:], y)
    np.testing.assert_array_equal(weight[:50] + weight[50:], 1)
    assert weight.min() >= 0


@pytest.mark.parametrize("alpha", [0.2, 1, 5])
def test_every_row_draws_its_own_lam_from_the_beta_distribution(alpha):
    lam = weighted_pairs(np.zeros(3000), np.zeros(3000), alpha, rng=0)[2][:3000]
    assert stats.kstest(lam, stats.beta(alpha, alpha).cdf).pvalue > 0.01
    assert len(np.unique(lam)) > 2900


def test_the_default_alpha_is_the_one_of_training():
    x, y = batch(9)
    np.testing.assert_array_equal(weighted_pairs(x, y, rng=1)[0], weighted_pairs(x, y, 0.2, rng=1)[0])


def test_alpha_zero_is_plain_training():
    x, y = np.array([[np.inf, 1.0], [np.nan, 2.0], [0.0, 3.0]]), np.array([0, 1, 2])
    mixed_x, labels, weight = weighted_pairs(x, y, alpha=0, rng=0)
    np.testing.assert_array_equal(mixed_x, np.concatenate([x, x]))  # 0 * inf and 0 * nan stay out of the other rows
    np.testing.assert_array_equal(labels[:3], y)
    np.testing.assert_array_equal(weight, [1, 1, 1, 0, 0, 0])


DTYPES = {"float16": "float16", "float32": "float32", "float64": "float64", "complex64": "complex64",
          "uint8": "float64", "int64": "float64", "bool": "float64"}  # fmt: skip


@pytest.mark.parametrize("alpha", [0, 0.4])
@pytest.mark.parametrize("dtype", DTYPES)
def test_floats_keep_their_dtype_and_whole_numbers_become_float64(dtype, alpha):
    mixed_x, labels, weight = weighted_pairs(*batch(6, dtype=dtype), alpha, rng=0)
    assert mixed_x.dtype == DTYPES[dtype] and labels.dtype == np.arange(6).dtype and weight.dtype == np.float64
    exact = weighted_pairs(batch(6, dtype=dtype)[0].astype("complex128"), np.arange(6), alpha, rng=0)[0]
    np.testing.assert_allclose(mixed_x, exact, rtol=1e-2 if dtype == "float16" else 1e-6)


@pytest.mark.parametrize("shape", [(5,), (5, 2), (5, 8, 8), (5, 4, 4, 3)])
def test_whole_rows_are_weighed_whatever_their_shape(shape):
    x, y = np.random.default_rng(0).random(shape), np.arange(5)
    mixed_x, labels, weight = weighted_pairs(x, y, 1, rng=2)
    assert mixed_x.shape == (10, *shape[1:])
    flat = weighted_pairs(x.reshape(5, -1), y, 1, rng=2)[0]
    np.testing.assert_array_equal(mixed_x.reshape(10, -1), flat)


@pytest.mark.parametrize("alpha", [0, 0.4])
def test_inputs_are_never_changed_or_shared(alpha):
    x, y = batch(8)
    x.flags.writeable = y.flags.writeable = False
    mixed_x, labels, weight = weighted_pairs(x, y, alpha, rng=0)
    mixed_x += 1
    labels += 1
    np.testing.assert_array_equal(x, batch(8)[0])
    np.testing.assert_array_equal(y, np.arange(8))


def test_rng_is_what_default_rng_takes():
    x, y = batch(9)
    expected = weighted_pairs(x, y, 0.4, rng=7)
    for rng in (np.random.default_rng(7), np.random.PCG64(7), np.random.SeedSequence(7)):
        for ours, theirs in zip(weighted_pairs(x, y, 0.4, rng=rng), expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    state = np.random.get_state()[1].tolist()
    generator = np.random.default_rng(7)
    first, second = (weighted_pairs(x, y, 0.4, rng=generator)[2] for _ in range(2))
    assert not np.array_equal(first, second), "a generator goes on from call to call"
    assert np.random.get_state()[1].tolist() == state, "a generator of one's own leaves the global one alone"


def test_without_rng_the_global_generator_decides():
    x, y = batch(9)
    np.random.seed(3)
    first = weighted_pairs(x, y)
    np.random.seed(3)
    lam, index = np.random.beta(0.2, 0.2, size=9), np.random.permutation(9)
    np.testing.assert_array_equal(first[2][:9], lam)
    np.testing.assert_array_equal(first[1][9:], index)


def test_data_frames_lists_and_class_names():
    x, y = batch(5)
    names = np.array(["benign", "malignant"])[y % 2]
    expected = weighted_pairs(x, y, rng=3)
    for rows, labels in [(x.tolist(), names.tolist()), (pd.DataFrame(x, index=[7, 5, 3, 1, 9]), pd.Series(names)),
                         (x, pd.Series(names, index=[9, 8, 7, 6, 5])), (x, pd.Categorical(names))]:  # fmt: skip
        mixed_x, got, weight = weighted_pairs(rows, labels, rng=3)
        np.testing.assert_array_equal(mixed_x, expected[0])
        np.testing.assert_array_equal(got, names[expected[1]])
        np.testing.assert_array_equal(weight, expected[2])


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # that there are better arrays
def test_a_matrix_is_mixed_like_an_array():
    x, y = batch(5)
    for alpha in (0, 0.2):
        for one, other in zip(weighted_pairs(np.asmatrix(x), y, alpha, rng=3), weighted_pairs(x, y, alpha, rng=3), strict=True):
            np.testing.assert_array_equal(one, other)


class Remote:
    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("the values are elsewhere")


X, Y = np.ones((4, 2)), np.ones(4)
BAD = [
    ((X, Y, -0.1), {}, ValueError, "alpha .*-0.1"),
    ((X, Y, np.nan), {}, ValueError, "alpha .*nan"),
    ((X, Y, np.inf), {}, ValueError, "alpha .*inf"),
    ((X, Y, "0.4"), {}, TypeError, "alpha .*str"),
    ((X, Y, True), {}, TypeError, "alpha .*bool"),
    ((X, Y[:3]), {}, ValueError, "x and y .*4 and 3"),
    ((X, 1), {}, ValueError, r"y .*one class for each row, got shape \(\)"),
    ((X, np.eye(4)), {}, ValueError, r"y .*one class for each row, got shape \(4, 4\)"),
    ((X, [[1], [2, 3], [1], [1]]), {}, ValueError, "y .*one class for each row"),
    ((X[:0], Y[:0]), {}, ValueError, "x must not be empty"),
    ((3.0, Y), {}, ValueError, "x .*scalar"),
    ((X.astype(object), Y), {}, TypeError, "x .*object"),
    ((np.array(["red", "green", "blue", "red"]), Y), {}, TypeError, "x .*<U5"),
    (([[1, 2], [3], [4], [5]], Y), {}, ValueError, "x must be a rectangular array"),
    ((sparse.csr_array(X), Y), {}, TypeError, "x must hold numbers"),
    ((np.ma.masked_equal(X, 1), Y), {}, TypeError, "x is a masked array"),
    ((X, np.ma.masked_equal(Y, 1)), {}, TypeError, "y is a masked array"),
    ((X, Remote()), {}, ValueError, "y .*the values are elsewhere"),
    ((X, Y), {"rng": "seed"}, TypeError, "rng"),
    ((X, Y), {"rng": -1}, ValueError, "rng"),
]


@pytest.mark.parametrize(("args", "kwargs", "error", "message"), BAD)
def test_bad_input_is_named_before_anything_is_drawn(args, kwargs, error, message):
    state = np.random.get_state()[1].tolist()
    with pytest.raises(error, match=message):
        weighted_pairs(*args, **kwargs)
    assert np.random.get_state()[1].tolist() == state


def test_scikit_learn_takes_the_result():
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 3))
    names = np.array(["no", "yes"])[(x[:, 0] > 0).astype(int)]
    plain = LogisticRegression(solver="newton-cholesky").fit(x, names)
    mixed_x, labels, weight = weighted_pairs(x, names, alpha=0, rng=0)
    same = LogisticRegression(solver="newton-cholesky").fit(mixed_x, labels, sample_weight=weight)
    np.testing.assert_allclose(same.coef_, plain.coef_, atol=1e-6)
    assert set(same.classes_) == {"no", "yes"}


def test_the_module_needs_numpy_alone():
    import mixup_helpers.tables as module

    with open(module.__file__, encoding="utf-8") as file:
        imported = re.findall(r"(?m)^\s*(?:import|from) (\S+)", file.read())
    assert set(imported) == {"numpy", "mixup_helpers._arguments", "mixup_helpers.mixing"}
