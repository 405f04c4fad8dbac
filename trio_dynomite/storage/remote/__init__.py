"""Storage on a server beside the node: records are fetched before they are needed.

A turn awaits nothing, so a command, an effect or a question of a peer waits until the records of its keys are
here (`cache.py`); then it runs as on any other store. What the turn changed is sent when it ends, and what
it said is held back until the server has it (`storage/gate.py`). What to say to a server, and what its
answers mean, is its driver's (`driver.py`); the node is the only writer of its server.

Source: Redis's virtual memory of 2010 blocked clients on keys that were swapped out in just this way.
"""
