"""What import-linter cannot say of the house: `cloudsim` makes no event loop and asks for none of asyncio's own."""

import ast
from pathlib import Path

import cloudsim

ROOT = Path(cloudsim.__file__).parent
LOOPS = {"asyncio.base_events", "asyncio.selector_events", "asyncio.unix_events", "asyncio.proactor_events"}
MAKERS = {"new_event_loop", "set_event_loop", "set_event_loop_policy", "SelectorEventLoop", "run_in_executor"}


def test_no_module_of_the_cloud_knows_an_implementation_of_the_event_loop() -> None:
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                assert not LOOPS & {alias.name for alias in node.names}, path
            elif isinstance(node, ast.ImportFrom):
                assert node.module not in LOOPS, path
            elif isinstance(node, ast.Attribute):
                assert node.attr not in MAKERS, f"{path}:{node.lineno} uses {node.attr}"
