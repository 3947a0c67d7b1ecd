"""Measures, intervals and verdicts against scikit-learn, SciPy, plain Python and simulation."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import accuracy_score, log_loss

from mixup_helpers import evidence
from mixup_helpers.evidence import (
    claim, compare, interval, listing, load, measures, on_test_images, per_thousand, points, rows, save, say,
    scores, verdict,
)  # fmt: skip

SURE = np.random.default_rng(0).normal(size=(4, 300, 5)) * [[[1]], [[3]], [[5]], [[0.1]]]
LABELS = np.random.default_rng(1).integers(0, 5, (4, 300))


def softmax(logits):
    powers = np.exp(logits)
    return powers / powers.sum(axis=-1, keepdims=True)


# Measures


def test_accuracy_and_nll_are_scikit_learns():
    found = measures(SURE, LABELS)
    for k, p in enumerate(softmax(SURE)):
        assert found["accuracy"][k] == pytest.approx(accuracy_score(LABELS[k], p.argmax(axis=1)))
        assert found["nll"][k] == pytest.approx(log_loss(LABELS[k], p, labels=range(5)))


def test_ece_is_the_gap_of_fifteen_bins_weighted():
    for k, p in enumerate(softmax(SURE)):
        ece = 0
        for m in range(1, 16):
            inside = [i for i in range(300) if (m - 1) / 15 < p[i].max() <= m / 15]
            if inside:
                accuracy = sum(p[i].argmax() == LABELS[k, i] for i in inside) / len(inside)
                confidence = sum(p[i].max() for i in inside) / len(inside)
                ece += len(inside) / 300 * abs(accuracy - confidence)
        assert measures(SURE, LABELS)["ece"][k] == pytest.approx(ece)


def test_the_surest_bins_are_kept_apart():
    found = measures(np.log([[[0.9, 0.1], [0.99, 0.01]]]), [[0, 1]])  # the first is right, the second wrong
    assert found["ece"] == pytest.approx([(0.1 + 0.99) / 2])


def test_labels_beyond_the_classes_are_refused():
    with pytest.raises(ValueError, match="labels must be class ids from 0 to 1$"):
        measures(np.zeros((1, 5, 2)), [[0, 1, 2, 0, 0]])


def test_confidence_is_that_of_the_answers():
    found = measures(SURE, LABELS)
    for k, p in enumerate(softmax(SURE)):
        sure, wrong = p.max(axis=1), p.argmax(axis=1) != LABELS[k]
        assert found["confidence"][k] == pytest.approx(sure.mean())
        assert found["overconfidence"][k] == pytest.approx(sure.mean() - (1 - wrong.mean()))
        assert found["confidence_wrong"][k] == pytest.approx(sure[wrong].mean())
        assert found["sure_and_wrong"][k] == sum(s >= 0.9 and w for s, w in zip(sure, wrong, strict=True)) / 300
    assert found["sure_and_wrong"][2] > 0.1


def test_without_a_wrong_answer_there_is_no_confidence_in_wrong_ones():
    found = measures([SURE[2], SURE[2]], [SURE[2].argmax(axis=1), LABELS[2]])["confidence_wrong"]
    np.testing.assert_array_equal(np.isnan(found), [True, False])


def test_logits_of_any_size_are_measured():
    found = measures([[[1e4, 0, -1e4], [0, 1e4, 0]]], [[0, 0]])
    assert {name: float(value[0]) for name, value in found.items()} == {
        "accuracy": 0.5, "nll": 5e3, "confidence": 1, "overconfidence": 0.5, "ece": 0.5,
        "sure_and_wrong": 0.5, "confidence_wrong": 1,
    }  # fmt: skip


def test_a_constant_added_to_all_logits_changes_no_measure():
    for a, b in zip(measures(SURE, LABELS).values(), measures(SURE + 100, LABELS).values(), strict=True):
        np.testing.assert_allclose(a, b)


@pytest.mark.parametrize(("logits", "labels"), [(SURE[0], LABELS[0]), (SURE, LABELS[0]), (SURE, LABELS[:, :5])])
def test_wrong_shapes_are_named(logits, labels):
    with pytest.raises(ValueError, match=r"logits .*labels .*got \("):
        measures(logits, labels)


# Tables


def stand_in(**about):
    return SimpleNamespace(**{
        "model": "cnn", "alpha": 0.2, "epochs": 7, "seeds": [4, 5, 9, 0], "y_train": LABELS[:, :50],
        "x_train": SURE[:, :50], "x_test": SURE[:, 50:], "y_test": LABELS[:, 50:], "logits": lambda x: x,
    } | about)  # fmt: skip


def test_rows_tell_what_was_measured_where():
    found = rows({"nll": [1, 2, 3, 4.12345678], "ece": [5, 6, 7, 8]}, stand_in(), experiment="e", spoilt="no")
    assert " ".join(found) == "experiment model setting alpha epochs n_train seed metric value spoilt"
    assert len(found) == 8
    assert found.loc[3].tolist() == ["e", "cnn", "MixUp", 0.2, 7, 50, 0, "nll", 4.123457, "no"]
    assert found.loc[4].tolist() == ["e", "cnn", "MixUp", 0.2, 7, 50, 4, "ece", 5, "no"]


def test_numbers_of_few_bits_are_measured_in_double_precision():
    assert rows({"nll": np.array([0.9, 0.8, 100, 1], "float16")}, stand_in())["value"].round(3).tolist() == [0.9, 0.8, 100, 1]
    assert rows({"right": [True, False, True, True]}, stand_in())["value"].tolist() == [1, 0, 1, 1]
    few = pd.DataFrame({"alpha": [0, 0, 1, 1], "seed": [0, 1] * 2, "metric": "n", "value": np.array([95, 92, 91, 90], "uint8")})
    assert compare(few, "n", "alpha", 0, held_out=0)["effect"].tolist() == [-3]
    ends = pd.DataFrame({name: np.array([value], "uint8") for name, value in [("effect", 2), ("low", 1), ("high", 3), ("seeds", 20)]})
    assert claim("", ends, "", sign=-1)["verdict"] == "not supported"
    assert claim("", ends.assign(low=ends["high"]), "")["verdict"] == "supported", "all differences may be the same"


def test_an_unknown_metric_is_refused_before_anything_is_computed():
    trials = stand_in()
    trials.logits = None
    with pytest.raises(ValueError, match="metrics must be one of accuracy, .*, train_accuracy, got 'nope'"):
        on_test_images([trials], ["accuracy", "nope"])


def test_a_setting_is_named_by_alpha_unless_it_has_a_name():
    for alpha, columns, name in [(0, {}, "plain"), (1, {}, "MixUp"), (1, {"setting": "dropout"}, "dropout")]:
        assert set(rows({"nll": 0.5}, stand_in(alpha=alpha), **columns)["setting"]) == {name}


def test_on_test_images_measures_those():
    found = on_test_images([stand_in(), stand_in(alpha=0)], ["nll", "train_accuracy"], experiment="e")
    assert found.index.is_unique
    expected = measures(SURE[:, 50:], LABELS[:, 50:])["nll"], measures(SURE[:, :50], LABELS[:, :50])["accuracy"]
    np.testing.assert_allclose(found["value"], np.round(np.tile(np.concatenate(expected), 2), 6))
    assert found["setting"].tolist() == ["MixUp"] * 8 + ["plain"] * 8
    assert found["metric"].tolist() == (["nll"] * 4 + ["train_accuracy"] * 4) * 2
    assert set(on_test_images([stand_in()])["metric"]) == {"accuracy"}
    assert evidence.scores(stand_in())["nll"].tolist() == expected[0].tolist()


# Intervals

D = np.random.default_rng(2).normal(0.3, 1, 12)


@pytest.mark.parametrize("comparisons", [1, 2, 7])
def test_with_fresh_data_the_interval_is_students(comparisons):
    expected = stats.ttest_1samp(D, 0).confidence_interval(1 - 0.05 / comparisons)
    np.testing.assert_allclose(interval(D, comparisons, held_out=0), [D.mean(), *expected])


@pytest.mark.parametrize(("held_out", "test", "training"), [(0.2, 1, 4), (0.5, 1, 1), (0.1, 1, 9)])
def test_shared_rows_widen_it_as_nadeau_and_bengio_have_it(held_out, test, training):
    variance = sum((d - sum(D) / 12) ** 2 for d in D) / 11
    half = stats.t(11).ppf(0.975) * ((1 / 12 + test / training) * variance) ** 0.5
    np.testing.assert_allclose(interval(D, held_out=held_out), [D.mean(), D.mean() - half, D.mean() + half])


def test_a_fifth_is_held_out_unless_said_otherwise():
    assert interval(D) == interval(D, comparisons=1, held_out=0.2)


def test_nineteen_of_twenty_intervals_hold_the_truth():
    held = 0
    for differences in np.random.default_rng(3).normal(0.5, 2, (2000, 8)):
        _, low, high = interval(differences, held_out=0)
        held += low < 0.5 < high
    assert stats.binomtest(held, 2000, 0.95).pvalue > 0.01


@pytest.mark.parametrize("differences", [[0.1], [], 0.1, [0.1, np.nan], [0.1, np.inf], [[0.1, 0.2], [0.3, 0.4]]])
def test_what_has_no_interval_is_refused(differences):
    with pytest.raises(ValueError, match="differences"):
        interval(differences)


# Comparisons


def table(values, metric="accuracy"):
    """A row for each (n_train, alpha, seed) of `values`, shape (2, 3, 6)."""
    index = pd.MultiIndex.from_product([[20, 50], [0, 0.2, 1], range(6)], names=["n_train", "alpha", "seed"])
    return pd.Series(np.ravel(values), index, name="value").reset_index().assign(metric=metric)


VALUES = np.random.default_rng(4).normal(size=(2, 3, 6))
TABLE = pd.concat([table(VALUES), table(VALUES * 100, "nll")])


def test_differences_are_from_the_baseline_seed_by_seed():
    found = compare(TABLE[TABLE["n_train"] == 50], "accuracy", "alpha", 0.2)
    assert found["alpha"].tolist() == [0, 1] and found["seeds"].tolist() == [6, 6]
    for row, level in enumerate([0, 2]):
        expected = interval(VALUES[1, level] - VALUES[1, 1])
        np.testing.assert_allclose(found.loc[row, ["effect", "low", "high"]].tolist(), expected)


def test_rows_in_any_order_give_the_same():
    expected = compare(TABLE, "accuracy", "alpha", 0, by="n_train")
    shuffled = TABLE.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(compare(shuffled, "accuracy", "alpha", 0, by="n_train"), expected)


def test_what_is_kept_apart_is_not_mixed():
    found = compare(TABLE, "accuracy", "alpha", 0, by="n_train")
    assert list(found) == ["n_train", "alpha", "effect", "low", "high", "seeds"]
    assert found[["n_train", "alpha"]].to_numpy().tolist() == [[20, 0.2], [20, 1], [50, 0.2], [50, 1]]
    np.testing.assert_allclose(found["effect"], (VALUES[:, 1:] - VALUES[:, :1]).mean(axis=-1).ravel())
    two = compare(TABLE, "nll", "alpha", 0, by=["metric", "n_train"])
    np.testing.assert_allclose(two["effect"], 100 * found["effect"])
    assert list(two)[:3] == ["metric", "n_train", "alpha"]


def test_together_widens_each_for_all_rows():
    found = compare(TABLE, "accuracy", "alpha", 0, by="n_train", together=True, held_out=0.1)
    for row, differences in enumerate((VALUES[:, 1:] - VALUES[:, :1]).reshape(4, 6)):
        expected = interval(differences, comparisons=4, held_out=0.1)
        np.testing.assert_allclose(found.loc[row, ["effect", "low", "high"]].tolist(), expected)


def test_groups_may_have_settings_of_their_own():
    own = TABLE[(TABLE["n_train"] == 20) | (TABLE["alpha"] != 1)]
    found = compare(own, "accuracy", "alpha", 0, by="n_train", together=True)
    assert found[["n_train", "alpha"]].to_numpy().tolist() == [[20, 0.2], [20, 1], [50, 0.2]]
    expected = interval(VALUES[1, 1] - VALUES[1, 0], comparisons=3)
    np.testing.assert_allclose(found.loc[2, ["effect", "low", "high"]].tolist(), expected)


def without(n_train, alpha, seeds=range(6)):
    gone = (TABLE["n_train"] == n_train) & (TABLE["alpha"] == alpha) & TABLE["seed"].isin(seeds)
    return TABLE[~gone]


@pytest.mark.parametrize(
    ("results", "metric", "baseline"),
    [
        (without(20, 1, [3]), "accuracy", 0),
        (without(20, 0, [3]), "accuracy", 0),
        (pd.concat([TABLE, TABLE[:1]]), "accuracy", 0),
        (TABLE, "accuracy", 5),
        (TABLE, "ece", 0),
        (TABLE[TABLE["alpha"] == 0], "accuracy", 0),
        (without(50, 0), "accuracy", 0),
    ],
    ids=["a seed lacks", "a baseline lacks", "twice", "no baseline", "no metric", "alone", "a group has no baseline"],
)
def test_what_cannot_be_paired_is_refused(results, metric, baseline):
    with pytest.raises(ValueError, match="^results |^nothing to compare|^metric "):
        compare(results, metric, "alpha", baseline, by="n_train")


# Verdicts and words


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.1, 0.2, "supported"), (0.1, 0.1, "supported"), (0, 0.2, "not supported"), (-0.2, 0.1, "not supported"),
        (-0.2, -0.1, "not supported"), ([0.1, 0.2], [0.3, 0.3], "supported"), ([0.1, 0], [0.3, 0.3], "mixed"),
        ([-0.1, -0.3], [0.3, -0.2], "not supported"), ([0.1, -0.3], [0.3, -0.2], "mixed"),
    ],
)  # fmt: skip
def test_a_claim_is_supported_where_every_interval_lies_above_zero(low, high, expected):
    assert verdict(low, high) == expected


@pytest.mark.parametrize(("low", "high"), [([], []), (2, 1), (np.nan, 1), ([0, 1], [1]), ([0, 2], [1, 1])])
def test_no_verdict_without_intervals(low, high):
    with pytest.raises(ValueError, match="low"):
        verdict(low, high)


def compared(*intervals, seeds=(20, 10)):
    return pd.DataFrame(
        [{"effect": (a + b) / 2, "low": a, "high": b, "seeds": n} for (a, b), n in zip(intervals, seeds)]
    )


def test_a_claim_sums_up_its_comparisons():
    assert claim("MixUp helps", compared((0.1, 0.3), (0.2, 0.60124)), "accuracy") == {
        "claim": "MixUp helps", "verdict": "supported", "effect": 0.3003, "low": 0.1, "high": 0.6012,
        "seeds": 10, "chapter": "accuracy",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("intervals", "falls", "rises"),
    [
        ([(-0.3, -0.1), (-0.6, -0.2)], "supported", "not supported"),
        ([(-0.3, -0.1), (-0.6, 0.2)], "mixed", "not supported"),
        ([(-0.3, -0.1), (0.1, 0.2)], "mixed", "mixed"),
        ([(-0.3, 0.1)], "not supported", "not supported"),
        ([(0.1, 0.3)], "not supported", "supported"),
    ],
)
def test_a_claim_may_predict_a_fall(intervals, falls, rises):
    down, up = (claim("", compared(*intervals), "", sign=sign) for sign in (-1, 1))
    assert (down["verdict"], up["verdict"]) == (falls, rises)
    assert (down["low"], down["high"]) == (min(a for a, _ in intervals), max(b for _, b in intervals))
    assert down["effect"] == pytest.approx(np.mean(intervals)), "as measured, whatever is predicted"


def test_a_claim_is_said_in_points():
    found = claim("MixUp costs", compared((-0.003, 0.001)), "accuracy")
    assert say(found) == "MixUp costs: not supported\n  -0.1 (-0.3 to +0.1) points"
    assert say(found, digits=2).endswith("  -0.10 (-0.30 to +0.10) points")


def test_points_are_hundredths_with_a_sign():
    assert points(0.004, -0.001, 0.0091) == "+0.4 (-0.1 to +0.9)"
    assert points(0.12345, -1, 1, digits=2) == "+12.35 (-100.00 to +100.00)"


def test_zero_has_no_sign():
    assert points(0, -0.0004, -0.0) == points(0.0004, 0, 0) == "0.0 (0.0 to 0.0)"
    assert points(0.0006, -0.0006, 0.0004) == "+0.1 (-0.1 to 0.0)"
    assert points(-0.00004, 0.00004, 0.00006, digits=2) == "0.00 (0.00 to +0.01)"


def test_a_listing_has_a_line_for_each_comparison():
    found = compare(TABLE, "accuracy", "alpha", 0, by="n_train")
    head, *lines = listing(found).splitlines()
    assert head.split() == ["n_train", "alpha", "points"]
    for line, (_, row) in zip(lines, found.iterrows(), strict=True):
        assert line.rstrip().split(maxsplit=2) == [
            f"{row['n_train']:.0f}", f"{row['alpha']:.1f}", points(row["effect"], row["low"], row["high"])
        ]  # fmt: skip


def test_effects_in_a_listing_stand_below_each_other():
    found = pd.DataFrame({"effect": [-0.1, 0, 0.002], "low": [-0.31, -0.01, 0.001], "high": [0.11, 0.01, 0.003], "seeds": 20})
    assert listing(found).splitlines() == [
        "                points",
        "-10.0 (-31.0 to +11.0)",
        "  0.0 (-1.0 to +1.0)  ",
        " +0.2 (+0.1 to +0.3)  ",
    ]


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.0021, 0.0042, "2 to 4 more"),
        (-0.0042, -0.0021, "2 to 4 fewer"),
        (-0.003, 0.0014, "between 3 fewer and 1 more"),
        # An end that rounds to 0.
        (0.0004, 0.0042, "0 to 4 more"),
        (-0.0004, 0.0042, "between 0 fewer and 4 more"),
        (-0.0042, -0.0004, "0 to 4 fewer"),
        (-0.0042, 0.0004, "between 4 fewer and 0 more"),
        (0, 0.003, "0 to 3 more"),
        (-0.003, 0, "0 to 3 fewer"),
        (0.002, 0.002, "about 2 more"),
        (0.6, 0.9, "600 to 900 more"),
    ],
)
def test_an_interval_in_words(low, high, words):
    assert per_thousand(low, high) == f"out of 1,000 new digits, {words} are read correctly"
    assert per_thousand(low, high, "boats", "float") == f"out of 1,000 boats, {words} float"


def test_more_is_never_called_fewer():
    assert "fewer" not in per_thousand(0.0001, 0.0004)


# Files

MEASURED = rows({"accuracy": [0.5, 0.25, np.nan, 1]}, stand_in(), experiment="e", spoilt="no")


@pytest.fixture
def chapter(tmp_path, monkeypatch):
    """An empty folder to work in, where `save` writes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MIXUP_BOOK_CHECK", raising=False)
    monkeypatch.setattr(evidence, "files", {"read": set(), "written": set()})
    return tmp_path


@pytest.fixture
def checked(chapter, monkeypatch):
    """The same, where a run is compared with the `MEASURED` that another has stored."""
    save(MEASURED, "here")
    evidence.files["written"].clear()
    monkeypatch.setenv("MIXUP_BOOK_CHECK", "1")
    return chapter


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_saved_is_loaded(chapter, capsys):
    save(MEASURED.iloc[::-1], "here")  # whatever the index
    assert capsys.readouterr().out == "4 rows in results/here.csv\n"
    assert evidence.files == {"read": set(), "written": {"here.csv"}}
    pd.testing.assert_frame_equal(load("here"), MEASURED.iloc[::-1].reset_index(drop=True))
    assert evidence.files == {"read": {"here.csv"}, "written": {"here.csv"}}
    assert list(contents(chapter)) == ["results/here.csv"]


def test_words_that_look_like_missing_numbers_are_kept(chapter):
    save(MEASURED.assign(setting=["NA", "nan", "None", "null"]), "here")
    assert load("here")["setting"].tolist() == ["NA", "nan", "None", "null"]


def test_lines_end_the_same_on_every_system(chapter):
    save(MEASURED[:1], "here")
    assert contents(chapter)["results/here.csv"] == (
        b"experiment,model,setting,alpha,epochs,n_train,seed,metric,value,spoilt\n"
        b"e,cnn,MixUp,0.2,7,50,4,accuracy,0.5,no\n"
    )


def test_a_second_run_takes_the_place_of_the_first(chapter, capsys):
    save(MEASURED, "here")
    save(MEASURED[:1], "here")
    assert len(load("here")) == 1 and capsys.readouterr().out.splitlines()[1] == "1 row in results/here.csv"


def test_a_run_that_agrees_writes_nothing(checked, capsys):
    before = contents(checked)
    save(MEASURED.assign(value=MEASURED["value"] + 1e-5).set_index(np.arange(4) // 2), "here")
    assert contents(checked) == before
    assert capsys.readouterr().out.endswith("4 rows in results/here.csv\n")
    assert evidence.files["written"] == {"here.csv"}


@pytest.mark.parametrize(
    "differs",
    [
        MEASURED.assign(value=MEASURED["value"] + 1e-3),
        MEASURED.assign(value=MEASURED["value"] - 2e-4),
        MEASURED.assign(value=MEASURED["value"].fillna(0)),
        MEASURED.assign(seed=[4, 5, 9, 1]),
        MEASURED.assign(setting="plain"),
        MEASURED.iloc[::-1],
        MEASURED[MEASURED.columns[::-1]],
        MEASURED[:3],
        pd.concat([MEASURED, MEASURED[:1]]),
        MEASURED.drop(columns="spoilt"),
        MEASURED.assign(more=1),
    ],
    ids=[
        "more", "less", "a number", "seed", "setting", "order of rows", "order of columns",
        "fewer rows", "more rows", "fewer columns", "more columns",
    ],
)  # fmt: skip
def test_a_run_that_differs_is_an_error(checked, differs):
    before = contents(checked)
    with pytest.raises(AssertionError):
        save(differs, "here")
    assert contents(checked) == before and evidence.files["written"] == set()


def test_large_values_are_held_to_the_same_difference(chapter, monkeypatch):
    save(MEASURED.assign(value=1000.0), "here")
    monkeypatch.setenv("MIXUP_BOOK_CHECK", "1")
    with pytest.raises(AssertionError):
        save(MEASURED.assign(value=1000.001), "here")


def test_other_kinds_of_whole_numbers_are_the_same(checked):
    save(MEASURED.astype({"seed": "int32"}), "here")


def test_a_run_without_a_stored_one_is_an_error(checked):
    with pytest.raises(FileNotFoundError):
        save(MEASURED, "elsewhere")
    assert list(contents(checked)) == ["results/here.csv"]


def test_of_timings_the_rows_are_counted(checked):
    save(MEASURED.assign(value=17), "here", stable=False)
    with pytest.raises(AssertionError, match="results/here.csv has 4 rows, this run 3"):
        save(MEASURED[:3], "here", stable=False)


def test_a_run_that_cannot_finish_leaves_the_stored_one(chapter, monkeypatch):
    def full(self, path, **_):
        path.write_text("half")
        raise OSError("no space left")

    save(MEASURED, "here")
    before = contents(chapter)
    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    for name in ("here", "elsewhere"):
        with pytest.raises(OSError, match="no space left"):
            save(MEASURED, name)
    assert contents(chapter) == before and evidence.files["written"] == {"here.csv"}


def test_an_experiment_without_a_name_has_the_chapters(chapter, monkeypatch):
    unnamed = pd.concat([rows({"nll": 0.5}, stand_in()), MEASURED], ignore_index=True)
    save(unnamed, "here")
    assert load("here")["experiment"].tolist() == ["here"] * 4 + ["e"] * 4
    assert unnamed["experiment"].tolist() == [""] * 4 + ["e"] * 4, "the table itself is left alone"
    monkeypatch.setenv("MIXUP_BOOK_CHECK", "1")
    save(unnamed, "here")


@pytest.mark.parametrize("labels", [[[0, -1]], [[0, 3]], [[0.0, 1.0]]])
def test_labels_are_class_ids(labels):
    with pytest.raises(ValueError, match="labels must be class ids from 0 to 2"):
        measures(np.zeros((1, 2, 3)), labels)


@pytest.mark.parametrize("settings", [{"comparisons": 0}, {"held_out": 1}, {"held_out": -0.1}, {"held_out": np.nan}])
def test_an_interval_of_nonsense_is_refused(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        interval([1, 2, 3], **settings)


@pytest.mark.parametrize(("factor", "by", "name"), [("size", (), "factor"), ("alpha", "size", "by")])
def test_an_unknown_column_is_named(factor, by, name):
    table = pd.DataFrame({"alpha": [0, 0, 1, 1], "seed": [0, 1] * 2, "metric": "accuracy", "value": [1.0, 2, 3, 5]})
    with pytest.raises(ValueError, match=f"{name}.*'size'"):
        compare(table, "accuracy", factor, 0, by=by)


def test_a_claim_predicts_more_or_less():
    compared = pd.DataFrame({"effect": [-0.00001], "low": [-0.00004], "high": [0.2], "seeds": [20]})
    with pytest.raises(ValueError, match="sign must be 1 or -1"):
        claim("text", compared, "chapter", sign=0)
    assert str(claim("text", compared, "chapter")["low"]) == "0.0"


RESULTS = pd.DataFrame({"alpha": [0, 0, 1, 1], "seed": [0, 1] * 2, "metric": "nll", "value": [1.0, 2, 3, 5]})
ENDS = pd.DataFrame({"effect": [0.2], "low": [0.1], "high": [0.3], "seeds": 20})
CLAIM = {"claim": "it helps", "verdict": "supported", "effect": 0.3, "low": 0.1, "high": 0.6}
WRONG = [
    (lambda: measures(np.full((1, 2, 3), np.nan), [[0, 1]]), "logits must be finite"),
    (lambda: measures(np.ma.masked_equal(np.ones((1, 2, 3)), 1), [[0, 1]]), "logits is a masked array"),
    (lambda: measures(np.zeros((1, 0, 3)), np.zeros((1, 0), int)), "logits must have shape"),
    (lambda: rows([0.5], stand_in()), "measured must be a dict"),
    (lambda: rows({}, stand_in()), "measured must have at least one measurement"),
    (lambda: rows({"nll": [0.5]}, stand_in()), "measured must have one number for each of 4 seeds at 'nll'"),
    (lambda: rows({"nll": np.zeros((4, 2))}, stand_in()), "measured must have one number for each of 4 seeds at 'nll'"),
    (lambda: rows({"nll": [1j] * 4}, stand_in()), "measured must have one number for each of 4 seeds at 'nll'"),
    (lambda: rows({"nll": 0.5}, stand_in(), seed=5, value=3), "columns: seed, value is what measured and trials give"),
    (lambda: rows({"nll": 0.5}, stand_in(), metric="x"), "columns: metric is what"),
    (lambda: rows({"nll": "a"}, stand_in()), "measured must hold numbers"),
    (lambda: rows({1: 0.5}, stand_in()), "a name in measured must be a string"),
    (lambda: rows({"nll": 0.5}, None), "trials must be Trials"),
    (lambda: scores(None), "trials must be Trials"),
    (lambda: on_test_images(stand_in()), "trials must be a list, got "),
    (lambda: on_test_images([]), "trials must be at least one"),
    (lambda: on_test_images([stand_in()], "nll"), "metrics must be a list of strings"),
    (lambda: on_test_images([stand_in()], []), "metrics must be at least one"),
    (lambda: on_test_images([stand_in()], ["loss"]), "metrics must be one of accuracy, .*'loss'"),
    (lambda: interval(["a", "b"]), "differences must hold numbers"),
    (lambda: interval([1, 2], comparisons=1.5), "comparisons must be an integer"),
    (lambda: interval([1, 2], comparisons=10**17), "comparisons must be .* at most"),
    (lambda: compare([], "nll", "alpha", 0), "results must be a pandas.DataFrame"),
    (lambda: compare(RESULTS.drop(columns="seed"), "nll", "alpha", 0), "results has no column 'seed'"),
    (lambda: compare(RESULTS.assign(value=np.inf), "nll", "alpha", 0), "results.'value'. must be finite"),
    (lambda: compare(RESULTS, "loss", "alpha", 0), "metric 'loss' is not in results"),
    (lambda: compare(RESULTS, 1, "alpha", 0), "metric must be a string"),
    (lambda: compare(RESULTS, "nll", None, 0), "factor must be a string"),
    (lambda: compare(RESULTS, "nll", "alpha", [0]), "baseline"),
    (lambda: compare(RESULTS, "nll", "alpha", 2), "baseline"),
    (lambda: compare(RESULTS, "nll", "alpha", 0, by=3), "by must be a list of strings"),
    (lambda: compare(RESULTS, "nll", "alpha", 0, by="alpha"), "by must name columns other than seed and alpha"),
    (lambda: compare(RESULTS, "nll", "alpha", 0, by=["seed"]), "by must name columns other than seed and alpha"),
    (lambda: compare(RESULTS, "nll", "alpha", 0, by=["metric", "metric"]), "by must name columns .* each once"),
    (lambda: compare(RESULTS, "nll", "alpha", 0, together=None), "together must be one of True, False"),
    (lambda: verdict("a", "b"), "low must hold numbers"),
    (lambda: verdict(0.1, np.inf), "high must be finite"),
    (lambda: claim(None, ENDS, "a"), "text must be a string"),
    (lambda: claim("a", ENDS, None), "chapter must be a string"),
    (lambda: claim("a", ENDS[:0], "a"), "compared has no rows"),
    (lambda: claim("a", ENDS.assign(low="a"), "a"), "compared.'low'. must hold numbers"),
    (lambda: claim("a", ENDS.assign(low=0.4), "a"), "compared has an interval that ends below its beginning"),
    (lambda: claim("a", ENDS, "a", sign="1"), "sign must be a number"),
    (lambda: say(ENDS), "row must be a claim"),
    (lambda: say({}), "row must be a claim, but has no claim, effect, high, low, verdict"),
    (lambda: compare(RESULTS[RESULTS["seed"] == 0], "nll", "alpha", 0), "results must have at least two seeds at nll"),
    (lambda: say(CLAIM, digits=-1), "digits must be at least 0"),
    (lambda: points("0.1", 0, 1), "effect must be a number"),
    (lambda: points(0.1, np.nan, 1), "low must be finite"),
    (lambda: points(0.1, 0.3, 0.2), "low must not be above high, got 0.3 and 0.2"),
    (lambda: points(0.1, 0, 1, 1.0), "digits must be an integer"),
    (lambda: listing(ENDS.drop(columns="seeds")), "compared has no column 'seeds'"),
    (lambda: per_thousand(0.004, -0.002), "low must not be above high"),
    (lambda: per_thousand(0, None), "high must be a number"),
    (lambda: per_thousand(0, 1, what=2), "what must be a string"),
    (lambda: per_thousand(0, 1, done=2), "done must be a string"),
    (lambda: save({}, "a"), "results must be a pandas.DataFrame"),
    (lambda: save(ENDS, None), "name must be a string"),
    (lambda: save(ENDS, "a", stable="no"), "stable must be one of True, False"),
    (lambda: save(ENDS, "../a"), "name must be the name of a file without its folder, got '../a'"),
    (lambda: load(None), "name must be a string"),
    (lambda: load("sub/a"), "name must be the name of a file"),
]


@pytest.mark.parametrize(("asked", "message"), WRONG)
def test_wrong_arguments_are_named(asked, message, chapter):
    with pytest.raises((TypeError, ValueError), match=message):
        asked()
    assert not list(chapter.iterdir())


def test_another_metric_may_lack_a_number():
    other = pd.concat([RESULTS, RESULTS.assign(metric="ece", value=np.nan)])
    pd.testing.assert_frame_equal(compare(other, "nll", "alpha", 0), compare(RESULTS, "nll", "alpha", 0))
