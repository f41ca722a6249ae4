"""Reading the JSON files in which the package keeps the state of its work."""

import json
from collections.abc import Collection
from pathlib import Path


def read_state(file: Path, remedy: str, keys: Collection[str] = ()) -> dict:
    """The object in a JSON file that the package wrote.

    Args:
        file: The file.
        remedy: What to do if the file cannot be used; the end of the message.
        keys: The keys that the object must have, and no others. Empty: any keys.

    Raises:
        ValueError: The file is missing, cut, empty, or of another version.
    """
    try:
        state = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(
            f"'{file}' cannot be read ({error}), is it whole? {remedy}"
        ) from error
    if not isinstance(state, dict) or (keys and set(state) != set(keys)):
        got = sorted(state) if isinstance(state, dict) else type(state).__name__
        raise ValueError(
            f"'{file}' is not of this version: expected an object"
            + (f' with {sorted(keys)}' if keys else '')
            + f', got {got}. {remedy}'
        )
    return state
