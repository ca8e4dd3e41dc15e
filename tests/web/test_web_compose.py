"""The compose file of the how-to: its parts fit together, and it says nothing that the program does not know."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from bence.cli import bence
from bence.web import Settings

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "serve.md"
OF_A_SERVICE = {"image", "environment", "secrets", "volumes", "command", "ports", "depends_on", "restart", "healthcheck"}
IMAGES = re.compile(r"(postgres|python):[\w.-]+")


@pytest.fixture(scope="module")
def compose():
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return yaml.safe_load(next(block for block in blocks if block.startswith("# compose.yaml")))


def test_what_a_service_points_to_is_there(compose):
    assert set(compose) == {"services", "secrets", "volumes"}
    for service in compose["services"].values():
        assert set(service) <= OF_A_SERVICE
        assert IMAGES.fullmatch(service["image"])
        assert set(service.get("depends_on", ())) <= set(compose["services"])
        assert set(service.get("secrets", ())) <= set(compose["secrets"])
        assert all(mount.startswith(("/", "./")) or mount.split(":")[0] in compose["volumes"] for mount in service.get("volumes", ()))
        assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in service.get("ports", ())), "only this machine reaches it"


def test_the_settings_are_known_and_accepted(compose, monkeypatch):
    said = compose["services"]["bence"]["environment"]
    known = {f"BENCE_{name.upper()}" for name in Settings.model_fields}
    assert set(said) <= known
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    assert Settings().secure
    host = re.search(r"@(\w+)/", Settings().database)[1]
    assert host in compose["services"]


def test_the_command_is_one_of_the_program(compose):
    script = shlex.split(compose["services"]["bence"]["command"])[-1]
    program, command, *options = shlex.split(script.rsplit("exec ", 1)[1])
    assert program == "bence"
    shown = CliRunner().invoke(bence, [command, "--help"])
    assert shown.exit_code == 0
    assert all(option in shown.output for option in options if option.startswith("--"))


def test_the_table_of_settings_is_complete():
    page = PAGE.read_text("utf-8")
    told = set(re.findall(r"`(BENCE_[A-Z_]+)`", page)) | {f"BENCE_OIDC{end}" for end in re.findall(r"`(_[A-Z]+)`", page)}
    assert {f"BENCE_{name.upper()}" for name in Settings.model_fields} <= told
