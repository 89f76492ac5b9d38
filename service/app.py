"""The application: its routes, its errors, and what surrounds every request."""

from __future__ import annotations

from functools import partial

from fastapi import FastAPI
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from service import errors
from service.api import audit, health, iam_keys, jobs, measurements, previews
from service.api.openapi import describe
from service.api.search import contents, counts, exports, pages, statements
from service.api.state import Service
from service.connections.middleware import AnswerLog


def create_app(service: Service) -> FastAPI:
    """Return the application of a service."""
    # no pages of Swagger or ReDoc: they load their scripts from elsewhere
    app = FastAPI(docs_url=None, redoc_url=None)
    app.state.service = service
    errors.install(app)
    for module in (jobs, previews, pages, counts, contents, statements, exports, audit, iam_keys, health, measurements):
        app.include_router(module.router)
    app.openapi = partial(describe, app)  # type: ignore[method-assign]
    app.add_middleware(AnswerLog, metrics=service.metrics)
    if trusted := service.settings.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(trusted))
    return app
