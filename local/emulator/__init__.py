"""The emulator of AWS that `make deploy-local` deploys to: MiniStack, with what it lacks for this project's template.

It runs in an environment of its own (`.venv-emulator`), and imports nothing but MiniStack and the standard library.
Each module in `workarounds` covers one thing that MiniStack does not do as AWS does, and says whether it still is so.
"""
