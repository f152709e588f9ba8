"""Every estimator of scikit-learn, and what registering makes of it."""
