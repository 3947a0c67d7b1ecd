"""Neither the tests nor what they start reach another machine."""

import contextlib
import socket
import subprocess
import sys

import pytest

ELSEWHERE = "192.0.2.1"  # belongs to nobody: for documentation


@pytest.mark.parametrize(
    "reach",
    [
        lambda: socket.create_connection((ELSEWHERE, 80), timeout=1),
        lambda: socket.socket().connect((ELSEWHERE, 80)),
        lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"", (ELSEWHERE, 53)),
        lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendmsg([b""], [], 0, (ELSEWHERE, 53)),
        lambda: socket.getaddrinfo("example.org", 80),
        lambda: socket.gethostbyname("example.org"),
    ],
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the sockets that were not used
def test_another_machine_is_refused(reach):
    with pytest.raises(RuntimeError, match="use no network"):
        reach()


@pytest.mark.parametrize("host", [None, "", "localhost", b"localhost", socket.gethostname(), "0.0.0.0", "127.0.0.2", "::1"])
def test_this_machine_is_not(host):
    with contextlib.suppress(OSError):  # where it does not know its own name
        socket.getaddrinfo(host, 80)


def test_a_server_on_this_machine_is_reached(tmp_path, monkeypatch):
    with socket.create_server(("localhost", 0)) as server:
        socket.create_connection(server.getsockname()).close()
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        monkeypatch.chdir(tmp_path)  # the address of a socket must be short
        server.bind("here")
        server.listen()
        client.connect("here")


@pytest.mark.parametrize("command", [["-c"], ["-m", "IPython", "--no-banner", "-c"]])
def test_a_process_is_refused_too(command):
    code = f"import socket; socket.create_connection(('{ELSEWHERE}', 80), timeout=1)"
    done = subprocess.run([sys.executable, *command, code], capture_output=True, text=True)
    assert "use no network" in done.stdout + done.stderr
