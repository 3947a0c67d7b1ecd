"""The figures that move, in their first state; tests/browser/test_sliders.py moves them."""

import base64
import html
import json
import re

import notebooks
import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from mixup_helpers import data, models, moving

IMAGES = data.digits()[0].reshape(-1, 8, 8)
FIRST, SECOND = IMAGES[:10], IMAGES[10:20]
ALPHAS = [0.1, 1, 8]


def weights(seed, hidden=5):
    return np.random.default_rng(seed).normal(size=75 * hidden + 10).round(3)


def lam_slider(**changes):
    arguments = {"first": FIRST, "second": SECOND, "plain": weights(0), "mixup": weights(1)}
    return moving.lam_slider(**arguments | changes)


def alpha_slider(**changes):
    arguments = {"first": FIRST, "second": SECOND, "alphas": ALPHAS, "rng": np.random.default_rng(0), "start": 1}
    return moving.alpha_slider(**arguments | changes)


def counts(epochs=3, n=100):
    rng = np.random.default_rng(0)
    rows = []
    for alpha in (0, 0.2):
        for epoch in range(1, epochs + 1):
            sure, right = rng.uniform(0.1, 1, n), rng.random(n) < 0.8
            for b in range(10):
                here = np.floor(10 * sure) == b
                rows.append((alpha, epoch, b, np.sum(here & right), np.sum(here & ~right), sure[here].sum()))
    return pd.DataFrame(rows, columns=["alpha", "epoch", "bin", "right", "wrong", "sure"])


FIGURES = {"lam": lam_slider, "alpha": alpha_slider, "epoch": lambda: moving.epoch_slider(counts())}


def part(page, name):
    return re.search(rf'<path data-part="{name}"[^>]* d="([^"]*)"', page).group(1)


def bars(d):
    """{left end: (base, height)} of every bar of a path."""
    found = re.findall(r"M([\d.]+) ([\d.]+)v-([\d.]+)h[\d.]+v\3z", d)
    assert "".join(re.findall(r"M[^M]*", d)) == d and len(found) == d.count("M")
    return {float(x): (float(base), float(height)) for x, base, height in found}


def grey(ink):
    """The image of 8 by 8 that paths of equal grey draw."""
    image = np.zeros((8, 8))
    for opacity, d in re.findall(r'stroke-opacity="([\d.]+)" d="([^"]*)"', ink):
        for column, row in re.findall(r"M(\d) (\d)h1", d):
            assert image[int(row), int(column)] == 0, "every pixel is drawn once"
            image[int(row), int(column)] = float(opacity)
    return image


def ink(page, name):
    return grey(re.search(rf'data-part="{name}">(.*?)</g>', page).group(1))


def carried(page):
    return json.loads(re.search(r"parentElement,(\{.*\})\)</script></figure>$", page).group(1))


@pytest.mark.parametrize("make", FIGURES.values(), ids=FIGURES)
def test_a_figure_is_whole_before_any_script_runs(make):
    figure = make()
    page = figure._repr_html_()
    assert list(notebooks.moving_faults({"text/html": page, "text/plain": repr(figure)})) == []
    assert f'role="img" aria-label="{html.escape(repr(figure))}"' in page
    assert "<form autocomplete=\"off\" hidden>" in page, "controls that do nothing are not shown"
    assert page == make()._repr_html_(), "nbval compares every byte"
    assert not re.search(r"\bid=", page), "JupyterLab may show a figure twice"


def test_answers_are_those_of_keras():
    model, rng = models.perceptron((8, 8), [7], 10, seed=1), np.random.default_rng(1)
    model.set_weights([rng.normal(size=values.shape) for values in model.get_weights()])  # biases too, which start at 0
    flat = np.concatenate([values.ravel() for values in model.get_weights()])
    np.testing.assert_allclose(moving.answers(flat, FIRST), model(FIRST).numpy(), atol=1e-5)
    np.testing.assert_allclose(moving.answers(1000 * flat, FIRST).sum(axis=1), 1)


def test_answers_are_given_at_the_bounds_of_what_is_allowed():
    assert moving.answers(np.full(85, 1e99), np.zeros((1, 8, 8))).tolist() == [[0.1] * 10]
    assert moving.answers(np.zeros(85), np.full((1, 8, 8), -0.001)).round(9).tolist() == [[0.1] * 10]


def test_answers_of_a_wide_network():
    hidden = np.random.default_rng(0).integers(-9, 9, (80, 75)) / 8
    kernel, bias, kernel2 = hidden[:, :64].T, hidden[:, 64], hidden[:, 65:]
    logits = np.maximum(FIRST.reshape(10, 64) @ kernel + bias, 0) @ kernel2
    flat = np.concatenate([kernel.ravel(), bias, kernel2.ravel(), np.zeros(10)])
    np.testing.assert_allclose(moving.answers(flat, FIRST), special.softmax(logits, axis=1), atol=1e-12)


@pytest.mark.parametrize(("lam", "pair"), [(0.7, (3, 7)), (0, (0, 9)), (1, (1, 2)), (0.26, (5, 5))])
def test_the_lam_slider_draws_the_blend_its_label_and_both_answers(lam, pair):
    a, b = pair
    figure = lam_slider(lam=lam, pair=pair)
    page, image = figure._repr_html_(), lam * FIRST[a] + (1 - lam) * SECOND[b]
    np.testing.assert_allclose(ink(page, "image"), image, atol=0.0051)
    label = lam * np.eye(10)[a] + (1 - lam) * np.eye(10)[b]
    networks = {"plain": weights(0), "mixup": weights(1)}
    shown = {"label": label, **{name: moving.answers(networks[name], image[None])[0] for name in networks}}
    for name, values in shown.items():
        drawn = bars(part(page, name))
        heights = [drawn.get(14 + 13 * i, (92, 0)) for i in range(10)]
        np.testing.assert_allclose(heights, [(92, 84 * value) for value in values], atol=0.051)
    assert f'value="{round(50 * lam)}" aria-label="lam" aria-valuetext="lam {lam:.2f}"' in page
    for name, chosen in zip(("first", "second"), pair):
        assert re.findall(rf'name="{name}" value="(\d)" aria-label="\d" checked', page) == [str(chosen)]
    for value in shown.values():
        assert f"{value[a]:.2f}" in repr(figure) and f"{value[b]:.2f}" in repr(figure)


def test_the_page_carries_the_networks_and_the_images():
    data = carried(lam_slider()._repr_html_())
    for text, expected in zip(data["networks"], (weights(0), weights(1)), strict=True):
        np.testing.assert_array_equal(np.frombuffer(base64.b64decode(text), "<i2"), np.rint(1000 * expected))
    for name, expected in [("first", FIRST), ("second", SECOND)]:
        letters = np.array([[ord(letter) - 97 for letter in image] for image in data[name]])
        np.testing.assert_array_equal(letters.reshape(-1, 8, 8), 16 * expected)


def test_the_largest_weight_that_a_page_carries():
    page = lam_slider(plain=np.full(85, 32.767), mixup=np.full(85, -32.767))._repr_html_()
    carry = [np.frombuffer(base64.b64decode(text), "<i2") for text in carried(page)["networks"]]
    np.testing.assert_array_equal(carry, [[32767] * 85, [-32767] * 85])


def test_the_alpha_slider_draws_the_draws():
    data = carried(alpha_slider()._repr_html_())
    quantiles = np.random.default_rng(0).uniform(size=2000)
    assert [state["value"] for state in data["states"]] == ["0.1", "1", "8"]
    for alpha, state in zip(ALPHAS, data["states"]):
        lam = stats.beta(alpha, alpha).ppf(quantiles)
        drawn = bars(state["parts"]["ends"]) | bars(state["parts"]["middle"])
        expected = np.minimum(np.histogram(lam, 20, (0, 1), density=True)[0], 4) * 25
        np.testing.assert_allclose([drawn.get(20 + 14 * i, (110, 0))[1] for i in range(20)], expected, atol=0.051)
        assert set(bars(state["parts"]["ends"])) <= {20, 34, 272, 286}
        points = np.array([point.split() for point in state["parts"]["density"][1:].split("L")], dtype=float)
        density = stats.beta(alpha, alpha).pdf(np.linspace(0.005, 0.995, 100))
        np.testing.assert_allclose(points[:, 1], 110 - 25 * np.minimum(density, 4), atol=0.051)
        np.testing.assert_allclose(state["blends"], lam[:10], atol=0.00051)
        near = [2 * stats.beta(alpha, alpha).cdf(0.1), np.mean(np.abs(lam - 0.5) > 0.4)]
        assert re.findall(r"(\d+)%", state["sentence"]) == [f"{100 * share:.0f}" for share in near]


def test_the_alpha_slider_mixes_the_pairs_at_the_weights_below_them():
    page = alpha_slider()._repr_html_()
    blends = np.array(carried(page)["states"][1]["blends"])
    for i, lam in enumerate(blends):
        np.testing.assert_allclose(ink(page, f"image{i}"), lam * FIRST[i] + (1 - lam) * SECOND[i], atol=0.0051)
        assert f'data-part="lam{i}">{lam:.2f}<' in page


def widths(page):
    return {float(width) for width in re.findall(r"h([\d.]+)v", page.split("<script>")[0])}


def test_a_number_stands_below_the_middle_of_each_bar():
    found = re.findall(r'<text x="([\d.]+)" y="107" text-anchor="middle">(\d+)<', lam_slider()._repr_html_())
    np.testing.assert_allclose(np.array(found, dtype=float).reshape(3, 10, 2), [[(18.5 + 13 * i, i) for i in range(10)]] * 3)


def test_bars_have_room_between_them_and_stand_on_one_line():
    # An image of 8 pixels, and bars of 9 in 13, or 13 in 14.
    assert widths(lam_slider()._repr_html_()) == {8, 9}
    assert widths(moving.epoch_slider(counts())._repr_html_()) == {13}
    page = alpha_slider(start=0.1)._repr_html_()
    assert widths(page) == {8, 13}
    ends, middle = (bars(part(page, name)) for name in ("ends", "middle"))
    assert set(ends) == {20, 34, 272, 286} and not set(middle) & set(ends)  # a tenth at either end
    assert {base for base, _ in [*ends.values(), *middle.values()]} == {110}


def test_the_slider_has_a_place_for_each_state():
    pages = [figure._repr_html_() for figure in (lam_slider(), alpha_slider(), moving.epoch_slider(counts()))]
    places = [re.search(r'max="(\d+)" value="(\d+)"', page).groups() for page in pages]
    assert places == [("50", "35"), ("2", "1"), ("2", "2")]
    assert [re.search(r"<output>([^<]*)", page).group(1) for page in pages] == ["0.70", "1", "3"]


def test_the_alpha_slider_starts_at_the_sources_alpha_and_takes_the_largest():
    assert "0.2" in repr(moving.alpha_slider(FIRST, SECOND, [0.1, 0.2, 1e300], np.random.default_rng(0)))


def test_one_image_can_be_counted_and_less_than_none_can_not():
    moving.epoch_slider(counts(n=1))
    table = counts()
    table.loc[0, "sure"] = -0.5
    with pytest.raises(ValueError, match="counts"):
        moving.epoch_slider(table)


def test_the_epoch_slider_draws_the_counts():
    table = counts()
    shuffled = table.sample(frac=1, random_state=0)
    page = moving.epoch_slider(shuffled)._repr_html_()
    assert page == moving.epoch_slider(table)._repr_html_()
    for epoch, state in enumerate(carried(page)["states"], 1):
        said = []
        for name, alpha in [("plain", 0), ("mixup", 0.2)]:
            rows = table[(table["alpha"] == alpha) & (table["epoch"] == epoch)]
            right, wrong = rows["right"].to_numpy(), rows["wrong"].to_numpy()
            low, top = bars(state["parts"][f"{name}-right"]), bars(state["parts"][f"{name}-wrong"])
            for i in range(10):
                assert low.get(32 + 14 * i, (110, 0)) == pytest.approx((110, right[i]), abs=0.051)
                assert top.get(32 + 14 * i, (110 - right[i], 0)) == pytest.approx((110 - right[i], wrong[i]), abs=0.051)
            for line, value in [("accuracy", right.sum() / 100), ("sure", rows["sure"].sum() / 100)]:
                x = float(re.match(r"M([\d.]+) ", state["parts"][f"{name}-{line}"]).group(1))
                assert x == pytest.approx(32 + 140 * value, abs=0.051)
            said += [f"{right.sum()}", f"{rows['sure'].sum() / 100:.2f}"]
        assert all(number in state["sentence"] for number in said)
    assert repr(moving.epoch_slider(table)).startswith("After epoch 3,")
    dashes = dict(re.findall(r'data-part="([\w-]+)" class="line"[^>]* stroke-dasharray="(\w+)"', page))
    assert dashes == {"plain-accuracy": "none", "plain-sure": "4", "mixup-accuracy": "none", "mixup-sure": "4"}


WRONG = [
    (lam_slider, {"first": FIRST[:9]}, "first must be an image of each"),
    (lam_slider, {"second": SECOND.reshape(10, 64)}, "second must have shape"),
    (lam_slider, {"first": FIRST / 3}, "first must be grey values"),
    (lam_slider, {"second": 2 * SECOND}, "second must be grey values"),
    *[(lam_slider, {"plain": np.zeros(n)}, "plain must be 75") for n in (10, 84, 86, 159)],
    (lam_slider, {"mixup": np.full(85, np.nan)}, "mixup must be finite"),
    (lam_slider, {"mixup": np.full(85, 32.768)}, "mixup must lie between"),
    (lam_slider, {"mixup": np.zeros((1, 85))}, "mixup must be 75"),
    (lam_slider, {"lam": 1.1}, "lam must be in"),
    (lam_slider, {"lam": True}, "lam must be a number"),
    (lam_slider, {"pair": (3, 10)}, "pair must be"),
    (alpha_slider, {"first": FIRST[:9]}, "first and second must be as many"),
    (alpha_slider, {"alphas": [0, 1]}, "alphas must be finite, 1e-300 or more"),
    (alpha_slider, {"alphas": []}, "alphas must be a list"),
    (alpha_slider, {"alphas": ["1"]}, "alphas must be a number"),
    (alpha_slider, {"start": 0.3}, "hold start"),
    (alpha_slider, {"draws": 9}, "draws must be at least"),
    (alpha_slider, {"draws": 10.5}, "draws must be an integer"),
    (alpha_slider, {"draws": 10**9}, "draws must be .* at most"),
    (alpha_slider, {"alphas": [1, 1e301]}, "alphas must be at most 1e300"),
    (alpha_slider, {"start": "1"}, "start must be a number"),
    (alpha_slider, {"start": np.nan}, "start must be finite, got nan"),
    (alpha_slider, {"rng": 0.5}, "rng must be"),
    (lam_slider, {"pair": 37}, "pair must be two classes"),
    (lam_slider, {"pair": (3.0, 7)}, "pair must be an integer"),
    (lam_slider, {"first": np.ma.masked_equal(FIRST, 0)}, "first is a masked array"),
    (lam_slider, {"plain": None}, "plain must hold numbers"),
    (moving.answers, {"weights": np.zeros(85), "images": np.zeros(64)}, "images must have shape"),
    (moving.answers, {"weights": np.zeros(85), "images": np.zeros((1, 64))}, "images must have shape"),
    (moving.answers, {"weights": np.zeros(85), "images": np.full((1, 8, 8), 1.4)}, "images .*from 0 to 1"),
    (moving.answers, {"weights": np.full(85, 1e200), "images": np.ones((1, 8, 8))}, "weights .*1e99"),
    (moving.epoch_slider, {"counts": []}, "counts must be a pandas.DataFrame"),
]


@pytest.mark.parametrize(("make", "changes", "message"), WRONG)
def test_wrong_arguments_are_named(make, changes, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make(**changes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.drop(columns="sure"), "no column 'sure'"),
        (lambda table: table[1:], "one row for each"),
        (lambda table: pd.concat([table[1:], table[-1:]]), "one row for each"),
        (lambda table: table[table["alpha"] == 0], "one row for each"),
        (lambda table: table.assign(alpha=table["alpha"] + 1), "one row for each"),
        (lambda table: table.assign(epoch=table["epoch"] - 1), "one row for each"),
        (lambda table: table.assign(right=table["right"] + table["epoch"]), "add up to the same number"),
        (lambda table: table.assign(right=0, wrong=0), "add up to the same number"),
        (lambda table: table.assign(right=table["right"] + 100, wrong=table["wrong"] - 100), "add up to the same number"),
        (lambda table: table.assign(bin=2 * table["bin"]), "each bin from 0"),
        (lambda table: table.assign(sure=table["right"] + table["wrong"] + 0.01), "sure of counts must be a sum of confidences"),
        (lambda table: table.assign(sure=np.nan), "counts.'sure'. must be finite"),
    ],
)
def test_counts_that_are_not_whole_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        moving.epoch_slider(change(counts()))


def test_the_script_reaches_for_nothing_and_has_no_comment():
    assert not notebooks.OUTSIDE.search(moving.SCRIPT) and "//" not in moving.SCRIPT and "<script" not in moving.SCRIPT
