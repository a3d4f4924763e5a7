"""Widths, colours, many results, a token, and what axe finds -> whether everybody can use the page."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import refused
from hotcut import sample
from playwright.sync_api import expect
from waiting import pictures_loaded, until

SAMPLES = ("astronaut.jpg", "cat.jpg", "coffee.jpg", "raccoon.jpg")
ROWS = 10_000
# Far more than a screenful, and far less than all.
TILES_MAX = 200


@pytest.fixture
def hotcut(start):
    """With four photos done and one set aside."""
    hotcut = start()
    for name in SAMPLES:
        hotcut.drop(name)
    hotcut.drop("junk.jpg", b"%PDF-1.7 no photo")
    hotcut.wait_for("done", 4)
    hotcut.wait_for("quarantined", 1)
    return hotcut


def assert_accessible(page):
    """No finding of axe that is serious or critical."""
    found = Axe().run(page).response["violations"]
    grave = [(one["id"], one["help"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")]
    assert grave == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_grave(hotcut, visit, scheme):
    """Fails when a control has no name, a contrast is too low or a role is wrong, in any state of the page."""
    page = visit(hotcut, expected=[refused(415, "/thumb"), refused(415, "/remove-background")], color_scheme=scheme)
    expect(page.locator(".tile")).to_have_count(4)
    pictures_loaded(page)
    assert_accessible(page)
    page.locator("#files").set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"no photo"})
    expect(page.locator(".sent .error")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Show cat.jpg").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert_accessible(page)
    page.keyboard.press("Escape")
    page.locator("#by-state").select_option("quarantined")
    expect(page.locator(".reason")).to_be_visible()
    assert_accessible(page)


def test_dark_is_dark_and_light_is_light(hotcut, visit):
    """Fails when the page does not follow what the system asks for."""
    def brightness(scheme):
        page = visit(hotcut, color_scheme=scheme)
        colour = page.evaluate("() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
        return sum(colour[:3]) / 3

    assert brightness("light") > 200 > 60 > brightness("dark")


def test_nothing_sticks_out_on_a_phone(hotcut, visit):
    """Fails when a part is wider than a phone, or when the viewer cannot be used on one."""
    page = visit(hotcut, expected=[refused(415, "/thumb")], viewport={"width": 360, "height": 740}, has_touch=True)
    expect(page.locator(".tile").first).to_be_visible()
    sticks_out = "() => document.documentElement.scrollWidth > innerWidth"
    assert not page.evaluate(sticks_out)
    page.get_by_role("button", name="Show cat.jpg").tap()
    viewer = page.get_by_role("dialog")
    for name in ("Next", "Fit", "100 %", "White", "Save PNG", "Close"):
        control = viewer.get_by_role("link" if name.startswith("Save") else "button", name=name, exact=True)
        expect(control).to_be_in_viewport(ratio=1)
    assert not page.evaluate(sticks_out)
    viewer.get_by_role("button", name="Close").tap()
    page.locator("#by-state").select_option("quarantined")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    assert not page.evaluate(sticks_out)


def test_ten_thousand_results_cost_what_a_screenful_costs(start, visit):
    """Fails when tiles are made for what is far away, or when some of the results cannot be reached."""
    hotcut = start()
    hotcut.drop("cat.jpg")
    hotcut.wait_for("done", 1)
    hotcut.stop()
    hotcut.multiply(ROWS)
    hotcut.start()
    page = visit(hotcut)
    expect(page.get_by_role("button", name=f"Show {ROWS:05}.jpg")).to_be_visible()
    most = page.evaluate("""async () => {
      let most = 0;
      const end = performance.now() + 50000;
      const isLast = () => document.querySelector('[aria-label="Show cat.jpg"]');
      while (!isLast() && performance.now() < end) {
        scrollTo(0, document.documentElement.scrollHeight);
        await new Promise(requestAnimationFrame);
        most = Math.max(most, document.querySelectorAll('.tile').length);
      }
      return isLast() ? most : -1;
    }""")
    assert 0 < most < TILES_MAX, most


def test_without_the_token_the_page_asks_for_it(start, visit, tmp_path):
    """Fails when the page shows or loads anything without the token, or when pictures stay closed with it."""
    token = "0123456789abcdef-token"
    (tmp_path / "token").write_text(token)
    hotcut = start(http=f'token_file = "{tmp_path}/token"')
    hotcut.token = token
    hotcut.drop("cat.jpg")
    hotcut.wait_for("done", 1)
    page = visit(hotcut, expected=[refused(401, "/api/status"), refused(401, "/api/session")])
    login = page.get_by_role("dialog", name="Token")
    expect(login).to_be_visible()
    expect(page.locator(".tile")).to_have_count(0)
    assert_accessible(page)
    login.get_by_label("Token").fill("wrong-wrong-wrong")
    login.get_by_role("button", name="Open").click()
    expect(login.get_by_role("alert")).to_have_text("That is not the token.")
    login.get_by_label("Token").fill(token)
    login.get_by_role("button", name="Open").click()
    tile = page.get_by_role("button", name="Show cat.jpg")
    expect(tile).to_be_visible()
    until(page, "() => document.querySelector('.tile img')?.naturalWidth > 0")
    tile.click()
    with page.expect_download() as saving:
        page.get_by_role("link", name="Save PNG").click()
    assert saving.value.path().read_bytes() == hotcut.get(f"/api/photos/{hotcut.photos('done')[0]['id']}/cutout")


def test_what_was_sent_can_be_cleared(start, visit):
    """Fails when a row stays for ever, or one that is not done goes."""
    page = visit(start())
    page.locator("#files").set_input_files({"name": "cat.jpg", "mimeType": "image/jpeg", "buffer": sample("cat.jpg")})
    expect(page.locator(".sent li[data-state=done]")).to_have_count(1)
    page.get_by_role("button", name="Clear finished").click()
    expect(page.locator(".sent li")).to_have_count(0)
