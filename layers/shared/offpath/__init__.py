"""offpath: traces of machine-learning predictions, off the request path.

import os
from offpath.tracing import install

tracing = install(os.environ, service_name="fraud-api")
tracer = tracing.tracer(__name__)

@tracing.lambda_handler
def handler(event, context):
    with tracer.start_as_current_span("predict"):
        ...
"""
