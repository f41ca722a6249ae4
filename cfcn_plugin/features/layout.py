"""The layout of a map: its place in a model, and how it lies in memory."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from torch import Tensor, nn


@dataclass(frozen=True)
class Layout:
    """The place of a map in a model, and its layout in memory.

    Attributes:
        module: Dotted name of the module to hook; '' is the model itself.
        side: Whether the map is the module's ``'output'`` or ``'input'``.
        item: Index of the map if the module gives several values.
        channels_last: Whether a 4-D map is (B, h, w, F).
        prefix_tokens: Number of tokens before the grid in a map (B, L, F).
        channels: F; None if the table does not have it.
        grid: A function from the image's (H, W) to the token grid (h, w); None: the
            grid has the image's proportions.
        settled: Whether the map is what the network makes of it in place, behind the
            module (``F.relu(x, inplace=True)``).
        by_proportion: Whether a 4-D map is read in the other order if only that order
            has the image's proportions.
        patch: (rows, columns) in pixels of the patches, from the image's top left
            corner; None for a model without patches. See :meth:`covers`.
    """

    module: str
    side: str = 'output'
    item: int = -1
    channels_last: bool = False
    prefix_tokens: int = 0
    channels: int | None = None
    grid: Callable | None = None
    settled: bool = False
    by_proportion: bool = False
    patch: tuple[int, int] | None = None

    def to_nchw(self, raw, image: Sequence[int]) -> Tensor:
        """The map as (B, F, h, w), a view if possible.

        Args:
            raw: The value of the module: a tensor, or a tuple, list or dict of tensors.
            image: (H, W) of the model's input.

        Raises:
            ValueError: ``raw`` is no map of this layout.
        """
        raw = self.pick(raw)
        if not isinstance(raw, Tensor) or raw.ndim not in (3, 4):
            what = tuple(raw.shape) if isinstance(raw, Tensor) else type(raw).__name__
            raise ValueError(
                f"module '{self.module}' gives no spatial map: expected (B, F, h, w), "
                f'(B, h, w, F) or (B, L, F), got {what}; name another `target`'
            )
        if raw.ndim == 4:
            first, last = raw, raw.permute(0, 3, 1, 2)
            activation, other = (last, first) if self.channels_last else (first, last)
            swap = (
                self.by_proportion
                and not in_proportion(activation, image)
                and in_proportion(other, image)
            )
            return other if swap else activation
        tokens = raw[:, self.prefix_tokens :]
        h, w = self._grid(tokens.shape[1], image)
        return tokens.transpose(1, 2).unflatten(2, (h, w))

    def covers(self, grid: Sequence[int], image: Sequence[int]) -> tuple[int, int]:
        """Rows and columns of pixels that the cells cover, from the top left corner.

        Where the image's size is no multiple of the patch, the remaining pixels are cut
        off (11 patches of 14 pixels cover 154 of 160), or the image is padded (the
        cells cover more than the image). Later stages halve the grid. The map of
        convolutions with padding covers the whole image.

        Args:
            grid: (h, w) of the map.
            image: (H, W) of the model's input.
        """
        if self.patch is None:
            return image[0], image[1]
        h, w = map(_covered, grid, image, self.patch)
        return h, w

    def pick(self, raw):
        """The map among the values of the module."""
        while isinstance(raw, list | tuple | dict) and raw:
            values = list(raw.values()) if isinstance(raw, dict) else raw
            raw = values[self.item]
        return raw

    def _grid(self, length: int, image: Sequence[int]) -> tuple[int, int]:
        if self.grid is not None:
            h, w = self.grid(image)
            if h * w == length:
                return h, w
        h, w = _grid_of(length, image)
        if h * w != length or not length:
            height, width = image
            total = length + self.prefix_tokens
            fits = [
                n
                for n in range(min(17, total))
                if math.prod(_grid_of(total - n, image)) == total - n
            ]
            advice = f' ({fits[0]} would leave a grid)' if fits else ''
            raise ValueError(
                f"module '{self.module}' gives {length} tokens after "
                f'{self.prefix_tokens} prefix tokens, which is no grid in the '
                f'proportions of the image ({height}, {width}); give '
                f'`prefix_tokens`{advice} or name another `target`'
            )
        return h, w


def _grid_of(length: int, image: Sequence[int]) -> tuple[int, int]:
    height, width = image
    return (
        round((length * height / width) ** 0.5),
        round((length * width / height) ** 0.5),
    )


def in_proportion(activation: Tensor, image: Sequence[int]) -> bool:
    """Whether a map has the image's proportions, up to two cells of padding."""
    (h, w), (height, width) = activation.shape[-2:], image
    return abs(h * width - w * height) <= 2 * max(height, width)


def patch_size(model: nn.Module) -> tuple[int, int] | None:
    """(rows, columns) in pixels of the patches of the first convolution, or None."""
    first = next((m for m in model.modules() if isinstance(m, nn.Conv2d)), None)
    if first is None or first.kernel_size == (1, 1):
        return None
    whole = first.kernel_size == first.stride and first.padding in (0, (0, 0), 'valid')
    return first.kernel_size if whole else None  # type: ignore[return-value]


def _covered(cells: int, pixels: int, patch: int) -> int:
    halvings = max(0, round(math.log2(pixels / cells / patch)))
    stride = patch * 2**halvings
    fits = cells in (pixels // stride, math.ceil(pixels / stride))
    # otherwise the model resizes the image (crossvit) or the grid
    return cells * stride if fits else pixels


class UnknownBackbone(ValueError):
    """No layout is known for a model, or for several models inside of it.

    Args:
        model: The model that names targets.
        unknown: The model, or the module of it that should have a layout.
        found: Dotted names of the known models inside.
    """

    def __init__(self, model: nn.Module, unknown: nn.Module, found: list[str]):
        several = f', which has several known models inside ({", ".join(found)})'
        super().__init__(
            f'no layout is known for {type(unknown).__name__} of '
            f'{type(unknown).__module__}{several if found else ""}: name the module '
            "whose map to guide, FeatureHook(target='...'), in a config "
            f"dict(type='FeatureHook', target='...'); {hookable(model)}"
        )


def hookable(model: nn.Module, depth: int = 3) -> str:
    """A sentence that lists the modules near the root of a model."""
    names = [n for n, _ in model.named_modules() if n and n.count('.') < depth]
    names.sort(key=lambda name: name.count('.'))  # a deep model's last stage is shown
    shown = ', '.join(names[:40])
    return f'there are: {shown}{", ..." if len(names) > 40 else ""}'


def below(name: str, layout: Layout) -> Layout:
    """The layout of a model that is a part, ``name``, of another model."""
    return replace(layout, module=f'{name}.{layout.module}'.strip('.'))


def get_part(model: nn.Module, name: str):
    """A part by its dotted name, or None if there is none."""
    for part in name.split('.'):
        model = getattr(model, part, None)
    return model
