"""`make lab`: JupyterLab wants a token, and nobody from outside can reach it."""

import os
import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

PROJECT = Path(__file__).parents[2]
TOKEN = "a-token-of-this-test"


def recipe():
    """Return what `make lab` starts, with this Python's JupyterLab."""
    (line,) = re.findall(r"^lab:.*\n\t(.*)$", (PROJECT / "Makefile").read_text(), re.M)
    words = shlex.split(line.replace("$(ARGS)", "").replace("$(BIN)/", ""))
    assert words[:2] == ["jupyter", "lab"]
    return [sys.executable, "-m", "jupyterlab", *words[2:]]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Start it on a free port without a browser; yield the process and its address."""
    scratch = tmp_path_factory.mktemp("jupyter")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--no-browser", "--allow-root"]
    folders = {"JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"}
    environment = os.environ | dict.fromkeys(folders, str(scratch)) | {"JUPYTER_TOKEN": TOKEN}
    with open(scratch / "log.txt", "w") as log:
        process = subprocess.Popen([*recipe(), *own], cwd=PROJECT, env=environment, stdout=log, stderr=log)
    try:
        yield process, wait_for(f"http://127.0.0.1:{port}", process, scratch / "log.txt")
    finally:
        process.terminate()
        process.wait(60)


def wait_for(address, process, log):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            answer(address, "/api")
        except urllib.error.URLError:
            time.sleep(0.2)
        else:
            return address
    pytest.fail(log.read_text())


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def answer(address, path, token=None):
    """Return status and place of an answer."""
    request = urllib.request.Request(address + path)
    if token:
        request.add_header("Authorization", f"token {token}")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect)
    try:
        with opener.open(request, timeout=30) as found:
            return found.status, ""
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("Location", "")


@pytest.mark.slow
def test_without_the_token_nothing_is_shown(lab):
    _, address = lab
    assert answer(address, "/api/contents") == (403, "")
    assert answer(address, "/api/kernels", token="wrong")[0] == 403
    status, place = answer(address, "/lab")
    assert (status, place.startswith("/login")) == (302, True)
    assert answer(address, "/api/contents", token=TOKEN)[0] == 200


@pytest.mark.slow
def test_it_listens_on_this_machine_only(lab):
    process, address = lab
    port = int(address.rpartition(":")[2])
    listening = [c.laddr for c in psutil.Process(process.pid).net_connections("inet") if c.status == "LISTEN"]
    assert {place.ip for place in listening if place.port == port} <= {"127.0.0.1", "::1"}
    assert port in {place.port for place in listening}


def test_the_recipe_switches_nothing_off():
    words = " ".join(recipe())
    for switch in ("token", "password", "ip=", "allow_remote", "allow_origin", "disable_check_xsrf"):
        assert switch not in words
