"""A hotcut with the model that comes with it and the sample photos -> shots/page.png and shots/viewer.png, for README and for the
eye. Run by hand: make shots."""

import pathlib
import sys
import tempfile

from conftest import CHROMIUM
from hotcut import CHECKOUT, Hotcut
from PIL import Image
from playwright.sync_api import expect, sync_playwright
from waiting import pictures_loaded

SHOTS = pathlib.Path(__file__).with_name("shots")
SAMPLES = ["raccoon.jpg", "coffee.jpg", "cat.jpg", "astronaut.jpg"]
JUNK = {"contract.jpg": b"%PDF-1.7 no photo", "notes.png": b"Shot list for Tuesday: cups, lamps, chairs.\n"}


def main(into):
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        hotcut = Hotcut(pathlib.Path(place), folders=("products", "portraits"), models=CHECKOUT / "models", model="student")
        hotcut.start()
        try:
            for count, name in enumerate(SAMPLES, 1):
                hotcut.drop(name, folder="portraits" if name == "astronaut.jpg" else "products")
                hotcut.wait_for("done", count)
            for name, content in JUNK.items():
                hotcut.drop(name, content)
            hotcut.wait_for("quarantined", len(JUNK))
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            for scheme in ("light", "dark"):
                take(browser, hotcut, into, scheme, {"width": 1280, "height": 800})
            take(browser, hotcut, into, "phone", {"width": 360, "height": 740})
            browser.close()
        finally:
            hotcut.stop()


def take(browser, hotcut, into, name, viewport):
    scheme = "dark" if name == "dark" else "light"
    context = browser.new_context(viewport=viewport, color_scheme=scheme)
    page = context.new_page()
    page.goto(hotcut.url)
    expect(page.locator(".tile").first).to_be_visible()
    pictures_loaded(page)
    shoot(page, into / f"{name}.png")
    page.locator("#by-state").select_option("quarantined")
    expect(page.locator(".tile .reason").first).to_be_visible()
    shoot(page, into / f"{name}-aside.png")
    page.locator("#by-state").select_option("done")
    page.set_input_files("#files", [str(CHECKOUT / "src/command/demo/cat.jpg"), str(CHECKOUT / "src/command/demo/SOURCES.md")])
    expect(page.locator('.sent [data-state="done"]')).to_have_count(1)
    expect(page.locator('.sent [data-state="failed"]')).to_have_count(1)
    pictures_loaded(page)
    shoot(page, into / f"{name}-sent.png")
    page.locator("#forget").click()
    page.get_by_role("button", name="Show astronaut.jpg").click()
    pictures_loaded(page)
    shoot(page, into / f"{name}-viewer.png")
    context.close()


def shoot(page, path):
    page.screenshot(path=path)
    with Image.open(path) as image:
        image.convert("RGB").quantize(256).save(path, optimize=True)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
