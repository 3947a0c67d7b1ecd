"""Every Python that the tests start loads this first (conftest.py sees to it): no connection leaves the machine."""

import ipaddress
import socket
import sys

HERE = {None, "", "localhost", socket.gethostname()}


def local(host):
    """Whether `host` is this machine."""
    host = host.decode() if isinstance(host, bytes) else host
    try:
        return host in HERE or ipaddress.ip_address(host).is_loopback or ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def offline(event, args):
    """Refuse looking up another machine's name, and sending it anything; a socket of a file is an address of text."""
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = args[0]
    elif event in ("socket.connect", "socket.sendto", "socket.sendmsg") and isinstance(args[1], tuple):
        host = args[1][0]
    else:
        return
    if not local(host):
        raise RuntimeError(f"tests and chapters use no network, but {event} was called for {host}")


sys.addaudithook(offline)
