"""Virtual private clouds: offerings, tiers, access control lists, gateways and routes."""
