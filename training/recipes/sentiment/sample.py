"""Make reviews up, to try the sentiment recipes without a corpus."""

import random

from training.data.dataset import make_dataset
from training.recipe import Dataset
from training.recipes.sentiment.tokenization import CURLY, STRAIGHT

ROWS = 6_000
_SEED = 20_240_601

_THINGS = """
film movie show series episode plot story ending soundtrack script acting cast actor actress director performance
season trailer documentary comedy book novel chapter author album song concert band game level phone screen battery
camera laptop keyboard charger app update website kettle toaster vacuum blender jacket dress coat shoes bag
watch hotel room bed view pool lobby breakfast buffet café restaurant meal soup pizza burger dessert coffee tea wine
service staff waiter waitress driver delivery packaging support price quality design colour smell taste seat flight
trip museum tour guide play scene dialogue sound picture
"""
_DETERMINERS = ("the", "this", "that", "my", "our", "their", "the whole", "the new")
_GOOD = """
amazing awesome fantastic wonderful excellent great good brilliant superb outstanding perfect lovely delightful
enjoyable entertaining beautiful gorgeous incredible marvelous terrific impressive charming fun funny hilarious touching
moving inspiring compelling gripping engaging thrilling exciting refreshing clever smart witty heartwarming memorable
unforgettable stunning phenomenal magnificent splendid exceptional remarkable solid reliable comfortable cozy friendly
helpful tasty delicious fresh flawless satisfying pleasant nice cool fabulous extraordinary captivating powerful
masterful elegant graceful uplifting adorable fascinating riveting polished smooth generous warm bright
"""
_GOOD_PHRASES = (
    "a joy", "a masterpiece", "a gem", "a delight", "a triumph", "a pleasant surprise", "better than expected",
    "well made", "well written", "top notch", "worth every penny", "worth watching", "the best", "one of the best",
    "a must", "beyond my expectations", "just right", "a lot of fun", "full of life", "worth the money",
)  # fmt: skip
_BAD = """
awful terrible horrible dreadful bad boring dull tedious disappointing poor mediocre lousy atrocious abysmal pathetic
ridiculous stupid silly annoying irritating frustrating confusing predictable cliched forgettable bland tasteless stale
slow ugly dirty noisy rude unhelpful unfriendly unreliable broken cheap flimsy uncomfortable overpriced overrated
unwatchable unbearable painful miserable depressing disgusting nasty gross cold sloppy clumsy messy lifeless shallow
pretentious lame laughable weak worthless useless appalling unpleasant unfunny dismal dreary tiresome pointless soulless
offensive shoddy defective faulty filthy burnt soggy
"""
_BAD_PHRASES = (
    "a mess", "a disappointment", "a waste of money", "a waste of time", "a disaster", "a letdown", "a failure",
    "worse than expected", "badly made", "badly written", "stale and predictable", "not worth the money", "the worst",
    "one of the worst", "a joke", "hard to watch", "far too long", "a total bore", "beneath contempt", "a rip-off",
)  # fmt: skip
_LIKED = (
    "i loved", "i love", "i really enjoyed", "i enjoyed", "we adored", "i liked", "i was impressed by",
    "we were happy with", "i highly recommend", "i would recommend", "everyone should try", "i can't get enough of",
    "i am so glad about",
)  # fmt: skip
_DISLIKED = (
    "i hated", "i hate", "i disliked", "we regret", "i was disappointed by", "we were fed up with", "i can't stand",
    "i can't recommend", "i would not recommend", "nobody should try", "i don't like", "i didn't enjoy", "avoid",
    "i was bored by", "we were let down by",
)  # fmt: skip
_PLAIN = (
    "{thing} is {word}", "{thing} was {word}", "{thing} was {word} from the start", "i found {thing} {word}",
    "{thing}: simply {word}", "what can i say, {thing} is {word}", "{thing} turned out to be {word}", "{word}",
    "absolutely {word}", "i think {thing} is {word}", "honestly, {thing} was {word}", "{thing} looks {word}",
)  # fmt: skip
_DENIED = (
    "{thing} isn't {word}", "{thing} was not {word} at all", "i don't think {thing} is {word}", "{thing}, never {word}",
    "{thing} is not {word}", "not {word}", "{thing} wasn't {word}", "nothing about {thing} is {word}",
)  # fmt: skip
_STRESS = ("", "", "", "very ", "really ", "so ", "quite ", "truly ", "absolutely ", "pretty ")
_AFTER = {
    0: (
        "", "", "", "", ", i want my money back", " and nobody cared", ", avoid it", " 😡", "!", ".", ", never again",
        ", sadly", ". what a waste", ". i left early", ". one star", ", and i'd like a refund", ". stay away",
    ),
    1: (
        "", "", "", "", ", i would buy it again", " and all of us smiled", ", go for it", " 😀", "!", ".",
        ", well done", ", gladly", ". what a pleasure", ". we stayed until the end", ". five stars",
        ", and i'll be back", ". thank you",
    ),
}  # fmt: skip
_MIXED = 0.08  # of sentences that end as the other sentiment would: no classifier gets all of them right
_DENIALS = 0.25
_VERBS = 0.2


def sample(rows: int = ROWS) -> Dataset:
    """Return short sentences, half of them positive, some in two minds; the same ones each time."""
    random_numbers = random.Random(_SEED)  # noqa: S311  nothing is kept secret by it
    target = [row % 2 for row in range(rows)]
    texts = [_sentence(sentiment, random_numbers) for sentiment in target]
    return make_dataset({"text": texts}, target, "sentences generated for this project", synthetic=True)


def _sentence(sentiment: int, random_numbers: random.Random) -> str:
    pick = random_numbers.choice
    thing = f"{pick(_DETERMINERS)} {pick(_WORDS[_THINGS])}"
    if random_numbers.random() < _VERBS:
        said = f"{pick(_LIKED if sentiment else _DISLIKED)} {thing}"
    else:
        said = _judgement(sentiment, random_numbers).replace("{thing}", thing)
    sentence = said + pick(_AFTER[1 - sentiment if random_numbers.random() < _MIXED else sentiment])
    return pick((sentence, sentence.capitalize(), sentence.replace(STRAIGHT, CURLY)))


def _judgement(sentiment: int, random_numbers: random.Random) -> str:
    """Return a sentence about `{thing}`: a word that says it, or the denial of one that says the opposite."""
    pick = random_numbers.choice
    denied = random_numbers.random() < _DENIALS
    is_good = bool(sentiment) is not denied
    if random_numbers.random() < 0.2:
        word = pick(_GOOD_PHRASES if is_good else _BAD_PHRASES)
    else:
        word = pick(_STRESS) + pick(_WORDS[_GOOD if is_good else _BAD])
    return pick(_DENIED if denied else _PLAIN).replace("{word}", word)


_WORDS = {text: text.split() for text in (_THINGS, _GOOD, _BAD)}
