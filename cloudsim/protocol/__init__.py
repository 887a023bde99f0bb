"""The internal JSON API: what the management server and the agents say to each other."""

from cloudsim.protocol import commands as commands
from cloudsim.protocol.codec import MalformedMessage, decode, encode
from cloudsim.protocol.commands import Answer, Command, answer_type
from cloudsim.protocol.link import Link
from cloudsim.protocol.messages import (
    Connected,
    Message,
    Ping,
    Refused,
    Request,
    Response,
    Startup,
)

__all__ = [
    "Answer",
    "Command",
    "Connected",
    "Link",
    "MalformedMessage",
    "Message",
    "Ping",
    "Refused",
    "Request",
    "Response",
    "Startup",
    "answer_type",
    "commands",
    "decode",
    "encode",
]
