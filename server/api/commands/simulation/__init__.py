"""Commands that only a cloud on a simulated datacenter has."""
