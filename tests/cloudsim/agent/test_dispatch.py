"""What the protocol has, the agent does; and what the agent asks of a hypervisor, the interface has."""

from __future__ import annotations

import inspect
import re

from cloudsim.agent import dispatch
from cloudsim.hypervisor import Hypervisor
from cloudsim.protocol.commands import COMMANDS, RenewCertificateCommand, VmStatesCommand


def test_every_command_has_a_handler_but_those_that_the_agent_answers_by_itself() -> None:
    assert set(dispatch.HANDLERS) == set(COMMANDS.values()) - {VmStatesCommand, RenewCertificateCommand}


def test_handlers_call_every_method_that_only_commands_can_ask_for() -> None:
    called = set(re.findall(r"\bh\.(\w+)\(", inspect.getsource(dispatch)))
    methods = {name for name in vars(Hypervisor) if not name.startswith("_")}
    assert methods - called == {"facts", "inventory", "vm_states"}
    assert called <= methods
