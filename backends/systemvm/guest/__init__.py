"""What runs inside a system VM, or in a router's namespace on a host. Python's standard library only: the guest has no more.

The host speaks to it over one channel (`channel`), in lines of JSON. `agent` answers; `machine` brings a plan about.
"""
