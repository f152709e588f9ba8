"""The command that delivers events again: from the archive, the spill, a log or the dead letters."""
