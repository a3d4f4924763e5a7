"""Photos that are sorted by date once they are done, and a whole installation that moves to another machine -> nothing is cut out
twice. Knows no transfer."""

import datetime
import pathlib
import shutil
import stat
import subprocess

import pytest
from hotcut import Hotcut, sample

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]


def script(name):
    """The script of that name in docs/recipes.md."""
    text = (CHECKOUT / "docs/recipes.md").read_text()
    return text.split(f"# {name}\n", 1)[1].split("```", 1)[0]


@pytest.fixture
def sorted_by_date(tmp_path):
    """A hotcut that moves its photos, and has them sorted when a folder is finished."""
    hotcut = Hotcut(tmp_path)
    program = tmp_path / "by-date"
    program.write_text("#!/bin/sh\n" + script("/usr/local/bin/hotcut-by-date"))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    done = tmp_path / "done"
    done.mkdir()
    text = hotcut.config.read_text()
    text = text.replace('settle = "200ms"', f'settle = "200ms"\nsource = "move"\ndone = "{done}"')
    hotcut.config.write_text(text + f'[notify]\ncommand = ["{program}", "{done}"]\nquiet = "1s"\n')
    yield hotcut.start()
    hotcut.stop()


def test_done_photos_are_sorted_by_date(sorted_by_date):
    """P4: fails when the recipe's script does not do what it says, when a photo that comes a second time under its name does not get
    its number, when a folder that comes again takes the place of the first, when what hotcut has in work is moved, or a photo is cut out again when it has moved."""
    done = sorted_by_date.place / "done"
    (done / ".hotcut-half").write_text("what hotcut moves there from another disk")
    (sorted_by_date.hot() / "shoot").mkdir()
    wanted = []
    for content in ["cat.jpg", "coffee.jpg"]:
        for name in ["a.jpg", "b.jpg", "shoot/c.jpg"]:
            # A cutout of its own for each, whatever the ledger knows of the first: a photo is known by its time, too.
            wanted.append((name, sample(content)))
            hidden = sorted_by_date.hot() / ".new"
            hidden.write_bytes(sample(content))
            hidden.rename(sorted_by_date.hot() / name)

        def is_sorted():
            found = [path.read_bytes() for path in done.glob("????-??-??/**/*") if path.is_file()]
            return sorted(found) == sorted(content for _, content in wanted)

        sorted_by_date.wait(is_sorted, "every photo in a folder of its day")
    assert [path.name for path in done.iterdir() if path.is_file()] == [".hotcut-half"]
    days = sorted(done.glob("????-??-??"))
    assert {day.name for day in days} <= {(datetime.date.today() - datetime.timedelta(days=days)).isoformat() for days in (0, 1)}
    numbered = [(name.replace(".jpg", "-2.jpg"), content) for name, content in wanted[3:]]
    assert all((days[-1] / name).read_bytes() == content for name, content in numbered)
    assert not [path for path in sorted_by_date.hot().rglob("*") if path.is_file()]
    assert (sorted_by_date.place / "log").read_text().count("cut out") == len(wanted)


def test_another_machine(tmp_path):
    """Fails when a photo is cut out again, or a cutout gets another name, because every file has another inode now."""
    hotcut = Hotcut(tmp_path).start()
    try:
        for name in ["cat.jpg", "coffee.jpg"]:
            hotcut.drop(name)
        hotcut.wait_for("done", 2)
        hotcut.stop()
        log = (tmp_path / "log").read_text()
        assert log.count("cut out") == 2, log
        for part in ["state", "in", "out"]:
            old = tmp_path / f"{part}-old"
            (tmp_path / part).rename(old)
            subprocess.run(["cp", "-a", old, tmp_path / part], check=True)
            shutil.rmtree(old)
        before = {path.name: path.stat().st_ino for path in hotcut.out().iterdir()}
        hotcut.start()
        hotcut.drop("raccoon.jpg")
        # Those that came with the ledger arrived earlier, so they are through by then: found done, as the photos that they were.
        hotcut.wait_for("done", 3)
        after = {path.name: path.stat().st_ino for path in hotcut.out().iterdir()}
        assert after.pop("raccoon.png") and after == before
        log = (tmp_path / "log").read_text()
        assert sum("cut out" in line for line in log.splitlines()) == 3, log
    finally:
        hotcut.stop()
