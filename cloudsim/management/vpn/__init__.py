"""Virtual private networks: dial-in and site-to-site."""
