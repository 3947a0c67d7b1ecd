"""What `make audit` says, with the answers that pip-audit gave: to a list of our own, and without a network."""

import json
from types import SimpleNamespace

import audit
import pytest

GOOD = {"name": "attrs", "version": "26.1.0", "vulns": []}
BAD = {"name": "pillow", "version": "10.2.0"}
BAD |= {"vulns": [{"id": "PYSEC-0-1", "fix_versions": ["10.3.0"], "aliases": ["CVE-0"]}]}
SKIPPED = {"name": "jinja2", "skip_reason": "Dependency not found on PyPI and could not be audited: jinja2 (3.1.6)"}


@pytest.fixture
def answer(tmp_path, monkeypatch):
    """Sets what each list answers, None being what pip-audit prints if it can't reach one; the file's name."""
    monkeypatch.setattr(audit, "ROOT", tmp_path)

    def answer(pypi, osv=None, name="requirements.txt"):
        def run(command, **_):
            pins = pypi if "pypi" in command else osv
            return SimpleNamespace(stdout="" if pins is None else json.dumps({"dependencies": pins, "fixes": []}))

        monkeypatch.setattr(audit.subprocess, "run", run)
        (tmp_path / name).touch()

    return answer


def test_a_known_fault_is_said_and_fails(answer, capsys):
    answer([GOOD, BAD])
    assert audit.main()
    said = capsys.readouterr().out
    assert "2 pins checked against pypi, 1 known faults" in said
    assert "pillow 10.2.0: PYSEC-0-1, mended in 10.3.0" in said


def test_pins_without_a_fault_pass(answer, capsys):
    answer([GOOD])
    assert not audit.main()
    assert "1 pins checked against pypi, 0 known faults" in capsys.readouterr().out


@pytest.mark.parametrize("pypi", [None, [SKIPPED]])
def test_the_second_list_is_asked_if_the_first_knows_nothing(answer, capsys, pypi):
    answer(pypi, [GOOD])
    assert not audit.main()
    assert "1 pins checked against osv" in capsys.readouterr().out


@pytest.mark.parametrize("pypi", [None, [SKIPPED]])
def test_without_any_list_nothing_is_called_good(answer, capsys, pypi):
    answer(pypi)
    assert audit.main()
    assert "not checked, no list of known faults can be reached" in capsys.readouterr().out


def test_a_pin_that_the_list_does_not_have_is_named(answer, capsys):
    answer([GOOD, SKIPPED])
    assert audit.main()
    assert "not checked, since pypi does not have them: jinja2" in capsys.readouterr().out


def test_what_pyodide_ships_is_shown_and_does_not_fail(answer, capsys):
    answer([BAD], name="requirements-lite.txt")
    assert not audit.main()
    assert "PYSEC-0-1" in capsys.readouterr().out
