"""Watches a sweep in headless Chromium: live_test.py QBITOPT FAKE_WORKER

`qbitopt report --watch` rewrites the page while a sweep runs, and nobody touches the browser: the page must count on by
itself, leave alone who types, and stop when the sweep ends. Exits with 77 where Chromium or chromedriver is missing.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from browser_test import SKIPPED, Browser, check, emulate
import browser_test

SWEEP = """qbitopt: 1
name: live
set: {model: resnet8, data.name: synthetic, pretraining.steps: 4, training.steps: 4}
seeds: 3
cases:
  fp32: {set: {method: fp32}, seeds: 1}
  continued: {set: {method: fp32_continued}}
  fixed: {set: {method: fixed_precision}, grid: {budget.average_bits: [3]}}
  qbitopt: {set: {method: qbitopt}, grid: {budget.average_bits: [3]}}
tables: [table.yaml]
"""
TABLE = """title: A table with all columns that a comparison has
split_by: [budget.average_bits]
rows:
  fp32:      {label: full precision, where: {method: fp32}}
  continued: {label: full precision continued, where: {method: fp32_continued}}
  fixed:     {label: fixed precision (LSQ), where: {method: fixed_precision}}
  qbitopt:   {label: QBitOpt, where: {method: qbitopt}}
claims:
  - {say: QBitOpt is better than fixed precision at 3 bits, better: qbitopt, than: fixed, at: [3]}
"""
JOBS = 10


def finished(browser):
    return browser.run("return document.querySelectorAll('#all-runs tr[data-state=finished]').length")


def wait_until(is_true, seconds=60):
    end = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def watch(browser, qbitopt, worker, folder):
    (folder / "live.yaml").write_text(SWEEP)
    (folder / "table.yaml").write_text(TABLE)
    environment = dict(os.environ, QBITOPT_WORKER=worker,
                       FAKE_WORKER=json.dumps([{"do": "finish", "steps": 4, "step_seconds": 0.4}]))
    words = {"cwd": folder, "env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    driver = subprocess.Popen([qbitopt, "run", "live.yaml", "-j", "1"], **words)
    wait_until(lambda: (folder / "results/qbitopt.db").exists())
    report = subprocess.Popen([qbitopt, "report", "--watch", "--interval", "1", "--output", "live.html"], **words)
    page = folder / "live.html"
    check("the page appears while the sweep runs", wait_until(page.exists) and driver.poll() is None)
    browser.open(page.as_uri())
    browser.run("window.loadedOnce = true")
    seen = [finished(browser)]
    check("it reloads by itself", wait_until(lambda: not browser.run("return window.loadedOnce === true")))
    check("it counts on", wait_until(lambda: finished(browser) > seen[0]))
    browser.run("document.querySelector('[data-table=all-runs] input').focus(); window.isTyping = true")
    time.sleep(2.5)
    check("it leaves alone who types", browser.run("return window.isTyping === true"))
    browser.run("document.activeElement.blur()")
    check("the sweep ends", driver.wait(timeout=120), 0)
    check("and so does the report", report.wait(timeout=60), 0)
    check("with all jobs", wait_until(lambda: finished(browser) == JOBS))
    browser.run("window.isLast = true")
    time.sleep(2.5)
    check("the last page stands still", browser.run("return window.isLast === true"))


def check_verdict(browser):
    emulate(browser, 1300, 900, "light")
    check("the verdict of a claim is a sentence above its table",
          browser.run("return document.querySelector('#comparison .verdicts li strong').textContent").rsplit(": ", 1)[0],
          "QBitOpt is better than fixed precision at 3 bits")
    check("all columns fit 1300 pixels", browser.run(
        "const table = document.querySelector('.qbitopt-table table');"
        "return [table.textContent.includes('against fixed'), table.scrollWidth <= table.parentElement.clientWidth]"), [True, True])
    check("nothing is left out", browser.run("return document.querySelector('.left-out').textContent"),
          "Not in these means: nothing; all jobs have finished within their budgets.")


def main():
    qbitopt, worker = (os.path.abspath(word) for word in sys.argv[1:3])
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None or shutil.which("chromedriver") is None:
        return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        browser = Browser(chromium, shutil.which("chromedriver"))
        try:
            watch(browser, qbitopt, worker, pathlib.Path(folder))
            check_verdict(browser)
        finally:
            browser.close()
    print(f"{browser_test.passed} passed, {browser_test.failed} failed, while a sweep ran")
    return 1 if browser_test.failed else 0


if __name__ == "__main__":
    sys.exit(main())
