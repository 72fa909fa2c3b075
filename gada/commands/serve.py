"""`gada serve`: scores over HTTP."""

from typing import Literal


def serve(
    model: str = "bundled",
    host: str = "127.0.0.1",
    port: int = 8000,
    mode: Literal["grid", "crops", "dense"] = "grid",
    crops: int | None = None,
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
    max_megabytes: float = 30.0,
    max_pixels: int = 50_000_000,
    max_seconds: float = 30.0,
    at_once: int = 2,
) -> None:
    """Score images over HTTP: a page to drop them on, and a JSON interface described at /openapi.json.

    The bundled evaluators can be chosen on the page too, and by `?model=NAME`.

    Args:
        model: A .safetensors evaluator, what `gada export` wrote, a run's folder, or the name of a bundled one.
        host: Address to listen on; the default is reached from this machine only.
        port: Port to listen on; 0 takes a free one.
        mode: Few fixed crops (fast), 30 random ones (the paper's), or the whole image.
        crops: Crops an image, for `grid` and `crops`; by default the mode's.
        device: Where to run the evaluator.
        max_megabytes: Greatest file.
        max_pixels: Greatest height x width.
        max_seconds: Longest a request may take.
        at_once: Images that are scored at the same time.
    """
    from functools import partial

    from gada.errors import ConfigError
    from gada.io.checkpoints import bundled_names
    from gada.scoring.loading import load_scorer

    for name, value in (("max-megabytes", max_megabytes), ("max-pixels", max_pixels), ("max-seconds", max_seconds)):
        if not value > 0:
            raise ConfigError(f"--{name} is {value:g} but must be above 0.")
    if at_once < 1 or not 0 <= port < 65536:
        raise ConfigError(f"--at-once is {at_once} and --port {port}; they must be at least 1, and 0 to 65535.")
    try:
        import uvicorn

        from gada.scoring.connections import Impatient
        from gada.scoring.server import Limits, create_app
    except ImportError as error:
        raise ConfigError('serving needs FastAPI and uvicorn: pip install "gada-iqa[serve]".') from error
    check_address(host, port)
    loopback = host in ("127.0.0.1", "localhost", "::1")
    limits = Limits(int(max_megabytes * 1e6), max_pixels, max_seconds, at_once)
    first, *rest = bundled_names("evaluator")
    name = first if model == "bundled" else model if model in rest else ""
    others = {one: partial(load_scorer, one, mode, crops, device=device) for one in (first, *rest) if one != name}
    scorer = load_scorer(model, mode, crops, device=device)
    app = create_app(scorer, limits, ("127.0.0.1", "localhost", "[::1]") if loopback else ("*",), name, others)
    print(f"# {scorer.describe()}", flush=True)
    uvicorn.run(app, host=host, port=port, http=Impatient, limit_concurrency=256, server_header=False, log_level="info")


def check_address(host: str, port: int) -> None:
    """Raise ConfigError if an address cannot be listened on, before a model is loaded.

    Raises:
        ConfigError: if the host is unknown or not of this machine, or the port is taken.
    """
    import socket

    from gada.errors import ConfigError

    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        socket.create_server(address[:2], family=family).close()
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "no name of a host"
        raise ConfigError(f"--host {host} --port {port} cannot be listened on ({reason}); choose others.") from error
