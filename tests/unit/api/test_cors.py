"""Pages of other origins: preflights are answered as API Gateway would, and only for those that are named."""

from typing import Any

import pytest

from local.testbed.models import SETOSA
from prediction_api.http.cors import ALLOWED_HEADERS
from tests.support.builders.api import Api

PAGE = "https://shop.example.com"


def preflight(api: Api, origin: str, headers: str = "content-type,x-session-id") -> Any:
    asked = {"origin": origin, "access-control-request-method": "POST", "access-control-request-headers": headers}
    return api.client.options("/models/iris/predict", headers=asked)


@pytest.mark.parametrize("header", ALLOWED_HEADERS)
def test_each_documented_header_passes_a_preflight(header: str) -> None:
    answer = preflight(Api(cors_origins=PAGE), PAGE, header)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert header in answer.headers["access-control-allow-headers"].lower()


def test_a_preflight_needs_no_key() -> None:
    assert preflight(Api(cors_origins=PAGE, api_key_digests="0" * 64), PAGE).status_code == 200


def test_an_answer_names_the_origin_and_what_it_may_read() -> None:
    answer = Api(cors_origins=PAGE).client.post("/models/iris/predict", json=SETOSA, headers={"origin": PAGE})
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert "x-trace-id" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://localhost"])
def test_an_origin_may_have_any_port(origin: str) -> None:
    assert preflight(Api(cors_origins=f"{PAGE}, http://localhost:*"), origin).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost.evil.example", "http://localhost:1.evil"])
def test_other_origins_are_refused(origin: str) -> None:
    answer = preflight(Api(cors_origins="http://localhost:*"), origin)
    assert answer.status_code == 400
    assert "access-control-allow-origin" not in answer.headers


def test_without_the_setting_no_origin_is_named() -> None:
    answer = Api().client.post("/models/iris/predict", json=SETOSA, headers={"origin": PAGE})
    assert "access-control-allow-origin" not in answer.headers
