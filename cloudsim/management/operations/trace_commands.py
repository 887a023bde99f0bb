"""Commands to hosts as entries of a trace: sent, arrived, done by agent and hypervisor, answered.

A host's clock is its own, so the times of its work are put between those of sending and answer that this server has
seen, with the same time on the way in both directions, as NTP does (RFC 5905, section 8).
"""

from __future__ import annotations

from cloudsim.management.operations.trace_entries import MANAGEMENT, Trace, agent_of, hypervisor_of
from cloudsim.protocol.messages import Request, Response


def sent(trace: Trace, host: str, request: Request, now: float) -> None:
    """The command leaves for the host."""
    kind = type(request.command).__name__
    parent = trace.job or (1 if trace.entries else 0)
    entry = trace.add("command", MANAGEMENT, agent_of(host), kind, now, None, request.command, parent=parent)
    if entry is not None:
        trace.commands[host, request.sequence] = entry


def answered(trace: Trace, host: str, request: Request, response: Response, now: float) -> None:
    """Its answer has come, perhaps with what was done."""
    command = trace.commands.pop((host, request.sequence), None)
    if command is None:  # there were too many entries
        return
    agent, hypervisor, number = agent_of(host), hypervisor_of(host), command.number
    left = now
    work = response.work
    if work is not None:
        on_the_way = max(0.0, now - command.start - work.waited - work.seconds) / 2
        command.end = command.start + on_the_way
        begun = command.end + work.waited
        left = now - on_the_way
        error = response.answer.error or ""
        text = {"waited": work.waited} if work.waited else None
        own = trace.add("work", agent, agent, command.name, begun, left, text, error=error, parent=number)
        if own is not None:
            for step in work.steps:
                start = begun + step.start
                trace.add(
                    "step",
                    agent,
                    hypervisor,
                    step.name,
                    start,
                    start + step.seconds,
                    text=(step.payload, step.format, step.length),
                    error=step.error,
                    parent=own.number,
                )
        trace.left_out += work.left_out
    kind = type(response.answer).__name__
    trace.add(
        "answer",
        agent,
        MANAGEMENT,
        kind,
        left,
        now,
        response.answer,
        error=response.answer.error or "",
        parent=number,
    )


def unanswered(trace: Trace, host: str, request: Request, now: float) -> None:
    """Its time is over."""
    command = trace.commands.pop((host, request.sequence), None)
    if command is not None:
        agent = agent_of(host)
        trace.add(
            "answer", agent, MANAGEMENT, "no answer", now, error="not answered in time", parent=command.number
        )
