"""Fakes of what the code talks to. Each has a contract test that the real thing passes, too."""
