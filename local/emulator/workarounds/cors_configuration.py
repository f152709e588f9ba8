"""MiniStack's CloudFormation keeps an API's CORS configuration with names that its API Gateway does not look at."""

from typing import Any

from ministack.services import apigateway

from local.emulator.resource_types import Created, Properties, handlers, register

TYPE = "AWS::ApiGatewayV2::Api"
_FORMER = handlers(TYPE)


def is_needed() -> bool:
    """Return whether a new API answers no preflight of an origin that it allows."""
    props = {"Name": "probe", "ProtocolType": "HTTP", "CorsConfiguration": {"AllowOrigins": ["https://a"]}}
    made = handlers(TYPE)
    identifier, _ = made["create"]("Probe", props, "probe")
    kept = apigateway._apis[identifier]["corsConfiguration"]
    made["delete"](identifier, props)
    return not apigateway._cors_response_headers(kept, "https://a")


def install() -> None:
    """Give it the names of API Gateway's own API."""
    create, update = _FORMER["create"], _FORMER["update"]

    def create_with_cors(logical_id: str, props: Properties, stack_name: str) -> Created:
        created: Created = create(logical_id, _renamed(props), stack_name)
        return created

    def update_with_cors(physical_id: str, old: Properties, new: Properties, *rest: Any, **more: Any) -> Any:
        return update(physical_id, _renamed(old), _renamed(new), *rest, **more)

    register(TYPE, create=create_with_cors, update=update_with_cors)


def _renamed(props: Properties) -> Properties:
    cors = props.get("CorsConfiguration")
    if not cors:
        return props
    renamed = {name[:1].lower() + name[1:]: _listed(value) for name, value in cors.items()}
    return {**props, "CorsConfiguration": renamed}


def _listed(value: Any) -> Any:
    """Return a list that is a parameter, which MiniStack keeps as a string, as a list."""
    return value.split(",") if isinstance(value, str) else value
