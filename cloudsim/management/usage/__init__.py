"""What accounts use, counted and made into the records that a bill is written from."""
