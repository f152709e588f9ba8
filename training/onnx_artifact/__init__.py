"""The ONNX file of a trained model: conversion, agreement with the estimator, and quantization."""
