"""The software of real system VMs: what is rendered for them on the host, and what runs inside (Python's standard library)."""
