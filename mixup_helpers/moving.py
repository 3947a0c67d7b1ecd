"""Figures that move in the page itself: HTML with a small script, without a kernel, a network or a library."""

import base64
import html
import json
import re
from pathlib import Path

import numpy as np
from scipy import stats

from mixup_helpers import figures
from mixup_helpers._arguments import as_finite, as_int, as_number, as_table
from mixup_helpers.mixing import _check_lam, _check_rng

STEPS = 50  # of lam, from 0 to 1
# Without its comments, which the page can do without.
SCRIPT = re.sub(r"(?m)\s*//.*$", "", Path(__file__).with_suffix(".js").read_text(encoding="utf-8")).strip()

_STYLE = """\
.moving{container-type:inline-size;max-width:37.5rem;margin:1rem 0;text-align:left;font-size:.875rem;line-height:1.3;\
color:var(--pst-color-text-base,inherit)}
.moving [hidden]{display:none}
.moving label{display:block;position:relative}
.moving [type=range]{display:block;color:inherit;width:100%;height:2.75rem;margin:0;accent-color:currentColor}
.moving fieldset{display:grid;grid-template-columns:repeat(10,minmax(0,1fr));gap:.25rem;\
margin:0 0 .5rem;padding:0;border:0;min-width:0}
.moving legend{float:none;width:auto;padding:0;margin:0;font-size:inherit}
.moving [type=radio]{position:absolute;inset:0;width:100%;height:100%;margin:0;opacity:0;cursor:pointer}
.moving [type=radio]+svg{display:block;box-sizing:border-box;width:100%;height:2.75rem;\
padding:2px;border:2px solid transparent}
.moving :checked+svg{border-color:currentColor}
.moving :focus-visible+svg{outline:3px solid #E69F00}
.moving svg{overflow:visible}
.moving svg text{font-size:13px;fill:currentColor;stroke:none}
.moving .panels{display:grid;grid-template-columns:minmax(0,1fr);gap:.75rem}
.moving .panels svg{display:block;width:100%;height:auto}
.moving .ground{fill:#fff;stroke:none}
.moving .ink{stroke:#000;fill:none;shape-rendering:crispEdges}
.moving .line{stroke:currentColor;fill:none}
figure.moving figcaption{margin:.5rem 0 0;text-align:left;font:inherit;font-size:1rem;color:inherit}
@container (max-width:30rem){.moving fieldset{grid-template-columns:repeat(5,minmax(0,1fr))}}
@media print{.moving form{display:none}.moving{break-inside:avoid}}
html[data-theme=dark] .bd-content div.cell_output .text_html:has(figure.moving){background:none;color:inherit;padding:0}
"""


class _Figure:
    """A figure for those who see and move it, and its first state as a sentence for everyone."""

    def __init__(self, page, sentence):
        self.page, self.sentence = page, sentence

    def _repr_html_(self):
        return self.page

    def __repr__(self):
        return self.sentence


def lam_slider(first, second, plain, mixup, *, lam=0.7, pair=(3, 7)):
    """Blend two digits that the reader chooses, and show what two networks answer for the blend.

    Parameters
    ----------
    first, second : array_like, shape (10, 8, 8)
        An image of each class, in order, to choose from. Grey values from 0 (paper) to 1 (ink), in sixteenths.
    plain, mixup : array_like, shape (75 * hidden + 10,)
        The weights of a network trained without MixUp, and of one trained with it, as `answers` takes them.
        The page carries them in thousandths.
    lam : float, default 0.7
        Where the slider stands at first, in [0, 1]; it moves in steps of 0.02.
    pair : tuple of int, default (3, 7)
        The two classes that are chosen at first.

    Returns
    -------
    object
        Jupyter shows the figure. Its text is a sentence about the first state.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or shape, or out of range.

    Examples
    --------
    >>> from mixup_helpers import data
    >>> images = data.digits()[0][:10].reshape(10, 8, 8)
    >>> lam_slider(images, images, np.zeros(85), np.zeros(85), lam=0.5)
    Label: 0.50 on class 3 and 0.50 on class 7. Without MixUp the model answers 0.10 and 0.10, with it 0.10 and 0.10.
    """
    first, second = _as_images(first, "first"), _as_images(second, "second")
    for name, images in [("first", first), ("second", second)]:
        if len(images) != 10:
            raise ValueError(f"{name} must be an image of each of the ten classes, got {len(images)}")
    lam = round(_check_lam(lam) * STEPS) / STEPS
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise TypeError(f"pair must be two classes, got {pair!r}")
    a, b = (as_int(c, "each of pair", 0, 9) for c in pair)
    networks = [_as_thousandths(plain, "plain"), _as_thousandths(mixup, "mixup")]
    image = lam * first[a] + (1 - lam) * second[b]
    label = lam * np.eye(10)[a] + (1 - lam) * np.eye(10)[b]
    shown = [label, *(answers(weights / 1000, image[None])[0] for weights in networks)]
    say = [
        "Label: {2} on class {0} and {3} on class {1}. "
        "Without MixUp the model answers {4} and {5}, with it {6} and {7}.",
        "Label: {2} on class {0}. Without MixUp the model answers {4}, with it {6}.",
    ]  # one more for two images of the same class
    sentence = say[a == b].format(a, b, *(f"{values[c]:.2f}" for values in shown for c in pair))
    box = (14, 13, 9, 92, 84)
    names = ["label", "plain", "mixup"]
    parts = {"image": _ink(image), **{name: _bars(values, box) for name, values in zip(names, shown)}}
    panels = "".join(
        f'<div>{title}<svg viewBox="0 0 146 110"><path class="line" d="M14 8H144M14 92H144" stroke-opacity=".4"/>'
        f'<text x="0" y="13">1</text><text x="0" y="96">0</text>'
        f"{_part(name, parts, color)}{_digits_below(box)}</svg></div>"
        for name, title, color in [
            ("label", "label", "currentColor"),
            ("plain", figures.PLAIN["label"], figures.PLAIN["color"]),
            ("mixup", figures.MIXUP["label"], figures.MIXUP["color"]),
        ]
    )
    strips = "".join(
        f"<fieldset><legend>{legend}</legend>{_choices(name, images, chosen)}</fieldset>"
        for name, legend, images, chosen in [
            ("first", "First image, with weight lam", first, a),
            ("second", "Second image, with weight 1 &minus; lam", second, b),
        ]
    )
    data = {"name": "lam", "box": box, "say": say, "first": _letters(first), "second": _letters(second)}
    data["networks"] = [base64.b64encode(weights.astype("<i2").tobytes()).decode() for weights in networks]
    style = (
        ".moving-lam .panels{grid-template-columns:repeat(4,minmax(0,1fr))}"
        "@container (max-width:30rem){.moving-lam .panels{grid-template-columns:repeat(2,minmax(0,1fr))}}"
    )
    image = f'<div>blend{_picture(parts["image"], "image", "0 0 13.9 10.5")}</div>'
    return _figure(data, style, strips, image + panels, f"{lam:.2f}", sentence, round(lam * STEPS), STEPS)


def alpha_slider(first, second, alphas, rng, *, start=0.2, draws=2000):
    """The Beta density, draws from it, and pairs of digits mixed at these weights, for several alphas.

    Parameters
    ----------
    first, second : array_like, shape (n, 8, 8)
        The pairs. Grey values from 0 (paper) to 1 (ink), in sixteenths.
    alphas : list of float
        Where the slider can stand, each from ``1e-300`` to ``1e300``.
    rng : numpy.random.Generator
        Draws the quantiles. They are the same for every alpha, so that the weights move with the slider.
    start : float, default 0.2
        Where the slider stands at first, one of `alphas`.
    draws : int, default 2000
        How many weights are drawn at each alpha. The first n mix the pairs.

    Returns
    -------
    object
        Jupyter shows the figure. Its text is a sentence about the first state.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or shape, or out of range.

    Examples
    --------
    >>> from mixup_helpers import data
    >>> images = data.digits()[0][:4].reshape(4, 8, 8)
    >>> alpha_slider(images[:2], images[2:], [0.2, 1], np.random.default_rng(0), start=1, draws=100)
    At alpha 1, 20% of all weights are within 0.1 of an end, and 26% of these 100. Of 2 blends, 0 are nearly unmixed.
    """
    first, second = _as_images(first, "first"), _as_images(second, "second")
    if len(first) != len(second):
        raise ValueError(f"first and second must be as many, got {len(first)} and {len(second)}")
    alphas = alphas.tolist() if isinstance(alphas, np.ndarray) else alphas
    if not isinstance(alphas, (list, tuple)) or not alphas:
        raise TypeError(f"alphas must be a list of numbers, at least one, got {alphas!r}")
    alphas, start = [as_number(alpha, "each of alphas", 1e-300) for alpha in alphas], as_number(start, "start")
    if max(alphas) > 1e300 or start not in alphas:
        raise ValueError(f"alphas must be at most 1e300 and hold start, {start}, got {alphas}")
    draws, rng = as_int(draws, "draws", len(first), 10**6), _check_rng(rng)
    quantiles = rng.uniform(size=draws)
    box, edges, t = (20, 14, 13, 110, 100), np.linspace(0, 1, 21), np.linspace(0.005, 0.995, 100)
    ends = (edges[:-1] < 0.09) | (edges[1:] > 0.91)
    states = []
    for alpha in alphas:
        beta = stats.beta(alpha, alpha)
        lam = beta.ppf(quantiles)
        blends = lam[: len(first)].round(3)
        # In units of the axis, which ends at a density of 4.
        heights = np.minimum(np.histogram(lam, edges)[0] / draws * 20 / 4, 1)
        curve = [f"{20 + 280 * x:.0f} {110 - 100 * min(y / 4, 1):.1f}" for x, y in zip(t, beta.pdf(t))]
        shares = 2 * beta.cdf(0.1), np.mean(np.abs(lam - 0.5) > 0.4)
        states.append({
            "value": f"{alpha:g}",
            "sentence": f"At alpha {alpha:g}, {shares[0]:.0%} of all weights are within 0.1 of an end, and "
            f"{shares[1]:.0%} of these {draws:,}. Of {len(first)} blends, "
            f"{np.sum(np.abs(blends - 0.5) > 0.4)} are nearly unmixed.",
            "parts": {
                "ends": _bars(heights * ends, box), "middle": _bars(heights * ~ends, box),
                "density": "M" + "L".join(curve),
                **{f"lam{i}": f"{value:.2f}" for i, value in enumerate(lam[: len(first)])},
            },
            "blends": blends.tolist(),
        })  # fmt: skip
    at = alphas.index(start)
    state = states[at]
    parts = state["parts"]
    density = (
        f'<svg viewBox="0 0 310 130">{_part("middle", parts, "currentColor")}{_part("ends", parts, "currentColor")}'
        f'<path class="line" d="M20 110H300" stroke-opacity=".4"/>{_line("density", parts)}'
        '<text x="20" y="127">0</text><text x="160" y="127" text-anchor="middle">lam</text>'
        '<text x="300" y="127" text-anchor="end">1</text></svg>'
    )
    row = "".join(
        f'<div>{_picture(_ink(lam * a + (1 - lam) * b), f"image{i}")}'
        f'<span data-part="lam{i}">{parts[f"lam{i}"]}</span></div>'
        for i, (lam, a, b) in enumerate(zip(state["blends"], first, second))
    )
    style = (
        f".moving-alpha .blends{{display:grid;grid-template-columns:repeat({len(first)},minmax(0,1fr));gap:.25rem;"
        "font-size:.75rem;text-align:center}.moving-alpha .panels>svg{max-width:25rem}"
        ".moving-alpha [data-part=middle]{fill-opacity:.5}.moving-alpha [data-part=ends]{fill-opacity:.85}"
    )
    data = {"name": "alpha", "first": _letters(first), "second": _letters(second), "states": states}
    panels = (
        f"<div>{draws:,} weights (strong colour: within 0.1 of an end), and their density</div>{density}"
        f'<div>{len(first)} pairs, each mixed with the weight below it</div><div class="blends">{row}</div>'
    )
    return _figure(data, style, "", panels, state["value"], state["sentence"], at, len(states) - 1)


def epoch_slider(counts):
    """How sure two models are after each epoch, and how often they are right.

    Parameters
    ----------
    counts : pandas.DataFrame
        For each ``alpha`` (0, and one that is not), ``epoch`` (from 1) and ``bin`` (from 0): the number of test
        images whose answer has a confidence in this bin and is ``right`` or ``wrong``, and the sum of their
        confidences, ``sure``. The bins are of equal width, from 0 to 1.

    Returns
    -------
    object
        Jupyter shows the figure. Its text is a sentence about the last epoch.

    Raises
    ------
    TypeError, ValueError
        If `counts` is no table of finite numbers, a column or a row is missing, or the numbers of images differ.

    Examples
    --------
    >>> import pandas as pd
    >>> columns = ["alpha", "epoch", "bin", "right", "wrong", "sure"]
    >>> rows = [(0, 1, 0, 0, 0, 0), (0, 1, 1, 8, 2, 9), (0.2, 1, 0, 0, 2, 0.8), (0.2, 1, 1, 8, 0, 6.4)]
    >>> epoch_slider(pd.DataFrame(rows, columns=columns))
    After epoch 1, without MixUp 8 of 10 test images are right at a mean confidence of 0.90, with MixUp 8 at 0.72.
    """
    as_table(counts, "counts", numbers=("alpha", "epoch", "bin", "right", "wrong", "sure"))
    axes = [sorted(counts[name].unique()) for name in ("alpha", "epoch", "bin")]
    alphas, epochs, bins = map(len, axes)
    table = counts.sort_values(["alpha", "epoch", "bin"])
    complete = len(counts) == alphas * epochs * bins and not counts.duplicated(["alpha", "epoch", "bin"]).any()
    in_order = axes[1] == list(range(1, epochs + 1)) and axes[2] == list(range(bins))
    if not complete or alphas != 2 or axes[0][0] != 0 or not in_order:
        raise ValueError("counts must have one row for each of two alphas, one of them 0, each epoch, and each bin from 0")
    right, wrong, sure = (table[name].to_numpy().reshape(2, epochs, bins) for name in ("right", "wrong", "sure"))
    n = int(right[0, 0].sum() + wrong[0, 0].sum())
    if n < 1 or min(right.min(), wrong.min(), sure.min()) < 0 or not ((right + wrong).sum(axis=2) == n).all():
        raise ValueError("counts must add up to the same number of images after every epoch")
    if (sure > right + wrong + 0.001).any():  # it may be rounded
        raise ValueError("sure of counts must be a sum of confidences, so at most as large as the number of images")
    box = (32, 140 / bins, 140 / bins - 1, 110, 100)
    names = ["plain", "mixup"]
    states = []
    for epoch in range(epochs):
        parts, numbers = {}, []
        for name, ok, ko, conf in zip(names, right[:, epoch], wrong[:, epoch], sure[:, epoch]):
            accuracy, confidence = ok.sum() / n, conf.sum() / n
            numbers += [ok.sum(), confidence]
            parts |= {
                f"{name}-right": _bars(ok / n, box), f"{name}-wrong": _bars(ko / n, box, ok / n),
                f"{name}-accuracy": f"M{32 + 140 * accuracy:.1f} 10V110",
                f"{name}-sure": f"M{32 + 140 * confidence:.1f} 10V110",
                f"{name}-numbers": f"{accuracy:.0%} right, {confidence:.0%} sure",
            }  # fmt: skip
        say = (
            f"After epoch {epoch + 1}, without MixUp {{:.0f}} of {n} test images are right at a mean confidence of "
            "{:.2f}, with MixUp {:.0f} at {:.2f}."
        )
        states.append({"value": str(epoch + 1), "sentence": say.format(*numbers), "parts": parts})
    state = states[-1]
    parts = state["parts"]
    panels = "".join(
        f'<div>{style["label"]}: <span data-part="{name}-numbers">{parts[f"{name}-numbers"]}</span>'
        f'<svg viewBox="0 0 174 130"><path class="line" d="M32 10H172M32 110H172" stroke-opacity=".4"/>'
        f'{_part(f"{name}-right", parts, style["color"])}{_part(f"{name}-wrong", parts, "currentColor")}'
        f'{_line(f"{name}-accuracy", parts)}'
        f'{_line(f"{name}-sure", parts, "4")}'
        f'<text x="28" y="15" text-anchor="end">{n}</text><text x="28" y="114" text-anchor="end">0</text>'
        '<text x="32" y="127">0</text><text x="102" y="127" text-anchor="middle">confidence</text>'
        '<text x="172" y="127" text-anchor="end">1</text></svg></div>'
        for name, style in zip(names, (figures.PLAIN, figures.MIXUP))
    )
    panels += (
        '<div class="key">Bars: answers by confidence, wrong ones on top. '
        "Lines: share right (solid), mean confidence (dashed).</div>"
    )
    style = (
        ".moving-epoch .panels{grid-template-columns:repeat(2,minmax(0,1fr))}.moving-epoch .panels svg{max-width:14rem}"
        ".moving-epoch .panels span{white-space:nowrap}.moving-epoch .key{grid-column:1/-1}"
    )
    data = {"name": "epoch", "states": states}
    return _figure(data, style, "", panels, state["value"], state["sentence"], epochs - 1, epochs - 1)


def answers(weights, images):
    """What a network of one hidden layer answers, computed by NumPy.

    Parameters
    ----------
    weights : array_like, shape (75 * hidden + 10,)
        All weights of `mixup_helpers.models.perceptron` ``((8, 8), [hidden], 10)``, one after the other in the
        order of ``model.get_weights()``.
    images : array_like, shape (n, 8, 8)
        Grey values from 0 to 1.

    Returns
    -------
    ndarray, shape (n, 10)
        Probabilities.

    Raises
    ------
    TypeError, ValueError
        If no such network has so many weights, or `images` are of another shape or not from 0 to 1.

    Examples
    --------
    >>> answers(np.zeros(85), np.ones((1, 8, 8))).round(1).tolist()
    [[0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]]
    """
    weights, images = _as_weights(weights, "weights"), as_finite(images, "images")
    if images.shape[1:] != (8, 8) or np.abs(images - 0.5).max() > 0.501:  # blends may be off by a rounding error
        raise ValueError(f"images must have shape (n, 8, 8) and values from 0 to 1, got shape {images.shape}")
    hidden = len(weights) // 75
    kernel, bias, kernel2, bias2 = np.split(weights, np.cumsum([64 * hidden, hidden, 10 * hidden]))
    x = np.reshape(images, (-1, 64))
    logits = np.maximum(x @ kernel.reshape(64, hidden) + bias, 0) @ kernel2.reshape(hidden, 10) + bias2
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _figure(data, style, controls, panels, value, sentence, at, last):
    """The frame that all three have in common: controls, what is drawn, the sentence, the script."""
    name, said = data["name"], html.escape(sentence)
    page = (
        f'<figure class="moving moving-{name}"><style>{_STYLE}{style}</style>\n'
        f'<form autocomplete="off" hidden>{controls}<label>{name} = <output>{value}</output>'
        f'<input type="range" min="0" max="{last}" value="{at}" aria-label="{name}"'
        f' aria-valuetext="{name} {value}"></label></form>\n'
        f'<div class="panels" role="img" aria-label="{said}">{panels}</div>\n'
        f'<figcaption aria-live="polite">{said}</figcaption>\n'
        f"<script>({SCRIPT})(document.currentScript.parentElement,{json.dumps(data, separators=(',', ':'))})</script>"
        "</figure>"
    )
    return _Figure(page, sentence)


def _part(name, parts, fill):
    return f'<path data-part="{name}" fill="{fill}" d="{parts[name]}"/>'


def _line(name, parts, dash="none"):
    return f'<path data-part="{name}" class="line" stroke-width="2" stroke-dasharray="{dash}" d="{parts[name]}"/>'


def _bars(values, box, below=None):
    """One path for all bars: `values` from 0 to 1, each on top of `below`."""
    left, pitch, width, base, full = box
    below = np.zeros(len(values)) if below is None else below
    heights = [f"{round(value * full, 1):g}" for value in values]
    return "".join(
        f"M{left + pitch * i:g} {round(base - full * under, 1):g}v-{height}h{width:g}v{height}z"
        for i, (height, under) in enumerate(zip(heights, below))
        if height != "0"
    )


def _ink(image):
    """The pixels of an image of 8 by 8, one path for all pixels of the same grey."""
    greys = {}
    for i, grey in enumerate(np.floor(100 * image.ravel() + 0.5).astype(int)):
        if grey:
            greys[grey] = greys.get(grey, "") + f"M{i % 8} {i // 8}h1"
    return "".join(f'<path stroke-opacity="{grey / 100:g}" d="{d}"/>' for grey, d in greys.items())


def _picture(ink, name=None, view="0 0 8 8"):
    part = f' data-part="{name}"' if name else ""
    return (
        f'<svg viewBox="{view}"><path class="ground" d="M0 0h8v8H0z"/>'
        f'<g class="ink" transform="translate(0 .5)"{part}>{ink}</g></svg>'
    )


def _choices(name, images, chosen):
    return "".join(
        f'<label><input type="radio" name="{name}" value="{i}" aria-label="{i}"{" checked" * (i == chosen)}>'
        f"{_picture(_ink(image))}</label>"
        for i, image in enumerate(images)
    )


def _digits_below(box):
    left, pitch, width, _, _ = box
    middle = left + width / 2
    return "".join(f'<text x="{middle + pitch * i:g}" y="107" text-anchor="middle">{i}</text>' for i in range(10))


def _letters(images):
    """Each image as 64 letters, from a (paper) to q (ink)."""
    return ["".join(chr(97 + value) for value in np.rint(16 * image).astype(int).ravel()) for image in images]


def _as_images(value, name):
    images = as_finite(value, name).astype(float)
    if images.shape[1:] != (8, 8) or not len(images):
        raise ValueError(f"{name} must have shape (n, 8, 8), got {images.shape}")
    if not ((0 <= images) & (images <= 1) & (16 * images == np.rint(16 * images))).all():
        raise ValueError(f"{name} must be grey values from 0 to 1, in sixteenths")
    return images


def _as_weights(value, name):
    weights = as_finite(value, name).astype(float)
    hidden, rest = divmod(weights.size, 75)
    if weights.ndim != 1 or hidden < 1 or rest != 10 or np.abs(weights).max() > 1e99:
        raise ValueError(f"{name} must be 75 * hidden + 10 weights of less than 1e99, got shape {weights.shape}")
    return weights


def _as_thousandths(value, name):
    weights = np.rint(1000 * _as_weights(value, name))
    if np.abs(weights).max() > 32767:
        raise ValueError(f"{name} must lie between -32 and 32")
    return weights
