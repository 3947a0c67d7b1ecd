"""What holds for every batch: mixup_data and its kin against the plain formula, on inputs that Hypothesis thinks of."""

import copy
import os
import tempfile
from array import array as plain_array
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import configuration, given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import as_strided

from mixup_helpers import MixUpDataset, mix_labels, mixing, mixup_data, mixup_loss

# The same inputs in every run of the suite; MIXUP_EXAMPLES=5000 asks for many more, and new ones each time.
configuration.set_hypothesis_home_dir(tempfile.gettempdir())  # not into the tree
EXAMPLES = int(os.environ.get("MIXUP_EXAMPLES", 0))
settings.register_profile(
    "properties", max_examples=EXAMPLES or 300, derandomize=not EXAMPLES, database=None, deadline=None
)
settings.load_profile("properties")

DTYPES = [
    np.dtype(name) for name in
    ("? i1 u1 i2 u2 i4 u4 i8 u8 f2 f4 f8 g F D G >f4 >f8 >i2".split() + [ml_dtypes.bfloat16, ml_dtypes.float8_e5m2])
]  # fmt: skip
FLOATS = [dtype for dtype in DTYPES if dtype.kind not in "biuc"]
ALPHAS = st.one_of(
    st.sampled_from([0, 0.0, 1, 1e-300, 1e300, np.float32(0.4)]), st.floats(1e-300, 1e300), st.floats(0.01, 20)
)
SHAPES = st.lists(st.integers(0, 6), max_size=3).flatmap(lambda row: st.integers(1, 40).map(lambda n: (n, *row)))
BLOCKS = st.sampled_from([1, 2, 3, 5, 8, 64, mixing._BLOCK])
SEEDS = st.integers(0, 2**32)
# At and beside the ends of real blocks: of many rows, of one row, and inside of rows.
LARGE = [(65537,), (3, 65537), (2, 3, 40_000), (2, 1, 131_073), (257, 256), (300, 13, 17), (1, 65536), (70_000, 1)]


def values(dtype, shape, seed, special=False):
    """Numbers of any size that the dtype holds twice over; with `special` also those that are no numbers."""
    rng = np.random.default_rng(seed)
    if dtype.kind in "biu":
        return rng.integers(0, 2 if dtype.kind == "b" else 127, shape).astype(dtype)
    found = rng.standard_normal(shape) * 10.0 ** rng.integers(-3, 3, shape)
    if dtype.kind == "c":
        found = found + 1j * rng.standard_normal(shape)
    found = found.astype(dtype)
    if special and found.size:
        found.flat[rng.integers(0, found.size, 3)] = [np.inf, np.nan, -0.0]
    return found


def arranged(array, draw, memory=None):
    """The same values somewhere else in memory: axes permuted, reversed, with gaps, read-only or on a disk."""
    order = draw(st.permutations(range(array.ndim)))
    steps = [draw(st.sampled_from([1, 1, -1, 2, -3])) for _ in order]
    shape = [array.shape[axis] * abs(step) for axis, step in zip(order, steps)]
    if memory is None:
        room = np.zeros(shape, array.dtype)
    else:
        room = np.memmap(memory, array.dtype, "w+", shape=tuple(shape))
    view = room[tuple(slice(None, None, step) for step in steps)].transpose(np.argsort(order))
    view[...] = array
    return view, room


@st.composite
def arrays(draw, dtypes=DTYPES, shapes=SHAPES, special=True):
    array = values(draw(st.sampled_from(dtypes)), draw(shapes), draw(SEEDS), special and draw(st.booleans()))
    view, _ = arranged(array, draw)
    if draw(st.booleans()):
        view.flags.writeable = False
    if draw(st.integers(0, 9)) == 9:  # one row, many times over
        view = np.broadcast_to(view[:1], view.shape)
    return view


def formula(x, alpha, rng):
    """The source's two draws and one line; where nothing is mixed, the partners stay out."""
    lam = rng.beta(alpha, alpha) if alpha > 0 else 1
    index = rng.permutation(len(x))
    return (lam * x + (1 - lam) * x[index] if alpha > 0 else lam * x), index, lam


def bits(array):
    """Every value with its sign, exactly; longdouble's bytes hold gaps that say nothing."""
    wide = np.asarray(array).astype(np.clongdouble if array.dtype.kind == "c" else np.longdouble)
    parts = [wide.real, wide.imag]
    return [np.where(np.isnan(part), 0, np.signbit(part)) for part in parts] + parts


def same(a, b):
    kind = a.dtype == b.dtype and a.shape == b.shape
    return kind and all(np.array_equal(p, q, equal_nan=True) for p, q in zip(bits(a), bits(b), strict=True))


def order_in_memory(array):
    return [stride for stride, length in zip(array.strides, array.shape) if length > 1 and array.size]


def mixed_like_the_formula(x, y, alpha, seed, block=mixing._BLOCK, out=None):
    before = x.copy(), y.copy()
    ours, plain = np.random.default_rng(seed), np.random.default_rng(seed)
    with np.errstate(all="ignore"):  # inf less inf
        expected, index, lam = formula(x, alpha, plain)
        # Beyond 256 kB, NumPy adds into lam * x, and then the order is that of lam * x.
        orders = order_in_memory(expected), order_in_memory(lam * x)
        with mock.patch.multiple(mixing, _BLOCK=block, _LARGE=4 * block):  # on two threads from 4 blocks on
            mixed_x, y_a, y_b, got = mixup_data(x, y, alpha, rng=ours, out=out)
    assert type(mixed_x) is type(expected) and same(mixed_x, expected)
    assert got == lam and type(got) is type(lam)
    assert y_a is y and same(y_b, y[index])
    assert ours.bit_generator.state == plain.bit_generator.state
    assert same(x, before[0]) and same(y, before[1])
    if out is None:
        assert order_in_memory(mixed_x) in orders or 0 in x.strides
        assert mixed_x.flags.writeable and not np.may_share_memory(mixed_x, x)
    else:
        assert mixed_x is out
    return mixed_x, y_b, lam


@given(arrays(), ALPHAS, SEEDS, BLOCKS)
def test_equals_the_formula_bit_for_bit(x, alpha, seed, block):
    mixed_like_the_formula(x, np.arange(len(x)), alpha, seed, block)


@settings(max_examples=EXAMPLES // 10 or 40)
@given(arrays(shapes=st.sampled_from(LARGE)), ALPHAS, SEEDS)
def test_equals_the_formula_at_the_ends_of_real_blocks(x, alpha, seed):
    mixed_like_the_formula(x, np.arange(len(x)), alpha, seed)


@given(SHAPES, ALPHAS, SEEDS, BLOCKS, st.sampled_from(["f4", "u1", "D"]), st.data())
def test_a_memory_mapped_array_is_mixed_like_any_other(tmp_path_factory, shape, alpha, seed, block, dtype, data):
    array = values(np.dtype(dtype), (shape[0], *(max(1, n) for n in shape[1:])), seed)  # nothing can't be mapped
    x, _ = arranged(array, data.draw, tmp_path_factory.mktemp("mapped") / "x")
    before, expected = array.copy(), mixup_data(array, np.arange(len(array)), alpha, rng=seed)[0]
    with mock.patch.object(mixing, "_BLOCK", block):
        assert same(mixup_data(x, np.arange(len(x)), alpha, rng=seed)[0], expected)
    assert same(x, before)


@given(arrays(), ALPHAS, SEEDS, BLOCKS, st.data())
def test_with_memory_of_ones_own_it_is_the_same(x, alpha, seed, block, data):
    dtype = ((0.5 if alpha > 0 else 1) * x[:0]).dtype
    out, room = arranged(np.zeros(x.shape, dtype), data.draw)
    room[...] = 7  # in the gaps, too
    gaps = np.ones(room.shape, bool)
    np.copyto(as_view_of(gaps, out, room), False)
    mixed_like_the_formula(x, np.arange(len(x)), alpha, seed, block, out)
    assert (room[gaps] == 7).all(), "nothing is written beside out"


def as_view_of(other, view, room):
    """The elements of `other` that are where those of `view` are in `room`."""
    start = (view.ctypes.data - room.ctypes.data) // room.itemsize if view.size else 0
    strides = [stride // room.itemsize for stride in view.strides]
    return as_strided(other.ravel()[start:], view.shape, strides)


@st.composite
def bad_memory(draw):
    """A batch, its labels, and memory that must be refused, with the error."""
    shape = draw(SHAPES.filter(lambda shape: 0 not in shape))
    n = shape[0]
    room = values(np.dtype("f4"), (2 * n, *shape[1:]), draw(SEEDS))
    x, y, frozen = room[:n], values(np.dtype("f4"), shape, draw(SEEDS)), np.zeros(shape, "f4")
    frozen.flags.writeable = False
    wrong = [x.tolist(), 7, "out", np.float32(1), np.ma.array(x.copy()), np.matrix, plain_array("f", [1])]
    bad = [x, x[::-1], room[(n > 1) : n + (n > 1)], y, y[::-1], frozen, room, np.zeros((), "f4")]
    bad += [np.zeros(other, "f4") for other in [(n + 1, *shape[1:]), (*shape, 1), shape[1:]]]
    bad += [np.zeros(shape, other) for other in ("f8", ">f4", "f2", "i4", "D")]
    bad += [as_strided(np.zeros(1, "f4"), shape, [0] * len(shape))] if x.size > 1 else []
    which = draw(st.integers(0, len(bad) + len(wrong) - 1))
    return x, y, (bad + wrong)[which], ValueError if which < len(bad) else TypeError


@given(bad_memory(), ALPHAS, SEEDS)
def test_bad_memory_is_refused_before_anything_is_drawn_or_written(bad, alpha, seed):
    x, y, out, error = bad
    before, rng = copy.deepcopy((x, y, out)), np.random.default_rng(seed)
    state = rng.bit_generator.state
    with pytest.raises(error, match="^out "):
        mixup_data(x, y, alpha, rng=rng, out=out)
    assert rng.bit_generator.state == state
    assert all(np.array_equal(a, b) for a, b in zip((x, y, out), before, strict=True))


@given(SHAPES, ALPHAS, SEEDS)
def test_memory_between_the_rows_of_x_shares_nothing(shape, alpha, seed):
    room = np.repeat(values(np.dtype("f8"), shape, seed), 2, axis=0)
    mixed_like_the_formula(room[::2], np.arange(shape[0]), alpha, seed, out=room[1::2])


@given(arrays(dtypes=FLOATS, special=False), ALPHAS, SEEDS, BLOCKS)
def test_every_value_lies_between_the_two_it_was_made_of(x, alpha, seed, block):
    mixed_x, index, lam = mixed_like_the_formula(x, np.arange(len(x)), alpha, seed, block)
    own, other, mixed = (array.astype(np.longdouble) for array in (x, x[index], mixed_x))
    info = ml_dtypes.finfo(mixed_x.dtype)
    slack = 2 * max(float(info.eps), 2.0**-52) * np.maximum(abs(own), abs(other)) + 2 * np.longdouble(info.smallest_subnormal)
    # 1 - lam is rounded as a float, whatever x is.
    assert (np.minimum(own, other) - slack <= mixed).all() and (mixed <= np.maximum(own, other) + slack).all()
    assert 0 <= lam <= 1


@given(st.integers(1, 30), st.integers(1, 12), st.sampled_from(["f2", "f4", "f8", "g", "i8", "?"]), ALPHAS, SEEDS)
def test_labels_keep_their_mass_and_go_with_the_images(n, classes, dtype, alpha, seed):
    y = np.eye(classes + 1, dtype=dtype)[np.random.default_rng(seed).integers(0, classes + 1, n)]
    x = y.reshape(n, 1, -1).astype(float)
    mixed_x, y_a, y_b, lam = mixup_data(x, y, alpha, rng=seed)
    before = y_a.copy(), y_b.copy()
    soft = mix_labels(y_a, y_b, lam)
    # 1 - lam is rounded as a float, whatever the labels are.
    eps = max(np.finfo(soft.dtype).eps, 2.0**-52) if soft.dtype.kind == "f" else 0
    assert soft.shape == y.shape and same(y_a, before[0]) and same(y_b, before[1])
    assert (soft >= 0).all() and (abs(soft.sum(axis=1) - 1) <= 2 * eps).all()
    assert (abs(soft - mixed_x[:, 0]) <= eps).all(), "the labels are mixed as the images are"


@given(arrays(dtypes=FLOATS), st.floats(0, 1), st.data())
def test_mixed_labels_are_the_formula(y_a, lam, data):
    y_b, _ = arranged(y_a[::-1], data.draw)
    with np.errstate(all="ignore"):
        expected = lam * y_a + (1 - lam) * y_b if lam < 1 else lam * y_a
        assert same(mix_labels(y_a, y_b, lam), expected)
    assert not np.may_share_memory(expected, y_a)


@given(SHAPES, st.floats(0, 1), SEEDS, st.sampled_from(["f4", "f8"]))
def test_the_mixed_loss_is_the_two_losses_weighed(shape, lam, seed, dtype):
    y_a, y_b, p = (values(np.dtype(dtype), shape, [seed, k]) for k in range(3))
    calls = []

    def loss(y_true, y_pred):
        calls.append((y_true, y_pred))
        return (y_true - y_pred) ** 2

    expected = lam * (y_a - p) ** 2 + (1 - lam) * (y_b - p) ** 2
    assert same(mixup_loss(loss, y_a, y_b, p, lam), expected)
    asked = [y for y, weight in [(y_a, lam), (y_b, 1 - lam)] if weight > 0]
    assert all(a is b and q is p for (a, q), b in zip(calls, asked, strict=True))


# How a batch may be kept: itself, or something else that reads its memory.
KEPT = [
    lambda batch: batch, lambda batch: batch[1:], lambda batch: batch.reshape(-1)[::-2], lambda batch: batch.T,
    lambda batch: batch.view("u4"), lambda batch: np.asarray(memoryview(batch)),
    memoryview, np.from_dlpack, tf.convert_to_tensor,
]  # fmt: skip


def freeze(batch):
    batch.flags.writeable = False


def overwrite(batch):
    batch[...] = -1


def reshape(batch):
    batch.shape = (batch.size,)


# Which batch to take, how to keep it, what to do to one that is not kept, and which of the kept to let go.
STEPS = st.lists(
    st.tuples(
        st.integers(0, 9),
        st.none() | st.sampled_from(KEPT),
        st.sampled_from([None, None, overwrite, freeze, reshape]),
        st.lists(st.integers(0, 99), max_size=3),
    ),
    max_size=60,
)


def take(data, expected, steps):
    """Whether batches come out right, and whether those that are kept stay as they were."""
    kept, right = [], []
    for index, keep, spoil, drop in steps:
        index %= len(data)
        batch = data[index]
        right += [same(*pair) for pair in zip(batch, expected[index], strict=True)]
        if keep:
            kept.append((keep(batch[0]), keep(expected[index][0])))
        elif spoil:  # a batch belongs to whoever took it
            spoil(batch[0])
        for number in {n % len(kept) for n in drop if kept}:
            kept[number] = None
        kept = [pair for pair in kept if pair]
    return all(right) and all(np.array_equal(*map(np.asarray, pair), equal_nan=True) for pair in kept)


def data_sets(shape, batch_size, alpha, seed):
    """A data set, and what its batches must be: made by one like it that never gets a batch back."""
    y = np.eye(3, dtype="f4")[np.arange(shape[0]) % 3]
    data, alone = (
        MixUpDataset(values(np.dtype("f4"), shape, seed), y, batch_size=batch_size, alpha=alpha, seed=seed)
        for _ in range(2)
    )
    return data, [alone[index] for index in range(len(alone))]


@given(SHAPES.filter(lambda shape: 0 not in shape), st.integers(1, 45), ALPHAS, SEEDS, STEPS)
def test_a_batch_that_is_kept_never_changes(shape, batch_size, alpha, seed, steps):
    data, expected = data_sets(shape, batch_size, alpha, seed)
    assert take(data, expected, steps)


@settings(max_examples=EXAMPLES // 10 or 15)
@given(SEEDS, st.lists(STEPS, min_size=2, max_size=4))
def test_a_batch_that_is_kept_never_changes_while_others_are_made(seed, threads):
    data, expected = data_sets((40, 50), 7, 0.4, seed)
    with ThreadPoolExecutor(len(threads)) as pool:
        assert all(pool.map(lambda steps: take(data, expected, 5 * steps), threads))


@given(arrays(special=False), st.integers(1, 45), ALPHAS, SEEDS, st.integers(0, 3))
def test_a_data_set_is_the_formula_for_each_batch(x, batch_size, alpha, seed, epochs):
    y, before = np.eye(len(x), dtype="f4"), x.copy()
    data = MixUpDataset(x, y, batch_size=batch_size, alpha=alpha, seed=seed)
    for epoch in range(epochs):
        order = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(epoch,))).permutation(len(x))
        for index in range(len(data)):
            rows = order[index * batch_size : (index + 1) * batch_size]
            rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(epoch, index)))
            mixed_x, partners, lam = formula(x[rows], alpha, rng)
            got_x, got_y = data[index]
            assert same(got_x, mixed_x)
            assert same(got_y, lam * y[rows] + (1 - lam) * y[rows][partners])
        data.on_epoch_end()
    assert same(x, before)
