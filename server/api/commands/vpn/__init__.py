"""Commands of VPNs."""
