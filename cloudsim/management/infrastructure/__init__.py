"""What an operator adds: zones, pods, clusters, hosts, and the agents on them."""
