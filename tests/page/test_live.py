"""What happens in the folders -> what the page shows without anybody touching it."""

import re

from playwright.sync_api import expect

from pixels import half_white
from studio import DEMO

LOST = "Connection lost. Trying again…"


def number(page, folder, what):
    card = page.locator(".folder", has=page.get_by_role("heading", name=folder))
    return card.locator(f'[data-is="{what}"]')


def test_photo_that_arrives_appears_by_itself(studio, look):
    """Fails when the page does not listen to events, or counts what it has not looked at again."""
    page = look(studio)
    expect(page.locator("#empty")).to_be_visible()
    expect(number(page, "products", "done")).to_have_text("0")
    for count, name in enumerate(["cat.jpg", "coffee.jpg"], 1):
        studio.drop(name, (DEMO / name).read_bytes())
        # Within the time of events, not of the look that comes every 15 s.
        expect(page.locator(".tile")).to_have_count(count, timeout=10000)
        expect(page.locator(".tile").first).to_contain_text(name)
        expect(number(page, "products", "done")).to_have_text(str(count))
    expect(number(page, "portraits", "done")).to_have_text("0")
    expect(page.locator("#news")).to_have_text("1 new photo in the list")
    picture = page.locator(".tile img").first
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("picture => picture.naturalWidth") > 100


def test_names_are_shown_as_they_are(studio, look):
    """Fails when a name becomes part of the page's own text."""
    name = "<img src=x onerror=alert(1)>&amp;.png"
    studio.drop(name, half_white())
    page = look(studio)
    expect(page.locator(".tile .name")).to_have_text(name)
    page.locator(".tile button").click()
    expect(page.locator("#viewer-title")).to_have_text(name)


def test_connection_that_is_lost_is_told_and_what_was_missed_is_shown(studio, look):
    """Fails when the page does not say that it is behind, stays so, or does not ask for what it missed."""
    page = look(studio)
    expect(number(page, "products", "done")).to_have_text("0")
    page.expected.append("ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE")
    studio.kill()
    expect(page.locator("#connection")).to_have_text(LOST)
    studio.drop("cat.jpg", (DEMO / "cat.jpg").read_bytes())
    studio.start()
    studio.photo("cat.jpg")
    expect(page.locator("#connection")).to_have_text("")
    expect(page.locator(".tile")).to_contain_text("cat.jpg")
    expect(number(page, "products", "done")).to_have_text("1")


def test_what_holds_photos_up_is_told(studio, look):
    """Fails when a state or a reason is not shown, or not taken back."""
    page = look(studio)
    card = page.locator(".folder", has=page.get_by_role("heading", name="products"))
    expect(card.locator(".state")).to_have_text(re.compile("^(online|polling)$"))
    photo = (DEMO / "cat.jpg").read_bytes()
    studio.drop("slow.jpg", photo[: len(photo) // 2])
    expect(card.locator("summary")).to_have_text("1 photo is held up")
    card.locator("summary").click()
    expect(card.locator("li")).to_contain_text("slow.jpg: ")
    studio.drop("slow.jpg", photo)
    expect(card.locator("summary")).to_be_hidden()
    (studio.root / "products").rename(studio.root / "elsewhere")
    expect(card.locator(".state")).to_have_text(re.compile("^offline"))
    (studio.root / "elsewhere").rename(studio.root / "products")
    expect(card.locator(".state")).to_have_text(re.compile("^(online|polling)$"))
