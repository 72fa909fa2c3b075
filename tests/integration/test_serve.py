import asyncio
import csv
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import browser
from evaluators import picture, save_evaluator
from PIL import Image

import gada
from gada.__main__ import main

pytest.importorskip("fastapi")
pytest.importorskip("httpx")

import httpx

from gada.scoring.server import Limits, create_app


def png(pixels: np.ndarray) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_evaluator(tmp_path_factory.mktemp("model") / "evaluator.safetensors")


@pytest.fixture(scope="module")
def scorer(model: Path) -> gada.Scorer:
    return gada.load_scorer(model, device="cpu")


SAVED = """let kept; const real = URL.createObjectURL; URL.createObjectURL = (blob) => (kept = blob, real(blob));
document.querySelector("#save").click(); URL.createObjectURL = real; return kept.text();"""  # the CSV of the session


class Client:
    """Asks the application itself, without a network."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.request(method, path, **options)

        return asyncio.run(ask())

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.ask("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.ask("POST", path, **options)


@pytest.fixture
def client(scorer: gada.Scorer) -> Client:
    limits = Limits(body=100_000, pixels=10_000, seconds=1, at_once=1)
    return Client(create_app(scorer, limits, ("localhost",)))


async def in_two_pieces() -> AsyncIterator[bytes]:
    yield bytes(60_000)
    yield bytes(60_000)


def test_a_form_is_told_what_to_send(client: Client) -> None:
    answer = client.post("/v1/score", files={"file": png(picture(0))})
    assert answer.status_code == 422
    assert "curl --data-binary" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/healthz", "/"])
def test_the_head_of_a_page_can_be_asked_for(client: Client, path: str) -> None:
    assert client.ask("HEAD", path).status_code == 200


def test_a_picture_gets_its_score(client: Client, scorer: gada.Scorer) -> None:
    pixels = picture(0)
    answer = client.post("/v1/score?map=true", content=png(pixels), headers={"Content-Type": "image/png"}).json()
    expected = scorer(pixels)
    assert answer["score"] == pytest.approx(expected.score, abs=1e-3)
    assert answer["scale"] == {"name": "DMOS", "low": 0, "high": 100, "higher_is_better": False}
    assert (answer["height"], answer["width"]) == (60, 90)
    assert answer["model"] == expected.model
    assert np.array(answer["map"]["scores"]) == pytest.approx(scorer.predict_map(pixels).scores, abs=1e-3)
    assert client.post("/v1/score", content=png(pixels)).json()["map"] is None


def test_a_map_of_a_large_picture_is_coarse(scorer: gada.Scorer) -> None:
    assert scorer.predict_map(picture(0, 300, 600), most=20).scores.size <= 20
    assert scorer.predict_map(picture(0, 60, 90), most=20).scores.shape == (2, 3)


def test_health_model_and_description(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    model = client.get("/v1/model").json()
    assert model["scale"]["name"] == "DMOS"
    assert model["proxy"] is True
    paths = client.get("/openapi.json").json()["paths"]
    assert set(paths) == {"/healthz", "/v1/model", "/v1/score"}
    assert "image/*" in paths["/v1/score"]["post"]["requestBody"]["content"]


def test_a_request_may_name_another_model(scorer: gada.Scorer, tmp_path: Path) -> None:
    loaded = []

    def load() -> gada.Scorer:
        scale = {"name": "MOS", "low": 0.0, "high": 1.0, "higher_is_better": True}
        loaded.append(gada.load_scorer(save_evaluator(tmp_path / "other.safetensors", scale=scale), device="cpu"))
        return loaded[-1]

    client = Client(create_app(scorer, hosts=("localhost",), name="own", others={"other": load}))
    assert client.get("/v1/model").json()["choice"] == ["own", "other"]
    assert not loaded, "before it is asked for"
    body = png(picture(0))
    own, other = (client.post(f"/v1/score?model={name}", content=body).json() for name in ("own", "other"))
    assert own == client.post("/v1/score", content=body).json()
    assert other["scale"]["name"] == "MOS"
    assert other["score"] == pytest.approx(own["quality"], abs=1e-3)
    client.get("/v1/model?model=other")
    assert len(loaded) == 1
    unknown = client.post("/v1/score?model=third", content=body)
    assert unknown.status_code == 404
    assert "own, other" in unknown.json()["detail"]


def test_the_page_may_load_nothing_from_elsewhere(client: Client) -> None:
    page = client.get("/")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in page.text
    for name in ("page.js", "page.css"):
        assert name in page.text
        assert client.get(f"/{name}").status_code == 200


@pytest.mark.parametrize(
    ("content", "code", "word"),
    [
        (b"hello", 422, "not an image"),
        (b"", 422, "The body is empty"),
        (png(picture(0, 200, 200))[:100], 422, "pixels"),
        (png(picture(0, 60, 60))[:300], 422, "image"),
        (bytes(100_001), 413, "0.1 MB"),
        (in_two_pieces(), 413, "0.1 MB"),  # no length is announced
    ],
)
def test_what_is_too_much_or_no_picture_is_refused(client: Client, content: Any, code: int, word: str) -> None:
    answer = client.post("/v1/score", content=content)
    assert answer.status_code == code
    assert word in answer.json()["detail"]
    assert "/" not in answer.json()["detail"], "no path of the machine"


def test_a_request_that_takes_too_long_ends(
    scorer: gada.Scorer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = 4.0  # seconds; the limit is 1
    monkeypatch.setattr(scorer.backend, "predict", lambda crops: time.sleep(slow))
    start = time.monotonic()
    assert client.post("/v1/score", content=png(picture(0))).status_code == 408
    assert time.monotonic() - start < slow


def test_a_busy_server_says_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gada.scoring.server.WAITING", -1)
    answer = client.post("/v1/score", content=png(picture(0)))
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    monkeypatch.undo()
    assert client.post("/v1/score", content=png(picture(0))).status_code == 200


def test_foreign_names_are_refused(client: Client) -> None:
    assert client.get("/healthz", headers={"Host": "elsewhere.example"}).status_code == 400


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--max-pixels", "0"], "--max-pixels"),
        (["--max-seconds", "-1"], "--max-seconds"),
        (["--port", "70000"], "--port"),
        (["--at-once", "0"], "--at-once"),
    ],
)
def test_wrong_options(model: Path, arguments: list[str], word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--model", str(model), *arguments]) == 2
    assert word in capsys.readouterr().err


def test_a_missing_package_is_named(
    model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["serve", "--model", str(model)]) == 2
    assert "[serve]" in capsys.readouterr().err


@pytest.fixture
def address(model: Path) -> Iterator[str]:
    """A server in a process of its own."""
    call = [sys.executable, "-m", "gada", "serve", "--model", str(model), "--port", str(free_port())]
    with subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout
        assert server.stderr
        assert "DMOS" in server.stdout.readline()
        line = next(line for line in server.stderr if "running on" in line)
        yield line.split("running on ")[1].split()[0]
        server.terminate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.enable_socket
def test_an_address_that_is_taken_is_refused_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["serve", "--port", str(taken.getsockname()[1])]) == 2
    assert "cannot be listened on" in capsys.readouterr().err


@pytest.mark.enable_socket
@pytest.mark.skipif(not (shutil.which("chromium") and shutil.which("chromedriver")), reason="needs Chromium")
@pytest.mark.parametrize("size", [(1100, 800), (390, 844)], ids=["desktop", "phone"])
def test_the_page_scores_what_is_dropped(
    address: str, scorer: gada.Scorer, tmp_path: Path, size: tuple[int, int]
) -> None:
    good, other, bad = tmp_path / "good.png", tmp_path / "other.png", tmp_path / "bad.png"
    good.write_bytes(png(picture(1)))
    other.write_bytes(png(picture(2, 200, 90)))
    bad.write_bytes(b"no picture")
    with browser(free_port(), size) as window:
        window.open(address)
        window.wait_for("return document.querySelector('#model').textContent.includes('DMOS')")
        assert window.messages() == []
        window.drop("#drop", good)
        window.choose("#files", [other, bad])
        window.wait_for("return document.querySelectorAll('.score').length === 2")
        window.wait_for("return document.querySelectorAll('.error').length === 1")
        shown = window.run("return [...document.querySelectorAll('#results > li')].map((card) => card.innerText)")
        assert window.run("return document.querySelectorAll('.picture canvas').length") == 0, "no map until asked"
        assert window.overflowing() == []
        window.run("document.querySelector('#show-map').click()")
        window.wait_for("return document.querySelectorAll('.picture canvas').length === 2")
        window.screenshot(tmp_path / "page.png")
        window.run("document.querySelectorAll('.compare').forEach((button) => button.click())")
        assert window.wait_for("return document.querySelectorAll('#viewer[open] figure img').length") == 2
        assert window.overflowing() == []
        window.run("document.querySelector('#viewer').close()")
        saved = window.run(SAVED)
    expected = sorted([(scorer(good).score, "good.png"), (scorer(other).score, "other.png")])  # the best comes first
    for card, (score, name) in zip(shown, expected, strict=False):
        assert name in card
        assert f"{score:.2f} DMOS" in card
    assert "Cannot be read: the image is not an image" in shown[2]
    lines = list(csv.DictReader(saved.splitlines()))
    assert [row["image"] for row in lines] == [name for _, name in expected] + ["bad.png"]
    assert float(lines[0]["score"]) == pytest.approx(expected[0][0], abs=1e-3)
    assert "not an image" in lines[2]["error"]
    with Image.open(tmp_path / "page.png") as page:
        assert page.size == size
