"""mixup_data, mix_labels and mixup_loss against the source's formula and against slow, plain versions."""

import os
import runpy
import subprocess
import sys
import threading
import tracemalloc
from types import SimpleNamespace

import ml_dtypes
import numpy as np
import pytest
from scipy import stats

from mixup_helpers import mix_labels, mixing, mixup_data, mixup_loss

DTYPES = ["float16", "float32", "float64", "complex64", "uint8", "int16", "int64", "bool"]
ALPHAS = [0, 1e-300, 0.05, 0.4, 1, 8, 1e300]
SHAPES = [(1,), (5,), (7, 3), (4, 8, 8), (3, 4, 4, 3), (6, 0)]


def source_mixup(x, y, alpha=1.0):
    """The function of the source that the book implements, as it stands there."""
    if alpha > 0:
        lam = np.random.beta(alpha, alpha)
    else:
        lam = 1
    batch_size = x.shape[0]
    index = np.random.permutation(batch_size)
    mixed_x = lam * x + (1 - lam) * x[index]
    y_a, y_b = y, y[index]
    return mixed_x, y_a, y_b, lam


def batch(shape, dtype, seed=0):
    x = np.random.default_rng(seed).integers(0, 200, shape)
    return (x % 2 if dtype == "bool" else x / 8 if dtype.startswith(("float", "complex")) else x).astype(dtype)


def one_hot(n, classes=5):
    return np.eye(classes)[np.arange(n) % classes]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("alpha", ALPHAS)
def test_equals_the_source_bit_for_bit(dtype, alpha):
    for seed, shape in enumerate(SHAPES):
        x, y = batch(shape, dtype), np.arange(shape[0])
        np.random.seed(seed)
        expected, after = source_mixup(x, y, alpha), np.random.random()
        np.random.seed(seed)
        result = mixup_data(x, y, alpha)
        assert np.random.random() == after, "the global generator must advance as the formula advances it"
        for ours, theirs in zip(result, expected, strict=True):
            assert np.asarray(ours).dtype == np.asarray(theirs).dtype
            assert np.asarray(ours).tobytes() == np.asarray(theirs).tobytes()


def test_every_element_by_hand():
    x, y = batch((6, 3), "float64"), np.arange(6)
    mixed_x, y_a, y_b, lam = mixup_data(x, y, 0.7, rng=1)
    for i in range(6):
        partner = int(y_b[i])
        for k in range(3):
            assert mixed_x[i, k] == pytest.approx(lam * x[i, k] + (1 - lam) * x[partner, k])
    assert sorted(y_b) == list(y_a) == list(range(6)), "the partners are the rows themselves, shuffled"


@pytest.mark.parametrize("alpha", [0.1, 0.4, 1, 5])
def test_lam_follows_the_beta_distribution(alpha):
    rng = np.random.default_rng(0)
    lams = [mixup_data([0.0], [0], alpha, rng=rng)[3] for _ in range(3000)]
    assert stats.kstest(lams, stats.beta(alpha, alpha).cdf).pvalue > 0.01


def test_every_partner_is_equally_likely():
    rng = np.random.default_rng(0)
    counts = np.zeros((4, 4))
    for _ in range(4000):
        partners = mixup_data(np.zeros(4), np.arange(4), 1, rng=rng)[2]
        counts[np.arange(4), partners] += 1
    assert stats.chisquare(counts.ravel()).pvalue > 0.01


def test_alpha_zero_leaves_the_data_alone():
    x, y = np.array([[np.inf, -0.0], [np.nan, 2.0]]), np.array([0, 1])
    mixed_x, y_a, y_b, lam = mixup_data(x, y, alpha=0, rng=0)
    assert lam == 1 and isinstance(lam, int)
    np.testing.assert_array_equal(mixed_x, x)  # 0 * inf and 0 * nan stay out of the other rows
    assert np.signbit(mixed_x[0, 1])
    assert not np.shares_memory(mixed_x, x)
    np.testing.assert_array_equal(y_a, y)


@pytest.mark.parametrize("alpha", [0, 0.4])
def test_inputs_are_never_changed(alpha):
    x, y = batch((8, 4), "float32"), one_hot(8)
    x.flags.writeable = y.flags.writeable = False
    mixed_x, y_a, y_b, lam = mixup_data(x, y, alpha, rng=0)
    mixed_x += 1
    mix_labels(y_a, y_b, lam)
    np.testing.assert_array_equal(x, batch((8, 4), "float32"))
    np.testing.assert_array_equal(y, one_hot(8))


def test_rng_is_what_default_rng_takes():
    x, y = batch((9, 2), "float64"), np.arange(9)
    generator = np.random.default_rng(7)
    lam = generator.beta(0.4, 0.4)
    index = generator.permutation(9)
    for rng in (7, np.random.default_rng(7), np.random.PCG64(7), np.random.SeedSequence(7)):
        mixed_x, _, y_b, got = mixup_data(x, y, 0.4, rng=rng)
        assert got == lam
        np.testing.assert_array_equal(y_b, index)
        np.testing.assert_array_equal(mixed_x, lam * x + (1 - lam) * x[index])
    state = np.random.get_state()[1].tolist()
    mixup_data(x, y, rng=generator)
    assert np.random.get_state()[1].tolist() == state, "a generator of one's own leaves the global one alone"
    assert generator.random() != np.random.default_rng(7).random()


def test_lists_tensors_and_subclasses(tf):
    x, y = batch((5, 3), "float32"), one_hot(5)
    expected = mixup_data(x, y, 0.4, rng=3)
    for form in (tf.constant(x), x[::-1][::-1], np.asfortranarray(x), x.tolist()):
        mixed_x, _, y_b, lam = mixup_data(form, y.tolist(), 0.4, rng=3)
        np.testing.assert_allclose(mixed_x, expected[0], rtol=1e-6)
        np.testing.assert_array_equal(y_b, expected[2])
    assert mixup_data(tf.constant(x), y, rng=3)[0].dtype == np.float32
    brief = tf.cast(x, tf.bfloat16)  # no NumPy kind, but numbers all the same
    assert mixup_data(brief, y, rng=3)[0].dtype == (0.5 * brief.numpy()).dtype
    masked = np.ma.masked_greater(x, 10)
    assert mixup_data(masked, y, rng=3)[0].mask.any(), "a mask is data, and is not lost"
    assert mix_labels(masked, masked, 0.5).mask.any()


X, Y = np.ones((4, 2)), np.ones(4)
BAD_DATA = [
    ((X, Y, -0.1), {}, ValueError, "alpha .*-0.1"),
    ((X, Y, np.nan), {}, ValueError, "alpha .*nan"),
    ((X, Y, np.inf), {}, ValueError, "alpha .*inf"),
    ((X, Y, 1e308), {}, ValueError, "alpha"),
    ((X, Y, 1e-310), {}, ValueError, "alpha"),
    ((X, Y, 10**400), {}, ValueError, "alpha"),
    ((X, Y, "0.4"), {}, TypeError, "alpha .*str"),
    ((X, Y, None), {}, TypeError, "alpha .*NoneType"),
    ((X, Y, True), {}, TypeError, "alpha .*bool"),
    ((X, Y, np.True_), {}, TypeError, "alpha .*bool"),
    ((X, Y, [0.4]), {}, TypeError, "alpha .*list"),
    ((X, Y, 1j), {}, TypeError, "alpha .*complex"),
    ((X, Y, np.timedelta64(1)), {}, TypeError, "alpha .*timedelta64"),
    ((X, Y[:3]), {}, ValueError, "x and y .*4 and 3"),
    ((X[:0], Y[:0]), {}, ValueError, "x must not be empty"),
    ((X, Y[:0]), {}, ValueError, "y must not be empty"),
    ((3.0, Y), {}, ValueError, "x .*scalar"),
    ((X, 3), {}, ValueError, "y .*scalar"),
    ((np.array(["a"] * 4), Y), {}, TypeError, "x .*<U1"),
    ((X, ["cat", "dog", "cat", "dog"]), {}, TypeError, "y .*<U3"),
    ((X.astype(object), Y), {}, TypeError, "x .*object"),
    ((X.astype("datetime64[s]"), Y), {}, TypeError, "x .*datetime64"),
    ((np.zeros(4, [("a", int)]), Y), {}, TypeError, "x"),
    (([[1, 2], [3], [4], [5]], Y), {}, ValueError, "x must be a rectangular array"),
    ((X, Y), {"rng": "seed"}, TypeError, "rng"),
    ((X, Y), {"rng": -1}, ValueError, "rng"),
    ((X, Y), {"rng": 1.5}, TypeError, "rng"),
    ((X, Y), {"rng": np.random}, TypeError, "rng"),
    ((X, Y), {"rng": True}, TypeError, "rng .*bool"),
    ((X, Y), {"rng": np.timedelta64(1)}, TypeError, "rng .*timedelta64"),
]


@pytest.mark.parametrize(("args", "kwargs", "error", "message"), BAD_DATA)
def test_bad_input_is_named_before_anything_is_drawn(args, kwargs, error, message):
    state = np.random.get_state()[1].tolist()
    with pytest.raises(error, match=message):
        mixup_data(*args, **kwargs)
    assert np.random.get_state()[1].tolist() == state


class Remote:
    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("the values are elsewhere")


def test_what_cannot_become_an_array_is_named():
    with pytest.raises(TypeError, match="y cannot be read as an array: the values are elsewhere"):
        mixup_data(X, Remote())


def test_the_defaults_are_the_sources():
    np.random.seed(0)
    expected = np.random.beta(1.0, 1.0)
    np.random.seed(0)
    _, y_a, _, lam = mixup_data(X, Y)
    assert lam == expected and y_a is Y


def test_a_tensor_without_values_is_refused(tf):
    @tf.function
    def traced(x):
        return mixup_data(x, x)[0]

    with pytest.raises(TypeError, match="x cannot be read as an array"):
        traced(tf.ones((4, 2)))


def test_unmixed_labels_do_not_meet_their_partners():
    missing = np.array([[np.nan, 0.0]])
    np.testing.assert_array_equal(mix_labels(one_hot(1, 2), missing, 1), one_hot(1, 2))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_mix_labels_is_the_weighted_mean(dtype):
    y_a, y_b = one_hot(6).astype(dtype), one_hot(6)[::-1].astype(dtype)
    for lam in (0, 0.3, np.float64(0.3), 1):
        soft = mix_labels(y_a, y_b, lam)
        assert soft.dtype == dtype
        for i in range(6):
            expected = np.zeros(5)
            expected[y_a[i].argmax()] += lam
            expected[y_b[i].argmax()] += 1 - lam
            np.testing.assert_allclose(soft[i], expected, atol=1e-3)


BAD_LABELS = [
    ((np.array([3, 7]), np.array([7, 3]), 0.5), TypeError, "y_a holds integer class ids"),
    ((np.eye(3)[[0, 1]], np.array([[1], [2]]), 0.5), TypeError, "y_b holds integer class ids"),
    ((np.array([[1, 2], [3, 4]]), np.array([[1, 2], [3, 4]]), 0.5), TypeError, "one-hot"),
    ((np.ones((3, 1), int), np.ones((3, 1), int), 0.5), TypeError, "y_a holds integer class ids"),
    ((np.array([[1, 1, 0]]), np.array([[1, 0, 0]]), 0.5), TypeError, "y_a holds integer class ids"),
    ((np.array([3, 7], ml_dtypes.int4), np.array([7, 3], ml_dtypes.int4), 0.5), TypeError, "integer class ids"),
    ((np.array([3, 7], "uint8"), np.array([7, 3], "uint8"), 0.5), TypeError, "y_a holds integer class ids"),
    ((np.array([3, 7], "uint64"), np.array([7, 3], "uint64"), 0.5), TypeError, "y_a holds integer class ids"),
    ((np.array([[1, 1, -1]]), np.array([[1, 0, 0]]), 0.5), TypeError, "y_a"),
    ((np.array([True, False]), np.array([True, False]), 0.5), TypeError, "y_a"),
    ((np.eye(3), np.eye(4), 0.5), ValueError, r"y_a and y_b .*\(3, 3\) and \(4, 4\)"),
    ((np.eye(3), np.eye(3), 1.1), ValueError, "lam .*1.1"),
    ((np.eye(3), np.eye(3), -0.1), ValueError, "lam"),
    ((np.eye(3), np.eye(3), np.nan), ValueError, "lam"),
    ((np.eye(3), np.eye(3), "0.5"), TypeError, "lam .*str"),
    ((np.eye(3), np.eye(3), np.array([0.5])), TypeError, "lam .*ndarray"),
    ((np.eye(0), np.eye(0), 0.5), ValueError, "y_a must not be empty"),
    ((1.0, 0.0, 0.5), ValueError, "y_a .*scalar"),
]


@pytest.mark.parametrize(("args", "error", "message"), BAD_LABELS)
def test_bad_labels_are_named(args, error, message):
    with pytest.raises(error, match=message):
        mix_labels(*args)


def test_integer_one_hot_rows_are_labels():
    for dtype in ("int64", "uint8", "bool"):
        soft = mix_labels(np.eye(3, dtype=dtype), np.eye(3, dtype=dtype)[::-1], 0.25)
        np.testing.assert_allclose(soft, 0.25 * np.eye(3) + 0.75 * np.eye(3)[::-1])
    masks = np.eye(3, dtype=int)[np.arange(8).reshape(2, 2, 2) % 3]  # one-hot for every pixel
    np.testing.assert_allclose(mix_labels(masks, masks, 0.25), masks)


def answers(n=6, classes=5):
    return np.random.default_rng(1).dirichlet(np.ones(classes), size=n).astype("float32")


@pytest.mark.parametrize("lam", [0, 0.2, 0.5, 1])
def test_mixing_the_loss_is_mixing_the_labels_for_cross_entropy(lam, tf):
    y_a, y_b, p = one_hot(6), one_hot(6)[::-1], answers()
    loss = tf.keras.losses.CategoricalCrossentropy()
    by_loss = float(mixup_loss(loss, y_a, y_b, p, lam))
    assert by_loss == pytest.approx(float(loss(mix_labels(y_a, y_b, lam), p)), rel=1e-5)
    by_hand = -np.mean([lam * np.log(p[i] @ y_a[i]) + (1 - lam) * np.log(p[i] @ y_b[i]) for i in range(6)])
    assert by_loss == pytest.approx(by_hand, rel=1e-5)
    sparse = tf.keras.losses.SparseCategoricalCrossentropy()
    assert by_loss == pytest.approx(float(mixup_loss(sparse, y_a.argmax(1), y_b.argmax(1), p, lam)), rel=1e-5)


def test_both_ways_have_the_same_gradient_also_inside_tf_function(tf):
    y_a, y_b = tf.constant(one_hot(6), "float32"), tf.constant(one_hot(6)[::-1].copy(), "float32")
    logits = tf.Variable(np.random.default_rng(2).normal(size=(6, 5)).astype("float32"))
    loss = tf.keras.losses.CategoricalCrossentropy(from_logits=True)

    # One of the shapes is only known in part.
    @tf.function(input_signature=[tf.TensorSpec([None, 5]), tf.TensorSpec([6, 5])])
    def gradients(y_a, y_b):
        with tf.GradientTape(persistent=True) as tape:
            by_loss = mixup_loss(loss, y_a, y_b, logits, 0.3)
            by_label = loss(0.3 * y_a + 0.7 * y_b, logits)
        return tape.gradient(by_loss, logits), tape.gradient(by_label, logits)

    np.testing.assert_allclose(*gradients(y_a, y_b), atol=1e-6)


def test_a_shape_may_be_known_in_part_on_either_side(tf):
    part, other = (SimpleNamespace(shape=tf.TensorShape(shape)) for shape in ([None, 5], [6, None]))
    for pair in [(part, one_hot(6)), (one_hot(6), part), (part, other)]:
        assert mixup_loss(lambda y_true, y_pred: 2.0, *pair, None, 0.3) == 2
    for pair in [(part, one_hot(6)[:, :4]), (one_hot(6)[:, :4], part), (one_hot(5), other), (part, SimpleNamespace(shape=(6, 4)))]:
        with pytest.raises(ValueError, match="y_a and y_b must have the same shape"):
            mixup_loss(lambda y_true, y_pred: 2.0, *pair, None, 0.3)


def test_the_mixed_loss_keeps_the_precision_of_the_loss():
    def absolute(y_true, y_pred):
        return np.abs(y_true - y_pred)

    y_a, y_b, p = one_hot(6).astype("float32"), one_hot(6)[::-1].astype("float32"), answers()
    assert mixup_loss(absolute, y_a, y_b, p, np.float64(0.3)).dtype == np.float32
    assert mixup_loss(absolute, [0.0], [1.0], np.array([0.25]), 0.5) == [0.5]


@pytest.mark.parametrize(("lam", "expected"), [(1, 0.5), (0, 0.25)])
def test_an_infinite_loss_of_weight_zero_stays_out(lam, expected):
    losses = {lam: np.array([expected], "float32"), 1 - lam: np.array([np.inf], "float32")}
    mixed = mixup_loss(lambda y_true, y_pred: losses[y_true], 1, 0, None, lam)
    assert mixed == expected and mixed.dtype == np.float32
    assert isinstance(mixup_loss(lambda y_true, y_pred: 3, 1, 0, None, lam), float)


def test_bad_loss_arguments_are_named(tf):
    loss = tf.keras.losses.MeanSquaredError()
    with pytest.raises(TypeError, match="loss_fn must be callable, got str"):
        mixup_loss("mse", np.eye(3), np.eye(3), np.eye(3), 0.5)
    with pytest.raises(ValueError, match="y_a and y_b"):
        mixup_loss(loss, np.eye(3), np.eye(3)[:2], np.eye(3), 0.5)
    with pytest.raises(ValueError, match="y_a and y_b must be rectangular"):
        mixup_loss(loss, [[1, 2], [3]], [[1, 2], [3]], np.eye(3), 0.5)
    with pytest.raises(ValueError, match="lam"):
        mixup_loss(loss, np.eye(3), np.eye(3), np.eye(3), 2)
    with pytest.raises(ValueError, match="y_a and y_b must be rectangular arrays: the values are elsewhere"):
        mixup_loss(loss, Remote(), np.eye(3), np.eye(3), 0.5)


def test_importing_the_package_is_light():
    code = "import sys, mixup_helpers; print({'tensorflow', 'keras', 'matplotlib', 'sklearn'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


def test_tensorflow_starts_without_a_word_in_a_notebook(tf):
    code = "import ipykernel; from mixup_helpers import models; models.perceptron((2,), [2], 2, seed=0).get_weights()"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout + run.stderr == ""


@pytest.mark.parametrize("page", ["ipykernel", "sphinx", None])
def test_the_import_is_silent_on_a_page_alone(page, tf, tmp_path, monkeypatch, capfd):
    from mixup_helpers import _keras

    (tmp_path / "keras.py").write_text("import os; os.write(2, b'a greeting, ')")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("keras", "ipykernel", "sphinx"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(os, "environ", {})
    if page:
        monkeypatch.setitem(sys.modules, page, sys)
    runpy.run_path(_keras.__file__)
    os.write(2, b"an error")
    assert capfd.readouterr().err == ("an error" if page else "a greeting, an error")
    assert os.environ == ({"TF_CPP_MIN_LOG_LEVEL": "3"} if page else {})


SIZES = [(3, 4), (5, 0), (1797, 8, 8), (300, 700), (2, 3, 70_000), (3, 70_000, 2), (1, 200_001)]


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "uint8", "complex64"])
@pytest.mark.parametrize("arranged", [lambda x: x, lambda x: x[::-1], np.asfortranarray, lambda x: x[..., ::2]])
def test_blocks_give_the_formula_bit_for_bit(shape, dtype, arranged):
    x = arranged((100 * np.random.default_rng(0).random(shape)).astype(dtype))
    before, y = x.copy(), np.arange(len(x))
    np.random.seed(5)
    expected = source_mixup(x, y, 0.7)[0]
    np.random.seed(5)
    mixed_x = mixup_data(x, y, 0.7)[0]
    assert mixed_x.dtype == expected.dtype and np.array_equal(mixed_x, expected)
    out = arranged(np.full(shape, 7, expected.dtype))
    np.random.seed(5)
    again = mixup_data(x, y, 0.7, out=out)[0]
    assert again is out and np.array_equal(out, expected) and np.array_equal(x, before)


@pytest.mark.parametrize("large", [2**16, 2**23])  # on two threads, on one
def test_large_batches_need_no_large_temporaries(monkeypatch, large):
    monkeypatch.setattr(mixing, "_LARGE", large)
    x, y = np.ones((64, 64, 64, 3), "float32"), np.eye(10)[np.zeros(64, int)]
    out = np.empty_like(x)
    mixup_data(x, y, rng=0, out=out)
    tracemalloc.start()
    mixup_data(x, y, rng=0, out=out)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


def test_what_numpy_shall_do_about_errors_holds_on_both_threads(monkeypatch):
    monkeypatch.setattr(mixing, "_BLOCK", 1)
    monkeypatch.setattr(mixing, "_LARGE", 4)
    threads = set()

    def refuse(*error):
        threads.add(threading.current_thread())
        if threading.current_thread() is not threading.main_thread():
            raise FloatingPointError("seen")

    with np.errstate(under="call", call=refuse), pytest.raises(FloatingPointError, match="seen"):
        mixup_data(np.full((4, 3), 5e-324), np.arange(4), rng=0)
    assert len(threads) == 2


BATCH = np.arange(12, dtype="float32").reshape(4, 3)
READ_ONLY = np.zeros((4, 3), "float32")
READ_ONLY.flags.writeable = False
BAD_OUT = [
    ([0], TypeError),
    (np.ma.zeros((4, 3), "float32"), TypeError),
    (np.zeros((3, 4), "float32"), ValueError),
    (np.zeros((4, 3)), ValueError),
    (READ_ONLY, ValueError),
    (np.lib.stride_tricks.as_strided(np.zeros(1, "float32"), (4, 3), (0, 0)), ValueError),
    (np.lib.stride_tricks.as_strided(np.zeros(9, "float32"), (4, 3), (8, 4)), ValueError),
    (np.lib.stride_tricks.as_strided(np.zeros(9, "float32"), (4, 3), (8, 4))[::-1], ValueError),
    (BATCH, ValueError),
    (BATCH[::-1], ValueError),
]


@pytest.mark.parametrize(("out", "error"), BAD_OUT)
def test_bad_memory_is_refused_before_anything_is_drawn_or_written(out, error):
    rng, before = np.random.default_rng(3), BATCH.copy()
    with pytest.raises(error, match="^out "):
        mixup_data(BATCH, np.arange(4), rng=rng, out=out)
    assert rng.random() == np.random.default_rng(3).random() and np.array_equal(BATCH, before)


def test_memory_of_the_labels_is_not_overwritten():
    y = np.zeros((4, 3), "float32")
    with pytest.raises(ValueError, match="^out shares memory with y"):
        mixup_data(BATCH, y, out=y)


def test_memory_with_gaps_is_no_fault():
    room = np.empty((5, 8, 6), "float32")
    for out in (room[:4, ::3, 0], room[4:0:-1, 1:4, 2], room[0].T[:4, :3], room[:, :4, :1].T[0][:, :3]):
        assert np.array_equal(mixup_data(BATCH, np.arange(4), rng=0, out=out)[0], mixup_data(BATCH, [0] * 4, rng=0)[0])


def test_without_mixing_out_is_a_copy():
    out = np.empty_like(BATCH)
    assert mixup_data(BATCH, np.arange(4), 0, out=out)[0] is out and np.array_equal(out, BATCH)


@pytest.mark.parametrize("alpha", [0, 0.7])
def test_what_a_mask_hides_stays_as_the_formula_leaves_it(alpha):
    masked, y = np.ma.masked_greater(np.arange(20.0).reshape(5, 4), 10), np.arange(5)
    np.random.seed(1)
    expected = source_mixup(masked, y, alpha)[0] if alpha > 0 else 1 * masked
    np.random.seed(1)
    mixed_x = mixup_data(masked, y, alpha)[0]
    np.testing.assert_array_equal(mixed_x.mask, expected.mask)
    np.testing.assert_array_equal(mixed_x.data, expected.data)


@pytest.mark.parametrize("n", [4, 2**17])
def test_of_a_mapped_file_comes_an_array_in_memory(tmp_path, n):
    x = np.memmap(tmp_path / "x", dtype="float32", mode="w+", shape=(2, n))
    assert type(mixup_data(x, np.eye(2), 1.0, rng=np.random.default_rng(0))[0]) is np.ndarray


def test_one_hot_is_meant_along_the_last_axis():
    pixels = np.ones((2, 1, 3), int) * [1, 0, 0]
    assert mix_labels(pixels, pixels, 0.5).shape == (2, 1, 3)
    with pytest.raises(TypeError, match="one-hot"):
        mix_labels(pixels.swapaxes(1, 2), pixels.swapaxes(1, 2), 0.5)


def test_memory_of_two_rows_that_is_the_same_is_refused_and_of_one_row_is_fine():
    memory = np.zeros(8)
    two, one = (np.lib.stride_tricks.as_strided(memory, (n, 4), (0, 8)) for n in (2, 1))
    with pytest.raises(ValueError, match="out has the same memory"):
        mixup_data(np.ones((2, 4)), np.eye(2), 1.0, out=two)
    assert mixup_data(np.ones((1, 4)), np.eye(1), 1.0, out=one)[0] is one
    gaps = np.lib.stride_tricks.as_strided(memory, (1, 4), (0, 16))  # the axis of one row has a step, but takes none
    assert mixup_data(np.ones((1, 4)), np.eye(1), 1.0, out=gaps)[0] is gaps
