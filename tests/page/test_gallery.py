"""The ledger's photos -> tiles: which ones, in which order, how many at a time, and what is done about those set aside."""

from playwright.sync_api import expect

from pixels import half_white
from studio import DEMO, wait

CAT = (DEMO / "cat.jpg").read_bytes()


def names(page):
    return page.locator(".tile .name").all_text_contents()


def test_results_are_filtered_by_folder_and_state(studio, look):
    """Fails when a filter lets others through, or a new photo gets past it."""
    studio.drop("a.jpg", CAT)
    studio.drop("b.jpg", CAT, "portraits")
    studio.drop("junk.jpg", b"no photo", "portraits")
    studio.photo("a.jpg"), studio.photo("b.jpg"), studio.photo("junk.jpg", "quarantined")
    page = look(studio)
    page.expected.append("415 .*/thumb")
    expect(page.locator(".tile")).to_have_count(2)
    page.locator("#by-folder").select_option("portraits")
    expect(page.locator(".tile .name")).to_have_text(["b.jpg"])
    studio.drop("c.jpg", CAT)
    studio.drop("d.jpg", CAT, "portraits")
    expect(page.locator(".tile .name")).to_have_text(["d.jpg", "b.jpg"])
    page.locator("#by-state").select_option("quarantined")
    expect(page.locator(".tile .name")).to_have_text(["junk.jpg"])
    page.locator("#by-folder").select_option("products")
    expect(page.locator("#empty")).to_have_text("No photo is set aside.")


def test_photo_that_was_set_aside_is_tried_again(studio, look):
    """Fails when a reason is not shown, a retry is not sent, or its end is not told."""
    page = look(studio)
    page.expected.append("415 .*/thumb")
    page.locator("#by-state").select_option("quarantined")
    studio.drop("cut.jpg", b"no photo")
    tile = page.locator(".tile")
    expect(tile.locator(".reason")).to_have_text("not a picture that hotcut can read")
    first = studio.photo("cut.jpg", "quarantined")
    tile.get_by_role("button", name="Try cut.jpg again").click()
    # It is no better than before, and the tile says so again.
    wait(lambda: studio.photo("cut.jpg", "quarantined")["ended_ms"] > first["ended_ms"], "the second attempt")
    expect(tile.get_by_role("button")).to_have_text("Try again")
    studio.drop("cut.jpg", CAT)
    expect(page.locator("#empty")).to_be_visible()
    page.locator("#by-state").select_option("done")
    expect(tile.locator(".name")).to_have_text("cut.jpg")


def test_retry_that_comes_too_late_says_so(studio, look):
    """Fails when a refusal of a retry is swallowed, or its button stays out of use."""
    page = look(studio)
    page.expected.append("415 .*/thumb|40[49] .*/retry")
    page.locator("#by-state").select_option("quarantined")
    studio.drop("cut.jpg", b"no photo")
    button = page.get_by_role("button", name="Try cut.jpg again")
    expect(button).to_be_visible()
    page.route("**/retry", lambda route: (studio.drop("cut.jpg", CAT), studio.photo("cut.jpg"), route.continue_()))
    # The list is not told of it meanwhile.
    page.route("**/api/photos?*", lambda route: route.abort())
    page.expected.append("ERR_FAILED")
    button.click()
    expect(page.locator(".tile .reason")).to_contain_text("there is")
    expect(button).to_have_text("Try again")


def test_focus_and_place_stay_while_results_come_in(studio, look):
    """Fails when a look at the server makes the tiles anew."""
    for number in range(12):
        studio.drop(f"{number:02}.png", half_white(60, 40))
    for number in range(12):
        studio.photo(f"{number:02}.png")
    page = look(studio, height=500)
    tile = page.locator(".tile", has_text="00.png")
    tile.locator("button").focus()
    tile.scroll_into_view_if_needed()
    top = tile.bounding_box()["y"]
    element = tile.element_handle()
    # Exactly one row more.
    columns = page.evaluate("new Set([...document.querySelectorAll('.tile')].map((tile) => tile.getBoundingClientRect().x)).size")
    for number in range(columns):
        studio.drop(f"new-{number}.png", half_white(60, 40))
    for number in range(columns):
        studio.photo(f"new-{number}.png")
    expect(page.locator(".folder .numbers").first).to_contain_text(str(12 + columns))
    page.wait_for_function("[...document.querySelectorAll('.tile')].every((tile) => tile.ariaSetSize > 12)")
    assert element.evaluate("tile => tile.isConnected && tile.contains(document.activeElement)")
    assert abs(tile.bounding_box()["y"] - top) < 2


def test_ten_thousand_results_cost_a_screenful(studio, look):
    """Fails when tiles are made for photos that nobody sees, or not all photos can be reached."""
    studio.drop("first.jpg", CAT)
    studio.photo("first.jpg")
    studio.stop()
    studio.multiply(9999)
    studio.start()
    page = look(studio)
    expect(page.locator(".tile .name").first).to_have_text("shoot/09999.jpg")
    most = 0
    while "first.jpg" not in names(page):
        count = page.evaluate("document.querySelector('#gallery').style.height")
        most = max(most, page.evaluate("document.querySelectorAll('*').length"))
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        page.wait_for_function(
            "before => document.querySelector('#gallery').style.height !== before || "
            "[...document.querySelectorAll('.tile .name')].some((name) => name.textContent === 'first.jpg')",
            arg=count,
        )
    most = max(most, page.evaluate("document.querySelectorAll('*').length"))
    assert most < 700, most
    assert page.locator(".tile").last.get_attribute("aria-posinset") == "10000"
    # Pictures that were scrolled past are not fetched one after the other for ever: those here are shown.
    last = page.locator(".tile", has_text="first.jpg").locator("img")
    page.wait_for_function("picture => picture.complete && picture.naturalWidth > 0", arg=last.element_handle())
    studio.drop("newest.jpg", CAT)
    studio.photo("newest.jpg")
    page.evaluate("scrollTo(0, 0)")
    expect(page.locator(".tile .name").first).to_have_text("newest.jpg")
