"""Makes .bench/: a virtual environment with rembg, and the project's own U²-Net where rembg looks for it."""

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / ".bench"
PACKAGES = ["rembg[cli]==2.0.86", "onnxruntime==1.32.0"]


def main():
    python = BENCH / "venv/bin/python"
    installed = BENCH / "venv/installed.txt"
    wanted = "\n".join(PACKAGES)
    if not installed.is_file() or installed.read_text() != wanted:
        print(f"installing {', '.join(PACKAGES)} into {BENCH.name}/venv", flush=True)
        venv.create(BENCH / "venv", with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
        installed.write_text(wanted)
    home = BENCH / "u2net"
    home.mkdir(exist_ok=True)
    model = home / "u2net.onnx"
    model.unlink(missing_ok=True)
    model.symlink_to(ROOT / "models/u2net.onnx")


if __name__ == "__main__":
    sys.exit(main())
