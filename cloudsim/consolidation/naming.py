"""How policies are named: `mad-mmt`, `thr-mmt-0.8`, `lr-mc,safety=1.4,placement=bfd`, `mymodule:MyDetection-mmt`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, TypeVar

import msgspec

from cloudsim.consolidation.detection import DETECTIONS, Detection
from cloudsim.consolidation.placement import PLACEMENTS, Placement
from cloudsim.consolidation.policy import BASELINES, Consolidation, Policy
from cloudsim.consolidation.rule import Rule
from cloudsim.consolidation.selection import SELECTIONS, Selection
from cloudsim.consolidation.underload import LeastUtilised
from cloudsim.errors import InvalidParameterValue
from cloudsim.placement.naming import options_of

Kind = TypeVar("Kind", bound=Rule)


def policy(text: str) -> Policy:
    """The policy that `text` names.

    `npa` and `dvfs` are the baselines. Others are a detection and a selection, by name or as `module:Class`, with a
    hyphen between; a number after another hyphen is the detection's first option. Options follow, `,name=value`:
    those of the detection, the selection, the placement (chosen by `placement=`) and the underload (`below`).
    Raises InvalidParameterValue, saying what there is.
    """
    name, *parts = (part.strip() for part in text.split(","))
    options = options_of(f"consolidation policy {text!r}", parts)
    if name in BASELINES:
        if options:
            raise InvalidParameterValue(f"consolidation policy {text!r}: {name} has no options")
        return BASELINES[name]
    words = name.split("-")
    if len(words) not in (2, 3):
        raise InvalidParameterValue(
            f"no consolidation policy {text!r}: expected {' or '.join(BASELINES)}, or a detection"
            f" ({', '.join(DETECTIONS)}) and a selection ({', '.join(SELECTIONS)}) such as mad-mmt"
        )
    detection = _class(text, "detection", words[0], DETECTIONS, Detection)
    selection = _class(text, "selection", words[1], SELECTIONS, Selection)
    placement = _class(text, "placement", options.pop("placement", "pabfd"), PLACEMENTS, Placement)
    if len(words) == 3:
        first = next(iter(detection.__struct_fields__), None)
        if first is None or first in options:
            raise InvalidParameterValue(
                f"consolidation policy {text!r}: expected no number after {words[1]}, got {words[2]}"
            )
        options[first] = words[2]
    found = Consolidation(
        name=text,
        detection=_made(text, detection, options),
        selection=_made(text, selection, options),
        placement=_made(text, placement, options),
        underload=_made(text, LeastUtilised, options),
    )
    if options:
        kinds = (detection, selection, placement, LeastUtilised)
        known = [field for kind in kinds for field in kind.__struct_fields__]
        raise InvalidParameterValue(
            f"consolidation policy {text!r} has no option {next(iter(options))!r}: it has {', '.join(known)}, placement"
        )
    return found


def _class(text: str, what: str, name: str, known: Mapping[str, type[Kind]], base: type[Kind]) -> type[Kind]:
    module, _, attribute = name.partition(":")
    if not attribute:
        if name not in known:
            raise InvalidParameterValue(
                f"consolidation policy {text!r}: no {what} {name!r}; there are {', '.join(known)}, or module:Class"
            )
        return known[name]
    try:
        kind: Any = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise InvalidParameterValue(f"{what} {name!r} cannot be loaded: {error}") from error
    if not (isinstance(kind, type) and issubclass(kind, base)):
        raise InvalidParameterValue(f"{what} {name!r} is not a cloudsim.consolidation.{base.__name__}")
    return kind


def _made(text: str, kind: type[Kind], options: dict[str, str]) -> Kind:
    """One of the kind, with those of the options that are its own: they are taken out."""
    mine = {name: options.pop(name) for name in kind.__struct_fields__ if name in options}
    try:
        return msgspec.convert(mine, kind, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidParameterValue(f"consolidation policy {text!r}: {error}") from error
