"""The exercises that check themselves: right answers pass, and each mistake is called by its name."""

import ast
import copy
import io
import re
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import notebooks
import numpy as np
import pytest
from scipy import optimize, sparse, stats

from mixup_helpers import evidence, exercises

CHAPTERS = {path.stem: notebooks.read(path) for path in notebooks.on_disk()}
EXERCISES = exercises.EXERCISES
# What `check` says to each mistake, and what this gives in every example and beyond. `PYTHONPATH=tools python
# tests/test_exercises.py` writes it anew; then read what has changed.
SAID = Path(__file__).with_name("mistakes.txt")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]\d+)?")
CHECK = re.compile(r'exercises\.check\("([^"]+)", (\w+)\)')


@pytest.fixture
def check(capsys):
    def said(name, answer):
        assert exercises.check(name, answer) is None
        return capsys.readouterr().out.removeprefix(f"{name}: ").removesuffix("\n")

    return said


def solutions():
    """(name, tree of the folded cell that solves it) of every exercise in the book."""
    for chapter in CHAPTERS.values():
        for cell in notebooks.code_cells(chapter):
            found = CHECK.findall(notebooks.source(cell))
            if found:
                ((name, _),) = found
                assert cell["metadata"]["tags"] == ["hide-cell"]
                yield pytest.param(name, ast.parse(notebooks.source(cell)), id=name)


@pytest.mark.parametrize(("name", "tree"), list(solutions()))
def test_the_folded_solution_is_right(name, tree, capsys):
    last = tree.body[-1]
    assert CHECK.fullmatch(ast.unparse(last).replace("'", '"')), "a solution ends with its check"
    if EXERCISES[name].cases:  # the lines between use what the chapter has trained; nbval runs them
        tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef)] + [last]
    from scipy import stats

    exec(compile(tree, name, "exec"), {"np": np, "stats": stats, "exercises": exercises})
    assert capsys.readouterr().out.endswith(f"{name}: right\n")


def test_the_book_and_the_module_have_the_same_exercises():
    asked = []
    for stem, chapter in CHAPTERS.items():
        prose = ["".join(cell["source"]) for cell in chapter["cells"] if cell["cell_type"] == "markdown"]
        code = [notebooks.source(cell) for cell in notebooks.code_cells(chapter)]
        lines = CHECK.findall("\n".join(prose))
        assert lines == CHECK.findall("\n".join(code)), f"{stem}: the text and the solutions check the same"
        for number, (name, answer) in enumerate(lines, 1):
            task = EXERCISES[name]
            assert name == f"{stem}-{number}"
            said = next(text for text in re.split(r"\*\*\d\.\*\*", "\n".join(prose)) if f'"{name}"' in text)
            wanted = f"{answer}({', '.join(_arguments(task.right))})" if task.cases else answer
            assert f"`{wanted}`" in said, f"{name} says what it wants"
            assert not task.cases or task.right.__name__ == answer
        asked += [name for name, _ in lines]
    assert asked and sorted(asked) == sorted(EXERCISES)


def _arguments(function):
    return function.__code__.co_varnames[: function.__code__.co_argcount]


def _answer(task, function):
    return function if task.cases else function()


@pytest.mark.parametrize("name", EXERCISES)
def test_the_right_answer_passes_and_is_no_mistake(name, check):
    assert check(name, _answer(EXERCISES[name], EXERCISES[name].right)) == "right"


class Draws(float):
    """A generator of which every draw is this number."""

    def random(self, size=None):
        return np.full(size, float(self)) if size else float(self)


def arrays(*values):
    return tuple(np.array(value) if isinstance(value, list) else value for value in values)


# What no example asks: numbers that meet a bound exactly, one class, an answer that is neither of two.
BEYOND = [
    ("intuition-1", arrays([8, 0], [1, 0], [0, 4], [0, 1], 0.5), ([4, 2], [0.5, 0.5])),
    ("alpha-1", arrays([0.9, 0.5]), 0),
    ("alpha-3", arrays(0.5, [1, 2, 0]), (0.5, [1, 2, 0])),
    ("digits-2", arrays([[0.5, 0.5]], [[0.5, 0.5]]), 1),
    ("accuracy-2", arrays([0.8, 0.9], [0.9, 0.8]), -0.1),
    ("small_data-1", arrays([0, 0, 0, 0, 0, 0], 6, exercises._rng(0)), [3, 2, 5, 4, 0, 1]),
    ("small_data-2", arrays([0.1, 0.1], [0.2, 0.3], [0.15, 0.2]), [0.15, 0.2]),
    ("noise-1", arrays([[0.05, 0.95]], [0], [-3.0, -1.0], 0.1), [[0, 0.85]]),
    ("noise-2", arrays([1.2], [0.5], 1.5), [1]),
    ("labels-1", arrays([0, 1, 2, 3, 0, 1, 2, 3], 0.5, 4, exercises._rng(0)), [0, 1, 3, 1, 3, 1, 1, 3]),
    ("labels-2", arrays([[0.9, 0.5], [0.8, 0.7]], [[0.1, 0.2], [0.3, 0.4]]), [0.1, 0.4]),
    ("cost-1", arrays([[1.0, 0.9]], 1.0), [1, np.nan]),
    ("failure-1", arrays([0.5], 0.5), 1 / 3),
    ("failure-1", arrays([0.5], 0.6), 3 / 7),
    ("verdicts-1", arrays([0.0], [0.3]), "not supported"),
    ("verdicts-2", arrays([-0.3], [0.0]), "the data can't tell"),
    ("pipelines-2", arrays([2.0, 1.0], [0.5, 0.25], 1), 0.8),
    ("inputs-1", arrays([0, 0], [1, 1], [0.5, 0.5], Draws(0.5)), [1, 1]),
    ("inputs-2", arrays([0, 0], [4, 4], [4, 4]), 0),
    ("questions-1", arrays([[0.1, 0.2, 0.7], [0.6, 0.3, 0.1]], [0, 1], [1, 0], 0.5), 0.25),
]


@pytest.mark.parametrize(("name", "args", "expected"), BEYOND, ids=[name for name, *_ in BEYOND])
def test_the_right_answer_is_right_beyond_the_examples(name, args, expected):
    assert exercises._same(EXERCISES[name].right(*copy.deepcopy(args)), expected, 1e-9)


def in_every_example(name, words):
    task, results = EXERCISES[name], []
    mistake = task.mistakes[words]
    asked = [(exercises._seen, args) for args in task.cases or [()]]
    asked += [(exercises._result, args) for other, args, _ in BEYOND if other == name]
    for what, args in asked:
        with np.errstate(all="ignore"):
            try:
                results.append(exercises._text(what(task, mistake, args)))
            except exercises._Wrong as fault:
                results.append(str(fault).splitlines()[0])
    return f"  gives    {'; '.join(results)}"


MISTAKES = [(name, words) for name, task in EXERCISES.items() for words in task.mistakes]


def said_to_a_mistake(name, words):
    with redirect_stdout(io.StringIO()) as output:
        exercises.check(name, _answer(EXERCISES[name], EXERCISES[name].mistakes[words]))
    return output.getvalue() + in_every_example(name, words)


@pytest.mark.parametrize(("name", "words"), MISTAKES, ids=[f"{name}: {words}" for name, words in MISTAKES])
def test_each_mistake_is_called_by_its_own_name(name, words):
    said = said_to_a_mistake(name, words)
    first, *example, _ = said.splitlines()
    assert first == f"{name}: {words}"
    blocks = SAID.read_text(encoding="utf-8").strip().split("\n\n")
    (known,) = (block for block in blocks if block.startswith(f"{first}\n"))
    found, wanted = ([float(number) for number in NUMBER.findall(text)] for text in (said, known))
    assert NUMBER.sub("0", said) == NUMBER.sub("0", known)
    assert found == pytest.approx(wanted, rel=1e-4, abs=1e-9)
    shown = [line.split()[0] for line in example if line[:11].strip()]
    assert shown == ["given"] * bool(EXERCISES[name].cases) + ["expected", "got"]
    assert max(map(len, example)) <= 84 and len(words) <= 100


def test_every_exercise_knows_at_least_two_mistakes():
    assert min(len(task.mistakes) for task in EXERCISES.values()) >= 2


def _softmax(z, axis):
    return np.exp(z) / np.exp(z).sum(axis=axis, keepdims=True)


def _pick_all(y, n, rng):
    return rng.permutation(len(y))[: n * len(set(y))]


def _ece_unweighted(sure, right, bins):
    edges, gaps = np.linspace(0, 1, bins + 1), []
    for low, high in zip(edges, edges[1:]):
        part = (sure >= low) & ((sure < high) | (high == 1))
        if part.any():
            gaps.append(abs(sure[part].mean() - right[part].mean()))
    return np.mean(gaps)


def _half(d, n, t, ddof=1):
    half = t * np.std(d, ddof=ddof) / np.sqrt(n)
    return [np.mean(d), np.mean(d) - half, np.mean(d) + half]


def _overwritten(a, b, lam, classes):
    label = np.zeros(classes)
    label[a] = lam
    label[b] = 1 - lam
    return label


def _all_classes(y, share, classes, rng):
    hit = rng.random(len(y)) < share
    return np.where(hit, rng.integers(0, classes, len(y)), y)


def _stop_epoch(curve, patience):
    best, wait = -np.inf, 0
    for epoch, value in enumerate(curve, 1):
        best, wait = (value, 0) if value > best else (best, wait + 1)
        if wait == patience:
            return epoch
    return len(curve)


def _clear(low, high):
    clear = (low > 0) | (high < 0)
    return "supported" if clear.all() else "mixed" if clear.any() else "not supported"


def _weight_after_weight(seed, step, alpha):
    rng = np.random.default_rng(seed)
    for _ in range(step + 1):
        lam = rng.beta(alpha, alpha)
    return lam


def _pasted(start, side, shape):
    outside = np.ones(shape, dtype=bool)
    outside[start[0] : start[0] + side[0], start[1] : start[1] + side[1]] = False
    return outside


def _rolling(k, n, size, seed, batches):
    order = np.random.default_rng([seed, k // batches]).permutation(n)
    return order[k % batches * size : (k % batches + 1) * size]


# Wrong answers as a reader might write them, and words that the check must say.
WRONG = [
    (
        "intuition-1",
        lambda xa, ya, xb, yb, lam: (lam * xa + (1 - lam) * xb, (1 - lam) * ya + lam * yb),
        "labels are mixed with 1 - lam",
    ),
    ("intuition-2", _overwritten, "overwrites"),
    ("syntax-1", lambda x, lam, partner: (lam * x.T).T + ((1 - lam) * x.T).T, "each row with itself"),
    (
        "syntax-1",
        lambda x, lam, j: np.stack([w * x[i] + (1 - w) * x[k] for i, (w, k) in enumerate(zip(lam, j))]),
        "float32 became float64",
    ),
    ("syntax-2", lambda a, b, lam: lam * (1 - lam) * np.sum(np.square(a - b)), "squared error is the mean"),
    (
        "syntax-3",
        lambda p, a, b, lam: np.mean([lam * np.log(r[i]) + (1 - lam) * np.log(r[j]) for r, i, j in zip(p, a, b)]),
        "minus is missing",
    ),
    ("alpha-1", lambda lam: sum(lam > 0.9) / len(lam), "only weights near 1"),
    (
        "alpha-2",
        lambda alpha, n, rng: np.divide(*(lambda g, h: (g, g + h))(rng.gamma(1, alpha, n), rng.gamma(1, alpha, n))),
        "shape of both gammas",
    ),
    ("alpha-3", lambda lam, partner: (max(lam, 1 - lam), partner), "shuffle must be undone"),
    ("digits-1", np.mean(np.abs(np.random.default_rng(5).beta(0.2, 0.2, 100_000) - 0.5) > 0.4), "show no mixing"),
    ("digits-2", lambda y, p: (y.argmax(1) == p.argmax(1)).sum(), "divide by the number of rows"),
    ("method-1", lambda a, b, t: _half(b - a, len(a), t, ddof=0), "divided by n, not n - 1"),
    ("method-1", lambda a, b, t: _half(a - b, len(a), t), "wrong way round"),
    ("method-2", lambda d, t, held_out: _half(d, len(d), t), "the share held out is missing"),
    ("method-3", np.random.default_rng(5).normal(95, 1, (10_000, 10)).max(1).mean(), "what the friend reports"),
    ("accuracy-1", lambda seeds, comparisons: stats.t.ppf(0.975, seeds - 1), "did not widen"),
    ("accuracy-2", lambda validation, test: max(test[1:]) - test[0], "chose by the test accuracy"),
    ("confidence-1", _ece_unweighted, "all your bins count alike"),
    ("confidence-2", lambda z, t: _softmax(z / t, 1), "overflow"),
    (
        "confidence-2",
        lambda z, t: np.apply_along_axis(lambda r: _softmax(r - r.max(), 0), 1, z) / t,
        "before the softmax",
    ),
    ("small_data-1", _pick_all, "unevenly"),
    ("small_data-1", lambda y, n, rng: np.hstack([np.where(y == c)[0][:n] for c in set(y)]), "took the first rows"),
    (
        "small_data-2",
        lambda a, b, x: a + (b - a) * ((x - a) * (b - a)).sum() / ((b - a) ** 2).sum(),
        "beyond the two images",
    ),
    ("noise-1", lambda x, y, w, reach: np.clip(x + reach * np.outer(2 * y - 1, np.sign(w)), 0, 1), "moved downhill"),
    ("noise-2", lambda x, start, reach: start + np.clip(x - start, -reach, reach), "leave the range"),
    ("labels-1", _all_classes, "some of the wrong labels are right"),
    ("labels-2", lambda validation, test: [max(column) for column in test.T], "chose by the test accuracy"),
    ("rivals-1", lambda y, share: np.where(y == 1, 1 - share, share / (y.shape[1] - 1)), "goes to all"),
    ("rivals-2", lambda classes, rng: np.argsort(rng.random(len(classes))), "of any class"),
    ("rivals-3", np.mean(np.random.default_rng(5).beta(0.4, 0.4, 100_000) > 1 / 3), "one end only"),
    ("cost-1", lambda curves, mark: np.argmax(curves >= mark, axis=0) + 1, "never gets there"),
    ("cost-2", lambda plain, mixed, t: _half(plain / mixed, len(plain), t), "upside down"),
    (
        "failure-1",
        lambda lam, near: np.mean([w * (i == 1) + (1 - w) * (j == 1) for w in lam for i in range(3) for j in range(3)]),
        "averaged over all blends",
    ),
    ("failure-2", _stop_epoch, "at which training stops"),
    ("verdicts-1", _clear, "below zero does not support"),
    (
        "verdicts-2",
        lambda low, high: "the other way" if any(high < 0) else "the data can't tell",
        "one interval below zero",
    ),
    ("pipelines-1", lambda seed, step, alpha: np.random.default_rng(seed).beta(alpha, alpha), "the step is missing"),
    ("pipelines-1", _weight_after_weight, "draw all weights"),
    (
        "pipelines-2",
        lambda gamma, u, alpha: 1 / (1 + gamma[1] * u[1] ** (1 / alpha) / (gamma[0] * u[0] ** (1 / alpha))),
        "both of your draws are 0",
    ),
    ("inputs-1", lambda y_a, y_b, lam, rng: y_a if rng.random() < lam[0] else y_b, "once for all rows"),
    ("inputs-1", lambda y_a, y_b, lam, rng: np.where(rng.random(len(lam)) > lam, y_a, y_b), "swapped"),
    ("inputs-2", lambda start, side, shape: _pasted(start, side, shape).mean(), "counts from the end"),
    ("devices-1", lambda gradients, rows: np.mean(gradients, axis=0), "your devices all count alike"),
    ("devices-2", lambda k, n, size, seed: _rolling(k, n, size, seed, n // size), "round up"),
    (
        "questions-1",
        lambda p, y, partner, lam: np.mean([a in (b, c) for a, b, c in zip(p.argmax(1), y, y[partner])]),
        "either class in full",
    ),
    ("questions-2", lambda alpha: np.mean(np.random.default_rng(0).beta(alpha, alpha, 10**6) ** 2), "squared alone"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "answer", "words"), WRONG, ids=[f"{name}: {words}" for name, _, words in WRONG])
def test_a_readers_mistake_is_recognized(name, answer, words, check):
    assert words in check(name, answer).splitlines()[0]


def test_every_exercise_has_a_readers_mistake():
    assert {name for name, _, _ in WRONG} == set(EXERCISES)


def _never_reset(curve, patience):
    best, wait = 0, 0
    for epoch, value in enumerate(curve):
        best, wait = (epoch, wait) if value > curve[best] else (best, wait + (epoch > 0))
        if wait == patience:
            break
    return best + 1


def _edges_of_the_answers(sure, right, bins):
    inside = np.digitize(sure, np.linspace(sure.min(), sure.max(), bins + 1)[1:-1])
    return sum(abs((sure - right)[inside == b].sum()) for b in range(bins)) / len(sure)


def _next_if_drawn(y, share, classes, rng):
    rows = rng.permutation(len(y))[: round(share * len(y))]
    drawn, wrong = rng.integers(0, classes, len(rows)), y.copy()
    wrong[rows] = np.where(drawn == y[rows], (drawn + 1) % classes, drawn)
    return wrong


def _clipped_at_the_height(start, side, shape):
    box = np.clip(start + side, 0, shape[0]) - np.clip(start, 0, shape[0])
    return 1 - box.prod() / shape.prod()


# Wrong answers that are right in most cases: the examples must tell.
ALMOST = [
    ("syntax-1", lambda x, lam, partner: EXERCISES["syntax-1"].right(x.astype("float32"), lam, partner)),
    ("alpha-1", lambda lam: np.mean(np.maximum(lam, 1 - lam) > 0.8)),
    ("alpha-1", lambda lam: np.mean(np.maximum(lam, 1 - lam) > 0.94)),
    ("alpha-3", lambda lam, partner: (lam, partner) if lam >= 0.5 else (1 - lam, partner[partner])),
    ("alpha-3", lambda lam, partner: (lam, partner) if lam >= 0.5 else (1 - lam, np.roll(partner, -1))),
    ("digits-2", lambda y, p: np.mean(np.round(y) == np.round(p))),
    ("accuracy-1", lambda seeds, comparisons: stats.t.ppf(1 - 0.025 / comparisons, 19)),
    ("confidence-1", lambda sure, right, bins: EXERCISES["confidence-1"].right(sure, right, 15)),
    ("confidence-1", _edges_of_the_answers),
    ("labels-1", _next_if_drawn),
    ("cost-1", lambda c, mark: (lambda first: np.where(first == 0, np.nan, first + 1))((c >= mark).argmax(axis=0))),
    ("failure-1", lambda lam, near: np.mean([EXERCISES["failure-1"].right(np.array([one]), near) for one in lam])),
    ("failure-2", _never_reset),
    ("failure-2", lambda curve, patience: EXERCISES["failure-2"].right(curve, 2)),
    ("verdicts-2", lambda low, high: "the other way" if high.mean() < 0 else "the data can't tell"),
    ("verdicts-2", lambda low, high: "the other way" if high[-1] < 0 else "the data can't tell"),
    ("inputs-2", _clipped_at_the_height),
    ("devices-2", lambda k, n, size, seed: _rolling(k, n, size, seed, n // size + 1)),
]


@pytest.mark.parametrize(("name", "answer"), ALMOST, ids=[name for name, _ in ALMOST])
def test_what_is_right_in_most_cases_is_not_right(name, answer, check):
    assert check(name, answer) != "right"


def test_an_unknown_mistake_is_shown_by_the_simplest_example(check):
    assert check("syntax-2", lambda y_a, y_b, lam: 7).splitlines() == [
        "not right yet",
        "  given    y_a = [[1, 0]], y_b = [[0, 1]], lam = 0.25",
        "  expected 0.1875",
        "  got      7",
    ]


def test_of_a_random_result_only_what_differs_is_shown(check):
    assert check("rivals-2", lambda classes, rng: np.arange(len(classes))).splitlines() == [
        "you mixed each row with itself",
        "  given    classes = 60 numbers, rng = a generator",
        "  expected every row its own partner False",
        "  got      every row its own partner True",
    ]
    assert "expected shape (60)\n" in check("rivals-2", lambda classes, rng: np.arange(7))


def test_the_first_wrong_example_is_shown(check):
    def right_at_first(a, b, lam, classes):
        return np.eye(3)[0] * 0.4 + np.eye(3)[2] * 0.6

    assert "given    a = 1, b = 1" in check("intuition-2", right_at_first)


@pytest.mark.parametrize(
    ("result", "got"),
    [
        (np.arange(24), f"[{', '.join(map(str, range(24)))}]"),
        (np.arange(25), "25 numbers"),
        (np.zeros((5, 5)), "an array of shape (5, 5)"),
        ("six " * 15, repr("six " * 14 + "six")),
        ("seven " * 10 + "s", repr("seven " * 9 + "[...]")),
        (len, "a function"),
        (object(), "a value of type object"),
    ],
    ids=lambda value: "",
)
def test_what_is_long_is_shown_in_short(result, got, check):
    said = check("syntax-2", lambda y_a, y_b, lam: result)
    assert " ".join(said.splitlines()[3:]).split() == f"got {got}".split()


def test_a_long_error_is_cut_between_words(check):
    def fails(words):
        raise ValueError(" ".join(words))

    for words, cut in ((["word"] * 37 + ["abc"], False), (["word"] * 37 + ["abcd"], True)):
        said = check("syntax-2", lambda y_a, y_b, lam: fails(words)).splitlines()[0]
        assert said.endswith("[...]") == cut and len(said) <= len("your function ends in ") + 200


def test_what_is_seen_of_random_results():
    assert exercises._weights(np.array([-0.5, 0, 0.5, 0.96, 1, 2, 3, 0.5])) == {
        "mean": pytest.approx((0 + 0 + 0.5 + 0.96 + 1 + 1 + 1 + 0.5) / 8),
        "share nearly unmixed": 0.75,
        "share outside 0 to 1": 0.375,
    }
    y, three = np.arange(30) % 3, np.arange(15)
    seen = exercises._picked(three[three % 3 < 2], y, 5, None)
    assert seen == {"as many of each class": False, "some row twice": False, "the first of each class": False}
    y = np.array([0, 0, 0, 0, 1, 1, 2, 2])
    seen = exercises._spoilt(np.array([-1, 1, 2, 0, 1, 1, 2, 0]), y, 0.5, 3, None)
    assert seen == {
        "share of labels changed": 0.5,
        "of the first half": 0.75,
        "labels outside the classes": True,
        "different wrong labels of class 0": 3,
        "share of the likeliest of them": pytest.approx(1 / 3),
    }
    assert exercises._spoilt(np.array([3, 1]), np.array([0, 1]), 0.5, 3, None)["labels outside the classes"]
    for wrong, likeliest in [(y, 0), (np.where(np.arange(8), y, 1), 1)]:  # none changed, one changed
        assert exercises._spoilt(wrong, y, 0.5, 3, None)["share of the likeliest of them"] == likeliest
    seen = exercises._drawn(*np.array([[0, 1, 2], [0, 0, 0], [1, 1, 1], [0.4, 0.5, 0.6]]), None)
    assert seen == {
        "share of y_a where lam is below one half": 1,
        "share of y_a elsewhere": 0,
        "labels that are neither": pytest.approx(1 / 3),
    }


FUNCTIONS = [name for name, task in EXERCISES.items() if task.cases]
NUMBERS = [name for name in EXERCISES if name not in FUNCTIONS]


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("answer", [None, "mix", 3, np.eye(2), {}, float("nan")], ids=repr)
def test_what_is_no_function_gets_a_sentence(name, answer, check):
    said = check(name, answer)
    assert said.startswith(f"give the function {EXERCISES[name].right.__name__}(") and "you gave" in said


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("answer", [None, "0.33", [0.33, 0.5], [[1], [2, 3]], {}, len, object()], ids=lambda value: type(value).__name__)
def test_what_is_no_number_gets_a_sentence(name, answer, check):
    assert check(name, answer).startswith("give a number; you gave ")


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_may_come_in_any_form(name, check):
    right = EXERCISES[name].right()
    for answer in (np.float64(right), np.float32(right), np.array(right)):
        assert check(name, answer) == "right"
    assert check(name, float("nan")).startswith("not right yet")


def _raises(*args):
    raise KeyError("no such\nrow")


class Broken:
    __call__ = 5


STRANGE = {
    "returns None": (lambda *args: None, "returns None"),
    "raises": (_raises, "your function ends in KeyError: 'no such\\nrow'"),
    "too few arguments": (lambda: 1, "your function must take ("),
    "too many": (lambda a, b, c, d, e, f: 1, "your function must take ("),
    "a string": (lambda *args: "nothing", "not right yet"),
    "a dict": (lambda *args: {"x": 1}, ""),
    "wrong shape": (lambda *args: np.zeros((7, 1, 2)), ""),
    "empty": (lambda *args: [], ""),
    "ragged": (lambda *args: [[1], [2, 3]], ""),
    "a scalar array": (lambda *args: np.array(7.5), ""),
    "a class": (dict, ""),
    "without a signature": (min, ""),
    "with a broken one": (Broken(), "your function ends in TypeError"),
    "a sparse array": (lambda *args: sparse.eye_array(2), ""),
    "an object": (lambda *args: object(), ""),
    "floats": (lambda *args: np.full(np.shape(args[0]), 0.3), ""),
    "far too large": (lambda *args: np.full(np.shape(args[0]), 10**6), ""),
    "nan": (lambda *args: np.full(np.shape(args[0]), np.nan), ""),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("kind", STRANGE)
def test_strange_functions_get_a_sentence(name, kind, check):
    function, words = STRANGE[kind]
    said = check(name, function)
    assert said != "right" and said.splitlines()[0] and "object at 0x" not in said
    if not (kind == "a string" and EXERCISES[name].view):
        assert words in said


WITH_ARRAYS = [name for name in FUNCTIONS if any(isinstance(arg, np.ndarray) for arg in EXERCISES[name].cases[0])]


@pytest.mark.parametrize("name", WITH_ARRAYS)
def test_changed_inputs_are_noticed_and_the_examples_stay(name, check):
    task = EXERCISES[name]

    def careless(*args):
        result = task.right(*args)
        for arg in args:
            if isinstance(arg, np.ndarray):
                arg[...] = 0
        return result

    assert "your function changes " in check(name, careless)
    assert check(name, task.right) == "right"


def test_draws_from_elsewhere_are_noticed(check):
    fresh = np.random.default_rng()
    for name, task in EXERCISES.items():
        if task.view:
            said = check(name, lambda *args: task.right(*args[:-1], fresh))
            assert said.startswith("the same rng gives another result"), name


def _last_of_each_class(y, n, rng):
    return np.concatenate([np.flatnonzero(y == c)[-n:] for c in np.unique(y)])


def _rolled_within(classes, rng):
    partner = np.arange(len(classes))
    for c in np.unique(classes):
        rows = np.flatnonzero(classes == c)
        partner[rows] = np.roll(rows, 1)
    return partner


def _quantiles(alpha, n, rng):
    return stats.beta.ppf((np.arange(n) + 0.5) / n, alpha, alpha)


def test_an_answer_that_draws_nothing_is_noticed(check):
    answers = {"small_data-1": _last_of_each_class, "rivals-2": _rolled_within, "alpha-2": _quantiles}
    for name, answer in answers.items():
        assert check(name, answer).startswith("another rng gives the same result: draw from rng")


def test_the_readers_own_rng_and_state_are_left_alone(check):
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    for name, task in EXERCISES.items():
        check(name, _answer(task, task.right))
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_other_containers_and_dtypes_pass(check):
    assert check("rivals-1", lambda y, share: EXERCISES["rivals-1"].right(y, share).tolist()) == "right"
    assert check("intuition-1", lambda *args: list(EXERCISES["intuition-1"].right(*args))) == "right"
    assert check("method-1", lambda *args: np.array(EXERCISES["method-1"].right(*args))) == "right"


def _verdict(low, high):
    return np.select([np.all(low > 0), np.any(low > 0)], ["supported", "mixed"], "not supported")


def _searched(a, b, x):
    found = optimize.minimize_scalar(lambda w: np.sum((a + w * (b - a) - x) ** 2), bounds=(0, 1), method="bounded")
    return a + found.x * (b - a)


def test_other_ways_pass(check):
    assert check("verdicts-1", _verdict) == "right"  # NumPy gives an array, of one text
    assert check("verdicts-2", lambda low, high: np.where((high < 0).all(), "the other way", "the data can't tell")) == "right"
    assert check("small_data-2", _searched) == "right"  # as near as a search comes
    wrong = check("verdicts-1", lambda low, high: np.array("perhaps"))
    assert wrong.splitlines()[-1] == "  got      'perhaps'"


def test_an_answer_that_draws_is_asked_no_longer_than_needed(check):
    asked = []

    def answer(*args):
        asked.append(args)
        return EXERCISES["inputs-1"].right(*args)

    assert check("inputs-1", answer) == "right"
    assert len(asked) == 2 * (1 + 2 + 2)  # each example: compared, drawn twice alike, drawn twice differently


def test_float32_must_stay_float32_whatever_the_values(check):
    half = EXERCISES["syntax-1"].right
    assert "float32 became float64" in check("syntax-1", lambda *args: half(*args).astype(float))


@pytest.mark.parametrize(
    ("name", "error"), [("syntax-99", ValueError), ("", ValueError), (3, TypeError), (["x"], TypeError)]
)
def test_a_bad_name_is_an_error(name, error):
    with pytest.raises(error, match="^name must be"):
        exercises.check(name, lambda: 1)


def test_the_unknown_name_gets_the_known_ones():
    with pytest.raises(ValueError, match="syntax-1, syntax-2"):
        exercises.check("sintax-1", None)


def test_the_right_answers_are_the_helpers():
    rng = np.random.default_rng(0)
    d = rng.normal(size=20)
    t = exercises.t_point(20, 3)
    np.testing.assert_allclose(exercises.corrected_interval(d, t, 0.2), evidence.interval(d, comparisons=3))
    np.testing.assert_allclose(exercises.paired_interval(0 * d, d, t), evidence.interval(d, 3, held_out=0))
    p = exercises.with_temperature(rng.normal(size=(500, 4)), 0.3)
    truth = rng.integers(0, 4, 500)
    found = evidence.measures(np.log(p)[None], truth[None])
    right = p.argmax(axis=1) == truth
    assert exercises.ece(p.max(axis=1), right, 15) == pytest.approx(found["ece"][0])
    for ends in [*rng.normal(size=(50, 2, 2)), *rng.integers(-2, 3, size=(200, 2, 2))]:
        low, high = np.sort(ends, axis=0)
        assert exercises.verdict(low, high) == evidence.verdict(low, high)


def test_the_right_answers_agree_with_slow_ones():
    rng = np.random.default_rng(2)
    for curve in rng.integers(0, 4, size=(200, 6)):
        for patience in (1, 2, 3):
            stop = next((e for e in range(6) if e - np.argmax(curve[: e + 1]) >= patience), 5)
            assert exercises.kept_epoch(curve, patience) == 1 + np.argmax(curve[: stop + 1])
    for shape, side, start in zip(*rng.integers([[[1]], [[1]], [[-6]]], [[[6]], [[6]], [[7]]], size=(3, 200, 2))):
        pixels = np.moveaxis(np.indices(shape), 0, -1)
        inside = ((pixels >= start) & (pixels < start + side)).all(axis=-1)
        assert exercises.own_share(start, side, shape) == pytest.approx(1 - np.mean(inside))


def test_the_numbers_are_what_draws_give():
    rng = np.random.default_rng(1)
    assert exercises.flattered() == pytest.approx(rng.normal(size=(200_000, 10)).max(axis=1).mean(), abs=0.01)
    lam = rng.beta(0.2, 0.2, 400_000)
    assert exercises.visibly_mixed() == pytest.approx(np.mean((lam > 0.1) & (lam < 0.9)), abs=0.005)
    lam = rng.beta(0.4, 0.4, 400_000)
    assert exercises.torn() == pytest.approx(np.mean((lam > 1 / 3) & (lam < 2 / 3)), abs=0.005)


def test_importing_it_loads_numpy_alone():
    code = "import sys, mixup_helpers.exercises; print({'scipy', 'sklearn', 'pandas', 'matplotlib', 'tensorflow'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


if __name__ == "__main__":
    said = [said_to_a_mistake(name, words) + "\n" for name, words in MISTAKES]
    SAID.write_text("\n".join(said), encoding="utf-8")
