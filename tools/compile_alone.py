#!/usr/bin/env python3
"""Compiles each source by itself, without writing objects: does it include what it needs?

Ordinary builds unite sources and share a precompiled header, which hides a missing #include. `make check-alone` configures a
build folder without both (preset `alone`) and calls this.

    compile_alone.py BUILD_FOLDER [FOLDER...] [--since COMMIT]

Only sources below these folders (default: src), and only those that have changed since a commit, if one is named.
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
    words = sys.argv[1:]
    since = None
    if "--since" in words:
        place = words.index("--since")
        since = words[place + 1]
        del words[place:place + 2]
    build = pathlib.Path(words[0])
    root = pathlib.Path(__file__).resolve().parent.parent
    folders = [str(root / folder) + "/" for folder in words[1:] or ["src"]]
    entries = [entry for entry in json.loads((build / "compile_commands.json").read_text())
               if entry["file"].startswith(tuple(folders))]
    if not entries:
        sys.exit(f"compile_alone: {build}/compile_commands.json has no source below {', '.join(folders)}")
    if since:
        changed = subprocess.run(["git", "diff", "--name-only", since], cwd=root, capture_output=True, text=True, check=True)
        files = {str(root / name) for name in changed.stdout.split()}
        entries = [entry for entry in entries if entry["file"] in files]
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
