"""Runs docs/notebook.ipynb without Jupyter, on a new run of most modes: `make outputs`.

The code cells are executed in order, in one namespace. What a cell prints, and the value of its
last line, become its output, as in Jupyter. A run whose generator was late is not used.
"""

import ast
import contextlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "docs" / "notebook.ipynb"
RUN = """$ locust --headless --loglevel WARNING --simulator --mode full --quick --steps 1,10,50
"""


def execute(notebook: dict[str, Any]) -> dict[str, Any]:
    """Runs every code cell and stores its outputs. A cell's exception is raised."""
    space: dict[str, Any] = {"__name__": "__main__"}
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for number, cell in enumerate(cells, 1):
        tree = ast.parse("".join(cell["source"]))
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(tree, f"<cell {number}>", "exec"), space)
            value = None
            if isinstance(last, ast.Expr):
                value = eval(compile(ast.Expression(last.value), f"<cell {number}>", "eval"), space)
        cell["execution_count"] = number
        cell["outputs"] = _outputs(printed.getvalue(), value, number)
    return notebook


def _outputs(printed: str, value: Any, number: int) -> list[dict[str, Any]]:
    outputs: list[dict[str, Any]] = []
    if printed:
        lines = printed.splitlines(keepends=True)
        outputs.append({"output_type": "stream", "name": "stdout", "text": lines})
    if value is not None:
        data = {"text/plain": repr(value).splitlines(keepends=True)}
        for kind, name in (("text/html", "_repr_html_"), ("image/svg+xml", "_repr_svg_")):
            if hasattr(value, name):
                data[kind] = getattr(value, name)().splitlines(keepends=True)
        outputs.append(
            {"output_type": "execute_result", "execution_count": number, "metadata": {},
             "data": data}
        )  # fmt: skip
    return outputs


if __name__ == "__main__":
    from outputs import late
    from session import session

    with session() as terminal:
        printed = terminal.run([RUN])
        if late(printed, ""):
            sys.exit("notebook.ipynb: this machine was late: try again")
        [run] = (terminal.folder / "results").iterdir()
        os.environ["WEIGHBRIDGE_RUN"] = str(run)
        os.chdir(NOTEBOOK.parent)  # as Jupyter would run it, with nothing of ours on the path
        made = execute(json.loads(NOTEBOOK.read_text(encoding="utf-8")))
    NOTEBOOK.write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
