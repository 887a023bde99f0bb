"""What the host makes of a configuration: rules, files and services, for a system VM to bring about."""

from backends.systemvm.rendering.router import render

__all__ = ["render"]
