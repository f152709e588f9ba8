"""From a text to its tokens."""

import os
from collections.abc import Mapping, Sequence

# Each text is read by itself, so that the library's threads would only be in the way of what else this process does. It
# reads the variable, and nothing else, when it first reads texts.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from tokenizers import Tokenizer

from prediction_api.errors import ModelUnusable

# By the names that graphs have for them.
Tokens = Mapping[str, Sequence[int]]
# Reading takes some 350 bytes a character, and all that is behind a model's last token is read in vain. These are 512
# words, as many as BERT takes, of 100 characters, the longest that it knows.
MAX_CHARACTERS = 51_200


class TokenReader:
    """One tokenizer. Truncation and padding are what its file says; truncation it must have."""

    def __init__(self, content: bytes) -> None:
        """Read a file as `tokenizers.Tokenizer.save` writes it. Raises ModelUnusable for one that is none."""
        try:
            self._tokenizer = Tokenizer.from_buffer(content)
        except Exception as error:  # the library raises nothing narrower
            raise ModelUnusable(f"its tokenizer's file cannot be read: {error}") from error
        if not self._tokenizer.truncation:
            raise ModelUnusable("its tokenizer does not truncate: save it after enable_truncation(max_length)")

    def read(self, text: str) -> Tokens:
        """The tokens of a text, or of its first MAX_CHARACTERS."""
        [encoding] = self._tokenizer.encode_batch_fast([text[:MAX_CHARACTERS]])
        return {
            "input_ids": encoding.ids,
            "attention_mask": encoding.attention_mask,
            "token_type_ids": encoding.type_ids,
        }
