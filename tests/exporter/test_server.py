"""HTTP as a scraper, a browser, a load balancer and a rude client use it."""

import gzip
import socket

import pytest

from driftmon.errors import UsageError
from driftmon.exporter import server
from driftmon.exporter.server import Address, HttpServer, Response, parse_address

BODY = b"x" * 1_000_000


def broken():
    raise ValueError("secret")


ROUTES = {
    "/metrics": lambda: Response((b"head\n", BODY), "text/plain; version=0.0.4", gzipped=(gzip.compress(b"head\n"), gzip.compress(BODY))),
    "/broken": broken,
}  # fmt: skip


@pytest.fixture
def address():
    http = HttpServer(Address("127.0.0.1", 0), ROUTES)
    http.start()
    yield http.address
    http.stop()


def test_a_plain_client_gets_plain_text(address, fetch):
    answer = fetch(address)

    assert answer.status == 200
    assert answer.body == b"head\n" + BODY
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4"
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize("accepted", ["gzip", "deflate, gzip;q=0.8", "*", "GZIP"])
def test_a_client_that_takes_gzip_gets_it(accepted, address, fetch):
    answer = fetch(address, headers={"Accept-Encoding": accepted})

    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.body) == b"head\n" + BODY


@pytest.mark.parametrize("accepted", ["", "identity", "gzip;q=0", "*;q=0", "gzip;q=x", "br"])
def test_a_client_that_does_not_take_gzip_gets_none(accepted, address, fetch):
    assert fetch(address, headers={"Accept-Encoding": accepted}).body == b"head\n" + BODY


def test_head_has_the_headers_of_get_and_no_body(address, fetch):
    head, get = fetch(address, method="HEAD"), fetch(address)

    assert head.body == b""
    assert {**head.headers, "Date": None} == {**get.headers, "Date": None}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"])
def test_other_methods_are_refused_in_one_line(method, address, fetch):
    answer = fetch(address, method=method, body=None if method == "TRACE" else b"data")

    assert answer.status == 405
    assert answer.headers["Allow"] == "GET, HEAD"
    assert answer.text == f"{method} is not allowed here; use GET or HEAD\n"


def test_an_unknown_path_is_not_found_and_says_what_there_is(address, fetch):
    answer = fetch(address, "/metric?x=1")

    assert answer.status == 404
    assert answer.text == "nothing here; there is /metrics, /broken\n"


def test_a_query_is_no_part_of_the_path(address, fetch):
    assert fetch(address, "/metrics?format=text").status == 200


def test_a_fault_of_ours_is_an_answer_without_its_inside(address, fetch, caplog):
    answer = fetch(address, "/broken")

    assert answer.status == 500
    assert answer.text == "internal error; the log says more\n"
    assert "secret" in caplog.text


@pytest.mark.parametrize("path", ["/metrics", "/nowhere"])
def test_no_answer_is_cached_framed_or_sniffed(path, address, fetch):
    headers = fetch(address, path).headers

    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Server"] == "driftmon"


def test_a_connection_is_used_again(address):
    with socket.create_connection((address.host, address.port), timeout=10) as client:
        stream = client.makefile("rb")
        for _ in range(3):
            client.sendall(b"HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            assert stream.readline() == b"HTTP/1.1 200 OK\r\n"
            while stream.readline() != b"\r\n":
                pass


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        (b"GET\r\n\r\n", b"bad request"),
        (b"nonsense\x00 more words than three\r\n\r\n", b"bad request"),
        (b"GET / HTTP/9.9\r\n\r\n", b"http version not supported"),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", b"431"),
    ],
)
def test_nonsense_is_refused_and_the_connection_closed(request_text, status, address):
    with socket.create_connection((address.host, address.port), timeout=10) as client:
        client.sendall(request_text)
        answer = client.makefile("rb").read()

    assert status in answer
    assert b"<html" not in answer


def test_a_body_is_not_taken_for_the_next_request(address):
    smuggled = b"GET /broken HTTP/1.1\r\nHost: x\r\n\r\n"
    request = b"HEAD /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(smuggled)
    with socket.create_connection((address.host, address.port), timeout=10) as client:
        client.sendall(request + smuggled)
        answer = client.makefile("rb").read()

    assert answer.count(b"HTTP/1.1") == 1


def test_silent_clients_hold_up_nobody(address, fetch):
    silent = [socket.create_connection((address.host, address.port)) for _ in range(20)]

    assert fetch(address).status == 200
    for client in silent:
        client.close()


def test_a_silent_client_is_let_go_after_a_while(address, monkeypatch):
    monkeypatch.setattr(server._Handler, "timeout", 0.2)
    with socket.create_connection((address.host, address.port), timeout=10) as client:
        assert client.recv(1) == b""


def test_a_client_that_leaves_in_the_middle_makes_no_noise(address, fetch, caplog):
    with socket.create_connection((address.host, address.port)) as client:
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")

    assert fetch(address).status == 200
    assert [record for record in caplog.records if record.levelname != "DEBUG"] == []


def test_a_port_in_use_is_one_clear_line(address):
    with pytest.raises(UsageError) as caught:
        HttpServer(address, ROUTES)

    assert str(caught.value) == (
        f"cannot listen on 127.0.0.1:{address.port}: address already in use; "
        "stop what listens there, or choose another address with --listen"
    )


def test_a_host_that_is_none_is_one_clear_line():
    with pytest.raises(UsageError, match=r"cannot listen on no-such-host\.invalid:1: "):
        HttpServer(Address("no-such-host.invalid", 1), ROUTES)


def test_a_stopped_server_frees_its_port():
    first = HttpServer(Address("127.0.0.1", 0), ROUTES)
    first.start()
    first.stop()

    second = HttpServer(first_address := Address("127.0.0.1", first.address.port), ROUTES)
    assert second.address == first_address
    second.stop()


def test_a_server_that_never_started_can_be_stopped():
    HttpServer(Address("127.0.0.1", 0), ROUTES).stop()


def _has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6 loopback")
def test_an_ipv6_address_can_be_listened_on(fetch):
    http = HttpServer(parse_address("[::1]:0"), ROUTES)
    http.start()

    assert fetch(http.address).status == 200
    http.stop()


def test_an_empty_host_is_every_interface(fetch):
    http = HttpServer(parse_address(":0"), ROUTES)
    http.start()

    assert fetch(Address("127.0.0.1", http.address.port)).status == 200
    http.stop()


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9877", Address("127.0.0.1", 9877)),
        ("localhost:0", Address("localhost", 0)),
        (":9877", Address("", 9877)),
        ("[::1]:9877", Address("::1", 9877)),
        ("[fe80::1%eth0]:65535", Address("fe80::1%eth0", 65535)),
    ],
)
def test_an_address_is_read_and_written_alike(text, address):
    assert parse_address(text) == address
    assert str(address) == text


@pytest.mark.parametrize("text", ["", "9877", "localhost", "::1:9877", "a:b", "a:-1", "a:65536", "a:1\n", "http://a:1", "a b:1", "[]:1", "a:٣"])  # fmt: skip
def test_what_is_no_address_is_refused_with_an_example(text):
    with pytest.raises(UsageError) as caught:
        parse_address(text)

    assert str(caught.value).startswith(f"--listen {text!r} is not an address; expected host:port")
