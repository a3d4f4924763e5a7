"""A condition in a page's own language -> waited for until it holds. The page's policy forbids Playwright's own way, which hands
text to eval later."""

from hotcut import PATIENCE_S

LOOK = """async () => {
  const holds = %s;
  const end = performance.now() + %d;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`did not become so: ${holds}`);
    await new Promise(requestAnimationFrame);
  }
}"""


def until(page, holds):
    page.evaluate(LOOK % (holds, PATIENCE_S * 1000))


def pictures_loaded(page):
    """Waits until every picture that has an address is there, or has failed."""
    until(page, "() => [...document.images].every((image) => !image.getAttribute('src') || image.complete)")


def picture_fitted(page):
    """Waits until the viewer's picture is seen whole. A picture that is loaded is fitted a little later, when the page is told of
    it, and again when the stage gets its size, which is told with a frame."""
    pictures_loaded(page)
    until(page, "() => !document.querySelector('#sheet').hidden")
    page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
