"""What MixUp in a tf.data pipeline adds to a step of fit, as ratios to the same fit without it, in turns in one run."""

import time

import numpy as np
import table

from mixup_helpers import data, models
from mixup_helpers._keras import keras, tf
from mixup_helpers.pipelines import mixup_batches

ROUNDS = 24
STEPS = 45  # in an epoch, as many as the source's digits have
EPOCHS = {"digits": 20, "pictures": 4}  # each fit takes a second, so that the first step and the last do not count


def gamma_in_the_map(batches):
    """The formula as it is often seen: the weight drawn by TensorFlow, inside the map."""

    def mix(x, y):
        gamma = tf.random.gamma([2], 0.2)
        lam = gamma[0] / (gamma[0] + gamma[1])
        index = tf.random.shuffle(tf.range(tf.shape(x)[0]))
        return lam * x + (1 - lam) * tf.gather(x, index), lam * y + (1 - lam) * tf.gather(y, index)

    return batches.map(mix, num_parallel_calls=tf.data.AUTOTUNE)


def only_seeds(batches):
    """What any map costs whose random numbers come with the data, before it mixes anything."""
    seeds = tf.data.Dataset.random(0, rerandomize_each_iteration=True)
    return tf.data.Dataset.zip(batches, seeds).map(lambda batch, seed: batch, num_parallel_calls=tf.data.AUTOTUNE)


def keras_layer(batches):
    layer = keras.layers.MixUp(0.2, seed=0)

    def mix(x, y):
        with_channel = x if len(x.shape) == 4 else x[..., None]
        mixed = layer({"images": with_channel, "labels": y})
        return tf.reshape(mixed["images"], tf.shape(x)), mixed["labels"]

    return batches.map(mix, num_parallel_calls=tf.data.AUTOTUNE)


WAYS = {
    "without": lambda batches: batches,
    "without, again": lambda batches: batches,  # how far two equal ways differ
    "mixup_batches": lambda batches: mixup_batches(batches, seed=0),
    "seeds, no mixing": only_seeds,
    "gamma in the map": gamma_in_the_map,
    "keras.layers.MixUp": keras_layer,
}


def digits():
    x, _, y, _ = data.digits_split()
    return x, y, models.perceptron((8, 8), [64], 10, seed=0)


def pictures():
    """Random pictures of 32 by 32 pixels in three colours, which cost as much time as real ones."""
    rng = np.random.default_rng(0)
    x, y = rng.random((32 * STEPS, 32, 32, 3)), np.eye(10)[rng.integers(0, 10, 32 * STEPS)]
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((32, 32, 3))])
    for filters in (16, 32):
        model.add(keras.layers.Conv2D(filters, 3, activation="relu"))
        model.add(keras.layers.MaxPooling2D())
    model.add(keras.layers.Flatten())
    model.add(keras.layers.Dense(10, activation="softmax"))
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    return x, y, model


def measure(x, y, model, epochs, repeat):
    """Milliseconds per step, shape (rounds, ways), with one iterator for all epochs or one for each."""
    rows = tf.data.Dataset.from_tensor_slices((x.astype("float32"), y.astype("float32")))
    batches = rows.shuffle(len(x), seed=0).batch(32)
    ready = [way(batches).repeat() if repeat else way(batches) for way in WAYS.values()]
    steps = STEPS if repeat else None
    rng, spent = np.random.default_rng(0), np.zeros((ROUNDS + 1, len(ready)))
    for times in spent:
        for way in rng.permutation(len(ready)):
            start = time.perf_counter()
            model.fit(ready[way], epochs=epochs, steps_per_epoch=steps, shuffle=False, verbose=0)
            times[way] = 1000 * (time.perf_counter() - start) / epochs / STEPS
    return spent[1:]  # the first round compiles


def main():
    rows = []
    for name, make in {"digits": digits, "pictures": pictures}.items():
        for kind in ("one for all", "one each epoch"):
            spent = measure(*make(), EPOCHS[name], repeat=kind == "one for all")
            ratios = np.percentile(spent / spent[:, :1], [50, 25, 75], axis=0)
            for way, ms, ratio in zip(WAYS, np.median(spent, axis=0), ratios.T, strict=True):
                known = {"network": name, "iterators": kind, "way": way, "ms": ms}
                rows.append(known | dict(zip(["ratio", "low", "high"], ratio, strict=True)))
                print(*[f"{v:.3g}" if isinstance(v, float) else v for v in rows[-1].values()])
    table.write("pipelines", rows)


if __name__ == "__main__":
    main()
