"""The networks that the chapters train."""

from mixup_helpers._arguments import as_int
from mixup_helpers._keras import keras

LARGEST = 10**6  # units of a layer


def perceptron(input_shape, hidden, classes, *, seed):
    """A compiled multilayer perceptron, the source's sample model when ``hidden`` is ``[64]``.

    Parameters
    ----------
    input_shape : tuple of int
        Shape of one input, (8, 8) for a digit; it is flattened first.
    hidden : list of int
        Units of each hidden layer, with ReLU.
    classes : int
        Units of the softmax layer.
    seed : int
        From 0 to ``2**32 - 1``. Given to `keras.utils.set_random_seed`, so that equal seeds give equal
        weights. This also sets the global seeds of Python, NumPy and TensorFlow.

    Returns
    -------
    keras.Sequential
        Compiled with adam, categorical cross-entropy and accuracy.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of range; the message names it.

    Examples
    --------
    >>> model = perceptron((8, 8), [64], 10, seed=0)
    >>> model.count_params()  # 64 * 64 + 64 + 64 * 10 + 10
    4810
    """
    for name, sizes in [("input_shape", input_shape), ("hidden", hidden)]:
        if not isinstance(sizes, (tuple, list)):
            raise TypeError(f"{name} must be a tuple or a list, got {type(sizes).__name__}")
    input_shape = tuple(as_int(size, "each number of input_shape", 1, LARGEST) for size in input_shape)
    hidden = [as_int(units, "each of hidden", 1, LARGEST) for units in hidden]
    classes = as_int(classes, "classes", 1, LARGEST)
    keras.utils.set_random_seed(as_int(seed, "seed", 0, 2**32 - 1))
    model = keras.Sequential([keras.Input(input_shape), keras.layers.Flatten()])
    for units in hidden:
        model.add(keras.layers.Dense(units, activation="relu"))
    model.add(keras.layers.Dense(classes, activation="softmax"))
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    return model
