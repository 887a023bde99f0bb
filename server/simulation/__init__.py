"""What a served cloud on a simulated datacenter offers beside the cloud: its clock, faults, workloads, experiments."""
