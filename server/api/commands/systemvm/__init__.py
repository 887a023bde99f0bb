"""Commands for the cloud's own machines: routers, system VMs, their health and diagnostics."""
