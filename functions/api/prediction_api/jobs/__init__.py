"""Training jobs, as the API takes and shows them: it knows S3 and a queue, and no training code."""
