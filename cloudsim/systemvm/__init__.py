"""What the system VMs give, as decisions that need no machine: who reaches whom, and by which rule."""
