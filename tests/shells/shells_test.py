"""Presses the tab key in bash, zsh and fish, and reads the manual page: shells_test.py QBITOPT MAKE_EXAMPLE SOURCE

Each shell runs at a pseudo-terminal of its own, with nothing but the script of `qbitopt completion`, in a folder with a
sweep, a database and a file with spaces in its name. Shells that are not installed are left out.
"""
import os
import pathlib
import pty
import re
import select
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

QBITOPT, MAKE_EXAMPLE, SOURCE = (os.path.abspath(word) for word in sys.argv[1:4])
END = "~END~"


class Terminal:
    """A shell at a pseudo-terminal."""

    def __init__(self, words, folder, environment):
        self.process, self.descriptor = pty.fork()
        if self.process == 0:
            os.chdir(folder)
            os.execvpe(words[0], words, environment)

    def type(self, text):
        os.write(self.descriptor, text.encode())

    def read_until(self, word, seconds=20):
        text, end = "", time.monotonic() + seconds
        while word not in text:
            if not select.select([self.descriptor], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeoutError(f"no {word!r} in {text!r}")
            text += os.read(self.descriptor, 65536).decode(errors="replace")
        return text

    def close(self):
        os.close(self.descriptor)
        os.waitpid(self.process, 0)


def completed_at_terminal(shell, before, typed, folder, environment):
    """The line after a tab, as the shell then has it: the end of the line is `; printf`, which shows it."""
    terminal = Terminal([shell, *{"bash": ["--norc", "--noprofile", "-i"], "zsh": ["-f", "-i"]}[shell]], folder, environment)
    try:
        terminal.type(f"{before}; echo rea''dy\n")
        terminal.read_until("ready\r\n")
        # Home, quote the line, and print it: what counts is the line itself, not how it is drawn.
        terminal.type(typed + "\t")
        time.sleep(1.0)
        terminal.type("\x01set -- \x05; printf '[%s]' \"$@\"; echo '~E''ND~'\n")
        text = terminal.read_until(END)
        line = text[text.rindex("\n", 0, text.rindex(END)) + 1:]
        return re.findall(r"\[([^\]]*)\]", line)
    finally:
        terminal.close()


def listed_by_bash(typed, folder, environment):
    """Everything that bash would offer."""
    script = f"""
        source <(qbitopt completion bash)
        COMP_LINE={typed!r}; COMP_POINT=${{#COMP_LINE}}
        # Bash's own words: it breaks at = and :
        read -ra COMP_WORDS <<<"$(sed 's/[=:]/ & /g' <<<"$COMP_LINE")"
        [[ $COMP_LINE == *' ' ]] && COMP_WORDS+=('')
        COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        compopt() {{ :; }}
        _qbitopt
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    return subprocess.run(["bash", "-c", script], cwd=folder, env=environment, check=True, capture_output=True,
                          text=True).stdout.split()


def listed_by_fish(typed, folder, environment):
    output = subprocess.run(["fish", "--no-config", "-c", "qbitopt completion fish | source; complete -C $argv[1]", typed],
                            cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout
    return [line.split("\t")[0] for line in output.splitlines()]


passed = failed = 0


def check(what, found, expected):
    global passed, failed
    if (expected(found) if callable(expected) else found == expected):
        passed += 1
    else:
        failed += 1
        print(f"FAILED {what}\n  found    {found!r}\n  expected {expected if not callable(expected) else 'otherwise'}")


def has(*words):
    return lambda found: all(word in found for word in words)


def check_bash(folder, environment, job):
    def listed(typed):
        return listed_by_bash(typed, folder, environment)

    check("verbs", listed("qbitopt pl"), ["plan", "plot"])
    check("hidden verbs stay hidden", listed("qbitopt manual"), [])
    check("options of a verb", listed("qbitopt ls --s"), ["--sweeps", "--state", "--sort"])
    check("every verb has its options", [verb for verb in listed("qbitopt ") if not verb.startswith("-") and verb != "help"
                                         and "--help" not in listed(f"qbitopt {verb} --h")], [])
    check("sweeps by name and by file", listed("qbitopt run "), has("quick", "smoke", "mine.yaml"))
    check("sweeps of the database", listed("qbitopt ls "), has("example"))
    check("jobs", listed(f"qbitopt show {job[:4]}"), has(job))
    check("jobs of another database", listed(f"qbitopt show --db other.db {job[:4]}"), [])
    check("keys of manifests", listed("qbitopt run quick budget.av"), ["budget.average_bits="])
    check("values of a choice", listed("qbitopt run quick solver="), has("exact", "milp", "relax_greedy"))
    check("the last of several values", listed("qbitopt run quick solver=exact,mi"), ["exact,milp"])
    check("methods, and keys after a plus", listed("qbitopt run quick +method=qb"), ["qbitopt"])
    check("values of options", listed("qbitopt export --format "), has("csv", "jsonl", "parquet", "sqlite", "tensorboard"))
    check("values after =", listed("qbitopt plot --format=p"), ["pdf", "png"])
    check("figures", listed("qbitopt plot bits_p"), ["bits_per_layer"])
    check("tables", listed("qbitopt table qu"), ["quick"])
    check("queries", listed("qbitopt sql gain"), ["gain-over-fixed"])
    check("networks", listed("qbitopt models resnet1"), ["resnet18"])
    check("actions", listed("qbitopt db m"), ["migrate"])
    check("files after an option", listed("qbitopt ls --db mi"), ["mine.yaml"])
    check("after a wrong verb", listed("qbitopt nothing "), [])


def check_terminal(shell, before, folder, environment, job):
    def completed(typed):
        return completed_at_terminal(shell, before, typed, folder, environment)

    check(f"{shell}: a verb", completed("qbitopt re"), ["qbitopt", "re"])  # report, retry
    check(f"{shell}: the only verb", completed("qbitopt mer"), ["qbitopt", "merge"])
    check(f"{shell}: an option", completed("qbitopt table quick --ch"), ["qbitopt", "table", "quick", "--check"])
    check(f"{shell}: a job", completed(f"qbitopt show {job[:9]}"), ["qbitopt", "show", job])
    check(f"{shell}: a key, and no space before its value", completed("qbitopt run quick budget.av\t3"),
          ["qbitopt", "run", "quick", "budget.average_bits=3"])
    check(f"{shell}: a value", completed("qbitopt run quick solver=mi"), ["qbitopt", "run", "quick", "solver=milp"])
    check(f"{shell}: a name with spaces", completed("qbitopt run a"), ["qbitopt", "run", "a sweep.yaml"])


def check_fish(folder, environment, job):
    def listed(typed):
        return listed_by_fish(typed, folder, environment)

    check("fish: verbs", listed("qbitopt pl"), ["plan", "plot"])
    check("fish: options", listed("qbitopt ls --s"), has("--sweeps", "--state", "--sort"))
    check("fish: jobs", listed(f"qbitopt show {job[:4]}"), has(job))
    check("fish: keys", listed("qbitopt run quick budget.av"), ["budget.average_bits="])
    check("fish: values", listed("qbitopt run quick solver=mi"), ["solver=milp"])
    check("fish: files", listed("qbitopt run mi"), has("mine.yaml"))


def check_manual():
    page = subprocess.run([QBITOPT, "manual"], check=True, capture_output=True, text=True).stdout
    help_text = subprocess.run([QBITOPT, "--help"], check=True, capture_output=True, text=True).stdout
    verbs = re.findall(r"^  ([a-z-]+) ", help_text, re.M)
    check("the manual has every verb", re.findall(r"^\.SS qbitopt ([a-z\\-]+)", page, re.M),
          [verb.replace("-", "\\-") for verb in verbs])
    for program, words in (("man", ["--warnings=w", "-l"]), ("mandoc", ["-T", "lint", "-W", "error"])):
        if shutil.which(program) is None:
            continue
        with tempfile.NamedTemporaryFile("w", suffix=".1") as file:
            file.write(page)
            file.flush()
            result = subprocess.run([program, *words, file.name], capture_output=True, text=True,
                                    env=dict(os.environ, MANWIDTH="100", MAN_KEEP_FORMATTING="0", LC_ALL="C.UTF-8"))
        check(f"{program} has nothing to say", (result.returncode, result.stderr), (0, ""))
        if program == "man":
            text = re.sub(r".\x08", "", result.stdout)
            text = re.sub(r"\x1b\[[0-9;]*m", "", text)
            help_of_run = subprocess.run([QBITOPT, "run", "--help"], check=True, capture_output=True, text=True).stdout
            options = re.findall(r"^  (?:-\w \[ )?(--[a-z-]+)", help_of_run, re.M)
            run = text[text.index("qbitopt run SWEEP"):text.index("qbitopt retry (")]
            common = ["--help", "--quiet", "--no-color"]
            check("and shows the options of run", [o for o in options if o not in run and o not in common], [])


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "bin").mkdir()
        (folder / "bin/qbitopt").symlink_to(QBITOPT)
        (folder / "results").mkdir()
        subprocess.run([MAKE_EXAMPLE, folder / "results/qbitopt.db", "3"], check=True, stdout=subprocess.DEVNULL)
        for sweep in ("mine.yaml", "a sweep.yaml"):
            (folder / sweep).write_text("qbitopt: 1\n")
        with sqlite3.connect(f"file:{folder}/results/qbitopt.db?mode=ro", uri=True) as database:
            job = database.execute("SELECT job FROM runs ORDER BY key").fetchone()[0]
        environment = {"PATH": f"{folder}/bin:{os.environ['PATH']}", "HOME": name, "TERM": "dumb", "PS1": "$ ",
                       "LC_ALL": "C.UTF-8", "QBITOPT_SOURCE": SOURCE}
        check_bash(folder, environment, job)
        check_terminal("bash", "source <(qbitopt completion bash)", folder, environment, job)
        if shutil.which("zsh"):
            check_terminal("zsh", "autoload -Uz compinit; compinit -u; source <(qbitopt completion zsh); bindkey -e",
                           folder, environment, job)
        if shutil.which("fish"):
            check_fish(folder, environment, job)
        check_manual()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
