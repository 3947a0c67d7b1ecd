"""`make tamper` itself: each of its faults can be planted, and one that goes unnoticed is counted as such."""

import shutil

import notebooks
import pytest
import tamper
from tamper import Fault


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    return tamper.copied(tmp_path_factory.mktemp("tamper"))


def test_there_are_fifty_and_every_chapter_has_one():
    assert len(tamper.FAULTS) == 50
    spoilt = {notebooks.ROOT / fault.file for fault in tamper.FAULTS}
    assert set(notebooks.on_disk()) <= spoilt


@pytest.mark.parametrize("fault", tamper.FAULTS, ids=lambda fault: f"{fault.file}: {fault.name}")
def test_the_fault_can_be_planted(fault, copy):
    planted, original = copy / fault.file, notebooks.ROOT / fault.file
    tamper.plant(fault, copy)
    assert planted.read_text(encoding="utf-8") != original.read_text(encoding="utf-8")
    shutil.copy(original, planted)


def test_a_fault_that_changes_nothing_is_an_error(copy):
    for file in ("book/check.ipynb", "LICENSE"):
        with pytest.raises(ValueError, match="nothing to change"):
            tamper.plant(Fault("nothing", file, lambda content: content), copy)


SEEN = Fault("seen", "LICENSE", lambda text: text + "a", ("sees",))
UNSEEN = Fault("unseen", "LICENSE", lambda text: text + "a", ("blind",))


@pytest.fixture
def tests_that_see(monkeypatch):
    def failing(copy, check):
        spoilt = (copy / "LICENSE").read_text() != (notebooks.ROOT / "LICENSE").read_text()
        return "a test" if check == "sees" and spoilt else None

    monkeypatch.setattr(tamper, "failing", failing)


@pytest.mark.parametrize(("faults", "caught"), [([SEEN, SEEN], 2), ([SEEN, UNSEEN], 1)])
def test_what_goes_unnoticed_is_counted(tests_that_see, monkeypatch, capsys, faults, caught):
    monkeypatch.setattr(tamper, "FAULTS", faults)
    assert tamper.main() == (caught < 2)
    said = capsys.readouterr().out
    assert said.endswith(f"\ncaught {caught} of 2\n") and said.count("NOT NOTICED") == 2 - caught


def test_nothing_is_caught_where_the_unchanged_copy_fails(monkeypatch):
    monkeypatch.setattr(tamper, "failing", lambda copy, check: "a test")
    assert "a test fails" in tamper.main()


def test_only_a_test_that_fails_has_caught_something(tmp_path):
    for text, found in [("assert 1", None), ("assert 0", "test_one.py::test_it")]:
        (tmp_path / "test_one.py").write_text(f"def test_it():\n    {text}\n")
        assert tamper.failing(tmp_path, "test_one.py") == found
    for text in ("1 / 0", "", "def test_it(missing):\n    pass"):
        (tmp_path / "test_one.py").write_text(text)
        with pytest.raises(RuntimeError, match="could not be run"):
            tamper.failing(tmp_path, "test_one.py")
