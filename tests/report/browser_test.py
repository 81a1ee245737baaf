"""Opens a report in headless Chromium as a reader would: browser_test.py REPORT.html DATABASE QBITOPT [SCREENSHOTS]

Speaks the WebDriver protocol to chromedriver with the standard library alone. Exits with 77 (a skipped
test) where Chromium or chromedriver is missing. With a folder for SCREENSHOTS, pictures in both themes and
on a phone's width are left there.
"""
import base64
import contextlib
import json
import pathlib
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

SKIPPED = 77
HOSTILE = "<script>alert(1)</script>"


class Browser:
    """One session of chromedriver."""

    def __init__(self, chromium, chromedriver):
        with contextlib.closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.driver = subprocess.Popen([chromedriver, f"--port={self.port}"], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
        options = {"binary": chromium,
                   "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                            "--disable-ipc-flooding-protection", "--window-size=1280,900", "--hide-scrollbars"]}
        capabilities = {"browserName": "chrome", "goog:chromeOptions": options,
                        "goog:loggingPrefs": {"browser": "ALL"}}
        self.wait_until_ready()
        session = self.call("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        self.session = "/session/" + session["sessionId"]

    def wait_until_ready(self):
        for _ in range(200):
            with contextlib.suppress(OSError):
                if self.call("GET", "/status")["ready"]:
                    return
            time.sleep(0.1)
        raise RuntimeError("chromedriver does not answer")

    def call(self, method, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method,
                                         data=None if body is None else json.dumps(body).encode())
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as response:
                return json.load(response)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(json.load(error)["value"]["message"]) from error

    def open(self, url):
        self.call("POST", self.session + "/url", {"url": url})

    def run(self, script, *arguments):
        return self.call("POST", self.session + "/execute/sync", {"script": script, "args": list(arguments)})

    def command(self, name, **parameters):
        return self.call("POST", self.session + "/goog/cdp/execute", {"cmd": name, "params": parameters})

    def console(self):
        log = self.call("POST", self.session + "/se/log", {"type": "browser"})
        return [entry["message"] for entry in log if entry["level"] in ("SEVERE", "WARNING")]

    def screenshot(self, file):
        file.write_bytes(base64.b64decode(self.call("GET", self.session + "/screenshot")))

    def close(self):
        with contextlib.suppress(Exception):
            self.call("DELETE", self.session)
        self.driver.terminate()
        self.driver.wait()


passed = failed = 0


def check(what, found, expected=True):
    global passed, failed
    if found == expected:
        passed += 1
    else:
        failed += 1
        print(f"FAILED {what}\n  found    {found!r}\n  expected {expected!r}")


def column(browser, table, title):
    """Texts of the shown rows of a table's column, in their order."""
    return browser.run("""
        const table = document.getElementById(arguments[0]);
        const heads = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
        const place = heads.indexOf(arguments[1]);
        return [...table.tBodies[0].rows].filter((row) => !row.hidden).map((row) => row.cells[place].textContent);
    """, table, title)


def click_head(browser, table, title):
    browser.run("""
        const heads = [...document.getElementById(arguments[0]).tHead.rows[0].cells];
        heads.find((cell) => cell.textContent === arguments[1]).querySelector('button').click();
    """, table, title)


def type_filter(browser, table, words):
    browser.run("""
        const input = document.querySelector(`[data-table="${arguments[0]}"] input`);
        input.value = arguments[1];
        input.dispatchEvent(new Event('input'));
    """, table, words)


def check_page(browser, jobs):
    check("every job is listed", sorted(column(browser, "all-runs", "Job")), sorted(key[:10] for key in jobs))
    check("a hostile name is text",
          browser.run("return [...document.querySelectorAll('#all-runs td, .qbitopt-table th')]"
                      ".some((cell) => cell.textContent === arguments[0])", HOSTILE))
    check("no markup from data", browser.run("return document.querySelectorAll('img, b, iframe').length"), 0)
    check("scripts are the page's own", browser.run("return document.scripts.length"), 2)
    check("figures are drawn", browser.run("return document.querySelectorAll('figure svg').length") >= 9)
    check("ids are unique", browser.run(
        "const ids = [...document.querySelectorAll('[id]')].map((node) => node.id);"
        "return ids.filter((id, i) => ids.indexOf(id) !== i)"), [])
    check("nothing was loaded", browser.run("return performance.getEntriesByType('resource').length"), 0)
    check("fits the window", browser.run("return document.documentElement.scrollWidth <= innerWidth"))


def check_comparison(browser, url):
    """What a reviewer reads first, on a screen of 1300 pixels."""
    emulate(browser, 1300, 900, "light")
    browser.open(url)
    check("the comparison is first", browser.run("return document.querySelector('main section').id"), "comparison")
    check("and on the first screen", browser.run(
        "return document.querySelector('#comparison table tbody tr').getBoundingClientRect().bottom <= innerHeight"))
    check("it needs no sideways scrolling", browser.run(
        "return [...document.querySelectorAll('.qbitopt-table table')].filter((table) =>"
        " table.scrollWidth > table.parentElement.clientWidth).map((table) => table.id)"), [])
    check("what is left out is said", browser.run(
        "return document.querySelector('#comparison .left-out').textContent.startsWith('Not in these means: ')"))


def check_csv(browser, database, qbitopt):
    """The button gives the rows that the command gives."""
    figures = browser.run("return [...document.querySelectorAll('button.csv')].map((button) => button.dataset.figure)")
    check("figures have their data", len(figures) >= 9)
    with tempfile.TemporaryDirectory() as folder:
        browser.command("Browser.setDownloadBehavior", behavior="allow", downloadPath=folder)
        browser.run("document.querySelector('button.csv').click()")
        file = pathlib.Path(folder) / f"{figures[0]}.csv"
        for _ in range(100):
            if file.exists():
                break
            time.sleep(0.1)
        expected = subprocess.run([qbitopt, "plot", figures[0], "--format", "csv", "-o", f"{folder}/expected.csv", "--db", database],
                                  check=True, capture_output=True) and pathlib.Path(folder, "expected.csv").read_bytes()
        check("the file has the rows of the figure", file.exists() and file.read_bytes() == expected)


def check_tooltip(browser, jobs):
    """The value under the pointer, on a chart of a run."""
    key = next(key for key in jobs if jobs[key] == "finished")
    browser.run("location.hash = `#run-${arguments[0]}`; window.dispatchEvent(new HashChangeEvent('hashchange'))", key[:10])
    place = browser.run("""
        const chart = document.querySelector('#run svg.chart');
        chart.scrollIntoView({block: 'center'});
        const box = chart.getBoundingClientRect();
        return [box.left + box.width / 2, box.top + box.height / 2];
    """)
    browser.command("Input.dispatchMouseEvent", type="mouseMoved", x=place[0], y=place[1])
    reading = browser.run("return document.querySelector('#run .reading').textContent")
    check("the pointer reads step and value", reading.startswith("step ") and "train" in reading)
    browser.run("location.hash = ''; window.dispatchEvent(new HashChangeEvent('hashchange'))")


def key(browser, name):
    """A key that is pressed and released in the focused element."""
    for kind in ("rawKeyDown", "keyUp"):
        browser.command("Input.dispatchKeyEvent", type=kind, key=name, code=name)


def lit(browser):
    """For each figure, the labels of its marks that are lit; {} if none is."""
    return browser.run("""
        if (!document.getElementById('figures').classList.contains('lit')) return {};
        return Object.fromEntries([...document.querySelectorAll('#figures figure')].map((figure) =>
            [figure.id, [...figure.querySelectorAll('.role-mark .on')].map((mark) => mark.getAttribute('aria-label'))]));
    """)


def check_figures(browser, database):
    """What a mark says under the pointer and to the keyboard; the runs of a row or a mark light up in all figures."""
    browser.run("window.scrollTo(0, 0)")
    place = browser.run("""
        const mark = document.querySelector('#figure-bits_per_layer .mark-rect [aria-label^="qbitopt, "]');
        mark.scrollIntoView({block: 'center'});
        const box = mark.getBoundingClientRect();
        return [box.left + box.width / 2, box.top + box.height / 2];
    """)
    for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
        browser.command("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)
    tip = browser.run("const tip = document.querySelector('.tip'); return tip.hidden ? '' : tip.textContent")
    configuration = tip.removeprefix("qbitopt, features.0.0: 8 bits, configuration ")
    jobs = {key[:10] for (key,) in database.execute("SELECT key FROM runs WHERE substr(config_key, 1, 10) = ?", [configuration])}
    check("the pointer reads configuration, layer and value", len(jobs) > 0)
    shown = lit(browser)
    check("a click lights up the configuration", all(configuration in label for label in shown["figure-bits_per_layer"]))
    check("and the runs of other figures", {label[-10:] for label in shown["figure-time_per_job"]}, jobs)
    check("and the rows of the comparison", jobs <= set(browser.run(
        "return [...document.querySelectorAll('.qbitopt-table tr.on')].flatMap((row) => row.dataset.runs.split(' '))")))
    for kind in ("mousePressed", "mouseReleased"):
        browser.command("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)
    check("a second click ends it", lit(browser), {})

    runs = browser.run("""
        const row = document.querySelector('.qbitopt-table tr[data-row="qbitopt@2.5"]');
        row.querySelector('th button').click();
        return [row.dataset.runs, row.querySelector('th button').getAttribute('aria-pressed')];
    """)
    shown = lit(browser)
    check("a row of the comparison lights up its runs", {label[-10:] for label in shown["figure-time_per_job"]}, set(runs[0].split()))
    check("in every figure but those of another budget", {name for name in shown if not shown[name]},
          {"figure-bits_per_layer", "figure-curves"})
    check("and says so", runs[1], "true")
    browser.open("about:blank")
    browser.call("POST", browser.session + "/back", {})
    check("a reload keeps it", lit(browser), shown)

    browser.run("document.querySelector('#figure-accuracy_over_bits .drawing').focus()")
    key(browser, "Escape")
    check("Escape ends it", lit(browser), {})
    for _ in range(2):
        key(browser, "ArrowRight")
    second = browser.run("""
        const marks = document.querySelectorAll('#figure-accuracy_over_bits .role-mark [aria-label]');
        return [document.querySelector('.tip').textContent, marks[1].getAttribute('aria-label'), document.querySelector('.tip').hidden];
    """)
    check("arrow keys step through the marks", second, [second[1], second[1], False])
    key(browser, "Enter")
    check("Enter lights it up", second[1] in lit(browser)["figure-accuracy_over_bits"])
    key(browser, "Enter")

    widths = browser.run("""
        const figure = document.querySelector('#figure-curves');
        const width = () => figure.querySelector('svg').getBoundingClientRect().width;
        const button = figure.querySelector('button.larger');
        const before = width();
        button.click();
        const after = width();
        button.click();
        return [after / before, width() / before, document.documentElement.scrollWidth <= innerWidth];
    """)
    check("a figure can be enlarged", [round(widths[0], 2), round(widths[1], 2), widths[2]], [2, 1, True])


def check_sorting(browser):
    click_head(browser, "all-runs", "Top-1 [%]")
    values = column(browser, "all-runs", "Top-1 [%]")
    numbers = [float(value) for value in values if value]
    check("sorts upwards", numbers, sorted(numbers))
    check("empty cells are last", values[len(numbers):], [""] * (len(values) - len(numbers)))
    click_head(browser, "all-runs", "Top-1 [%]")
    values = column(browser, "all-runs", "Top-1 [%]")
    check("sorts downwards, empty cells last", values[:len(numbers)], [f"{n:.2f}" for n in sorted(numbers)[::-1]])
    check("says how it is sorted", browser.run(
        "return document.querySelector('#all-runs th[aria-sort]').getAttribute('aria-sort')"), "descending")


def check_filter(browser, jobs):
    type_filter(browser, "all-runs", "qbitopt")
    methods = set(column(browser, "all-runs", "Method"))
    check("filters by words", methods, {"qbitopt"})
    type_filter(browser, "all-runs", "")
    browser.run("""
        const select = document.querySelector('[data-table="all-runs"] select');
        select.value = 'failed';
        select.dispatchEvent(new Event('change'));
    """)
    check("filters by state", len(column(browser, "all-runs", "Job")),
          sum(state == "failed" for state in jobs.values()))
    check("says how many", browser.run(
        "return document.querySelector('[data-table=\"all-runs\"] .count').textContent"),
          f"{sum(state == 'failed' for state in jobs.values())} of {len(jobs)} rows")
    browser.run("""
        const select = document.querySelector('[data-table="all-runs"] select');
        select.value = '';
        select.dispatchEvent(new Event('change'));
    """)


def check_run_pages(browser, jobs):
    problems = browser.run("""
        return arguments[0].filter((key) => {
            location.hash = `#run-${key.slice(0, 10)}`;
            window.dispatchEvent(new HashChangeEvent('hashchange'));
            const page = document.getElementById('run');
            return page.hidden || !page.textContent.includes(key);
        });
    """, list(jobs))
    check("every run has a page", problems, [])
    browser.run("location.hash = '#runs'; window.dispatchEvent(new HashChangeEvent('hashchange'))")
    check("and a way back", browser.run("return !document.getElementById('overview').hidden"))


def check_copying(browser):
    browser.command("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    browser.run("document.querySelector('#comparison details').open = true;"
                "document.querySelector('#comparison .copy').click()")
    for _ in range(50):
        if browser.run("return document.querySelector('#comparison .copy').textContent") == "Copied":
            break
        time.sleep(0.1)
    check("copies the SQL", browser.run("return document.querySelector('#comparison .copy').textContent"), "Copied")


def emulate(browser, width, height, scheme, scale=1):
    browser.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale,
                    mobile=width < 600)
    browser.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])


def check_phone(browser, url):
    emulate(browser, 390, 844, "dark")
    browser.open(url)
    check("fits a phone", browser.run("return document.documentElement.scrollWidth <= innerWidth"))
    check("follows the theme", browser.run("return getComputedStyle(document.body).backgroundColor"),
          "rgb(17, 21, 26)")


def take_screenshots(browser, url, jobs, folder):
    folder.mkdir(parents=True, exist_ok=True)
    shown = next((key for key in jobs if jobs[key] == "finished" and key in reallocated(browser)), next(iter(jobs)))
    for name, width, scheme in [("light", 1280, "light"), ("dark", 1280, "dark"), ("phone", 390, "light")]:
        emulate(browser, width, 900, scheme)
        browser.open("about:blank")
        browser.open(url)
        height = browser.run("return document.documentElement.scrollHeight")
        emulate(browser, width, height, scheme)
        browser.screenshot(folder / f"{name}.png")
        emulate(browser, width, 900, scheme)
        browser.open("about:blank")
        browser.open(f"{url}#run-{shown[:10]}")
        emulate(browser, width, browser.run("return document.documentElement.scrollHeight"), scheme)
        browser.screenshot(folder / f"{name}-run.png")


def reallocated(browser):
    details = browser.run("return JSON.parse(document.getElementById('data').textContent)")
    fields = details["runs"]["fields"]
    rows = [dict(zip(fields, row)) for row in details["runs"]["rows"]]
    return [row["key"] for row in rows if len(details["details"].get(row["job"], {}).get("history", [])) > 1]


def main():
    report, database, qbitopt = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2], sys.argv[3]
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    chromedriver = shutil.which("chromedriver")
    if chromium is None or chromedriver is None:
        print("skipped: no Chromium with chromedriver (Debian: apt-get install chromium chromium-driver)")
        return SKIPPED
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    jobs = dict(connection.execute("SELECT key, state FROM runs"))
    size = report.stat().st_size
    check("below 3 MB", size < 3_000_000)
    browser = Browser(chromium, chromedriver)
    try:
        browser.open(report.as_uri())
        check_page(browser, jobs)
        check_sorting(browser)
        check_filter(browser, jobs)
        check_run_pages(browser, jobs)
        check_copying(browser)
        check_csv(browser, database, qbitopt)
        check_tooltip(browser, jobs)
        check_figures(browser, connection)
        check_comparison(browser, report.as_uri())
        check_phone(browser, report.as_uri())
        check("the console is silent", browser.console(), [])
        if len(sys.argv) > 4:
            take_screenshots(browser, report.as_uri(), jobs, pathlib.Path(sys.argv[4]))
    finally:
        browser.close()
    print(f"{passed} passed, {failed} failed; {len(jobs)} jobs in {size / 1e6:.2f} MB")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
