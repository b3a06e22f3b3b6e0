"""OPC UA: a server core of our own (`core`), the plant's devices as its address space, and its TCP shell."""
