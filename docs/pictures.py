"""Takes the pictures of the report again in both languages: `make pictures`. It needs chromium."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IMAGES = {"en": "report.png", "zh": "report-zh.png"}
SIZE = "1000,1180"  # pixels: the page's width, and the height that is seen first


def main() -> None:
    """Runs the demo and takes a picture of its report in each language."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("install chromium first: it takes the pictures.")
    with tempfile.TemporaryDirectory() as folder:
        demo = [sys.executable, "-m", "weighbridge", "demo", "--results", folder]
        subprocess.run([*demo, "--loglevel", "WARNING"], cwd=ROOT, check=True)
        [run] = [path for path in Path(folder).iterdir() if path.is_dir()]
        for lang, name in IMAGES.items():
            again = [sys.executable, "-m", "analysis", "report", str(run), "--lang", lang]
            subprocess.run(again, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
            picture = ROOT / "docs" / "images" / name
            subprocess.run(
                [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                 f"--user-data-dir={folder}/chromium", f"--window-size={SIZE}",
                 f"--screenshot={picture}", (run / "report.html").as_uri()],
                check=True, capture_output=True, timeout=120,
            )  # fmt: skip


if __name__ == "__main__":
    main()
