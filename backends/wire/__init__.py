"""How real hosts and the management server reach each other: WebSockets, TLS, and the manager's own authority."""
