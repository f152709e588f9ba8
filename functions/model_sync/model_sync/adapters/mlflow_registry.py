"""MLflow's model registry over its REST API: https://mlflow.org/docs/latest/rest-api.html ."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Protocol, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, ValidationError

from model_sync.ports import Entry, Unservable, Version
from offpath.contracts.errors import Transient
from offpath.contracts.names import UNIT_TAG
from offpath.mlflow.http import Answer

API = "/api/2.0/mlflow"
PAGE_SIZE = 100


class Http(Protocol):
    """Requests to an MLflow server."""

    def request(self, method: str, path: str) -> Answer:
        """One request, with its answer whatever the status. Raises Transient when there is none."""


class _Alias(BaseModel):
    alias: str
    version: str


class _Tag(BaseModel):
    key: str
    value: str = ""


class _Model(BaseModel):
    name: str
    description: str = ""
    aliases: list[_Alias] = []
    tags: list[_Tag] = []


class _Page(BaseModel):
    registered_models: list[_Model] = []
    next_page_token: str = ""


class _Version(BaseModel):
    name: str
    version: str
    status: str = ""
    source: str = ""
    run_id: str = ""
    description: str = ""
    tags: list[_Tag] = []


class _VersionAnswer(BaseModel):
    model_version: _Version


class _Refusal(BaseModel):
    message: str


Content = TypeVar("Content", bound=BaseModel)


class MlflowRegistry:
    """The registry of one MLflow server. A status that says nothing about the thing asked for raises Transient."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def models(self) -> Iterator[Entry]:
        """Every registered model, page by page. Raises Transient."""
        token = ""
        while True:
            page = self._page(token)
            yield from map(_entry, page.registered_models)
            if not (token := page.next_page_token):
                return

    def _page(self, token: str) -> _Page:
        query = {"max_results": str(PAGE_SIZE)} | ({"page_token": token} if token else {})
        return _read(self._get(f"{API}/registered-models/search?{urlencode(query)}"), _Page)

    def version(self, name: str, number: str) -> Version:
        """One version. Raises Unservable when the registry has none of that number, or Transient."""
        path = f"{API}/model-versions/get?{urlencode({'name': name, 'version': number})}"
        version = _read(self._get(path, HTTPStatus.NOT_FOUND), _VersionAnswer).model_version
        return Version(
            version.name,
            version.version,
            version.status == "READY",
            version.source,
            version.run_id or None,
            version.description,
            next((tag.value for tag in version.tags if tag.key == UNIT_TAG), ""),
        )

    def artifact(self, version: Version, path: str) -> bytes:
        """A file of that version, wherever MLflow keeps it. Raises Unservable, or Transient.

        MLflow answers 404 for a file that is missing on its disk, and 500 for one that is missing in S3: both are about
        this file, so neither holds the other models up. Asked again at the next sync.
        """
        query = urlencode({"name": version.name, "version": version.number, "path": path})
        refusals = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.INTERNAL_SERVER_ERROR)
        return self._get(f"/model-versions/get-artifact?{query}", *refusals).body

    def _get(self, path: str, *refusals: int) -> Answer:
        answer = self._http.request("GET", path)
        if answer.status == HTTPStatus.OK:
            return answer
        said = f"MLflow answered {answer.status} to GET {path}: {_message(answer.body)}"
        raise Unservable(said) if answer.status in refusals else Transient(said)


def _entry(model: _Model) -> Entry:
    aliases = {alias.alias: alias.version for alias in model.aliases}
    return Entry(model.name, model.description, aliases, {tag.key: tag.value for tag in model.tags})


def _read(answer: Answer, kind: type[Content]) -> Content:
    try:
        return kind.model_validate_json(answer.body)
    except ValidationError as error:
        raise Transient(f"not an answer of MLflow's, is that its address? {answer.body[:200]!r}") from error


def _message(body: bytes) -> str:
    try:
        text = _Refusal.model_validate_json(body).message
    except ValidationError:
        text = body.decode(errors="replace")
    return text.strip()[:500]
