"""Somebody who calls the API of a management server in this process, with keys and signature as from outside."""

from __future__ import annotations

from typing import Any

import msgspec

from server.api.authentication import canonical, sign
from server.api.dispatch import Dispatcher
from server.api.request import Request

Row = dict[str, Any]


class Refused(Exception):
    """The API said no, or a job failed; the text is the API's."""


class Actor:
    """A user. `ask` sends one call; `result` waits for the job that it may have become."""

    def __init__(self, dispatcher: Dispatcher, name: str, api_key: str, secret_key: str) -> None:
        self.name = name
        self._dispatcher = dispatcher
        self._api_key = api_key
        self._secret_key = secret_key

    async def __call__(self, command: str, **parameters: Any) -> Any:
        """What the command answers in the end: a row, or a list of rows. Raises Refused."""
        return await self.result(await self.ask(command, parameters))

    async def ask(self, command: str, parameters: dict[str, Any]) -> Row:
        """What is in the answer's envelope. Raises Refused for an error."""
        pairs = {"command": command, "response": "json", "apiKey": self._api_key}
        for name, value in parameters.items():
            pairs |= spread(name, value)
        pairs["signature"] = sign(canonical(pairs), self._secret_key)
        reply = await self._dispatcher.answer(Request.of(pairs.items()))
        body: Row = next(iter(msgspec.json.decode(reply.text()).values()))
        if reply.status != 200:
            raise Refused(body["errortext"])
        return body

    async def result(self, body: Row) -> Any:
        """The row or rows in an answer; those of its job, once it has ended. Raises Refused if that failed."""
        if "jobid" in body and body.keys() <= {"jobid", "id"}:
            job = await self._dispatcher.manager.jobs.wait(body["jobid"])
            result: Row = msgspec.json.decode(job.result or "{}")
            if job.status == 2:
                raise Refused(result["errortext"])
            body = result
        inner = [value for value in body.values() if isinstance(value, dict | list)]
        return inner[0] if len(inner) == 1 else body


def spread(name: str, value: Any) -> dict[str, str]:
    """A parameter as it is written in a request: lists with commas, maps and lists of maps by index."""
    if isinstance(value, dict):
        return {
            f"{name}[{i}].{part}": str(text)
            for i, pair in enumerate(value.items())
            for part, text in zip(("key", "value"), pair, strict=True)
        }
    if isinstance(value, list):
        if value and isinstance(value[0], dict):
            return {f"{name}[{i}].{key}": _text(text) for i, each in enumerate(value) for key, text in each.items()}
        return {name: ",".join(map(_text, value))}
    return {name: _text(value)}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
