"""Events, spans, models, jobs, requests and applications that tests build."""
