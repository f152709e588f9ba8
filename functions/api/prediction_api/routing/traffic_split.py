"""Which of several weighted candidates answers a request."""

import hashlib
import math
import secrets
from collections.abc import Mapping


def pick_for_session(weights: Mapping[str, int], session_id: str | None) -> str | None:
    """Return the candidate for a session; without one, a random candidate, by the weights."""
    return pick(weights, session_id or (secrets.token_hex(8) if len(weights) > 1 else ""))


def pick(weights: Mapping[str, int], key: str) -> str | None:
    """Return the candidate for a key, each one's share of all keys being as its weight; None if no weight is over 0.

    Weighted rendezvous hashing (Schindelhauer and Schomaker, 2005): the same key has the same candidate in every
    process, and a weight that changes moves only keys to or from that candidate.
    """
    weighted = {name: weight for name, weight in weights.items() if weight > 0}
    if len(weighted) < 2:
        return next(iter(weighted), None)
    return max(sorted(weighted), key=lambda name: -weighted[name] / math.log(_uniform(f"{name}\0{key}")))


def _uniform(text: str) -> float:
    """Return a number over 0 and under 1, as good as random, the same for the same text."""
    digest = hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest()
    return (int.from_bytes(digest, "big") + 0.5) / 2.0**64
