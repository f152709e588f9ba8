"""Speak as much of OpenAI's protocol as a client needs to complete a chat."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tests.support.servers.http_server import Exchange, serving


@contextmanager
def chat_completions(answers: Sequence[str]) -> Iterator[str]:
    """Yield the base URL of a server that gives these answers, one a request, and afterwards an error 400."""
    waiting = [*answers]

    def respond(exchange: Exchange) -> None:
        asked = json.loads(exchange.body())
        status, content = (200, _completion(waiting.pop(0), asked["model"])) if waiting else (400, _ERROR)
        exchange.answer(status, json.dumps(content).encode(), {"content-type": "application/json"})

    with serving(respond) as port:
        yield f"http://127.0.0.1:{port}/v1"


_ERROR = {"error": {"message": "no more answers", "type": "invalid_request_error", "param": None, "code": None}}


def _completion(answer: str, model: str) -> dict[str, Any]:
    """Return the answer as https://platform.openai.com/docs/api-reference/chat/object describes it."""
    choice = {"index": 0, "message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": model,
        "choices": [choice],
        "usage": {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16},
    }
