"""Webhooks and what was sent to them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.identity import visibility
from cloudsim.model import Webhook, WebhookDelivery
from server.api.command import ROOT, Call, Listed, command
from server.api.commands.infrastructure.management_servers import SERVER_ID, SERVER_NAME
from server.api.listing import Page, listed, page_of
from server.api.ownership import Owner
from server.api.parameters import Date as DateParameter
from server.api.parameters import Param
from server.api.scope import Scope
from server.api.views import Date, View, date, owner

GROUP, SINCE = "Webhook", "4.20.0"
State = Literal["Enabled", "Disabled"]
Url = Param("http or https URL to which events are posted")
Secret = Param("key of the HMAC-SHA256 in the header X-CS-Signature")
Verify = Param("whether the certificate of an https URL must be good")
Scopes = Param("Local (the account's events), Domain (also those of the domain and below) or Global")


class WebhookView(View):
    """Where events are sent."""

    entity: ClassVar = Webhook
    key: ClassVar = "webhook"

    id: str | None = None
    name: str | None = None
    description: str | None = None
    state: Annotated[str | None, "Enabled or Disabled"] = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    account: str | None = None
    projectid: str | None = None
    project: str | None = None
    payloadurl: str | None = None
    secretkey: Annotated[str | None, "shown to those who may change it"] = None
    sslverification: bool | None = None
    scope: str | None = None
    created: Date | None = None

    @classmethod
    def of(cls, row: Webhook, call: Call) -> Self:
        return cls(
            id=row.id,
            name=row.name,
            description=row.description or None,
            state="Enabled" if row.enabled else "Disabled",
            payloadurl=row.url,
            secretkey=row.secret,
            sslverification=row.verify,
            scope=row.scope,
            created=date(row.created),
            **owner(call, row.account_id),
        )


class WebhookDeliveryView(View):
    """Something that was sent, and what came of it."""

    entity: ClassVar = WebhookDelivery
    key: ClassVar = "webhookdelivery"

    id: str | None = None
    eventid: str | None = None
    eventtype: str | None = None
    webhookid: str | None = None
    webhookname: str | None = None
    managementserverid: str | None = None
    managementservername: str | None = None
    headers: str | None = None
    payload: str | None = None
    success: bool | None = None
    response: Annotated[str | None, "status and body of the answer, or what went wrong"] = None
    startdate: Date | None = None
    enddate: Date | None = None

    @classmethod
    def of(cls, row: WebhookDelivery, call: Call) -> Self:
        webhook = call.store.table(Webhook).get(row.webhook_id)
        return cls(
            id=row.id,
            eventid=row.event_id,
            eventtype=row.event_type,
            webhookid=row.webhook_id,
            webhookname=webhook.name if webhook is not None else None,
            managementserverid=SERVER_ID,
            managementservername=SERVER_NAME,
            headers=row.headers,
            payload=row.payload,
            success=row.success,
            response=row.answer,
            startdate=date(row.began),
            enddate=date(row.ended),
        )


@command("createWebhook", view=WebhookView, group=GROUP, since=SINCE, event="WEBHOOK.CREATE")
async def create_webhook(
    call: Call,
    *,
    owner: Owner,
    name: str,
    payloadurl: Annotated[str, Url],
    description: str | None = None,
    state: State = "Enabled",
    secretkey: Annotated[str | None, Secret] = None,
    sslverification: Annotated[bool, Verify] = True,
    scope: Annotated[str | None, Scopes] = None,
) -> Webhook:
    """Has events sent to a URL as they happen."""
    made: Webhook = call.manager.webhooks.create(
        call.caller,
        owner,
        name=name,
        url=payloadurl,
        description=description or "",
        scope=scope,
        secret=secretkey,
        verify=sslverification,
        enabled=state == "Enabled",
    )
    return made


@command("updateWebhook", group=GROUP, since=SINCE, event="WEBHOOK.UPDATE")
async def update_webhook(
    call: Call,
    *,
    id: Webhook,
    name: str | None = None,
    description: str | None = None,
    state: State | None = None,
    payloadurl: Annotated[str | None, Url] = None,
    secretkey: Annotated[str | None, Secret] = None,
    sslverification: Annotated[bool | None, Verify] = None,
    scope: Annotated[str | None, Scopes] = None,
) -> None:
    """Changes a webhook."""
    call.manager.webhooks.update(
        call.caller,
        id,
        name=name,
        url=payloadurl,
        description=description,
        scope=scope,
        secret=secretkey,
        verify=sslverification,
        enabled=None if state is None else state == "Enabled",
    )


@command("deleteWebhook", group=GROUP, since=SINCE, event="WEBHOOK.DELETE")
async def delete_webhook(call: Call, *, id: Webhook) -> None:
    """Deletes a webhook with its deliveries."""
    call.manager.webhooks.delete(id)


@command("listWebhooks", view=WebhookView, group=GROUP, since=SINCE)
async def list_webhooks(
    call: Call,
    *,
    page: Page,
    of: Scope,
    id: Webhook | None = None,
    state: State | None = None,
    name: str | None = None,
    scope: Annotated[str | None, Param("Local, Domain or Global")] = None,
) -> Listed:
    """Lists webhooks."""
    return listed(
        call,
        Webhook,
        page=page,
        scope=of,
        ids=None if id is None else [id],
        equal={
            "name": name or None,
            "enabled": None if state is None else state == "Enabled",
            "scope": scope.capitalize() if scope else None,
        },
    )


def _deliveries(
    call: Call,
    id: WebhookDelivery | None,
    webhook: Webhook | None,
    server: str | None,
    start: float | None,
    end: float | None,
) -> list[WebhookDelivery]:
    table = call.store.table(WebhookDelivery)
    rows = [id] if id is not None else list(table) if webhook is None else table.where("webhook_id", webhook.id)
    return [
        row
        for row in rows
        if (webhook is None or row.webhook_id == webhook.id)
        and server in (None, SERVER_ID)
        and (start is None or row.began >= start)
        and (end is None or row.began <= end)
    ]


OfServer = Annotated[str | None, Param("only those that this management server sent", type="uuid")]


@command("listWebhookDeliveries", view=WebhookDeliveryView, group=GROUP, since=SINCE)
async def list_webhook_deliveries(
    call: Call,
    *,
    page: Page,
    id: WebhookDelivery | None = None,
    webhookid: Annotated[Webhook | None, Param("only those of that webhook", access="operate")] = None,
    managementserverid: OfServer = None,
    startdate: Annotated[DateParameter | None, Param("none before that")] = None,
    enddate: Annotated[DateParameter | None, Param("none after that")] = None,
    eventtype: Annotated[str | None, Param("only those of such events")] = None,
) -> Listed:
    """Lists what was sent to webhooks, the newest first."""
    table = call.store.table(Webhook)

    def mine(row: WebhookDelivery) -> bool:
        return webhookid is not None or call.caller.is_root_admin or _may(call, table.get(row.webhook_id))

    found = _deliveries(call, id, webhookid, managementserverid, startdate, enddate)
    rows = [row for row in found if mine(row) and (not eventtype or row.event_type.lower() == eventtype.lower())]
    return page_of(rows[::-1], page, search=("event_type", "payload"))


def _may(call: Call, webhook: Webhook | None) -> bool:
    return webhook is not None and visibility.may(call.store, call.caller, webhook, operate=True)


@command("deleteWebhookDelivery", roles=ROOT, group=GROUP, since=SINCE, event="WEBHOOK.DELIVERY.DELETE")
async def delete_webhook_delivery(
    call: Call,
    *,
    id: WebhookDelivery | None = None,
    webhookid: Webhook | None = None,
    managementserverid: OfServer = None,
    startdate: Annotated[DateParameter | None, Param("none before that")] = None,
    enddate: Annotated[DateParameter | None, Param("none after that")] = None,
) -> None:
    """Deletes the record of what was sent."""
    if id is None and webhookid is None and managementserverid is None and enddate is None:
        raise InvalidParameterValue("Which? Give id, webhookid, managementserverid or enddate")
    call.manager.webhooks.forget(_deliveries(call, id, webhookid, managementserverid, startdate, enddate))


@command(
    "executeWebhookDelivery", view=WebhookDeliveryView, group=GROUP, since=SINCE, event="WEBHOOK.DELIVERY.REDELIVER"
)
async def execute_webhook_delivery(
    call: Call,
    *,
    id: Annotated[WebhookDelivery | None, Param("what is to be sent once more", access="any")] = None,
    webhookid: Annotated[Webhook | None, Param("the webhook that is to be tried")] = None,
    payload: Annotated[str | None, Param("what to send to it")] = None,
) -> WebhookDelivery:
    """Sends something to a webhook, to see what comes of it."""
    webhook = webhookid
    if id is not None:
        webhook = call.resolve(Webhook, id.webhook_id)
    if webhook is None or (id is not None and webhookid is not None and id.webhook_id != webhookid.id):
        raise InvalidParameterValue("Which webhook? Give webhookid, or the id of a delivery of it")
    sent: WebhookDelivery = await call.manager.webhooks.try_out(webhook, payload, id)
    return sent
