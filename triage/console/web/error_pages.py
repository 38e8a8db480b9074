"""What people see at an address that leads nowhere, and where a page failed."""

from html import escape

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from triage.console.web.layout import Visit, plain_page
from triage.logging import get_logger

log = get_logger("triage.console")


def add_error_pages(app: FastAPI) -> None:
    """In place of those of NiceGUI, which lead nowhere and show the exception; `app` is its application."""

    @app.exception_handler(404)
    async def missing(request: Request, error: Exception) -> Response:
        del error
        return _answer(request, 404, "missing")

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        log.error("page_failed", path=request.url.path, exc_info=error)
        return _answer(request, 500, "failed")


def _answer(request: Request, status: int, name: str) -> Response:
    visit = Visit.of(request)
    title, advice = visit.words(f"error.{name}"), visit.words(f"error.{name}_advice")
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"error": title}, status)
    content = f'<section class="card whole"><h1>{escape(title)}</h1><p>{escape(advice)}</p></section>'
    return HTMLResponse(plain_page(visit, "", title, content), status)
