"""System VMs on a libvirt host: machines with a channel, and routers that are namespaces; what they are told and asked."""
