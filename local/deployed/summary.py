"""Say what a deployment is, and how to try it."""

import json
from collections.abc import Mapping

from rich.markup import escape

from local.deployed.api import Api
from local.deployed.first_prediction import BODY, PREDICT
from local.deployed.mlflow import Mlflow


def summary(outputs: Mapping[str, str], api: Api, mlflow: Mlflow, endpoint: str, trace: str) -> str:
    """Return the text, as markup: the outputs as in AWS, what is reached otherwise here, and lines to try."""
    width = max(map(len, outputs))
    shown = [f"{name:{width}}  {escape(value)}" for name, value in sorted(outputs.items())]
    here = {
        "API": f"{api.url}/docs",
        "MLflow": f"{mlflow.url}   user {mlflow.username}, password {mlflow.password}",
        "AWS": f"AWS_ENDPOINT_URL={endpoint} AWS_ACCESS_KEY_ID=000000000000 AWS_SECRET_ACCESS_KEY=deployed",
        "A trace": trace,
    }
    places = [f"[bold]{name:8}[/bold] {escape(place)}" for name, place in here.items()]
    lines = [
        f"API_URL={api.url}",
        f"KEY={api.key}",
        f'curl "$API_URL{PREDICT}" -H "x-api-key: $KEY" -H \'content-type: application/json\' \\',
        f"  -d '{json.dumps(BODY)}'",
    ]
    parts = [["[bold]Outputs[/bold]", *shown], ["[bold]On this machine[/bold]", *places]]
    parts += [["[bold]Try it[/bold]", escape("\n".join(lines))], ["`make deploy-local-down` removes everything."]]
    return "\n\n".join("\n".join(part) for part in parts)
