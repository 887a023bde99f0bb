"""Networks: wires, guest networks, addresses, NICs, and what is offered of them."""
