"""The server process: listens, starts the workers, and ends both on SIGTERM or Ctrl-C."""

from __future__ import annotations

import logging
import resource
import signal
import socket
import threading
import webbrowser
from functools import partial
from pathlib import Path

import uvicorn

from pipelines.keys import are_there_keys, index_keys
from service.api.state import Service
from service.app import create_app
from service.connections.protocol import MOST_CONNECTIONS, ConnectionLimits, StrictProtocol
from service.logs import log, set_up_logging
from service.operation.daily import DailyRuns
from service.operation.metrics import Metrics
from service.settings import ServiceSettings
from service.workers.followers import RequestFollower
from service.workers.supervisor import Supervisor
from transforms.core.errors import ConfigurationError, RekindleError
from transforms.hot_tier.table import location

_GRACE_SECONDS = 10
_INTERRUPTED = 130
_KEEP_ALIVE_SECONDS = 75
"""Longer than the minute that proxies keep a connection: who closes first must not be the one that is asked."""
_MOST_WAITING = 2048
_RESERVED_FILES = 512


def serve(settings: ServiceSettings) -> int:
    """Serve until SIGTERM (the exit code is 0) or Ctrl-C (130).

    Raises:
        RekindleError: the tier, the address or the files of TLS can't be used, or a key is missing.
    """
    set_up_logging(settings.log_format)
    _ = settings.memory_shares  # too little is an error before anything starts
    tier = settings.tier_location.open()
    location.check_is_tier_or_empty(tier)
    index_keys(tier)
    is_open = _check_keys(settings, has_admin=are_there_keys(tier, role="admin"), has_any=are_there_keys(tier))
    settings = settings.model_copy(update={"hot_tier": tier.uri})
    metrics = Metrics()
    supervisor = Supervisor(settings, metrics)
    service = Service(
        settings=settings,
        tier=tier,
        metrics=metrics,
        wake_workers=supervisor.wake,
        count_workers=lambda: supervisor.running,
    )
    with _listen(settings) as listener:
        interrupted = _serve_until_ended(service, supervisor, listener, is_open=is_open)
    log("the service has ended")
    return _INTERRUPTED if interrupted else 0


def _serve_until_ended(service: Service, supervisor: Supervisor, listener: socket.socket, *, is_open: bool) -> bool:
    """Serve until a signal comes, and return whether it was Ctrl-C."""
    limits = ConnectionLimits(dropped=service.metrics.connections_dropped, most=_most_connections())
    server = uvicorn.Server(make_configuration(service, limits))
    # uvicorn raises a signal again when it has ended: these handlers take it, and the workers are ended too
    interrupted = False

    def end(number: int, frame: object) -> None:
        del frame
        nonlocal interrupted
        interrupted = interrupted or number == signal.SIGINT
        service.hec.is_closing = server.should_exit = True

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    service.hec.start()
    supervisor.start()
    daily = DailyRuns(settings=service.settings, tier=service.tier, metrics=service.metrics)
    daily.start()
    follower = RequestFollower(settings=service.settings, tier=service.tier)
    follower.begin()
    try:
        _announce(service.settings, listener, is_open=is_open)
        server.run(sockets=[listener])
    finally:
        service.hec.close()
        daily.stop()
        follower.stop()
        supervisor.stop()
    return interrupted


def _check_keys(settings: ServiceSettings, *, has_admin: bool, has_any: bool) -> bool:
    """Return whether the service opens without a key.

    Raises:
        ConfigurationError: it may not, and there is none.
    """
    if has_admin:
        return False
    if settings.is_loopback and not settings.is_proxied:
        return not has_any
    flag = f"--root-path {settings.root_path}" if settings.root_path else "--trusted-proxy"
    where = f"behind a proxy ({flag})" if settings.is_loopback else f"on {settings.host}"
    raise ConfigurationError(
        f"there is no key of the role admin in {settings.hot_tier}, and the service opens {where} to others: "
        f"create one first, by `rekindle keys create --role admin --hot-tier {settings.hot_tier}`"
    )


def _listen(settings: ServiceSettings) -> socket.socket:
    """Return a socket that listens, before anything is started."""
    for path in filter(None, (settings.tls_cert, settings.tls_key)):
        if not Path(path).is_file():
            raise ConfigurationError(f"--tls-cert, --tls-key: there is no file {path}", field="tls-cert")
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where a socket names its protocol: else the body of an answer waits 40 ms for an ACK
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(_MOST_WAITING)  # who has read that the service listens may connect
    except OSError as error:
        listener.close()
        text = f"can't listen on {settings.host}:{settings.port}: {error.strerror or error}; --port takes another"
        raise RekindleError(text) from error
    listener.set_inheritable(False)
    return listener


def make_configuration(service: Service, limits: ConnectionLimits) -> uvicorn.Config:
    """Return how uvicorn serves."""
    settings = service.settings
    return uvicorn.Config(
        create_app(service),
        http=partial(StrictProtocol, limits),  # type: ignore[arg-type]
        ws="none",
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        root_path=settings.root_path,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
    )


def _most_connections() -> int:
    """Return how many connections there may be, after this process has been allowed as many files as it may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_CONNECTIONS + _RESERVED_FILES
    files = most if hard == resource.RLIM_INFINITY else min(hard, most)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return max(files - _RESERVED_FILES, files // 2)


def _announce(settings: ServiceSettings, listener: socket.socket, *, is_open: bool) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    scheme = "https" if settings.tls_cert else "http"
    address = f"{scheme}://{host}:{listener.getsockname()[1]}{settings.root_path}"
    log(f"Rekindle serves {settings.hot_tier} on {address}")
    if settings.open_browser:
        threading.Thread(target=webbrowser.open, args=(address + "/",), name="rekindle-browser", daemon=True).start()
    if is_open:
        log(
            "No key was made yet: every program of this machine is an administrator here. "
            f"`rekindle keys create --role admin --hot-tier {settings.hot_tier}` makes the first one.",
            level=logging.WARNING,
        )
