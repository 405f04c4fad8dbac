"""The RocksDB engine: the same store, its records and the cells of its collections under keys of a RocksDB.

Read in this order: `disk.py` (what is written when), `codec.py` (bytes), `shelf.py` and the containers that
it makes (`cells.py`, `order.py`, `sequence.py`, `entries.py`), `bodies.py` and `records.py` (one header a
key, and what is kept of it in memory), `journal.py` and `summaries.py` (digests and counts), `store.py`.
"""
