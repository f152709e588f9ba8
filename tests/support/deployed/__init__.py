"""A stack that is deployed to the emulator, and who uses it."""
