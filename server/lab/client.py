"""A small client of the public API, with the admin's keys."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from server.api.authentication import canonical, sign

ANSWER_WITHIN = 60.0
JOB_WITHIN = 300.0
_PAUSE = 0.3
T = TypeVar("T")


class ApiError(Exception):
    """A call failed; the text begins with the command."""


class ApiClient:
    """Calls commands by GET with a signature. Parameters that are None are left out; answers are the inner objects."""

    def __init__(self, endpoint: str, key: str, secret: str) -> None:
        self.endpoint = endpoint
        self._key = key
        self._secret = secret

    @classmethod
    def of_cloud(cls, data: Path) -> ApiClient:
        """With the keys that `cloudsim serve` keeps in its folder. Raises ApiError."""
        file = data / "admin.json"
        try:
            found = json.loads(file.read_bytes())
            return cls(found["endpoint"], found["apikey"], found["secretkey"])
        except (OSError, ValueError, KeyError) as error:
            raise ApiError(f"the admin's keys are not in {file}: {error}") from error

    def call(self, command: str, **parameters: Any) -> dict[str, Any]:
        """The answer of one command. Raises ApiError."""
        sent = {name: _text(value) for name, value in parameters.items() if value is not None}
        sent |= {"command": command, "response": "json", "apikey": self._key}
        sent["signature"] = sign(canonical(sent), self._secret)
        url = f"{self.endpoint}?{urllib.parse.urlencode(sent, quote_via=urllib.parse.quote)}"
        try:
            with urllib.request.urlopen(url, timeout=ANSWER_WITHIN) as response:
                body = response.read()
        except urllib.error.HTTPError as error:
            raise ApiError(f"{command}: {_refusal(error.read()) or error}") from None
        except (OSError, http.client.HTTPException) as error:
            raise ApiError(f"{command}: no answer from {self.endpoint}: {error}") from error
        try:
            (found,) = json.loads(body).values()
        except (ValueError, AttributeError) as error:
            raise ApiError(f"{command}: the answer is not understood: {body[:200]!r}") from error
        return dict(found)

    def job(self, command: str, **parameters: Any) -> dict[str, Any]:
        """The result of a command that is a job, once it is done. Raises ApiError."""
        number = self.call(command, **parameters)["jobid"]
        found: dict[str, Any] = {}

        def done() -> bool:
            found.update(self.call("queryAsyncJobResult", jobid=number))
            return bool(found["jobstatus"] != 0)

        wait_for(f"{command}: its job {number}", done, JOB_WITHIN)
        result = found.get("jobresult") or {}
        if found["jobstatus"] != 1:
            raise ApiError(f"{command}: {result.get('errortext', 'its job failed')}")
        return dict(result)

    def list(self, command: str, **parameters: Any) -> list[dict[str, Any]]:
        """All that a listing has, whatever its entity is called."""
        answer = self.call(command, **parameters)
        return next((value for value in answer.values() if isinstance(value, list)), [])


def wait_for(what: str, found: Callable[[], T | None], limit: float) -> T:
    """The first that is true of what `found` returns. Raises ApiError if there is none within `limit` seconds."""
    end = time.monotonic() + limit
    while True:
        result = found()
        if result:
            return result
        if time.monotonic() > end:
            raise ApiError(f"{what} is not done within {limit:g} s")
        time.sleep(_PAUSE)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _refusal(body: bytes) -> str | None:
    try:
        (found,) = json.loads(body).values()
        return str(found["errortext"])
    except (ValueError, AttributeError, KeyError, TypeError):
        return None
