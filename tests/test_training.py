"""MixUpDataset: the right batches, each epoch anew, whatever makes them."""

import pickle
import random
import subprocess
import sys
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from mixup_helpers import MixUpDataset
from mixup_helpers.models import keras, perceptron

N = 70
X = np.arange(N, dtype="float64")[:, None]  # a row is its own number
Y = np.eye(10)[np.arange(N) % 10]


def epoch_of(dataset):
    batches = [dataset[i] for i in range(len(dataset))]
    return np.concatenate([x for x, _ in batches]), np.concatenate([y for _, y in batches])


def numbered_epoch(alpha):
    """The first epoch of row numbers, as they are and one-hot: it tells what was done to each row."""
    x, y = epoch_of(MixUpDataset(X, np.eye(N), alpha=alpha, seed=0))
    return x[:, 0], y


def test_every_row_once_in_every_epoch_and_in_a_new_order():
    dataset = MixUpDataset(X, Y, batch_size=32, alpha=0, seed=0)
    orders = []
    for _ in range(5):
        assert [len(x) for x, _ in (dataset[0], dataset[1], dataset[2])] == [32, 32, 6]
        orders.append(epoch_of(dataset)[0][:, 0])
        assert sorted(orders[-1]) == list(range(N))
        dataset.on_epoch_end()
    assert len({tuple(order) for order in orders}) == 5


@pytest.mark.parametrize("batch_size", [1, 7, 69, 70, 100])
def test_any_batch_size_keeps_every_row(batch_size):
    x, _ = epoch_of(MixUpDataset(X, Y, batch_size=batch_size, alpha=0, seed=0))
    assert sorted(x[:, 0]) == list(range(N))


def test_labels_are_mixed_like_the_inputs():
    x, y = numbered_epoch(alpha=1)
    # With one-hot row numbers as labels, the label says which rows were mixed and how.
    np.testing.assert_allclose(y @ np.arange(N), x)
    np.testing.assert_allclose(y.sum(1), 1)
    assert y.dtype == np.float64 and MixUpDataset(X, Y.astype("float32"), seed=0)[0][1].dtype == np.float32
    assert ((y > 0).sum(1) <= 2).all()


def test_every_alpha_has_the_same_rows_in_the_same_batches():
    order = numbered_epoch(alpha=0)[1].argmax(1)
    for alpha in (0.2, 4):
        soft = numbered_epoch(alpha)[1]
        assert (soft[np.arange(N), order] > 0).all()
        for start in (0, 32, 64):  # partners come from the same batch
            outside = np.setdiff1d(np.arange(N), order[start : start + 32])
            assert (soft[start : start + 32][:, outside] == 0).all()


def test_lam_is_new_in_every_batch_and_epoch():
    dataset, lams = MixUpDataset(np.arange(2.0)[:, None], np.eye(2), batch_size=2, alpha=0.4, seed=3), []
    for _ in range(3000):
        (x,), *_ = dataset[0][0]
        lams.append(x)
        dataset.on_epoch_end()
    lams = np.array(lams)
    lams = lams[(lams > 0) & (lams < 1)]  # a row that drew itself shows no weight
    assert len(np.unique(lams)) > 1000
    assert stats.kstest(lams, stats.beta(0.4, 0.4).cdf).pvalue > 0.01


def test_no_two_batches_share_their_random_numbers():
    rows, seen = np.eye(20), set()
    for seed in (0, 1):
        dataset = MixUpDataset(rows, rows, batch_size=4, alpha=1, seed=seed)
        for epoch in range(4):
            assert dataset.epoch == epoch
            for index in range(5):
                # With one-hot rows, the weights that are neither 0 nor 1 tell lam.
                mixed = dataset[index][0]
                seen.add(frozenset(mixed[(mixed > 0) & (mixed < 1)]) or (seed, epoch, index))
            dataset.on_epoch_end()
    assert len(seen) == 2 * 4 * 5
    next_epoch, next_seed = (MixUpDataset(X, Y, alpha=0, seed=seed) for seed in (0, 1))
    next_epoch.on_epoch_end()
    assert not np.array_equal(next_epoch[0][0], next_seed[0][0])


def test_arguments_reach_keras_and_numpy_numbers_count():
    dataset = MixUpDataset(X, Y, np.int64(8), seed=np.uint32(3), workers=3, max_queue_size=4)
    assert (dataset.workers, dataset.max_queue_size, dataset.batch_size, dataset.alpha) == (3, 4, 8, 0.2)
    np.testing.assert_array_equal(dataset[0][0], MixUpDataset(X, Y, 8, seed=3)[0][0])


def test_one_seed_one_result():
    a, b, c = (MixUpDataset(X, Y, seed=seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(a[1][0], b[1][0])
    assert not np.array_equal(a[1][0], c[1][0])
    fresh = MixUpDataset(X, Y)
    np.testing.assert_array_equal(fresh[0][0], fresh[0][0])
    assert not np.array_equal(fresh[0][0], MixUpDataset(X, Y)[0][0])


def test_a_copy_in_another_process_makes_the_same_batches():
    dataset = MixUpDataset(X, Y, seed=1)
    dataset.on_epoch_end()
    copy = pickle.loads(pickle.dumps(dataset))
    for i in (2, 0, 1):  # in any order
        np.testing.assert_array_equal(copy[i][0], dataset[i][0])


def trained(**workers):
    model = perceptron((1,), [4], 10, seed=0)
    random.seed()  # Python's random numbers must not matter
    model.fit(MixUpDataset(X / N, Y, batch_size=8, seed=1, **workers), epochs=3, shuffle=False, verbose=0)
    return np.concatenate([w.ravel() for w in model.get_weights()])


def test_any_number_of_threads_trains_the_same_model():
    alone = trained(workers=0)
    for workers in (1, 2, 4):
        np.testing.assert_array_equal(trained(workers=workers), alone)


def test_worker_processes_train_the_same_model():
    code = "import test_training as t; print(t.trained(workers=2, use_multiprocessing=True).tobytes().hex())"
    command = [sys.executable, "-W", "ignore", "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent, timeout=300)
    assert run.stdout.strip() == trained(workers=0).tobytes().hex(), run.stderr


def test_what_the_model_sees_is_every_row_once_an_epoch():
    seen = []

    class Spy(keras.Model):
        def train_step(self, data):
            seen.append(data[0].numpy()[:, 0])
            return {"loss": 0.0}

    model = Spy()
    model.compile(run_eagerly=True)
    model.built = True
    for workers in (1, 3):
        seen.clear()
        model.fit(MixUpDataset(X, Y, alpha=0, seed=0, workers=workers), epochs=3, shuffle=False, verbose=0)
        assert [len(x) for x in seen] == 3 * [32, 32, 6]
        for epoch in range(3):
            assert sorted(np.concatenate(seen[3 * epoch : 3 * epoch + 3])) == list(range(N))


def test_a_memory_mapped_array_is_read_by_batch(tmp_path):
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    dataset = MixUpDataset(mapped, Y, seed=0)
    assert isinstance(dataset.x, np.memmap)
    np.testing.assert_array_equal(dataset[0][0], MixUpDataset(X, Y, seed=0)[0][0])


BAD = [
    ({"x": X[:3]}, ValueError, "x and y .*3 and 70"),
    ({"y": np.arange(N)}, TypeError, "y holds integer class ids"),
    ({"batch_size": 0}, ValueError, "batch_size .*0"),
    ({"batch_size": 1.5}, TypeError, "batch_size .*float"),
    ({"alpha": -1}, ValueError, "alpha"),
    ({"alpha": "1"}, TypeError, "alpha"),
    ({"seed": -1}, ValueError, "seed"),
    ({"seed": 1.0}, TypeError, "seed"),
    ({"seed": True}, TypeError, "seed"),
    ({"seed": np.timedelta64(1)}, TypeError, "seed .*timedelta64"),
    ({"seed": -(10**5000)}, ValueError, "seed .*a huge number"),
    ({"x": np.ma.masked_less(X, 3)}, TypeError, "x is a masked array"),
]


@pytest.mark.parametrize(("arguments", "error", "message"), BAD)
def test_bad_arguments_are_named_at_once(arguments, error, message):
    with pytest.raises(error, match=message):
        MixUpDataset(**({"x": X, "y": Y} | arguments))


@pytest.mark.parametrize(("size", "said"), [(1 - 10**99, f"got -{10**99 - 1}"), (-(10**99), "a huge number")])
def test_a_number_is_named_unless_it_is_too_long_to_read(size, said):
    with pytest.raises(ValueError, match=said):
        MixUpDataset(X, Y, batch_size=size)


def test_an_index_outside_the_epoch_is_refused():
    for index in (3, -1):
        with pytest.raises(IndexError, match=f"index .*from 0 to 2, got {index}"):
            MixUpDataset(X, Y)[index]
    for index in (1.0, "1", None, True, slice(2)):
        with pytest.raises(TypeError, match="index must be an integer"):
            MixUpDataset(X, Y)[index]


def test_memory_is_used_again_but_never_while_a_batch_or_a_view_of_it_is_held():
    data = MixUpDataset(X, Y, batch_size=4, seed=0)
    addresses = {data[i % len(data)][0].ctypes.data for i in range(20)}
    assert len(addresses) <= 2, "batches that are let go leave their memory to the next"
    held = []  # views only, more than are remembered
    for i in range(40):
        view = data[i % len(data)][0][1:, ..., :1]
        held.append((view, view.copy()))
    for i in range(100):
        data[i % len(data)]
    assert all(np.array_equal(view, copy) for view, copy in held)


def test_memory_is_safe_with_several_threads():
    data, alone = MixUpDataset(X, Y, batch_size=4, seed=0), MixUpDataset(X, Y, batch_size=4, seed=0)
    expected = [alone[i][0].copy() for i in range(len(alone))]

    def right(i):
        batch = data[i % len(data)][0]
        time.sleep(0.0005)  # held while others mix
        return np.array_equal(batch, expected[i % len(data)])

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(right, range(1000)))


def test_memory_that_another_thread_takes_first_is_not_missed():
    class Taken(deque):
        def popleft(self):
            self.clear()
            return super().popleft()

    dataset, same = (MixUpDataset(X, Y, alpha=1, seed=0) for _ in range(2))
    dataset[0]
    dataset._buffers = Taken(dataset._buffers)
    for one, other in zip(dataset[1], same[1], strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_batch_is_of_one_epoch_also_while_the_next_begins():
    data, same = MixUpDataset(X, Y, batch_size=4, seed=0), MixUpDataset(X, Y, batch_size=4, seed=0)
    key, found = data._rng, []

    def asked_meanwhile(*key_of):
        if len(key_of) == 1:  # the order of the next epoch is being drawn
            data._rng = key
            found.append(data[1])
        return key(*key_of)

    data._rng = asked_meanwhile
    data.on_epoch_end()
    for one, other in zip(found[0], same[1], strict=True):
        np.testing.assert_array_equal(one, other)


def test_alpha_can_be_set_to_zero_between_epochs():
    data = MixUpDataset(X.astype("uint8"), Y, alpha=0.4, seed=0)
    assert data[0][0].dtype == "float64"
    data.alpha = 0
    assert data[0][0].dtype == "uint8"


def test_the_defaults_are_batches_of_32_and_alpha_0_2():
    for one, other in zip(epoch_of(MixUpDataset(X, Y, seed=0)), epoch_of(MixUpDataset(X, Y, 32, 0.2, seed=0)), strict=True):
        np.testing.assert_array_equal(one, other)
