"""The command line: `cloudsim serve`, `agent`, `lab`, `run`, `replay`, `policies`, `trace`, `schema`, ...

Each command is imported when it is called for: plotting libraries take a second that a server need not wait.
"""

from __future__ import annotations

from importlib import import_module

import click

from cloudsim import __version__
from server.garbage import not_while_importing

_COMMANDS = {
    "agent": ("server.cli_agent", "agent_command"),
    "calibrate": ("server.cli_calibrate", "calibrate_command"),
    "commands": ("server.cli_commands", "commands_command"),
    "compare": ("server.cli_compare", "compare_command"),
    "consolidate": ("server.cli_consolidate", "consolidate_command"),
    "image": ("server.cli_image", "image_command"),
    "lab": ("server.cli_lab", "lab_command"),
    "policies": ("server.cli_policies", "policies_command"),
    "replay": ("server.cli_replay", "replay_command"),
    "run": ("server.cli_run", "run_command"),
    "schema": ("server.cli_run", "schema_command"),
    "serve": ("server.serve", "serve_command"),
    "trace": ("server.cli_trace", "trace_command"),
    "version": ("server.cli", "version_command"),
}


class _Commands(click.Group):
    """Finds commands by name, in their modules."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name]
        with not_while_importing():
            found: click.Command = getattr(import_module(module), name)
        return found


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cloudsim")
def main() -> None:
    """An IaaS cloud in Python that speaks CloudStack's API, on a simulated datacenter."""


@click.command("version")
def version_command() -> None:
    """Print the version."""
    click.echo(f"cloudsim {__version__}")


if __name__ == "__main__":
    main()
