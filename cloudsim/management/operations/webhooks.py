"""Webhooks: events of the cloud, sent to URLs that users name.

What sends them is `deliver`, which the server sets; without it a webhook is kept, and nothing is sent.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, get_args
from urllib.parse import urlsplit

import msgspec

from cloudsim.errors import InvalidParameterValue, PermissionDenied, UnsupportedCommand
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller, in_subtree
from cloudsim.model import Account, Domain, Event, Webhook, WebhookDelivery
from cloudsim.model.operations import WebhookScope
from cloudsim.store import Change

log = logging.getLogger(__name__)

SCOPES: tuple[WebhookScope, ...] = get_args(WebhookScope)
MOST_WAITING = 1000
"""Deliveries of a webhook that wait; beyond it events are not sent to it, and the log says so."""
LONGEST_ANSWER = 4096


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent to whom: an HTTP POST of `payload`, a JSON text, signed where there is a secret."""

    url: str
    payload: str
    event_id: str
    event_type: str
    secret: str | None = None
    verify: bool = True
    timeout: float = 10.0


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: whether the answer's status was below 300, what was sent besides, and the answer."""

    success: bool
    headers: str = ""
    answer: str = ""


class Webhooks:
    """Keeps webhooks, sends them events in their order, and keeps the last deliveries of each."""

    def __init__(self, foundation: Foundation, spawn: Callable[[Coroutine[Any, Any, Any]], object]) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(Webhook)
        self._deliveries = foundation.table(WebhookDelivery)
        self._accounts = foundation.table(Account)
        self._randomness = foundation.randomness.branch("webhooks")
        self._spawn = spawn
        self._waiting: dict[str, asyncio.Queue[Event]] = {}
        self._dropped: Counter[str] = Counter()
        self.deliver: Callable[[Parcel], Awaitable[Receipt]] | None = None
        foundation.store.subscribe(self._happened, Event)

    # webhooks

    def create(
        self,
        caller: Caller,
        owner: Account,
        *,
        name: str,
        url: str,
        description: str = "",
        scope: str | None = None,
        secret: str | None = None,
        verify: bool = True,
        enabled: bool = True,
    ) -> Webhook:
        """Have events sent to a URL: those of the account, of its domain and those below, or of the whole cloud."""
        meant = self._scope(caller, scope)
        self._check(owner, name=name, url=url)
        with self._store.transaction():
            return self._table.insert(
                Webhook(
                    id=self._randomness.uuid(),
                    name=name,
                    description=description,
                    account_id=owner.id,
                    domain_id=owner.domain_id,
                    url=url,
                    secret=secret or None,
                    verify=verify,
                    scope=meant,
                    enabled=enabled,
                    created=self._foundation.now(),
                )
            )

    def update(
        self,
        caller: Caller,
        webhook: Webhook,
        *,
        name: str | None = None,
        url: str | None = None,
        description: str | None = None,
        scope: str | None = None,
        secret: str | None = None,
        verify: bool | None = None,
        enabled: bool | None = None,
    ) -> Webhook:
        """Change what is given; an empty secret takes it away."""
        owner = self._accounts[webhook.account_id]
        self._check(owner, name=None if name == webhook.name else name, url=url)
        fields: dict[str, Any] = {
            "name": name,
            "url": url,
            "description": description,
            "scope": self._scope(caller, scope) if scope else None,
            "verify": verify,
            "enabled": enabled,
        }
        changed = {field: value for field, value in fields.items() if value is not None}
        if secret is not None:
            changed["secret"] = secret or None
        with self._store.transaction():
            return self._table.update(webhook.id, **changed) if changed else webhook

    def delete(self, webhook: Webhook) -> None:
        """Forget the webhook and its deliveries."""
        with self._store.transaction():
            self.forget(self._deliveries.where("webhook_id", webhook.id))
            self._table.delete(webhook.id)

    async def delete_of(self, account: Account) -> None:
        """An account that is deleted takes its webhooks along."""
        for webhook in self._table.where("account_id", account.id):
            self.delete(webhook)

    def forget(self, deliveries: list[WebhookDelivery]) -> None:
        with self._store.transaction():
            for row in deliveries:
                self._deliveries.delete(row.id)

    @staticmethod
    def _scope(caller: Caller, text: str | None) -> WebhookScope:
        scope = next((each for each in SCOPES if each.lower() == (text or "Local").lower()), None)
        if scope is None:
            raise InvalidParameterValue(f"Invalid scope specified: {text}; there are {', '.join(SCOPES)}")
        if (scope == "Global" and not caller.is_root_admin) or (scope == "Domain" and not caller.is_admin):
            raise PermissionDenied(f"{caller.account.name} cannot have a webhook of scope {scope}")
        return scope

    def _check(self, owner: Account, *, name: str | None, url: str | None) -> None:
        if name is not None:
            if not name.strip():
                raise InvalidParameterValue("Parameter name: a webhook needs a name")
            if self._table.find(("account_id", "name"), (owner.id, name)) is not None:
                raise InvalidParameterValue(f"A webhook named {name} exists already")
        if url is not None:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise InvalidParameterValue(f"Parameter payloadurl is {url!r}: an http or https URL is expected")

    # events

    def _happened(self, changes: list[Change]) -> None:
        if not len(self._table) or self.deliver is None:
            return
        for _, before, event in changes:
            if before is None and event is not None:
                for webhook in self._table:
                    if webhook.enabled and self._concerns(webhook, event):
                        self._enqueue(webhook, event)

    def _concerns(self, webhook: Webhook, event: Event) -> bool:
        if webhook.scope == "Global" or event.account_id == webhook.account_id:
            return True
        return webhook.scope == "Domain" and in_subtree(self._store, event.domain_id, webhook.domain_id)

    def _enqueue(self, webhook: Webhook, event: Event) -> None:
        queue = self._waiting.get(webhook.id)
        if queue is None:
            queue = self._waiting[webhook.id] = asyncio.Queue(MOST_WAITING)
            self._spawn(self._send_all(webhook.id, queue))
        try:
            queue.put_nowait(event)
        except asyncio.QueueFull:
            if not self._dropped[webhook.id]:
                log.warning("webhook %s does not keep up: events are not sent to it", webhook.name)
            self._dropped[webhook.id] += 1

    async def _send_all(self, webhook_id: str, queue: asyncio.Queue[Event]) -> None:
        """Send what waits, one after the other; ends when nothing does."""
        while not queue.empty():
            event = queue.get_nowait()
            webhook = self._table.get(webhook_id)
            if webhook is not None and webhook.enabled:
                await self._send(webhook, self._payload(event), event.id, event.type, self._tries())
        self._waiting.pop(webhook_id, None)
        self._dropped.pop(webhook_id, None)

    def _tries(self) -> int:
        return self._foundation.settings.integer("webhook.delivery.tries")

    def _payload(self, event: Event) -> str:
        account, domain = self._accounts.get(event.account_id), self._foundation.table(Domain).get(event.domain_id)
        told = {
            "eventDateTime": event.created,
            "eventUuid": event.id,
            "event": event.type,
            "status": event.state,
            "level": event.level,
            "description": event.description,
            "account": account.name if account is not None else None,
            "domain": domain.path if domain is not None else None,
            "resourceType": event.resource_type,
            "resourceUuid": event.resource_id,
        }
        return msgspec.json.encode({name: value for name, value in told.items() if value is not None}).decode()

    async def _send(
        self, webhook: Webhook, payload: str, event_id: str, event_type: str, tries: int = 1
    ) -> WebhookDelivery:
        began = self._foundation.now()
        receipt = await self._deliver(webhook, payload, event_id, event_type)
        while not receipt.success and tries > 1:
            tries -= 1
            receipt = await self._deliver(webhook, payload, event_id, event_type)
        row = WebhookDelivery(
            id=self._randomness.uuid(),
            webhook_id=webhook.id,
            event_id=event_id,
            event_type=event_type,
            payload=payload,
            headers=receipt.headers,
            answer=receipt.answer[:LONGEST_ANSWER],
            success=receipt.success,
            began=began,
            ended=self._foundation.now(),
        )
        if webhook.id in self._table:
            with self._store.transaction():
                self._deliveries.insert(row)
                kept = self._deliveries.where("webhook_id", webhook.id)
                most = self._foundation.settings.integer("webhook.deliveries.limit")
                self.forget(sorted(kept, key=lambda each: each.began)[: max(0, len(kept) - most)])
        return row

    async def _deliver(self, webhook: Webhook, payload: str, event_id: str, event_type: str) -> Receipt:
        if self.deliver is None:
            raise UnsupportedCommand("This server sends nothing to webhooks")
        parcel = Parcel(
            url=webhook.url,
            payload=payload,
            event_id=event_id,
            event_type=event_type,
            secret=webhook.secret,
            verify=webhook.verify,
            timeout=self._foundation.settings.number("webhook.delivery.timeout"),
        )
        return await self.deliver(parcel)

    async def try_out(self, webhook: Webhook, payload: str | None, delivery: WebhookDelivery | None) -> WebhookDelivery:
        """Send an earlier delivery once more, or a text, by default a word of this server; what came of it."""
        if delivery is not None:
            return await self._send(webhook, delivery.payload, delivery.event_id, delivery.event_type)
        text = payload or msgspec.json.encode({"test": f"This is a delivery of webhook {webhook.name}"}).decode()
        return await self._send(webhook, text, self._randomness.uuid(), "TEST.WEBHOOK")
