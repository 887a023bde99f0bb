"""Several libvirt hosts on one machine: namespaces for hosts, bridges for switches, and a power switch for each."""
