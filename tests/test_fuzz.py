"""`make fuzz` itself: some of its inputs, and faults of every kind that it must see."""

import importlib
import inspect
import os
import time
import warnings

import fuzz
import numpy as np
import pytest
from fuzz import Call

MODULES = "mixing training checks pipelines tables trials evidence models figures moving".split()
LEFT_OUT = {"Report"}  # check_mixup makes them


def test_every_public_function_is_tried():
    known = set()
    for name in MODULES:
        module = importlib.import_module(f"mixup_helpers.{name}")
        known |= {
            name for name, found in vars(module).items()
            if not name.startswith("_") and getattr(found, "__module__", "") == module.__name__
            and callable(found) and inspect.signature(found).parameters
        }  # fmt: skip
    assert known - LEFT_OUT <= set(fuzz.calls()) and len(known) > 30


def test_some_bad_inputs_are_refused_by_name(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MIXUP_BOOK_CHECK", raising=False)
    table = fuzz.calls()
    del table["Trials.fit"], table["train"], table["check_mixup"]  # they take their time
    some = list(fuzz.inputs(table, fuzz.ROUNDS))[::23]
    assert len(some) > 480
    assert {given: wrong for given in some if (wrong := fuzz.fault(table, given))} == {}


def test_there_are_ten_thousand():
    table = fuzz.calls()
    assert sum(": good, " not in given for given in fuzz.inputs(table, fuzz.ROUNDS)) >= 10_000


# The last that is taken, where it can be tried, and the first that is not.
ENDS = [
    ("check_mixup", "shape", (16,), (15,)), ("check_mixup", "shape", (16, 1), (16, 0)),
    ("check_mixup", "shape", None, (10**7 + 1,)), ("check_mixup", "shape", None, (10**7, 2)),
    ("interval", "comparisons", 1, 0), ("interval", "comparisons", 10**6, 10**6 + 1),
    ("interval", "held_out", 0, -1e-9), ("interval", "held_out", 1 - 1e-9, 1),
    ("say", "digits", 0, -1), ("say", "digits", 15, 16),
    ("lam_slider", "pair", (0, 9), (0, 10)), ("lam_slider", "pair", (9, 0), (-1, 0)),
    ("alpha_slider", "draws", 10**6, 10**6 + 1),
    ("Trials", "seeds", [0], [-1]), ("Trials", "seeds", [2**32 - 1], [2**32]),
    ("Trials", "split_seed", 0, -1), ("Trials", "split_seed", 2**32 - 1, 2**32),
    ("Trials", "n_validation", 0, -1), ("Trials", "noise", 0, -1e-9), ("Trials", "weight_decay", 0, -1e-9),
    ("Trials", "label_smoothing", 0, -1e-9), ("Trials", "label_smoothing", 1 - 1e-9, 1),
    ("Trials", "dropout", 0, -1e-9), ("Trials", "wrong_labels", 0, -1e-9),
    ("train", "epochs", 1, 0), ("train", "epochs", None, 10**6 + 1),
    ("Trials.fit", "epochs", 1, 0), ("Trials.fit", "epochs", None, 10**6 + 1),
    ("perceptron", "input_shape", (1,), (0,)), ("perceptron", "input_shape", (1, 10**6), (1, 10**6 + 1)),
    ("perceptron", "hidden", [1], [0]), ("perceptron", "hidden", [10**6], [10**6 + 1]),
    ("perceptron", "classes", 1, 0), ("perceptron", "classes", 10**6, 10**6 + 1),
    ("perceptron", "seed", 0, -1), ("perceptron", "seed", 2**32 - 1, 2**32),
]  # fmt: skip


@pytest.fixture(scope="module")
def table():
    return fuzz.calls()


@pytest.mark.parametrize(("name", "argument", "last", "first"), ENDS)
def test_the_ends_of_what_is_taken(table, name, argument, last, first):
    call = table[name]
    good = call.good(np.random.default_rng(0))
    if last is not None:
        call.function(**good | {argument: last})
    with pytest.raises(ValueError, match=f"{argument} must"):
        call.function(**good | {argument: first})


def checked(x):
    if not isinstance(x, float) or x != x:
        raise ValueError(f"x must be a number, got {x}")
    return x


def silent(x):
    return x


def hangs(x):
    while x != x:
        time.sleep(0.01)


def crashes(x):
    if x != x:
        os.abort()


def warns(x):
    if x != x:
        warnings.warn("x is no number", stacklevel=1)
    return checked(x)


def names_another(x):
    if x != x:
        raise ValueError("max_x must be a number")


def fails_otherwise(x):
    if x != x:
        raise KeyError("x")


def gives_nan(x):
    return [{"a": np.float32(1)}, np.array([checked(x), np.nan])]


def says_nan(x):
    return f"it is {0 * checked(x) * np.inf}"


def one(rng):
    return {"x": 1.0}


FAULTS = {
    checked: None, hangs: "no answer in 2 seconds", crashes: "the process died: exit code -6",
    warns: "a warning: x is no number", names_another: "ValueError: max_x", fails_otherwise: "KeyError: 'x'",
    silent: "taken silently, gives nan",
}  # fmt: skip


def planted():
    nan = {"x": {"nan": fuzz.one_of(np.nan)}}
    return {function.__name__: Call(function, one, nan) for function in FAULTS}


def unsound():
    return {function.__name__: Call(function, one, {}) for function in (checked, gives_nan, says_nan)}


def dead():
    os._exit(3)


def test_every_kind_of_fault_is_seen(capsys):
    assert fuzz.main(planted, rounds=1, seconds=2)
    said = capsys.readouterr().out
    for function, wrong in FAULTS.items():
        name = f"{function.__name__}: x, nan, 0\n    "
        assert said.count(name) == (wrong is not None) and (wrong is None or wrong in said.split(name)[1].split("\n")[0])
    assert said.endswith(f"\n{len(FAULTS)} bad inputs, {len(FAULTS) - 1} faults\n")


def test_good_inputs_that_give_nan_are_faults(capsys):
    assert fuzz.main(unsound, rounds=1)
    said = capsys.readouterr().out
    assert said.count("gives_nan: good, ") == said.count("says_nan: good, ") == 5 and "checked" not in said
    assert said.endswith("15 good inputs\n0 bad inputs, 10 faults\n")


def test_nothing_is_well_where_nothing_can_be_tried():
    with pytest.raises(RuntimeError, match="ended with 3 before an input"):
        fuzz.main(dead)


def test_an_input_can_be_tried_again():
    table = planted()
    assert fuzz.fault(table, "warns: x, nan, 7") == "a warning: x is no number"
    assert fuzz.fault(table, "checked: x, nan, 7") is None
    drawn = Call(lambda x: x, lambda rng: {"x": 1.0}, {"x": {"any": lambda good, rng: rng.random()}})
    assert fuzz.fault({"it": drawn}, "it: x, any, 1") == fuzz.fault({"it": drawn}, "it: x, any, 1")
    assert fuzz.fault({"it": drawn}, "it: x, any, 1") != fuzz.fault({"it": drawn}, "it: x, any, 2")
