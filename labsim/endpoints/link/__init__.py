"""The network between an endpoint and its clients, and what can go wrong with it; knows bytes and addresses, no protocol."""
