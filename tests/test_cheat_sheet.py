"""The cheat sheet says what the chapters measured: every number, every verdict, and a loop that runs."""

import re

import notebooks
import numpy as np
import pytest

from mixup_helpers import evidence, mix_labels, mixup_data

PAGE = (notebooks.BOOK / "cheat_sheet.md").read_text(encoding="utf-8")
# situation, alpha: chapter, rows of its table, metric, baseline
CLEAN = "model == 'mlp' and alpha in [0, {}] and epochs == {}"
SPOILT = "model == '{}' and experiment == 'all pixels' and spoilt == '{}'"
WRONG = "experiment == '{}' and wrong_labels == 0.5 and setting in ['plain', 'MixUp 8']"
SOURCES = {
    ("clean images, 20 epochs", 0.2): ("accuracy", CLEAN.format(0.2, 20), "accuracy", "plain"),
    ("clean images, 20 epochs", 1): ("accuracy", CLEAN.format(1, 20), "accuracy", "plain"),
    ("clean images, 200 epochs", 0.2): ("accuracy", CLEAN.format(0.2, 200), "accuracy", "plain"),
    ("20 training images", 0.2): (
        "small_data", "n_train == 20 and setting in ['plain', 'MixUp 0.2']", "accuracy", "plain"),
    ("100 training images, 100 epochs", 1): (
        "failure", "experiment == 'over-training' and n_train == 100 and epochs == 100 and alpha in [0, 1]",
        "accuracy", "plain"),
    ("noisy images", 0.2): ("noise", SPOILT.format("mlp", "noise"), "accuracy", "plain"),
    ("PGD attacks, perceptron", 0.2): ("noise", SPOILT.format("mlp", "PGD"), "accuracy", "plain"),
    ("PGD attacks, convolutions", 0.2): ("noise", SPOILT.format("cnn", "PGD"), "accuracy", "plain"),
    ("half the labels wrong, last epoch", 8): ("labels", WRONG.format("last"), "accuracy", "plain"),
    ("half the labels wrong, best epoch", 8): ("labels", WRONG.format("best"), "accuracy", "plain"),
    ("with noise, over MixUp alone", 0.4): (
        "rivals", "setting in ['MixUp', 'MixUp + noise']", "accuracy", "MixUp"),
    ("with smoothing, over MixUp alone", 0.4): (
        "rivals", "setting in ['MixUp', 'MixUp + smoothing']", "accuracy", "MixUp"),
    ("confidence instead of accuracy", 0.2): (
        "confidence", CLEAN.format(0.2, 50) + " and scaled == 'no'", "confidence", "plain"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def beside_the_chapters(monkeypatch):
    monkeypatch.chdir(notebooks.BOOK)


def measured():
    """(situation, alpha, gain, chapter) of every row of the table."""
    rows = re.findall(r"(?m)^\| (.+?) \| ([\d.]+) \| (.+?) \| \[.+?\]\((\w+)\.ipynb\) \|$", PAGE)
    return {(situation, float(alpha)): (gain, chapter) for situation, alpha, gain, chapter in rows}


def test_the_table_has_every_situation_once():
    assert list(measured()) == list(SOURCES)


@pytest.mark.parametrize("row", SOURCES)
def test_the_number_is_the_chapter_s(row):
    chapter, rows, metric, baseline = SOURCES[row]
    table = evidence.load(chapter).query(rows)
    assert set(table.alpha) - {0} == {row[1]} and table.seed.nunique() == 20
    found = evidence.compare(table, metric, "setting", baseline)
    assert len(found) == 1
    effect = evidence.points(*found[["effect", "low", "high"]].iloc[0])
    assert measured()[row] == (effect, chapter)


def test_no_other_number_is_measured():
    signed = re.findall(r"[+-]\d+\.\d", PAGE)
    assert len(signed) == 3 * len(SOURCES)


@pytest.mark.parametrize("verdict", ["supported", "mixed", "not supported"])
def test_the_verdicts_are_the_book_s(verdict):
    table = evidence.load("verdicts")
    claims = [claim.split(" (")[0].removeprefix("slows training: ") for claim in table.claim[table.verdict == verdict]]
    listed = re.search(rf"(?m)^- {verdict}: (.+)$", PAGE).group(1).split("; ")
    assert sorted(listed) == sorted(claims)


@pytest.mark.parametrize("n", [5, 32, 70])
def test_the_loop_runs_over_every_row_and_mixes_the_labels_alike(n):
    seen = []

    class Model:
        def train_on_batch(self, mixed_x, labels):
            # Images and labels are the same one-hot rows, so their blends must be the same, too.
            assert np.allclose(mixed_x, labels)
            seen.append(mixed_x.sum(axis=0))

    loop = re.search(r"```python\n(.+?)```", PAGE, re.DOTALL).group(1)
    one_hot = np.eye(n)
    exec(loop, {"np": np, "mixup_data": mixup_data, "mix_labels": mix_labels,
                "x": one_hot, "y": one_hot, "epochs": 2, "model": Model()})  # fmt: skip
    assert len(seen) == 2 * -(-n // 32) and np.allclose(np.sum(seen, axis=0), 2)


def test_every_link_leads_to_a_page():
    for page in set(re.findall(r"\]\((\w+\.(?:ipynb|md))\)", PAGE)):
        assert (notebooks.BOOK / page).exists(), page


def test_every_citation_is_in_the_bibliography():
    known = (notebooks.BOOK / "references.bib").read_text(encoding="utf-8")
    for key in re.findall(r"\{cite:\w\}`(\w+)`", PAGE):
        assert f"{{{key}," in known
