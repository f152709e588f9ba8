"""The API: its routes, who is let in, and how often."""

import json
import re
from typing import get_args

import pytest

from offpath.tracing import TracingSettings
from offpath.tracing._settings import TracedModels, TraceParent
from offpath_cli.audit.access_log import INVOCATION
from prediction_api.http.api_key_gate import OPEN, OPEN_BELOW
from prediction_api.http.cors import ALLOWED_HEADERS, ALLOWED_METHODS, EXPOSED_HEADERS
from tests.infra.rendered import DIGEST, LEAST, WITH_JWT, Stack
from tests.infra.template import TEMPLATE

KEYS, JWT = Stack(LEAST), Stack(WITH_JWT)
CORS = {"CorsOrigins": "https://a.example.com,https://b.example.com"}
PREDICTIONS = ("POST /models/{name}/predict", "POST /models/{name}/invocations")
TRAININGS = "POST /models/{name}/train"


def routes(stack: Stack) -> dict[str, str]:
    """Each route's key with who is asked for a token there."""
    found = stack.of_type("AWS::ApiGatewayV2::Route").values()
    return {one["RouteKey"]: one.get("AuthorizerId", one["AuthorizationType"]) for one in found}


def test_without_tokens_the_function_asks_for_keys() -> None:
    assert set(routes(KEYS).values()) == {"NONE"}
    assert KEYS["ApiFunction"]["Environment"]["Variables"]["OFFPATH_API_KEY_DIGESTS"] == DIGEST
    assert KEYS.of_type("AWS::ApiGatewayV2::Authorizer") == {}


def test_with_tokens_the_function_asks_for_no_keys() -> None:
    assert JWT["ApiFunction"]["Environment"]["Variables"]["OFFPATH_API_KEY_DIGESTS"] == ""


def test_routes_that_want_a_key_want_a_token_instead() -> None:
    is_open = {f"GET {path}" for path in OPEN} | {f"GET {OPEN_BELOW}{{proxy+}}"}
    closed = {*PREDICTIONS, TRAININGS, "$default"}
    assert routes(JWT) == {**dict.fromkeys(closed, "JwtAuthorizer"), **dict.fromkeys(is_open, "NONE")}
    wanted = [one for one in JWT.of_type("AWS::ApiGatewayV2::Route").values() if one["AuthorizationType"] == "JWT"]
    assert len(wanted) == len(closed)


def test_tokens_are_of_one_issuer_and_for_this_audience() -> None:
    several = Stack({**WITH_JWT, "JwtAudience": "offpath,offpath-batch"})
    configuration = several["JwtAuthorizer"]["JwtConfiguration"]
    assert configuration == {"Issuer": "https://login.example.com/", "Audience": ["offpath", "offpath-batch"]}
    assert several["JwtAuthorizer"]["IdentitySource"] == ["$request.header.Authorization"]


def test_predictions_and_trainings_have_limits_of_their_own() -> None:
    stage = Stack({**LEAST, "ThrottleRate": "70", "ThrottleBurst": "90"})["ApiStage"]
    limits = {"ThrottlingRateLimit": "70", "ThrottlingBurstLimit": "90"}
    few = {"ThrottlingRateLimit": 1, "ThrottlingBurstLimit": 10}
    assert stage["RouteSettings"] == {**dict.fromkeys(PREDICTIONS, limits), TRAININGS: few}
    assert stage["DefaultRouteSettings"] == {"ThrottlingRateLimit": 20, "ThrottlingBurstLimit": 40}
    # API Gateway takes no settings for a route that is not there.
    before = KEYS.resources["ApiStage"]["DependsOn"]
    assert {KEYS[name]["RouteKey"] for name in before} == {*PREDICTIONS, TRAININGS}


@pytest.mark.parametrize("stack", [KEYS, JWT], ids=["keys", "tokens"])
def test_every_route_leads_to_the_function(stack: Stack) -> None:
    assert {one["Target"] for one in stack.of_type("AWS::ApiGatewayV2::Route").values()} == {
        "integrations/ApiIntegration"
    }
    integration = stack["ApiIntegration"]
    assert integration["IntegrationUri"] == "ApiFunction.Arn"
    assert (integration["IntegrationType"], integration["PayloadFormatVersion"]) == ("AWS_PROXY", "2.0")


def test_the_access_log_is_json() -> None:
    settings = KEYS["ApiStage"]["AccessLogSettings"]
    assert settings["DestinationArn"] == "AccessLogs.Arn"
    line = json.loads(settings["Format"])
    assert {"requestId", "status", "path", "latencyMs", "caller", "error", INVOCATION} <= set(line)
    assert line[INVOCATION] == "$context.integration.requestId"
    assert all(value.startswith("$context.") for value in line.values())
    assert "\n" not in settings["Format"]


def test_only_named_origins_may_call_from_a_page() -> None:
    assert "CorsConfiguration" not in KEYS["HttpApi"]
    cors = Stack({**LEAST, **CORS})["HttpApi"]["CorsConfiguration"]
    assert cors["AllowOrigins"] == ["https://a.example.com", "https://b.example.com"]
    assert "AllowCredentials" not in cors
    assert cors["AllowHeaders"] == list(ALLOWED_HEADERS)
    assert cors["AllowMethods"] == list(ALLOWED_METHODS)
    assert cors["ExposeHeaders"] == list(EXPOSED_HEADERS)


def test_preflight_requests_need_no_token() -> None:
    assert "OPTIONS /{proxy+}" not in routes(JWT)
    assert routes(Stack({**WITH_JWT, **CORS}))["OPTIONS /{proxy+}"] == "NONE"


def test_the_function_is_told_what_to_trace_and_how() -> None:
    by_default = TracingSettings.load({"OFFPATH_QUEUE_URL": "https://q", "OFFPATH_BUCKET": "archive"})
    variables = KEYS["ApiFunction"]["Environment"]["Variables"]
    assert (variables["OFFPATH_TRACING"], variables["OFFPATH_TRACEPARENT"]) == (
        by_default.tracing,
        by_default.traceparent,
    )
    assert TEMPLATE["Parameters"]["TraceParent"]["AllowedValues"] == [*get_args(TraceParent)]
    chosen = Stack({**LEAST, "Tracing": "off,iris=on", "TraceParent": "continue"})["ApiFunction"]
    told = {"OFFPATH_TRACING": "off,iris=on", "OFFPATH_TRACEPARENT": "continue"}
    assert told.items() <= chosen["Environment"]["Variables"].items()


@pytest.mark.parametrize(
    "words",
    ["on", "off", "iris=off", " off , iris = on ", "", "yes", "iris", "iris=", "=on", "iris=yes", "on=off=maybe"],
)
def test_the_template_takes_the_words_that_the_function_takes(words: str) -> None:
    pattern = TEMPLATE["Parameters"]["Tracing"]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, words)) is can_be_read(words)


def can_be_read(words: str) -> bool:
    try:
        TracedModels.parse(words)
    except ValueError:
        return False
    return bool(words)  # none at all is a slip
