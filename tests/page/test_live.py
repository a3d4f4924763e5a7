"""Photos that come into hot folders, and a server that goes away -> what the open page shows of it, without being loaded again."""

import re

from conftest import UNREACHABLE, refused
from hotcut import sample
from playwright.sync_api import expect
from waiting import pictures_loaded


def number(page, folder, what):
    card = page.locator(".folder").filter(has=page.get_by_role("heading", name=folder, exact=True))
    return card.locator(f'[data-is="{what}"]')


def state(page, folder):
    return page.locator(".folder").filter(has=page.get_by_role("heading", name=folder, exact=True)).locator(".state")


def mark(page):
    """A page that is loaded again forgets this."""
    page.evaluate("() => { window.isSame = true; }")


def assert_same(page):
    assert page.evaluate("() => window.isSame === true")


def test_a_photo_that_is_dropped_appears_by_itself(start, visit):
    """Fails when the page does not hear of photos, or counts only when it is loaded."""
    hotcut = start(folders=("products", "portraits"))
    page = visit(hotcut)
    expect(page.get_by_text("Nothing here yet.")).to_be_visible()
    mark(page)
    hotcut.drop("cat.jpg")
    tile = page.get_by_role("button", name="Show cat.jpg")
    expect(tile.locator("img")).to_have_js_property("complete", True)
    assert tile.locator("img").evaluate("(picture) => picture.naturalWidth") > 0
    expect(number(page, "products", "done")).to_have_text("1")
    expect(number(page, "portraits", "done")).to_have_text("0")
    hotcut.drop("coffee.jpg", folder="portraits")
    expect(number(page, "portraits", "done")).to_have_text("1")
    expect(page.locator(".tile .name")).to_have_text(["coffee.jpg", "cat.jpg"])
    page.locator("#by-folder").select_option("products")
    expect(page.locator(".tile .name")).to_have_text(["cat.jpg"])
    assert_same(page)


def test_tiles_stay_the_same_elements_when_more_come(start, visit):
    """Fails when news makes every tile anew: the focus would be lost under the user's hands, and every picture asked for again."""
    hotcut = start()
    hotcut.drop("cat.jpg")
    hotcut.wait_for("done", 1)
    page = visit(hotcut)
    tile = page.get_by_role("button", name="Show cat.jpg")
    tile.focus()
    hotcut.drop("coffee.jpg")
    expect(page.locator(".tile")).to_have_count(2)
    expect(tile).to_be_focused()
    expect(page.locator(".tile .name")).to_have_text(["coffee.jpg", "cat.jpg"])


def test_a_folder_that_goes_away_is_shown_until_it_is_back(start, visit):
    """Fails when the page does not hear of folders, or mistakes one for another. It also asks now and then: that is held up here."""
    hotcut = start(folders=("products", "portraits"), daemon='rescan = "1s"')
    page = visit(hotcut)
    expect(state(page, "products")).to_have_text("online")
    expect(state(page, "portraits")).to_have_text("online")
    mark(page)
    page.route("**/api/status", lambda route: None)
    hotcut.hot("products").rename(hotcut.place / "away")
    expect(state(page, "products")).to_have_text(re.compile("^offline: "))
    expect(state(page, "portraits")).to_have_text("online")
    hotcut.hot("products").mkdir()
    expect(state(page, "products")).to_have_text("online")
    assert_same(page)


def test_an_answer_that_comes_late_undoes_nothing_that_was_heard_since(start, visit):
    """Fails when a folder that has gone is shown as it was when the server was asked."""
    hotcut = start(daemon='rescan = "1s"')
    page = visit(hotcut)
    expect(state(page, "products")).to_have_text("online")
    late = []
    page.route("**/api/status", lambda route: late.append((route, route.fetch().json())))
    # The page asks when it hears of a photo, if it does not just now.
    hotcut.drop("cat.jpg")
    hotcut.wait(lambda: page.wait_for_timeout(50) or late, "a question")
    hotcut.hot("products").rename(hotcut.place / "away")
    expect(state(page, "products")).to_have_text(re.compile("^offline: "))
    [(route, answer), *_] = late
    [folder] = answer["folders"]
    assert folder["state"] == "online"
    route.fulfill(json=answer | {"folders": [folder | {"done": 7}]})
    expect(number(page, "products", "done")).to_have_text("7")
    expect(state(page, "products")).to_have_text(re.compile("^offline: "))


def test_what_is_set_aside_tells_why_and_can_be_tried_again(start, visit):
    """Fails when the reason is not shown, when trying again does nothing, or when the page does not notice that it helped."""
    hotcut = start()
    page = visit(hotcut, expected=[refused(415, "/thumb"), refused(404, "/thumb")])
    hotcut.drop("cat.jpg", b"%PDF-1.7 no photo")
    expect(number(page, "products", "aside")).to_have_text("1")
    page.locator("#by-state").select_option("quarantined")
    tile = page.locator(".tile").filter(has_text="cat.jpg")
    expect(tile.locator(".reason")).to_have_text("not a picture that hotcut can read (it is a PDF document)")
    # In vain, as long as it is no photo: it comes back, with its button.
    [first] = hotcut.photos("quarantined")
    tile.get_by_role("button", name="Try again").click()
    hotcut.wait(lambda: [photo["ended_ms"] != first["ended_ms"] for photo in hotcut.photos("quarantined")] == [True], "a new end")
    expect(tile.get_by_role("button", name="Try again")).to_be_enabled()
    hotcut.drop("cat.jpg", sample("cat.jpg"))
    expect(number(page, "products", "done")).to_have_text("1")
    expect(page.get_by_text("Nothing here yet.")).to_be_visible()
    page.locator("#by-state").select_option("done")
    expect(page.get_by_role("button", name="Show cat.jpg")).to_be_visible()


def test_a_lost_connection_is_told_and_made_again(start, visit):
    """Fails when the page does not say that the server is gone, does not find it again, or misses what has happened since."""
    hotcut = start()
    hotcut.drop("cat.jpg")
    hotcut.wait_for("done", 1)
    page = visit(hotcut, expected=[UNREACHABLE, refused(415, "/thumb")])
    expect(page.get_by_role("button", name="Show cat.jpg")).to_be_visible()
    mark(page)
    lost = page.get_by_text("Connection lost. Trying again…")
    expect(lost).to_be_hidden()
    # A picture that is cut off by the end of the server would be one more complaint.
    pictures_loaded(page)
    hotcut.stop(kill=True)
    expect(lost).to_be_visible()
    # What is done meanwhile must not break the page.
    page.locator("#by-state").select_option("quarantined")
    hotcut.drop("coffee.jpg")
    hotcut.drop("junk.jpg", b"no photo")
    hotcut.start()
    expect(lost).to_be_hidden()
    expect(page.locator(".tile .name")).to_have_text(["junk.jpg"])
    expect(number(page, "products", "done")).to_have_text("2")
    page.locator("#by-state").select_option("done")
    expect(page.locator(".tile .name")).to_have_text(["coffee.jpg", "cat.jpg"])
    assert_same(page)


def test_what_is_held_and_what_is_not_taken_is_shown(start, visit):
    """Fails when a photo that ends early, a file of another kind or an empty one waits without a word on the page."""
    hotcut = start(daemon='rescan = "1s"')
    page = visit(hotcut)
    photo = sample("cat.jpg")
    hotcut.drop("half.jpg", photo[: len(photo) // 2])
    hotcut.drop("a.heic", b"not a photo")
    hotcut.drop("b.HEIC", b"not a photo")
    hotcut.drop("empty.jpg", b"")
    held = page.locator(".held")
    held.get_by_text("1 photo is held up").click()
    expect(held.get_by_role("listitem")).to_have_text(re.compile(r"^half\.jpg: it ends early, .*; set aside at .+ if it does not come$"))
    left = page.locator(".not-taken")
    left.get_by_text("2 files are not taken").click()
    expect(left.get_by_role("listitem")).to_contain_text(["*.heic: 2", "HEIC and raw photos must be exported", "1 file is empty"])
    expect(number(page, "products", "queued")).to_have_text("1")
    expect(page.locator(".pace")).to_contain_text("the oldest arrived")
    hotcut.drop("half.jpg", photo)
    expect(number(page, "products", "done")).to_have_text("1")
    expect(page.locator(".pace")).to_contain_text("a minute over 10 minutes")
    expect(held).to_be_hidden()
    expect(left).to_be_visible()
