"""Disk images, built from Debian's packages: `mini`, small and quick, for tests; `debian`, a whole system."""
