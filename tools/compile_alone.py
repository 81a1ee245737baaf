#!/usr/bin/env python3
"""Compiles each source by itself, without writing objects: does it include what it needs?

Ordinary builds unite sources and share a precompiled header, which hides a missing #include. `make check-alone` configures a
build folder without both (preset `alone`) and calls this.

    compile_alone.py BUILD_FOLDER [FOLDER...]       only sources below these folders (default: src)
"""
import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess
import sys
import time


def command_of(entry):
    words = shlex.split(entry["command"])
    while not os.path.basename(words[0]).startswith(("c++", "g++", "clang++")):
        words = words[1:]  # a compiler cache has nothing to keep
    output = words.index("-o")
    return words[:output] + words[output + 2:] + ["-fsyntax-only", "-O0", "-w"]


def main():
    build = pathlib.Path(sys.argv[1])
    root = pathlib.Path(__file__).resolve().parent.parent
    folders = [str(root / folder) + "/" for folder in sys.argv[2:] or ["src"]]
    entries = [entry for entry in json.loads((build / "compile_commands.json").read_text())
               if entry["file"].startswith(tuple(folders))]
    if not entries:
        sys.exit(f"compile_alone: {build}/compile_commands.json has no source below {', '.join(folders)}")
    begun = time.monotonic()

    def compile_one(entry):
        run = subprocess.run(command_of(entry), cwd=entry["directory"], capture_output=True, text=True)
        return entry["file"], run.returncode, run.stderr

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS", os.cpu_count()))) as pool:
        for file, code, errors in pool.map(compile_one, entries):
            if code != 0:
                failed += 1
                print(f"{os.path.relpath(file, root)} does not compile by itself:\n{errors[:2000]}", file=sys.stderr)
    print(f"{len(entries)} sources compiled alone in {time.monotonic() - begun:.0f} s, {failed} failed")
    sys.exit(failed > 0)


main()
