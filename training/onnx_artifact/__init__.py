"""The ONNX file of a trained model: conversion, quantization, and agreement with the estimator."""
