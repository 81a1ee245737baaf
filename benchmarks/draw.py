"""Draws a benchmark's results: draw.py FIGURE.vl.json RESULTS.json OUTPUT.svg, in the look of plots/."""
import json
import pathlib
import sys

import vl_convert

figure, results, output = map(pathlib.Path, sys.argv[1:])
spec = json.loads(figure.read_text())
spec["config"] = json.loads((pathlib.Path(__file__).parent.parent / "plots/look.json").read_text())
spec["datasets"] = {"rows": json.loads(results.read_text())}
output.write_text(vl_convert.vegalite_to_svg(spec))
print("wrote", output)
