"""What runs inside simulated system VMs, a module for each kind."""
