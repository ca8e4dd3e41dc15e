"""Who signs in in the tests of the pages, what they bring along, a browser without scripts, and looks at a real one."""

from fastapi.testclient import TestClient

from bence.registry import Access

# an export of a laboratory: a heading that nobody knows, a cell that is no number
EXPORT = "病历号,采样日期,血红蛋白(g/L),怪项目,白蛋白(g/L)\nN01,2026-01-05,98,7.5,35\nN01,2026-02-05,一百,7.1,36\nN02,2026-01-07,121,,39\n"
PASSWORD = "correct horse battery"
OWNER = Access("owner", ["administrator", "centre_lead"], ["WH"])


class Browser(TestClient):
    """A browser without scripts: it keeps cookies, follows redirects, and fills the token of the session into its forms."""

    def sign_in(self, name, password=PASSWORD):
        """Sign in, without loading the first page after it, which costs more than most tests do."""
        self.cookies.set("lang", "en")
        answer = self.post("/sign-in", data={"name": name, "password": password}, follow_redirects=False)
        token = self.cookies.get("bence_session")
        self.csrf = self.app.state.registry.store.session(token).csrf if token else ""
        return answer

    def submit(self, address, **fields):
        return self.post(address, data={"csrf": self.csrf, **fields})


def axe(tab, colours=True):
    """What axe finds wrong with the page of a tab, each fault with the elements it is in.

    Whether text stands out from its ground takes axe more time than all else; `colours` False leaves that out.
    """
    from axe_playwright_python.sync_playwright import Axe

    options = {"resultTypes": ["violations"], "rules": {"color-contrast": {"enabled": colours}}}
    found = Axe().run(tab, options=options).response["violations"]
    return [(each["id"], [node["html"][:150] for node in each["nodes"]]) for each in found]


def overlapping(tab):
    """The labels of the course that lie over each other, as pairs of places."""
    labels = tab.evaluate(
        """() => [...document.querySelectorAll('#course svg text')].map(e => e.getBoundingClientRect())
             .filter(r => r.width > 0).map(r => [r.left, r.top, r.right, r.bottom])"""
    )
    assert labels
    return [(a, b) for i, a in enumerate(labels) for b in labels[i + 1 :]
            if min(a[2], b[2]) - max(a[0], b[0]) > 3 and min(a[3], b[3]) - max(a[1], b[1]) > 5]  # fmt: skip


def check(tab, path=None, colours=False):
    """A page in another language, or the one that is shown: nothing that axe finds wrong, and on a telephone nothing sticks out.

    The colours are those of the same page in Chinese; where a test in Chinese looks at them, they are not looked at again.
    """
    if path:
        tab.goto(path)
    assert axe(tab, colours) == [], tab.url
    tab.set_viewport_size({"width": 390, "height": 800})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390, tab.url
    tab.set_viewport_size({"width": 1280, "height": 800})
