"""Change the helpers in one place at a time, and see whether their unit tests notice: `make mutate`.

`tools/mutate.py mixing tables` looks at these modules alone. cosmic-ray makes the mutants. Its own runner would
start Python and TensorFlow for each of them, which takes longer than the tests; here a process that has loaded
both forks for each mutant, and the fork runs only the tests that pass through the changed line.
"""

import contextlib
import difflib
import gc
import importlib
import multiprocessing
import os
import pickle
import queue
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import coverage
import notebooks
import pytest
import tamper

# Of cosmic-ray's operators one for each operator of Python: a bound's other side, a number's neighbours, the opposite.
OPERATORS = """
NumberReplacer ReplaceTrueWithFalse ReplaceFalseWithTrue ReplaceAndWithOr ReplaceOrWithAnd AddNot ExceptionReplacer
ReplaceBreakWithContinue ReplaceContinueWithBreak ZeroIterationForLoop RemoveDecorator
ReplaceUnaryOperator_Delete_Not ReplaceUnaryOperator_Delete_USub ReplaceUnaryOperator_Delete_Invert
ReplaceComparisonOperator_Eq_NotEq ReplaceComparisonOperator_NotEq_Eq ReplaceComparisonOperator_Lt_LtE
ReplaceComparisonOperator_LtE_Lt ReplaceComparisonOperator_Gt_GtE ReplaceComparisonOperator_GtE_Gt
ReplaceComparisonOperator_Is_IsNot ReplaceComparisonOperator_IsNot_Is
ReplaceBinaryOperator_Add_Sub ReplaceBinaryOperator_Sub_Add ReplaceBinaryOperator_Mul_Add
ReplaceBinaryOperator_Div_Mul ReplaceBinaryOperator_FloorDiv_Div ReplaceBinaryOperator_Mod_Add
ReplaceBinaryOperator_Pow_Mul ReplaceBinaryOperator_BitOr_BitAnd ReplaceBinaryOperator_BitAnd_BitOr
""".split()
# What the other tests compare is stamped with the helpers' code, so that they would notice every mutant.
UNIT_TESTS = "mixing properties reference training inputs pipelines checks evidence trials exercises moving fuzz"
FILES = ["mixup_helpers", *(f"tests/test_{name}.py" for name in f"{UNIT_TESTS} chapters_helpers".split())]
# These take more than ten seconds each, and what they pass through has quicker tests as well.
SLOW = """
test_right_ones_fail_no_more_often_than_stated test_what_the_book_says_of_the_implementations_still_holds
test_the_stated_rate_is_not_far_above_the_true_one test_worker_processes_train_the_same_model
test_the_weights_are_beta_draws_and_the_partners_are_uniform test_tensorflow_starts_without_a_word_in_a_notebook
test_many_ways_of_training_at_once_are_no_cause_for_a_warning test_the_same_bits_in_another_process
""".split()
PYTEST = "-o addopts= --doctest-modules --maxfail=1 -q -p no:cacheprovider".split()
LOADED = "tensorflow keras pandas scipy.stats sklearn.datasets matplotlib.pyplot hypothesis IPython".split()
SURVIVORS = notebooks.ROOT / "tools" / "survivors.txt"
MEMORY = 2**33
PATIENCE = 10  # seconds that a test may take longer, beside ten times its own
NO_PYTHON = 99  # the exit code where the change is no Python
FORK = multiprocessing.get_context("fork")


class Mutant(NamedTuple):
    """The `occurrence`-th place in a module that `operator` can change."""

    file: str
    line: int
    on_import: bool
    operator: str
    occurrence: int


class Recorder:
    """Plugin of pytest that writes down which lines of the helpers each test passes through, and its seconds."""

    def __init__(self, folder):
        self.coverage = coverage.Coverage(data_file=None, config_file=False, source=[str(folder / "mixup_helpers")])
        self.seconds = {}

    def pytest_collection_modifyitems(self, items):
        items[:] = [item for item in items if getattr(item, "originalname", None) not in SLOW]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        self.coverage.switch_context(item.nodeid)
        begin = time.perf_counter()
        result = yield
        self.seconds[item.nodeid] = time.perf_counter() - begin
        return result

    def tests_of_lines(self):
        data = self.coverage.get_data()
        return {
            (Path(file).name, line): set(tests) - {""}
            for file in data.measured_files()
            for line, tests in data.contexts_by_lineno(file).items()
        }


class Chosen:
    """Plugin of pytest that runs the chosen tests alone, the quick ones first; one that hangs ends the process."""

    def __init__(self, seconds):
        self.seconds = seconds

    def pytest_collection_modifyitems(self, items):
        chosen = [item for item in items if item.nodeid in self.seconds]
        items[:] = sorted(chosen, key=lambda item: self.seconds[item.nodeid])

    def pytest_runtest_logstart(self, nodeid):
        expire(PATIENCE + 10 * self.seconds[nodeid])


def expire(seconds):
    """End this process after so many seconds of computing, or ten times as long of waiting."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.alarm(int(10 * seconds))


def run_pytest(folder, files, plugin):
    """In a fork: run pytest in a copy of the project, with its helpers."""
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True  # two changes within a second can have the same time and size
    os.environ |= {"PYTHONPATH": str(folder), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # nbval takes seconds to load
    output = os.open("output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1), os.dup2(output, 2)
    return pytest.main([*PYTEST, *files], plugins=[plugin])


def record(folder, file):
    recorder = Recorder(folder)
    recorder.coverage.start()
    code = run_pytest(folder, [file], recorder)
    recorder.coverage.stop()
    Path("recorded").write_bytes(pickle.dumps((recorder.seconds, recorder.tests_of_lines())))
    os._exit(code)


def on_import(node):
    """Whether it runs while its module is imported, as constants and defaults do."""
    while node.parent:
        if node.parent.type in ("funcdef", "lambdef") and node is node.parent.children[-1]:
            return False
        node = node.parent
    return True


def mutants(path):
    """All mutants of a module, and its syntax tree. Messages and the examples of exercises are left alone."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.plugins import get_operator

    found, tree = [], get_ast(path.read_text(encoding="utf-8"))
    for name in OPERATORS:
        operator = get_operator(f"core/{name}")()
        places = [(node, start[0]) for node in ast_nodes(tree) for start, _ in operator.mutation_positions(node)]
        for occurrence, (node, line) in enumerate(places):
            example = node.search_ancestor("decorator") and not node.search_ancestor("argument")
            if not node.search_ancestor("fstring") and not example:
                found.append(Mutant(path.name, line, on_import(node), name, occurrence))
    return sorted(found, key=lambda mutant: mutant.line), tree


def mutated(mutant, tree):
    """The module's text with the change."""
    from cosmic_ray.mutating import MutationVisitor
    from cosmic_ray.plugins import get_operator

    MutationVisitor(mutant.occurrence, get_operator(f"core/{mutant.operator}")()).walk(tree)
    return tree.get_code()


def attempt(folder, mutant, tree, seconds):
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    expire(5 * PATIENCE)
    if mutant:
        text = mutated(mutant, tree)
        (folder / "mixup_helpers" / mutant.file).write_text(text, encoding="utf-8")
        try:
            compile(text, mutant.file, "exec")
        except SyntaxError:
            os._exit(NO_PYTHON)
    os._exit(run_pytest(folder, sorted({test.partition("::")[0] for test in seconds}), Chosen(seconds)))


def forked(function, *arguments):
    process = FORK.Process(target=function, args=arguments)
    process.start()
    process.join()
    return process.exitcode


class Copies:
    """Two copies of the project, for two forks at a time."""

    def __init__(self, folder):
        self.free = queue.Queue()
        for name in "ab":
            self.free.put(tamper.copied(Path(folder, name)))

    @contextlib.contextmanager
    def one(self):
        copy = self.free.get()
        try:
            yield copy
        finally:
            self.free.put(copy)

    def recorded(self, file):
        """The tests of a file: their seconds, and which of them pass through each line of the helpers."""
        with self.one() as copy:
            if forked(record, copy, file):
                raise RuntimeError(f"{file} fails without a change:\n{(copy / 'output.txt').read_text()}")
            return pickle.loads((copy / "recorded").read_bytes())

    def pass_unchanged(self, seconds):
        with self.one() as copy:
            return forked(attempt, copy, None, None, seconds) == 0

    def survivor(self, mutant, tree, seconds):
        """The change if the tests pass all the same, "" if they don't; None if it is no Python."""
        with self.one() as copy:
            code = forked(attempt, copy, mutant, tree, seconds)
            files = [folder / "mixup_helpers" / mutant.file for folder in (notebooks.ROOT, copy)]
            texts = [file.read_text(encoding="utf-8").splitlines() for file in files]
            shutil.copy2(*files)
        lines = difflib.unified_diff(*texts, lineterm="", n=0)
        change = "\n".join(f"{line[0]} {line[1:].strip()}" for line in lines if line[:2] not in ("--", "++", "@@"))
        if code == NO_PYTHON:
            return None
        return change if code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED) else ""


def explanations():
    """Why some changes can't be noticed, or needn't: the reason for each change of a module."""
    found = {}
    for block in SURVIVORS.read_text(encoding="utf-8").strip().split("\n\n"):
        head, change = block.split("\n", 1)
        file, reason = head.split(": ", 1)
        found[file, change] = reason
    return found


def main(names):
    for name in LOADED:
        importlib.import_module(name)
    gc.freeze()  # or every fork would collect, and so copy, all that was loaded
    files = [f"{name}.py" for name in names] or sorted(path.name for path in notebooks.ROOT.glob("mixup_helpers/*.py"))
    known, seconds, tests = explanations(), {}, defaultdict(set)
    killed = total = unexplained = 0
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        copies = Copies(folder)
        for of_tests, of_lines in pool.map(copies.recorded, FILES):
            seconds |= of_tests
            for line, those in of_lines.items():
                tests[line] |= those
        unchanged = pool.submit(copies.pass_unchanged, seconds)
        for file in files:
            found, tree = mutants(notebooks.ROOT / "mixup_helpers" / file)
            # What runs while a module is imported is a matter for all tests that then run its lines; where none does,
            # for all tests.
            whole = set().union(*(those for (measured, _), those in tests.items() if measured == file)) or set(seconds)
            lines = [whole if mutant.on_import else tests[file, mutant.line] or whole for mutant in found]
            chosen = [{test: seconds[test] for test in those} for those in lines]
            for mutant, change in zip(found, pool.map(copies.survivor, found, [tree] * len(found), chosen)):
                total += change is not None
                killed += change == ""
                if change:
                    reason = known.get((file, change))
                    unexplained += reason is None
                    print(f"{file}:{mutant.line} {reason or 'NOT NOTICED'}\n{change}\n", flush=True)
        if not unchanged.result():
            return "the tests fail without a change when the quick ones run first"
    print(f"survivors that are explained in {SURVIVORS.name}: {total - killed - unexplained}, others: {unexplained}")
    print(f"killed {killed} of {total}")
    return unexplained > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
