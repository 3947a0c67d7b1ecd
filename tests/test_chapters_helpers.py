"""The data, the model and the figures of the chapters."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from mixup_helpers import data, figures, models


@pytest.fixture(autouse=True)
def no_figure_is_left_open():
    yield
    plt.close("all")


def test_the_split_is_the_sources():
    x_train, x_test, y_train, y_test = data.digits_split()
    digits = load_digits()
    assert x_train.shape == (1437, 8, 8) and x_test.shape == (360, 8, 8)
    assert x_train.min() == 0 and x_train.max() == 1
    assert set(np.unique(y_train)) == {0, 1} and (y_test.sum(1) == 1).all()
    # Every image of the data set is in exactly one half, with its own label.
    images = np.concatenate([x_train, x_test]).reshape(len(digits.images), -1) * 16
    labels = np.concatenate([y_train, y_test]).argmax(1)
    both = np.c_[images, labels]
    expected = np.c_[digits.data, digits.target]
    np.testing.assert_array_equal(both[np.lexsort(both.T)], expected[np.lexsort(expected.T)])


def test_all_digits_are_given_flat_as_the_split_has_them():
    x, y = data.digits()
    assert x.shape == (1797, 64) and y.shape == (1797,) and y.dtype.kind == "i"
    np.testing.assert_array_equal(x.reshape(-1, 8, 8), load_digits().images / 16)
    np.testing.assert_array_equal(y, load_digits().target)


def test_the_model_is_the_sources():
    ours = models.perceptron((8, 8), [64], 10, seed=3)
    keras = models.keras
    keras.utils.set_random_seed(3)
    theirs = keras.Sequential(
        [
            keras.Input((8, 8)),
            keras.layers.Flatten(),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    x = np.random.default_rng(0).random((5, 8, 8))
    np.testing.assert_array_equal(ours(x), theirs(x))
    assert ours.loss == "categorical_crossentropy" and isinstance(ours.optimizer, keras.optimizers.Adam)


WRONG_MODELS = [
    ({"input_shape": 8}, TypeError, "input_shape .*int"),
    ({"input_shape": (8.0,)}, TypeError, "input_shape .*float"),
    ({"hidden": [0]}, ValueError, "hidden .*0"),
    ({"hidden": [10**400]}, ValueError, "hidden .*a huge number"),
    ({"classes": -1}, ValueError, "classes .*-1"),
    ({"seed": 1.5}, TypeError, "seed .*float"),
    ({"seed": True}, TypeError, "seed .*bool"),
    ({"seed": 2**32}, ValueError, "seed .*at most"),
]


@pytest.mark.parametrize(("changes", "error", "message"), WRONG_MODELS)
def test_wrong_models_are_refused_before_a_seed_is_set(changes, error, message):
    np.random.seed(3)
    with pytest.raises(error, match=message):
        models.perceptron(**{"input_shape": (8, 8), "hidden": [4], "classes": 2, "seed": 0} | changes)
    assert np.random.random() == np.random.RandomState(3).random()


def test_show_gives_the_picture_and_its_sentence():
    def draw():
        ax = plt.subplots()[1]
        ax.plot([1, 2, 3])
        return figures.show(ax, "A line.")

    picture = draw()
    assert repr(picture) == "A line."
    assert plt.imread(io.BytesIO(picture._repr_png_())).ndim == 3
    assert b"A line." in picture._repr_png_(), "the guards tell by it whose picture it is"
    assert picture._repr_png_() == draw()._repr_png_(), "the same picture must have the same bytes"
    assert plt.get_fignums() == []


def test_pictures_have_256_colours():
    ax = plt.subplots()[1]
    ax.imshow(np.linspace(0, 1, 1000)[None], cmap="viridis", aspect="auto")
    pixels = plt.imread(io.BytesIO(figures.show(ax, "Many colours.")._repr_png_()))
    assert len(np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0)) == 256


def test_digit_row_shows_every_pixel():
    images = np.random.default_rng(0).random((3, 8, 8))
    strip = figures.digit_row(images, ["a", "b", "c"]).images[0].get_array()
    np.testing.assert_array_equal(np.split(np.c_[strip, np.zeros(8)], 3, axis=1), np.pad(images, [(0, 0), (0, 0), (0, 1)]))


def test_digit_row_is_as_tall_as_its_images_and_names_and_frames_each():
    ax = figures.digit_row(np.zeros((3, 4, 8)), ["a", "b", "c"])
    page = plt.rcParams["figure.figsize"][0]
    assert ax.figure.get_size_inches() == pytest.approx([page, page * 4 / 26 + 0.35])  # three times 8, and two gaps
    assert [text.xy for text in ax.texts] == [(3.5, 3.5), (12.5, 3.5), (21.5, 3.5)]
    assert {text.xyann for text in ax.texts} == {(0, -4)}, "4 points below"
    assert {(text.get_ha(), text.get_va()) for text in ax.texts} == {("center", "top")}
    assert ax.images[0].get_clim() == (0, 1)
    assert ax.get_anchor() == "N"
    assert [frame.get_bbox().extents.tolist() for frame in ax.patches] == [
        [-0.5, -0.5, 7.5, 3.5], [8.5, -0.5, 16.5, 3.5], [17.5, -0.5, 25.5, 3.5],
    ]  # fmt: skip
    assert not any(frame.get_fill() or frame.get_clip_on() for frame in ax.patches), "seen whole, and see-through"


def test_label_bars_stand_above_their_names():
    ax = figures.label_bars([0.7, 0.3, 0], ["a", "b", "c"])
    bars = [(bar.get_x() + bar.get_width() / 2, bar.get_width(), bar.get_height()) for bar in ax.patches]
    np.testing.assert_allclose(bars, [(0, 0.5, 0.7), (1, 0.5, 0.3), (2, 0.5, 0)])
    assert ax.get_xlim() == pytest.approx((-0.6, 2.6)) and ax.get_ylim() == (0, 1)
    assert ax.get_xticks().tolist() == [0, 1, 2] and ax.get_yticks().tolist() == [0, 1]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "b", "c"]
    assert figures.label_bars([1, -0.001], ["a", "b"], ax=ax) is ax  # what a rounding may leave


def test_without_captions_there_is_no_room_for_them():
    width, height = figures.digit_row(np.zeros((2, 8, 8))).figure.get_size_inches()
    assert height == pytest.approx(width * 8 / 17 + 0.15)


@pytest.mark.parametrize("n", [2, 8])
@pytest.mark.parametrize("captions", ["a", "a\nb", "a\nb\nc"], ids=["one line", "two lines", "three"])
def test_captions_have_room_and_no_more(n, captions):
    ax = figures.digit_row(np.zeros((n, 8, 8)), ["x"] * (n - 1) + [captions])
    ax.figure.draw_without_rendering()
    lowest = min(text.get_window_extent().y0 for text in ax.texts) / ax.figure.dpi
    assert 0.02 < lowest < 0.2


def test_helpers_draw_where_they_are_told():
    ax = plt.subplots()[1]
    assert figures.digit_row(np.zeros((1, 8, 8)), ax=ax) is ax
    assert figures.label_bars([0.2, 0.8], ["a", "b"], ax=ax) is ax
    assert figures.confidence_map(lambda p: np.zeros(len(p)), [[0, 0], [1, 1]], [0, 1], ax=ax) is ax
    assert len(plt.get_fignums()) == 1


def test_confidence_map_draws_the_models_answers():
    points, classes = np.array([[-1.0, 0.0], [2.0, 1.0]]), [0, 1]
    image = figures.confidence_map(lambda p: 1 / (1 + np.exp(-p[:, 0])), points, classes).images[0]
    left, right, bottom, top = image.get_extent()
    assert (left, right, bottom, top) == (-1.5, 2.5, -0.5, 1.5)
    p = image.get_array()
    across = np.linspace(left, right, p.shape[1])
    np.testing.assert_allclose(p[0], 1 / (1 + np.exp(-across)))
    np.testing.assert_allclose(p[0], p[-1])


def test_confidence_map_shows_every_point_and_the_boundary():
    points, classes = np.array([[-1.0, 0.0], [2.0, 1.0], [0.5, 5.0]]), np.array([0, 1, 0])
    ax = figures.confidence_map(lambda p: 1 / (1 + np.exp(-p[:, 0] - 2 * p[:, 1])), points, classes)
    image = ax.images[0]
    left, right, bottom, top = image.get_extent()
    across, up = np.meshgrid(np.linspace(left, right, 120), np.linspace(bottom, top, 120))
    np.testing.assert_allclose(image.get_array(), 1 / (1 + np.exp(-across - 2 * up)))
    assert image.get_clim() == (0, 1) and image.origin == "lower"
    boundary, *drawn = ax.collections
    assert boundary.levels.tolist() == [0.5] and boundary.get_linewidths().tolist() == [2]
    assert [one.get_offsets().tolist() for one in drawn] == [points[[0, 2]].tolist(), points[[1]].tolist()]
    assert [one.get_sizes().tolist() for one in drawn] == [[28], [28]]
    assert ax.get_xticks().size == ax.get_yticks().size == 0


COMPARED = pd.DataFrame(
    [(0.02, 0.01, 0.03), (-0.03, -0.05, -0.02), (0.01, -0.01, 0.03), (0.0, 0.0, 0.0)], columns=["effect", "low", "high"]
)


def test_intervals_lie_where_the_numbers_say():
    ax = figures.intervals(COMPARED, ["a", "b", "c", "d"])
    zero, *drawn = ax.lines
    assert set(zero.get_xdata()) == {0}
    for row, (line, point) in enumerate(zip(drawn[::2], drawn[1::2], strict=True)):
        np.testing.assert_allclose(line.get_xdata(), COMPARED.loc[row, ["low", "high"]].to_numpy() * 100)
        assert [*line.get_ydata(), *point.get_ydata()] == [row] * 3
        assert line.get_solid_capstyle() == "butt", "other ends reach beyond the interval"
        assert point.get_xdata()[0] == pytest.approx(COMPARED.loc[row, "effect"] * 100)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b", "c", "d"]
    assert ax.get_yticks().tolist() == [0, 1, 2, 3]
    assert ax.get_ylim() == (3.5, -0.5), "the first is on top, and all are seen"
    assert ax.figure.get_size_inches() == pytest.approx([plt.rcParams["figure.figsize"][0], 0.32 * 4 + 1])
    assert zero.get_linewidth() == 1


def test_only_intervals_without_zero_are_filled():
    points = figures.intervals(COMPARED, list("abcd")).lines[2::2]
    assert [point.get_markerfacecolor() == point.get_color() for point in points] == [True, True, False, False]
    points = figures.intervals(COMPARED / 1000, list("abcd")).lines[2::2]  # and small ones
    assert [point.get_markerfacecolor() == point.get_color() for point in points] == [True, True, False, False]


def test_intervals_are_drawn_in_points_where_they_are_told():
    ax = plt.subplots()[1]
    assert figures.intervals(COMPARED, list("abcd"), ax=ax) is ax and len(plt.get_fignums()) == 1
    np.testing.assert_allclose(ax.lines[1].get_xdata(), [1, 3])


def test_every_interval_has_a_name():
    compared = pd.DataFrame({"effect": [0.1, 0.2], "low": [0.0, 0.1], "high": [0.2, 0.3]})
    with pytest.raises(ValueError, match="names must be as many"):
        figures.intervals(compared, ["one"])


IMAGES = np.zeros((2, 8, 8))
PLANE = {"predict": lambda points: points[:, 0], "x": [[0, 0], [1, 1]], "classes": [0, 1]}
WRONG_FIGURES = [
    (figures.digit_row, {"images": IMAGES[0]}, ValueError, "images must have shape"),
    (figures.digit_row, {"images": np.full((1, 8, 8), np.nan)}, ValueError, "images must be finite"),
    (figures.digit_row, {"images": np.ma.masked_equal(IMAGES, 0)}, TypeError, "images is a masked array"),
    (figures.digit_row, {"images": IMAGES, "captions": ["a"]}, ValueError, "captions .* 1 for 2"),
    (figures.digit_row, {"images": IMAGES, "captions": "ab"}, TypeError, "captions .*str"),
    (figures.digit_row, {"images": IMAGES, "ax": 0}, TypeError, "ax .*int"),
    (figures.label_bars, {"label": [0.5, 1.5], "names": ["a", "b"]}, ValueError, "label .*from 0 to 1"),
    (figures.label_bars, {"label": [0.5, -0.5], "names": ["a", "b"]}, ValueError, "label .*from 0 to 1"),
    (figures.label_bars, {"label": [[0.5, 0.5]], "names": ["a"]}, ValueError, "label .*a row"),
    (figures.label_bars, {"label": [0.5, 0.5], "names": ["a"]}, ValueError, "names .*1 for 2"),
    (figures.label_bars, {"label": [0.5, 0.5], "names": ["a", 1]}, TypeError, "names .*int"),
    (figures.confidence_map, PLANE | {"predict": 1}, TypeError, "predict must be callable"),
    (figures.confidence_map, PLANE | {"predict": lambda points: points}, ValueError, "predict must return a number"),
    (figures.confidence_map, PLANE | {"predict": lambda points: 1.1 + 0 * points[:, 0]}, ValueError, "from 0 to 1"),
    (figures.confidence_map, PLANE | {"predict": lambda points: -0.1 + 0 * points[:, 0]}, ValueError, "from 0 to 1"),
    (figures.confidence_map, PLANE | {"x": [0, 1]}, ValueError, r"x must have shape \(n, 2\)"),
    (figures.confidence_map, PLANE | {"classes": [0, 2]}, ValueError, "classes must be 0 or 1"),
    (figures.confidence_map, PLANE | {"classes": [0]}, ValueError, "classes .*2 rows"),
    (figures.intervals, {"compared": None, "names": []}, TypeError, "compared must be a pandas.DataFrame"),
    (figures.intervals, {"compared": COMPARED[:0], "names": []}, ValueError, "compared has no rows"),
    (figures.intervals, {"compared": COMPARED[["low", "high"]], "names": []}, ValueError, "compared .*'effect'"),
    (figures.intervals, {"compared": COMPARED / 0, "names": []}, ValueError, "compared.* must be finite"),
    (figures.show, {"ax": 0, "sentence": "a"}, TypeError, "ax must"),
    (figures.Picture, {"png": "", "sentence": "a"}, TypeError, "png"),
    (figures.Picture, {"png": b"", "sentence": b"a"}, TypeError, "sentence"),
]


@pytest.mark.parametrize(("draw", "arguments", "error", "message"), WRONG_FIGURES)
def test_wrong_figures_are_refused_before_one_is_opened(draw, arguments, error, message):
    with pytest.raises(error, match=message):
        draw(**arguments)
    assert not plt.get_fignums()


def test_the_split_is_the_one_of_random_state_42():
    digits, (x_train, x_test, _, y_test) = load_digits(), data.digits_split()
    trained, tested = train_test_split(np.arange(1797), test_size=360, random_state=42)
    np.testing.assert_array_equal(x_train * 16, digits.images[trained])
    np.testing.assert_array_equal(x_test * 16, digits.images[tested])
    np.testing.assert_array_equal(y_test, digits.target[tested, None] == np.arange(10))
