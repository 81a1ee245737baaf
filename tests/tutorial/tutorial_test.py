"""Follows docs/tutorial.md: tutorial_test.py SOURCE BUILD [FOLDER]

Runs every line of its blocks of sh, in one shell and in their order, in a folder that has the build and docs/ where the
page says; the block of YAML becomes the file that the page names. Then checks what a reader should have: the table with all
cases, the report, and the network. With FOLDER, everything stays there.
"""
import csv
import pathlib
import re
import subprocess
import sys
import tempfile
import time

SOURCE, BUILD = (pathlib.Path(word).resolve() for word in sys.argv[1:3])


def follow(folder):
    page = (SOURCE / "docs/tutorial.md").read_text()
    (folder / "docs").symlink_to(SOURCE / "docs")
    (folder / "build").symlink_to(BUILD)
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", page, re.M | re.S)
    sweeps = [text for language, text in blocks if language == "yaml"]
    assert len(sweeps) == 1, "the page has one sweep"
    name = re.search(r"Save this as `(\S+)`", page)[1]
    (folder / name).write_text(sweeps[0])
    commands = [line for language, text in blocks if language == "sh" for line in text.splitlines() if line]
    assert len(commands) >= 9, commands
    script = "set -euo pipefail\n" + "".join(f"echo {number} >&3\n{line}\n" for number, line in enumerate(commands))
    begun = time.monotonic()
    with open(folder / "at", "w") as at, open(folder / "log", "w") as log:
        status = subprocess.run(["bash", "-c", f"exec 3>&{at.fileno()}; {script}"], cwd=folder, stdin=subprocess.DEVNULL, stdout=log,
                                stderr=subprocess.STDOUT, pass_fds=[at.fileno()]).returncode
    if status != 0:
        number = int((folder / "at").read_text().split()[-1])
        print("".join((folder / "log").read_text().splitlines(keepends=True)[-20:]))
        sys.exit(f"FAILED: {commands[number]}")
    print(f"{len(commands)} commands in {time.monotonic() - begun:.0f} s")


def check(folder):
    with open(folder / "results/photos.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    methods = [next(value for value in row.values() if value in ("continued", "fixed", "qbitopt")) for row in rows]
    assert sorted(methods) == ["continued", "fixed", "fixed", "qbitopt", "qbitopt"], rows
    top1 = [next(float(value) for key, value in row.items() if key.startswith("top1") and value) for row in rows]
    assert top1[methods.index("continued")] > 80, f"the network learns nothing: {top1}"
    assert "Not in these means:" in (folder / "results/photos.html").read_text()
    assert (folder / "photos.onnx").stat().st_size > 10_000
    print("table:", dict(zip(zip(methods, range(9)), top1)))


def main():
    if len(sys.argv) > 3:
        folder = pathlib.Path(sys.argv[3])
        folder.mkdir()
        follow(folder)
        check(folder)
        return
    with tempfile.TemporaryDirectory(prefix="tutorial-") as name:
        follow(pathlib.Path(name))
        check(pathlib.Path(name))


if __name__ == "__main__":
    main()
