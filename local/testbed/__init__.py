"""Start real servers on 127.0.0.1, and make small models for them: for tests and benchmarks alike."""
