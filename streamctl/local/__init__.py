"""Pretends. The AWS side of the wire on one machine; imports nothing of core, aws, ops or cli."""
