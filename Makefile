# Tests load ONNX Runtime into their own process too; it must not keep a telemetry database in the home of whoever runs them.
export ORT_DISABLE_TELEMETRY = 1

CARGO ?= cargo
BENCH_PYTHON ?= python3
MINUTES ?= 30
SECONDS ?= 60

.PHONY: help setup teacher build demo test test-distill test-api test-config test-page test-recipes test-system test-package deb tarball advisories shots build-fuzz fuzz lint bench versus quality quality-photos soak load load-http bench-ledger churn clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 20

setup: ## fetch ONNX Runtime (checked by SHA-256; nothing is done twice)
	@sh .ci/setup

teacher: ## fetch U²-Net too (176 MB), for model = "u2net", the tests and the benchmarks
	@sh .ci/setup teacher

# Version and commit of what is built; given from outside where git is not, as in an image, or else those of the release.
ifeq ($(strip $(BUILD)),)
override BUILD := $(shell .package/version)
endif
VERSION := $(firstword $(BUILD))
# In this folder whatever cargo's settings say: the program looks for its library and models from where it lies.
TARGET ?= target

# Only here is the program told its commit: each commit would build it anew in `make test` too.
build: export HOTCUT_VERSION = $(VERSION)
build: export HOTCUT_COMMIT = $(lastword $(BUILD))
build: setup ## build target/release/hotcut
	$(CARGO) build --release --locked --target-dir $(TARGET)

ARCHIVE := hotcut-$(VERSION)-$(shell uname -m)
CARGO_DEB := 3.8.0
CARGO_FUZZ := 0.13.2
# The time of the last commit stands for now, so that what was built once gives the same bytes whenever it is packed. The program
# itself names the folders that it was built in. Not for cargo, which would build all C code anew for each commit.
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
unexport SOURCE_DATE_EPOCH

deb: target/package/tree target/tools/bin/cargo-deb ## make a Debian package in target/dist (cargo-deb is built first)
	@python3 .package/changelog.py '$(VERSION)' "$$(sed -n 's/^maintainer = "\(.*\)"$$/\1/p' Cargo.toml)" \
		"$$(LC_ALL=C date -uRd @$(SOURCE_DATE_EPOCH))" | gzip -9n >target/package/pages/changelog.gz
	@mkdir -p target/dist && rm -f target/dist/hotcut_*.deb
	SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) target/tools/bin/cargo-deb --quiet --no-build --no-strip --deb-version '$(VERSION)' --output target/dist

# Unlike a package it needs no root, and runs from wherever it is unpacked.
tarball: target/package/tree ## make an archive in target/dist that runs from any folder
	@rm -rf target/package/$(ARCHIVE) && mkdir -p target/dist && cp -a target/package/tree/usr target/package/$(ARCHIVE)
	@rm -f target/dist/hotcut-*.tar.gz
	tar --sort=name --mtime=@$(SOURCE_DATE_EPOCH) --owner=0 --group=0 --numeric-owner -C target/package -c $(ARCHIVE) \
		| gzip -9n >target/dist/$(ARCHIVE).tar.gz

.PHONY: target/package/tree
target/package/tree: build
	@.package/stage $@

target/tools/bin/cargo-deb: TOOL_VERSION := $(CARGO_DEB)
target/tools/bin/cargo-fuzz: TOOL_VERSION := $(CARGO_FUZZ)
target/tools/bin/%:
	$(CARGO) install --locked --version $(TOOL_VERSION) --root target/tools --target-dir target/tools/build $*
	@rm -rf target/tools/build

demo: build ## cut the sample photos out through a temporary hot folder
	@target/release/hotcut demo

# Tests wait for daemons more than they compute.
test: export NEXTEST_TEST_THREADS := $(shell echo $$((3 * $$(nproc))))
test: export RUST_TEST_THREADS := $(shell echo $$((3 * $$(nproc))))
# Runners hide what a test that passes has to say.
test: export SKIPPED_TESTS := $(CURDIR)/target/skipped
# Unoptimised but for the dependencies: they do the heavy work, and this builds fastest.
test: setup teacher ## run every test
	@mkdir -p target && : >$(SKIPPED_TESTS)
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
		set -x; $(CARGO) nextest run --locked && $(CARGO) test --locked --doc \
			&& $(CARGO) nextest run --locked --features chaos --test it chaos; \
	else \
		set -x; $(CARGO) test --locked && $(CARGO) test --locked --features chaos --test it chaos; \
	fi
	@cat $(SKIPPED_TESTS)

test-distill: ## run the tests of the distillation (fetches torch, 5 GB unpacked)
	@$(MAKE) --no-print-directory -C models/distill test

test-api: build-debug .api/installed ## try every path of the HTTP API with right and wrong requests (fetches schemathesis)
	@.api/bin/python -m pytest -q -p no:cacheprovider tests/api

test-config: build-debug .config/installed ## hold schema and alert rules against the program (fetches taplo; needs promtool)
	@.config/bin/python -m pytest -q -rs -p no:cacheprovider tests/config

test-recipes: build-debug .recipes/installed ## follow docs/recipes.md (needs samba, smbclient, rsync, openssh-server)
	@.recipes/bin/python -m pytest -q -rs -p no:cacheprovider tests/recipes

test-page: build-debug .page/installed ## use the web page in a real browser (fetches playwright; needs chromium)
	@if command -v chromium >/dev/null; then .page/bin/python -m pytest -q -p no:cacheprovider tests/page; \
	else echo "SKIPPED page: chromium is not installed (apt-get install chromium)"; fi

# Root is needed to boot a machine, and debootstrap to make one; without them nothing needs to be built.
test-system: ## run the package as a service of a booted Debian 12 (as root; fetches Debian 12 and 13, and keeps 0.5 GB in .system)
	@if [ "$$(id -u)" != 0 ]; then echo "SKIPPED system: only root can boot a machine"; \
	elif ! command -v debootstrap >/dev/null || ! command -v systemd-nspawn >/dev/null; then \
		echo "SKIPPED system: debootstrap or systemd-nspawn is not installed (apt-get install debootstrap systemd-container)"; \
	else \
		$(MAKE) --no-print-directory deb target/chaos/hotcut .system/installed \
			&& .system/bin/python -m pytest -v -p no:cacheprovider tests/system; \
	fi

# Moved, lest target/debug/hotcut be taken for the program without the feature.
.PHONY: target/chaos/hotcut
target/chaos/hotcut: setup
	$(CARGO) build --locked --features chaos --target-dir target
	@mkdir -p target/chaos && mv target/debug/hotcut $@

test-package: .system/installed ## look into package and archive, and install and upgrade the package on a booted Debian 12 (as root)
	@.package/previous
	@$(MAKE) --no-print-directory deb tarball
	@.system/bin/python -m pytest -v -rs -p no:cacheprovider tests/package

shots: build-debug .page/installed ## take pictures of the web page into .page/shots
	@mkdir -p .page/shots && .page/bin/python tests/page/shots.py .page/shots

# With a test, which gives the dependencies the features that `make test` does: they are built once.
.PHONY: build-debug
build-debug: setup
	@$(CARGO) build --quiet --locked --bin hotcut --test it

.api/installed .config/installed .page/installed .recipes/installed .system/installed: .%/installed: tests/%/requirements.txt
	python3 -m venv --clear .$*
	.$*/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

# What libFuzzer and AddressSanitizer want of the compiler is in the stable one too, behind RUSTC_BOOTSTRAP. The limits
# are those on memory: one allocation, of which the tags of a TIFF may take 256 MB, and all.
build-fuzz: setup target/tools/bin/cargo-fuzz
	RUSTC_BOOTSTRAP=1 target/tools/bin/cargo-fuzz build --dev --fuzz-dir tests/fuzz --target-dir target/fuzz

fuzz: build-fuzz ## fuzz the readers for SECONDS=60 each (cargo-fuzz is built first)
	@set -e; for target in decode provenance protocol; do \
		mkdir -p target/fuzz/corpus/$$target target/fuzz/seeds/$$target target/fuzz/artifacts/$$target; \
		RUSTC_BOOTSTRAP=1 target/tools/bin/cargo-fuzz run --dev --fuzz-dir tests/fuzz --target-dir target/fuzz $$target \
			target/fuzz/corpus/$$target target/fuzz/seeds/$$target -- -max_total_time=$(SECONDS) -max_len=8192 -print_funcs=0 \
			-timeout=20 -malloc_limit_mb=300 -rss_limit_mb=2048 -artifact_prefix=target/fuzz/artifacts/$$target/; \
	done

# cargo-deny's fourth check wants a list from the network that changes every day: it is `make advisories`.
lint: ## check format, clippy, the systemd unit, and the licences and sources of the dependencies
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(CARGO) clippy --locked --all-targets --features chaos -- -D warnings
	@sh .ci/lint-unit systemd/hotcut.service
	@sh .ci/setup deny
	.tools/cargo-deny --config .deny.toml --log-level error check licenses bans sources

advisories: ## ask RustSec's list, fetched anew, whether a dependency is known to be unsafe
	@sh .ci/setup deny
	.tools/cargo-deny --config .deny.toml check advisories

bench: build teacher ## compare with rembg: speed, memory, matte (about 15 minutes)
	@$(BENCH_PYTHON) tests/bench/prepare.py
	@.bench/venv/bin/python tests/bench/versus_rembg.py
	@.bench/venv/bin/python tests/bench/compare_matte.py
	@.bench/venv/bin/python tests/bench/edges.py

versus: build teacher ## drop the same photos into rembg and hotcut, and count what goes wrong (10 to 15 minutes)
	@$(BENCH_PYTHON) tests/bench/prepare.py
	@.bench/venv/bin/python tests/bench/versus_watch.py

quality: build teacher quality-packages ## measure cutouts against known truths, hotcut and rembg (1 GB fetched; about an hour)
	@.bench/venv/bin/python -m pytest -q -p no:cacheprovider tests/quality
	@.bench/venv/bin/python tests/quality/quality.py

quality-photos: build quality-packages ## make sheets of forty real photos for eyes in .quality
	@.bench/venv/bin/python tests/quality/photo_sheets.py

.PHONY: quality-packages
quality-packages:
	@$(BENCH_PYTHON) tests/bench/prepare.py
	@.bench/venv/bin/python -m pip install --quiet --disable-pip-version-check -r tests/quality/requirements.txt

soak: build ## keep a daemon busy for MINUTES=30, and see whether anything grows or is lost
	@$(BENCH_PYTHON) tests/bench/prepare.py
	@.bench/venv/bin/python tests/bench/soak.py $(MINUTES)

load: build ## fill one folder with 20,000 photos and 100,000 names, and see what the others and the memory notice (5 minutes)
	@$(BENCH_PYTHON) tests/bench/load.py

load-http: build ## send twice the requests that can be served for a minute, beside a full folder (2 minutes)
	@$(BENCH_PYTHON) tests/bench/http_load.py

bench-ledger: build ## fill a ledger with a million photos, and see what a start, status, backup and forgetting cost (3 minutes)
	@$(BENCH_PYTHON) tests/bench/ledger.py

churn: setup ## drop, change and kill at random for SECONDS=60, and compare with what must be there
	HOTCUT_CHURN_SECONDS=$(SECONDS) $(CARGO) test --locked --test it churn -- --nocapture

clean: ## delete what was built; what was fetched stays
	rm -rf target .bench .api .config .page .quality .recipes .system
