"""Taking a map out of the one forward pass that is made anyway."""

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor, nn

from cfcn_plugin.options import check_flag, check_whole
from cfcn_plugin.stock import GOES

from .capture import Capture, Captured
from .layout import Layout, UnknownBackbone, hookable, patch_size
from .locate import locate, locate_below_head


class FeatureHook:
    """Captures feature maps of a model's own forward pass, with their graph::

        hook = FeatureHook().attach(model)
        with hook:
            model(inputs)
            activation = hook.take(inputs)

    Args:
        target: ``'auto'``: the map that the model's pooling receives. Or the dotted
            name of a module in the model, or a list of such names.
        channels_last: Whether 4-D maps of named modules are (B, h, w, F). None: as
            in this backbone's last map, and False for convolutions and unknown
            backbones; the other order if only that has the image's proportions.
        prefix_tokens: Number of tokens before the grid in maps (B, L, F) of named
            modules. None: as in this backbone's last map.
    """

    stock = GOES

    def __init__(
        self,
        target: str | Sequence[str] = 'auto',
        channels_last: bool | None = None,
        prefix_tokens: int | None = None,
    ):
        names = [target] if isinstance(target, str) else target
        if (
            not isinstance(names, Sequence)
            or not names
            or not all(isinstance(name, str) for name in names)
        ):
            raise TypeError(
                "`target` must be 'auto', a module's dotted name or a list "
                f'of names, got {target!r}'
            )
        check_flag('channels_last', channels_last, optional=True)
        if prefix_tokens is not None:
            check_whole('prefix_tokens', prefix_tokens, least=0)
        self.names = list(names)
        self.several = not isinstance(target, str)
        options = dict(channels_last=channels_last, prefix_tokens=prefix_tokens)
        self.overrides = {k: v for k, v in options.items() if v is not None}
        self.layouts: list[Layout] = []
        self.captures: list[Capture] = []

    def attach(self, model: nn.Module) -> 'FeatureHook':
        """Register on the targets' modules.

        Raises:
            ValueError: A target does not exist, or no layout is known for
                ``'auto'``, and the message lists what can be hooked; or the model is
                a ``DataParallel`` over several GPUs.
        """
        self.detach()
        if any(
            isinstance(part, nn.DataParallel) and len(part.device_ids) > 1
            for part in model.modules()
        ):
            raise ValueError(
                'DataParallel over several GPUs runs copies of the model, whose maps '
                'no hook keeps together: use DistributedDataParallel'
            )
        patch = patch_size(model)
        self.layouts = [
            replace(self._layout(model, name), patch=patch) for name in self.names
        ]
        self.captures = [
            Capture(model.get_submodule(one.module), one.side, one.pick, one.settled)
            for one in self.layouts
        ]
        return self

    def detach(self) -> None:
        """Take the hooks off the model."""
        for capture in self.captures:
            capture.handle.remove()
        self.captures = []

    def __enter__(self) -> 'FeatureHook':
        for capture in self.captures:
            capture.__enter__()
        return self

    def __exit__(self, *error) -> None:
        for capture in self.captures:
            capture.__exit__(*error)

    def captured(self) -> Captured:
        """What the targets gave in this block."""
        return Captured(self, tuple(capture.take() for capture in self.captures))

    def take(
        self, inputs: Tensor, trainable: bool = False
    ) -> Tensor | tuple[Tensor, ...]:
        """The maps captured in this block: one for one target, a tuple for several.

        Arguments and errors are those of :meth:`Captured.maps`.
        """
        maps = self.captured().maps(inputs, trainable)
        return maps if self.several else maps[0]

    def _layout(self, model: nn.Module, name: str) -> Layout:
        if name == 'auto':
            return locate(model)
        try:
            module = model.get_submodule(name)
        except AttributeError:
            raise ValueError(
                f"feature hook target '{name}' does not exist in "
                f'{type(model).__name__}: {hookable(model)}'
            ) from None
        in_head = name.startswith('head.')  # whose map lies in memory as it likes
        try:
            last = (locate if in_head else locate_below_head)(model)
        except UnknownBackbone:
            last = Layout('')
        if isinstance(module, nn.Conv2d):
            last = replace(last, channels_last=False)
        named = replace(
            last,
            module=name,
            side='output',
            channels=None,
            settled=False,
            by_proportion='channels_last' not in self.overrides,
        )
        return replace(named, **self.overrides)  # type: ignore[arg-type]


def last_stage_activation(model: nn.Module, inputs: Tensor) -> Tensor:
    """The map that a model's pooling receives, as (B, F, h, w).

    Runs one forward pass in the model's current mode. All hooks are removed, also
    after an exception.

    Args:
        model: A bare timm model, an mmpretrain backbone or a classifier.
        inputs: (B, C, H, W), preprocessed as the model expects.

    Returns:
        (B, F, h, w), with its graph if gradients are enabled. For a bare timm model
        the map is that of ``forward_features``, without prefix tokens; for a
        ``TIMMBackbone`` the backbone's own output, which can be a later map.

    Raises:
        ValueError: No layout is known for the model.
    """
    hook = FeatureHook()
    try:
        with hook.attach(model):
            model(inputs)
            return hook.take(inputs)  # type: ignore[return-value]
    finally:
        hook.detach()
