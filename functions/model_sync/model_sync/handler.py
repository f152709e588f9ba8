"""The Lambda handler: publishes the model registry's aliases, on a schedule."""

import os
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from aws_lambda_powertools import Logger

from model_sync.adapters.mlflow_registry import MlflowRegistry
from model_sync.publisher import ModelPublisher
from model_sync.settings import ModelSyncSettings
from model_sync.sync import ModelSync
from offpath.aws.clients import s3_client
from offpath.aws.s3 import Bucket
from offpath.mlflow.connect import connect


def build(environ: Mapping[str, str]) -> ModelSync:
    """The sync that these environment variables describe. Raises SettingsError."""
    settings = ModelSyncSettings.load(environ)
    registry, files = MlflowRegistry(connect(settings)), Bucket(s3_client(), settings.bucket)
    return ModelSync(registry, files, ModelPublisher(registry, files, settings.max_model_bytes))


logger = Logger(service="model_sync")
sync = build(os.environ)


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Publish once: `{"changed": bool, "models": {name: {alias: version}}, "skipped": {name or name@alias: reason}}`.

    Raises Transient, with nothing changed in the manifest, when MLflow or S3 does not answer: the schedule tries again.
    """
    report = sync.run()
    for what, reason in report.skipped.items():
        logger.warning("not served as the registry has it", model=what, reason=reason)
    logger.info("published" if report.changed else "nothing new", models=report.models)
    return asdict(report)
