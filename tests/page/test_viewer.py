"""A picture in the viewer and what a hand does there -> how large it is shown, on what, where the photo ends, what comes next."""

import io
import pathlib
import re

import pytest
from conftest import refused
from PIL import Image
from playwright.sync_api import expect
from waiting import picture_fitted, pictures_loaded, until

NAMES = ["cat.jpg", "coffee.jpg", "raccoon.jpg"]


@pytest.fixture
def hotcut(start):
    """Three photos done, one after the other."""
    hotcut = start()
    for count, name in enumerate(NAMES, 1):
        hotcut.drop(name)
        hotcut.wait_for("done", count)
    return hotcut


def open_viewer(page, name):
    page.get_by_role("button", name=f"Show {name}").click()
    viewer = page.get_by_role("dialog")
    expect(viewer).to_be_visible()
    picture_fitted(page)
    return viewer


def title(viewer):
    return viewer.get_by_role("heading")


def zoom(page):
    return float(page.locator("#sheet").get_attribute("data-zoom"))


def test_buttons_and_keys_enlarge(hotcut, visit):
    """Fails when a zoom button or key does nothing, or when fitting does not undo all of it."""
    page = visit(hotcut)
    viewer = open_viewer(page, "cat.jpg")
    sheet = page.locator("#sheet")
    expect(sheet).to_have_attribute("data-zoom", "1.00")
    fitted = sheet.bounding_box()
    viewer.get_by_role("button", name="Larger").click()
    expect(sheet).to_have_attribute("data-zoom", "1.50")
    viewer.get_by_role("button", name="Smaller").click()
    expect(sheet).to_have_attribute("data-zoom", "1.00")
    page.keyboard.press("+")
    page.keyboard.press("+")
    expect(sheet).to_have_attribute("data-zoom", "2.25")
    page.keyboard.press("-")
    expect(sheet).to_have_attribute("data-zoom", "1.50")
    page.keyboard.press("0")
    expect(sheet).to_have_attribute("data-zoom", "1.00")
    page.locator("#stage").hover()
    page.mouse.wheel(0, -300)
    until(page, "() => document.querySelector('#sheet').dataset.zoom === '2.72'")
    viewer.get_by_role("button", name="Fit").click()
    assert sheet.bounding_box() == fitted


def test_an_enlarged_picture_is_moved_and_a_fitted_one_is_split(hotcut, visit):
    """Fails when dragging moves nothing, or when the line between photo and cutout follows neither slider nor pointer."""
    page = visit(hotcut)
    viewer = open_viewer(page, "cat.jpg")
    sheet, slider = page.locator("#sheet"), viewer.get_by_label("Before / after")
    photo = page.locator("#before")

    def cut():
        return photo.evaluate("(photo) => getComputedStyle(photo).clipPath")

    assert cut() == "inset(0px 50% 0px 0px)"
    slider.fill("20")
    assert cut() == "inset(0px 80% 0px 0px)"
    box = sheet.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 50)
    page.mouse.up()
    expect(slider).to_have_value("75")
    assert sheet.bounding_box() == box
    page.locator("#stage").press("+")
    before = sheet.bounding_box()
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75 - 30, box["y"] + 70)
    page.mouse.up()
    after = sheet.bounding_box()
    assert (round(after["x"] - before["x"]), round(after["y"] - before["y"])) == (-30, 20)
    expect(slider).to_have_value("75")


def test_full_size_is_one_pixel_for_one(hotcut, visit):
    """Fails when 100 % shows the small picture, or another size than the cutout's own."""
    page = visit(hotcut, viewport={"width": 480, "height": 480})
    viewer = open_viewer(page, "raccoon.jpg")
    viewer.get_by_role("button", name="100 %").click()
    until(page, "() => document.querySelector('#cutout').src.endsWith('/cutout')")
    pictures_loaded(page)
    assert zoom(page) > 1
    width = page.locator("#cutout").evaluate("(picture) => picture.naturalWidth")
    assert round(page.locator("#sheet").bounding_box()["width"]) == width


def test_grounds_can_be_tried(hotcut, visit):
    """Fails when a ground is not shown behind the cutout, or when it is lost with the next photo."""
    page = visit(hotcut)
    viewer = open_viewer(page, "raccoon.jpg")
    stage = page.locator("#stage")
    for name, colour in [("White", "rgb(255, 255, 255)"), ("Black", "rgb(0, 0, 0)")]:
        viewer.get_by_role("button", name=name).click()
        expect(stage).to_have_css("background-color", colour)
        expect(viewer.get_by_role("button", name=name)).to_have_attribute("aria-pressed", "true")
    viewer.get_by_label("Any colour").fill("#336699")
    expect(stage).to_have_css("background-color", "rgb(51, 102, 153)")
    viewer.get_by_role("button", name="Next").click()
    expect(title(viewer)).to_have_text("coffee.png")
    expect(stage).to_have_css("background-color", "rgb(51, 102, 153)")
    viewer.get_by_role("button", name="Checkerboard").click()
    expect(stage).to_have_css("background-image", re.compile("conic-gradient"))


def test_next_and_previous_stay_with_the_photos_when_more_come(hotcut, visit):
    """Fails when the viewer counts places instead of photos: a new one in front would shift all that follow, and the focus."""
    page = visit(hotcut)
    viewer = open_viewer(page, "raccoon.jpg")
    viewer.get_by_role("button", name="Next").click()
    expect(title(viewer)).to_have_text("coffee.png")
    hotcut.drop("astronaut.jpg")
    expect(page.locator(".tile")).to_have_count(4)
    page.locator("#stage").press("ArrowRight")
    expect(title(viewer)).to_have_text("cat.png")
    # The last one.
    page.keyboard.press("ArrowRight")
    expect(title(viewer)).to_have_text("cat.png")
    page.keyboard.press("ArrowLeft")
    expect(title(viewer)).to_have_text("coffee.png")
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    expect(page.get_by_role("button", name="Show coffee.jpg")).to_be_focused()


def test_the_cutout_is_saved_byte_for_byte(hotcut, visit):
    """Fails when what is saved is the picture on the screen and not the file of the output folder."""
    page = visit(hotcut)
    viewer = open_viewer(page, "raccoon.jpg")
    with page.expect_download() as download:
        viewer.get_by_role("link", name="Save PNG").click()
    assert download.value.suggested_filename == "raccoon.png"
    assert pathlib.Path(download.value.path()).read_bytes() == (hotcut.out() / "raccoon.png").read_bytes()


def test_without_the_photo_the_cutout_is_shown_alone(hotcut, visit):
    """Fails when a photo that was deleted leaves a broken picture over the cutout, or breaks the viewer for the next one."""
    (hotcut.hot() / "coffee.jpg").unlink()
    page = visit(hotcut, expected=[refused(404, "/thumb")])
    viewer = open_viewer(page, "coffee.jpg")
    expect(page.locator("#before")).to_be_hidden()
    expect(page.locator("#cutout")).to_be_visible()
    assert page.locator("#cutout").evaluate("(picture) => picture.naturalWidth") > 0
    viewer.get_by_role("button", name="Next").click()
    expect(title(viewer)).to_have_text("cat.png")
    expect(page.locator("#before")).to_be_visible()


def test_a_cutout_that_was_deleted_is_told_so(hotcut, visit):
    """Fails when the viewer shows the one before, or nothing, in the place of a cutout that is gone."""
    page = visit(hotcut, expected=[refused(404, "/thumb")])
    viewer = open_viewer(page, "raccoon.jpg")
    (hotcut.out() / "coffee.png").unlink()
    viewer.get_by_role("button", name="Next").click()
    expect(viewer.get_by_text("The cutout is not there any more.")).to_be_visible()
    expect(page.locator("#sheet")).to_be_hidden()
    viewer.get_by_role("button", name="Next").click()
    expect(title(viewer)).to_have_text("cat.png")
    expect(page.locator("#cutout")).to_be_visible()
    expect(page.locator("#viewer-note")).to_be_hidden()


def on_screen(page, x, y):
    """The colour of a point."""
    image = page.screenshot(clip={"x": x, "y": y, "width": 1, "height": 1})
    return Image.open(io.BytesIO(image)).convert("RGB").getpixel((0, 0))


def test_what_is_seen_is_photo_left_and_cutout_on_the_ground_right(start, visit):
    """Fails when photo and cutout are exchanged, out of place, or the ground does not come through where the cutout is clear."""
    photo = Image.new("RGB", (600, 400), "black")
    photo.paste("white", (0, 0, 600, 200))
    png = io.BytesIO()
    photo.save(png, "png")
    hotcut = start()
    hotcut.drop("half.png", png.getvalue())
    page = visit(hotcut)
    viewer = open_viewer(page, "half.png")
    viewer.get_by_label("Any colour").fill("#ff0000")
    box = page.locator("#sheet").bounding_box()

    def colours():
        return [on_screen(page, box["x"] + box["width"] * x, box["y"] + box["height"] * y) for y in (0.1, 0.9) for x in (0.2, 0.8)]

    white, black, red = (255, 255, 255), (0, 0, 0), (255, 0, 0)
    # The model takes brightness for foreground: the lower half is clear.
    assert colours() == [white, white, black, red]
    slider = viewer.get_by_label("Before / after")
    slider.focus()
    slider.press("End")
    assert colours() == [white, white, black, black]
    slider.press("Home")
    assert colours() == [white, white, red, red]


def test_the_keyboard_is_enough(hotcut, visit):
    """Fails when something of the viewer needs a pointer, when the focus is lost at the last photo, or does not come back."""
    page = visit(hotcut)
    tile = page.get_by_role("button", name="Show raccoon.jpg")
    tile.focus()
    page.keyboard.press("Enter")
    viewer = page.get_by_role("dialog")
    expect(title(viewer)).to_have_text("raccoon.png")
    picture_fitted(page)
    for _ in range(4):
        page.keyboard.press("+")
    top = page.locator("#sheet").bounding_box()["y"]
    page.keyboard.press("Shift+ArrowUp")
    assert round(page.locator("#sheet").bounding_box()["y"] - top) == 60
    following = viewer.get_by_role("button", name="Next")
    following.focus()
    for name in ("coffee.png", "cat.png", "cat.png"):
        page.keyboard.press("Enter")
        expect(title(viewer)).to_have_text(name)
        expect(following).to_be_focused()
    expect(following).to_be_disabled()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Show cat.jpg")).to_be_focused()
