"""The data that the chapters train on."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


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
    digits = load_digits()
    return train_test_split(digits.images / 16, np.eye(10)[digits.target], test_size=0.2, random_state=42)
