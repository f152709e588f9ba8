"""`python -m prediction_api.new_api_key` (or `make api-key`): a new API key, and what to configure for it."""

from prediction_api.http.api_keys import HEADER, digest_of, new_key

ADVICE = f"""
Give the key to the caller, who sends it as the header {HEADER}. Add the digest to OFFPATH_API_KEY_DIGESTS,
with commas between several; remove an old one when nobody uses it any more. The key is stored nowhere."""


def main() -> None:
    """Print both; the key is shown this once."""
    key = new_key()
    print(f"key     {key}\ndigest  {digest_of(key)}\n{ADVICE}")  # noqa: T201


if __name__ == "__main__":
    main()
