"""The parts of the application that routes use, and the one place where a request finds them."""

from dataclasses import dataclass

from fastapi import FastAPI, Request
from opentelemetry.trace import Tracer

from offpath.tracing import Tracing
from prediction_api.jobs.training import Training
from prediction_api.models.loader import ModelLoader
from prediction_api.prediction_flow import PredictionFlow
from prediction_api.settings import ApiSettings


@dataclass(frozen=True, slots=True)
class Services:
    """One application's parts. training: None where no training jobs are taken."""

    settings: ApiSettings
    loader: ModelLoader
    tracing: Tracing
    tracer: Tracer
    flow: PredictionFlow
    training: Training | None


def provide(app: FastAPI, services: Services) -> None:
    """Give the application its parts, once."""
    app.state.services = services


def services(request: Request) -> Services:
    """Return the parts of the application that got the request."""
    found: Services = request.app.state.services
    return found
