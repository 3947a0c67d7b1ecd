"""The data that the chapters train on."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def digits():
    """All of the source's digits, flat, as `mixup_helpers.trials.Trials` splits them anew for every seed.

    Returns
    -------
    x : ndarray of float64, shape (1797, 64)
        Grey values from 0 (paper) to 1 (ink), in sixteenths, row by row.
    y : ndarray of int, shape (1797,)
        Class ids.

    Examples
    --------
    >>> x, y = digits()
    >>> x.shape, float(x.max()), y[:3].tolist()
    ((1797, 64), 1.0, [0, 1, 2])
    """
    found = load_digits()
    return found.data / 16, found.target


def digits_split():
    """The source's data: 1,797 digits, grey values from 0 to 1, one fifth kept for testing.

    Returns
    -------
    x_train, x_test : ndarray of float64, shape (1437, 8, 8) and (360, 8, 8)
        Grey values from 0 (paper) to 1 (ink), in sixteenths.
    y_train, y_test : ndarray of float64, shape (1437, 10) and (360, 10)
        One-hot labels.

    Notes
    -----
    scikit-learn ships the images; nothing is downloaded. The split is random,
    not stratified, with ``random_state=42``, as in the source.

    Examples
    --------
    >>> x_train, x_test, y_train, y_test = digits_split()
    >>> x_train.shape, y_test.shape, float(x_train.max())
    ((1437, 8, 8), (360, 10), 1.0)
    """
    found = load_digits()
    return train_test_split(found.images / 16, np.eye(10)[found.target], test_size=0.2, random_state=42)
