#!/usr/bin/env python3
"""Tries the commands of README.md in their order, in a fresh clone (`make try-readme`; about two hours).

A command is a line of a block of sh, or stands between backquotes and begins with `make`, `qbitopt` or `cmake`. YAML blocks
become the files that the commands name. SMALLER says what is tried instead where a command would take days or
wants what is not here. A command of a new kind is tried as it stands.

    try_readme.py                   all of them
    try_readme.py --list            prints what would be tried
    try_readme.py --only REGEX      those whose text in README.md matches
    try_readme.py --here            in this checkout, as it is built
Exit status: 0 all succeeded, 1 some failed.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What a training run takes to end in seconds; what is wanted of it is that it starts, ends and gives a table.
TINY = "training.steps=4 pretraining.steps=4 reallocation.tau=2 batch_norm.reestimate_batches=1"
NEVER = "needs {}"  # a command that is left out, and why

# (pattern, what takes its place); the first that matches a command counts.
SMALLER = [
    (r"make setup TORCH_INDEX=.*", NEVER.format("the network")),
    (r"make reproduce CMAKE_PREFIX_PATH=.*", "make configure CMAKE_PREFIX_PATH=$PWD/.venv/lib/python3*/site-packages/torch"),
    (r"make CMAKE_PREFIX_PATH=.*", NEVER.format("a LibTorch for CUDA")),
    (r"(make imagenet) IMAGENET=/data/imagenet( SWEEP=\S+)?( WEIGHTS=\S+)?$", r"make imagenet-miniature\2"),
    (r"(.*) data.root=/data/imagenet", r"\1 data.root=build/miniature_imagenet"),
    (r".* run budgets.yaml --executor slurm.*", NEVER.format("a Slurm cluster")),
    (r"(docker|apptainer) build .*", NEVER.format("Docker or Apptainer")),
    (r"(.* run budgets.yaml) training.steps=800 seeds=5", rf"\1 {TINY} seeds=2 --db build/budgets.db"),
    (r"(.* run budgets.yaml)", rf"\1 {TINY} seeds=1 --db build/budgets.db"),
    (r"(.* run my_net.yaml)", rf"\1 {TINY} pretraining.epochs=0 seeds=1 --db build/my_net.db"),
    (r"(.* export-network) KEY (.*)", r"\1 $(build/bin/qbitopt sql --csv --db build/my_net.db "
     r"'SELECT max(key) FROM runs' | tail -n 1) \2 --db build/my_net.db"),
    (r"qbitopt models NAME", "build/bin/qbitopt models resnet18"),
    (r"qbitopt models --fetch .*", NEVER.format("the network")),
    (r"qbitopt doctor --data", "build/bin/qbitopt doctor --data build/miniature_imagenet"),
    (r"cmake --install build --prefix ~/qbitopt", r"cd $HOME/shrink && \g<0>"),
    (r"qbitopt|qbitopt plan", r"build/bin/\g<0> --help"),
    (r"(qbitopt .*)", r"build/bin/\1"),
]


class Command:
    def __init__(self, text):
        self.text = text
        self.tried = text
        for pattern, replacement in SMALLER:
            if re.fullmatch(pattern, text):
                self.tried = re.sub(f"^(?:{pattern})$", replacement, text)
                break

    @property
    def is_left_out(self):
        return self.tried.startswith(NEVER.format(""))


def without_comment(line):
    return re.sub(r"\s+#\s.*", "", line).rstrip()


def commands_of(readme):
    """Blocks and lone commands in their order: lists of commands that share a shell and its folder."""
    for fence, block, inline in re.findall(r"^```(\w*)\n(.*?)^```|`((?:make|qbitopt|cmake)\b[^`]*)`", readme, re.M | re.S):
        if inline:
            yield [Command(" ".join(inline.split()))]
        elif fence == "sh":
            yield [Command(line) for line in map(without_comment, block.splitlines()) if line]


def yaml_files_of(readme):
    """name -> text of each YAML block that is a sweep of its own."""
    for text in re.findall(r"^```yaml\n(.*?)^```", readme, re.M | re.S):
        name = re.search(r"^name: (\w+)", text, re.M)
        if name:
            yield f"{name[1]}.yaml", text.replace("../experiments", "experiments")


def python_files_of(readme):
    """name -> text of each block of Python, whose name stands in the sentence before."""
    for name, text in re.findall(r"`(\w+\.py)`[^\n]*\n\n```python\n(.*?)^```", readme, re.M | re.S):
        yield name, text


def run(commands, folder, home, log):
    """A block in one shell, which stops at the first command that fails; None, or that command."""
    script = "set -eo pipefail\n"
    for number, command in enumerate(commands):
        if not command.is_left_out:
            script += f"echo {number} > '{log}.at'\n{command.tried}\n"
    environment = dict(os.environ, HOME=str(home), CCACHE_DIR=os.environ.get("CCACHE_DIR", f"{os.environ['HOME']}/.cache/ccache"))
    with open(log, "w") as output:
        status = subprocess.run(["bash", "-c", script], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                                stdout=output, stderr=subprocess.STDOUT).returncode
    return commands[int(pathlib.Path(f"{log}.at").read_text())] if status else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--list", action="store_true", help="print what would be tried")
    parser.add_argument("--only", metavar="REGEX", default="", help="only blocks with a command that matches")
    parser.add_argument("--here", action="store_true", help="in this checkout instead of a fresh clone")
    options = parser.parse_args()

    readme = (ROOT / "README.md").read_text()
    seen, blocks = set(), []
    for block in commands_of(readme):
        block = [c for c in block if c.tried not in seen or len(block) > 1]
        seen.update(c.tried for c in block)
        if any(re.search(options.only, c.text) for c in block):
            blocks.append(block)
    if options.list:
        for block in blocks:
            print("\n".join(f"{c.text}\n    {c.tried}" if c.tried != c.text else c.text for c in block))
        return 0

    work = pathlib.Path(tempfile.mkdtemp(prefix="try-readme-"))
    (work / "home").mkdir()
    folder = ROOT
    if not options.here:
        folder = work / "clone"
        subprocess.run(["git", "clone", "-q", ROOT, folder], check=True)
    written = []
    for name, text in [*yaml_files_of(readme), *python_files_of(readme)]:
        (folder / name).write_text(text)
        written.append(folder / name)

    failed = 0
    for number, block in enumerate(blocks):
        tried = [c for c in block if not c.is_left_out]
        if not tried:
            continue
        begun = time.monotonic()
        culprit = run(block, folder, work / "home", work / f"{number}.log")
        print(f"{'FAILED' if culprit else 'ok'}  {time.monotonic() - begun:5.0f} s  {(culprit or tried[0]).tried}"
              + (f"  (and {len(tried) - 1} more)" if len(tried) > 1 and not culprit else ""), flush=True)
        if culprit:
            failed += 1
            print("".join(open(work / f"{number}.log").readlines()[-15:]), end="")
    for file in written:
        file.unlink()
    print(f"{len(blocks) - failed} of {len(blocks)} groups of commands succeeded; logs: {work}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
