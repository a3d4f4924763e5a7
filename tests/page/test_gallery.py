"""Photos that come, go and change while somebody looks at the list -> the list, its place on the screen, and what it says."""

from conftest import UNREACHABLE, refused
from hotcut import sample
from playwright.sync_api import expect
from waiting import pictures_loaded, until


def test_a_name_is_text_and_nothing_else(start, visit):
    """Fails when the name of a photo becomes part of the page's own text."""
    hotcut = start()
    name = "<img src=x onerror=alert(1)>&amp;.jpg"
    hotcut.drop(name, sample("cat.jpg"))
    page = visit(hotcut)
    expect(page.locator(".tile .name")).to_have_text(name)
    page.locator(".tile button").click()
    expect(page.locator("#viewer-title")).to_have_text(name.replace(".jpg", ".png"))


def test_what_came_meanwhile_is_all_there(start, visit):
    """Fails when more has come than one page holds, and the page puts it before the old ones as if nothing were between."""
    hotcut = start()
    hotcut.drop("cat.jpg")
    hotcut.wait_for("done", 1)
    page = visit(hotcut, expected=[UNREACHABLE])
    expect(page.get_by_role("button", name="Show cat.jpg")).to_be_visible()
    # A picture that is cut off by the end of the server would be one more complaint.
    pictures_loaded(page)
    hotcut.stop(kill=True)
    hotcut.multiply(300)
    hotcut.start()
    expect(page.get_by_role("button", name="Show 00300.jpg")).to_be_visible()
    until(page, """() => {
      scrollTo(0, document.documentElement.scrollHeight);
      return [...document.querySelectorAll(".tile")].some((tile) => tile.ariaPosInSet === "301");
    }""")
    expect(page.get_by_role("button", name="Show cat.jpg")).to_be_visible()


def test_what_is_looked_at_stays_where_it_is(start, visit):
    """Fails when results that come in push the list away under somebody's eyes."""
    hotcut = start()
    hotcut.drop("cat.jpg")
    hotcut.wait_for("done", 1)
    hotcut.stop()
    hotcut.multiply(60)
    hotcut.start()
    page = visit(hotcut)
    tile = page.locator(".tile").filter(has_text="00020.jpg")
    until(page, """() => {
      scrollBy(0, 40);
      return [...document.querySelectorAll(".tile")].some((tile) => tile.textContent.includes("00020"));
    }""")
    tile.scroll_into_view_if_needed()
    top = tile.bounding_box()["y"]
    columns = page.evaluate("() => new Set([...document.querySelectorAll('.tile')].map((one) => one.getBoundingClientRect().x)).size")
    # One after the other, so that the list changes as often.
    for number in range(1, columns + 1):
        hotcut.drop(f"new-{number}.jpg", sample("cat.jpg"))
        until(page, f"() => document.querySelector('.tile').ariaSetSize === '{61 + number}'")
    assert abs(tile.bounding_box()["y"] - top) < 2


def test_a_retry_that_comes_too_late_says_so(start, visit):
    """Fails when a refusal is swallowed, or the button stays out of use."""
    hotcut = start()
    hotcut.drop("cat.jpg", b"no photo")
    page = visit(hotcut, expected=[refused(415, "/thumb"), r"/retry .* 40[49]\b", "ERR_FAILED"])
    page.locator("#by-state").select_option("quarantined")
    button = page.get_by_role("button", name="Try again")
    expect(button).to_be_visible()
    # Asked for once the photo is replaced, its picture would be refused in another way.
    expect(page.locator(".tile .missing")).to_be_visible()
    # The page does not hear that the photo is done already.
    page.route("**/api/photos?*", lambda route: route.abort())
    hotcut.drop("cat.jpg", sample("cat.jpg"))
    hotcut.wait_for("done", 1)
    button.click()
    expect(page.locator(".tile .reason")).to_contain_text("nothing to retry")
    expect(button).to_be_enabled()
    expect(button).to_be_focused()


def test_a_tab_that_nobody_sees_gives_its_connection_back(start, visit):
    """Fails when six forgotten tabs, which are all that a browser connects to one server, leave none for
    the seventh, or when one that is seen again shows what was."""
    hotcut = start()
    page = visit(hotcut)
    hide = """(isHidden) => {
      Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }"""
    expect(page.locator(".folder")).to_be_visible()
    page.evaluate(hide, True)
    for _ in range(6):
        tab = page.context.new_page()
        tab.goto(hotcut.url)
        expect(tab.locator(".folder")).to_be_visible()
        tab.evaluate(hide, True)
    hotcut.drop("cat.jpg")
    hotcut.wait_for("done", 1)
    expect(page.locator(".tile")).to_have_count(0)
    page.evaluate(hide, False)
    expect(page.locator(".tile")).to_have_count(1, timeout=10000)
