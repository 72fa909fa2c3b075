"""Scores over HTTP: a JSON interface and one page. Images are scored in memory; nothing is kept."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect

import gada
from gada.distortions.names import distortion_name
from gada.errors import DataError
from gada.io.images import read_image
from gada.io.pixels import Decoding
from gada.scoring.answers import MapAnswer, ModelAnswer, ScaleAnswer, ScoreAnswer
from gada.scoring.scorer import Prediction, Scorer

PAGE = Path(__file__).parent / "page"
MAP_PARTS = 150  # of a quality map; a larger image's is coarser
WAITING = 4  # requests that may wait for each one at work; each holds a file in memory
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' blob: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Limits:
    """What one request may cost."""

    body: int = 30_000_000
    """Bytes of an image's file."""
    pixels: int = 50_000_000
    """Height x width."""
    seconds: float = 30.0
    """From the first byte to the score."""
    at_once: int = 2
    """Images that are scored at the same time."""


def create_app(
    scorer: Scorer,
    limits: Limits | None = None,
    hosts: tuple[str, ...] = ("*",),
    name: str = "",
    others: Mapping[str, Callable[[], Scorer]] | None = None,
) -> FastAPI:
    """Return the application.

    Args:
        scorer: what scores, unless a request names another model.
        limits: what one request may cost.
        hosts: host names that requests may use; others are refused, so that a foreign web page cannot
            reach a server on the loopback address under a name of its own.
        name: what requests call the scorer; by default its card's name.
        others: further models by name; each is loaded when a request first names it.
    """
    desk = Desk(name or scorer.card.name, scorer, others or {}, limits or Limits())
    app = FastAPI(title="gada", version=gada.__version__, docs_url=None, redoc_url=None, lifespan=desk.open)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))
    app.middleware("http")(add_headers)  # the last one added comes first, so that every answer has them
    app.get("/healthz", summary="Whether the server is up.")(healthz)
    app.head("/healthz", include_in_schema=False)(healthz)
    app.get("/v1/model", response_model=ModelAnswer, summary="The model and its scale.")(desk.describe)
    app.post(
        "/v1/score",
        response_model=ScoreAnswer,
        summary="Score one image; the body is its file.",
        openapi_extra={"requestBody": {"required": True, "content": {"image/*": {"schema": BINARY}}}},
        responses={code: {"description": reason} for code, reason in REFUSALS.items()},
    )(desk.score)
    for url, name in (("/", "index.html"), ("/page.js", "page.js"), ("/page.css", "page.css")):
        app.add_route(url, partial(page, PAGE / name), include_in_schema=False)
    return app


NO_FORM = "Send the file itself as the body, as curl --data-binary @photo.jpg does, not a form."
BINARY = {"type": "string", "format": "binary"}
REFUSALS = {
    404: "The server has no model of this name.",
    408: "It took longer than the server allows.",
    413: "The file is larger than the server allows.",
    422: "The body is not an image that can be read, or has too many pixels.",
    503: "The server is busy; try again.",
}


Named = Annotated[str, Query(alias="model", description="Name of a model of this server; by default its own.")]


class Desk:
    """Takes images one by one, a few at work and some waiting."""

    def __init__(self, name: str, scorer: Scorer, others: Mapping[str, Callable[[], Scorer]], limits: Limits) -> None:
        self.scorers = {name: scorer}
        self.loaders = {name: lambda: scorer, **{other: load for other, load in others.items() if other != name}}
        self.loading = Lock()
        self.limits = limits
        self.taken = 0
        self.pool = ThreadPoolExecutor(limits.at_once)

    @asynccontextmanager
    async def open(self, _: FastAPI) -> AsyncIterator[None]:
        """Close the threads at the end."""
        yield
        self.pool.shutdown(wait=False, cancel_futures=True)

    def scorer(self, name: str) -> Scorer:
        """Return a model, loaded once; "" is the server's own."""
        name = name or next(iter(self.loaders))
        if name not in self.loaders:
            raise HTTPException(404, f"There is no model {name!r}; this server has {', '.join(self.loaders)}.")
        with self.loading:
            if name not in self.scorers:
                self.scorers[name] = self.loaders[name]()
        return self.scorers[name]

    def describe(self, name: Named = "") -> ModelAnswer:
        """Answer what model this is."""
        scorer = self.scorer(name)
        return ModelAnswer(
            name=name or next(iter(self.loaders)),
            choice=list(self.loaders),
            data=scorer.card.title,
            model=scorer.model,
            mode=scorer.protocol(),
            scale=ScaleAnswer(**asdict(scorer.scale)),
            classes=list(scorer.classes),
            description=scorer.describe(),
            proxy=scorer.card.proxy,
        )

    async def score(
        self,
        request: Request,
        with_map: Annotated[bool, Query(alias="map", description="Also score the parts of the image.")] = False,
        name: Named = "",
    ) -> ScoreAnswer:
        """Score the image in the body of a request."""
        if self.taken >= self.limits.at_once * (1 + WAITING):
            raise HTTPException(503, REFUSALS[503], {"Retry-After": "1"})
        self.taken += 1
        try:
            async with asyncio.timeout(self.limits.seconds):
                body = await self.read(request)
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self.pool, self.answer, body, with_map, name)
        except TimeoutError:
            raise HTTPException(408, REFUSALS[408]) from None
        except ClientDisconnect:
            raise HTTPException(400, "The body ended early.") from None
        except DataError as error:
            raise HTTPException(422, str(error)) from None
        finally:
            self.taken -= 1

    async def read(self, request: Request) -> bytes:
        """Read the body, and no more of it than is allowed."""
        if request.headers.get("content-type", "").startswith("multipart/"):
            raise HTTPException(422, NO_FORM)
        body = bytearray()
        too_large = HTTPException(
            413, f"The file is larger than {self.limits.body / 1e6:g} MB.", {"Connection": "close"}
        )
        announced = request.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > self.limits.body:
            raise too_large
        async for chunk in request.stream():
            body += chunk
            if len(body) > self.limits.body:
                raise too_large
        if not body:
            raise HTTPException(422, f"The body is empty. {NO_FORM}")
        return bytes(body)

    def answer(self, body: bytes, with_map: bool, name: str = "") -> ScoreAnswer:
        """Decode and score."""
        scorer = self.scorer(name)
        pixels = read_image(body, Decoding(max_pixels=self.limits.pixels))
        prediction: Prediction = scorer(pixels)
        return ScoreAnswer(
            **asdict(prediction),
            distortion_name=distortion_name(prediction.distortion, scorer.card.data),
            mode=scorer.protocol(),
            height=pixels.shape[0],
            width=pixels.shape[1],
            map=map_of(scorer, pixels) if with_map else None,
        )


def map_of(scorer: Scorer, pixels: Any) -> MapAnswer:
    """Score the parts of an image."""
    found = scorer.predict_map(pixels, most=MAP_PARTS)
    return MapAnswer(
        scores=found.scores.tolist(), tops=found.tops.tolist(), lefts=found.lefts.tolist(), size=found.size
    )


async def healthz() -> JSONResponse:
    """Answer that the server is up."""
    return JSONResponse({"status": "ok"})


async def add_headers(request: Request, forward: Callable[[Request], Awaitable[Response]]) -> Response:
    """Forbid the page everything but its own files and images; say nothing of a failure but that there was one."""
    try:
        response = await forward(request)
    except Exception:
        logging.getLogger("uvicorn.error").exception("a request failed")
        response = JSONResponse({"detail": "The server failed; its log says how."}, 500)
    response.headers.update(HEADERS)
    return response


def page(file: Path, _: Request) -> FileResponse:
    """Answer with a file of the page."""
    return FileResponse(file)
