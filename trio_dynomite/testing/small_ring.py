"""A ring of few slots, for short storms: what is done for each of 16384 slots would take most of their time.

Modules know the number of slots by name, so it is another one in all of them, for as long as simulations run
that were made under it. Nothing else of the code under test is any different.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from trio_dynomite.storage.contract import SLOTS

FEW = 64
_HASH_BITS = 32


@contextmanager
def small_ring() -> Iterator[None]:
    """Within it there are `FEW` slots."""
    numbers = {
        "SLOTS": (SLOTS, FEW),
        "SLOT_COUNT": (SLOTS, FEW),
        "_SLOT_MASK": (SLOTS - 1, FEW - 1),
        "_SLOT_SHIFT": (_HASH_BITS - SLOTS.bit_length() + 1, _HASH_BITS - FEW.bit_length() + 1),
    }
    changed: list[tuple[object, str, int]] = []
    for name, module in list(sys.modules.items()):
        if name.startswith("trio_dynomite."):
            for what, (usual, few) in numbers.items():
                if module.__dict__.get(what) == usual:
                    changed.append((module, what, usual))
                    setattr(module, what, few)
    known = set(sys.modules)
    try:
        yield
        late = [name for name in sys.modules.keys() - known if hasattr(sys.modules[name], "SLOTS")]
        assert not late, f"{late} must be imported before: they would know the few for ever"
    finally:
        for patched, what, usual in changed:
            setattr(patched, what, usual)
