"""The prediction API's composition root: `handler` for Lambda, `app` for any ASGI server."""

import logging
import os
from functools import partial

from mangum import Mangum

from offpath.aws.clients import s3_client, sqs_client
from offpath.aws.job_store import JobStore
from offpath.aws.s3 import Bucket
from offpath.aws.sqs import SqsQueue
from offpath.tracing import install, new_provider, untraced
from prediction_api.adapters.onnx_model import load_model
from prediction_api.adapters.onnx_session import onnx_threads
from prediction_api.adapters.s3_models import S3Models
from prediction_api.http.app import create_app
from prediction_api.jobs.recipe_book import RecipeBook
from prediction_api.jobs.training import Training
from prediction_api.models.loader import ModelLoader
from prediction_api.other_events import answering_other_events
from prediction_api.settings import ApiSettings

SERVICE = "offpath-api"

# It logs a line a request; the trace says more, and API Gateway keeps a log of its own.
logging.getLogger("mangum").setLevel(logging.WARNING)
settings = ApiSettings.load(os.environ)
tracing = install(os.environ, service_name=SERVICE, provider=new_provider(SERVICE, os.environ))
threads = onnx_threads(settings.onnx_threads, os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"))
bucket = Bucket(s3_client(timeout_seconds=2.0, attempts=2), settings.bucket)
loader = ModelLoader(
    S3Models(bucket),
    partial(load_model, threads=threads),
    max_records=settings.max_records,
    refresh_seconds=settings.model_refresh_seconds,
)
with untraced():
    loader.refresh()
training = None
if settings.training_queue_url:
    queue = SqsQueue(sqs_client(timeout_seconds=2.0, attempts=2), settings.training_queue_url)
    training = Training(RecipeBook(bucket), JobStore(bucket), queue, bucket)
app = create_app(loader, tracing, settings, training)
handler = tracing.lambda_handler(answering_other_events(Mangum(app, lifespan="off")))
