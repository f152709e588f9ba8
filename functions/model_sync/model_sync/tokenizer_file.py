"""Checks of a tokenizer file that need no tokenizer library."""

import json

from model_sync.ports import Unservable

# Those of models with a quarter of a million tokens have some 17 MB; each cold start of the API reads it.
MAX_BYTES = 32 * 1024 * 1024


def check_tokenizer(content: bytes) -> None:
    """Raises Unservable for a file that no `tokenizers.Tokenizer` can be made of."""
    if len(content) > MAX_BYTES:
        raise Unservable(f"its tokenizer's {len(content)} bytes are over {MAX_BYTES}")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Unservable(f"its tokenizer's file of {len(content)} bytes is not JSON: {error}") from error
    if not isinstance(document, dict) or "model" not in document:
        raise Unservable("its tokenizer's file has no `model`: it is not as tokenizers.Tokenizer.save writes it")
