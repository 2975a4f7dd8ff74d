"""Puts the web together: pages, API, static files, headers and answers to errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

import regulars
from regulars.web import access, api, faults, openapi, pages
from regulars.web.assets import Assets
from regulars.web.bounds import BoundBodies
from regulars.web.headers import SecurityHeaders
from regulars.web.receiving import ReceiveWebhooks
from regulars.web.repeating import KeepAnswers
from regulars.web.routes import routers
from regulars.web.templating import create_environment

if TYPE_CHECKING:
    from regulars.jobs import Jobs
    from regulars.runtime import Runtime


class Application(FastAPI):
    """The whole application: webhooks are answered first, anything else is routed."""

    def build_middleware_stack(self) -> ASGIApp:
        """Return what is asked first."""
        return ReceiveWebhooks(
            super().build_middleware_stack(), self.state.runtime, self.state.jobs
        )


def create_app(runtime: Runtime, jobs: Jobs) -> FastAPI:
    """Build the application over an open runtime; starting and stopping workers is the caller's."""
    app = Application(
        title="Regulars",
        version=getattr(regulars, "__version__", "0"),
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    app.state.runtime = runtime
    app.state.jobs = jobs
    app.state.assets = Assets()
    #: Shops on their way to a first installation, and words for the page that comes next: both for
    #: frames, which keep no cookies. Short-lived, and of no use to anybody else.
    app.state.proved_shops = {}
    app.state.words = {}
    app.state.looks = access.Looks()
    app.state.templates = create_environment()
    for router in routers(api):
        app.include_router(router, prefix="/api/v1")
    for router in routers(pages):
        app.include_router(router, include_in_schema=False)
    app.add_api_route(
        "/static/{path:path}", _static, methods=["GET", "HEAD"], include_in_schema=False
    )
    faults.install(app)
    openapi.install(app)
    app.add_middleware(KeepAnswers, runtime=runtime)
    app.add_middleware(BoundBodies)
    app.add_middleware(faults.CatchBugs)
    app.add_middleware(GZipMiddleware, minimum_size=500, compresslevel=9)
    app.add_middleware(SecurityHeaders)
    return app


def _static(request: Request) -> Response:
    assets: Assets = request.app.state.assets
    answer = assets.respond(request)
    if answer is None:
        raise HTTPException(404)
    return answer
