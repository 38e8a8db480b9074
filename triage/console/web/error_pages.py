"""Pages for an unknown URL and for a page that failed."""

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from triage.console.web.layout import PageContext, plain_page
from triage.console.web.templates import TEMPLATES
from triage.logging import get_logger

log = get_logger("triage.console")


def add_error_pages(app: FastAPI) -> None:
    """Replace the error pages of `app` (NiceGUI's), which have no navigation and show the exception."""

    @app.exception_handler(404)
    async def missing(request: Request, error: Exception) -> Response:
        del error
        return _answer(request, 404, "missing")

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        log.error("page_failed", path=request.url.path, exc_info=error)
        return _answer(request, 500, "failed")


def failed_page(request: Request) -> Response:
    """Return the error page, or JSON for programs, for a page that failed."""
    return _answer(request, 500, "failed")


def _answer(request: Request, status: int, name: str) -> Response:
    page = PageContext.of(request)
    title, advice = page.translations(f"error.{name}"), page.translations(f"error.{name}_advice")
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"error": title}, status)
    content = TEMPLATES.render("web/error.html", title=title, advice=advice)
    return HTMLResponse(plain_page(page, "", title, content), status)
