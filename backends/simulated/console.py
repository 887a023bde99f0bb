"""The console of a simulated instance: a text screen with its boot, its facts and its log, and a prompt to ask at.

What it shows is made from the instance's spec, its host and what happened to it; nothing of it is kept but the log. Times are
simulated ones. Output is for a terminal of 80 columns with ANSI sequences.
"""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from backends.simulated.console_text import boot_lines, fact_lines, ip_lines, wrapped
from backends.simulated.reachability import picture

if TYPE_CHECKING:
    from backends.simulated.guest import Guest
    from backends.simulated.machine import Machine

LONGEST_LOG = 200
_LONGEST_LINE = 256
_BOLD, _DIM, _PLAIN, _CLEAR = "\x1b[1m", "\x1b[2m", "\x1b[0m", "\x1b[2J\x1b[H"
_HELP = (
    ("facts", "what this instance is, and where"),
    ("ip", "its network cards and addresses"),
    ("log", "what happened to it"),
    ("uptime", "since when it runs"),
    ("ping ADDRESS", "whether an address answers"),
    ("clear", "an empty screen"),
    ("help", "this"),
)


class Noted(NamedTuple):
    """Something that happened to an instance, and at which simulated second."""

    time: float
    text: str


class GuestConsole:
    """What an instance's screen tells beside its spec, and who watches it. It goes with the instance to other hosts."""

    __slots__ = ("log", "terminals")

    def __init__(self) -> None:
        self.log: list[Noted] = []
        self.terminals: list[Terminal] = []

    def note(self, time: float, text: str) -> None:
        """Something happened to the instance."""
        self.log.append(Noted(time, text))
        del self.log[:-LONGEST_LOG]
        for terminal in self.terminals:
            terminal.tell(text)

    def rebooted(self) -> None:
        for terminal in self.terminals:
            terminal.show()

    def moved(self, machine: Machine, guest: Guest) -> None:
        """The instance runs there from now on."""
        for terminal in self.terminals:
            terminal.machine, terminal.guest = machine, guest

    def ended(self) -> None:
        """The instance stopped, or is gone."""
        for terminal in list(self.terminals):
            terminal.end()


class Terminal:
    """One watcher's view of a console. `write` takes its output, `ended` is called when there is no more.

    All of it happens on the simulation's loop.
    """

    def __init__(
        self, machine: Machine, guest: Guest, write: Callable[[bytes], object], ended: Callable[[], object]
    ) -> None:
        self.machine, self.guest = machine, guest
        self._write, self._ended = write, ended
        self._typed = ""
        self._escape = False
        self.console = guest.console or GuestConsole()
        guest.console = self.console
        self.console.terminals.append(self)

    # what it shows

    def show(self) -> None:
        """The screen since the boot, as it is now."""
        self._typed = ""
        self._say(_CLEAR)
        for line in boot_lines(self.machine, self.guest):
            self._line(line)
        for noted in self._since_boot():
            self._line(f"{self._stamp(noted.time)} {noted.text}")
        self._line("")
        self._line(f"{_BOLD}{self.guest.spec.hostname or self.guest.spec.name}{_PLAIN} is a simulated instance. "
                   f"{_DIM}Type help for what it answers.{_PLAIN}")
        self._prompt()

    def tell(self, text: str) -> None:
        """A line between, after which what was being typed goes on."""
        self._say("\r\x1b[K")
        self._line(f"{self._stamp(self._now)} {text}")
        self._prompt()
        self._say(self._typed)

    def close(self) -> None:
        """The watcher has gone."""
        with contextlib.suppress(ValueError):
            self.console.terminals.remove(self)

    def end(self) -> None:
        self._say("\r\n")
        self._line(f"{self._stamp(self._now)} The instance stopped.")
        self.close()
        self._ended()

    @property
    def _now(self) -> float:
        return self.machine.site.loop.time()

    def _since_boot(self) -> list[Noted]:
        return [noted for noted in self.console.log if noted.time >= self.guest.started]

    def _stamp(self, time: float) -> str:
        return f"{_DIM}[{time - self.guest.started:12.6f}]{_PLAIN}"

    def _say(self, text: str) -> None:
        self._write(text.encode())

    def _line(self, text: str) -> None:
        self._say(f"{text}\r\n")

    def _prompt(self) -> None:
        self._say(f"{_BOLD}{self.guest.spec.hostname or self.guest.spec.name}{_PLAIN}# ")

    # what is typed

    def feed(self, data: bytes) -> None:
        """Keys as a terminal sends them. A paused guest does not hear them."""
        if self.guest.state == "paused":
            return
        for character in data.decode("utf-8", "ignore"):
            self._key(character)

    def _key(self, character: str) -> None:
        if self._escape:  # a sequence such as an arrow's: it ends with a letter or ~
            self._escape = not (character.isalpha() or character == "~")
        elif character == "\x1b":
            self._escape = True
        elif character in "\r\n":
            self._say("\r\n")
            typed, self._typed = self._typed.strip(), ""
            self._answer(typed)
        elif character in "\x7f\b":
            if self._typed:
                self._typed = self._typed[:-1]
                self._say("\b \b")
        elif character == "\x03":
            self._typed = ""
            self._say("^C\r\n")
            self._prompt()
        elif character == "\x15":
            self._say("\b \b" * len(self._typed))
            self._typed = ""
        elif character == "\x0c":
            self._say(_CLEAR)
            self._prompt()
            self._say(self._typed)
        elif character.isprintable() and len(self._typed) < _LONGEST_LINE:
            self._typed += character
            self._say(character)

    def _answer(self, typed: str) -> None:
        words = typed.split()
        if words == ["clear"]:
            self._say(_CLEAR)
        elif words:
            for line in self._reply(words[0], words[1:]):
                for part in wrapped(line):
                    self._line(part)
        self._prompt()

    def _reply(self, command: str, rest: list[str]) -> list[str]:
        if command == "ping" and len(rest) == 1:
            return self._ping(rest[0])
        if rest:
            return [f"{command}: takes {'one address' if command == 'ping' else 'nothing after it'}"]
        if command == "help":
            return [f"  {name:<14} {about}" for name, about in _HELP]
        if command == "facts":
            return fact_lines(self.machine, self.guest)
        if command == "ip":
            return ip_lines(self.guest)
        if command == "log":
            noted = [Noted(self.guest.started, "started"), *self._since_boot()]
            return [f"{self._date(each.time)}  {each.text}" for each in noted]
        if command == "uptime":
            return [f"up {self._now - self.guest.started:.0f} s, since {self._date(self.guest.started)}"]
        if command == "ping":
            return ["ping: an address is missing"]
        return [f"{command}: there is no such command. Type help for those that there are."]

    def _date(self, time: float) -> str:
        return f"{datetime.fromtimestamp(self.machine.site.epoch + time, UTC):%Y-%m-%d %H:%M:%S}"

    def _ping(self, address: str) -> list[str]:
        try:
            ipaddress.IPv4Address(address)
        except ValueError:
            return [f"ping: {address} is no IPv4 address"]
        try:
            reach = picture(self.machine.site.machines.values()).can_reach(self.guest.spec.name, address, "icmp")
        except LookupError as error:
            return [f"ping: {error}"]
        return [f"{address} {'answers' if reach else 'does not answer'}", *(f"  {step}" for step in reach.steps)]
