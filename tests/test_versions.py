"""What `make versions` counts as good."""

import sys

import pytest
import versions


@pytest.fixture
def environments(monkeypatch):
    """The environments that are asked for, instead of any that are made, and how tests are run in them; they pass."""
    asked, tested = [], []

    def environment(place, python, resolution, needed, tools):
        asked.append((place.name, resolution, [name for name in needed if name.startswith("tensorflow")]))
        return sys.executable, "numpy 2"

    monkeypatch.setattr(versions, "environment", environment)
    monkeypatch.setattr(versions, "passes", lambda *args, **settings: tested.append(settings) or True)
    monkeypatch.setattr(versions, "interpreter", lambda version: sys.executable)
    return asked, tested


def test_both_ends_are_tried_on_both_pythons_and_the_pins_on_other_processors(environments, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["versions.py"])
    assert not versions.main()
    asked, tested = environments
    assert [place for place, _, _ in asked] == ["3.11-oldest", "3.11-newest", "3.13-oldest", "3.13-newest"]
    assert [resolution for _, resolution, _ in asked] == ["lowest-direct", "highest"] * 2
    assert all(tensorflow for _, _, tensorflow in asked)
    assert tested == [{}] * 4 + [
        {"ONEDNN_MAX_CPU_ISA": "AVX2"},
        {"ONEDNN_MAX_CPU_ISA": "SSE41", "TF_NUM_INTRAOP_THREADS": "1"},
        {"TF_NUM_INTRAOP_THREADS": "8", "OMP_NUM_THREADS": "4"},
    ]
    said = capsys.readouterr().out
    assert "ONEDNN_MAX_CPU_ISA=SSE41 TF_NUM_INTRAOP_THREADS=1" in said and said.endswith("passed with 7 of 7\n")


def test_the_quick_part_needs_no_tensorflow(environments, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["versions.py", "--quick"])
    assert not versions.main()
    asked, _ = environments
    assert asked == [(f"{versions.HERE}-oldest", "lowest-direct", []), (f"{versions.HERE}-newest", "highest", [])]
    assert capsys.readouterr().out.endswith("passed with 2 of 2\n")


def test_a_missing_python_is_named_and_nothing_called_good(environments, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["versions.py"])
    monkeypatch.setattr(versions, "interpreter", lambda version: sys.executable if version == "3.11" else None)
    assert versions.main()
    said = capsys.readouterr().out
    assert "Python 3.13, oldest: not checked, there is no Python 3.13 here" in said
    assert said.endswith("passed with 5 of 7\n")


def test_a_python_that_is_nowhere_is_not_downloaded(tmp_path, monkeypatch):
    commands = []

    def run(command, **_):
        commands.append(command)
        return versions.subprocess.CompletedProcess(command, 2, "", "error: No interpreter found for Python 3.99")

    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setattr(versions.subprocess, "run", run)
    assert versions.interpreter("3.99") is None
    assert "--no-python-downloads" in commands[0]
    for version in ("3.9", "3.99", "3.100"):
        python = tmp_path / "versions" / f"{version}.1" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.touch()
        assert versions.interpreter(version) == python


@pytest.mark.parametrize(("code", "good"), [("assert True", True), ("assert False", False)])
def test_tests_that_fail_are_shown(tmp_path, capfd, code, good):
    (tmp_path / "test_small.py").write_text(f"import os\ndef test_small():\n    assert os.environ['IT'] == 'on'\n    {code}\n")
    assert versions.passes(sys.executable, [tmp_path], ["-o", "addopts="], IT="on") == good
    said = capfd.readouterr().out
    assert ("1 passed" in said and said.count("\n") == 1) if good else "assert False" in said
