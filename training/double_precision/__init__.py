"""Write fitted estimators of scikit-learn, XGBoost and LightGBM in ONNX, in double precision as they compute."""
