"""The book's pictures: each helper draws data on an Axes, `show` puts it on the page."""

import io

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mixup_helpers._arguments import as_finite, as_function, as_table, as_text, as_texts

plt.style.use(["default", "mixup_helpers.book"])  # whatever the reader's own settings are

# The same method has the same colour and line in every chapter.
PLAIN = {"color": "#0072B2", "linestyle": "-", "label": "without MixUp"}
MIXUP = {"color": "#D55E00", "linestyle": "--", "label": "with MixUp"}
CLASSES = ("#009E73", "#AA4499")
# Tints of the class colours, so that the points stay visible where the model is sure.
CONFIDENCE = LinearSegmentedColormap.from_list("confidence", ("#86CFB6", "white", "#DDA6D2"))


class Picture:
    """A finished figure: a PNG for those who see it, a sentence for everyone.

    Jupyter shows the PNG. The sentence is the object's text: nbval compares it,
    and the page uses it as the alt text and the caption.

    Parameters
    ----------
    png : bytes
        The picture.
    sentence : str
        What it shows.

    Examples
    --------
    >>> Picture(b"", "Nothing is drawn.")
    Nothing is drawn.
    """

    def __init__(self, png, sentence):
        if not isinstance(png, bytes):
            raise TypeError(f"png must be bytes, got {type(png).__name__}")
        self.png, self.sentence = png, as_text(sentence, "sentence")

    def _repr_png_(self):
        return self.png

    def __repr__(self):
        return self.sentence


def show(ax, sentence):
    """Close the figure of `ax` and return it as a `Picture` for the cell to display.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Any Axes of the figure.
    sentence : str
        What the picture shows, with numbers computed from the plotted data.

    Returns
    -------
    Picture

    Raises
    ------
    TypeError
        If an argument is of the wrong type.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> _, ax = plt.subplots()
    >>> _ = ax.plot([0, 1], [0, 1])
    >>> show(ax, "A line rises from 0 to 1.")
    A line rises from 0 to 1.
    """
    if not isinstance(ax, plt.Axes):
        raise TypeError(f"ax must be a matplotlib.axes.Axes, got {type(ax).__name__}")
    as_text(sentence, "sentence")
    png = io.BytesIO()
    ax.figure.savefig(png, format="png")
    plt.close(ax.figure)
    return Picture(_light(png, sentence), sentence)


def _light(png, sentence):
    """The PNG in 256 colours: a third of the bytes, and no colour off by more than an eye can see."""
    picture, light = Image.open(png).convert("RGB"), io.BytesIO()
    # No metadata but the sentence, which ties the picture to it: what matplotlib's version writes there would change
    # the bytes of the same picture.
    about = PngInfo()
    about.add_itxt("Description", sentence)
    picture.quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=2).save(light, "PNG", optimize=True, pnginfo=about)
    return light.getvalue()


def digit_row(images, captions=None, ax=None):
    """Draw images side by side, each with an optional caption below it.

    Parameters
    ----------
    images : array_like, shape (n, height, width)
        Grey values from 0 (white) to 1 (black).
    captions : list of str, optional
        One for each image.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or shape, or an image is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> ax = digit_row(np.zeros((3, 8, 8)), ["a", "b", "c"])
    >>> [text.get_text() for text in ax.texts]
    ['a', 'b', 'c']
    >>> plt.close(ax.figure)
    """
    images = as_finite(images, "images")
    if images.ndim != 3 or not images.size:
        raise ValueError(f"images must have shape (n, height, width), got {images.shape}")
    n, height, width = images.shape
    captions = [] if captions is None else as_texts(captions, "captions")
    if captions and len(captions) != n:
        raise ValueError(f"captions must be as many as images, got {len(captions)} for {n}")
    gap = 1
    strip = np.zeros((height, n * (width + gap) - gap))
    page = plt.rcParams["figure.figsize"][0]
    lines = max((caption.count("\n") + 1 for caption in captions), default=0)
    # As tall as the strip, with room in inches for the captions.
    ax = _axes(ax, figsize=(page, page * height / strip.shape[1] + 0.15 + 0.2 * lines))
    for i, image in enumerate(images):
        left = i * (width + gap)
        strip[:, left : left + width] = image
        # A light image would not show where it ends.
        ax.add_patch(plt.Rectangle((left - 0.5, -0.5), width, height, fill=False, edgecolor="0.7", clip_on=False))
    ax.imshow(strip, vmin=0, vmax=1)
    for i, caption in enumerate(captions):
        below = (i * (width + gap) + (width - 1) / 2, height - 0.5)
        ax.annotate(caption, below, (0, -4), textcoords="offset points", ha="center", va="top")
    ax.axis("off")
    ax.set_anchor("N")  # the room that is left is for the captions
    return ax


def label_bars(label, names, ax=None):
    """Draw a label, or a model's answer, as one bar for each class.

    Parameters
    ----------
    label : array_like, shape (classes,)
        Weights or probabilities from 0 to 1.
    names : list of str
        What stands below the bars, one for each class.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or shape, or a weight is outside 0 to 1.

    Examples
    --------
    >>> ax = label_bars([0.7, 0.3], ["3", "7"])
    >>> [round(float(bar.get_height()), 1) for bar in ax.patches]
    [0.7, 0.3]
    >>> plt.close(ax.figure)
    """
    label, names = as_finite(label, "label"), as_texts(names, "names")
    if label.ndim != 1 or np.abs(label - 0.5).max() > 0.501:  # answers may be off by a rounding error
        raise ValueError(f"label must be a row of numbers from 0 to 1, got {label}")
    if len(names) != len(label):
        raise ValueError(f"names must be as many as label has numbers, got {len(names)} for {len(label)}")
    ax = _axes(ax)
    ax.bar(range(len(label)), label, width=0.5, color="black")
    ax.set(xlim=(-0.6, len(label) - 0.4), ylim=(0, 1), yticks=[0, 1], xlabel="class")
    ax.set_xticks(range(len(label)), names)
    return ax


def confidence_map(predict, x, classes, ax=None):
    """Draw what a two-class model answers on the plane around two-dimensional data.

    Parameters
    ----------
    predict : callable
        Takes points, shape (m, 2), and returns the probability of class 1, shape (m,).
    x : array_like, shape (n, 2)
        The data.
    classes : array_like, shape (n,)
        Their classes, 0 or 1.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Green where the model is sure of class 0, purple where it is sure of
        class 1, white where it is undecided; the boundary is the black line.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or shape, or `predict` returns something else.

    Examples
    --------
    >>> import numpy as np
    >>> ax = confidence_map(lambda p: (p[:, 0] > 0).astype(float), [[-1, 0], [1, 1]], [0, 1])
    >>> plt.close(ax.figure)
    """
    as_function(predict, "predict")
    x, classes = as_finite(x, "x").astype(float), as_finite(classes, "classes")
    if x.ndim != 2 or x.shape[1] != 2:
        raise ValueError(f"x must have shape (n, 2), got {x.shape}")
    if classes.shape != x.shape[:1] or not ((classes == 0) | (classes == 1)).all():
        raise ValueError(f"classes must be 0 or 1 for each of the {len(x)} rows of x, got shape {classes.shape}")
    low, high = x.min(0) - 0.5, x.max(0) + 0.5
    first, second = np.meshgrid(np.linspace(low[0], high[0], 120), np.linspace(low[1], high[1], 120))
    p = as_finite(predict(np.c_[first.ravel(), second.ravel()]), "predict's result")
    if p.shape != (first.size,) or np.abs(p - 0.5).max() > 0.501:  # answers may be off by a rounding error
        raise ValueError(f"predict must return a number from 0 to 1 for each of {first.size} points, got shape {p.shape}")
    p, ax = p.reshape(first.shape), _axes(ax)
    ax.imshow(
        p, vmin=0, vmax=1, cmap=CONFIDENCE, origin="lower", aspect="auto",
        extent=(low[0], high[0], low[1], high[1]), interpolation="bilinear",
    )  # fmt: skip
    ax.contour(first, second, p, levels=[0.5], colors="black", linewidths=2)
    for c, marker in enumerate("os"):
        ax.scatter(*x[classes == c].T, marker=marker, color=CLASSES[c], edgecolor="white", s=28)
    ax.set(xticks=[], yticks=[])
    return ax


def intervals(compared, names, ax=None):
    """Draw effects with their intervals, one below the other, beside the line of no difference.

    Parameters
    ----------
    compared : pandas.DataFrame
        With columns ``effect``, ``low`` and ``high``, as `mixup_helpers.evidence.compare` gives it.
    names : list of str
        What stands beside each.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default, as tall as there are rows.

    Returns
    -------
    matplotlib.axes.Axes
        In points. Filled where the interval excludes zero, hollow where it does not.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type, `compared` has no rows or lacks a column, or there
        are more or fewer `names` than rows.

    Examples
    --------
    >>> import pandas as pd
    >>> ax = intervals(pd.DataFrame({"effect": [0.01], "low": [-0.01], "high": [0.03]}), ["MixUp"])
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['MixUp']
    >>> plt.close(ax.figure)
    """
    as_table(compared, "compared", numbers=("effect", "low", "high"))
    names = as_texts(names, "names")
    if len(names) != len(compared):
        raise ValueError(f"names must be as many as there are rows, got {len(names)} for {len(compared)}")
    ax = _axes(ax, figsize=(plt.rcParams["figure.figsize"][0], 0.32 * len(names) + 1))
    ax.axvline(0, color="black", linewidth=1)
    for row, (effect, low, high) in enumerate(100 * compared[["effect", "low", "high"]].to_numpy()):
        color = MIXUP["color"]
        # Butt ends, or a line would reach beyond its interval, and over zero.
        ax.plot([low, high], [row, row], color=color, linestyle="-", solid_capstyle="butt")
        ax.plot(effect, row, "o", color=color, markerfacecolor=color if low > 0 or high < 0 else "white")
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    return ax


def _axes(ax, **figure):
    """`ax`, or the Axes of a new figure."""
    if ax is None:
        return plt.subplots(**figure)[1]
    if not isinstance(ax, plt.Axes):
        raise TypeError(f"ax must be a matplotlib.axes.Axes, got {type(ax).__name__}")
    return ax
