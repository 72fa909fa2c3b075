"""A server and hostile_requests who mean it harm."""

import http.client
import socket
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from evaluators import picture, save_evaluator
from PIL import Image

from stress.images import liars, samples

MEGABYTES, SECONDS = 2.0, 2.0  # the server's limits
AT_ONCE = 32
SECRETS = (b"/work", b"/home", b"/root", b"/tmp", b"site-packages", b"Traceback", b"passwd:", b"root:")


class Server:
    """`gada serve` in a process of its own."""

    def __init__(self, folder: Path) -> None:
        model = save_evaluator(folder / "evaluator.safetensors")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        call = [sys.executable, "-m", "gada", "serve", "--model", str(model), "--port", str(self.port)]
        call += ["--max-megabytes", str(MEGABYTES), "--max-seconds", str(SECONDS)]
        self.log = (folder / "server.log").open("wb")
        self.process = subprocess.Popen(call, stdout=self.log, stderr=self.log)

    def __enter__(self) -> "Server":
        for _ in range(600):
            with suppress(OSError):
                if self.healthy():
                    return self
            time.sleep(0.1)
        raise RuntimeError("the server did not start")

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.log.close()

    def healthy(self) -> bool:
        """Tell whether the server answers and scores."""
        file = BytesIO()
        Image.fromarray(picture(0)).save(file, "PNG")
        status, body = self.request("POST", "/v1/score", file.getvalue())
        return status == 200 and b'"score"' in body

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        """Ask, and return status and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.read() + repr(answer.getheaders()).encode()
        finally:
            connection.close()

    def raw(self, *pieces: bytes, pause: float = 0.0) -> tuple[int, bytes]:
        """Send bytes as they are, in pieces, and return the status (0 where the server just hung up) and the answer."""
        answer = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            with suppress(OSError):  # the server may hang up before everything is sent
                for piece in pieces:
                    connection.sendall(piece)
                    time.sleep(pause)
            with suppress(OSError):
                while part := connection.recv(65536):
                    answer += part
        return (int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else 0), answer

    def memory(self) -> float:
        """Return the greatest memory that the server has had, in bytes."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return float(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) * 1024


def hostile_requests(count: int, folder: Path, seed: int = 0) -> dict[str, Any]:
    """Send `count` hostile requests, many at once; each must be refused, and the server must stay well."""
    folder.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    with Server(folder) as server:
        before = server.memory()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = list(pool.map(lambda number: visit(server, number, seed), range(count)))
        wrong = [sentence for _, sentence in found if sentence]
        if not server.healthy():
            wrong.append("the server is no longer healthy")
        memory = server.memory()
    statuses = Counter(status or "closed" for status, _ in found)
    bounded = memory - before < 1e9
    return {
        "test": "hostile requests to the server, 32 at once",
        "count": count,
        "failures": len(wrong),
        "measured": ", ".join(f"{number} x {status}" for status, number in statuses.most_common())
        + f"; memory grew by {(memory - before) / 1e6:.0f} MB; healthy afterwards",
        "limits": "every answer 4xx or 503, memory bounded, still healthy",
        "held": not wrong and bounded,
        "seconds": round(time.monotonic() - start),
        "examples": wrong[:5],
    }


def visit(server: Server, number: int, seed: int) -> tuple[int, str]:
    """Send one hostile request; return the status and what was wrong with the answer."""
    random = np.random.default_rng([seed, number])
    name, kind = list(VISITS.items())[number % len(VISITS)]
    try:
        status, answer = kind(server, random)
    except Exception as error:
        return 0, f"{name}: {type(error).__name__}: {error}"
    if not ((status == 0 and name.startswith(("slow", "half"))) or 400 <= status < 500 or status == 503):
        return status, f"{name}: status {status}"
    told = [secret.decode() for secret in SECRETS if secret in answer]
    return status, f"{name}: the answer tells {told}" if told else ""


Answer = tuple[int, bytes]
HEAD = b"POST /v1/score HTTP/1.1\r\nHost: localhost\r\n"


def oversize(server: Server, random: np.random.Generator) -> Answer:
    """A body larger than allowed, announced."""
    length = int(MEGABYTES * 1e6) + 1 + int(random.integers(1000))
    return server.raw(HEAD + b"Content-Length: %d\r\n\r\n" % length, random.bytes(length))


def announced(server: Server, random: np.random.Generator) -> Answer:
    """A terabyte that is announced and never sent."""
    return server.raw(HEAD + b"Content-Length: %d\r\n\r\n" % 10 ** int(random.integers(9, 15)))


def chunked(server: Server, random: np.random.Generator) -> Answer:
    """A body without an announced length that does not end."""
    chunk = b"40000\r\n" + random.bytes(0x40000) + b"\r\n"
    return server.raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *([chunk] * 40))


def slow_header(server: Server, random: np.random.Generator) -> Answer:
    """A header that trickles in."""
    return server.raw(*[bytes([byte]) for byte in HEAD[: int(random.integers(8, 20))]], pause=0.6)


def slow_body(server: Server, random: np.random.Generator) -> Answer:
    """A body that trickles in."""
    return server.raw(HEAD + b"Content-Length: 1000\r\n\r\n", *([b"x"] * 6), pause=0.6)


def half(server: Server, random: np.random.Generator) -> Answer:
    """A visitor who hangs up in the middle of a body."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(HEAD + b"Content-Length: 100000\r\n\r\n" + random.bytes(int(random.integers(1000))))
    return 0, b""


def bomb(server: Server, random: np.random.Generator) -> Answer:
    """A small file of a huge picture."""
    return server.request("POST", "/v1/score?map=true", BOMBS[random.integers(len(BOMBS))])


def truncated(server: Server, random: np.random.Generator) -> Answer:
    """A picture that is cut off."""
    whole = SAMPLES[random.integers(len(SAMPLES))]
    return server.request("POST", "/v1/score", whole[: int(random.integers(12))])


def wrong_type(server: Server, random: np.random.Generator) -> Answer:
    """No picture at all."""
    texts = (b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", b"PK\3\4", b"{}", b"", random.bytes(5000))
    kinds = ("image/png", "text/html", "application/x-python", "multipart/form-data; boundary=x", "")
    return server.request("POST", "/v1/score", texts[random.integers(6)], Content_Type=kinds[random.integers(5)])


def wrong_method(server: Server, random: np.random.Generator) -> Answer:
    """A method that is not there."""
    methods = ("PUT", "DELETE", "PATCH", "TRACE", "GET", "PROPFIND")
    return server.request(methods[random.integers(6)], "/v1/score", b"x")


def wrong_path(server: Server, random: np.random.Generator) -> Answer:
    """A path that leads out of the page's folder."""
    paths = (
        "/../../../etc/passwd",
        "/..%2f..%2fetc/passwd",
        "/page.js/../../server.py",
        "//etc/passwd",
        "/%00",
        "/.env",
    )
    return server.request("GET", paths[random.integers(6)])


def wrong_host(server: Server, random: np.random.Generator) -> Answer:
    """A foreign name."""
    return server.request("POST", "/v1/score", SAMPLES[0], Host="elsewhere.example")


def garbage(server: Server, random: np.random.Generator) -> Answer:
    """No HTTP."""
    return server.raw(b"\x16\x03\x01" + random.bytes(int(random.integers(20, 2000))) + b"\r\n\r\n")


def long_header(server: Server, random: np.random.Generator) -> Answer:
    """A header of half a megabyte."""
    return server.raw(HEAD + b"X: " + b"a" * 500_000 + b"\r\n\r\n")


def two_lengths(server: Server, random: np.random.Generator) -> Answer:
    """A body whose length is given twice."""
    return server.raw(HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\nConnection: close\r\n\r\n12345")


def wrong_query(server: Server, random: np.random.Generator) -> Answer:
    """A query that means nothing."""
    return server.request("POST", "/v1/score?map=" + "9" * int(random.integers(1, 3000)), SAMPLES[0])


VISITS = {
    "oversize": oversize,
    "announced": announced,
    "chunked": chunked,
    "slow header": slow_header,
    "slow body": slow_body,
    "half a body": half,
    "bomb": bomb,
    "truncated": truncated,
    "wrong type": wrong_type,
    "wrong method": wrong_method,
    "wrong path": wrong_path,
    "wrong host": wrong_host,
    "garbage": garbage,
    "long header": long_header,
    "two lengths": two_lengths,
    "wrong query": wrong_query,
}
BOMBS = [content for _, content in liars()]
SAMPLES = samples()
