"""Move every slider by keyboard, mouse and touch, and compare what is drawn with what NumPy computes."""

import re

import notebooks
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mixup_helpers import data, moving

PAGES = {"lam": "intuition", "alpha": "alpha", "epoch": "digits"}
ALPHAS = [0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1, 1.5, 2, 4, 8]
IMAGES = data.digits()[0][:20].reshape(-1, 8, 8)
NETWORKS = pd.read_csv(notebooks.RESULTS / "intuition_networks.csv").round(3)
COUNTS = pd.read_csv(notebooks.RESULTS / "digits.csv")


def stored(name):
    """The sentence of the first state, as the notebook holds it."""
    for cell in notebooks.code_cells(notebooks.read(notebooks.BOOK / f"{PAGES[name]}.ipynb")):
        for output in cell["outputs"]:
            if "text/html" in output.get("data", {}):
                return "".join(output["data"]["text/plain"])


def open_figure(page, site, name):
    page.goto(f"{site}/book/{PAGES[name]}.html")
    return page.locator(f"figure.moving-{name}")


def part(figure, name):
    return figure.locator(f'path[data-part="{name}"]').get_attribute("d")


def heights(d, left, pitch, n):
    """How high the bars of a path are, and where they stand."""
    found = {float(x): (float(h), float(y)) for x, y, h in re.findall(r"M([\d.]+) ([\d.]+)v-([\d.]+)h", d)}
    drawn = [found.pop(left + pitch * i, (0, 0)) for i in range(n)]
    assert not found, "no bar stands elsewhere"
    return np.array(drawn).T


def grey(figure, name):
    paths = figure.locator(f'g[data-part="{name}"] path')
    image = np.zeros((8, 8))
    for d, opacity in paths.evaluate_all("all => all.map(e => ['d', 'stroke-opacity'].map(name => e.getAttribute(name)))"):
        for column, row in re.findall(r"M(\d) (\d)h1", d):
            image[int(row), int(column)] += float(opacity)
    return image


def check_lam(figure, at, a=3, b=7):
    lam = at / 50
    image = lam * IMAGES[a] + (1 - lam) * IMAGES[10 + b]
    np.testing.assert_allclose(grey(figure, "image"), image, atol=0.0051)
    label = lam * np.eye(10)[a] + (1 - lam) * np.eye(10)[b]
    shown = {"label": label, **{name: moving.answers(NETWORKS[name], image[None])[0] for name in NETWORKS}}
    for name, values in shown.items():
        np.testing.assert_allclose(heights(part(figure, name), 14, 13, 10)[0], 84 * values, atol=0.051)
    said = re.findall(r"\d\.\d\d", figure.locator("figcaption").inner_text())
    pairs = [values[c] for values in shown.values() for c in ((a, b) if a != b else (a,))]
    np.testing.assert_allclose(np.array(said, dtype=float), pairs, atol=0.0051)
    return f"{lam:.2f}"


def check_alpha(figure, at):
    beta = stats.beta(ALPHAS[at], ALPHAS[at])
    lam = beta.ppf(np.random.default_rng(0).uniform(size=2000))
    drawn = sum(heights(part(figure, name), 20, 14, 20)[0] for name in ("ends", "middle"))
    expected = 25 * np.minimum(np.histogram(lam, 20, (0, 1), density=True)[0], 4)
    np.testing.assert_allclose(drawn, expected, atol=0.051)
    points = np.array([point.split() for point in part(figure, "density")[1:].split("L")], dtype=float)
    density = beta.pdf(np.linspace(0.005, 0.995, 100))
    np.testing.assert_allclose(points[:, 1], 110 - 25 * np.minimum(density, 4), atol=0.051)
    for i in (0, 4, 9):
        blend = lam[i] * IMAGES[i] + (1 - lam[i]) * IMAGES[19 - i]
        np.testing.assert_allclose(grey(figure, f"image{i}"), blend, atol=0.006)
        assert figure.locator(f'[data-part="lam{i}"]').inner_text() == f"{lam[i]:.2f}"
    shares = [2 * beta.cdf(0.1), np.mean(np.abs(lam - 0.5) > 0.4)]
    said = re.findall(r"(\d+)%", figure.locator("figcaption").inner_text())
    assert said == [f"{100 * share:.0f}" for share in shares]
    return f"{ALPHAS[at]:g}"


def check_epoch(figure, at):
    rows = COUNTS[COUNTS["epoch"] == at + 1]
    said = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", figure.locator("figcaption").inner_text())]
    expected = [at + 1]
    for name, alpha in [("plain", 0), ("mixup", 0.2)]:
        right, wrong, sure = rows.loc[rows["alpha"] == alpha, ["right", "wrong", "sure"]].to_numpy().T
        np.testing.assert_allclose(heights(part(figure, f"{name}-right"), 32, 14, 10)[0], right / 3.6, atol=0.051)
        top, base = heights(part(figure, f"{name}-wrong"), 32, 14, 10)
        np.testing.assert_allclose(top, wrong / 3.6, atol=0.051)
        np.testing.assert_allclose(base[top > 0], (110 - right / 3.6)[top > 0], atol=0.051)
        for line, value in [("accuracy", right.sum() / 360), ("sure", sure.sum() / 360)]:
            x = float(re.match(r"M([\d.]+) ", part(figure, f"{name}-{line}")).group(1))
            assert x == pytest.approx(32 + 140 * value, abs=0.051)
        expected += [right.sum(), 360, sure.sum() / 360] if name == "plain" else [right.sum(), sure.sum() / 360]
    np.testing.assert_allclose(said, expected, atol=0.0051)
    return str(at + 1)


CHECKS = {"lam": check_lam, "alpha": check_alpha, "epoch": check_epoch}


def check(figure, name):
    """What is drawn, written and spoken is what NumPy says for the place where the slider stands."""
    slider = figure.get_by_role("slider")
    at = int(slider.input_value())
    value = CHECKS[name](figure, at)
    assert figure.locator("output").inner_text() == value
    assert slider.get_attribute("aria-valuetext") == f"{name} {value}"
    spoken = figure.locator(".panels").get_attribute("aria-label")
    assert spoken == figure.locator("figcaption").inner_text()
    return at


@pytest.mark.parametrize("name", PAGES)
def test_by_keyboard(page, site, name):
    figure = open_figure(page, site, name)
    slider = figure.get_by_role("slider")
    last = int(slider.get_attribute("max"))
    slider.focus()
    assert figure.locator("figcaption").get_attribute("aria-live") == "polite"
    start = check(figure, name)
    seen = [start]
    for key in ("ArrowLeft", "ArrowDown", "ArrowRight", "ArrowUp", "Home", "ArrowRight", "PageUp", "End"):
        page.keyboard.press(key)
        seen.append(check(figure, name))
    assert seen[:6] == [start, start - 1, start - 2, start - 1, start, 0] and seen[6] == 1 and seen[8] == last


@pytest.mark.parametrize("name", PAGES)
def test_every_place_of_the_slider(page, site, name):
    figure = open_figure(page, site, name)
    slider = figure.get_by_role("slider")
    slider.focus()
    page.keyboard.press("Home")
    for at in range(int(slider.get_attribute("max")) + 1):
        assert check(figure, name) == at
        page.keyboard.press("ArrowRight")


@pytest.mark.parametrize("name", PAGES)
def test_by_mouse(page, site, name):
    figure = open_figure(page, site, name)
    slider = figure.get_by_role("slider")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    seen = [check(figure, name)]
    for share in (0.4, 0.25, 0.8):
        page.mouse.move(box["x"] + share * box["width"], middle)
        seen.append(check(figure, name))
    page.mouse.up()
    last = int(slider.get_attribute("max"))
    np.testing.assert_allclose(np.array(seen) / last, [0.5, 0.4, 0.25, 0.8], atol=0.06)


@pytest.mark.parametrize("name", PAGES)
def test_by_touch(browser, site, name):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    figure = open_figure(page, site, name)
    slider = figure.get_by_role("slider")
    slider.scroll_into_view_if_needed()
    for share in (0.25, 0.75):
        box = slider.bounding_box()
        page.touchscreen.tap(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
        last = int(slider.get_attribute("max"))
        assert check(figure, name) == pytest.approx(share * last, abs=0.06 * last + 0.5)
    context.close()


def test_any_two_digits_by_mouse_and_keyboard(page, site):
    figure = open_figure(page, site, "lam")
    at = check(figure, "lam")
    first, second = (figure.get_by_role("group").nth(i) for i in (0, 1))
    for a, b in [(0, 9), (5, 5), (8, 1)]:
        first.get_by_role("radio", name=str(a)).click()
        second.get_by_role("radio", name=str(b)).click()
        check_lam(figure, at, a, b)
    page.keyboard.press("ArrowRight")  # from the second image's 1 to its 2
    check_lam(figure, at, 8, 2)
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowLeft")
    check_lam(figure, at, 7, 2)


@pytest.mark.parametrize("name", PAGES)
def test_no_key_leaves_the_figure(page, site, name):
    figure = open_figure(page, site, name)
    page.evaluate("window.heard = 0; document.addEventListener('keydown', () => { window.heard += 1; })")
    figure.get_by_role("slider").focus()
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("window.heard") == 0


@pytest.mark.parametrize("name", PAGES)
def test_without_a_network(page, site, name):
    figure = open_figure(page, site, name)
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    figure.get_by_role("slider").focus()
    for key in ("Home", "End", "ArrowLeft"):
        page.keyboard.press(key)
    check(figure, name)
    assert asked == []


@pytest.mark.parametrize("name", PAGES)
def test_without_scripts_the_first_state_is_whole(browser, page, site, name):
    context = browser.new_context(java_script_enabled=False)
    plain = open_figure(context.new_page(), site, name)
    assert plain.locator("figcaption").inner_text() == stored(name)
    assert not plain.locator("form").is_visible() and plain.locator(".panels").is_visible()
    # Run or not, the script draws what Python drew.
    assert plain.locator(".panels").inner_html() == open_figure(page, site, name).locator(".panels").inner_html()
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_print_shows_the_state_and_no_controls(page, site, name):
    figure = open_figure(page, site, name)
    figure.get_by_role("slider").focus()
    page.keyboard.press("ArrowLeft")
    at = check(figure, name)
    page.emulate_media(media="print")
    assert not figure.locator("form").is_visible()
    assert figure.locator("figcaption").is_visible() and figure.locator(".panels").is_visible()
    CHECKS[name](figure, at)


@pytest.mark.parametrize("name", PAGES)
def test_nothing_moves_by_itself(page, site, name):
    page.emulate_media(reduced_motion="reduce")
    figure = open_figure(page, site, name)
    figure.get_by_role("slider").focus()
    page.keyboard.press("ArrowLeft")
    check(figure, name)  # at once
    count = "figure => [figure, ...figure.querySelectorAll('*')].filter(one => one.getAnimations().length).length"
    assert figure.evaluate(count) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", PAGES)
def test_everyone_can_read_and_reach_it(browser, site, axe, name, width, scheme):
    context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
    page = context.new_page()
    figure = open_figure(page, site, name)
    found = axe.run(page, context=f"figure.moving-{name}")
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    text = "figure => [...figure.querySelectorAll('svg text')].map(one => 13 * one.getScreenCTM().a)"
    sizes = figure.evaluate(text) + figure.evaluate(
        "figure => [...figure.querySelectorAll('span, div, label, legend, figcaption')]"
        ".map(one => parseFloat(getComputedStyle(one).fontSize))"
    )
    assert min(sizes) >= 12
    for control in figure.locator("input").all():
        box = control.bounding_box()
        assert box["width"] >= 44 and box["height"] >= 44
    for svg in figure.locator("svg").all():
        box, whole = svg.bounding_box(), figure.bounding_box()
        assert box["x"] >= whole["x"] - 1 and box["x"] + box["width"] <= whole["x"] + whole["width"] + 1
    # Text has the colour of the page's text, on the page's own ground.
    colours = figure.evaluate("f => [f, document.querySelector('article p')].map(one => getComputedStyle(one).color)")
    assert colours[0] == colours[1]
    ground = figure.evaluate("figure => getComputedStyle(figure.parentElement).backgroundColor")
    assert ground in ("rgba(0, 0, 0, 0)", "transparent")
    context.close()
