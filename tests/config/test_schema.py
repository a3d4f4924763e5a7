"""config/hotcut.schema.json and the program itself -> the same judgement of a configuration. Knows no folder that is served."""

import json
import pathlib
import re
import subprocess
import sys

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = CHECKOUT / "config" / "hotcut.schema.json"
MODELS = CHECKOUT / "tests" / "data" / "models"
EXAMPLE = CHECKOUT / "config" / "hotcut.toml"
HOTCUT = CHECKOUT / "target" / "debug" / "hotcut"
TAPLO = pathlib.Path(sys.executable).with_name("taplo")


def lint(file):
    command = [TAPLO, "lint", "--no-auto-config", "--schema", SCHEMA.as_uri(), file]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def check(file):
    return subprocess.run([HOTCUT, "check", "--config", file], capture_output=True, text=True, timeout=60)


@pytest.fixture
def written(tmp_path):
    """Writes a configuration around the given lines, with folders that exist."""
    for name in ("in", "b"):
        (tmp_path / name).mkdir()
    (tmp_path / "token").write_text("0123456789abcdef\n")

    def write(daemon="", folder="", more="", output='output = "TMP/out"'):
        more, folder, output = (text.replace("TMP", str(tmp_path)) for text in (more, folder, output))
        file = tmp_path / "hotcut.toml"
        file.write_text(f"""
[daemon]
state_dir = "{tmp_path}/state"
models_dir = "{MODELS}"
{daemon}
[[folder]]
name = "products"
input = "{tmp_path}/in"
model = "luma"
{folder}
{output}
{more}
""")
        return file

    return write


# Letters of all scripts, also those that Unicode counts among the marks.
NAMES = ["x", "Größe XL", "Gro\u0308ße", "製品写真", "हिन्दी", "a.b-c_d 2", "ä" * 64]
NO_NAMES = ["", " ", ".hidden", " first", "last ", "a/b", "a:b", "a\\tb", "a\u00a0b", "a\u202eb", "a\u200bb", "a\ufeffb", "商品\u3000写真", "ä" * 65]
EDGES = ["auto", "soft", "hard", "off"]

GOOD = [
    {},
    {"daemon": 'timeout = "1m 30s"\nworker_memory = "512MB"\nworkers = 3\nrescan = "500ms"'},
    {"folder": 'source = "move"\ndone = "TMP/done"\nfailed = "TMP/failed"\ninclude = ["*.bmp"]\nexclude = ["drafts", "2026/raw"]'},
    {"daemon": 'remember = "forever"'},
    {"daemon": 'remember = "365d"'},
    {"folder": 'source = "delete"\non_same_name = "replace"\ntidy = true'},
    {"folder": "tidy = false"},
    {"folder": 'on_same_name = "number"'},
    {"output": 'output = [{ path = "TMP/out" }]'},
    {"output": '[[folder.output]]\npath = "TMP/out"\n[[folder.output]]\npath = "TMP/shop"\nformat = "png"'},
    *[{"folder": f'edges = "{word}"'} for word in EDGES],
    *[{"more": f'[[folder]]\nname = "{name}"\ninput = "TMP/b"\noutput = "TMP/b out"\nmodel = "luma"'} for name in NAMES],
    {"more": '[http]\nlisten = "127.0.0.1:8190"\nmodel = "luma"'},
    *[{"more": f'[http]\nlisten = "127.0.0.1:8190"\nmodel = "luma"\nedges = "{word}"'} for word in EDGES],
    {"more": '[http]\nlisten = "[::1]:8190"\nmodel = "luma"\nmax_upload = "2 GiB"'},
    {"more": '[http]\nlisten = "0.0.0.0:8190"\nmodel = "luma"\ntoken_file = "TMP/token"'},
    {"more": '[notify]\ncommand = ["/bin/true", "x"]\nquiet = "5s"'},
    {"more": '[notify]\nwebhook = "https://example.org/told"\nsecret_file = "TMP/token"'},
]

BAD = [
    {"daemon": "workers = 0"},
    {"daemon": "workers = 2.5"},
    {"daemon": 'timeout = "0 parsecs, or so"'},
    {"daemon": "timeout = 60"},
    {"daemon": 'remember = "ever"'},
    {"daemon": 'worker_memory = "two apples"'},
    {"daemon": 'wrokers = 2'},
    {"folder": 'source = "move"'},
    {"folder": 'done = "/srv/done"'},
    {"folder": 'source = "keep"\ndone = "/srv/done"'},
    {"folder": 'source = "burn"'},
    {"folder": "tidy = true"},
    {"folder": 'source = "delete"\ntidy = "yes"'},
    {"folder": 'on_same_name = "overwrite"'},
    {"folder": 'edges = "sharp"'},
    {"folder": 'edges = "Auto"'},
    {"folder": "edges = false"},
    {"folder": 'failed = "relative"'},
    {"output": ""},
    {"output": 'output = "out"'},
    {"output": "output = []"},
    {"output": 'output = { path = "TMP/out" }'},
    {"output": '[[folder.output]]\nformat = "png"'},
    {"output": '[[folder.output]]\npath = "TMP/out"\nformat = "gif"'},
    {"output": '[[folder.output]]\npath = "TMP/out"\nquality = 9'},
    {"output": 'output = "TMP/out"\n[[folder.output]]\npath = "TMP/shop"'},
    {"folder": 'include = "*.jpg"'},
    {"folder": 'exclude = "drafts"'},
    *[{"more": f'[[folder]]\nname = "{name}"\ninput = "/a"\noutput = "/b"'} for name in NO_NAMES],
    {"more": '[[folder]]\nname = "a"\ninput = "/a"'},
    {"more": '[http]\nmodel = "luma"'},
    {"more": '[http]\nlisten = "8190"\nmodel = "luma"'},
    {"more": '[http]\nlisten = "127.0.0.1:8190"\nmodel = "luma"\nedges = "sharp"'},
    {"more": '[http]\nlisten = "0.0.0.0:8190"\nmodel = "luma"'},
    {"more": '[notify]\nquiet = "5s"'},
    {"more": '[notify]\ncommand = []'},
    {"more": '[notify]\nwebhook = "ftp://example.org"'},
    {"more": '[htpp]\nlisten = "127.0.0.1:8190"'},
]


@pytest.mark.parametrize("lines", GOOD, ids=str)
def test_what_the_program_takes_the_schema_takes(written, lines):
    """Fails when an editor would mark something that hotcut accepts."""
    file = written(**lines)
    program, schema = check(file), lint(file)
    assert program.returncode == 0, program.stderr
    assert schema.returncode == 0, schema.stderr


@pytest.mark.parametrize("lines", BAD, ids=str)
def test_what_the_program_refuses_the_schema_refuses(written, lines):
    """Fails when an editor would let something pass that hotcut refuses."""
    file = written(**lines)
    program, schema = check(file), lint(file)
    assert program.returncode == 78, program.stdout
    assert schema.returncode != 0, schema.stderr


def test_every_key_is_in_the_schema_and_the_other_way_round(written):
    """Fails when a key is added to the program or the schema alone."""
    schema = json.loads(SCHEMA.read_text())
    unknown = 'nosuch = 1\n'
    output = 'output = [{ path = "TMP/out", nosuch = 1 }]'
    file = written(daemon=unknown, folder=unknown, output=output, more=f"[http]\n{unknown}[notify]\n{unknown}")
    file.write_text(unknown + file.read_text())
    told = check(file).stderr
    known = dict(re.findall(r"unknown key `nosuch` in (.*?); known are: (.*)", told))
    tables = {"the file": schema}
    titles = {
        "[daemon]": "daemon",
        '[[folder]] "products"': "folder",
        '[[folder.output]] number 1 of [[folder]] "products"': "output",
        "[http]": "http",
        "[notify]": "notify",
    }
    for table, name in titles.items():
        tables[table] = schema["definitions"][name]
    assert known.keys() == tables.keys(), told
    for table, definition in tables.items():
        assert set(known[table].split(", ")) == set(definition["properties"]), table


def test_the_example_fits_with_every_line_in_force(tmp_path):
    """Fails when the commented example shows a key or value that the schema does not know."""
    text = EXAMPLE.read_text()
    file = tmp_path / "hotcut.toml"
    for lines in [text, re.sub(r"^# (?=\w+ = |\[)", "", text, flags=re.M)]:
        # An example of a key that needs another value of a second one.
        file.write_text(lines.replace('source = "keep"', 'source = "move"') if lines != text else lines)
        schema = lint(file)
        assert schema.returncode == 0, schema.stderr


def test_what_init_proposes_fits(tmp_path):
    """Fails when a proposal would be marked in an editor."""
    file = tmp_path / "hotcut.toml"
    for folders in [[], [tmp_path]]:
        proposal = subprocess.run([HOTCUT, "init", *folders], capture_output=True, text=True, timeout=60)
        assert proposal.returncode == 0, proposal.stderr
        file.write_text(proposal.stdout)
        schema = lint(file)
        assert schema.returncode == 0, schema.stderr
