"""Commands of VPCs."""
