"""Details of an instance that its host heeds, by CloudStack's names for them."""

from __future__ import annotations

IO_THREADS = "iothreads"
"""true: its disks' I/O has a thread of its own."""
IO_POLICY = "io.policy"
"""How the host reads and writes its disks: native, threads, io_uring, or storage_specific (as is best there)."""
NIC_QUEUES = "nic.multiqueue.number"
"""The queues of each of its NICs; -1 for as many as vCPUs."""
NIC_PACKED = "nic.packed.virtqueues.enabled"
"""true: these queues are packed."""
KEYBOARD = "keyboard"
"""The layout of the keyboard that its console's keys are of, for consoles that tell characters and not keys."""
KEYBOARDS = ("de", "de-ch", "es", "fi", "fr", "fr-be", "fr-ch", "is", "it", "jp", "nl-be", "no", "pt", "uk", "us")
"""The layouts that there are."""
