"""Networks, their offerings, NICs."""
