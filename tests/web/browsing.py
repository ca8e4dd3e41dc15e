"""Who signs in in the tests of the pages, and a browser without scripts."""

from fastapi.testclient import TestClient

from bence.registry import Access

PASSWORD = "correct horse battery"
OWNER = Access("owner", ["administrator", "centre_lead"], ["WH"])


class Browser(TestClient):
    """A browser without scripts: it keeps cookies, follows redirects, and fills the token of the session into its forms."""

    def sign_in(self, name, password=PASSWORD):
        self.cookies.set("lang", "en")
        answer = self.post("/sign-in", data={"name": name, "password": password})
        token = self.cookies.get("bence_session")
        self.csrf = self.app.state.registry.store.session(token).csrf if token else ""
        return answer

    def submit(self, address, **fields):
        return self.post(address, data={"csrf": self.csrf, **fields})


def axe(tab):
    """What axe finds wrong with the page of a tab, each fault with the elements it is in."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(tab).response["violations"]
    return [(each["id"], [node["html"][:150] for node in each["nodes"]]) for each in found]
