"""What happens in a cloud and is told: jobs, events, alerts, settings, tags."""

from __future__ import annotations

from typing import ClassVar, Literal

from cloudsim.store import Keys, Row

JOB_IN_PROGRESS, JOB_SUCCEEDED, JOB_FAILED = 0, 1, 2
"""Job status numbers, CloudStack's."""


class AsyncJob(Row, frozen=True, kw_only=True):
    """An API call that outlives its request. `result` is the JSON text that queryAsyncJobResult answers."""

    keys: ClassVar[Keys] = Keys(indexes=("account_id", "instance_id", "status"))

    command: str
    account_id: str
    user_id: str | None
    instance_type: str | None = None
    instance_id: str | None = None
    status: int = JOB_IN_PROGRESS
    result_code: int = 0
    result: str | None = None
    trace_id: str = ""
    created: float = 0.0
    completed: float | None = None


class Event(Row, frozen=True, kw_only=True):
    """One line of a cloud's history."""

    keys: ClassVar[Keys] = Keys(indexes=("account_id", "type"))

    type: str
    level: Literal["INFO", "WARN", "ERROR"]
    state: Literal["Created", "Scheduled", "Started", "Completed"]
    description: str
    account_id: str
    domain_id: str
    user_id: str | None = None
    resource_id: str | None = None
    resource_type: str | None = None
    start_id: str | None = None
    archived: bool = False
    created: float = 0.0


class Alert(Row, frozen=True, kw_only=True):
    """Something an operator should look at. `type` is CloudStack's number."""

    keys: ClassVar[Keys] = Keys(indexes=("zone_id",))

    type: int
    name: str
    description: str
    zone_id: str | None = None
    pod_id: str | None = None
    cluster_id: str | None = None
    archived: bool = False
    sent: float = 0.0


class Annotation(Row, frozen=True, kw_only=True):
    """A comment that somebody left on something. `entity_type` is CloudStack's name of what it is on."""

    keys: ClassVar[Keys] = Keys(indexes=("entity_id", "user_id"))

    entity_type: str
    entity_id: str
    text: str
    user_id: str
    admins_only: bool = False
    created: float = 0.0


class CapacitySample(Row, frozen=True, kw_only=True):
    """What a zone had and what of it was taken at one time (`sampled`).

    `used` and `total` belong to `types`, CloudStack's numbers: memory and storage in bytes, CPU in MHz, the rest
    counted. `instances` (users') and `hosts` are how many were in each state; `fill[n]` how many of the hosts that take
    instances were filled from n to n + 1 tenths, by the scarcer of CPU and memory.
    """

    keys: ClassVar[Keys] = Keys(indexes=("zone_id",))

    zone_id: str
    sampled: float
    types: tuple[int, ...]
    used: tuple[int, ...]
    total: tuple[int, ...]
    instances: dict[str, int]
    hosts: dict[str, int]
    fill: tuple[int, ...]


class Configuration(Row, frozen=True, kw_only=True):
    """A setting's value where it differs from its default; scope "Global" or the id of what it is for."""

    keys: ClassVar[Keys] = Keys(unique=(("name", "scope", "scope_id"),), indexes=("name",))

    name: str
    scope: Literal["Global", "Zone", "Cluster", "StoragePool", "Account", "Domain", "ImageStore"] = "Global"
    scope_id: str = ""
    value: str
    updated: float = 0.0


WebhookScope = Literal["Local", "Domain", "Global"]


class Webhook(Row, frozen=True, kw_only=True):
    """A URL to which events are sent as they happen: of its account, of its domain and those below, or all."""

    keys: ClassVar[Keys] = Keys(indexes=("account_id",), unique=(("account_id", "name"),))

    name: str
    description: str = ""
    account_id: str
    domain_id: str
    url: str
    secret: str | None = None
    verify: bool = True
    scope: WebhookScope = "Local"
    enabled: bool = True
    created: float = 0.0


class WebhookDelivery(Row, frozen=True, kw_only=True):
    """What was sent to a webhook, with which headers, and what was answered."""

    keys: ClassVar[Keys] = Keys(indexes=("webhook_id",))

    webhook_id: str
    event_id: str
    event_type: str
    payload: str
    headers: str = ""
    answer: str = ""
    success: bool = False
    began: float = 0.0
    ended: float = 0.0


class ResourceTag(Row, frozen=True, kw_only=True):
    """A key and value that a user hung on a resource."""

    keys: ClassVar[Keys] = Keys(indexes=("resource_id", ("key", "value")), unique=(("resource_id", "key"),))

    resource_type: str
    resource_id: str
    key: str
    value: str
    account_id: str
    domain_id: str
    customer: str | None = None


class ResourceDetail(Row, frozen=True, kw_only=True):
    """What an operator says of a resource besides what its own row says. `display`: whether its owner sees it.

    Without a `value` the resource keeps that itself in its own `details`, and this only says who sees it.
    """

    keys: ClassVar[Keys] = Keys(
        indexes=("resource_id", "resource_type"), unique=(("resource_id", "key"),)
    )

    resource_type: str
    resource_id: str
    key: str
    value: str | None = None
    display: bool = True
