"""What a config says in the place of a class of ours where this package is absent."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Stock:
    """From the config of a class of ours to a stock config.

    Each class that a config can name has an attribute ``stock``, which
    ``unguide_config`` calls: a :class:`Stock`, or a function of the same arguments.

    Attributes:
        type: Name of the stock class. None: the config keeps its type.
        extra_keys: Keys of our class that the stock class does not have.
        new_keys: Keys that the stock class needs to do the same.
        goes: Whether the whole config goes.
    """

    type: str | None = None
    extra_keys: tuple[str, ...] = ()
    new_keys: dict[str, Any] = field(default_factory=dict)
    goes: bool = False

    def __call__(self, config: dict) -> dict | None:
        """The stock config; None where the config goes.

        Args:
            config: Config of our class. It is not changed.
        """
        if self.goes:
            return None
        stock = {k: v for k, v in config.items() if k not in self.extra_keys}
        if self.type is not None:
            stock['type'] = renamed(config['type'], self.type)
        return stock | self.new_keys


GOES = Stock(goes=True)
STAYS = Stock()  # no stock class can take its place


def name_of(kind: str | type | None) -> str | None:
    """A type's name without its scope; a config may hold the class itself."""
    return (
        kind.split('.')[-1]
        if isinstance(kind, str)
        else getattr(kind, '__name__', None)
    )


def renamed(kind: str | type, name: str) -> str:
    """Another type's name, in the scope of the type whose place it takes."""
    scope = kind[: -len(name_of(kind))] if isinstance(kind, str) else ''
    return scope + name
