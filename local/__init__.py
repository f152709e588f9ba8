"""Run the whole pipeline on one machine: `make up`, `make down`, `make invoke`."""
