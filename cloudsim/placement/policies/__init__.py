"""The built-in policies, one small file each."""
