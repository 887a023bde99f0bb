"""Sends what webhooks are to get: HTTP POSTs from threads, so that the loop never waits for somebody else's server."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import http.client
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from urllib.parse import urlsplit

from cloudsim import __version__
from cloudsim.management.operations.webhooks import LONGEST_ANSWER, Parcel, Receipt

SENDERS = 4


class WebhookSender:
    """`deliver` is what `Webhooks` wants. Redirects are not followed: they would carry a signed text elsewhere."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(SENDERS, thread_name_prefix="webhook")

    async def deliver(self, parcel: Parcel) -> Receipt:
        """Send it, and return what came of it; never raises."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Receipt] = loop.create_future()

        def settle(receipt: Receipt) -> None:
            if not done.done():
                done.set_result(receipt)

        def work() -> None:
            receipt = post(parcel)
            with suppress(RuntimeError):  # the loop has closed: nobody waits
                loop.call_soon_threadsafe(settle, receipt)

        self._threads.submit(work)
        return await done

    def close(self) -> None:
        """Send nothing more; what is on its way ends with its timeout."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def post(parcel: Parcel) -> Receipt:
    """The POST itself."""
    body = parcel.payload.encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"CS-Webhook/{__version__}",
        "X-CS-Event-ID": parcel.event_id,
        "X-CS-Event": parcel.event_type,
    }
    if parcel.secret:
        headers["X-CS-Signature"] = hmac.new(parcel.secret.encode(), body, hashlib.sha256).hexdigest()
    told = "\n".join(f"{name}: {value}" for name, value in headers.items())
    parts = urlsplit(parcel.url)
    try:
        connection = _connection(parts.scheme, parts.hostname or "", parts.port, parcel)
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            text = answer.read(LONGEST_ANSWER).decode("utf-8", "replace")
            return Receipt(success=answer.status < 300, headers=told, answer=f"{answer.status} {answer.reason}\n{text}")
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Receipt(success=False, headers=told, answer=f"{type(error).__name__}: {error}")


def _connection(scheme: str, host: str, port: int | None, parcel: Parcel) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=parcel.timeout)
    context = ssl.create_default_context()
    if not parcel.verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection(host, port, timeout=parcel.timeout, context=context)
