"""The exercises of the book: `check` says at once, in words, what is wrong with an answer."""

import copy
import inspect
import textwrap
from typing import NamedTuple

import numpy as np

from mixup_helpers._arguments import as_text

EXERCISES = {}


class Exercise(NamedTuple):
    """A right answer, and what is needed to recognize a wrong one."""

    right: object  # a function that computes the right answer
    cases: tuple  # the arguments that it is tried with, the simplest first; none if the answer is a number
    mistakes: dict  # words, and a function that makes the mistake
    view: object  # for random results: a function of the result and the arguments, to a dict that is compared
    close: float  # how far an answer may be off


def exercise(name, *cases, mistakes, view=None, close=1e-6):
    """Register the decorated function as the right answer to exercise `name`."""

    def register(right):
        EXERCISES[name] = Exercise(right, cases, mistakes, view, close)
        return right

    return register


def check(name, answer):
    """Print whether `answer` solves an exercise of the book, and if not, what is wrong with it.

    Parameters
    ----------
    name : str
        The exercise's name, as its text gives it: the chapter and a number.
    answer : callable or float
        The function that the exercise asks for, not called yet; or the number, if it asks for one.
        A function gets copies of the examples. An error in it is reported, not raised.

    Raises
    ------
    TypeError
        If `name` is not a string.
    ValueError
        If there is no exercise of this name.

    Notes
    -----
    A mistake is named if the answer gives, in every example, what that mistake gives. The example
    shown is the first one in which the answer is wrong.

    Examples
    --------
    >>> def smooth(y, share):
    ...     return share * y + (1 - share) / y.shape[1]
    >>> check("rivals-1", smooth)
    rivals-1: your weights are swapped: the label keeps 1 - share
      given    y = [[1, 0, 0, 0]], share = 0.1
      expected [[0.925, 0.025, 0.025, 0.025]]
      got      [[0.325, 0.225, 0.225, 0.225]]
    >>> check("rivals-1", lambda y, share: (1 - share) * y + share / y.shape[1])
    rivals-1: right
    """
    if as_text(name, "name") not in EXERCISES:
        raise ValueError(f"name must be one of {', '.join(EXERCISES)}; got {name!r}")
    try:
        with np.errstate(all="ignore"):  # a nan is reported with what it comes from
            _examine(EXERCISES[name], answer)
    except _Wrong as fault:
        print(f"{name}: {fault}")
    else:
        print(f"{name}: right")


class _Wrong(Exception):
    """What is wrong with an answer, in words."""


def _examine(task, answer):
    if task.cases and not callable(answer):
        wanted = f"{task.right.__name__}{inspect.signature(task.right)}"
        raise _Wrong(f"give the function {wanted} itself, not called; you gave {_text(answer)}")
    if not task.cases and getattr(_as_numbers(answer), "shape", None) != ():
        raise _Wrong(f"give a number; you gave {_text(answer)}")
    for args in task.cases or [()]:
        expected, got = _seen(task, task.right, args), _seen(task, answer, args)
        if not _same(got, expected, task.close):
            raise _Wrong(_name(task, answer) + _example(task, args, expected, got))
        if task.view and not _same(_result(task, answer, args), _result(task, answer, args), 0):
            raise _Wrong("the same rng gives another result the second time: draw from rng alone")
        if task.view and not _draws(task, answer, args):
            raise _Wrong(f"another rng gives the same result: draw from rng{_example(task, args)}")


def _draws(task, function, args):
    """Whether what `function` returns depends on the generator, which is the last of `args`."""
    results = (_result(task, function, (*args[:-1], np.random.default_rng(seed))) for seed in range(8))
    first = next(results)  # the others until one differs: an answer may be slow
    return not all(_same(result, first, 0) for result in results)


def _result(task, function, args):
    """What `function` returns for copies of `args`, if it takes them and leaves them as they are."""
    if not task.cases:
        return function() if callable(function) else function
    names = list(inspect.signature(task.right).parameters)
    try:
        takes = inspect.signature(function)
    except (TypeError, ValueError):
        pass  # functions that are written in C, and odder things that can be called, may not say what they take
    else:
        try:
            takes.bind(*args)
        except TypeError:
            raise _Wrong(f"your function must take ({', '.join(names)}); it takes {takes}") from None
    given = copy.deepcopy(args)
    try:
        result = function(*given)
    except Exception as error:
        said = textwrap.shorten(f"{type(error).__name__}: {error}", 200)
        raise _Wrong(f"your function ends in {said}{_example(task, args)}") from None
    for name, before, after in zip(names, args, given):
        if isinstance(before, np.ndarray) and not _same(after, before, 0):
            raise _Wrong(f"your function changes {name}: work on a copy{_example(task, args)}")
    if result is None:
        raise _Wrong("your function returns None: does it end in return?")
    return result[()] if isinstance(result, np.ndarray) else result  # one value as such: np.where gives an array of it


def _seen(task, function, args):
    """The result, or what of a random result is compared."""
    result = _result(task, function, args)
    if task.view is None:
        return result
    expected = _result(task, task.right, args)
    try:
        if np.shape(result) != np.shape(expected):
            return {"shape": np.shape(result)}
        return {"shape": np.shape(result)} | task.view(np.asarray(result), *args)
    except Exception as error:  # whatever the reader's result leads to
        raise _Wrong(f"your result can't be used: {error}{_example(task, args, expected, result)}") from None


def _name(task, answer):
    """The words for a typical mistake."""

    def outcome(function, args):
        try:
            return _seen(task, function, args)
        except _Wrong:
            return "fails"

    for words, mistake in task.mistakes.items():
        pairs = [(outcome(answer, args), outcome(mistake, args)) for args in task.cases or [()]]
        if all(_same(*pair, task.close, strict=False) for pair in pairs):
            return words
    return "not right yet"


def _example(task, args, *results):
    """An example in up to three lines: what was given, expected and got."""
    given = ", ".join(f"{name} = {_text(arg)}" for name, arg in zip(inspect.signature(task.right).parameters, args))
    if results and all(isinstance(seen, dict) for seen in results):
        # Of what is seen of a random result, only what differs.
        differ = [key for key in results[1] if not _same(results[1][key], results[0][key], task.close)]
        results = [{key: seen[key] for key in differ} for seen in results]
    lines = zip(("given", "expected", "got"), [given, *map(_text, results)])
    return "".join(
        "\n" + textwrap.fill(f"  {head:8} {text}", 84, subsequent_indent=" " * 11, break_on_hyphens=False)
        for head, text in lines
        if text
    )


def _same(got, expected, close, strict=True):
    """Whether results agree: numbers up to `close`; if `strict`, float32 only with float32."""
    if isinstance(expected, str):
        return isinstance(got, str) and got == expected
    if isinstance(expected, dict):
        return (
            isinstance(got, dict)
            and got.keys() == expected.keys()
            and all(_same(got[key], expected[key], close) for key in expected)
        )
    if isinstance(expected, tuple):
        many = isinstance(got, (tuple, list)) or np.ndim(_as_numbers(got)) > 0
        return (
            many
            and len(got) == len(expected)
            and all(_same(one, other, close, strict) for one, other in zip(got, expected))
        )
    got, expected = _as_numbers(got), _as_numbers(expected)
    if got is None or expected is None or got.shape != expected.shape:
        return False
    if strict and expected.dtype == np.float32 != got.dtype:
        return False
    return np.allclose(got, expected, rtol=0, atol=close, equal_nan=True)


def _as_numbers(value):
    """`value` as an array of numbers, or None."""
    try:
        array = np.asarray(value)
    except Exception:  # a ragged list, a tensor without values
        return None
    return array if array.dtype.kind in "biuf" else None


def _text(value):
    """`value` as a reader would write it, if it is short."""
    if value is None or isinstance(value, str):
        return repr(textwrap.shorten(value, 60)) if value else repr(value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(seen)}" for key, seen in value.items())
    if isinstance(value, tuple):
        return f"({', '.join(map(_text, value))})"
    if isinstance(value, np.random.Generator):
        return "a generator"
    array = _as_numbers(value)
    if array is None:
        return "a function" if callable(value) else f"a value of type {type(value).__name__}"
    if array.size > 24:
        return f"{array.size:,} numbers" if array.ndim == 1 else f"an array of shape {array.shape}"
    return _nested(array.tolist()) + " (float32)" * (array.dtype == np.float32)


def _nested(value):
    if isinstance(value, list):
        return f"[{', '.join(map(_nested, value))}]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


# From here on the exercises, in the order of the book: the cases, the typical mistakes, the right answer.


def _beta(alpha):
    from scipy import stats

    return stats.beta(alpha, alpha)


def _t(p, freedom):
    from scipy import stats

    return stats.t.ppf(p, freedom)


def _rng(seed):
    return np.random.default_rng(seed)


@exercise(
    "intuition-1",
    (np.array([8, 0]), np.array([1, 0, 0]), np.array([0, 4]), np.array([0, 0, 1]), 0.25),
    (np.array([[0.5, 0.1]]), np.array([0, 1]), np.array([[0.3, 0.9]]), np.array([1, 0]), 0.6),
    mistakes={
        "your weights are swapped: lam belongs to the first image and its label":
            lambda x, y, u, v, lam: mix(u, v, x, y, lam),
        "your labels are mixed with 1 - lam":
            lambda x, y, u, v, lam: mix(x, v, u, y, lam),
        "your label is that of the heavier image: mix the labels as you mix the images":
            lambda x, y, u, v, lam: (mix(x, y, u, v, lam)[0], y if lam >= 0.5 else v),
        "your label is that of the first image: mix the labels as you mix the images":
            lambda x, y, u, v, lam: (mix(x, y, u, v, lam)[0], y),
        "you return the image alone: return the image and the label":
            lambda x, y, u, v, lam: mix(x, y, u, v, lam)[0],
    },
)  # fmt: skip
def mix(x_a, y_a, x_b, y_b, lam):
    return lam * x_a + (1 - lam) * x_b, lam * y_a + (1 - lam) * y_b


@exercise(
    "intuition-2",
    (0, 2, 0.4, 3),
    (1, 1, 0.4, 3),
    mistakes={
        "your weights are swapped: lam belongs to the first class":
            lambda a, b, lam, k: soft_label(b, a, lam, k),
        "in a blend of two images of one class your second weight overwrites the first: add them":
            lambda a, b, lam, k: np.where(np.arange(k) == b, 1 - lam, lam * np.eye(k)[a]),
        "you averaged class ids: a soft label has a weight for each of the two classes":
            lambda a, b, lam, k: np.eye(k)[round(lam * a + (1 - lam) * b)],
        "your label has a 1 for both classes: the weights must sum to 1":
            lambda a, b, lam, k: np.maximum(np.eye(k)[a], np.eye(k)[b]),
    },
)  # fmt: skip
def soft_label(a, b, lam, classes):
    return lam * np.eye(classes)[a] + (1 - lam) * np.eye(classes)[b]


@exercise(
    "syntax-1",
    (np.array([[0.0, 1.0], [4.0, 8.0]]), np.array([0.25, 0.75]), np.array([1, 0])),
    (np.array([[1000.1], [3000.7]]), np.array([0.3, 0.8]), np.array([1, 0])),
    (np.arange(12, dtype="float32").reshape(3, 2, 2), np.array([0.5, 0.2, 1.0]), np.array([2, 0, 1])),
    mistakes={
        "you mixed each row with itself":
            lambda x, lam, partner: x,
        "your weights are swapped: lam belongs to the row, 1 - lam to its partner":
            lambda x, lam, partner: mix_rows(x, 1 - lam, partner),
        "your lam runs along the columns: give it an axis of length 1 for every further axis of x":
            lambda x, lam, partner: lam * x + (1 - lam) * x[partner],
        "your values are right, but float32 became float64: cast lam to the dtype of x":
            lambda x, lam, partner: mix_rows(x.astype(float), lam, partner),
    },
)  # fmt: skip
def mix_rows(x, lam, partner):
    lam = lam.astype(x.dtype).reshape(-1, *[1] * (x.ndim - 1))
    return lam * x + (1 - lam) * x[partner]


@exercise(
    "syntax-2",
    (np.array([[1, 0]]), np.array([[0, 1]]), 0.25),
    (np.array([[1, 0, 0], [0, 0.5, 0.5]]), np.array([[0, 1, 0], [0, 0.9, 0.1]]), 0.6),
    mistakes={
        "you did not square the difference of the labels":
            lambda a, b, lam: lam * (1 - lam) * np.abs(a - b).mean(),
        "you took the sum: squared error is the mean":
            lambda a, b, lam: lam * (1 - lam) * np.sum((a - b) ** 2),
        "one of your factors lam must be 1 - lam":
            lambda a, b, lam: lam**2 * np.mean((a - b) ** 2),
        "you forgot the factor lam * (1 - lam)":
            lambda a, b, lam: np.mean((a - b) ** 2),
    },
)  # fmt: skip
def loss_gap(y_a, y_b, lam):
    return lam * (1 - lam) * np.mean((y_a - y_b) ** 2)


@exercise(
    "syntax-3",
    (np.array([[0.5, 0.125, 0.375]]), np.array([0]), np.array([2]), 0.4),
    (np.array([[0.5, 0.1, 0.4], [0.2, 0.7, 0.1]]), np.array([0, 1]), np.array([1, 1]), 0.7),
    mistakes={
        "your weights are swapped: lam belongs to the loss against a":
            lambda p, a, b, lam: mixed_loss(p, b, a, lam),
        "you took the logarithm of the mixed probability: mix the two losses":
            lambda p, a, b, lam: -np.log(lam * _of(p, a) + (1 - lam) * _of(p, b)).mean(),
        "you averaged class ids: take the loss against each of them":
            lambda p, a, b, lam: -np.log(_of(p, np.rint(lam * a + (1 - lam) * b).astype(int))).mean(),
        "your loss is negative: the minus is missing":
            lambda p, a, b, lam: -mixed_loss(p, a, b, lam),
        "you took the sum over the rows: take the mean":
            lambda p, a, b, lam: len(p) * mixed_loss(p, a, b, lam),
        "you took the logarithm to base 2: take np.log":
            lambda p, a, b, lam: mixed_loss(p, a, b, lam) / np.log(2),
        "you return a loss for each row: take the mean":
            lambda p, a, b, lam: -(lam * np.log(_of(p, a)) + (1 - lam) * np.log(_of(p, b))),
    },
)  # fmt: skip
def mixed_loss(p, a, b, lam):
    return -np.mean(lam * np.log(_of(p, a)) + (1 - lam) * np.log(_of(p, b)))


def _of(p, classes):
    """The probability that each row of `p` gives to its class."""
    return p[np.arange(len(p)), classes]


@exercise(
    "alpha-1",
    (np.array([0.05, 0.5, 0.97, 0.15]),),
    (np.array([0.02, 0.04, 0.92, 0.5, 0.88]),),
    mistakes={
        "you counted only weights near 1: near 0 the partner has more than 0.9":
            lambda lam: np.mean(lam > 0.9),
        "you counted the mixed ones":
            lambda lam: 1 - nearly_unmixed(lam),
        "that is their number: divide by the number of weights":
            lambda lam: len(lam) * nearly_unmixed(lam),
    },
)  # fmt: skip
def nearly_unmixed(lam):
    return np.mean(np.maximum(lam, 1 - lam) > 0.9)


def _weights(lam, *_):
    return {
        "mean": np.clip(lam, 0, 1).mean(),
        "share nearly unmixed": nearly_unmixed(lam),
        "share outside 0 to 1": np.mean((lam < 0) | (lam > 1)),
    }


@exercise(
    "alpha-2",
    (0.2, 100_000, _rng(0)),
    (8, 100_000, _rng(1)),
    view=_weights,
    close=0.02,
    mistakes={
        "your weights are uniform: alpha must be the shape of both gammas":
            lambda alpha, n, rng: rng.uniform(size=n),
        "your mean is not one half: both gammas need the shape alpha":
            lambda alpha, n, rng: rng.beta(alpha, 1, n),
        "you used one draw twice, so that every weight is one half: draw two gammas":
            lambda alpha, n, rng: np.full(n, 0.5),
        "you divided by the second gamma: divide by the sum of both":
            lambda alpha, n, rng: np.divide(*rng.gamma(alpha, size=(2, n))),
        "you folded the weights: they must fall on both sides of one half":
            lambda alpha, n, rng: 0.5 + np.abs(0.5 - rng.beta(alpha, alpha, n)),
    },
)  # fmt: skip
def draw_lam(alpha, n, rng):
    return rng.beta(alpha, alpha, n)


@exercise(
    "alpha-3",
    (0.25, np.array([1, 2, 0])),
    (0.75, np.array([1, 2, 0])),
    (0.25, np.array([3, 0, 4, 1, 2])),
    mistakes={
        "you kept the partners: when the weights change places, the shuffle must be undone":
            lambda lam, partner: (max(lam, 1 - lam), partner),
        "you undo the shuffle even if lam is one half or more":
            lambda lam, partner: (max(lam, 1 - lam), np.argsort(partner)),
        "you took the smaller weight":
            lambda lam, partner: (min(lam, 1 - lam), partner if lam < 0.5 else np.argsort(partner)),
        "you reversed the order: to undo a shuffle, ask where each row went":
            lambda lam, partner: (max(lam, 1 - lam), partner if lam >= 0.5 else partner[::-1]),
    },
)  # fmt: skip
def fold(lam, partner):
    return (lam, partner) if lam >= 0.5 else (1 - lam, np.argsort(partner))


@exercise(
    "digits-1",
    close=0.01,
    mistakes={
        "that is the share at alpha 1, the function's default: the program gives 0.2":
            lambda: 0.8,
        "that is the share of runs that show no mixing, or you looked at one end only":
            lambda: 2 * _beta(0.2).cdf(0.1),
    },
)  # fmt: skip
def visibly_mixed():
    return 1 - 2 * _beta(0.2).cdf(0.1)


@exercise(
    "digits-2",
    (np.array([[0.7, 0.3], [0.4, 0.6]]), np.array([[0.9, 0.1], [0.8, 0.2]])),
    (
        np.array([[0, 0.4, 0.6], [1, 0, 0], [0.3, 0, 0.7]]),
        np.array([[0.1, 0.2, 0.7], [0.45, 0.2, 0.35], [0.5, 0.4, 0.1]]),
    ),
    mistakes={
        "you compared whole rows: compare the classes with the largest weight":
            lambda y, p: np.mean([np.array_equal(a, b) for a, b in zip(y, p)]),
        "you gave an answer the weight of its class: count it as right or wrong":
            lambda y, p: _of(y, p.argmax(axis=1)).mean(),
        "you rounded the probabilities: the largest may be below one half":
            lambda y, p: np.mean([np.array_equal(a > 0.5, b > 0.5) for a, b in zip(y, p)]),
        "that is the number of right answers: divide by the number of rows":
            lambda y, p: len(y) * accuracy(y, p),
        "your argmax runs down the columns: give axis=1":
            lambda y, p: np.mean(y.argmax(axis=0) == p.argmax(axis=0)),
    },
)  # fmt: skip
def accuracy(y, p):
    return np.mean(y.argmax(axis=1) == p.argmax(axis=1))


def _interval(d, half):
    return d.mean(), d.mean() - half, d.mean() + half


@exercise(
    "method-1",
    (np.array([0.9, 0.94, 0.92]), np.array([0.92, 0.95, 0.95]), 4.3),
    (np.array([0.8, 0.7, 0.9, 0.6]), np.array([0.9, 0.75, 0.85, 0.7]), 3.2),
    mistakes={
        "your interval forgets that the differences are paired":
            lambda a, b, t: _interval(b - a, t * np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / len(a))),
        "you divided by n, not n - 1, in the standard deviation":
            lambda a, b, t: _interval(b - a, t * (b - a).std() / np.sqrt(len(a))),
        "you did not divide by the root of n: that is the spread of one difference, not of their mean":
            lambda a, b, t: _interval(b - a, t * (b - a).std(ddof=1)),
        "you divided the standard deviation by n, not by its root":
            lambda a, b, t: _interval(b - a, t * (b - a).std(ddof=1) / len(a)),
        "you subtracted the wrong way round: with MixUp, less without":
            lambda a, b, t: paired_interval(b, a, t),
    },
)  # fmt: skip
def paired_interval(plain, mixed, t):
    d = mixed - plain
    return _interval(d, t * d.std(ddof=1) / np.sqrt(len(d)))


@exercise(
    "method-2",
    (np.array([0.02, 0.01, 0.03]), 4.3, 0.2),
    (np.array([0.1, 0.05, -0.05, 0.1]), 3.2, 0.5),
    mistakes={
        "that is the textbook's interval: the share held out is missing":
            lambda d, t, h: corrected_interval(d, t, 0),
        "you added h itself: add h / (1 - h)":
            lambda d, t, h: _interval(d, t * d.std(ddof=1) * np.sqrt(1 / len(d) + h)),
        "your fraction is upside down: add h / (1 - h)":
            lambda d, t, h: corrected_interval(d, t, 1 - h),
        "you corrected the standard deviation: the correction belongs into the variance, under the root":
            lambda d, t, h: _interval(d, t * d.std(ddof=1) * (np.sqrt(1 / len(d)) + h / (1 - h))),
        "you divided by n, not n - 1, in the standard deviation":
            lambda d, t, h: _interval(d, t * d.std() * np.sqrt(1 / len(d) + h / (1 - h))),
    },
)  # fmt: skip
def corrected_interval(d, t, held_out):
    return _interval(d, t * d.std(ddof=1) * np.sqrt(1 / len(d) + held_out / (1 - held_out)))


@exercise(
    "method-3",
    close=0.06,
    mistakes={
        "that is what the friend reports: by how much is it too high?":
            lambda: 95 + flattered(),
        "that is the worst of the ten: the friend keeps the best":
            lambda: -flattered(),
        "that is almost nothing: by how many points is the best of the ten too high?":
            lambda: 0,
    },
)  # fmt: skip
def flattered():
    return 1.5388  # the mean of the largest of ten standard normal draws


@exercise(
    "accuracy-1",
    (20, 1),
    (5, 18),
    mistakes={
        "you did not widen: divide by the number of comparisons":
            lambda seeds, m: _t(0.975, seeds - 1),
        "you left 5% above the point: half of it lies below the interval":
            lambda seeds, m: _t(1 - 0.05 / m, seeds - 1),
        "you multiplied the point: divide the 5% by the number of comparisons":
            lambda seeds, m: m * _t(0.975, seeds - 1),
        "you took as many degrees of freedom as seeds: it is one less":
            lambda seeds, m: _t(1 - 0.025 / m, seeds),
        "you took the normal distribution: take Student's":
            lambda seeds, m: _t(1 - 0.025 / m, np.inf),
    },
)  # fmt: skip
def t_point(seeds, comparisons):
    return _t(1 - 0.025 / comparisons, seeds - 1)


@exercise(
    "accuracy-2",
    (np.array([0.95, 0.96, 0.94]), np.array([0.95, 0.94, 0.97])),
    (np.array([0.97, 0.95, 0.96]), np.array([0.95, 0.96, 0.93])),
    mistakes={
        "you chose by the test accuracy":
            lambda validation, test: test[1:].max() - test[0],
        "you report the gain in validation accuracy: choose by validation, report the test":
            lambda validation, test: validation[1:].max() - validation[0],
        "you let alpha 0 take part: choose among the others":
            lambda validation, test: test[validation.argmax()] - test[0],
        "that is the test accuracy: subtract that of alpha 0":
            lambda validation, test: honest_gain(validation, test) + test[0],
        "your position is off by one: an argmax over [1:] starts counting behind alpha 0":
            lambda validation, test: test[validation[1:].argmax()] - test[0],
    },
)  # fmt: skip
def honest_gain(validation, test):
    return test[1 + validation[1:].argmax()] - test[0]


def _bins(sure, right, bins):
    """For each bin that has answers: their number, and confidence less accuracy."""
    inside = np.minimum((sure * bins).astype(int), bins - 1)
    return np.array([(np.sum(inside == b), np.mean((sure - right)[inside == b])) for b in np.unique(inside)]).T


@exercise(
    "confidence-1",
    (np.array([0.9, 0.3]), np.array([False, True]), 5),
    (np.array([0.9, 0.9, 0.3, 1.0]), np.array([True, False, True, False]), 5),
    (np.array([0.7, 0.95, 1.0]), np.array([True, True, False]), 5),
    (np.array([0.55, 0.7, 0.2]), np.array([True, False, False]), 4),
    mistakes={
        "your gaps cancel: take the absolute value in each bin":
            lambda sure, right, bins: abs(np.mean(sure - right)),
        "every answer is a bin of its own in yours: average within the bins first":
            lambda sure, right, bins: np.mean(np.abs(sure - right)),
        "all your bins count alike: weigh each by its number of answers":
            lambda sure, right, bins: np.abs(_bins(sure, right, bins)[1]).mean(),
        "that is the largest gap: take the average":
            lambda sure, right, bins: np.abs(_bins(sure, right, bins)[1]).max(),
        "an answer with confidence 1 falls out of your last bin":
            lambda sure, right, bins: np.mean(sure < 1) * ece(sure[sure < 1], right[sure < 1], bins),
        "a bin without answers has no mean: leave it out":
            lambda sure, right, bins: np.nan,
    },
)  # fmt: skip
def ece(sure, right, bins):
    count, gap = _bins(sure, right, bins)
    return np.sum(count * np.abs(gap)) / len(sure)


@exercise(
    "confidence-2",
    (np.array([[2, 0]]), 0.5),
    (np.array([[1.0, 0.0], [10_000.0, 9_998.0]]), 2.0),
    mistakes={
        "you multiplied by the temperature: divide":
            lambda z, t: with_temperature(z, 1 / t),
        "you divided the probabilities: divide the logits, before the softmax":
            lambda z, t: with_temperature(z, 1) / t,
        "your softmax runs down the columns: each row must sum to 1":
            lambda z, t: with_temperature(z.T, t).T,
        "large logits overflow: subtract the largest of each row first":
            lambda z, t: np.exp(z / t) / np.exp(z / t).sum(axis=1, keepdims=True),
        "you subtracted the largest of all rows: subtract that of each row":
            lambda z, t: (lambda e: e / e.sum(axis=1, keepdims=True))(np.exp((z - z.max()) / t)),
    },
)  # fmt: skip
def with_temperature(logits, temperature):
    z = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
    return z / z.sum(axis=1, keepdims=True)


def _picked(rows, y, n, rng):
    first = np.concatenate([np.flatnonzero(y == c)[:n] for c in np.unique(y)])
    return {
        "as many of each class": len(set(np.bincount(y[rows], minlength=y.max() + 1))) == 1,
        "some row twice": len(np.unique(rows)) < len(rows),
        "the first of each class": np.array_equal(np.sort(rows), np.sort(first)),
    }


@exercise(
    "small_data-1",
    (np.arange(400) % 10, 20, _rng(0)),
    (np.arange(240) % 8, 15, _rng(1)),
    view=_picked,
    mistakes={
        "you drew with replacement: some rows come twice":
            lambda y, n, rng: np.concatenate([rng.choice(np.flatnonzero(y == c), n) for c in np.unique(y)]),
        "you drew from all rows at once: the classes come unevenly":
            lambda y, n, rng: rng.choice(len(y), n * len(np.unique(y)), replace=False),
        "you took the first rows of each class: draw them":
            lambda y, n, rng: np.concatenate([np.flatnonzero(y == c)[:n] for c in np.unique(y)]),
        "you drew n rows in all: draw n of each class":
            lambda y, n, rng: rng.choice(len(y), n, replace=False),
    },
)  # fmt: skip
def pick(y, n, rng):
    return np.concatenate([rng.permutation(np.flatnonzero(y == c))[:n] for c in np.unique(y)])


@exercise(
    "small_data-2",
    (np.array([0, 0]), np.array([2, 0]), np.array([0.5, 1])),
    (np.array([0, 0]), np.array([2, 0]), np.array([3, 1])),
    (np.array([1, 0]), np.array([2, 3]), np.array([2, 1])),
    (np.array([1, 0]), np.array([1, 4]), np.array([0, -1])),
    close=1e-4,
    mistakes={
        "your blend may lie beyond the two images: keep its weight from 0 to 1":
            lambda a, b, x: a + (x - a) @ (b - a) / np.sum((b - a) ** 2) * (b - a),
        "that is the nearer of the two images: a blend may be nearer":
            lambda a, b, x: min(a, b, key=lambda end: np.sum((x - end) ** 2)),
        "divide by the squared length of the line, not by its length":
            lambda a, b, x: a + np.clip((x - a) @ (b - a) / np.linalg.norm(b - a), 0, 1) * (b - a),
        "that is the weight of b: return the blend":
            lambda a, b, x: np.clip((x - a) @ (b - a) / np.sum((b - a) ** 2), 0, 1),
        "you gave the weight of b to a":
            lambda a, b, x: a + b - nearest_blend(a, b, x),
    },
)  # fmt: skip
def nearest_blend(a, b, x):
    return a + np.clip((x - a) @ (b - a) / np.sum((b - a) ** 2), 0, 1) * (b - a)


@exercise(
    "noise-1",
    (np.array([[0.5, 0.5, 0.5]]), np.array([1]), np.array([2, -1, 0]), 0.1),
    (np.array([[0.95, 0.5], [0.5, 0.05]]), np.array([0, 1]), np.array([3.0, 1.0]), 0.1),
    mistakes={
        "you moved downhill: the loss must rise":
            lambda x, y, w, reach: fgsm(x, 1 - y, w, reach),
        "you moved along the gradient: take its sign, so that every pixel moves equally far":
            lambda x, y, w, reach: np.clip(x + reach * (1 / (1 + np.exp(-x @ w)) - y)[:, None] * w, 0, 1),
        "you moved along the weights: take their sign, so that every pixel moves equally far":
            lambda x, y, w, reach: np.clip(x + reach * (1 - 2 * y)[:, None] * w, 0, 1),
        "some of your pixels leave the range from 0 to 1: clip":
            lambda x, y, w, reach: x + reach * (1 - 2 * y)[:, None] * np.sign(w),
        "all your images move the same way: which way is uphill depends on the label":
            lambda x, y, w, reach: np.clip(x + reach * np.sign(w), 0, 1),
        "all your images move the same way, down the weights: which way is uphill depends on the label":
            lambda x, y, w, reach: np.clip(x - reach * np.sign(w), 0, 1),
    },
)  # fmt: skip
def fgsm(x, y, w, reach):
    return np.clip(x + reach * np.where(y == 1, -1, 1)[:, None] * np.sign(w), 0, 1)


@exercise(
    "noise-2",
    (np.array([0.5, 0.9]), np.array([0.2, 0.95]), 0.1),
    (np.array([-0.05, 1.2, 0.45]), np.array([0.02, 0.95, 0.4]), 0.1),
    mistakes={
        "some of your pixels leave the range from 0 to 1":
            lambda x, start, reach: np.clip(x, start - reach, start + reach),
        "some of your pixels are farther than reach from their start":
            lambda x, start, reach: np.clip(x, 0, 1),
        "you kept x itself near 0: keep it near start":
            lambda x, start, reach: np.clip(np.clip(x, -reach, reach), 0, 1),
    },
)  # fmt: skip
def keep_near(x, start, reach):
    return np.clip(np.clip(x, start - reach, start + reach), 0, 1)


def _spoilt(wrong, y, share, classes, rng):
    changed = wrong != y
    _, counts = np.unique(wrong[changed & (y == 0)], return_counts=True)
    return {
        "share of labels changed": changed.mean(),
        "of the first half": changed[: len(y) // 2].mean(),
        "labels outside the classes": np.sum((wrong < 0) | (wrong >= classes)) > 0,
        "different wrong labels of class 0": len(counts),
        "share of the likeliest of them": counts.max(initial=0) / max(1, counts.sum()),
    }


def _wrong_labels(y, share, rng, draw):
    rows, wrong = rng.permutation(len(y))[: round(share * len(y))], y.copy()
    wrong[rows] = draw(wrong[rows])
    return wrong


@exercise(
    "labels-1",
    (np.arange(200_000) % 10, 0.5, 10, _rng(0)),
    (np.arange(200_000) % 4, 0.2, 4, _rng(1)),
    view=_spoilt,
    close=0.012,
    mistakes={
        "you drew among all classes: some of the wrong labels are right":
            lambda y, share, k, rng: _wrong_labels(y, share, rng, lambda old: rng.integers(0, k, len(old))),
        "a class always gets the same wrong label: draw it":
            lambda y, share, k, rng: _wrong_labels(y, share, rng, lambda old: (old + 1) % k),
        "you changed the share that should stay":
            lambda y, share, k, rng: wrong_labels(y, 1 - share, k, rng),
        "you changed the first labels: draw which ones":
            lambda y, share, k, rng: np.where(np.arange(len(y)) < share * len(y), wrong_labels(y, 1, k, rng), y),
        "some of your labels are no classes: take the remainder":
            lambda y, share, k, rng: _wrong_labels(y, share, rng, lambda old: old + rng.integers(1, k, len(old))),
    },
)  # fmt: skip
def wrong_labels(y, share, classes, rng):
    return _wrong_labels(y, share, rng, lambda old: (old + rng.integers(1, classes, len(old))) % classes)


@exercise(
    "labels-2",
    (np.array([[0.8, 0.7], [0.9, 0.5]]), np.array([[0.7, 0.75], [0.85, 0.8]])),
    (np.array([[0.6, 0.9], [0.85, 0.8], [0.7, 0.75]]), np.array([[0.5, 0.8], [0.7, 0.6], [0.75, 0.7]])),
    mistakes={
        "you chose by the test accuracy":
            lambda validation, test: test.max(axis=0),
        "you took the last epoch":
            lambda validation, test: test[-1],
        "you took one epoch for all seeds: each network stops at its own":
            lambda validation, test: test[validation.mean(axis=1).argmax()],
        "that is the validation accuracy: choose by it, and report the test":
            lambda validation, test: validation.max(axis=0),
        "these are the epochs: return the test accuracy there":
            lambda validation, test: validation.argmax(axis=0),
        "indexing by the epochs alone gives all seeds at each: pair them with the seeds":
            lambda validation, test: test[validation.argmax(axis=0)],
    },
)  # fmt: skip
def stopped(validation, test):
    return np.array([test[epoch, seed] for seed, epoch in enumerate(validation.argmax(axis=0))])


@exercise(
    "rivals-1",
    (np.array([[1, 0, 0, 0]]), 0.1),
    (np.array([[0, 1, 0], [1, 0, 0]]), 0.3),
    mistakes={
        "your weights are swapped: the label keeps 1 - share":
            lambda y, share: smooth(y, 1 - share),
        "you spread the share over the other classes: it goes to all, the right one too":
            lambda y, share: (1 - share) * y + (1 - y) * share / (y.shape[1] - 1),
        "your labels sum to more than 1: the right class must give the share away":
            lambda y, share: y + share / y.shape[1],
        "you divided by the number of rows: divide by the number of classes":
            lambda y, share: (1 - share) * y + share / len(y),
    },
)  # fmt: skip
def smooth(y, share):
    return (1 - share) * y + share / y.shape[1]


@exercise(
    "rivals-2",
    (np.arange(60) % 3, _rng(0)),
    (np.repeat(range(6), 10), _rng(1)),
    view=lambda partner, classes, rng: {
        "some partner of another class": np.any(classes[partner] != classes),
        "some row twice": len(np.unique(partner)) < len(partner),
        "every row its own partner": np.array_equal(partner, np.arange(len(partner))),
    },
    mistakes={
        "you mixed each row with itself":
            lambda classes, rng: np.arange(len(classes)),
        "your partners may be of any class":
            lambda classes, rng: rng.permutation(len(classes)),
        "some row is the partner of two: shuffle, so that each serves once":
            lambda classes, rng: np.array([rng.choice(np.flatnonzero(classes == c)) for c in classes]),
    },
)  # fmt: skip
def partners_within(classes, rng):
    partner = np.arange(len(classes))
    for c in np.unique(classes):
        rows = np.flatnonzero(classes == c)
        partner[rows] = rng.permutation(rows)
    return partner


@exercise(
    "rivals-3",
    close=0.01,
    mistakes={
        "that is for alpha 1: the alpha here is 0.4":
            lambda: 1 / 3,
        "you looked at one end only: the lighter image is the partner or the image itself":
            lambda: 1 - _beta(0.4).cdf(1 / 3),
        "that is the share in which the lighter image has less than a third":
            lambda: 1 - torn(),
    },
)  # fmt: skip
def torn():
    return 1 - 2 * _beta(0.4).cdf(1 / 3)


@exercise(
    "cost-1",
    (np.array([[0.8, 0.9], [0.95, 0.94], [0.96, 0.97]]), 0.95),
    (np.array([[0.8, 0.9], [0.97, 0.91], [0.9, 0.94], [0.96, 0.93]]), 0.95),
    (np.array([[0.96, 0.8], [0.94, 0.95]]), 0.95),
    mistakes={
        "you count from 0: the first epoch is number 1":
            lambda curves, mark: epochs_to(curves, mark) - 1,
        "a run that never gets there has no such epoch: give np.nan":
            lambda curves, mark: 1 + (curves >= mark).argmax(axis=0),
        "you count from 0, and a run that never gets there has no such epoch: give np.nan":
            lambda curves, mark: (curves >= mark).argmax(axis=0),
        "a run that just reaches the mark is there: take >=":
            lambda curves, mark: epochs_to(curves, np.nextafter(mark, 1)),
        "you count the epochs below the mark: a curve may fall below it again":
            lambda curves, mark: np.where((curves >= mark).any(axis=0), 1 + (curves < mark).sum(axis=0), np.nan),
    },
)  # fmt: skip
def epochs_to(curves, mark):
    there = curves >= mark
    return np.where(there.any(axis=0), 1 + there.argmax(axis=0), np.nan)


@exercise(
    "cost-2",
    (np.array([1.0, 2.0, 4.0]), np.array([1.1, 2.1, 4.6]), 4.3),
    (np.array([2.0, 1.0, 3.0, 2.5]), np.array([2.5, 1.1, 3.3, 2.4]), 3.2),
    mistakes={
        "you took the ratio of the means: a slow round decides; take the ratio of each round":
            lambda a, b, t: tuple(1 + v / a.mean() for v in paired_interval(a, b, t)),
        "these are differences: divide":
            lambda a, b, t: paired_interval(a, b, t),
        "your ratio is upside down: with MixUp, divided by without":
            lambda a, b, t: ratio_interval(b, a, t),
        "you divided by n, not n - 1, in the standard deviation":
            lambda a, b, t: _interval(b / a, t * (b / a).std() / np.sqrt(len(a))),
        "you did not divide by the root of n: that is the spread of one ratio, not of their mean":
            lambda a, b, t: _interval(b / a, t * (b / a).std(ddof=1)),
    },
)  # fmt: skip
def ratio_interval(plain, mixed, t):
    ratio = mixed / plain
    return _interval(ratio, t * ratio.std(ddof=1) / np.sqrt(len(ratio)))


def _blends(lam):
    """Where all blends of the points 0, 1 and 2 land, their weight of class 1, and which are of two points."""
    i, j = np.divmod(np.arange(9), 3)
    w = lam[:, None]
    return w * i + (1 - w) * j, w * (i == 1) + (1 - w) * (j == 1), i != j


@exercise(
    "failure-1",
    (np.array([0.5]), 0.1),
    (np.array([0.5, 0.97, 0.04, 0.7]), 0.1),
    mistakes={
        "you left out the blends of a point with itself":
            lambda lam, near: (lambda x, y, two: y[(np.abs(x - 1) < near) & two].mean())(*_blends(lam)),
        "you averaged over all blends: take those that land near 1":
            lambda lam, near: _blends(lam)[1].mean(),
        "you gave each blend the label of its heavier point: mix the labels":
            lambda lam, near: (lambda x, y, two: np.mean(y[np.abs(x - 1) < near] >= 0.5))(*_blends(lam)),
    },
)  # fmt: skip
def middle_label(lam, near):
    x, y, _ = _blends(lam)
    return y[np.abs(x - 1) < near].mean()


@exercise(
    "failure-2",
    (np.array([0.7, 0.8, 0.75, 0.78, 0.9]), 2),
    (np.array([0.7, 0.8, 0.8, 0.75, 0.7]), 2),
    (np.array([0.7, 0.8, 0.75, 0.9, 0.85, 0.95]), 2),
    (np.array([0.7, 0.65, 0.6, 0.8, 0.7]), 3),
    (np.array([0.6, 0.7, 0.8]), 2),
    mistakes={
        "that is the best epoch of all: training stopped before it":
            lambda curve, patience: 1 + curve.argmax(),
        "that is the epoch at which training stops: keep the best one before it":
            lambda curve, patience: min(kept_epoch(curve, patience) + patience, len(curve)),
        "you count from 0: the first epoch is number 1":
            lambda curve, patience: kept_epoch(curve, patience) - 1,
        "you stop at the first fall: wait for as many epochs as patience says":
            lambda curve, patience: kept_epoch(curve, 1),
        "an epoch that equals the best is no gain: keep the first":
            lambda curve, patience: kept_epoch(curve + 1e-9 * np.arange(len(curve)), patience),
    },
)  # fmt: skip
def kept_epoch(curve, patience):
    best = 0
    for epoch in range(len(curve)):
        if curve[epoch] > curve[best]:
            best = epoch
        if epoch - best >= patience:
            break
    return best + 1


@exercise(
    "verdicts-1",
    (np.array([0.1, -0.2]), np.array([0.4, 0.3])),
    (np.array([0.1, 0.2]), np.array([0.4, 0.3])),
    (np.array([-0.1, -0.4]), np.array([0.4, 0.1])),
    (np.array([-0.3, -0.4]), np.array([-0.1, -0.2])),
    mistakes={
        "an interval below zero does not support the claim":
            lambda low, high: verdict(np.maximum(low, -high), np.abs(high)),
        "one interval above zero is not enough: all must be":
            lambda low, high: "supported" if (low > 0).any() else "not supported",
        "if some lie above zero and some do not, the verdict is mixed":
            lambda low, high: "supported" if (low > 0).all() else "not supported",
        "you asked whether the upper ends lie above zero: the lower ends must":
            lambda low, high: verdict(high, high),
        "you looked at the middle of the intervals: the whole interval must lie above zero":
            lambda low, high: verdict((low + high) / 2, high),
    },
)  # fmt: skip
def verdict(low, high):
    above = low > 0
    return "supported" if above.all() else "mixed" if above.any() else "not supported"


@exercise(
    "verdicts-2",
    (np.array([-0.4, -0.1]), np.array([-0.1, 0.2])),
    (np.array([-0.4, -0.3]), np.array([-0.1, -0.2])),
    (np.array([-0.3]), np.array([0.1])),
    (np.array([-0.1, -0.7]), np.array([0.2, -0.4])),
    mistakes={
        "one interval below zero is not enough: every one must be":
            lambda low, high: why_not(low, high.min()),
        "you asked whether the lower ends lie below zero: the upper ends must":
            lambda low, high: why_not(low, low),
        "you looked at the middle of the intervals: the whole interval must lie below zero":
            lambda low, high: why_not(low, low + high),
    },
)  # fmt: skip
def why_not(low, high):
    return "the other way" if np.max(high) < 0 else "the data can't tell"


@exercise(
    "pipelines-1",
    (3, 5, 0.2),
    (5, 3, 4.0),
    mistakes={
        "you add the two numbers, so that other pairs give the same sum: give the generator the list of both":
            lambda seed, step, alpha: _rng(seed + step).beta(alpha, alpha),
        "all your steps have the same weight: the step is missing":
            lambda seed, step, alpha: _rng(seed).beta(alpha, alpha),
        "the seed is missing: another run would draw the same weights":
            lambda seed, step, alpha: _rng(step).beta(alpha, alpha),
        "your list is in the other order: the seed comes first":
            lambda seed, step, alpha: lam_of_step(step, seed, alpha),
        "you draw all weights up to this step: with a generator of its own, one draw will do":
            lambda seed, step, alpha: _rng(seed).beta(alpha, alpha, step + 1)[step],
    },
)  # fmt: skip
def lam_of_step(seed, step, alpha):
    return _rng([seed, step]).beta(alpha, alpha)


@exercise(
    "pipelines-2",
    (np.array([2.0, 1.0]), np.array([0.5, 0.5]), 1),
    (np.array([1.5, 1.2]), np.array([0.0001, 0.000101]), 0.01),
    mistakes={
        "at a small alpha both of your draws are 0: divide while they are logarithms":
            lambda gamma, u, alpha: np.divide(*(lambda g: (g[0], g.sum()))(gamma * u ** (1 / alpha))),
        "your u has the power alpha: it must be 1 / alpha":
            lambda gamma, u, alpha: lam_of_draws(gamma, u, 1 / alpha),
        "your draws are those of Gamma(alpha + 1): u is missing":
            lambda gamma, u, alpha: gamma[0] / gamma.sum(),
        "you divided by the second draw: divide by the sum of both":
            lambda gamma, u, alpha: 1 / (1 / lam_of_draws(gamma, u, alpha) - 1),
        "that is the logarithm of the weight":
            lambda gamma, u, alpha: np.log(lam_of_draws(gamma, u, alpha)),
    },
)  # fmt: skip
def lam_of_draws(gamma, u, alpha):
    log_g, log_h = np.log(gamma) + np.log(u) / alpha
    return np.exp(log_g - np.logaddexp(log_g, log_h))


def _drawn(labels, y_a, y_b, lam, rng):
    own = labels == y_a
    return {
        "share of y_a where lam is below one half": own[lam < 0.5].mean(),
        "share of y_a elsewhere": own[lam >= 0.5].mean(),
        "labels that are neither": np.mean(~own & (labels != y_b)),
    }


@exercise(
    "inputs-1",
    (np.arange(100_000) % 3, np.arange(1, 100_001) % 3, np.tile([0.2, 0.9], 50_000), _rng(3)),
    (np.arange(100_000) % 5, np.arange(2, 100_002) % 5, np.tile([0.3, 0.6], 50_000), _rng(4)),
    view=_drawn,
    close=0.01,
    mistakes={
        "you took the heavier class: draw, so that the lighter one gets its share":
            lambda y_a, y_b, lam, rng: np.where(lam > 0.5, y_a, y_b),
        "your probabilities are swapped: lam belongs to y_a":
            lambda y_a, y_b, lam, rng: draw_labels(y_b, y_a, lam, rng),
        "you drew once for all rows: draw for each":
            lambda y_a, y_b, lam, rng: np.where(rng.random() < lam, y_a, y_b),
        "you tossed a fair coin: y_a has the probability lam":
            lambda y_a, y_b, lam, rng: np.where(rng.random(len(lam)) < 0.5, y_a, y_b),
        "you averaged class numbers: take one of the two":
            lambda y_a, y_b, lam, rng: np.rint(lam * y_a + (1 - lam) * y_b).astype(int),
    },
)  # fmt: skip
def draw_labels(y_a, y_b, lam, rng):
    return np.where(rng.random(len(lam)) < lam, y_a, y_b)


def _outside(start, side, shape):
    """The share of the image outside the box, as slices cut it: a negative start counts from the end."""
    mask = np.ones(shape)
    (top, left), (bottom, right) = start, start + side
    mask[top:bottom, left:right] = 0
    return mask.mean()


@exercise(
    "inputs-2",
    (np.array([-1, 2]), np.array([3, 2]), np.array([4, 4])),
    (np.array([5, 3]), np.array([4, 3]), np.array([8, 5])),
    mistakes={
        "you count what hangs over the edge: clip the box":
            lambda start, side, shape: 1 - side.prod() / shape.prod(),
        "that is the share of the box: its own image has the rest":
            lambda start, side, shape: 1 - own_share(start, side, shape),
        "a negative start counts from the end of the image: clip it at 0":
            _outside,
        "you clipped the start before you added the side: such a box ends too late":
            lambda start, side, shape: own_share(np.maximum(start, 0), side, shape),
        "you clipped at 0 alone: the box may hang over the far edge, too":
            lambda start, side, shape: 1 - (start + side - np.maximum(start, 0)).prod() / shape.prod(),
    },
)  # fmt: skip
def own_share(start, side, shape):
    box = np.clip(start + side, 0, shape) - np.clip(start, 0, shape)
    return 1 - box.prod() / shape.prod()


@exercise(
    "devices-1",
    (np.array([[3.0], [6.0]]), np.array([2, 1])),
    (np.array([[0.2, -1.0], [0.8, 0.5], [0.5, 2.0]]), np.array([3, 2, 3])),
    mistakes={
        "your devices all count alike: weigh each by its rows":
            lambda gradients, rows: gradients.mean(axis=0),
        "your weights are upside down: the device with more rows counts more":
            lambda gradients, rows: whole_gradient(gradients, 1 / rows),
        "you weighted by rows, so divide by all rows, not by the number of devices":
            lambda gradients, rows: rows @ gradients / len(rows),
        "that is the sum over all rows: divide by their number":
            lambda gradients, rows: rows @ gradients,
        "you added the means of the devices: weigh each by its share of the rows":
            lambda gradients, rows: gradients.sum(axis=0),
    },
)  # fmt: skip
def whole_gradient(gradients, rows):
    return rows @ gradients / rows.sum()


@exercise(
    "devices-2",
    (1, 5, 2, 7),
    (4, 7, 3, 7),
    (5, 7, 3, 7),
    (4, 6, 3, 7),
    mistakes={
        "all your epochs have the same order: the number of the epoch is missing":
            lambda k, n, size, seed: batch_rows(k % -(-n // size), n, size, seed),
        "you leave out the last, smaller batch of an epoch: round up":
            lambda k, n, size, seed: batch_rows(k // (n // size) * -(-n // size) + k % (n // size), n, size, seed),
        "you shuffle anew for each batch: then an epoch repeats some rows and loses others":
            lambda k, n, size, seed: _rng([seed, k]).permutation(n)[k % -(-n // size) * size :][:size],
        "behind the first epoch you run over the end: within an epoch, count from 0 again":
            lambda k, n, size, seed: _rng([seed, k // -(-n // size)]).permutation(n)[k * size : k * size + size],
        "these are positions: look up the rows in the order of the epoch":
            lambda k, n, size, seed: np.arange(n)[k % -(-n // size) * size :][:size],
    },
)  # fmt: skip
def batch_rows(k, n, size, seed):
    epoch, batch = divmod(k, -(-n // size))
    return _rng([seed, epoch]).permutation(n)[batch * size :][:size]


@exercise(
    "questions-1",
    (np.array([[0.7, 0.3], [0.4, 0.6]]), np.array([0, 1]), np.array([1, 0]), 0.25),
    (
        np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.3, 0.4, 0.3], [0.1, 0.2, 0.7]]),
        np.array([0, 0, 1, 1]),
        np.array([1, 2, 3, 0]),
        0.75,
    ),
    mistakes={
        "you counted as Keras does: an answer gets the weight of the class that it names":
            lambda p, y, partner, lam: np.mean(p.argmax(axis=1) == (y if lam > 0.5 else y[partner])),
        "you counted either class in full: each has its weight":
            lambda p, y, partner, lam: np.mean((p.argmax(axis=1) == y) | (p.argmax(axis=1) == y[partner])),
        "your weights are swapped: lam belongs to the row's own class":
            lambda p, y, partner, lam: credit(p, y, partner, 1 - lam),
        "you left out the partner: an answer that names its class gets 1 - lam":
            lambda p, y, partner, lam: lam * np.mean(p.argmax(axis=1) == y),
        "where both images are of one class, that class has all the weight: add":
            lambda p, y, partner, lam: np.mean(
                np.select([p.argmax(axis=1) == y, p.argmax(axis=1) == y[partner]], [lam, 1 - lam])
            ),
        "you took the probabilities: which class has the largest is what counts":
            lambda p, y, partner, lam: np.mean(lam * _of(p, y) + (1 - lam) * _of(p, y[partner])),
    },
)  # fmt: skip
def credit(p, y, partner, lam):
    named = p.argmax(axis=1)
    return np.mean(lam * (named == y) + (1 - lam) * (named == y[partner]))


@exercise(
    "questions-2",
    (1.0,),
    (0.2,),
    close=0.005,
    mistakes={
        "that is for the mean weight, one half: the mean of a square is larger than the square of the mean":
            lambda alpha: 0.5,
        "that is the mean of lam squared alone: add that of (1 - lam) squared":
            lambda alpha: variance_left(alpha) / 2,
        "that is the part that is lost":
            lambda alpha: 1 - variance_left(alpha),
        "the squared mean of lam is missing: the mean of a square is the variance plus the squared mean":
            lambda alpha: 2 * _beta(alpha).var(),
    },
)  # fmt: skip
def variance_left(alpha):
    return (alpha + 1) / (2 * alpha + 1)
