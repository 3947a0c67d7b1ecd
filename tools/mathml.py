"""A Sphinx extension: formulas become MathML while the book is built, so that a page needs no script to show them."""

import re

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util.docutils import SphinxTranslator


def mathml(node, **options):
    # The converter takes this sign and these functions for names of numbers, and would set them without space.
    found = convert(node.astext(), **options).replace("<mi>&#x000B1;</mi>", "<mo>&#x000B1;</mo>")
    return re.sub("<mi>(log|ln)</mi>", r'<mo lspace="0.17em" rspace="0.17em">\1</mo>', found)


def inline(translator: SphinxTranslator, node):
    translator.body.append(mathml(node))
    raise nodes.SkipNode


def block(translator: SphinxTranslator, node):
    # A formula that is wider than a phone scrolls by itself, by keyboard as well.
    formula = mathml(node, display="block")
    translator.body.append(f'<div class="formula" role="group" aria-label="formula" tabindex="0">{formula}</div>\n')
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
