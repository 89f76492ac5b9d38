"""The application: its routes, its errors, and what surrounds every request."""

from __future__ import annotations

from functools import partial

from fastapi import FastAPI
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from service import errors
from service.api import audit, iam_keys, jobs, previews
from service.api.administration import deletions, holds, kept_files, searches, trials
from service.api.hec import routes as hec
from service.api.openapi import describe
from service.api.operation import health, measurements
from service.api.search import contents, counts, exports, pages, statements, surrounding
from service.api.state import Service
from service.api.uploads import routes as uploads
from service.connections.middleware import AnswerLog
from service.mcp import route as mcp_route
from service.pages import activity, assets, entry
from service.pages.backfill import page as backfill
from service.pages.backfill import preview as backfill_preview
from service.pages.backfill import upload as backfill_upload
from service.pages.explore import completion, counted, download, event, fields
from service.pages.explore import page as explore
from service.pages.explore import searches as searches_page
from service.pages.jobs import page as jobs_page
from service.pages.keys import page as keys_page
from service.pages.pipelines import page as pipelines_page
from service.pages.retention import page as retention_page
from service.pages.retention import runs as retention_runs

MODULES = (
    *(hec, jobs, uploads, previews, pages, surrounding, counts, contents, statements, exports),
    *(kept_files, holds, searches, trials, deletions, audit, iam_keys, mcp_route, health, measurements),
    *(
        jobs_page,
        keys_page,
        backfill,
        backfill_preview,
        backfill_upload,
        pipelines_page,
        retention_page,
        retention_runs,
    ),
    *(entry, explore, counted, event, fields, completion, download, searches_page, activity, assets),
)
"""What has routes, in the order in which they are tried: what forwarders call all the time comes first."""


def create_app(service: Service) -> FastAPI:
    """Return the application of a service."""
    # no pages of Swagger or ReDoc: they load their scripts from elsewhere
    app = FastAPI(docs_url=None, redoc_url=None)
    app.state.service = service
    errors.install(app)
    for module in MODULES:
        app.include_router(module.router)
    app.openapi = partial(describe, app)  # type: ignore[method-assign]
    app.add_middleware(AnswerLog, metrics=service.metrics, unlogged=hec.PATH)
    if trusted := service.settings.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(trusted))
    return app
