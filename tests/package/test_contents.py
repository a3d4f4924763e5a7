"""Package and archive -> what lies in them, without running any of it."""

import gzip
import importlib
import re
import subprocess
import tarfile

import debian
import pytest
from debian import CHECKOUT

COMMANDS = ["backup", "check", "cut", "demo", "init", "rebuild", "redo", "retry", "run", "setup", "status", "unit", "why"]
# Below /usr in the package, below the archive's one folder in the archive.
SHARED = [
    "bin/hotcut",
    "lib/hotcut/libonnxruntime.so.1.32.0",
    "lib/systemd/system/hotcut.service",
    "lib/sysusers.d/hotcut.conf",
    "lib/tmpfiles.d/hotcut.conf",
    "share/bash-completion/completions/hotcut",
    "share/doc/hotcut/README.md",
    "share/doc/hotcut/copyright",
    "share/doc/hotcut/crates-licences.txt",
    "share/doc/hotcut/docs/CONTRIBUTING.md",
    "share/doc/hotcut/docs/SECURITY.md",
    "share/doc/hotcut/docs/architecture.md",
    "share/doc/hotcut/docs/benchmarks.md",
    "share/doc/hotcut/docs/commands.md",
    "share/doc/hotcut/docs/configuration.md",
    "share/doc/hotcut/docs/edges.jpg",
    "share/doc/hotcut/docs/files.md",
    "share/doc/hotcut/docs/http-api.md",
    "share/doc/hotcut/docs/install.md",
    "share/doc/hotcut/docs/models.md",
    "share/doc/hotcut/docs/notifications.md",
    "share/doc/hotcut/docs/operations.md",
    "share/doc/hotcut/docs/page.md",
    "share/doc/hotcut/docs/recipes.md",
    "share/doc/hotcut/examples/alerts.yml",
    "share/doc/hotcut/examples/grafana.json",
    "share/doc/hotcut/examples/hotcut.toml",
    "share/doc/hotcut/examples/notify-reload.conf",
    "share/doc/hotcut/examples/prometheus.yml",
    "share/doc/hotcut/onnxruntime-notices.txt",
    "share/fish/vendor_completions.d/hotcut.fish",
    "share/hotcut/hotcut.schema.json",
    "share/hotcut/minimal.toml",
    "share/hotcut/models/golden.jpg",
    "share/hotcut/models/student-fast.onnx",
    "share/hotcut/models/student-fast.toml",
    "share/hotcut/models/student.onnx",
    "share/hotcut/models/student.toml",
    "share/zsh/vendor-completions/_hotcut",
]
PAGES = [f"share/man/man1/hotcut{command and '-' + command}.1" for command in ["", *COMMANDS]]


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def files(listing):
    """(mode, owner, path) of all but folders, from what tar prints."""
    rows = [line.split() for line in listing.splitlines()]
    return [(row[0], row[1], row[5]) for row in rows if not row[0].startswith("d")]


def test_the_package_holds_this_and_no_more(deb):
    """Fails when a file is forgotten, is writable for others, or something of the build slips in."""
    found = files(output("dpkg-deb", "-c", deb))
    own = ["share/doc/hotcut/changelog.gz", "share/lintian/overrides/hotcut", *[f"{page}.gz" for page in PAGES]]
    wanted = [f"./usr/{path}" for path in SHARED + own]
    assert sorted(path for _, _, path in found) == sorted(wanted)
    for mode, owner, path in found:
        assert owner in ("0/0", "root/root"), path
        assert mode == ("-rwxr-xr-x" if path == "./usr/bin/hotcut" else "-rw-r--r--"), path


def test_the_archive_holds_the_same(archive):
    """Fails when the two drift apart, or the archive has more than one folder to unpack."""
    name = archive.name.removesuffix(".tar.gz")
    with tarfile.open(archive) as tar:
        members = tar.getmembers()
    assert sorted(member.name for member in members if member.isfile()) == sorted(f"{name}/{path}" for path in SHARED + PAGES)
    assert {(member.uid, member.gid, member.uname) for member in members} == {(0, 0, "")}


def test_the_first_configuration_is_a_template(deb, tmp_path):
    """Fails when dpkg is to watch over the configuration, for then an upgrade asks about it, or when the template names folders that
    nobody has made."""
    subprocess.run(["dpkg-deb", "-e", deb, tmp_path / "control"], check=True)
    subprocess.run(["dpkg-deb", "-x", deb, tmp_path / "tree"], check=True)
    assert not (tmp_path / "control/conffiles").exists()
    assert not (tmp_path / "tree/etc").exists()
    lines = (tmp_path / "tree/usr/share/hotcut/minimal.toml").read_text().splitlines()
    assert lines and all(line.startswith("#") for line in lines)


def test_what_it_depends_on_is_what_its_binaries_need(deb, tmp_path):
    """Fails when program or library need a newer glibc or libstdc++ than the package asks for, or than Debian 12 has."""
    subprocess.run(["dpkg-deb", "-x", deb, tmp_path / "tree"], check=True)
    (tmp_path / "debian").mkdir()
    (tmp_path / "debian/control").touch()
    binaries = [tmp_path / "tree/usr/bin/hotcut", *(tmp_path / "tree/usr/lib/hotcut").glob("*.so.*")]
    command = ["dpkg-shlibdeps", "-O", "--ignore-missing-info", "-xlibgcc-s1", *binaries]
    done = subprocess.run(command, check=True, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    [needed] = [line.removeprefix("shlibs:Depends=") for line in done.stdout.splitlines() if line.startswith("shlibs:Depends=")]
    depends = output("dpkg-deb", "-f", deb, "Depends")
    for one in needed.split(", "):
        assert one in depends
    libc = next(one for one in needed.split(", ") if one.startswith("libc6 "))
    assert subprocess.run(["dpkg", "--compare-versions", libc.split()[2].rstrip(")"), "le", "2.36"]).returncode == 0, libc


def test_the_changelog_is_the_projects_own(deb, tmp_path):
    """Fails when the package tells another story than CHANGELOG.md, or is of another version."""
    subprocess.run(["dpkg-deb", "-x", deb, tmp_path], check=True)
    told = gzip.decompress((tmp_path / "usr/share/doc/hotcut/changelog.gz").read_bytes()).decode()
    version = output("dpkg-deb", "-f", deb, "Version").strip()
    assert version == debian.version()
    assert told.startswith(f"hotcut ({version}) ")
    [_, entry, *_] = re.split(r"^## .*$", (CHECKOUT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    points = [" ".join(point.split()) for point in re.findall(r"^- (.*(?:\n  .*)*)", entry, re.MULTILINE)]
    assert points
    assert [" ".join(point.split()) for point in re.findall(r"^  \* (.*(?:\n    .*)*)", told, re.MULTILINE)] == points


def test_every_crate_has_its_licence_and_the_library_its_own(archive):
    """Fails when a binary goes out without the terms under which its parts may."""
    name = archive.name.removesuffix(".tar.gz")
    with tarfile.open(archive) as tar:
        crates, own = (
            tar.extractfile(f"{name}/share/doc/hotcut/{file}").read().decode(errors="replace") for file in ("crates-licences.txt", "copyright")
        )
    for crate in ("rustls ", "rusqlite ", "tokio ", "libjpeg-turbo-rs "):
        assert f"\n  {crate}" in crates
    assert "Permission is hereby granted" in crates and "Redistribution and use in source and binary forms" in crates
    # Published without its text; code of others inside; and what no crate is.
    for words in ("\ngovernor ", "the fiat-crypto authors", "Unicode, Inc.", "\nthe standard library of Rust "):
        assert words in crates
    assert "Files: usr/share/hotcut/models/golden.jpg\nCopyright: none\nLicense: public-domain and CC0-1.0\n" in own
    assert "Stefan van der" in own and "Rachel Michetti" in own
    assert "Files: usr/lib/hotcut/libonnxruntime.so.*\nCopyright: Microsoft Corporation\nLicense: Expat" in own


def test_a_crate_without_a_licence_text_is_not_packed(tmp_path, monkeypatch):
    """Fails when a new crate slips in without its terms, or one that had none changes them unseen."""
    monkeypatch.syspath_prepend(CHECKOUT / ".package")
    licences = importlib.import_module("licences")
    package = {"name": "new", "version": "1.0.0", "license": "MIT", "authors": ["Anna <anna@studio.example>"], "manifest_path": tmp_path / "Cargo.toml"}
    for name, licence in [("new", "MIT"), ("new", None), ("governor", "GPL-3.0-only")]:
        with pytest.raises(SystemExit, match="no licence text"):
            list(licences.texts(package | {"name": name, "license": licence}))
    [text] = licences.texts(package | {"name": "governor"})
    assert text.startswith("Copyright (c) Anna\n\nPermission is hereby granted")


def test_lintian_finds_nothing(deb):
    """Fails with what Debian's own checks say, and has no reason among the overrides."""
    try:
        done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", deb], stdout=subprocess.PIPE, text=True)
    except FileNotFoundError:
        pytest.skip("lintian is not installed (apt-get install lintian)")
    assert done.returncode == 0, done.stdout


def test_packing_again_gives_the_same_bytes(deb, archive):
    """Fails when a time, an owner or the order of a folder gets in."""
    before = [file.read_bytes() for file in (deb, archive)]
    with tarfile.open(archive) as tar:
        time = int(tar.next().mtime)
    subprocess.run(["make", "--no-print-directory", "deb", "tarball", f"SOURCE_DATE_EPOCH={time}"], cwd=CHECKOUT, check=True, stdout=subprocess.DEVNULL)
    assert [file.read_bytes() for file in (deb, archive)] == before
