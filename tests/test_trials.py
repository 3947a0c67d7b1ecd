"""Trials against Keras, against Adam as the papers have it, and against what their settings promise."""

import io
import logging
import os
import sys
import threading
from collections import Counter

import numpy as np
import pytest
from scipy import stats

from mixup_helpers._keras import keras, tf
from mixup_helpers.data import digits
from mixup_helpers.trials import Trials, _neighbours, train

SEEDS = (0, 7, 3)
K = 1  # the network that is trained a second time, alone
# In its usual precision, Keras keeps these in float32.
RATE, BETA_1, BETA_2 = (float(np.float32(value)) for value in (0.001, 0.9, 0.999))
X = np.arange(300.0)[:, None]  # a row is its own number
Y = np.repeat([0, 1, 2], [150, 100, 50])


def numbered(seeds=SEEDS, **settings):
    return Trials(seeds, **({"data": (X, Y)} | settings))


def batches(epochs, label_smoothing=0.0, mix_labels=True, **settings):
    """What network K is trained on, mixed by the formula: the inputs, their labels, the units kept."""
    twin = Trials(SEEDS, **settings)
    x, y = twin.x_train[K], np.eye(10)[twin.y_train[K]]
    for _ in range(epochs):
        drawn = twin.draw()
        for step in range(45):
            now = {name: array[step, K] for name, array in drawn.items()}
            batch_x, batch_y = x[now["rows"]], y[now["rows"]]
            if "lam" in now:
                lam, partners = now["lam"], now["partners"]
                batch_x = lam * batch_x + (1 - lam) * x[partners]
                batch_y = lam * batch_y + (1 - lam) * y[partners] if mix_labels else \
                    np.where(lam > 0.5, batch_y, y[partners])
            batch_y = (1 - label_smoothing) * batch_y + label_smoothing * np.full(10, 0.1)
            yield batch_x + now.get("noise", 0), batch_y, now.get("kept", 1.0)


def start(model):
    """Network K's weights before training, in Keras' shapes."""
    weights = [w.numpy()[K] for w in Trials(SEEDS, model=model).weights]
    return [weights[0].reshape(4, 4, 1, 16), *weights[1:]] if model == "cnn" else weights


@pytest.fixture
def float64():
    # Keras makes its policy from floatx when a layer first asks for it, and keeps it: both must be put back.
    before = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx(before[0])
    keras.config.set_dtype_policy(before[1])


@pytest.mark.parametrize("weight_decay", [0, 0.125])
@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_ten_epochs_end_with_keras_weights(float64, model, weight_decay):
    layers = keras.layers
    hidden = {
        "mlp": [layers.Dense(64, activation="relu")],
        "cnn": [layers.Reshape((8, 8, 1)), layers.Conv2D(16, 4, strides=2, activation="relu"), layers.Flatten()],
    }
    theirs = keras.Sequential([keras.Input((64,)), *hidden[model], layers.Dense(10, activation="softmax")])
    adam = keras.optimizers.AdamW(RATE, weight_decay) if weight_decay else keras.optimizers.Adam(RATE)
    theirs.compile(adam, "categorical_crossentropy")
    theirs.set_weights(start(model))
    for x, y, _ in batches(10, alpha=0.4):
        theirs.train_on_batch(x, y)

    ours = Trials(SEEDS, alpha=0.4, model=model, weight_decay=weight_decay)
    train([ours], 10)
    for our, their, before in zip(ours.weights, theirs.get_weights(), start(model), strict=True):
        our = our.numpy()[K].reshape(their.shape)
        np.testing.assert_allclose(our, their, rtol=0, atol=1e-10)
        assert np.abs(our - before.reshape(their.shape)).max() > 0.01


def one_network(model, weights, x, kept):
    w1, b1, w2, b2 = weights
    if model == "cnn":
        hidden = tf.nn.conv2d(tf.reshape(x, (-1, 8, 8, 1)), w1, strides=2, padding="VALID")
    else:
        hidden = x @ w1
    return tf.reshape(tf.nn.relu(hidden + b1), (len(x), -1)) * kept @ w2 + b2


def trained_alone(epochs, model="mlp", weight_decay=0.0, **settings):
    """Network K after training by Kingma and Ba's algorithm, decayed as Loshchilov and Hutter do it."""
    weights = start(model)
    m, v = [0.0 * w for w in weights], [0.0 * w for w in weights]
    for t, (x, y, kept) in enumerate(batches(epochs, model=model, **settings), start=1):
        variables = [tf.constant(w) for w in weights]
        with tf.GradientTape() as tape:
            tape.watch(variables)
            logp = tf.nn.log_softmax(one_network(model, variables, x, kept))
            loss = -tf.reduce_sum(y * logp) / len(x)
        for i, g in enumerate(tape.gradient(loss, variables)):
            g = g.numpy()
            m[i] = 0.9 * m[i] + 0.1 * g
            v[i] = 0.999 * v[i] + 0.001 * g**2
            m_hat, v_hat = m[i] / (1 - BETA_1**t), v[i] / (1 - BETA_2**t)
            # Keras' epsilon is the "epsilon hat" of the paper's section 2.
            step = m_hat / (np.sqrt(v_hat) + 1e-7 / np.sqrt(1 - BETA_2**t))
            weights[i] = weights[i] - RATE * (step + weight_decay * weights[i])
    return weights


ALL = {"label_smoothing": 0.2, "noise": 0.1, "dropout": 0.3, "weight_decay": 0.5}
WAYS = [
    {"alpha": 0},
    {"alpha": 1, "lam_per": "sample", **ALL},
    {"alpha": 1, "lam_per": "sample", "mix_labels": False},
    {"alpha": 1, "partner": "class", "fresh": False, "n_train": 200},
    {"alpha": 1, "partner": "neighbour", "wrong_labels": 0.3, "n_validation": 100, "split_seed": 4},
    {"alpha": 1, "model": "cnn", **ALL},
]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_every_way_to_train_follows_its_formula(way):
    ours = Trials(SEEDS, **way)
    train([ours], 2)
    for our, alone in zip(ours.weights, trained_alone(2, **way), strict=True):
        np.testing.assert_allclose(our.numpy()[K].reshape(alone.shape), alone, rtol=0, atol=1e-10)


@pytest.mark.parametrize("way", [{}, {"alpha": 0.4, "dropout": 0.2, "noise": 0.1, "wrong_labels": 0.1}], ids=str)
def test_a_seed_trains_the_same_alone_and_in_company(way):
    company, alone = Trials(SEEDS, **way), Trials([SEEDS[K]], **way)
    train([company, alone], 3)
    for ours, theirs in zip(company.weights, alone.weights, strict=True):
        np.testing.assert_allclose(ours[K], theirs[0], rtol=0, atol=1e-10)


def test_three_epochs_and_two_are_five():
    parts, whole = (Trials(SEEDS, alpha=0.4) for _ in range(2))
    train([parts], 3)
    assert parts.epochs == 3
    train([parts], 2)
    train([whole], 5)
    assert parts.epochs == whole.epochs == 5
    for a, b in zip(parts.weights, whole.weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_one_who_waits_sees_how_many_epochs_are_done(monkeypatch, capsys):
    monkeypatch.setattr("mixup_helpers.trials._watched", lambda: True)
    train([numbered(), numbered()], 3)
    said = capsys.readouterr().err
    assert "/6 [" in said and said.endswith(" \r"), "nothing is left of it at the end"


def test_float32_trains_like_float64():
    single, double = (Trials(SEEDS, alpha=0.4, dtype=dtype) for dtype in ("float32", "float64"))
    train([single, double], 1)
    for a, b in zip(single.weights, double.weights, strict=True):
        assert a.dtype == tf.float32 and b.dtype == tf.float64
        np.testing.assert_allclose(a, b, atol=1e-4)
    assert single.x_test.dtype == single.logits(single.x_test).dtype == np.float32


# Splits, start weights and random numbers


def split(trials, k):
    """The rows of network k for training, validation and testing."""
    return [part[k, :, 0].astype(int) for part in (trials.x_train, trials.x_validation, trials.x_test)]


SIZES = [{}, {"n_validation": 31}, {"n_train": 17}, {"n_train": 77, "n_validation": 40}]
SIZES += [{"n_validation": 3}, {"n_validation": 237}, {"n_train": 3}, {"n_train": 237}]  # a row for each class, or all less


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_splits_are_disjoint_stratified_and_a_fifth_is_for_testing(sizes):
    trials = numbered(**sizes)
    for k in range(len(SEEDS)):
        parts, n_validation = split(trials, k), sizes.get("n_validation", 0)
        assert [len(part) for part in parts] == [sizes.get("n_train", 240 - n_validation), n_validation, 60]
        together = np.concatenate(parts)
        assert len(np.unique(together)) == len(together)
        for part, y in zip(parts, (trials.y_train, trials.y_validation, trials.y_test), strict=True):
            np.testing.assert_array_equal(y[k], Y[part])
            share = np.bincount(Y) * len(part) / len(Y)
            assert (np.abs(np.bincount(y[k], minlength=3) - share) <= 1).all()


def test_the_fifth_for_testing_is_rounded_up():
    assert Trials([0]).x_test.shape == (1, 360, 64)  # of 1,797 digits
    assert numbered(data=(X[:261], Y[:261])).x_test.shape[1] == 53


def test_every_seed_has_its_own_split_start_and_random_numbers():
    trials = Trials(SEEDS, alpha=1, noise=1, dropout=0.5, wrong_labels=0.3, n_validation=300)
    drawn = trials.draw()
    of_seed = [trials.x_train, trials.x_validation, trials.x_test, *(w.numpy() for w in trials.weights[::2])]
    of_seed += [np.moveaxis(array, 1, 0) for array in drawn.values()]
    one_split = Trials(SEEDS, wrong_labels=0.3, split_seed=5)
    for array in [*of_seed, one_split.y_train]:
        assert len(np.unique(array.reshape(len(SEEDS), -1), axis=0)) == len(SEEDS)


def test_no_two_generators_draw_alike(monkeypatch):
    made, new = [], np.random.default_rng
    monkeypatch.setattr(np.random, "default_rng", lambda seed: made.append(new(seed).random()) or new(seed))
    Trials(SEEDS, wrong_labels=0.1)
    assert len(set(made)) == len(made) >= len(SEEDS) * len({"weights", "rows", "partners", "lam", "noise", "dropout"})


def test_one_split_seed_gives_every_network_the_same_split():
    trials = numbered(split_seed=5, n_validation=20, n_train=50)
    for part in (trials.x_train, trials.x_validation, trials.x_test):
        assert len(np.unique(part, axis=0)) == 1
    own = numbered([5], n_validation=20, n_train=50)
    np.testing.assert_array_equal(own.x_train[0], trials.x_train[0])


def test_the_test_rows_are_the_same_whatever_is_trained_on():
    expected = numbered().x_test
    for sizes in ({"n_train": 20}, {"n_train": 20, "n_validation": 30}, {"wrong_labels": 0.5}, {"alpha": 1}):
        np.testing.assert_array_equal(numbered(**sizes).x_test, expected)


PAIRED = [
    {"alpha": 2}, {"lam_per": "sample"}, {"mix_labels": False}, {"label_smoothing": 0.1}, {"noise": 0.1},
    {"dropout": 0.5}, {"weight_decay": 0.1}, {"wrong_labels": 0.2}, {"partner": "class"}, {"alpha": 0},
]  # fmt: skip


@pytest.mark.parametrize("other", PAIRED, ids=str)
def test_ways_to_train_are_paired(other):
    one, two = numbered(alpha=0.4), numbered(**({"alpha": 0.4} | other))
    np.testing.assert_array_equal(one.x_train, two.x_train)
    for a, b in zip(one.weights, two.weights, strict=True):
        np.testing.assert_array_equal(a, b)
    for _ in range(3):  # whatever else was drawn in the epochs before
        a, b = one.draw(), two.draw()
        np.testing.assert_array_equal(a["rows"], b["rows"])
        if other not in ({"partner": "class"}, {"alpha": 0}):
            np.testing.assert_array_equal(a["partners"], b["partners"])
        if other.keys() & {"mix_labels", "label_smoothing", "noise", "dropout", "weight_decay", "wrong_labels"}:
            np.testing.assert_array_equal(a["lam"], b["lam"])


@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_weights_start_as_keras_draws_them(model):
    fans = {"mlp": [64 + 64, 64 + 10], "cnn": [16 + 16 * 16, 144 + 10]}  # 4 by 4 pixels in, 16 filters out
    w1, b1, w2, b2 = (w.numpy() for w in Trials(range(30), model=model).weights)
    assert not b1.any() and not b2.any()
    for w, fan in zip((w1, w2), fans[model], strict=True):
        limit = np.sqrt(6 / fan)
        assert stats.kstest(w.ravel(), stats.uniform(-limit, 2 * limit).cdf).pvalue > 0.01
        drawn = keras.initializers.GlorotUniform(seed=0)((4, 4, 1, 16) if w is w1 and model == "cnn" else w.shape[1:])
        assert np.abs(drawn).max() == pytest.approx(limit, rel=0.05)


# What an epoch draws


def test_draw_gives_the_shapes_that_it_promises():
    drawn = Trials(SEEDS, alpha=1, noise=0.1, dropout=0.1).draw()
    assert {name: array.shape for name, array in drawn.items()} == {
        "rows": (45, 3, 32), "partners": (45, 3, 32), "lam": (45, 3, 1, 1),
        "noise": (45, 3, 32, 64), "kept": (45, 3, 32, 64),
    }  # fmt: skip
    assert Trials(SEEDS, alpha=1, lam_per="sample").draw()["lam"].shape == (45, 3, 32, 1)
    assert Trials(SEEDS, dropout=0.1, model="cnn").draw()["kept"].shape == (45, 3, 32, 144)


def test_without_mixup_there_are_no_partners_and_no_lam():
    assert set(Trials(SEEDS, alpha=0, lam_per="sample", partner="class").draw()) == {"rows"}


@pytest.mark.parametrize("n_train", [10, 100, 1437])
def test_an_epoch_goes_through_all_training_rows_evenly(n_train):
    trials = Trials(SEEDS, n_train=n_train)
    orders = set()
    for _ in range(2):
        for k in range(len(SEEDS)):
            rows = trials.draw()["rows"][:, k].ravel()
            passes = [rows[i : i + n_train] for i in range(0, len(rows), n_train)]
            assert all(len(np.unique(one)) == len(one) for one in passes)
            orders |= {tuple(one) for one in passes if len(one) == n_train}
    assert len(orders) == 2 * 3 * (1440 // n_train), "every pass has a new order"


def test_partners_are_the_rows_of_the_batch_shuffled():
    drawn = Trials(SEEDS, alpha=1).draw()
    np.testing.assert_array_equal(np.sort(drawn["partners"]), np.sort(drawn["rows"]))
    place = (drawn["partners"][..., None] == drawn["rows"][..., None, :]).argmax(axis=-1)
    places = np.histogram2d(place.ravel(), np.tile(np.arange(32), 45 * 3), bins=32)[0]
    assert stats.chisquare(places.ravel()).pvalue > 0.01


def test_partners_of_the_same_class_are_any_of_its_rows():
    trials = Trials(SEEDS, alpha=1, partner="class", n_train=40, wrong_labels=0.2)
    drawn = trials.draw()
    for k, y in enumerate(trials.y_train):
        rows, partners = drawn["rows"][:, k].ravel(), drawn["partners"][:, k].ravel()
        np.testing.assert_array_equal(y[partners], y[rows])
        counts = np.zeros((40, 40))
        np.add.at(counts, (rows, partners), 1)
        same = y[:, None] == y
        expected = np.where(same, counts.sum(axis=1, keepdims=True) / same.sum(axis=1), 0)
        assert stats.chisquare(counts[same], expected[same]).pvalue > 0.01


def test_neighbours_are_the_ten_nearest_other_rows():
    trials = Trials(SEEDS, alpha=1, partner="neighbour", n_train=200)
    drawn = trials.draw()
    for k, x in enumerate(trials.x_train):
        distance = np.sqrt(((x[:, None] - x) ** 2).sum(axis=-1))
        rank = np.argsort(np.argsort(distance, axis=1), axis=1)  # a row itself has rank 0
        ranks = rank[drawn["rows"][:, k], drawn["partners"][:, k]].ravel()
        assert set(ranks) == set(range(1, 11))
        assert stats.chisquare(np.bincount(ranks)[1:]).pvalue > 0.01


def test_of_equally_near_rows_the_first_are_neighbours():
    """Libraries take any of them, by the number of threads; of 1,437 digits 48 have such a tie at the tenth place."""
    x = np.random.default_rng(0).integers(0, 3, (60, 3)).astype(float)
    far = ((x[:, None] - x) ** 2).sum(axis=2)
    wanted = [sorted(set(range(60)) - {row}, key=lambda other: (far[row, other], other))[:10] for row in range(60)]
    np.testing.assert_array_equal(_neighbours(x), wanted)


def test_of_equal_rows_each_is_the_others_neighbour_and_not_its_own():
    drawn = numbered(data=(np.repeat(X[:100], 3, axis=0), Y), alpha=1, partner="neighbour").draw()
    assert (drawn["rows"] != drawn["partners"]).all()


def test_a_row_of_few_has_all_others_for_neighbours():
    drawn = numbered(alpha=1, partner="neighbour", n_train=4).draw()
    for k in range(len(SEEDS)):
        pairs = {*zip(drawn["rows"][:, k].ravel(), drawn["partners"][:, k].ravel())}
        assert pairs == {(row, other) for row in range(4) for other in range(4) if row != other}


@pytest.mark.parametrize(("alpha", "lam_per"), [(0.2, "batch"), (0.2, "sample"), (1, "sample"), (3, "batch")])
def test_lam_follows_the_beta_distribution(alpha, lam_per):
    trials = numbered(range(20), alpha=alpha, lam_per=lam_per)
    lam = np.concatenate([trials.draw()["lam"].ravel() for _ in range(2)])
    assert len(np.unique(lam)) > 0.95 * len(lam)  # near 0 and 1 few doubles are left
    assert stats.kstest(lam, stats.beta(alpha, alpha).cdf).pvalue > 0.01


def test_noise_is_gaussian_with_the_standard_deviation_given():
    noise = numbered(noise=0.3).draw()["noise"].ravel()
    assert stats.kstest(noise, stats.norm(0, 0.3).cdf).pvalue > 0.01


def test_dropout_keeps_its_share_and_the_mean():
    kept = numbered(dropout=0.2).draw()["kept"]
    assert set(np.unique(kept)) == {0, 1 / 0.8}
    assert stats.binomtest(int((kept == 0).sum()), kept.size, 0.2).pvalue > 0.01


def test_only_fresh_epochs_differ():
    settings = {"alpha": 1, "noise": 0.1, "dropout": 0.5}
    for fresh in (True, False):
        trials = numbered(fresh=fresh, **settings)
        first, second = dict(trials.draw()), trials.draw()
        for name in first:
            assert np.array_equal(first[name], second[name]) != fresh
    for a, b in zip(first.values(), numbered(**settings).draw().values(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("share", [0.1, 0.25, 0.333])
def test_wrong_labels_are_the_share_given_and_any_other_class(share):
    trials = numbered(range(20), wrong_labels=share, n_validation=40)
    wrong = trials._given != Y  # of all rows, those for testing included
    assert (wrong.sum(axis=1) == round(share * 300)).all()
    given = np.histogram2d(np.tile(Y, (20, 1))[wrong], trials._given[wrong], bins=[3, 3])[0]
    for c in range(3):
        assert stats.chisquare(np.delete(given[c], c)).pvalue > 0.01
    for k in range(20):
        training, validation, test = split(trials, k)
        np.testing.assert_array_equal(trials.y_test[k], Y[test])
        np.testing.assert_array_equal(trials.y_train[k], trials._given[k, training])
        np.testing.assert_array_equal(trials.y_validation[k], trials._given[k, validation])


# What the networks answer


@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_logits_are_the_forward_pass(model):
    trials = Trials(SEEDS, model=model)
    rng = np.random.default_rng(0)
    trials.weights = [tf.constant(rng.normal(size=w.shape)) for w in trials.weights]  # biases, too
    x = trials.x_test[:, :5]
    for k, logits in enumerate(trials.logits(x)):
        w1, b1, w2, b2 = (w.numpy()[k] for w in trials.weights)
        for image, answer in zip(x[k], logits, strict=True):
            pixels = image.reshape(8, 8)
            patches = [pixels[r : r + 4, c : c + 4].ravel() for r in (0, 2, 4) for c in (0, 2, 4)]
            seen = patches if model == "cnn" else [image]
            hidden = np.concatenate([np.maximum(patch @ w1 + b1, 0) for patch in seen])
            np.testing.assert_allclose(answer, hidden @ w2 + b2)


@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_input_gradients_are_slopes_of_each_rows_loss(model):
    trials, h = Trials(SEEDS, model=model), 1e-6
    x, y = trials.x_test[:, :2], trials.y_test[:, :2]
    found = trials.input_gradients(x, y)
    for row in range(2):
        shifted = [trials.logits(x[:, [row]] + sign * h * np.eye(64)) for sign in (1, -1)]
        up, down = (-np.log(np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)) for z in shifted)
        slopes = ((up - down) / (2 * h))[np.arange(3), :, y[:, row]]
        np.testing.assert_allclose(found[:, row], slopes, atol=1e-7)


def test_other_data_are_learnt():
    x = np.linspace(-3, 3, 200)
    trials = Trials(SEEDS, alpha=0.2, data=(x, (x > 0).astype(int)), n_validation=20)
    assert trials.x_train.shape == (3, 140, 1) and trials.x_validation.shape == (3, 20, 1)
    train([trials], 5)
    answers = trials.logits(trials.x_test).argmax(axis=-1)
    assert answers.shape == (3, 40) and (answers == trials.y_test).mean() > 0.95


def test_images_are_flattened():
    x, y = digits()
    np.testing.assert_array_equal(Trials([0], data=(x.reshape(-1, 8, 8), y)).x_train, Trials([0]).x_train)


# Training several


def test_a_dict_and_a_list_are_trained_alike():
    a, b, c, d = (Trials(SEEDS, alpha=alpha) for alpha in (0, 0.4, 0, 0.4))
    train({"plain": a, "mixed": b}, 2)
    train([c, d], 2)
    for named, listed in ((a, c), (b, d)):
        assert named.epochs == listed.epochs == 2
        for ours, theirs in zip(named.weights, listed.weights, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert not np.array_equal(a.weights[0], b.weights[0])


def test_after_epoch_is_called_once_an_epoch_for_each():
    calls, trials = [], [Trials(SEEDS, alpha=alpha) for alpha in (0, 0.4)]
    train(trials, 3, lambda one: calls.append((one.alpha, one.epochs, one.weights[0].numpy().sum())))
    assert Counter(call[:2] for call in calls) == Counter((a, e) for a in (0, 0.4) for e in (1, 2, 3))
    assert len({total for _, _, total in calls}) == 6, "each call sees the weights of its epoch"


@pytest.mark.skipif(os.cpu_count() < 2, reason="there is one processor")
def test_two_are_trained_at_the_same_time():
    both = threading.Barrier(2, timeout=60)  # one after the other would wait here in vain
    train([Trials(SEEDS), Trials(SEEDS, alpha=0.4)], 1, lambda one: both.wait())


def test_an_error_in_after_epoch_reaches_the_caller():
    def stop(one):
        raise RuntimeError(f"stopped after {one.epochs}")

    with pytest.raises(RuntimeError, match="stopped after 1"):
        train([Trials(SEEDS)], 3, stop)


def test_nothing_is_printed_when_nobody_watches(capfd):
    trials = Trials(SEEDS)
    train([trials], 1)  # TensorFlow talks when it compiles
    capfd.readouterr()
    train([trials], 2)
    assert capfd.readouterr() == ("", "")


def test_someone_at_a_terminal_sees_the_epochs_counted(monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    train([Trials(SEEDS), Trials(SEEDS)], 2)
    assert "/4 [" in terminal.getvalue() and "epoch" in terminal.getvalue()


# Bad arguments

BAD = [
    ({"seeds": []}, ValueError, "seeds"),
    ({"seeds": [1, 2, 1]}, ValueError, "seeds must be distinct"),
    ({"seeds": [-1]}, ValueError, "seeds .*-1"),
    ({"seeds": [1.0]}, TypeError, "seeds .*float"),
    ({"seeds": [True]}, TypeError, "seeds .*bool"),
    ({"seeds": "12"}, TypeError, "seeds .*str"),
    ({"alpha": np.nan}, ValueError, "alpha .*nan"),
    ({"alpha": -1}, ValueError, "alpha .*-1"),
    ({"alpha": "1"}, TypeError, "alpha .*str"),
    ({"lam_per": "row"}, ValueError, "lam_per .*batch, sample, got 'row'"),
    ({"partner": "any"}, ValueError, "partner .*batch, class, neighbour, got 'any'"),
    ({"model": None}, ValueError, "model .*mlp, cnn, got None"),
    ({"dtype": "float16"}, ValueError, "dtype .*float64, float32, got 'float16'"),
    ({"label_smoothing": 1}, ValueError, "label_smoothing .*below 1, got 1"),
    ({"label_smoothing": -0.1}, ValueError, "label_smoothing .*-0.1"),
    ({"label_smoothing": "a"}, TypeError, "label_smoothing .*str"),
    ({"dropout": 1}, ValueError, "dropout .*below 1, got 1"),
    ({"dropout": np.nan}, ValueError, "dropout .*nan"),
    ({"noise": -1}, ValueError, "noise .*-1"),
    ({"noise": np.inf}, ValueError, "noise .*inf"),
    ({"weight_decay": -0.1}, ValueError, "weight_decay .*-0.1"),
    ({"weight_decay": None}, TypeError, "weight_decay .*NoneType"),
    ({"wrong_labels": 1}, ValueError, "wrong_labels .*below 1, got 1"),
    ({"wrong_labels": -0.1}, ValueError, "wrong_labels .*-0.1"),
    ({"n_train": 1438}, ValueError, "n_train .*10 to 1427, or 1437, got 1438"),
    ({"n_train": 9}, ValueError, "n_train .*10 to 1427, or 1437, got 9"),
    ({"n_train": 10.0}, TypeError, "n_train .*float"),
    ({"n_train": 1400, "n_validation": 38}, ValueError, "n_train .*10 to 1389, or 1399, got 1400"),
    ({"n_validation": -1}, ValueError, "n_validation .*-1"),
    ({"n_validation": 100.0}, TypeError, "n_validation .*float"),
    ({"split_seed": -1}, ValueError, "split_seed .*-1"),
    ({"split_seed": 0.5}, TypeError, "split_seed .*float"),
    ({"seeds": 3}, TypeError, "seeds"),
    ({"seeds": [2**32]}, ValueError, "seeds"),
    ({"split_seed": 2**32}, ValueError, "split_seed"),
    ({"n_train": 1432}, ValueError, "n_train"),
    ({"n_validation": 5}, ValueError, "n_validation"),
    ({"n_validation": 1436}, ValueError, "n_validation"),
    ({"n_validation": 1437}, ValueError, "n_validation"),
    ({"n_validation": 2000}, ValueError, "n_validation"),
    ({"data": 3}, TypeError, "data"),
    ({"data": (X, Y[:-1])}, ValueError, "x and y .*300 and 299"),
    ({"data": (X, Y + 0.5)}, TypeError, "y .*float"),
    ({"data": (X, Y - 1)}, ValueError, "y .*-1"),
    ({"data": (X, 0 * Y)}, ValueError, "y"),
    ({"data": (X[:151], Y[:151])}, ValueError, "y of data must .*each twice or more"),
    ({"data": (X[[0, 1, 2, 3]], np.array([0, 0, 1, 1]))}, ValueError, "data has too few rows of a class"),
    ({"data": (X[:9], np.repeat([0, 1], [6, 3])), "n_validation": 2, "n_train": 3}, ValueError, "data has too few rows"),
    ({"data": (X[:, :0], Y)}, ValueError, "x of data must have features"),
    ({"data": (X * np.nan, Y)}, ValueError, "x"),
    ({"data": (X.astype(str), Y)}, TypeError, "x .*<U"),
    ({"data": (X, Y), "model": "cnn"}, ValueError, "model"),
    ({"mix_labels": "no"}, ValueError, "mix_labels .*'no'"),
    ({"fresh": None}, ValueError, "fresh .*None"),
    ({"fresh": np.timedelta64(1)}, ValueError, "fresh"),
    ({"partner": np.array(["batch", "class"])}, ValueError, "partner"),
    ({"seeds": [10**5000]}, ValueError, "seeds .*a huge number"),
    ({"n_train": 10**5000}, ValueError, "n_train .*a huge number"),
    ({"data": (X, np.where(Y == 2, 2**40, Y))}, ValueError, "y of data"),
    ({"data": (np.ma.masked_less(X, 3), Y)}, TypeError, "x of data is a masked array"),
    ({"data": (X + 1j, Y)}, TypeError, "x of data .*complex"),
]


@pytest.mark.parametrize(("arguments", "error", "message"), BAD)
def test_bad_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        Trials(**({"seeds": SEEDS} | arguments))


@pytest.mark.parametrize(("epochs", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError), (True, TypeError)])
def test_epochs_are_counted_before_anything_is_trained(epochs, error):
    trials = Trials(SEEDS)
    with pytest.raises(error, match="epochs"):
        train([trials], epochs)
    assert trials.epochs == 0


def test_trials_must_be_several():
    with pytest.raises(TypeError, match="trials"):
        train(Trials(SEEDS), 1)
    with pytest.raises(ValueError, match="trials must be at least one"):
        train([], 1)


def test_two_rows_of_a_class_are_enough():
    trials = numbered(data=(X[98:252], Y[98:252]))
    for train, test in zip(trials.y_train, trials.y_test):
        assert np.sum(train == 2) + np.sum(test == 2) == 2


def test_ids_of_any_integer_dtype_are_ids():
    for dtype in ("uint8", "uint64", "int32"):
        np.testing.assert_array_equal(numbered(data=(X, Y.astype(dtype))).y_train, numbered().y_train)


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        (lambda t: t.fit(0), ValueError, "epochs"),
        (lambda t: t.fit(1.0), TypeError, "epochs"),
        (lambda t: t.fit(10**6 + 1), ValueError, "epochs .*at most 1000000, got 1000001"),
        (lambda t: t.fit(10**5000), ValueError, "epochs .*a huge number"),
        (lambda t: t.fit(1, "print"), TypeError, "after_epoch"),
        (lambda t: t.logits(t.x_test[:2]), ValueError, r"x must have shape \(3, n, 1\)"),
        (lambda t: t.logits(t.x_test[0]), ValueError, "x must have shape"),
        (lambda t: t.logits(t.x_test * np.nan), ValueError, "x must be finite"),
        (lambda t: t.logits(t.x_test[:, :0]), ValueError, "x must have shape"),
        (lambda t: t.input_gradients(t.x_test, t.y_test + 1), ValueError, "y must hold ids from 0 to 2"),
        (lambda t: t.input_gradients(t.x_test, t.y_test - 1), ValueError, "y must hold ids from 0 to 2"),
        (lambda t: t.input_gradients(t.x_test, t.y_test[:, 1:]), ValueError, "y must hold ids"),
        (lambda t: t.input_gradients(t.x_test, t.y_test + 0.0), ValueError, "y must hold ids"),
    ],
)
def test_what_networks_are_asked_is_checked_first(asked, error, message):
    trials = numbered()
    with pytest.raises(error, match=message):
        asked(trials)
    assert trials.epochs == 0


def test_after_epoch_is_called_or_refused_before_anything_is_trained():
    trials = Trials(SEEDS)
    with pytest.raises(TypeError):
        train([trials], 1, "print")
    assert trials.epochs == 0


def test_of_tensorflows_warnings_those_of_our_programs_alone_are_dropped():
    def passes(function):
        said = f"5 out of the last 5 calls to <function {function} at 0x7f> triggered tf.function retracing."
        return bool(tf.get_logger().filter(logging.makeLogRecord({"msg": said})))

    ours = ("_one_epoch", "_logits", "_input_gradients")
    assert [passes(name) for name in (*ours, "one_epoch", "Model.fit")] == [False, False, False, True, True]


def test_the_defaults_train_the_sources_network_without_mixup_on_all_that_is_left():
    ours = Trials([0, 1])
    known = {"alpha": 0, "lam_per": "batch", "partner": "batch", "mix_labels": True, "fresh": True, "label_smoothing": 0,
             "noise": 0, "dropout": 0, "weight_decay": 0, "model": "mlp", "dtype": "float64", "epochs": 0}  # fmt: skip
    assert {name: getattr(ours, name) for name in known} == known
    assert (ours.x_train.shape, ours.x_validation.shape, ours.x_test.shape) == ((2, 1437, 64), (2, 0, 64), (2, 360, 64))
    assert not np.array_equal(*ours.x_test)
    rows = {x.tobytes(): label for x, label in zip(*digits(), strict=True)}
    assert all(rows[x.tobytes()] == label for x, label in zip(ours.x_train[0], ours.y_train[0], strict=True))


def test_many_ways_of_training_at_once_are_no_cause_for_a_warning(caplog):
    ways = [{}, {"alpha": 1}, {"alpha": 1, "lam_per": "sample"}, {"alpha": 1, "mix_labels": False},
            {"noise": 0.1}, {"dropout": 0.1}, {"alpha": 1, "noise": 0.1}]  # fmt: skip
    tf.get_logger().propagate = True  # so that caplog hears it
    train([numbered(range(2), **way) for way in ways], 1)
    assert caplog.records == []
