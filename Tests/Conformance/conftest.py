"""Lets these tests start the service as the tests through nginx do."""
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "EndToEnd"))
