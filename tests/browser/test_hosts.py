"""Under which names a browser may ask for the dashboard: nobody else's name may be resolved to it and read it."""

from __future__ import annotations

import base64
import os
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from tests.browser.server import Server


def handshake(url: str, host: str) -> int:
    """The status with which the server answers to a request for the stream of a session, under a name."""
    address = urlsplit(url)
    connection = HTTPConnection(address.hostname or "", address.port or 80, timeout=20)
    headers = {
        "Host": f"{host}:{address.port}",
        "Origin": f"http://{host}:{address.port}",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
    }
    connection.request("GET", "/_stcore/stream", headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_this_machine_is_served(server: Server, host: str) -> None:
    assert handshake(server.url, host) == 101


@pytest.mark.parametrize("host", ["dashboard.example", "localhost.example", "127.0.0.1.example"])
def test_a_name_of_somebody_else_is_not(server: Server, host: str) -> None:
    assert handshake(server.url, host) == 403
