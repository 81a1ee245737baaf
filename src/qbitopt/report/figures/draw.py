"""Draws Vega-Lite specifications: each FOLDER/N.json becomes FOLDER/N.out, or N.error with the reason.

Arguments: FOLDER FORMAT, which is svg, pdf, png or page (SVG for an HTML page with the custom properties --ink, --muted, --line
and --paper).
"""
import json
import pathlib
import re
import sys

import vl_convert

COLORS = {"#1f2328": "var(--ink)", "#656d76": "var(--muted)", "#d8dee4": "var(--line)", "#ffffff": "var(--paper)"}
# What Vega writes and a page does not need: the page has the font, and a group without a path draws nothing.
UNSEEN = re.compile(r' (?:role="graphics-\w+"|aria-roledescription="[^"]*"|font-family="[^"]*"|opacity="1"|text-anchor="start")'
                    r'|<path class="(?:background|foreground)" aria-hidden="true" d="(?:M0,0h0v0h0Z)?"[^>]*/>')


def shortened(attribute):
    """The same attribute with coordinates in tenths of a pixel."""
    return re.sub(r"\d+\.\d\d+(?:e-\d+)?", lambda number: f"{float(number[0]):.1f}".removesuffix(".0"), attribute[0])


def for_page(svg, name):
    box, drawing = re.search(r'<svg [^>]*(viewBox="[^"]*")[^>]*>(.*)</svg>', svg, re.DOTALL).groups()
    drawing = re.sub(r' (?:d|transform|[xy][12]?|width|height)="[^"]*"', shortened, UNSEEN.sub("", drawing))
    for color, variable in COLORS.items():
        drawing = drawing.replace(f'="{color}"', f'="{variable}"')
    drawing = re.sub(r'( id="|url\(#|href="#)', rf"\1figure-{name}-", drawing)
    return f"<svg {box}>{drawing}</svg>"


def drawable(value):
    """The same value without the characters that XML forbids; they would end vl-convert with a panic."""
    if isinstance(value, dict):
        return {key: drawable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [drawable(item) for item in value]
    return re.sub("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", " ", value) if isinstance(value, str) else value


def draw(file, form):
    spec = drawable(json.loads(file.read_text(encoding="utf-8")))
    if form == "pdf":
        return vl_convert.vegalite_to_pdf(spec)
    if form == "png":
        return vl_convert.vegalite_to_png(spec, scale=2)
    svg = vl_convert.vegalite_to_svg(spec)
    return (for_page(svg, file.stem) if form == "page" else svg).encode()


def main(folder, form):
    for file in pathlib.Path(folder).glob("*.json"):
        try:
            file.with_suffix(".out").write_bytes(draw(file, form))
        except ValueError as error:
            reason = str(error).split("\n    at ")[0]  # without the stack of the library
            file.with_suffix(".error").write_text(reason, encoding="utf-8")


main(*sys.argv[1:])
