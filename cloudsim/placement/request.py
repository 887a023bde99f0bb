"""What an instance asks of a host."""

from __future__ import annotations

from typing import NamedTuple


class PlacementRequest(NamedTuple):
    """`cpu` is the MHz reserved in all, `cpus` and `speed` what each core must offer; `memory` MiB.

    Each of `gpus` GPUs must have `gpu_milli` thousandths free, on a host whose model is among
    `gpu_models` where that is not empty.
    """

    cpu: int
    memory: int
    cpus: int = 1
    speed: int = 0
    gpus: int = 0
    gpu_milli: int = 1000
    gpu_models: tuple[str, ...] = ()
    account_id: str = ""
    tags: tuple[str, ...] = ()
