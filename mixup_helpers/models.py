"""The networks that the chapters train."""

from mixup_helpers._keras import keras


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
        Given to `keras.utils.set_random_seed`, so that equal seeds give equal
        weights. This also sets the global seeds of Python, NumPy and TensorFlow.

    Returns
    -------
    keras.Sequential
        Compiled with adam, categorical cross-entropy and accuracy.

    Examples
    --------
    >>> model = perceptron((8, 8), [64], 10, seed=0)
    >>> model.count_params()  # 64 * 64 + 64 + 64 * 10 + 10
    4810
    """
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input(input_shape), keras.layers.Flatten()])
    for units in hidden:
        model.add(keras.layers.Dense(units, activation="relu"))
    model.add(keras.layers.Dense(classes, activation="softmax"))
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    return model
