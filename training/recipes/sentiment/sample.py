"""Make reviews up, to try the sentiment recipes without a corpus."""

import random

from training.data.dataset import make_dataset
from training.recipe import Dataset
from training.recipes.sentiment.tokenization import CURLY, STRAIGHT

ROWS = 600
_SEED = 20_240_601

_THINGS = (
    "the film", "this kettle", "the soup", "my new phone", "the hotel room", "the second season", "that café",
    "the staff", "this vacuum cleaner", "the plot", "the delivery", "the soundtrack", "the battery",
    "this novel", "the leading actor", "the app", "the breakfast", "this jacket", "the ending",
    "the repair service", "the screen", "their support",
)  # fmt: skip
_GOOD = (
    "wonderful", "delightful", "superb", "charming", "reliable", "excellent", "a joy", "better than expected",
    "brilliant", "well made", "great", "fresh and funny", "worth every penny", "a pleasant surprise",
    "touching", "flawless",
)  # fmt: skip
_BAD = (
    "dreadful", "boring", "awful", "a disappointment", "unreliable", "worse than expected", "a mess",
    "badly made", "dull", "a waste of money", "terrible", "stale and predictable", "overpriced", "painful",
    "broken", "tedious",
)  # fmt: skip
_PLAIN = ("{thing} is {word}", "{thing} was {word} from the start", "i found {thing} {word}", "{thing}: simply {word}")
_DENIED = (
    "{thing} isn't {word}", "{thing} was not {word} at all", "i don't think {thing} is {word}",
    "{thing}, never {word}",
)  # fmt: skip
_AFTER = {
    0: ("", "", ", i want my money back", " and nobody cared", ", avoid it", " 😡", "!", ", never again", ", sadly"),
    1: (
        "",
        "",
        ", i would buy it again",
        " and all of us smiled",
        ", go for it",
        " 😀",
        "!",
        ", well done",
        ", gladly",
    ),
}
_MIXED = 0.08  # of sentences that end as the other sentiment would: no classifier gets all of them right


def sample() -> Dataset:
    """Return 600 short sentences, half of them positive, some in two minds; the same ones each time."""
    random_numbers = random.Random(_SEED)  # noqa: S311  nothing is kept secret by it
    target = [row % 2 for row in range(ROWS)]
    texts = [_sentence(sentiment, random_numbers) for sentiment in target]
    return make_dataset({"text": texts}, target, "sentences generated for this project", synthetic=True)


def _sentence(sentiment: int, random_numbers: random.Random) -> str:
    denied = random_numbers.random() < 0.3
    frame = random_numbers.choice(_DENIED if denied else _PLAIN)
    word = random_numbers.choice(_GOOD if bool(sentiment) is not denied else _BAD)
    after = random_numbers.choice(_AFTER[1 - sentiment if random_numbers.random() < _MIXED else sentiment])
    sentence = frame.format(thing=random_numbers.choice(_THINGS), word=word) + after
    return random_numbers.choice((sentence, sentence.capitalize(), sentence.replace(STRAIGHT, CURLY)))
