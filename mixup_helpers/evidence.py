"""From trained networks to verdicts: measurements, paired differences, intervals, and the one rule."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import log_softmax

from mixup_helpers._arguments import as_finite, as_int, as_number, as_share, as_table, as_text, as_texts, one_of
from mixup_helpers.mixing import _as_batch

COLUMNS = ["experiment", "model", "setting", "alpha", "epochs", "n_train", "seed", "metric", "value"]
RESULTS = Path("results")  # beside the chapters, where their kernels run
files = {"read": set(), "written": set()}  # what a chapter's outputs also depend on, for its stamp


def measures(logits, labels):
    """How right and how sure the networks are, one number for each network.

    Parameters
    ----------
    logits : array_like, shape (seeds, n, classes)
        Answers before the softmax.
    labels : array_like of int, shape (seeds, n)
        The true class ids.

    Returns
    -------
    dict of ndarray, shape (seeds,)
        Fractions, and natural logarithms for `nll`:

        - accuracy: share of right answers
        - nll: mean negative log-probability of the true class
        - confidence: mean probability of the answer
        - overconfidence: confidence less accuracy
        - ece: expected calibration error, 15 bins of equal width
        - sure_and_wrong: share of all answers that are wrong with confidence of at least 0.9
        - confidence_wrong: mean confidence of the wrong answers; NaN where there is none

    Raises
    ------
    TypeError, ValueError
        If the shapes do not fit each other, `logits` holds something other than finite numbers, or
        `labels` something other than class ids.

    Notes
    -----
    Source of `ece`: Guo et al. 2017, section 2, eq. 3.

    Examples
    --------
    >>> found = measures(np.log([[[0.8, 0.2], [0.6, 0.4]]]), [[0, 1]])
    >>> {name: round(float(found[name][0]), 2) for name in ("accuracy", "confidence", "ece")}
    {'accuracy': 0.5, 'confidence': 0.7, 'ece': 0.4}
    """
    logits, labels = as_finite(logits, "logits").astype(float), as_finite(labels, "labels")
    if logits.ndim != 3 or labels.shape != logits.shape[:2] or not logits.size:
        raise ValueError(
            f"logits must have shape (seeds, n, classes) and labels (seeds, n), got {logits.shape} and {labels.shape}"
        )
    if labels.dtype.kind not in "iu" or not ((0 <= labels) & (labels < logits.shape[2])).all():
        raise ValueError(f"labels must be class ids from 0 to {logits.shape[2] - 1}")
    logp, labels = log_softmax(logits, axis=-1), labels.astype(int)
    right = logp.argmax(axis=-1) == labels
    sure = np.exp(logp.max(axis=-1))
    bins = np.minimum((sure * 15).astype(int), 14)
    gaps = [np.abs(((sure - right) * (bins == b)).sum(axis=1)) for b in range(15)]
    wrong = np.maximum((~right).sum(axis=1), np.finfo(float).tiny)
    return {
        "accuracy": right.mean(axis=1),
        "nll": -np.take_along_axis(logp, labels[..., None], axis=-1)[..., 0].mean(axis=1),
        "confidence": sure.mean(axis=1),
        "overconfidence": (sure - right).mean(axis=1),
        "ece": np.sum(gaps, axis=0) / labels.shape[1],
        "sure_and_wrong": ((sure >= 0.9) & ~right).mean(axis=1),
        "confidence_wrong": np.where(right.all(axis=1), np.nan, (sure * ~right).sum(axis=1) / wrong),
    }


def rows(measured, trials, **columns):
    """Measurements as a table with a row for each: the form of every file in ``book/results``.

    Parameters
    ----------
    measured : dict of array_like, shape (seeds,)
        Metric to values, one for each seed, or a single number for all.
    trials : mixup_helpers.trials.Trials
        Where they were measured; gives the model, alpha, epochs, n_train and seeds.
    **columns
        What else tells these measurements from others, ``setting="dropout"`` for example.
        An ``experiment`` that is not given becomes the chapter's name when the table is kept.

    Returns
    -------
    pandas.DataFrame
        With the columns ``experiment``, ``model``, ``setting``, ``alpha``, ``epochs``,
        ``n_train``, ``seed``, ``metric`` and ``value``, and those of `columns` that are new.

    Raises
    ------
    TypeError, ValueError
        If `trials` is something else, `measured` no dict of one number for each seed, or one of
        `columns` is named ``seed``, ``metric`` or ``value``.

    Examples
    --------
    >>> from mixup_helpers.trials import Trials
    >>> table = rows({"accuracy": [0.9, 0.8]}, Trials(range(2), alpha=0.2, n_train=10))
    >>> table[["setting", "alpha", "n_train", "seed", "metric", "value"]].to_dict("records")[1]
    {'setting': 'MixUp', 'alpha': 0.2, 'n_train': 10, 'seed': 1, 'metric': 'accuracy', 'value': 0.8}
    """
    _check_trials(trials)
    if not isinstance(measured, dict):
        raise TypeError(f"measured must be a dict of measurements, got {type(measured).__name__}")
    if not measured:
        raise ValueError("measured must have at least one measurement")
    if taken := {"seed", "metric", "value"} & set(columns):
        raise ValueError(f"columns: {', '.join(sorted(taken))} is what measured and trials give")
    parts = []
    for metric, values in measured.items():
        as_text(metric, "a name in measured")
        found = _as_batch(np.full(len(trials.seeds), values) if np.isscalar(values) else values, "measured")
        if found.shape != (len(trials.seeds),) or found.dtype.kind == "c":
            raise ValueError(f"measured must have one number for each of {len(trials.seeds)} seeds at {metric!r}")
        # In double precision: a float16 would overflow where it is rounded.
        parts.append({"seed": trials.seeds, "metric": metric, "value": np.round(found.astype(float), 6)})
    about = {
        "experiment": "", "model": trials.model, "setting": "MixUp" if trials.alpha else "plain",
        "alpha": trials.alpha, "epochs": trials.epochs, "n_train": trials.y_train.shape[1],
    } | columns  # fmt: skip
    table = pd.concat([pd.DataFrame(about | part) for part in parts], ignore_index=True)
    return table[COLUMNS + [name for name in table if name not in COLUMNS]]


def scores(trials):
    """The `measures` of one `mixup_helpers.trials.Trials` on its test images.

    Parameters
    ----------
    trials : mixup_helpers.trials.Trials

    Returns
    -------
    dict of ndarray, shape (seeds,)
        As `measures` gives it.

    Raises
    ------
    TypeError
        If `trials` is something else.

    Examples
    --------
    >>> from mixup_helpers.trials import Trials
    >>> found = scores(Trials(range(2), n_train=10))  # untrained: about one answer in ten is right
    >>> found["accuracy"].shape, bool(found["accuracy"].max() < 0.3)
    ((2,), True)
    """
    _check_trials(trials)
    return measures(trials.logits(trials.x_test), trials.y_test)


def on_test_images(trials, metrics=("accuracy",), **columns):
    """The test images' `measures`, and the training images' accuracy, of several `mixup_helpers.trials.Trials`.

    Parameters
    ----------
    trials : list of mixup_helpers.trials.Trials
    metrics : sequence of str
        Names that `measures` knows, or "train_accuracy": the share of right answers on the
        unmixed training images, counted against the labels trained on.
    **columns
        As for `rows`.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    TypeError, ValueError
        If `trials` or `metrics` is no list, or empty, or a metric is unknown.

    Examples
    --------
    >>> from mixup_helpers.trials import Trials
    >>> table = on_test_images([Trials(range(2), n_train=10)], ["accuracy", "train_accuracy"], epochs=0)
    >>> table["metric"].tolist()
    ['accuracy', 'accuracy', 'train_accuracy', 'train_accuracy']
    """
    metrics = as_texts(metrics, "metrics")
    if isinstance(trials, dict) or not np.iterable(trials):
        raise TypeError(f"trials must be a list, got {type(trials).__name__}")
    if not metrics:
        raise ValueError("metrics must be at least one")
    known = [*measures(np.zeros((1, 1, 2)), np.zeros((1, 1), int)), "train_accuracy"]
    for name in metrics:
        one_of(name, "metrics", known)
    tables = []
    for one in trials:
        found = scores(one)
        if "train_accuracy" in metrics:
            found["train_accuracy"] = measures(one.logits(one.x_train), one.y_train)["accuracy"]
        tables.append(rows({name: found[name] for name in metrics}, one, **columns))
    if not tables:
        raise ValueError("trials must be at least one")
    return pd.concat(tables, ignore_index=True)


def interval(differences, comparisons=1, held_out=0.2):
    """Mean of paired differences, and the interval that holds the true one with 95% confidence.

    Parameters
    ----------
    differences : array_like, shape (seeds,)
        One difference for each seed.
    comparisons : int, default 1
        How many intervals are looked at. Each is widened (Bonferroni), so that all of
        them together hold with 95% confidence.
    held_out : float, default 0.2
        The share of the data that each split tests on. The splits share rows, so their
        differences are not independent, and the interval is wider than with fresh data
        for each seed. 0 is right where no data are split.

    Returns
    -------
    effect, low, high : float
        The mean, and the ends of its interval.

    Raises
    ------
    TypeError, ValueError
        If there are fewer than two differences, one of them is not finite, or another argument
        is of the wrong type or out of range.

    Notes
    -----
    Student's t with as many degrees of freedom as seeds less one. The variance of the mean is
    that of a difference times ``1 / seeds + held_out / (1 - held_out)``: the correction of
    Nadeau and Bengio 2003 for resampled splits.

    Examples
    --------
    >>> [round(float(v), 2) for v in interval([1, 2, 3, 4], held_out=0)]
    [2.5, 0.45, 4.55]
    >>> [round(float(v), 2) for v in interval([1, 2, 3, 4])]
    [2.5, -0.41, 5.41]
    """
    d = as_finite(differences, "differences").astype(float)
    if d.ndim != 1 or len(d) < 2:
        raise ValueError("differences must be at least two finite numbers, one for each seed")
    comparisons, held_out = as_int(comparisons, "comparisons", 1, 10**6), as_share(held_out, "held_out")
    spread = d.std(ddof=1) * np.sqrt(1 / len(d) + held_out / (1 - held_out))
    half = stats.t.ppf(1 - 0.025 / comparisons, len(d) - 1) * spread
    return d.mean(), d.mean() - half, d.mean() + half


def compare(results, metric, factor, baseline, by=(), together=False, held_out=0.2):
    """Paired differences from a baseline, seed by seed, with their intervals.

    Parameters
    ----------
    results : pandas.DataFrame
        In the form that `rows` gives.
    metric : str
        Which of the measurements.
    factor : str
        The column whose values are compared.
    baseline : object
        The value that the others are compared with.
    by : str or list of str, optional
        Columns whose values are kept apart.
    together : bool, default False
        Whether all intervals of the result shall hold together with 95% confidence, or each by itself.
    held_out : float, default 0.2
        For `interval`.

    Returns
    -------
    pandas.DataFrame
        A row for each comparison: the columns of `by`, `factor`, then ``effect``, ``low``,
        ``high`` and ``seeds``.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type, `by` repeats a column, there is nothing to compare
        or one seed alone, or a seed lacks a measurement or has two.

    Examples
    --------
    >>> table = pd.DataFrame({"alpha": [0, 0, 1, 1], "seed": [0, 1, 0, 1], "metric": "accuracy",
    ...                       "value": [0.90, 0.92, 0.91, 0.95]})
    >>> compare(table, "accuracy", "alpha", 0, held_out=0).round(3).to_dict("records")
    [{'alpha': 1, 'effect': 0.02, 'low': -0.107, 'high': 0.147, 'seeds': 2}]
    """
    as_table(results, "results", ("metric", "seed", "value"))
    as_text(metric, "metric"), as_text(factor, "factor"), one_of(together, "together", (True, False))
    by = [by] if isinstance(by, str) else as_texts(by, "by")
    for name, column in [("factor", factor), *(("by", column) for column in by)]:
        if column not in results:
            raise ValueError(f"{name}: results has no column {column!r}")
    chosen = results[results["metric"] == metric]
    if not len(chosen):
        raise ValueError(f"metric {metric!r} is not in results")
    keys = [*by, "seed", factor]
    if len(set(keys)) < len(keys):
        raise ValueError(f"by must name columns other than seed and {factor}, each once, got {by}")
    if chosen[[*keys, "value"]].isna().any(axis=None) or chosen.duplicated(keys).any():
        raise ValueError(f"results must have one number for {metric} at each of {', '.join(keys)}")
    # As floats: the difference of two small integers may not fit.
    chosen = chosen.assign(value=as_finite(chosen["value"], "results['value']").astype(float))
    wide = chosen.pivot(index=[*by, "seed"], columns=factor, values="value")
    if not np.isscalar(baseline) or baseline not in wide or wide.shape[1] < 2:
        raise ValueError(f"nothing to compare with the baseline: the metric {metric!r} has {factor} {list(wide)}")
    pairs = []
    for key, group in wide.groupby(by, sort=False) if by else [((), wide)]:
        measured = group.dropna(axis="columns", how="all")
        where = ", ".join(f"{column} {value}" for column, value in zip(by, key))
        if baseline not in measured or measured.isna().any(axis=None):
            raise ValueError(f"results lack the baseline, or a seed of it or of another {factor}, at {where or metric}")
        if len(measured) < 2:
            raise ValueError(f"results must have at least two seeds at {where or metric}")
        pairs += [(key, level, measured[level] - measured[baseline]) for level in measured.columns.drop(baseline)]
    found = []
    for key, level, differences in pairs:
        effect, low, high = interval(differences, len(pairs) if together else 1, held_out)
        found.append({**dict(zip(by, key)), factor: level,
                      "effect": effect, "low": low, "high": high, "seeds": len(differences)})
    return pd.DataFrame(found)


def verdict(low, high):
    """The one rule, for differences counted so that the claim predicts positive ones.

    Parameters
    ----------
    low, high : float or array_like, shape (comparisons,)
        The intervals of all comparisons that test the claim.

    Returns
    -------
    str
        "supported" if every interval lies above zero, "not supported" if none does,
        "mixed" if some do.

    Raises
    ------
    TypeError, ValueError
        If there is no interval, an end is no finite number, or below its beginning.

    Examples
    --------
    >>> verdict(0.1, 0.3), verdict([-0.2, 0.1], [0.4, 0.3]), verdict(-0.2, -0.1)
    ('supported', 'mixed', 'not supported')
    """
    low, high = (
        as_finite([end] if np.isscalar(end) else end, name) for name, end in [("low", low), ("high", high)]
    )
    if low.shape != high.shape or not np.all(low <= high):
        raise ValueError("low and high must be the ends of at least one interval")
    above = low > 0
    return "supported" if above.all() else "mixed" if above.any() else "not supported"


def claim(text, compared, chapter, sign=1):
    """A row of the table of verdicts.

    Parameters
    ----------
    text : str
        What is claimed.
    compared : pandas.DataFrame
        The comparisons that test it, as `compare` gives them.
    chapter : str
        Where they were made.
    sign : int, default 1
        1, or -1 if the claim predicts negative differences.

    Returns
    -------
    dict
        ``claim``, ``verdict``, ``effect``, ``low``, ``high``, ``seeds``, ``chapter``. The effect is the
        mean over the comparisons; low and high are the ends between which all their intervals lie.

    Raises
    ------
    TypeError, ValueError
        If `sign` is neither 1 nor -1, or `compared` has no rows, lacks a column, or has an
        interval that ends below its beginning.

    Examples
    --------
    >>> compared = pd.DataFrame({"effect": [0.2, 0.4], "low": [0.1, 0.2], "high": [0.3, 0.6], "seeds": 20})
    >>> found = claim("it helps", compared, "accuracy")
    >>> found["verdict"], found["effect"], found["low"], found["high"]
    ('supported', 0.3, 0.1, 0.6)
    """
    as_text(text, "text"), as_text(chapter, "chapter")
    as_table(compared, "compared", numbers=("effect", "low", "high", "seeds"))
    if as_number(sign, "sign") not in (1, -1):
        raise ValueError(f"sign must be 1 or -1, got {sign}")
    low, high = compared["low"].to_numpy(float), compared["high"].to_numpy(float)
    if (low > high).any():
        raise ValueError("compared has an interval that ends below its beginning")
    decided = verdict(low, high) if sign == 1 else verdict(-high, -low)
    ends = compared["effect"].mean(), compared["low"].min(), compared["high"].max()
    effect, lowest, highest = (round(float(end), 4) + 0.0 for end in ends)  # + 0.0 makes -0.0 positive
    return {
        "claim": text, "verdict": decided, "effect": effect, "low": lowest, "high": highest,
        "seeds": int(compared["seeds"].min()), "chapter": chapter,
    }  # fmt: skip


def say(row, digits=1):
    """A `claim` about fractions as text: its verdict, and the effect in `points`.

    Parameters
    ----------
    row : dict
        As `claim` gives it.
    digits : int, default 1
        Digits behind the point.

    Returns
    -------
    str
        Two lines.

    Raises
    ------
    TypeError
        If `row` is something else.

    Examples
    --------
    >>> print(say({"claim": "it helps", "verdict": "supported", "effect": 0.3, "low": 0.1, "high": 0.6}))
    it helps: supported
      +30.0 (+10.0 to +60.0) points
    """
    if not isinstance(row, (dict, pd.Series)):
        raise TypeError(f"row must be a claim, got {type(row).__name__}")
    if lacking := {"claim", "verdict", "effect", "low", "high"} - set(row.keys()):
        raise ValueError(f"row must be a claim, but has no {', '.join(sorted(lacking))}")
    effect = points(row["effect"], row["low"], row["high"], digits)
    return f"{row['claim']}: {row['verdict']}\n  {effect} points"


def points(effect, low, high, digits=1):
    """A difference of fractions in percentage points, with its interval.

    Parameters
    ----------
    effect, low, high : float
        The difference and the ends of its interval, as `interval` gives them.
    digits : int, default 1
        Digits behind the point.

    Returns
    -------
    str

    Raises
    ------
    TypeError, ValueError
        If an argument is no finite number, `low` is above `high`, or `digits` is out of range.

    Examples
    --------
    >>> points(0.004, -0.001, 0.0091)
    '+0.4 (-0.1 to +0.9)'
    """
    digits = as_int(digits, "digits", 0, 15)
    effect, low, high = (_signed(100 * end, digits) for end in (as_number(effect, "effect"), *_ends(low, high)))
    return f"{effect} ({low} to {high})"


def listing(compared):
    """Comparisons as lines of text: what is compared, and `points` with the interval.

    Parameters
    ----------
    compared : pandas.DataFrame
        As `compare` gives it, of a metric that is a fraction.

    Returns
    -------
    str

    Raises
    ------
    TypeError, ValueError
        If `compared` is no table with these columns and at least one row.

    Examples
    --------
    >>> print(listing(pd.DataFrame({"alpha": [1.0], "effect": [0.004], "low": [-0.001], "high": [0.0091], "seeds": 20})))
     alpha              points
       1.0 +0.4 (-0.1 to +0.9)
    """
    ends = ["effect", "low", "high"]
    as_table(compared, "compared", ("seeds",), ends)
    shown = compared.drop(columns=[*ends, "seeds"])
    texts = [points(*row) for row in compared[ends].to_numpy()]
    reach = max(len(text) - text.index("(") for text in texts)
    # Filled up behind the interval, so that the effects stand below each other.
    shown["points"] = [text.ljust(text.index("(") + reach) for text in texts]
    return shown.to_string(index=False)


def per_thousand(low, high, what="new digits", done="are read correctly"):
    """An interval of a difference in accuracy, in words.

    Parameters
    ----------
    low, high : float
        The ends of the interval, as fractions.
    what : str, default "new digits"
        What is counted.
    done : str, default "are read correctly"
        What happens to more or fewer of them.

    Returns
    -------
    str

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type, an end is not finite, or `low` is above `high`.

    Examples
    --------
    >>> per_thousand(0.0021, 0.0042)
    'out of 1,000 new digits, 2 to 4 more are read correctly'
    >>> per_thousand(-0.003, 0.0014)
    'out of 1,000 new digits, between 3 fewer and 1 more are read correctly'
    """
    as_text(what, "what"), as_text(done, "done")
    low, high = _ends(low, high)
    least, most = sorted((abs(round(1000 * low)), abs(round(1000 * high))))
    if low < 0 < high:
        words = f"between {abs(round(1000 * low))} fewer and {abs(round(1000 * high))} more"
    else:
        number = f"{least} to {most}" if least < most else f"about {most}"
        words = f"{number} {'more' if high > 0 else 'fewer'}"
    return f"out of 1,000 {what}, {words} {done}"


def save(results, name, stable=True):
    """Keep a chapter's results in ``results/<name>.csv``, beside the chapter.

    With the environment variable ``MIXUP_BOOK_CHECK``, which the tests set, nothing is written:
    the results are compared with the stored file, and a difference is an error.

    Parameters
    ----------
    results : pandas.DataFrame
        In the form that `rows` gives.
    name : str
        The chapter's name.
    stable : bool, default True
        False for what no other run repeats exactly, such as timings: only the number of rows is compared.

    Raises
    ------
    TypeError, ValueError
        If `results` is no table with rows, `name` no name of a file, or `stable` neither True nor False.
    AssertionError
        If the results are compared and differ.

    Examples
    --------
    >>> import contextlib, tempfile
    >>> from unittest import mock
    >>> table = pd.DataFrame({"seed": [0, 1], "value": [0.9, 0.8]})
    >>> with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
    ...     with mock.patch.dict(os.environ, MIXUP_BOOK_CHECK=""):  # a reader's run, not a test's
    ...         save(table, "demo")
    ...     load("demo").equals(table)
    2 rows in results/demo.csv
    True
    """
    file = _file(name)
    one_of(stable, "stable", (True, False))
    results = as_table(results, "results").reset_index(drop=True)
    if "experiment" in results:
        results["experiment"] = results["experiment"].replace("", name)
    if os.environ.get("MIXUP_BOOK_CHECK"):
        stored = load(name)
        assert len(stored) == len(results), f"results/{name}.csv has {len(stored)} rows, this run {len(results)}"
        if stable:
            pd.testing.assert_frame_equal(results, stored, check_dtype=False, rtol=0, atol=1e-4)
    else:
        RESULTS.mkdir(exist_ok=True)
        beside = RESULTS / f"{name}.{os.getpid()}.tmp"
        try:
            results.to_csv(beside, index=False, lineterminator="\n")
            beside.replace(file)
        finally:
            beside.unlink(missing_ok=True)
    files["written"].add(f"{name}.csv")
    print(f"{len(results):,} row{'s' * (len(results) != 1)} in results/{name}.csv")


def load(name):
    """A chapter's results, as `save` kept them.

    Parameters
    ----------
    name : str
        The chapter's name, or the name of its verdicts.

    Returns
    -------
    pandas.DataFrame
        In the form that `rows` gives, or with a row for each `claim`.

    Raises
    ------
    TypeError, ValueError
        If `name` is no name of a file.
    FileNotFoundError
        If there is no ``results/<name>.csv`` in the current folder.

    Examples
    --------
    >>> import contextlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
    ...     RESULTS.mkdir()
    ...     _ = (RESULTS / "demo.csv").write_text("seed,value\\n0,0.9\\n")
    ...     load("demo").to_dict("records")
    [{'seed': 0, 'value': 0.9}]
    """
    files["read"].add(_file(name).name)
    return pd.read_csv(_file(name), keep_default_na=False, na_values=[""])


def _file(name):
    if Path(as_text(name, "name")).name != name:
        raise ValueError(f"name must be the name of a file without its folder, got {name!r}")
    return RESULTS / f"{name}.csv"


def _check_trials(trials):
    """Not by their class, which would load TensorFlow."""
    lacking = [name for name in ("seeds", "alpha", "epochs", "x_test", "y_train") if not hasattr(trials, name)]
    if lacking:
        raise TypeError(f"trials must be Trials, got {type(trials).__name__}")


def _ends(low, high):
    low, high = as_number(low, "low"), as_number(high, "high")
    if low > high:
        raise ValueError(f"low must not be above high, got {low} and {high}")
    return low, high


def _signed(value, digits):
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text
