"""Signing a browser in: the one-time link becomes a cookie that only this server reads.

Opening the link changes nothing, since mail programs and chats open links too: the page asks for a
click. The cookie is a token of its user like any other, valid for a week; 'headway token list'
shows it, and revoking it signs the browser out.
"""

from html import escape
from typing import Final
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response

from headway.errors import HeadwayError, InvalidValueError, code_of
from headway.server.access import cookie_name
from headway.server.registry import Registry
from headway.server.threads import Threads

SESSION_S: Final = 7 * 86_400
"""How long a browser stays signed in, in seconds."""

_MOST_FORM_BYTES: Final = 1_024
_POLICY: Final = {
    "content-security-policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'"
}
_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Headway</title></head>
<body><h1>Headway</h1>{body}</body></html>
"""
_FORM: Final = """
<form method="post" action="/login">
<input type="hidden" name="code" value="{code}"><button>Sign in</button>
</form>"""


class SignIn:
    """The page ``/login``.

    Args:
        accounts: Where codes are redeemed.
        threads: Where that is done.
    """

    def __init__(self, accounts: Registry, threads: Threads) -> None:
        self._accounts = accounts
        self._threads = threads

    async def answer(self, request: Request) -> Response:
        """Show the form, or take what it sends."""
        if request.method == "POST":
            return await self._sign_in(request)
        form = _FORM.format(code=escape(request.query_params.get("code", ""), quote=True))
        return _page(form, 200)

    async def _sign_in(self, request: Request) -> Response:
        try:
            code = await _code_in(request)
            issued = await self._threads.run(
                lambda: self._accounts.redeem(code, note="browser", lifetime_s=SESSION_S)
            )
        except HeadwayError as error:
            return _page(f"<p>{escape(error.message)}</p>", code_of(error).http_status)
        answer = _page(f"<p>Signed in as {escape(issued.token.user)}, for a week.</p>", 200)
        answer.set_cookie(
            cookie_name(request.headers.get("host", "")),
            issued.secret,
            max_age=SESSION_S,
            path="/",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return answer


async def _code_in(request: Request) -> str:
    body = b""
    try:
        async for part in request.stream():
            body += part
            if len(body) > _MOST_FORM_BYTES:
                raise InvalidValueError("the form is too long: send the code alone")
    except ClientDisconnect as error:  # nobody reads the answer
        raise InvalidValueError("the form did not arrive whole: send it again") from error
    try:
        return parse_qs(body.decode("ascii"), max_num_fields=4).get("code", [""])[0]
    except ValueError as error:
        raise InvalidValueError("the form cannot be read: send the field 'code'") from error


def _page(body: str, http_status: int) -> Response:
    return HTMLResponse(_PAGE.format(body=body), http_status, _POLICY)
