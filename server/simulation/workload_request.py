"""What a workload is asked to be, checked: where its requests come from, and what they become in this cloud."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from cloudsim.errors import InvalidParameterValue
from cloudsim.experiment.checking import unservable
from cloudsim.experiment.errors import ExperimentError
from cloudsim.experiment.requests import Shape, VmRequest
from cloudsim.experiment.traces import Trace
from cloudsim.experiment.traces.flavours import WeightedFlavour
from cloudsim.experiment.traces.generated import PoissonTrace
from cloudsim.experiment.traces.lifetimes import Lifetime
from cloudsim.model import ServiceOffering
from cloudsim.randomness import Randomness
from cloudsim.store import Store
from server.simulation.examples import examples
from server.simulation.served_cloud import shape_of, usable

MOST_REQUESTS = 100_000
"""As many as can be asked for: what became of each is kept in memory."""
MOST_SHAPES = 200
"""As many different sizes as a workload may bring: each needs an offering."""
ENDLESS = "endless"
_NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,40}(?<!-)\Z")


class Requests(msgspec.Struct, frozen=True, kw_only=True):
    """A trace whose requests have all been looked at. `chosen` are the offerings of sizes that were named by offering."""

    trace: Trace
    folder: Path
    seed: int
    count: int
    last_arrival: float
    """Seconds from the beginning."""
    shapes: tuple[Shape, ...]
    chosen: dict[Shape, ServiceOffering]

    def __iter__(self) -> Iterator[VmRequest]:
        return self.trace.requests(self.folder, Randomness(self.seed))


def checked_name(name: str) -> str:
    """The name, which the names of instances begin with. Raises InvalidParameterValue."""
    if not _NAME.match(name):
        expected = "expected up to 40 letters, digits and hyphens, with no hyphen at either end"
        raise InvalidParameterValue(f"Parameter name: {expected}, got {name[:60]!r}")
    return name


def generated(
    store: Store,
    *,
    rate: float,
    limit: int,
    mix: Sequence[Mapping[str, str]] | None,
    lifetime: float,
    distribution: str,
    sigma: float | None,
    alpha: float | None,
    daily_swing: float,
) -> tuple[Trace, dict[Shape, ServiceOffering]]:
    """The trace that these say, and the offerings of its mix. Raises InvalidParameterValue, naming the parameter."""
    flavours, chosen = _mix(store, mix)
    endless = distribution == ENDLESS
    shape = {"sigma": sigma, "alpha": alpha}
    data: dict[str, Any] = {
        "requests_in_all": _limit(limit),
        "lifetime": {
            "mean": lifetime,
            "distribution": "exponential" if endless else distribution,
            **{name: value for name, value in shape.items() if value is not None},
        },
        "per_hour": rate,
        "daily_swing": daily_swing,
        "lifetimes": "endless" if endless else "recorded",
    }
    try:
        wanted = msgspec.convert(data["lifetime"], Lifetime)
        rest = {name: value for name, value in data.items() if name != "lifetime"}
        return msgspec.convert({**rest, "lifetime": wanted, "flavours": flavours}, PoissonTrace), chosen
    except msgspec.ValidationError as error:
        raise InvalidParameterValue(_named(str(error))) from None


_WIRE = {"per_hour": "rate", "mean": "lifetime", "lifetime.mean": "lifetime", "daily_swing": "dailyswing"}


def _named(text: str) -> str:
    what, _, path = text.partition(" - at `$.")
    key = path.rstrip("`")
    return f"Parameter {_WIRE.get(key, key or 'lifetimedistribution')}: {what[:1].lower()}{what[1:]}"


def _limit(limit: int) -> int:
    if not 1 <= limit <= MOST_REQUESTS:
        raise InvalidParameterValue(f"Parameter limit: expected from 1 to {MOST_REQUESTS} requests, got {limit}")
    return limit


def known(name: str, limit: int | None, interarrival: float) -> tuple[Trace, Path]:
    """The workload of a scenario that comes with cloudsim. Raises InvalidParameterValue."""
    found = examples().get(name)
    if found is None:
        raise InvalidParameterValue(f"Parameter trace: expected one of {', '.join(examples())}, got {name[:60]!r}")
    if not interarrival > 0:
        raise InvalidParameterValue(f"Parameter interarrival: expected more than 0, got {interarrival:g}")
    trace: Trace = found.scenario.workload
    return (
        msgspec.structs.replace(
            trace,
            limit=min(_limit(limit if limit is not None else MOST_REQUESTS), trace.limit or MOST_REQUESTS),
            interarrival=trace.interarrival * interarrival,
            every_ms=None if trace.every_ms is None else max(1, round(trace.every_ms * interarrival)),
        ),
        found.folder,
    )


def look_over(trace: Trace, folder: Path, seed: int, chosen: dict[Shape, ServiceOffering]) -> Requests:
    """Go over all requests once: seconds, for many. Raises InvalidParameterValue for the first that is wrong."""
    shapes: dict[Shape, None] = {}
    count = last = 0
    try:
        for request in trace.requests(folder, Randomness(seed)):
            if wrong := unservable(request):
                raise InvalidParameterValue(f"Parameter trace: request {request.id}: {wrong}")
            shapes[request.shape] = None
            count, last = count + 1, request.arrival_ms
    except ExperimentError as error:
        raise InvalidParameterValue(f"Parameter trace: {error}") from None
    if len(shapes) > MOST_SHAPES:
        raise InvalidParameterValue(
            f"Parameter trace: its first {count} requests have {len(shapes)} different sizes, and each would need a "
            f"service offering: expected at most {MOST_SHAPES}; a smaller limit may do"
        )
    return Requests(
        trace=trace,
        folder=folder,
        seed=seed,
        count=count,
        last_arrival=last / 1000,
        shapes=tuple(shapes),
        chosen=chosen,
    )


def _mix(
    store: Store, entries: Sequence[Mapping[str, str]] | None
) -> tuple[tuple[WeightedFlavour, ...], dict[Shape, ServiceOffering]]:
    """Sizes by weight; without entries, all that anyone may have, alike."""
    flavours: list[WeightedFlavour] = []
    chosen: dict[Shape, ServiceOffering] = {}
    if not entries:
        everyone = [each for each in store.table(ServiceOffering) if usable(each) and not each.gpus and not each.host_tags]
        if not everyone:
            raise InvalidParameterValue("Parameter mix: there is no service offering that anyone may have: name sizes")
        of_size = {shape_of(offering): offering for offering in reversed(everyone)}
        entries = [{"serviceofferingid": offering.id} for offering in reversed(of_size.values())]
    for number, entry in enumerate(entries):
        where = f"Parameter mix[{number}]"
        if "serviceofferingid" not in entry:
            flavours.append(_size(where, entry))
            continue
        extra = sorted(entry.keys() - {"serviceofferingid", "weight"})
        if extra:
            raise InvalidParameterValue(f"{where}: {extra[0]}: expected only weight beside serviceofferingid")
        offering = store.table(ServiceOffering).get(entry["serviceofferingid"])
        if offering is None:
            raise InvalidParameterValue(f"{where}: there is no service offering {entry['serviceofferingid'][:40]!r}")
        shape = shape_of(offering)
        if shape is None or offering.is_system or offering.state != "Active":
            raise InvalidParameterValue(f"{where}: expected an active offering of a fixed size, not {offering.name}")
        if shape in chosen:
            raise InvalidParameterValue(f"{where}: {offering.name} is of the same size as {chosen[shape].name}")
        chosen[shape] = offering
        data = {
            "vcpu": shape.cpus,
            "cpu_mhz": shape.cpu_mhz,
            "memory_mib": shape.memory_mib,
            "gpus": shape.gpus,
            "gpu_milli": shape.gpu_milli,
            "gpu_models": shape.gpu_models,
            "tags": shape.tags,
        }
        flavours.append(_flavour(where, data | _weight(where, entry)))
    return tuple(flavours), chosen


_SIZE = {"cpunumber": "vcpu", "cpuspeed": "cpu_mhz", "memory": "memory_mib"}


def _size(where: str, entry: Mapping[str, str]) -> WeightedFlavour:
    data: dict[str, Any] = {}
    for key, text in entry.items():
        field = _SIZE.get(key.lower())
        if field is None and key != "weight":
            raise InvalidParameterValue(
                f"{where}: expected serviceofferingid, or cpunumber, cpuspeed and memory, and weight; got {key[:40]!r}"
            )
        if field is not None:
            if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
                raise InvalidParameterValue(f"{where}: {key}: expected a whole number, got {text[:40]!r}")
            data[field] = int(text)
    for key in ("cpunumber", "memory"):
        if _SIZE[key] not in data:
            raise InvalidParameterValue(f"{where}: expected {key}, which is missing")
    return _flavour(where, data | _weight(where, entry))


def _weight(where: str, entry: Mapping[str, str]) -> dict[str, float]:
    text = entry.get("weight", "1")
    try:
        return {"weight": float(text)}
    except ValueError:
        raise InvalidParameterValue(f"{where}: weight: expected a number, got {text[:40]!r}") from None


def _flavour(where: str, data: dict[str, Any]) -> WeightedFlavour:
    try:
        flavour = msgspec.convert(data, WeightedFlavour)
    except msgspec.ValidationError as error:
        raise InvalidParameterValue(f"{where}: {error}") from None
    if not flavour.weight < float("inf"):
        raise InvalidParameterValue(f"{where}: weight: expected a finite number")
    return flavour
