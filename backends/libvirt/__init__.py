"""Real hosts: libvirt and QEMU, qcow2 files, bridges and VXLANs, behind the interface of `cloudsim.hypervisor`."""
