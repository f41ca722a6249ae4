"""Which images are guided, when only some are: by a stateless hash."""
from hashlib import blake2b
from pathlib import Path


def guidance_rank(key: str, seed: int = 0) -> float:
    """A number in [0, 1) that depends on seed and image alone.

    Guiding the images under a threshold guides the same ones in every epoch,
    worker and process, and a smaller share is inside a larger one.
    """
    digest = blake2b(f'{seed}:{key}'.encode(), digest_size=8).digest()
    return int.from_bytes(digest, 'big') / 2**64


def read_guided_list(file: str) -> frozenset[str]:
    """Keys in a list made by ``tools/choose_guided.py``, one a line.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is empty.
    """
    if not Path(file).is_file():
        raise FileNotFoundError(
            f"list of guided images '{file}' does not exist: make it with "
            '`tools/choose_guided.py CONFIG -n N --out FILE`')
    keys = frozenset(
        line.strip() for line in Path(file).read_text(encoding='utf-8').splitlines()
        if line.strip())
    if not keys:
        raise ValueError(f"list of guided images '{file}' is empty: expected one path "
                         'below the data root a line')
    return keys
