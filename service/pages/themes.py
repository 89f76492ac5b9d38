"""Light or dark: as the system has it, or as a cookie tells, which the page's switch sets."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

THEMES = ("light", "dark")
COOKIE = "rekindle_theme"
_SECONDS = 365 * 86_400


def theme_of(request: Request) -> str:
    """Return the theme that a browser has chosen, empty for the system's."""
    chosen = request.cookies.get(COOKIE, "")
    return chosen if chosen in THEMES else ""


def keep_theme(request: Request, response: Response, theme: str) -> None:
    """Let a browser keep a theme; any other text is the system's. Its scripts set the cookie too."""
    path = request.scope.get("root_path") or "/"
    is_secure = request.url.scheme == "https"
    if theme in THEMES:
        response.set_cookie(COOKIE, theme, _SECONDS, path=path, secure=is_secure, samesite="lax")
    else:
        response.delete_cookie(COOKIE, path=path, secure=is_secure, samesite="lax")
