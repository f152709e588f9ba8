"""The stack of `template.yaml`, deployed by `sam deploy` to an emulator of AWS on this machine: `make deploy-local`."""
