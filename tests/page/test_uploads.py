"""Photos that are chosen or dropped on the page -> rows that tell how far they are, and cutouts that are those of the API."""

import base64
import pathlib
import urllib.request

from conftest import refused
from hotcut import PATIENCE_S, PHOTOS, sample
from playwright.sync_api import expect
from waiting import pictures_loaded

# As somebody's hand would do it: the files are those that the page is given.
DROP = """([target, photos]) => {
  const transfer = new DataTransfer();
  for (const [name, bytes] of photos) {
    transfer.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name, { type: "image/jpeg" }));
  }
  const tell = (kind) => document.querySelector(target).dispatchEvent(
    new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: transfer }));
  tell("dragenter");
  tell("dragover");
  const isHinted = !document.querySelector("#drop-hint").hidden;
  tell("drop");
  return isHinted && document.querySelector("#drop-hint").hidden;
}"""


def choose(page, *names):
    """Chooses sample photos by way of the button."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose photos…").click()
    chooser.value.set_files([PHOTOS / name for name in names])


def drop(page, *names):
    photos = [[name, base64.b64encode(sample(name)).decode()] for name in names]
    return page.evaluate(DROP, ["#gallery", photos])


def row(page, name):
    return page.locator("#sent li").filter(has_text=name)


def by_the_api(hotcut, name):
    request = urllib.request.Request(f"{hotcut.url}/remove-background?name={name}", data=sample(name), method="POST")
    request.add_header("content-type", "application/octet-stream")
    return urllib.request.urlopen(request, timeout=PATIENCE_S).read()


def test_a_chosen_photo_is_cut_and_saved_byte_for_byte(start, visit):
    """Fails when the photo is not sent as it is, when its cutout is not what the API gives, or when it is saved as something
    else."""
    hotcut = start()
    page = visit(hotcut)
    choose(page, "cat.jpg", "coffee.jpg")
    expect(row(page, "cat.jpg").locator(".what")).to_have_text("Done")
    expect(row(page, "coffee.jpg").locator(".what")).to_have_text("Done")
    with page.expect_download() as download:
        row(page, "cat.jpg").get_by_role("link", name="Save PNG").click()
    assert download.value.suggested_filename == "cat.png"
    assert pathlib.Path(download.value.path()).read_bytes() == by_the_api(hotcut, "cat.jpg")
    page.get_by_role("button", name="Clear finished").click()
    expect(page.locator("#sent-section")).to_be_hidden()
    expect(page.get_by_text("Nothing here yet.")).to_be_visible()


def test_a_sent_photo_is_shown_beside_its_cutout(start, visit):
    """Fails when the viewer cannot show what is in the browser only, or offers a next one where there is none."""
    page = visit(start())
    choose(page, "cat.jpg")
    show = row(page, "cat.jpg").get_by_role("button", name="Show")
    show.click()
    viewer = page.get_by_role("dialog", name="cat.png")
    expect(viewer).to_be_visible()
    pictures_loaded(page)
    sizes = page.evaluate("() => ['#cutout', '#before'].map((p) => document.querySelector(p).naturalWidth)")
    assert sizes[0] == sizes[1] > 0
    expect(viewer.get_by_role("button", name="Next")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    expect(show).to_be_focused()


def test_photos_can_be_dropped_anywhere(start, visit):
    """Fails when a drop is left to the browser, when only one of the photos is taken, or when the hint stays."""
    page = visit(start())
    assert drop(page, "cat.jpg", "coffee.jpg")
    expect(page.locator('#sent [data-state="done"]')).to_have_count(2)


def test_photos_can_be_sent_into_a_folder(start, visit):
    """Fails when the chosen folder is not the one that gets the photo, or when the cutout does not show up by itself."""
    hotcut = start(folders=("products", "night.shift-2"))
    page = visit(hotcut)
    page.locator("#target").select_option("night.shift-2")
    choose(page, "cat.jpg")
    expect(row(page, "cat.jpg").locator(".what")).to_have_text("In night.shift-2 as cat.jpg")
    expect(page.get_by_role("button", name="Show cat.jpg")).to_be_visible()
    assert (hotcut.hot("night.shift-2") / "cat.jpg").read_bytes() == sample("cat.jpg")
    # A second one of the same name takes nobody's place.
    choose(page, "cat.jpg")
    expect(page.locator("#sent").get_by_text("In night.shift-2 as cat-2.jpg")).to_be_visible()
    expect(page.get_by_role("button", name="Show cat-2.jpg")).to_be_visible()


def test_what_is_no_photo_is_refused_in_the_words_of_the_server(start, visit, tmp_path):
    """Fails when a refusal is swallowed or told in other words, or when trying again does not send the photo again."""
    page = visit(start(), expected=[refused(415, "/remove-background")])
    wrong = tmp_path / "contract.jpg"
    wrong.write_bytes(b"%PDF-1.7 no photo")
    page.set_input_files("#files", wrong)
    what = row(page, "contract.jpg").locator(".what")
    expect(what).to_have_text("not a picture that hotcut can read (it is a PDF document)")
    with page.expect_response("**/remove-background") as again:
        row(page, "contract.jpg").get_by_role("button", name="Try again").click()
    assert again.value.status == 415
    expect(what).to_have_text("not a picture that hotcut can read (it is a PDF document)")
    page.get_by_role("button", name="Clear finished").click()
    expect(page.locator("#sent-section")).to_be_hidden()


def test_what_is_too_large_is_told_so(start, visit, tmp_path):
    """Fails when a photo beyond `max_upload` is sent all the same, or not told to be too large."""
    page = visit(start(http='max_upload = "1 MiB"'))
    sent = []
    page.on("request", lambda request: sent.append(request.method))
    large = tmp_path / "poster.jpg"
    large.write_bytes(sample("cat.jpg") + bytes(8 << 20))
    page.set_input_files("#files", large)
    expect(row(page, "poster.jpg").locator(".what")).to_contain_text("1 MiB")
    assert "POST" not in sent
    # Others are not held up by it.
    choose(page, "cat.jpg")
    expect(row(page, "cat.jpg").locator(".what")).to_have_text("Done")


def test_photos_wait_until_it_is_known_how_large_one_may_be(start, visit, tmp_path):
    """Fails when a photo that is chosen before the server has told its `max_upload` is sent whatever its size, or is forgotten."""
    page = visit(start(http='max_upload = "1 MiB"'))
    asked, sent = [], []
    page.route("**/api/status", lambda route: asked.append(route))
    page.on("request", lambda request: sent.append(request.method))
    page.reload()
    large = tmp_path / "poster.jpg"
    large.write_bytes(sample("cat.jpg") + bytes(8 << 20))
    page.set_input_files("#files", large)
    choose(page, "cat.jpg")
    for name in ("poster.jpg", "cat.jpg"):
        expect(row(page, name).locator(".what")).to_have_text("Waiting")
    assert "POST" not in sent
    # The page of before may have asked too.
    asked[-1].continue_()
    expect(row(page, "poster.jpg").locator(".what")).to_contain_text("1 MiB")
    expect(row(page, "cat.jpg").locator(".what")).to_have_text("Done")
    assert sent.count("POST") == 1


def test_two_photos_are_sent_at_a_time(start, visit):
    """Fails when a hundred photos are sent at once, which leaves no connection for anything else, or one after the other."""
    page = visit(start())
    under_way, most = set(), []

    def begun(request):
        if request.method == "POST":
            under_way.add(request)
            most.append(len(under_way))

    page.on("request", begun)
    page.on("response", lambda response: under_way.discard(response.request))
    photos = [{"name": f"{n}.jpg", "mimeType": "image/jpeg", "buffer": sample("cat.jpg")} for n in range(6)]
    page.set_input_files("#files", photos)
    expect(page.locator('#sent [data-state="done"]')).to_have_count(6)
    assert max(most) == 2 and len(most) == 6


def test_a_photo_that_comes_too_early_waits_and_goes_by_itself(start, visit):
    """Fails when the page takes "too many" for an end, or tries again at once."""
    hotcut = start(http="photos_per_minute = 4")
    page = visit(hotcut, expected=[refused(429, "/remove-background")])
    expect(page.locator(".folder")).to_be_visible()
    # Only now, for the allowance comes back with time: a photo each 15 s.
    for _ in range(4):
        request = urllib.request.Request(f"{hotcut.url}/remove-background", data=sample("cat.jpg"), method="POST")
        urllib.request.urlopen(request, timeout=PATIENCE_S).read()
    tries = []
    page.on("request", lambda request: request.method == "POST" and tries.append(request))
    choose(page, "coffee.jpg")
    what = row(page, "coffee.jpg").locator(".what")
    expect(what).to_contain_text("too many photos from you")
    expect(what).to_have_text("Done")
    assert len(tries) <= 3
