"""From a request to its reply: authenticate, authorize, bind, run, wait until it is durable, render.

Everything here runs on the loop's thread. Only the reply's text is made on the worker's.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from msgspec import json

from cloudsim.errors import AuthenticationFailed, CloudError, SecondFactorRequired, UnsupportedCommand
from cloudsim.management.identity.caller import Caller
from cloudsim.management.operations.trace import TRACE
from cloudsim.model import Account, Domain, Project, User
from cloudsim.store import Change
from server.api import commands, not_supported
from server.api.authentication import REFUSED, user_of_signature
from server.api.command import COMMANDS, Call, Command, Job, Listed, Success
from server.api.envelope import Reply, error_reply, result_text, success_body
from server.api.rate_limits import RateLimits
from server.api.request import Request
from server.api.session import SECOND_FACTOR, Session, Sessions, key_accepted
from server.api.views import View, render
from server.changes.feed import ChangeFeed

log = logging.getLogger(__name__)

NOTHING = "-1"
"""The id of nothing. A list by it is empty, as CloudStack's is; but who owns what is listed has to be somebody."""
OWNERS = (Account, Domain, Project)


class Removed:
    """Ids of rows that are gone, so that listing one of them is an empty list and not an error."""

    def __init__(self, size: int = 100_000) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._size = size

    def __call__(self, changes: list[Change]) -> None:
        for change in changes:
            if change.after is None:
                self._ids[change.before.id] = None
            elif change.before is None:
                self._ids.pop(change.after.id, None)  # such as an instance that is taken in again
        while len(self._ids) > self._size:
            self._ids.popitem(last=False)

    def __contains__(self, row_id: object) -> bool:
        return row_id in self._ids


class Dispatcher:
    """The API of one management server. `answer` never raises: what goes wrong is a reply, too.

    `clock` is the clients' time in Unix seconds, by which signatures expire: real also where the cloud's is not.
    """

    def __init__(
        self, manager: Any, *, session_timeout: float = 1800.0, clock: Callable[[], float] = time.time
    ) -> None:
        commands.load()
        self.manager = manager
        foundation = manager.foundation
        self.store = foundation.store
        self.sessions = Sessions(foundation.randomness, session_timeout)
        self._clock = clock
        self.rate_limits = RateLimits(foundation.settings, clock)
        self.provided: dict[str, Any] = {}
        """What this cloud has of what some commands need (`needs` of their declarations), by that name."""
        self.changes = ChangeFeed(manager)
        self._traces = foundation.randomness.branch("traces")
        self._removed = Removed()
        self.store.subscribe(self._removed)

    async def answer(self, request: Request, *, trusted: bool = False) -> Reply:
        """The reply to a request. `trusted` is the integration port's: the caller is the system user."""
        command = COMMANDS.get(request.command.lower())
        trace_id = self._traces.uuid()
        TRACE.set(trace_id)
        try:
            reply = await self._reply(request, command, trusted, trace_id)
            self._tell_trace(trace_id, command, reply)
        finally:
            self.manager.traces.left(trace_id)
        return reply

    async def _reply(self, request: Request, command: Command | None, trusted: bool, trace_id: str) -> Reply:
        before = self.store.sequence
        try:
            request.check()
            reply = await self._answer(request, command, trusted, trace_id)
        except CloudError as error:
            reply = error_reply(_response(command), error, json=request.wants_json)
        except Exception:
            log.exception("%s failed, trace %s", request.command, trace_id)
            internal = CloudError(f"Internal error, see the server's log for trace {trace_id}")
            reply = error_reply(_response(command), internal, json=request.wants_json)
        if reply.status == 401 and request.session_id and not request.fields.get("apikey"):
            self.sessions.end(request.session_id)
        return await self._durable(reply, request, command, changed=self.store.sequence != before)

    async def _durable(self, reply: Reply, request: Request, command: Command | None, *, changed: bool) -> Reply:
        """The reply, once all that it may tell of is on disk. A refusal too tells of changes that a crash would undo."""
        since = self.manager.foundation.now()
        try:
            await self.store.durable()
        except CloudError as error:
            return error_reply(_response(command), error, json=request.wants_json)
        if changed:
            self.manager.traces.written(since, by_api=True)
        return reply

    def _tell_trace(self, trace_id: str, command: Command | None, reply: Reply) -> None:
        error = reply.description if reply.status != 200 else ""
        would_change = command is not None and (command.job or command.event is not None)
        self.manager.traces.replied(
            trace_id, reply.status, lambda: json.encode(reply.body), error, worth=bool(error) and would_change
        )

    async def _answer(self, request: Request, command: Command | None, trusted: bool, trace_id: str) -> Reply:
        if command is None:
            self._refuse_unknown(request, trusted)
            raise UnsupportedCommand(f"Unknown API command: {request.command[:100]}")
        if command.open or trusted:
            caller = self._system(trace_id)
        else:
            user, by_session = self._user(request)
            caller = self._caller(user, trace_id)
            signing_in = command.name in SECOND_FACTOR
            if by_session and not signing_in and not self._session(request).verified:
                raise SecondFactorRequired(f"The second factor of user {user.username} is needed first")
            if not signing_in and not self.manager.roles.allows(caller.account, command.name, command.roles):
                text = f"The command {command.name} does not exist or is not available for user {user.username}"
                raise UnsupportedCommand(text) if by_session else AuthenticationFailed(text)
            self.rate_limits.count(caller)
        if not self.offers(command):
            raise UnsupportedCommand(f"The command {command.name} is not supported by this cloud: it needs {command.needs}")
        self.manager.traces.called(trace_id, command.name, caller, request.sent)
        call = Call(command, self.manager, caller, request.fields, request.maps(), door=self)
        call.request = request
        if command.many and self._names_nothing(call):
            return Reply(command.response, {}, request.wants_json)
        self._check_project_role(call)
        not_supported.check(command.name, call.fields, call.maps)
        arguments = command.bind(call)
        if command.job:
            self.manager.jobs.check_open()
        answer = await command.function(call, **arguments)
        if isinstance(answer, Reply):
            return answer
        if isinstance(answer, Job):
            body = self._submit(call, answer)
        else:
            body = self._done(call, answer, arguments.get("id"))
        return Reply(command.response, body, request.wants_json, cookies=call.cookies)

    def offers(self, command: Command) -> bool:
        """Whether this cloud has what the command needs."""
        return command.needs is None or command.needs in self.provided

    # who

    def _system(self, trace_id: str) -> Caller:
        account, user = self.manager.identity.system()
        return Caller(account, user, trace_id)

    def _refuse_unknown(self, request: Request, trusted: bool) -> None:
        """An unknown command is 432 for a caller who is known by session, else 401 like any bad request."""
        if not trusted:
            _, by_session = self._user(request)
            if not by_session:
                raise AuthenticationFailed(REFUSED)

    def _user(self, request: Request) -> tuple[User, bool]:
        """The user who sends the request, and whether a session (not a signature) says so."""
        settings = self.manager.foundation.settings
        if request.fields.get("apikey") or not request.session_id:
            user = user_of_signature(self.store, request, self._clock())
            if not self.manager.identity.users.may_use_api_keys(user, self.store.table(Account)[user.account_id]):
                raise AuthenticationFailed(REFUSED)
            return user, False
        session = self._session(request)
        where = settings.get("api.sessionkey.check.locations")
        if not key_accepted(session, request.session_key, request.fields.get("sessionkey"), where):
            raise AuthenticationFailed(REFUSED)
        found = self.store.table(User).get(session.user_id)
        if found is None:
            raise AuthenticationFailed(REFUSED)
        return found, True

    def _session(self, request: Request) -> Session:
        session = self.sessions.find(request.session_id)
        if session is None:
            raise AuthenticationFailed(REFUSED)
        return session

    @property
    def now(self) -> float:
        """The clients' time, Unix seconds."""
        return self._clock()

    def _caller(self, user: User, trace_id: str) -> Caller:
        account = self.store.table(Account).get(user.account_id)
        if user.state != "enabled" or account is None or account.state != "enabled":
            raise AuthenticationFailed(REFUSED)
        return Caller(account, user, trace_id)

    def _check_project_role(self, call: Call) -> None:
        """What is asked for a project is within the caller's role there, if it has one."""
        project = self.store.table(Project).get(call.fields.get("projectid", "").strip())
        if project is not None:
            self.manager.project_roles.check_call(call.caller, project, call.command.name)

    # what

    def _names_nothing(self, call: Call) -> bool:
        """Whether what is to be listed is by an id that is nothing's any more, or by -1, which is nothing's ever."""
        fields = call.fields
        if fields.get("id", "").strip() in self._removed:
            return True
        if NOTHING not in fields.values() or not call.command.name.startswith("list"):
            return False  # what registers something in every zone says so with -1
        return any(
            fields.get(p.name.lower()) == NOTHING and p.entity is not None and p.entity not in OWNERS
            for p in call.command.parameters
        )

    def _done(self, call: Call, answer: Any, subject: Any) -> Any:
        body = self._body(call, answer)
        command = call.command
        if command.event is not None:
            self._record(call, subject if answer is None or isinstance(answer, View) else answer, "Completed")
        return body

    def _body(self, call: Call, answer: Any) -> Any:
        command = call.command
        if answer is None or isinstance(answer, Success):
            return success_body(command, answer, ())
        rows: Sequence[Any] = answer.rows if isinstance(answer, Listed) else answer if command.many else (answer,)
        return success_body(command, answer, render(command.view or View, rows, call))

    def _submit(self, call: Call, job: Job) -> dict[str, str]:
        command, instance = call.command, job.instance
        started = self._record(call, instance, "Scheduled") if command.event is not None else None
        row = self.manager.jobs.submit(
            call.caller,
            command.name,
            self._work(call, job, started),
            instance_type=type(instance).__name__ if instance is not None else None,
            instance_id=instance.id if instance is not None else None,
            queue=job.queue,
            present=lambda value: result_text(self._body(self._again(call), value)),
        )
        answer = {"jobid": row.id}
        if command.creates is not None and instance is not None:
            answer["id"] = instance.id
        return answer

    def _again(self, call: Call) -> Call:
        """The same call at the job's end, without what it had cached at its beginning."""
        return Call(call.command, self.manager, call.caller, call.fields, call.maps, door=self)

    def _work(self, call: Call, job: Job, started: str | None) -> Callable[[], Coroutine[Any, Any, Any]]:
        if call.command.event is None:
            return job.work

        async def recorded() -> Any:
            try:
                value = await job.work()
            except CloudError as error:
                self._record(call, job.instance, "Completed", started, failed=error.text)
                raise
            except Exception:
                self._record(call, job.instance, "Completed", started, failed="internal error")
                raise
            self._record(call, value if value is not None else job.instance, "Completed", started)
            return value

        return recorded

    def _record(
        self, call: Call, subject: Any, state: Any, started: str | None = None, *, failed: str = ""
    ) -> str | None:
        """Write the command's event; returns its id."""
        command, caller = call.command, call.caller
        subject = subject.rows[0] if isinstance(subject, Listed) and subject.rows else subject
        account_id = getattr(subject, "account_id", None) or caller.account.id
        owner = self.store.table(Account).get(account_id) or caller.account
        name = getattr(subject, "name", None) or getattr(subject, "id", None)
        text = command.description.rstrip(".") + (f": {name}" if name else "") + (f" failed: {failed}" if failed else "")
        event = self.manager.foundation.events.record(
            call.event,
            text,
            caller=caller,
            account_id=owner.id,
            domain_id=owner.domain_id,
            level="ERROR" if failed else "INFO",
            state=state,
            resource_id=getattr(subject, "id", None),
            resource_type=type(subject).__name__ if hasattr(subject, "id") else None,
            start_id=started,
        )
        return event.id if event is not None else None


def _response(command: Command | None) -> str:
    return command.response if command is not None else "errorresponse"

