"""The services that the sync speaks to."""
