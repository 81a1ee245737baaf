"""Draws Vega-Lite specifications: FOLDER/0.json, 1.json, ... become 0.out, ..., or 0.error with the reason.

They may appear while it runs; the end of the standard input says that there will be no more.

Arguments: FOLDER FORMAT, which is svg, pdf, png or page (SVG for an HTML page with the custom properties --ink, --muted, --line
and --paper).
"""
import json
import pathlib
import re
import select
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


# A text without these has no character that XML forbids.
ESCAPED = re.compile("[\ufffe\uffff]|\\\\(?:u|b|f)")


def drawable(value):
    """The same value without the characters that XML forbids; they would end vl-convert with a panic."""
    if isinstance(value, dict):
        return {key: drawable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [drawable(item) for item in value]
    return re.sub("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", " ", value) if isinstance(value, str) else value


def draw(file, form):
    spec = file.read_text(encoding="utf-8")
    if ESCAPED.search(spec):
        spec = drawable(json.loads(spec))
    if form == "pdf":
        return vl_convert.vegalite_to_pdf(spec)
    if form == "png":
        return vl_convert.vegalite_to_png(spec, scale=2)
    svg = vl_convert.vegalite_to_svg(spec)
    return (for_page(svg, file.stem) if form == "page" else svg).encode()


def specifications(folder):
    number = 0
    while True:
        file = folder / f"{number}.json"
        is_last = bool(select.select([sys.stdin], [], [], 0 if file.exists() else 0.005)[0])
        if file.exists():
            yield file
            number += 1
        elif is_last:
            return


def main(folder, form):
    vl_convert.vegalite_to_svg({"mark": "point"})  # loads what it needs, while others look for the rows
    for file in specifications(pathlib.Path(folder)):
        try:
            file.with_suffix(".out").write_bytes(draw(file, form))
        except ValueError as error:
            reason = str(error).split("\n    at ")[0]  # without the stack of the library
            file.with_suffix(".error").write_text(reason, encoding="utf-8")


main(*sys.argv[1:])
