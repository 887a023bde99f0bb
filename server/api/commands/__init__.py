"""The commands themselves, by concern. Every module below declares some; `load` imports them all."""

import importlib
import pkgutil


def load() -> None:
    """Fill `server.api.command.COMMANDS`."""
    for module in pkgutil.walk_packages(__path__, f"{__name__}."):
        importlib.import_module(module.name)
