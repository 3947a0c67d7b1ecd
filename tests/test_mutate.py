"""`make mutate` itself: a change that a test notices is counted, one that none notices is shown."""

import subprocess
import sys
from pathlib import Path

import mutate
import pytest

MODULE = '''"""A tiny module."""

LIMIT = 3


def capped(x):
    """x, or the limit."""
    if x > LIMIT:
        return LIMIT
    return x


def forgotten(x):
    return x + 1
'''
# The first test to import the module runs its lines, and is not the only one that they are a matter for.
TEST = """
def test_small_ones_stay():
    from mixup_helpers.tiny import capped
    assert capped(1) == 1

def test_large_ones_do_not():
    from mixup_helpers.tiny import capped
    assert capped(5) == 3
"""
KILLED = ["LIMIT = 3", "LIMIT = 4"], ["if x > LIMIT", "if x > 2 * LIMIT"], ["LIMIT = 3", "1 / 0"]
HANGS = ["return LIMIT", "while True: pass"]
KNOWN = ["x > LIMIT", "x >= LIMIT"]
UNKNOWN = ["x + 1", "x + 2"]
NO_PYTHON = ["return x", "return ("]
# What main does, with changes that are made by hand in place of cosmic-ray's.
PROGRAM = """
import notebooks, sys
from pathlib import Path
notebooks.ROOT = Path.cwd()
import mutate
mutate.FILES, mutate.LOADED, mutate.PATIENCE = ["tests/test_tiny.py"], [], 2

def mutants(path):
    text = path.read_text()
    line = {old: text[:text.index(old)].count("\\n") + 1 for old, _ in CHANGES}
    return [mutate.Mutant("tiny.py", line[old], line[old] < 5, new, old) for old, new in CHANGES], text

mutate.mutants, mutate.mutated = mutants, lambda mutant, text: text.replace(mutant.occurrence, mutant.operator, 1)
sys.exit(mutate.main(["tiny"]))
"""


def run(folder, changes):
    for file, text in [
        ("mixup_helpers/__init__.py", ""),
        ("mixup_helpers/tiny.py", MODULE),
        ("tests/test_tiny.py", TEST),
        ("tools/survivors.txt", "tiny.py: the limit is the limit\n- if x > LIMIT:\n+ if x >= LIMIT:\n"),
    ]:
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_text(text)
    program = f"import sys; sys.path.insert(0, {str(Path(mutate.__file__).parent)!r}); CHANGES = {changes}\n{PROGRAM}"
    return subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, timeout=200)


def test_what_is_noticed_is_counted_and_what_is_not_is_shown(tmp_path):
    done = run(tmp_path, [*KILLED, HANGS, KNOWN, UNKNOWN, NO_PYTHON])
    assert done.stdout.splitlines() == [
        "tiny.py:8 the limit is the limit",
        "- if x > LIMIT:",
        "+ if x >= LIMIT:",
        "",
        "tiny.py:14 NOT NOTICED",
        "- return x + 1",
        "+ return x + 2",
        "",
        "survivors that are explained in survivors.txt: 1, others: 1",
        "killed 4 of 6",
    ], done.stderr
    assert done.returncode == 1


def test_what_is_explained_is_no_fault(tmp_path):
    done = run(tmp_path, [KNOWN, KILLED[0]])
    assert done.stdout.endswith("\nkilled 1 of 2\n") and done.returncode == 0, done.stderr


def test_nothing_is_counted_where_the_tests_fail_without_a_change(tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "conftest.py").write_text("1 / 0")
    done = run(tmp_path, [KILLED[0]])
    assert done.returncode and "killed" not in done.stdout and "fails without a change" in done.stderr


def test_messages_docstrings_signatures_and_examples_are_left_alone(tmp_path):
    pytest.importorskip("cosmic_ray", reason="`make mutate` installs it")
    module = tmp_path / "one.py"
    lines = ['"""Is 1 > 2?"""', "@exercise(1, -2, close=6)", "def f(x, *, y):", 'assert x < 7, f"{x + 1} > 2"',
             "return x * 2 + y"]  # fmt: skip
    module.write_text("{}\n{}\n{}\n    {}\n    {}\n".format(*lines))
    found, changes = mutate.mutants(module)[0], set()
    assert {mutant.line for mutant in found if mutant.on_import} == {2, 3}
    for mutant in found:
        text = mutate.mutated(mutant, mutate.mutants(module)[1])
        changed = [" ".join(line.split()) for line in text.splitlines()]
        if lines[2] in changed:  # cosmic-ray takes the star for a product, but that is no Python
            changes |= set(changed) - set(lines)
        else:
            with pytest.raises(SyntaxError):
                compile(text, "one.py", "exec")
    asserted = [lines[3].replace("x < 7", other) for other in ("x <= 7", "x < 6", "x < 8", "not x < 7")]
    returned = {"return x + 2 + y", "return x * 1 + y", "return x * 3 + y", "return x * 2 - y"}
    assert changes == {*asserted, *returned, "@exercise(1, -2, close= 5)", "@exercise(1, -2, close= 7)"}


def test_what_is_explained_is_a_line_of_today():
    """An explanation of a line that has gone explains nothing."""
    for file, change in mutate.explanations():
        old = change.split("\n")[0].removeprefix("- ")
        lines = (mutate.notebooks.ROOT / "mixup_helpers" / file).read_text(encoding="utf-8").splitlines()
        assert old in map(str.strip, lines), f"{file}: {old}"
