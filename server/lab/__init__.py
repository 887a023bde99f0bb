"""A cloud on the hosts of a lab: its management server, its agents, its zone. `cloudsim lab` is made of this."""
