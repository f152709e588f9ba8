"""Register a model of one's own, an ONNX file or one logged to MLflow: `offpath register`."""
