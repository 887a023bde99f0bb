"""What runs on every host: takes Commands, has the hypervisor do them, answers."""

from cloudsim.agent.agent import Agent

__all__ = ["Agent"]
