"""What a browser complains of: errors in its console (a breach of the CSP is one), and requests that failed."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, Request


def listen(context: BrowserContext, complaints: list[str]) -> None:
    """Add every complaint of the context's pages to the list."""

    def lost(request: Request) -> None:
        # A page that is left gives up what it was still asking for.
        if "ERR_ABORTED" not in str(request.failure):
            complaints.append(f"{request.method} {request.url}: {request.failure}")

    def heard(message) -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"{message.page.url if message.page else ''}: {message.text}")

    context.on("console", heard)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on("requestfailed", lost)
    context.on(
        "response", lambda answer: complaints.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None
    )
