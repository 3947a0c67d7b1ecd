"""mixup_batches: the formula on the right rows, the same bits on any number of threads, every pass anew."""

import hashlib
import itertools
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from mixup_helpers._keras import keras, tf
from mixup_helpers.models import perceptron
from mixup_helpers.pipelines import mixup_batches

N = 70
X = np.random.default_rng(0).random((N, 4, 3), dtype="float32")
Y = np.eye(10, dtype="float32")[np.arange(N) % 10]
ROWS = np.eye(N, dtype="float32")  # one-hot row numbers: mixed, they tell what was done to each row


@pytest.fixture(autouse=True)
def _no_global_seed():
    """Other tests may have set TensorFlow's global seed, which counts as well."""
    keras.utils.set_random_seed(0)


def pairs(x, y, batch_size=32):
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(batch_size)


def one_pass(dataset):
    return [(x.numpy(), y.numpy()) for x, y in dataset]


def weights(dataset):
    """What one pass made of the rows: a matrix with one line for each mixed row."""
    return np.concatenate([y for _, y in one_pass(dataset)])


def fingerprint(dataset, passes=2):
    found = hashlib.sha256()
    for x, y in itertools.chain.from_iterable(one_pass(dataset) for _ in range(passes)):
        found.update(x.tobytes() + y.tobytes())
    return found.hexdigest()


@pytest.mark.parametrize("batch_size", [1, 2, 7, 32, 69, 70, 100])
@pytest.mark.parametrize("alpha", [0.2, 1, 8])
def test_the_same_rows_in_the_same_batches_each_used_once(batch_size, alpha):
    batches = one_pass(mixup_batches(pairs(X, ROWS, batch_size), alpha, seed=3))
    assert [len(x) for x, _ in batches] == [len(x) for x, _ in one_pass(pairs(X, ROWS, batch_size))]
    matrix = np.concatenate([y for _, y in batches])
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(matrix.sum(axis=0), 1, atol=1e-6)  # partners are a permutation
    batch = np.arange(N) // batch_size
    assert (matrix[batch[:, None] != batch] == 0).all()


def test_one_weight_in_a_batch_and_one_partner_in_a_row():
    for i, (_, y) in enumerate(one_pass(mixup_batches(pairs(X, ROWS), 1, seed=3))):
        block = y[:, 32 * i : 32 * i + 32]
        own = np.diag(block)
        lam = own.min()
        np.testing.assert_allclose(own[own < 1], lam)
        others = block - np.diag(own)
        assert ((others > 0).sum(axis=1) == (own < 1)).all()
        np.testing.assert_allclose(others[others > 0], 1 - lam, atol=1e-6)


def test_inputs_are_mixed_like_the_labels():
    matrix = weights(mixup_batches(pairs(X, ROWS), 1, seed=5))
    expected_x, expected_y = np.einsum("ij,jkl->ikl", matrix, X), matrix @ Y
    # Another second part leaves the draws as they are.
    batches = one_pass(mixup_batches(pairs(X, Y), 1, seed=5))
    np.testing.assert_allclose(np.concatenate([x for x, _ in batches]), expected_x, atol=1e-6)
    np.testing.assert_allclose(np.concatenate([y for _, y in batches]), expected_y, atol=1e-6)


def test_the_bits_are_the_formulas_in_float32():
    (mixed, soft), *_ = one_pass(mixup_batches(pairs(X, ROWS), 1, seed=3))
    soft = soft[:, :32]
    lam = np.diag(soft).min()
    index = (soft - lam * np.eye(32, dtype="float32")).argmax(axis=1)
    np.testing.assert_allclose(mixed, lam * X[:32] + (1 - lam) * X[index], rtol=1e-6)
    assert not np.allclose(mixed, X[:32], atol=0.01)


def test_the_weights_are_beta_draws_and_the_partners_are_uniform():
    eye = np.eye(3)
    for alpha in (0.2, 1, 5):
        pipeline = mixup_batches(pairs(eye, eye, 3).repeat(40), alpha, seed=1)
        blocks = [y for _ in range(50) for _, y in one_pass(pipeline)]
        assert len(blocks) == 2000
        mixed = [block for block in blocks if not np.array_equal(block, np.eye(3))]
        lams = [np.diag(block).min() for block in mixed]
        assert stats.kstest(lams, stats.beta(alpha, alpha).cdf).pvalue > 0.01
        assert abs(len(mixed) / len(blocks) - 5 / 6) < 0.03  # one permutation of six leaves all in place
        others = np.array([(block - np.diag(np.diag(block)) > 0)[0] for block in mixed])[:, 1:]
        assert stats.binomtest(int(others[:, 0].sum()), int(others.sum())).pvalue > 0.01


def test_the_weights_are_those_that_numpy_draws():
    table = np.random.default_rng(5).beta(1, 1, size=2**16).astype("float32")
    eye = np.eye(2, dtype="float32")
    first = np.array([y[0, 0] for _, y in one_pass(mixup_batches(pairs(eye, eye, 2).repeat(40), 1, seed=5))])
    drawn = first[first < 1]
    assert np.isin(drawn, table).all() and 0 < np.isin(drawn, table[2**15 :]).sum() < len(drawn)


def test_weights_and_partners_do_not_go_together():
    # In a batch of two, the partners are swapped or not; the weight must not tell which, nor the next weight.
    pipeline = mixup_batches(pairs(np.eye(2), np.eye(2), 2).repeat(3000), 1, seed=2)
    first = np.array([y[0, 0] for _, y in one_pass(pipeline)])
    swapped = first[first < 1]
    assert stats.kstest(swapped, "uniform").pvalue > 0.01 and abs(len(swapped) / 3000 - 0.5) < 0.04
    assert abs(np.corrcoef(swapped[:-1], swapped[1:])[0, 1]) < 0.06


@pytest.mark.parametrize("parallel", [1, 2, 8])
def test_any_number_of_threads_gives_the_same_bits(monkeypatch, parallel):
    def pipeline():
        return mixup_batches(pairs(X, Y, 3), 0.4, seed=9)

    chosen = fingerprint(pipeline())
    monkeypatch.setattr(tf.data, "AUTOTUNE", parallel)
    assert fingerprint(pipeline()) == chosen
    alone = tf.data.Options()
    alone.threading.private_threadpool_size = parallel
    assert fingerprint(pipeline().with_options(alone)) == chosen


def test_the_same_bits_when_several_run_at_once():
    alone = fingerprint(mixup_batches(pairs(X, Y, 3), 0.4, seed=9))
    pipelines = [mixup_batches(pairs(X, Y, 3), 0.4, seed=9) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(fingerprint, pipelines)) == {alone}


def test_the_same_bits_in_another_process():
    code = (
        "import test_pipelines as t; t.keras.utils.set_random_seed(0); "
        "print(t.fingerprint(t.mixup_batches(t.pairs(t.X, t.Y, 3), 0.4, seed=9)))"
    )
    command = [sys.executable, "-W", "ignore", "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent, timeout=300)
    assert run.stdout.strip() == fingerprint(mixup_batches(pairs(X, Y, 3), 0.4, seed=9)), run.stderr


def test_every_pass_mixes_anew_and_one_seed_gives_one_result():
    pipeline, same, other = (mixup_batches(pairs(X, ROWS), 1, seed=seed) for seed in (5, 5, 6))
    passes = [weights(pipeline) for _ in range(3)]
    for one, two in itertools.combinations(passes, 2):
        assert not np.array_equal(one, two)
    for expected in passes:
        np.testing.assert_array_equal(weights(same), expected)
    for one, two in zip(passes, (weights(other) for _ in passes), strict=True):
        assert not np.array_equal(one > 0, two > 0)  # other partners
        assert np.intersect1d(one[(one > 0) & (one < 1)], two[(two > 0) & (two < 1)]).size == 0  # other weights


def test_repeated_epochs_are_the_passes_and_a_broken_pass_counts():
    pipeline, repeated, broken = (mixup_batches(pairs(X, ROWS), 1, seed=5) for _ in range(3))
    passes = [weights(pipeline) for _ in range(2)]
    np.testing.assert_array_equal(weights(repeated.repeat(2)), np.concatenate(passes))
    next(iter(broken))
    np.testing.assert_array_equal(weights(broken), passes[1])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floats_keep_their_dtype(dtype):
    mixed = mixup_batches(pairs(X.astype(dtype), Y.astype(dtype)), seed=0)
    assert [part.dtype.name for part in mixed.element_spec] == [dtype, dtype]
    assert {(x.dtype.name, y.dtype.name) for x, y in one_pass(mixed)} == {(dtype, dtype)}


@pytest.mark.parametrize("dtype", ["uint8", "int32", "bool"])
@pytest.mark.parametrize("alpha", [0, 1])
def test_whole_numbers_become_float32_in_their_own_range(dtype, alpha):
    whole = (255 * X).astype(dtype)
    (mixed, soft), *_ = one_pass(mixup_batches(pairs(whole, ROWS, N), alpha, seed=0))
    assert mixed.dtype == np.float32
    np.testing.assert_allclose(mixed, np.einsum("ij,jkl->ikl", soft, whole.astype("float32")), rtol=1e-5)


def test_alpha_0_leaves_everything_as_it_is():
    x = X.copy()
    x[3], x[4] = np.inf, np.nan  # which must not spread
    batches = one_pass(mixup_batches(pairs(x, Y), 0, seed=0))
    np.testing.assert_array_equal(np.concatenate([x for x, _ in batches]), x)
    np.testing.assert_array_equal(np.concatenate([y for _, y in batches]), Y)


@pytest.mark.parametrize("alpha", [1e-300, 1e-3, 1e300])
def test_extreme_alphas_give_numbers(alpha):
    batches = one_pass(mixup_batches(pairs(X, Y), alpha, seed=0))
    assert all(np.isfinite(x).all() and np.isfinite(y).all() for x, y in batches)
    if alpha < 1:
        matrix = weights(mixup_batches(pairs(X, ROWS, 2), alpha, seed=0))
        assert ((matrix > 0.01) & (matrix < 0.99)).mean() < 0.01


def test_fit_takes_it_and_knows_its_length():
    mixed = mixup_batches(pairs(X, Y).shuffle(3, seed=0), seed=0)
    assert len(mixed) == 3
    runs = []
    for _ in range(2):
        model = perceptron((4, 3), [4], 10, seed=0)
        model.fit(mixup_batches(pairs(X, Y), seed=0), epochs=2, shuffle=False, verbose=0)
        runs.append(np.concatenate([w.ravel() for w in model.get_weights()]))
    np.testing.assert_array_equal(*runs)


def test_shapes_that_are_not_known_are_accepted():
    def batches():
        yield X[:5], Y[:5]

    unknown = tf.data.Dataset.from_generator(batches, output_types=(tf.float32, tf.float32))
    (x, y), *_ = one_pass(mixup_batches(unknown, seed=0))
    assert (x.shape, y.shape) == ((5, 4, 3), (5, 10))


@pytest.mark.parametrize(("rows", "labels"), [(1, 5), (5, 1), (3, 5)])
def test_lengths_that_are_not_known_must_agree(rows, labels):
    """Each batch says so: in a graph without an order, whichever line fails first would speak."""
    batches = [(X[:rows], Y[:labels])] * 200
    unknown = tf.data.Dataset.from_generator(lambda: iter(batches), output_types=(tf.float32, tf.float32))
    mixed = iter(mixup_batches(unknown, seed=0))
    for _ in batches:  # a batch that fails does not end the pass
        with pytest.raises(tf.errors.InvalidArgumentError, match="x and y of a batch must have the same length"):
            next(mixed)


UNBATCHED = tf.data.Dataset.from_tensor_slices((X, Y))
BAD = [
    ({"dataset": [(X, Y)]}, TypeError, "dataset must be a tf.data.Dataset, got list"),
    ({"dataset": pairs(X, Y).map(lambda x, y: x)}, TypeError, r"dataset must hold pairs \(x, y\)"),
    ({"dataset": pairs(X, Y).map(lambda x, y: (x, y, y))}, TypeError, r"dataset must hold pairs \(x, y\)"),
    ({"dataset": pairs({"image": X}, Y)}, TypeError, r"dataset must hold pairs \(x, y\)"),
    ({"dataset": pairs(X, Y).map(lambda x, y: (tf.RaggedTensor.from_tensor(x), y))}, TypeError, "pairs .* of tensors"),
    ({"dataset": pairs(np.full(N, "a"), Y)}, TypeError, "dataset must hold numbers in x, got string"),
    ({"dataset": pairs(X, Y.argmax(1))}, TypeError, "dataset must hold floats in y, got int64: one-hot"),
    ({"dataset": pairs(X, Y.astype("int32"))}, TypeError, "dataset must hold floats in y, got int32"),
    ({"dataset": UNBATCHED}, ValueError, r"dataset must be batched first: \(4, 3\) and \(10,\)"),
    ({"dataset": UNBATCHED.map(lambda x, y: (x, y[0]))}, ValueError, "dataset must be batched first"),
    ({"dataset": UNBATCHED.map(lambda x, y: (x[0, 0], y))}, ValueError, "dataset must be batched first"),
    ({"dataset": UNBATCHED.map(lambda x, y: (x[0, 0], y[0]))}, ValueError, "dataset must be batched first"),
    ({"alpha": -1}, ValueError, "alpha"),
    ({"alpha": float("nan")}, ValueError, "alpha"),
    ({"alpha": "1"}, TypeError, "alpha"),
    ({"seed": -1}, ValueError, "seed"),
    ({"seed": 1.0}, TypeError, "seed"),
    ({"seed": None}, TypeError, "seed"),
    ({"seed": True}, TypeError, "seed"),
]


@pytest.mark.parametrize(("arguments", "error", "message"), BAD)
def test_bad_arguments_are_named_at_once(arguments, error, message):
    with pytest.raises(error, match=message):
        mixup_batches(**({"dataset": pairs(X, Y), "alpha": 0.2, "seed": 0} | arguments))


def test_large_seeds_count():
    fingerprints = {fingerprint(mixup_batches(pairs(X, Y), seed=seed)) for seed in (0, 2**32, 10**30)}
    assert len(fingerprints) == 3


def test_the_helpers_load_without_tensorflow():
    code = "import sys, mixup_helpers; assert 'tensorflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_default_is_alpha_0_2():
    assert fingerprint(mixup_batches(pairs(X, Y), seed=0)) == fingerprint(mixup_batches(pairs(X, Y), 0.2, seed=0))
