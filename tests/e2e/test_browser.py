"""A newcomer looks at the pages in a browser, with the whole stack running."""

import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from local.stack.first_prediction import trace_link
from tests.support.servers.stack_user import User
from tests.support.waiting import wait_for

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SECONDS = 120_000

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on the PATH"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1500, "height": 950})
    page.set_default_timeout(SECONDS)
    yield page
    page.close()


def test_trace_shows_inputs_outputs_spans_and_tags_in_mlflow(stack: User, page: Page) -> None:
    trace_id = stack.predict()
    wait_for(lambda: stack.has_trace(trace_id), lambda: stack.commands[0].text[-3000:])
    link = trace_link(stack.settings, trace_id)
    assert link

    page.goto(link)

    for span in ("POST /models/{name}/predict", "validate", "iris"):
        expect(page.get_by_text(span, exact=True).last).to_be_visible(timeout=SECONDS)
    expect(page.get_by_text("Success", exact=True).first).to_be_visible()
    shown = page.inner_text("body")
    assert re.search(r"sepal_length:\s*5\.1", shown)
    assert re.search(r"label:\s*setosa", shown)
    assert re.search(r"\d tags", shown)


def test_the_documentation_lets_one_try_a_model(stack: User, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.goto(f"{stack.settings.api_url}/docs")
    page.get_by_text("/models/iris/predict", exact=True).click()
    page.get_by_role("button", name="Execute").first.click()

    answer = page.locator(".live-responses-table").first
    expect(answer).to_contain_text("champion", timeout=SECONDS)
    expect(answer).to_contain_text("setosa")
    foreign = [url for url in asked if not url.startswith((stack.settings.api_url, "data:"))]
    assert foreign == []
