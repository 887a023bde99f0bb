"""What an agent remembers across its own restarts, so that no Command is done twice."""

from __future__ import annotations

from typing import Protocol

from cloudsim.protocol.messages import Request, Response


class AnswerJournal(Protocol):
    """Kept outside of the agent's memory. An agent without one forgets all when it stops."""

    def recall(self) -> tuple[dict[int, Response], set[int]]:
        """The answers given and not forgotten, in the order of their numbers, and the numbers begun but not answered."""

    async def begun(self, request: Request) -> None:
        """Note that the request is going to be worked on; durable when this returns."""

    async def answered(self, response: Response) -> None:
        """Note the answer; durable when this returns."""

    def forget(self, answered: int) -> None:
        """The manager has all answers up to that number."""
