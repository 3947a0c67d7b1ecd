"""What an epoch of one network costs: Keras' fit beside Trials of 1, 10, 50 and 200 networks, in turns in one run."""

import statistics
import time

import numpy as np

from mixup_helpers import MixUpDataset, data, models
from mixup_helpers.trials import Trials, train

ROUNDS, EPOCHS = 5, 5
BLOCK = 25  # networks in one Trials: more outgrow the processor's cache


def blocks(members, dtype):
    seeds = [range(start, min(start + BLOCK, members)) for start in range(0, members, BLOCK)]
    return [Trials(part, alpha=0.2, dtype=dtype) for part in seeds]


def main():
    x_train, _, y_train, _ = data.digits_split()
    model = models.perceptron((8, 8), [64], 10, seed=0)
    plain = {"x": x_train, "y": y_train}
    mixed = {"x": MixUpDataset(x_train, y_train, seed=0), "shuffle": False}
    ways = {
        ("fit, arrays", 1): lambda: model.fit(**plain, epochs=EPOCHS, verbose=0),
        ("fit, MixUpDataset", 1): lambda: model.fit(**mixed, epochs=EPOCHS, verbose=0),
    }
    for dtype in ("float32", "float64"):
        for members in (1, 10, 50, 200):
            trials = blocks(members, dtype)
            ways[f"Trials, {dtype}", members] = lambda trials=trials: train(trials, EPOCHS)
    spent = {way: [] for way in ways}
    for round_ in range(ROUNDS + 1):
        for (name, members), run in ways.items():
            start = time.perf_counter()
            run()
            if round_:  # the first round compiles
                spent[name, members].append((time.perf_counter() - start) / EPOCHS / members)
    fit = np.array(spent["fit, arrays", 1])
    print(f"{'':18} {'networks':>8} {'ms per network and epoch':>25} {'cheaper than fit':>17}")
    for (name, members), seconds in spent.items():
        ratio = statistics.median(fit / seconds)
        print(f"{name:18} {members:8} {1000 * statistics.median(seconds):25.2f} {ratio:16.1f}x")


if __name__ == "__main__":
    main()
