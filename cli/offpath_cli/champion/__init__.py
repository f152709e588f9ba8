"""The commands that choose which version of a model is champion."""
