"""The reference has every public name, each is explained, and the glossary has every term that is linked."""

import doctest
import importlib
import inspect
import pkgutil
import re

import notebooks
import pytest

import mixup_helpers

MODULES = [info.name for info in pkgutil.iter_modules(mixup_helpers.__path__) if not info.name.startswith("_")]
ANSWERS = "exercises"  # but for `check`, this module holds the answers to the exercises
NOT_INSTALLED = {"from_torchvision", "from_timm"}  # their examples need packages that the book does not


def public():
    """(the name as the reader imports it, the object), of every function and class."""
    for name in MODULES:
        module = importlib.import_module(f"mixup_helpers.{name}")
        for own, value in vars(module).items():
            ours = inspect.isfunction(value) or inspect.isclass(value)
            if not ours or own.startswith("_") or value.__module__ != module.__name__:
                continue
            if name != ANSWERS or own == "check":
                yield (f"mixup_helpers.{own}" if own in mixup_helpers.__all__ else f"{module.__name__}.{own}"), value


PUBLIC = dict(public())


def page(name):
    return (notebooks.BOOK / name).read_text(encoding="utf-8")


def test_the_reference_has_every_public_name_once_and_no_other():
    entries = re.findall(r"(?m)^\.\. auto(?:function|class):: (\S+)$", page("reference.md"))
    assert sorted(entries) == sorted(PUBLIC)


def test_the_reference_has_every_public_method():
    listed = dict(re.findall(r"(?m)^\.\. autoclass:: (\S+)\n   :members: (.+)$", page("reference.md")))
    for name, value in PUBLIC.items():
        if inspect.isclass(value):
            methods = {m for m, f in vars(value).items() if inspect.isfunction(f) and not m.startswith("_")}
            assert methods == set(filter(None, listed.get(name, "").split(", "))), name


@pytest.mark.parametrize("name", PUBLIC)
def test_the_docstring_explains(name):
    value = PUBLIC[name]
    text = inspect.getdoc(value)
    sections = dict(re.findall(r"(?ms)^([A-Z]\w+)\n-+\n(.*?)(?=^[A-Z]\w+\n-+\n|\Z)", text))
    assert re.match(r"\S.*[.?](\n|$)", text), "a summary of one line"
    if inspect.isfunction(value):
        if inspect.signature(value).parameters:
            headings = re.findall(r"(?m)^(\S.*?)(?: :.*)?$", sections["Parameters"])
            explained = re.findall(r"\w+", " ".join(headings))
            assert explained == list(inspect.signature(value).parameters)
        body = inspect.getsource(value).split('"""')[-1]
        assert bool(re.search(r"(?m)^    return ", body)) == ("Returns" in sections)
        assert "Raises" in sections or not re.search(r"(?m)^ +raise ", body)
    examples = doctest.DocTestParser().get_examples(sections["Examples"])
    run = [example for example in examples if doctest.SKIP not in example.options]
    assert run or value.__name__ in NOT_INSTALLED


def test_the_glossary_has_every_term_that_is_linked():
    known = {line.lower() for line in re.findall(r"(?m)^(\w[^.\n]*)$", page("glossary.md").partition(":sorted:")[2])}
    assert {"lambda", "calibration", "label smoothing"} <= known
    for path in notebooks.BOOK.glob("*.*"):
        if path.suffix in (".ipynb", ".md"):
            for shown, target in re.findall(r"\{term\}`([^`<]*)(?:<([^`>]*)>)?`", path.read_text(encoding="utf-8")):
                assert (target or shown).lower() in known, f"{path.name}: {target or shown}"
