"""The cloud itself: what a cloud is and how it is run, in whatever world it runs.

Nothing in this package knows a socket, a thread, a wall clock, a database or a hypervisor library:
time and concurrency come from the running asyncio loop, hosts from `cloudsim.hypervisor.Hypervisor`.
"""

__version__ = "0.1.0"
