"""Which API call caused what is being done now: follows a call through jobs and commands."""

from contextvars import ContextVar

TRACE: ContextVar[str] = ContextVar("trace_id", default="")
"""The id of the API call that the running task works for; empty for the server's own work."""
